"""cell.component and cell.identity_basis against plain Python."""

import pytest
from invented_events import CATEGORIES, DAY, random_rows, spots, usage

from usage_stats.flow.workspace import write_restricted
from usage_stats.measure import usage as usage_module
from usage_stats.measure.cells import UsageFiles, basis_counts, period_cells
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.cube import cube_from
from usage_stats.measure.relations import CellKey
from usage_stats.periods import day, week

CUBE = cube_from(CATEGORIES, ("day", "week"))
WEEK = week(DAY)  # DAY is its Sunday


@pytest.fixture(scope="module")
def rows():
    """Page views of four days of a week, one person's pseudonym through all of them."""
    return {
        of: random_rows(number, day=of, number=120, people=12)
        for number, of in enumerate(WEEK.days)
        if number in {0, 2, 5, 6}
    }


@pytest.fixture(scope="module", params=["models", "arrays", "both"])
def files(request, rows, tmp_path_factory):
    """The days' usage as files, an empty day among them; counted by the models, as a large day's, or some of each."""
    root = tmp_path_factory.mktemp("usage")
    paths = {"component_day": [], "network_day": []}
    for number, of in enumerate(WEEK.days[:3] + WEEK.days[5:]):
        by_arrays = request.param == "arrays" or (request.param == "both" and number % 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(usage_module, "LARGE_DAY", 1 if by_arrays else 10**9)
            week_usage = usage(rows.get(of, []), CUBE, of=of).by_window["week"]
        for table, listed in paths.items():
            listed.append(root / f"{of}-{table}.parquet")
            write_restricted(getattr(week_usage, table), listed[-1])
    return UsageFiles(*(tuple(listed) for listed in paths.values()))


def _in(rows, period, category):
    return [r for of in period.days for r in rows.get(of, []) if category in spots(r)]


@pytest.mark.parametrize("period", [WEEK, day(DAY), day(WEEK.days[1])], ids=lambda p: p.code)
def test_cells_are_distinct_persons_and_networks_over_all_days(rows, files, period):
    """Visitors of a week are counted once however often they come; page views are all counted."""
    found = period_cells(CUBE, period, files)
    for category in CATEGORIES:
        counts, mine = found[CellKey(period.code, *category)], _in(rows, period, category)

        assert len({r["person"] for r in mine}) == counts.visitors
        assert len({r["network"] for r in mine}) == counts.networks
        assert len(mine) == counts.page_views


def test_every_category_has_a_cell_also_where_nobody_was(files):
    """Rows come from the table's categories, never from the data: an absent row would tell."""
    cube = cube_from([*CATEGORIES, ("never seen", "_T")], ("day",))
    found = period_cells(cube, WEEK, files)
    unseen = found[CellKey(WEEK.code, "never seen", "_T")]

    assert {CellKey(WEEK.code, *category) for category in cube.categories} == set(found)
    assert (0, 0, 0, 0) == (unseen.visitors, unseen.visits, unseen.page_views, unseen.networks)


def test_visits_of_a_week_are_those_of_its_days(files):
    """A visit ends at midnight, so days add up."""
    key = ("shop", "_T")
    whole = period_cells(CUBE, WEEK, files)[CellKey(WEEK.code, *key)]
    parts = [period_cells(CUBE, day(of), files)[CellKey(of.isoformat(), *key)] for of in WEEK.days]

    assert whole.visits == sum(p.visits for p in parts) > 0
    assert whole.visitors < sum(p.visitors for p in parts), "people come on several days"


def test_days_outside_the_period_do_not_count(rows, files):
    """A period is its days, whatever else the files hold."""
    found = period_cells(CUBE, day(DAY), files)[CellKey(DAY.isoformat(), "_T", "_T")]

    assert len(rows[DAY]) == found.page_views


def test_identity_basis_counts_each_person_of_the_site_once(rows, files):
    """Distinct persons by what they were told apart by; the bases add up to the site's visitors."""
    seen = {(r["person"], r["identity_basis"]) for mine in rows.values() for r in mine}

    expected = {b: sum(basis == b for _, basis in seen) for b in ("account", "cookie", "address")}

    assert expected == basis_counts(WEEK, files)


def test_crowd_counts_the_union_of_persons_and_networks(rows, files):
    """Persons behind several cells are counted once: over categories, over days, over nested cells."""
    crowd = Crowd(files)
    sets = [
        [(WEEK, ("shop", "_T"))],
        [(day(DAY), ("shop", "_T")), (day(DAY), ("news", "_T"))],
        [(day(of), ("shop", "basket")) for of in WEEK.days],
        [(WEEK, ("_T", "_T")), (day(DAY), ("news", "_T"))],
        [(day(WEEK.days[1]), ("_T", "_T"))],
        [],
    ]
    for cells in sets:
        mine = [r for period, category in cells for r in _in(rows, period, category)]
        keys = [CellKey(period.code, *category) for period, category in cells]

        assert (len({r["person"] for r in mine}), len({r["network"] for r in mine})) == crowd.behind(keys)


def test_crowd_of_no_files_is_nobody():
    """Where no day has usage, there is nobody behind any cell."""

    assert (0, 0) == Crowd(UsageFiles((), ())).behind([CellKey("2026-03-29", "_T", "_T")])
