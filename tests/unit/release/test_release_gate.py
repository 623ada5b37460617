import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.config import Thresholds
from usage_stats.errors import DifferencingFailed, PolicyViolation
from usage_stats.measure.relations import CellKey
from usage_stats.periods import day
from usage_stats.policy import Policy
from usage_stats.release.differencing import check_differences, check_minimum
from usage_stats.release.gate import basis_shares, policy_versions

MARCH_2 = "2026-03-02"
NOTHING_WITHHELD = {}
POLICY = Policy(
    versions=[
        {"version": "b", "effective": "2026-03-10", "uses": ["internal_aggregate", "partner_aggregate"]},
        {"version": "a", "effective": "2026-03-01", "uses": ["internal_aggregate"]},
        {"version": "c", "effective": "2026-03-20", "uses": []},
    ]
)


def _march(first, last):
    return [date(2026, 3, n) for n in range(first, last + 1)]


def _numbers(error):
    return set(re.findall(r"\d+", str(error.value).replace(MARCH_2, "")))


def test_none_and_withheld_differ(release):
    """An empty cell is published as zero, a withheld one has no figures at all."""
    rows = {row[1:3]: row[4:] for row in release.rows}

    assert (0, 0, 0, "published") == rows["jobs", "_T"]
    assert (None, None, None, "suppressed") == rows["shop", "basket"]


def test_there_is_a_row_for_every_category_in_the_order_of_the_cube(release, cube):
    """Which rows there are says nothing about who came."""
    assert [(MARCH_2, *category, "") for category in cube.categories] == [row[:4] for row in release.rows]


def test_published_figures_are_the_counted_ones(release):
    """What is published is exact: visitors, visits, page views."""
    rows = {row[1:3]: row[4:] for row in release.rows}

    assert (1200, 1500, 2000, "published") == rows["news", "_T"]


def test_withheld_counts_primary_and_secondary_alike(release):
    """Readers are told how much is withheld, never for which reason."""
    assert 2 == release.withheld
    assert {"published", "suppressed"} == {row[-1] for row in release.rows}


def test_the_view_is_what_the_rows_say(release):
    """A reader's view and the rows agree in every cell."""
    expected = {CellKey(*row[:4]): None if row[-1] == "suppressed" else row[4:7] for row in release.rows}

    assert expected == release.view()


def test_accepted_gaps_are_told(release_with, facts):
    """Figures of a period with days without lines are marked incomplete, withheld ones stay withheld."""
    release = release_with(facts=facts(days_without_lines=(MARCH_2,)))

    assert {"incomplete", "suppressed"} == {row[-1] for row in release.rows}


@pytest.mark.parametrize("visitors", [1, 9])
def test_a_thin_figure_is_refused(release_with, visitors):
    """A published figure about fewer than the minimum stops the release, and the figure is not told."""
    thin = {("news", "_T"): (visitors, 1500, 2000, 400)}
    with pytest.raises(DifferencingFailed, match=f"{MARCH_2}, component news") as caught:
        release_with(counts=thin, statuses=NOTHING_WITHHELD)

    assert _numbers(caught) <= {"10"}  # the rule's own number only


def test_the_minimum_itself_is_enough():
    """A figure about exactly the minimum of persons may leave, one person fewer may not."""
    key = CellKey(MARCH_2, "news", "_T")
    check_minimum({key: (10, 10, 10), CellKey(MARCH_2, "jobs", "_T"): (0, 0, 0)}, 10)

    with pytest.raises(DifferencingFailed):
        check_minimum({key: (9, 10, 10)}, 10)


def test_a_close_difference_is_refused(release_with):
    """A component that nearly all visitors saw would single out the others: nothing is released."""
    counts = {("news", "_T"): (3993, 4200, 5000, 400), ("(other)", "_T"): (900, 1000, 0 + 1000, 300)}
    counts |= {("_T", "_T"): (4000, 4700, 10000, 900)}
    with pytest.raises(
        DifferencingFailed, match=f"{MARCH_2}, component _T.* less .*component news"
    ) as caught:
        release_with(counts=counts)

    assert _numbers(caught) <= {"10"}


def test_a_close_difference_to_an_earlier_release_is_refused(release_with):
    """What a reader already has counts as if it were in the same file."""
    before = CellKey("2026-03-01", "news", "_T")
    pair = (before, CellKey(MARCH_2, "news", "_T"))
    with pytest.raises(DifferencingFailed, match="2026-03-01, component news"):
        release_with(context={before: (1195, 1195, 1195)}, pairs=[pair])


@pytest.mark.parametrize(("difference", "is_refused"), [(0, False), (1, True), (9, True), (10, False)])
def test_how_close_is_too_close(difference, is_refused):
    """Between a part and its whole lie nobody or enough persons."""
    part, whole = CellKey(MARCH_2, "news", "_T"), CellKey(MARCH_2, "_T", "_T")
    view = {part: (100, 100, 100), whole: (100 + difference, 200, 200)}

    assert is_refused == _refuses(lambda: check_differences(view, [(part, whole)], 10))


def _refuses(check):
    try:
        check()
    except DifferencingFailed:
        return True
    return False


def test_a_withheld_side_has_no_difference():
    """Nothing can be subtracted from a figure nobody has."""
    part, whole = CellKey(MARCH_2, "news", "_T"), CellKey(MARCH_2, "_T", "_T")
    check_differences({part: None, whole: (100, 100, 100)}, [(part, whole)], 10)
    check_differences({part: (95, 95, 95), whole: None}, [(part, whole)], 10)


@settings(deadline=None)  # files and frames take their time on a busy machine
@given(
    visitors=st.lists(st.integers(0, 60), min_size=7, max_size=7),
    minimum=st.integers(5, 20),
)
def test_the_gate_refuses_exactly_what_enumeration_finds(release_with, cube, facts, visitors, minimum):
    """The gate opens if and only if no figure and no difference of nested figures is about 1 to k-1 persons."""
    counts = {c: (v, 2 * v, 3 * v, v) for c, v in zip(cube.categories, visitors, strict=True)}
    found = dict(zip(cube.categories, visitors, strict=True))
    inside = [(c, ("_T", "_T")) for c in cube.categories]
    inside += [(c, (c[0], "_T")) for c in cube.categories]
    gaps = [found[whole] - found[part] for part, whole in inside]
    thresholds = Thresholds(minimum_persons=minimum)

    expected = any(0 < n < minimum for n in [*visitors, *gaps])
    actual = _refuses(
        lambda: release_with(counts=counts, statuses=NOTHING_WITHHELD, facts=facts(thresholds=thresholds))
    )
    assert expected == actual


def test_every_policy_version_of_the_days_is_named_once_in_order():
    """A period across a change of policy rests on both versions."""
    assert ("a", "b") == policy_versions(POLICY, _march(8, 11), "internal_aggregate")


def test_the_version_changes_on_its_effective_day():
    """A version is in force from its effective day on."""
    assert ("a",) == policy_versions(POLICY, _march(9, 9), "internal_aggregate")
    assert ("b",) == policy_versions(POLICY, _march(10, 10), "internal_aggregate")


def test_one_day_without_permission_forbids_all():
    """A single day under a version that does not allow the use keeps the whole period in the house."""
    with pytest.raises(PolicyViolation, match=r"version a, in force on 2026-03-09.*partner_aggregate"):
        policy_versions(POLICY, _march(9, 15), "partner_aggregate")


def test_a_later_permission_does_not_work_backwards_nor_for_ever():
    """The version in force on the day decides, also when it takes a permission away."""
    assert ("b",) == policy_versions(POLICY, _march(10, 19), "partner_aggregate")
    with pytest.raises(PolicyViolation, match="version c"):
        policy_versions(POLICY, _march(10, 20), "internal_aggregate")


def test_no_policy_no_release():
    """A day before the first version has no policy, so nothing of it may be used."""
    with pytest.raises(PolicyViolation, match="no version is in force on 2026-02-28"):
        policy_versions(POLICY, [date(2026, 2, 28), date(2026, 3, 1)], "internal_aggregate")


def test_shares_are_rounded_to_a_step_of_many_persons():
    """Of 100 visitors a step is at least 20: nobody can tell 11 account holders from 29."""
    shares = {n: basis_shares({"account": n, "cookie": 100 - n}, 10)["account"] for n in (9, 11, 29, 31)}

    assert {9: 0.0, 11: 0.2, 29: 0.2, 31: 0.4} == shares


def test_more_visitors_allow_finer_shares():
    """The step stands for twice the minimum persons, at the least for five in a hundred."""
    assert {"account": 0.05, "cookie": 0.95, "address": 0.0} == basis_shares(
        {"account": 60, "cookie": 940}, 10
    )


@pytest.mark.parametrize("counts", [{"account": 9, "cookie": 30}, {"account": 1}, {}, {"cookie": 0}])
def test_shares_of_a_few_visitors_are_withheld(counts):
    """Where no step is coarse enough, there are no shares."""
    assert basis_shares(counts, 10) is None


def test_the_period_is_kept(release):
    """A release is of the one period it was made for."""
    assert day(date(2026, 3, 2)) == release.period
