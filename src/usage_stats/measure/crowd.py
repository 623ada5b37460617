"""Usage rows and a set of cells → how many distinct persons and networks stand behind the cells taken together.

The remainder of a published sum is a figure too, and rests on the union of the withheld parts' persons.

Belongs here: unions of persons and of networks. Does not: which unions matter, or how many are enough.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.arrays import Ints, changes, numbered
from usage_stats.measure.cells import UsageFiles, derived_in
from usage_stats.measure.cube import Category, by_of, without, written
from usage_stats.measure.daily_rows import NOBODY, DailyRows, Rows
from usage_stats.measure.folding import stored_as, stored_categories
from usage_stats.measure.relations import CellKey
from usage_stats.measure.usage_columns import Written
from usage_stats.periods import parse_period

__all__ = ["Crowd"]

_Array = np.ndarray[tuple[int], Any]


class Crowd:
    """The persons and networks of a period, read when first asked for."""

    def __init__(self, files: UsageFiles) -> None:
        self._files = files

    def behind(self, keys: Iterable[CellKey]) -> tuple[int, int]:
        """Distinct (persons, networks) over all the cells.

        Where a cell is about persons by how often they came, networks are told apart by their buckets: the number is
        then the least that it can be.
        """
        asked = list(keys)
        self._persons.read(stored for key in asked for stored in _stored(key))
        persons = [self._persons_of(key) for key in asked]
        found = len(_union(rows.who for rows in persons))
        if all(derived_in(key.category) in {None, "weekday"} for key in asked):
            return found, len(_union(self._networks_of(asked)))
        return found, len(_union(rows.bucket for rows in persons))

    @cached_property
    def _persons(self) -> DailyRows:
        return DailyRows(self._files.component_day, "person", ["visits", "network_bucket"])

    @cached_property
    def _networks(self) -> DailyRows:
        return DailyRows(self._files.network_day, "network")

    @cached_property
    def _seen_before(self) -> _Array:
        """Who was on the site on the window's days before."""
        earlier = DailyRows(self._files.earlier, "person")
        return _union(rows.who for rows in earlier.whole((TOTAL, TOTAL, "")))

    def _networks_of(self, keys: Collection[CellKey]) -> Iterator[_Array]:
        self._networks.read(stored for key in keys for stored in _stored(key))
        for key in keys:
            for stored in _stored(key):
                yield from (rows.who for rows in self._networks.of(stored, _days(key)))

    def _persons_of(self, key: CellKey) -> Rows:
        found = [rows for stored in _stored(key) for rows in self._persons.of(stored, _days(key))]
        if not found:
            return NOBODY
        rows = Rows(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
        by = by_of(key.category)
        if "visitor_type" in by:
            returns = np.isin(rows.who, self._seen_before)
            return _taken(rows, returns == (by["visitor_type"] == "returning"))
        if "visit_frequency" in by:
            return _taken(rows, _came_as_often(rows, by["visit_frequency"]))
        return rows


def _came_as_often(rows: Rows, code: str) -> np.ndarray[Any, Any]:
    """Whether each row is of a person whose visits, all rows together, fall in a bin."""
    _, who = numbered(rows.who)
    visits = np.bincount(who, weights=rows.visits)[who]
    places = [DIMENSIONS["visit_frequency"].codes.index(one) for one in stored_as("visit_frequency", code)]
    bins: Ints = np.searchsorted(np.array(DIMENSIONS["visit_frequency"].bins), visits, side="right") - 1
    return (bins >= places[0]) & (bins <= places[-1])


def _taken(rows: Rows, which: np.ndarray[Any, Any]) -> Rows:
    return Rows(*(column[which] for column in rows))


def _stored(key: CellKey) -> Iterator[Written]:
    """The stored categories that a cell is made of."""
    base: Category = key.category
    if (name := derived_in(key.category)) is not None:
        base = without(base, name)
    yield from map(written, stored_categories(base))


def _days(key: CellKey) -> list[date]:
    """The days that a cell is about."""
    weekday = by_of(key.category).get("weekday")
    return [of for of in parse_period(key.period).days if weekday in {None, str(of.isoweekday())}]


def _union(arrays: Iterable[_Array]) -> _Array:
    found = list(arrays)
    if not found:
        return np.zeros(0, np.uint64)
    ordered = np.sort(np.concatenate(found))
    return ordered[changes(ordered)]
