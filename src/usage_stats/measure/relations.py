"""Periods and categories → how the cells of a table hang together, stated once for all who reason about them.

A relation says that a whole is made of parts, along one dimension. What follows for a measure depends on
whether it may be added up along that dimension: then the parts sum to the whole; else (distinct persons, or
visits that touch several components) each part is at most the whole, and the whole at most their sum.

Belongs here: relations and the linear constraints they imply. Does not: figures, solving, choosing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS, MEASURES, Measure, bin_bounds
from usage_stats.measure.cube import Category, Cube, by_of, without
from usage_stats.periods import Period

__all__ = [
    "ADDITIVE_OVER",
    "MEASURES",
    "OF_A_PERIOD",
    "CellKey",
    "Constraint",
    "Measure",
    "Overlaps",
    "Relation",
    "Variable",
    "constraints",
    "overlaps_within",
    "relations",
    "relations_between",
]

# Along these a measure's parts add up; "category" is the tree of components, "first_day" the day of a week on which a
# visitor was new. A visitor may come on two days and see two components; a visit ends at midnight but may span
# components; a page view happens once, in one place.
_STRUCTURAL: dict[Measure, tuple[str, ...]] = {
    "visitors": ("first_day",),
    "visits": ("period",),
    "page_views": ("period", "category"),
}
ADDITIVE_OVER: Mapping[Measure, tuple[str, ...]] = {
    measure: (*along, *(name for name, dimension in DIMENSIONS.items() if measure in dimension.additive))
    for measure, along in _STRUCTURAL.items()
}
# Codes that hold for a person in one period only, so that cells of two periods have nothing to do with each other.
OF_A_PERIOD = frozenset({"visitor_type", "visit_frequency"})


class CellKey(NamedTuple):
    """The coordinates of a cell: period code, component, sub-component, and what it is broken down further by."""

    period: str
    component: str
    sub_component: str
    by: str = ""

    @property
    def category(self) -> Category:
        return self[1:] if self.by else self[1:3]


# By how much the visitors of parts exceed their whole's, per whole and dimension.
Overlaps = Mapping[tuple[CellKey, str], int]


class Variable(NamedTuple):
    """One number an attacker may not know: a measure of a cell."""

    cell: CellKey
    measure: Measure


@dataclass(frozen=True, slots=True)
class Relation:
    """A whole and its parts along one dimension; `rest` is what the parts leave out and no table shows.

    `overlap`: where nearly every visitor is in one part only, by how much the parts' visitors exceed the whole's. A
    reader who guesses right knows it.
    """

    dimension: str
    whole: CellKey
    parts: tuple[CellKey, ...]
    rest: tuple[CellKey, ...] = ()
    overlap: int | None = None

    @property
    def complete(self) -> bool:
        """Whether the page views of the parts are those of the whole."""
        return not self.rest and self.dimension != "first_day"


class Constraint(NamedTuple):
    """low <= sum of coefficient x variable <= high."""

    terms: tuple[tuple[Variable, int], ...]
    low: float
    high: float


def relations(
    cube: Cube, periods: Iterable[Period], *, empty_days: frozenset[date] = frozenset()
) -> list[Relation]:
    """All relations among the cells of the given periods, where all have the same categories.

    Args:
        cube: the categories.
        periods: the periods whose cells there are, published or withheld.
        empty_days: days known to hold nothing, so that a whole without them is complete all the same.
    """
    return relations_between(dict.fromkeys(periods, cube), empty_days=empty_days)


def relations_between(
    cubes: Mapping[Period, Cube],
    *,
    empty_days: frozenset[date] = frozenset(),
    overlaps: Overlaps | None = None,
) -> list[Relation]:
    """The same for periods of which each has its own categories: they hang together by those they share."""
    present = sorted(cubes, key=lambda p: p.order)
    found = [r for period in present for r in _within(period, cubes[period], overlaps or {})]
    for whole in present:
        for parts in _splits(whole, present):
            covered = {d for part in parts for d in part.days} | empty_days
            rest = [d for d in whole.days if d not in covered]
            found += _between(whole, parts, rest, cubes)
        found += _first_days(whole, cubes, empty_days)
    return found


def _within(period: Period, cube: Cube, overlaps: Overlaps) -> list[Relation]:
    """The relations among the cells of one period."""
    found = []
    for dimension, whole, parts in cube.splits:
        key = CellKey(period.code, *whole)
        keys = tuple(CellKey(period.code, *part) for part in parts)
        found.append(Relation(dimension, key, keys, overlap=overlaps.get((key, dimension))))
    return found


def _splits(whole: Period, present: Sequence[Period]) -> list[list[Period]]:
    """The ways to cut a period into the smaller ones at hand: into days; into weeks and the days around."""
    days = [p for p in present if p.kind == "day" and whole.covers(p) and whole.kind != "day"]
    weeks = [p for p in present if p.kind == "week" and whole.covers(p) and whole.kind == "month"]
    edges = [d for d in days if not any(w.covers(d) for w in weeks)]
    return [split for split in (days, [*weeks, *edges] if weeks else []) if split]


def _between(
    whole: Period, parts: Sequence[Period], rest: Sequence[date], cubes: Mapping[Period, Cube]
) -> list[Relation]:
    """A period's cells and those of its parts, wherever every part shows what the whole does."""
    known = {part: frozenset(cubes[part].categories) for part in parts}
    found = []
    for category in cubes[whole].categories:
        by = by_of(category)
        if not OF_A_PERIOD.isdisjoint(by):
            continue
        keys = []
        for part in parts:
            inside = _shown_by(part, category, by.get("weekday"))
            if inside is not None and inside not in known[part]:
                break
            keys += [CellKey(part.code, *inside)] if inside else []
        else:
            if keys:
                found.append(_period_relation(whole, keys, rest, category))
    return found


def _shown_by(part: Period, category: Category, weekday: str | None) -> Category | None:
    """Which of a part's categories belongs to a category of the whole; None for a day of another weekday."""
    if weekday is None or part.kind != "day":
        return category
    return without(category, "weekday") if str(part.first.isoweekday()) == weekday else None


def _period_relation(
    whole: Period, keys: Sequence[CellKey], rest: Sequence[date], category: Category
) -> Relation:
    weekday = by_of(category).get("weekday")
    left_out = [of for of in rest if weekday in {None, str(of.isoweekday())}]
    outside = without(category, "weekday")
    gaps = tuple(CellKey(of.isoformat(), *outside) for of in left_out)
    return Relation("period", CellKey(whole.code, *category), tuple(keys), gaps)


def _first_days(whole: Period, cubes: Mapping[Period, Cube], empty: frozenset[date]) -> list[Relation]:
    """Every visitor of a week is new on one of its days."""
    if whole.kind != "week":
        return []
    new = (TOTAL, TOTAL, "visitor_type=new")
    days = {p.first: p for p in cubes if p.kind == "day" and whole.covers(p) and new in cubes[p].further}
    if set(whole.days) - empty - days.keys():
        return []
    keys = tuple(CellKey(days[of].code, *new) for of in sorted(days))
    return [Relation("first_day", CellKey(whole.code, TOTAL, TOTAL), keys)]


def constraints(found: Iterable[Relation], cells: Iterable[CellKey]) -> list[Constraint]:
    """The linear constraints that every table of whole numbers obeys, as an outsider knows them."""
    stated = [c for relation in found for measure in MEASURES for c in _of_relation(relation, measure)]
    return stated + [c for cell in cells for c in _of_cell(cell)]


def _of_relation(relation: Relation, measure: Measure) -> list[Constraint]:
    whole = Variable(relation.whole, measure)
    parts = [Variable(part, measure) for part in relation.parts]
    balance = ((whole, 1), *((part, -1) for part in parts))  # the whole less its parts
    if relation.dimension == "first_day":
        return [Constraint(balance, 0, 0 if measure == "visitors" else math.inf)]
    if measure == "visitors" and relation.overlap is not None:
        return [Constraint(balance, -relation.overlap, -relation.overlap)]
    if relation.dimension in ADDITIVE_OVER[measure]:
        return [Constraint(balance, 0, 0 if relation.complete else math.inf)]
    within = [Constraint(((whole, 1), (part, -1)), 0, math.inf) for part in parts]
    return [*within, Constraint(balance, -math.inf, 0)] if relation.complete else within


def _of_cell(cell: CellKey) -> list[Constraint]:
    """Each visitor makes at least one visit, and each visit has at least one page view; a bin says how many."""
    visitors, visits, page_views = (Variable(cell, measure) for measure in MEASURES)
    by = by_of(cell.category) if cell.by else {}
    per_visitor, per_visit = by.get("visit_frequency"), by.get("visit_depth")
    # Some of a visit's page views may have been in other parts of the site, or in other hours.
    is_whole = cell.component == TOTAL and "hour" not in by
    return [
        *_times(
            visits, visitors, *(bin_bounds("visit_frequency", per_visitor) if per_visitor else (1, None))
        ),
        *_times(page_views, visits, *_views_per_visit(per_visit, is_whole=is_whole)),
    ]


def _views_per_visit(depth: str | None, *, is_whole: bool) -> tuple[int, int | None]:
    if depth is None:
        return 1, None
    least, most = bin_bounds("visit_depth", depth)
    return least if is_whole else 1, most


def _times(of: Variable, each: Variable, least: int, most: int | None) -> list[Constraint]:
    """There are at least, and at most, so many of one for each of the other."""
    found = [Constraint(((of, 1), (each, -least)), 0, math.inf)]
    return found if most is None else [*found, Constraint(((of, 1), (each, -most)), -math.inf, 0)]


def overlaps_within(
    period: Period, cube: Cube, visitors: Mapping[CellKey, int]
) -> dict[tuple[CellKey, str], int]:
    """By how much parts exceed their whole, along dimensions in which nearly every visitor has one value."""
    found = {}
    for relation in _within(period, cube, {}):
        dimension = DIMENSIONS.get(relation.dimension)
        if dimension is not None and dimension.is_usually_one:
            total = sum(visitors[part] for part in relation.parts)
            found[relation.whole, relation.dimension] = total - visitors[relation.whole]
    return found
