"""Usage rows and a set of cells → how many distinct persons and networks stand behind the cells taken together.

The remainder of a published sum is a figure too, and rests on the union of the withheld parts' persons.

Belongs here: unions of persons and of networks. Does not: which unions matter, or how many are enough.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.arrays import Ints, changes, numbered
from usage_stats.measure.cells import UsageFiles, derived_in
from usage_stats.measure.cube import Category, by_of, without, written
from usage_stats.measure.folding import stored_as, stored_categories
from usage_stats.measure.relations import CellKey
from usage_stats.periods import parse_period

__all__ = ["Crowd"]

_WORDS = ["component", "sub_component", "further"]
_Spot = tuple[date, str, str, str]
_Array = np.ndarray[tuple[int], Any]


class _Rows(NamedTuple):
    """Usage rows of one day and category."""

    who: _Array
    visits: _Array
    bucket: _Array


_NOBODY = _Rows(*(np.zeros(0, kind) for kind in (np.uint64, np.int64, np.uint16)))


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
        persons = [self._persons_of(key) for key in asked]
        found = len(_union(rows.who for rows in persons))
        if all(derived_in(key.category) in {None, "weekday"} for key in asked):
            return found, len(_union(self._networks_of(asked)))
        return found, len(_union(rows.bucket for rows in persons))

    @cached_property
    def _persons(self) -> dict[_Spot, _Rows]:
        return _by_spot(self._files.component_day, ["person", "visits", "network_bucket"])

    @cached_property
    def _networks(self) -> dict[_Spot, _Rows]:
        return _by_spot(self._files.network_day, ["network"])

    @cached_property
    def _seen_before(self) -> _Array:
        """Who was on the site on the window's days before."""
        rows = _by_spot(self._files.earlier, ["person"])
        return _union(some.who for (_, *place), some in rows.items() if place == [TOTAL, TOTAL, ""])

    def _networks_of(self, keys: Collection[CellKey]) -> Iterator[_Array]:
        for key in keys:
            for spot in _spots(key):
                yield self._networks.get(spot, _NOBODY).who

    def _persons_of(self, key: CellKey) -> _Rows:
        found = [self._persons[spot] for spot in _spots(key) if spot in self._persons]
        if not found:
            return _NOBODY
        rows = _Rows(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
        by = by_of(key.category)
        if "visitor_type" in by:
            returns = np.isin(rows.who, self._seen_before)
            return _taken(rows, returns == (by["visitor_type"] == "returning"))
        if "visit_frequency" in by:
            return _taken(rows, _came_as_often(rows, by["visit_frequency"]))
        return rows


def _came_as_often(rows: _Rows, code: str) -> np.ndarray[Any, Any]:
    """Whether each row is of a person whose visits, all rows together, fall in a bin."""
    _, who = numbered(rows.who)
    visits = np.bincount(who, weights=rows.visits)[who]
    places = [DIMENSIONS["visit_frequency"].codes.index(one) for one in stored_as("visit_frequency", code)]
    bins: Ints = np.searchsorted(np.array(DIMENSIONS["visit_frequency"].bins), visits, side="right") - 1
    return (bins >= places[0]) & (bins <= places[-1])


def _taken(rows: _Rows, which: np.ndarray[Any, Any]) -> _Rows:
    return _Rows(*(column[which] for column in rows))


def _spots(key: CellKey) -> Iterator[_Spot]:
    """The days and stored categories that a cell is made of."""
    weekday = by_of(key.category).get("weekday")
    base: Category = key.category
    if (name := derived_in(key.category)) is not None:
        base = without(base, name)
    for stored in map(written, stored_categories(base)):
        for of in parse_period(key.period).days:
            if weekday in {None, str(of.isoweekday())}:
                yield (of, *stored)


def _union(arrays: Iterable[_Array]) -> _Array:
    found = list(arrays)
    if not found:
        return np.zeros(0, np.uint64)
    ordered = np.sort(np.concatenate(found))
    return ordered[changes(ordered)]


def _by_spot(paths: Sequence[Path], columns: Sequence[str]) -> dict[_Spot, _Rows]:
    """The rows of each day and category."""
    if not paths:
        return {}
    # words as a dictionary in every file: days that the models counted, and large ones, are stored differently
    keys = ["event_date", *_WORDS]
    parts = [pq.read_table(path, columns=[*keys, *columns], read_dictionary=_WORDS) for path in paths]
    rows = pa.concat_tables(parts).unify_dictionaries()
    grouped = rows.group_by(keys).aggregate([(column, "list") for column in columns])
    spots = zip(*(grouped[key].to_pylist() for key in keys), strict=True)
    lists = [grouped[f"{column}_list"] for column in columns]
    found = {}
    for n, spot in enumerate(spots):
        values = [column[n].values.to_numpy() for column in lists]
        found[spot] = _Rows(*values, *_NOBODY[len(values) :])
    return found
