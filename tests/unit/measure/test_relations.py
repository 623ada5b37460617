import math
from datetime import date, timedelta

import pytest

from usage_stats.config import OTHER, TOTAL
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.cube import Cube
from usage_stats.measure.nesting import nested_pairs
from usage_stats.measure.relations import (
    ADDITIVE_OVER,
    CellKey,
    Constraint,
    Relation,
    Variable,
    constraints,
    relations,
    relations_between,
)
from usage_stats.periods import day, month, parse_period, periods_of, week

ALL = (TOTAL, TOTAL)
CUBE = Cube(
    parts_of=(
        (ALL, (("shop", TOTAL), (OTHER, TOTAL))),
        (("shop", TOTAL), (("shop", "basket"), ("shop", OTHER))),
    ),
    periods=("day", "week", "month"),
)
LEAST = Cube(parts_of=((ALL, (("a", TOTAL),)),), periods=("day", "week", "month"))
MARCH = [date(2026, 3, 1) + timedelta(n) for n in range(31)]  # a Sunday to a Tuesday


def _splits(periods, whole, *, empty=frozenset(), category=ALL):
    """The parts' codes, and whether they are complete, of each split of a whole."""
    found = relations(LEAST, periods, empty_days=empty)
    return [
        ([key.period for key in r.parts], r.complete)
        for r in found
        if r.dimension == "period" and r.whole == CellKey(whole.code, *category)
    ]


def test_categories_make_one_relation_per_whole_and_period():
    """The site and its components, a component and its sub-components."""
    monday = day(date(2027, 2, 1))
    found = {(r.whole.category, tuple(p.category for p in r.parts)) for r in relations(CUBE, [monday])}

    expected = {
        (ALL, (("shop", TOTAL), (OTHER, TOTAL))),
        (("shop", TOTAL), (("shop", "basket"), ("shop", OTHER))),
    }

    assert expected == found


def test_week_is_its_seven_days():
    """All days at hand: nothing is left out."""
    days = [day(date(2027, 2, 1) + timedelta(n)) for n in range(7)]

    assert [([d.code for d in days], True)] == _splits(
        [*days, week(date(2027, 2, 1))], week(date(2027, 2, 1))
    )


def test_week_with_a_day_missing_is_more_than_its_days():
    """Without one of the days, the others are only a lower bound."""
    days = [day(date(2027, 2, 1) + timedelta(n)) for n in range(6)]
    sunday = frozenset([date(2027, 2, 7)])
    whole = week(date(2027, 2, 1))

    assert [([d.code for d in days], False)] == _splits([*days, whole], whole)
    assert [([d.code for d in days], True)] == _splits([*days, whole], whole, empty=sunday)


def test_month_is_its_days_and_is_its_weeks_with_the_days_around_them():
    """March 2026: the 1st belongs to W09, the 30th and 31st to W14; both lie in another month as well."""
    periods = periods_of(MARCH, ("day", "week", "month"))
    by_days, by_weeks = _splits(periods, month(MARCH[0]))

    assert ([d.isoformat() for d in MARCH], True) == by_days
    assert (
        ["2026-W10", "2026-W11", "2026-W12", "2026-W13", "2026-03-01", "2026-03-30", "2026-03-31"],
        True,
    ) == by_weeks


def test_month_without_the_days_around_its_weeks_is_more_than_its_weeks():
    """Weeks alone leave out the first and the last days."""
    periods = [month(MARCH[0]), *periods_of(MARCH[1:29], ("week",))]

    assert [(["2026-W10", "2026-W11", "2026-W12", "2026-W13"], False)] == _splits(periods, month(MARCH[0]))


def test_week_in_two_months_is_part_of_neither():
    """It has days of both; only its days join it to them."""
    periods = periods_of([date(2026, 3, 30), date(2026, 4, 1)], ("week", "month"))

    assert [] == [split for p in periods for split in _splits(periods, p)]


@pytest.mark.parametrize("first", [date(2026, 3, 1), date(2026, 2, 1), date(2027, 2, 1), date(2024, 12, 1)])
def test_parts_of_a_split_do_not_overlap_and_lie_in_the_whole(first):
    """Otherwise sums would count twice."""
    days = [first + timedelta(n) for n in range(45)]
    for relation in relations(LEAST, periods_of(days, ("day", "week", "month"))):
        if relation.dimension == "period":
            spanned = [d for key in relation.parts for d in parse_period(key.period).days]

            assert len(spanned) == len(set(spanned))
            assert set(spanned) <= set(parse_period(relation.whole.period).days)
            assert relation.complete == (set(spanned) == set(parse_period(relation.whole.period).days))


def test_periods_with_other_categories_share_what_both_have():
    """A place that only one of them knows joins nothing; the site's total joins all."""
    other = Cube(parts_of=((ALL, (("news", TOTAL), (OTHER, TOTAL))),), periods=CUBE.periods)
    days = [day(date(2027, 2, 1) + timedelta(n)) for n in range(7)]
    cubes = {**dict.fromkeys(days[:3], other), **dict.fromkeys([*days[3:], week(days[0].first)], CUBE)}
    found = [r for r in relations_between(cubes) if r.dimension == "period"]

    assert {ALL, (OTHER, TOTAL)} == {r.whole.category for r in found}


A, B, T = (CellKey("2027-02-01", name, TOTAL) for name in ("a", "b", TOTAL))


def _stated(relation, measure):
    return {c for c in constraints([relation], []) if {v.measure for v, _ in c.terms} == {measure}}


def _terms(*cells, measure):
    return tuple((Variable(cell, measure), 1 if n == 0 else -1) for n, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("dimension", "measure"), [("category", "page_views"), ("period", "visits"), ("period", "page_views")]
)
def test_what_adds_up_is_the_sum_of_complete_parts_and_at_least_that_of_others(dimension, measure):
    """Page views over places and days, visits over days."""
    whole = Relation(dimension, T, (A, B))
    some = Relation(dimension, T, (A, B), rest=(A,))
    terms = _terms(T, A, B, measure=measure)

    assert {Constraint(terms, 0, 0)} == _stated(whole, measure)
    assert {Constraint(terms, 0, math.inf)} == _stated(some, measure)


@pytest.mark.parametrize(
    ("dimension", "measure"), [("category", "visitors"), ("period", "visitors"), ("category", "visits")]
)
def test_what_does_not_add_up_lies_between_the_largest_part_and_the_sum(dimension, measure):
    """A person comes on several days, a visit sees several places; each is in some part of a complete whole."""
    within = {Constraint(_terms(T, part, measure=measure), 0, math.inf) for part in (A, B)}
    at_most = Constraint(_terms(T, A, B, measure=measure), -math.inf, 0)

    assert {*within, at_most} == _stated(Relation(dimension, T, (A, B)), measure)
    assert within == _stated(Relation(dimension, T, (A, B), rest=(A,)), measure)


def test_every_visitor_makes_a_visit_and_every_visit_views_a_page():
    """In every cell, whatever it hangs together with."""
    expected = [
        Constraint(((Variable(A, "visits"), 1), (Variable(A, "visitors"), -1)), 0, math.inf),
        Constraint(((Variable(A, "page_views"), 1), (Variable(A, "visits"), -1)), 0, math.inf),
    ]

    assert expected == constraints([], [A])


def test_additive_means_what_the_measures_mean():
    """Visitors where each has one value; visits over days and what is said of whole visits; page views over all."""
    of_persons = {"visitor_type", "visit_frequency"}
    of_views = {"component", "sub_component", "hour"}

    assert {"first_day", *of_persons} == set(ADDITIVE_OVER["visitors"])
    assert {"period", *DIMENSIONS} - of_views == set(ADDITIVE_OVER["visits"])
    assert {"period", "category", *DIMENSIONS} == set(ADDITIVE_OVER["page_views"])


def test_pairs_are_every_cell_inside_every_cell_of_the_new_period():
    """In place, in time, and in both."""
    monday, whole = day(date(2027, 2, 1)), week(date(2027, 2, 1))
    found = set(nested_pairs(CUBE, whole, {monday: CUBE}))
    lineage = {c: {c, *CUBE.ancestors(c)} for c in CUBE.categories}

    expected = {
        (CellKey(part.code, *category), CellKey(whole.code, *over))
        for part in (monday, whole)
        for category in CUBE.categories
        for over in lineage[category]
        if (part, category) != (whole, over)
    }

    assert expected == found
    assert (CellKey(monday.code, "shop", "basket"), CellKey(whole.code, *ALL)) in found


def test_pairs_leave_out_periods_that_are_not_wholly_inside():
    """A week of two months has persons that the month has not."""
    found = nested_pairs(
        LEAST,
        month(date(2026, 3, 1)),
        dict.fromkeys([week(date(2026, 3, 30)), day(date(2026, 4, 1))], LEAST),
    )

    assert {"2026-03"} == {part.period for part, _ in found}


def test_day_has_pairs_with_itself_only():
    """Nothing smaller than a day is published."""
    found = nested_pairs(CUBE, day(date(2027, 2, 1)), {})

    assert {"2027-02-01"} == {key.period for pair in found for key in pair}
    assert len(found) == 2 + 2 * 2  # two components in the site; two sub-components in component and site
