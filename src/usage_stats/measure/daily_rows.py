"""Usage files → the rows of a category on each day, read when they are asked for.

Who is asked about is mostly few: what is withheld. All small categories are read at once, a large one only when it is
asked for, so that memory does not grow with the month.

Belongs here: reading and keeping rows by day and category. Does not: who is behind a cell (crowd).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.measure.arrays import runs
from usage_stats.measure.usage_columns import CATEGORY, Written, numbers, places_of

__all__ = ["NOBODY", "DailyRows", "Rows"]

# Rows of small categories read at once, at eleven bytes each: all of a month of 20 million log lines.
_AT_ONCE = 8_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_Array = np.ndarray[tuple[int], Any]


class Rows(NamedTuple):
    """Usage rows of one day and category."""

    who: _Array
    visits: _Array
    bucket: _Array


NOBODY = Rows(*(np.zeros(0, kind) for kind in (np.uint64, np.uint8, np.uint16)))


class DailyRows:
    """The rows of some usage files, by category and day.

    `key`: the column of pseudonyms. `more`: visits and network_bucket, where they are asked for.
    """

    def __init__(self, paths: Sequence[Path], key: str, more: Sequence[str] = ()) -> None:
        self._paths = paths
        self._columns = [key, *more]
        self._known: dict[Written, dict[date, Rows]] = {}

    def read(self, categories: Iterable[Written]) -> None:
        """Read those of the categories that are not known yet, in one pass over the files."""
        missing = {c for c in categories if c in self._sizes and c not in self._known}
        if missing:
            self._known |= self._read(missing | self._small.difference(self._known))

    def of(self, category: Written, days: Iterable[date]) -> list[Rows]:
        """The rows of a category on these days; none for a day without any."""
        self.read([category])
        found = self._known.get(category, {})
        return [found[of] for of in days if of in found]

    def whole(self, category: Written) -> list[Rows]:
        """The rows of a category, of each day; of no other is anything read."""
        return list(self._read({category}).get(category, {}).values())

    @cached_property
    def _sizes(self) -> Mapping[Written, int]:
        """How many rows each category has."""
        found: Counter[Written] = Counter()
        for path in self._paths:
            for group in _groups(path, CATEGORY):
                counted = group.group_by(CATEGORY).aggregate([([], "count_all")])
                for *names, rows in zip(*(column.to_pylist() for column in counted.columns), strict=True):
                    found[names[0], names[1], names[2]] += rows
        return found

    @cached_property
    def _small(self) -> frozenset[Written]:
        """The smallest categories, as many as may be read at once."""
        by_size = sorted(self._sizes, key=lambda category: (self._sizes[category], category))
        rows = np.cumsum([self._sizes[category] for category in by_size])
        return frozenset(by_size[: int(np.searchsorted(rows, _AT_ONCE, side="right"))])

    def _read(self, wanted: Collection[Written]) -> dict[Written, dict[date, Rows]]:
        names = sorted(wanted)
        places = {category: n for n, category in enumerate(names)}
        pieces: dict[tuple[int, date], list[Rows]] = defaultdict(list)
        for path in self._paths:
            for group in _groups(path, [*CATEGORY, "event_date", *self._columns]):
                for spot, rows in _by_spot(group, places, self._columns, path):
                    pieces[spot].append(rows)
        found: dict[Written, dict[date, Rows]] = {category: {} for category in names}
        for (place, of), some in pieces.items():
            found[names[place]][of] = Rows(*(np.concatenate(columns) for columns in zip(*some, strict=True)))
        return found


def _groups(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """A file's row groups; words as a dictionary, however they are stored."""
    with pq.ParquetFile(path, read_dictionary=CATEGORY) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, list(columns), use_threads=False)


def _by_spot(
    group: pa.Table, places: Mapping[Written, int], columns: Sequence[str], path: Path
) -> Iterator[tuple[tuple[int, date], Rows]]:
    """What a row group holds of each wanted category, by its place, and day."""
    place = places_of(group, places)
    rows = np.flatnonzero(place >= 0)
    days = numbers(group["event_date"], path)[rows].astype(np.int64)
    spots = days * len(places) + place[rows]
    order = np.argsort(spots, kind="stable")
    taken = [numbers(group[name], path)[rows[order]] for name in columns]
    starts, lengths = runs(spots[order])
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        day, category = divmod(int(spots[order[start]]), len(places))
        values = [column[start : start + length] for column in taken]
        yield (category, date.fromordinal(day + _EPOCH)), _compact(values)


def _compact(values: Sequence[_Array]) -> Rows:
    """Counts in as few bytes as hold them; copies, for a slice would keep the whole group."""
    rows = Rows(*values, *NOBODY[len(values) :])
    few_bits = np.min_scalar_type(int(rows.visits.max(initial=0)))
    return Rows(rows.who.copy(), rows.visits.astype(few_bits), rows.bucket.copy())
