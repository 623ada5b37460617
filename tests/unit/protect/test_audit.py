from datetime import date

import pytest

from usage_stats.config import TOTAL
from usage_stats.measure.cube import Cube
from usage_stats.measure.relations import CellKey, Relation, relations
from usage_stats.periods import day
from usage_stats.protect.audit import Interval, audit, view_digest
from usage_stats.protect.requirement import Requirement

DAY = day(date(2027, 2, 1))
FIVE = Requirement(5, 0.1)


def _key(name, period=DAY.code):
    return CellKey(period, name, TOTAL)


def _view(**figures):
    return {_key("_T" if name == "total" else name): known for name, known in figures.items()}


def _relations(*names):
    return relations(Cube((((TOTAL, TOTAL), tuple((n, TOTAL) for n in names)),), ("day",)), [DAY])


def _audited(**figures):
    return audit(_view(**figures), _relations(*(n for n in figures if n != "total")), FIVE)


def test_single_withheld_part_is_found_exactly():
    """The total less the others: page views add up."""
    report = _audited(total=(30, 30, 300), a=(20, 20, 210), b=None, c=(8, 8, 50))

    assert Interval(40, 40) == report.intervals[_key("b")]["page_views"]
    assert (_key("b"),) == report.exposed
    assert not report.passed


def test_two_withheld_parts_hide_each_other():
    """Of 90 page views each has 1 to 89, of persons and visits each may have as many."""
    report = _audited(total=(30, 30, 300), a=(20, 20, 210), b=None, c=None)

    assert report.passed
    assert Interval(1, 89) == report.intervals[_key("c")]["page_views"]


def test_withheld_cell_holds_at_least_one():
    """Zeros are published, so nothing withheld is empty: 4 page views of two cells are 1 to 3 each."""
    report = _audited(total=(20, 22, 214), a=(20, 20, 210), b=None, c=None)

    assert Interval(1, 3) == report.intervals[_key("b")]["page_views"]
    assert {_key("b"), _key("c")} == set(report.exposed)


def test_visitors_are_bounded_by_inclusion_not_by_sums():
    """A person may see two places: a part has up to as many visitors as the whole, and may have only one."""
    report = _audited(total=(30, 30, 3000), a=(20, 20, 210), b=None, c=None)
    found = report.intervals[_key("b")]["visitors"]

    assert Interval(1, 30) == found


def test_cell_surely_about_enough_persons_is_not_exposed():
    """Ten persons more in the whole than in the parts told are surely in the withheld one: nobody is single."""
    report = _audited(total=(30, 30, 300), a=(20, 20, 210), b=None)

    assert Interval(10, 30) == report.intervals[_key("b")]["visitors"]
    assert report.passed


def test_cell_that_cannot_have_the_minimum_is_exposed():
    """Persons bounded below the minimum are few for sure, however wide page views are."""
    report = _audited(total=(4, 40, 400), a=None, b=None)

    assert {_key("a"), _key("b")} == set(report.exposed)


@pytest.mark.parametrize(("share", "passed"), [(0.1, True), (0.5, True), (0.99, False)])
def test_interval_is_as_wide_as_a_share_of_its_upper_end(share, passed):
    """Two cells of 90 page views: 88 wide of 89, so a share of 98 % holds and one of 99 % does not."""
    view = _view(total=(30, 30, 300), a=(20, 20, 210), b=None, c=None)

    assert passed == audit(view, _relations("a", "b", "c"), Requirement(5, share)).passed


@pytest.mark.parametrize(("high", "width"), [(1, 5), (50, 5), (51, 6), (100, 10), (101, 11)])
def test_required_width_is_the_minimum_or_the_share_rounded_up(high, width):
    """Five, or a tenth of the upper end if that is more."""

    assert width == FIVE.width(high)


def test_only_what_hangs_together_with_new_cells_is_attacked_again():
    """Other withheld cells were audited when they were new."""
    earlier = "2027-01-31"
    old = [Relation("category", _key("_T", earlier), (_key("a", earlier), _key("b", earlier)))]
    view = _view(total=(30, 30, 300), a=(20, 20, 210), b=None, c=None)
    view |= {_key("_T", earlier): (30, 30, 90), _key("a", earlier): (20, 20, 60), _key("b", earlier): None}
    found = [*_relations("a", "b", "c"), *old]
    new = [key for key in view if key.period == DAY.code]

    assert (_key("b", earlier),) == audit(view, found, Requirement(31, 0)).exposed[:1]
    assert {_key("b"), _key("c")} == set(audit(view, found, FIVE, about=new).intervals)


@pytest.mark.parametrize(("told", "expected"), [(None, set()), ((10, 10, 50), {"b", "c"})])
def test_exposure_that_was_there_before_is_not_held_against_new_cells(told, expected):
    """Thresholds may have been raised: what was told stays told, but may not be told more closely.

    A hundred persons are the minimum now; 90 page views of two withheld cells were told when it was five. The
    new week of `b` is harmless while it is withheld; told, it bounds `b` by 50, and so `c` as well.
    """
    history = _view(total=(30, 30, 300), a=(20, 20, 210), b=None, c=None)
    new = _key("b", "2027-W05")
    inside = Relation("period", new, (_key("b"),), rest=(_key("elsewhere"),))
    found = [*_relations("a", "b", "c"), inside]
    report = audit({**history, new: told}, found, Requirement(100, 0), about=[new], context=history)

    assert expected == {key.component for key in report.exposed}


def test_nothing_withheld_is_nothing_exposed():
    """A table published whole passes."""
    report = _audited(total=(30, 30, 300), a=(20, 20, 210), b=(10, 10, 90))

    assert ({}, ()) == (report.intervals, report.exposed)


def test_digest_depends_on_every_figure_and_on_nothing_else():
    """A report belongs to one table: any other figure, or a figure withheld, is another table."""
    view = _view(total=(30, 30, 300), a=(20, 20, 210), b=None)
    others = [
        _view(total=(30, 30, 301), a=(20, 20, 210), b=None),
        _view(total=(30, 30, 300), a=(20, 20, 210), b=(0, 0, 0)),
        _view(total=(30, 30, 300), a=None, b=(20, 20, 210)),
        _view(total=(30, 30, 300), a=(20, 20, 210)),
        _view(total=(30, 30, 300), a=(20, 20, 210), c=None),
    ]
    digests = {view_digest(other) for other in others}

    assert len(others) == len(digests - {view_digest(view)})
    assert view_digest(view) == view_digest(dict(reversed(view.items())))


def test_bins_tell_visits_by_visitors():
    """Who came once made one visit, who came twice two: visitors and visits of two withheld bins, both known in sum,
    are two equations for two unknowns.
    """

    def key(code):
        return CellKey("2027-02", "_T", "_T", f"visit_frequency={code}" if code else "")

    codes = ("1", "2", "3 or more")
    relation = Relation("visit_frequency", key(""), tuple(map(key, codes)))
    view = {key(""): (1000, 1428, 4000), key("1"): None, key("2"): None, key("3 or more"): (100, 520, 1000)}
    report = audit(view, [relation], Requirement(10, 0.1))

    assert Interval(8, 8) == report.intervals[key("2")]["visitors"]
    assert Interval(16, 16) == report.intervals[key("2")]["visits"]
    assert (key("2"),) == report.exposed
