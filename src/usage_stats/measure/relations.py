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
from typing import Literal, NamedTuple

from usage_stats.measure.table_spec import Cube
from usage_stats.periods import Period

__all__ = [
    "ADDITIVE_OVER",
    "MEASURES",
    "CellKey",
    "Constraint",
    "Relation",
    "Variable",
    "constraints",
    "nested_pairs",
    "relations",
]

Dimension = Literal["category", "period"]
Measure = Literal["visitors", "visits", "page_views"]
MEASURES: tuple[Measure, ...] = ("visitors", "visits", "page_views")

# A visitor may come on two days and see two components; a visit ends at midnight but may span components;
# a page view happens once, in one place.
ADDITIVE_OVER: dict[Measure, tuple[Dimension, ...]] = {
    "visitors": (),
    "visits": ("period",),
    "page_views": ("period", "category"),
}


class CellKey(NamedTuple):
    """The coordinates of a cell: period code, component, sub-component."""

    period: str
    component: str
    sub_component: str


class Variable(NamedTuple):
    """One number an attacker may not know: a measure of a cell."""

    cell: CellKey
    measure: Measure


@dataclass(frozen=True, slots=True)
class Relation:
    """A whole and its parts along one dimension; `rest` is what the parts leave out and no table shows."""

    dimension: Dimension
    whole: CellKey
    parts: tuple[CellKey, ...]
    rest: tuple[CellKey, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.rest


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
    cubes: Mapping[Period, Cube], *, empty_days: frozenset[date] = frozenset()
) -> list[Relation]:
    """The same for periods of which each has its own categories: they hang together by those they share."""
    present = sorted(cubes, key=lambda p: p.order)
    found = [_category_relation(p, w, parts) for p in present for w, parts in cubes[p].parts_of]
    for whole in present:
        for parts in _splits(whole, present):
            covered = {d for part in parts for d in part.days} | empty_days
            rest = [d for d in whole.days if d not in covered]
            shared = set(cubes[whole].categories).intersection(*(cubes[p].categories for p in parts))
            found += [_period_relation(whole, parts, rest, c) for c in sorted(shared)]
    return found


def _splits(whole: Period, present: Sequence[Period]) -> list[list[Period]]:
    """The ways to cut a period into the smaller ones at hand: into days; into weeks and the days around."""
    days = [p for p in present if p.kind == "day" and whole.covers(p) and whole.kind != "day"]
    weeks = [p for p in present if p.kind == "week" and whole.covers(p) and whole.kind == "month"]
    edges = [d for d in days if not any(w.covers(d) for w in weeks)]
    return [split for split in (days, [*weeks, *edges] if weeks else []) if split]


def _category_relation(period: Period, whole: tuple[str, str], parts: Sequence[tuple[str, str]]) -> Relation:
    keys = tuple(CellKey(period.code, *part) for part in parts)
    return Relation("category", CellKey(period.code, *whole), keys)


def _period_relation(
    whole: Period, parts: Sequence[Period], rest: Sequence[date], category: tuple[str, str]
) -> Relation:
    keys = tuple(CellKey(part.code, *category) for part in parts)
    left_out = tuple(CellKey(of.isoformat(), *category) for of in rest)
    return Relation("period", CellKey(whole.code, *category), keys, left_out)


def constraints(found: Iterable[Relation], cells: Iterable[CellKey]) -> list[Constraint]:
    """The linear constraints that every table of whole numbers obeys, as an outsider knows them."""
    stated = [c for relation in found for measure in MEASURES for c in _of_relation(relation, measure)]
    return stated + [c for cell in cells for c in _of_cell(cell)]


def _of_relation(relation: Relation, measure: Measure) -> list[Constraint]:
    whole = Variable(relation.whole, measure)
    parts = [Variable(part, measure) for part in relation.parts]
    balance = ((whole, 1), *((part, -1) for part in parts))  # the whole less its parts
    if relation.dimension in ADDITIVE_OVER[measure]:
        return [Constraint(balance, 0, 0 if relation.complete else math.inf)]
    within = [Constraint(((whole, 1), (part, -1)), 0, math.inf) for part in parts]
    return [*within, Constraint(balance, -math.inf, 0)] if relation.complete else within


def _of_cell(cell: CellKey) -> list[Constraint]:
    """Each visitor makes at least one visit, and each visit has at least one page view."""
    visitors, visits, page_views = (Variable(cell, measure) for measure in MEASURES)
    return [
        Constraint(((visits, 1), (visitors, -1)), 0, math.inf),
        Constraint(((page_views, 1), (visits, -1)), 0, math.inf),
    ]


def nested_pairs(cube: Cube, period: Period, earlier: Iterable[Period]) -> list[tuple[CellKey, CellKey]]:
    """(part, whole) for each cell of the period and every cell whose persons are surely among its own."""
    inside = [period, *(p for p in earlier if period.covers(p) and p != period)]
    return [
        (CellKey(part.code, *category), CellKey(period.code, *whole))
        for part in inside
        for category in cube.categories
        for whole in (category, *cube.ancestors(category))
        if (part.code, category) != (period.code, whole)
    ]
