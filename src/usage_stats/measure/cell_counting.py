"""A period's usage files, large ones → the figures of its cells, by sorting arrays.

The SQL model `cell.component` says what is counted; this counts the same at a fraction of the cost
(tests/sql/test_large_periods.py holds the two together).

Belongs here: distinct pseudonyms and sums, per category. Does not: what a cell is called, or what the figures mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from usage_stats.measure.arrays import Ints, Matrix, Pseudonyms, distinct
from usage_stats.measure.usage_columns import CATEGORY, numbers, places_of
from usage_stats.periods import Period

__all__ = ["Wanted", "count_rows", "number_of_rows"]

# Usage rows held at a time, at nine bytes each: a month of 20 million log lines has less than seven million.
_AT_ONCE = 8_000_000
_Spans = list[tuple[int, int]]
_NONE = (1 << 64, -1)  # within no slice


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is counted of usage rows, per category: distinct values of `key`, and the sum of each measure.

    `places`: for each stored category (component, sub_component, further) the place of the published one it counts in.
    """

    key: str
    measures: tuple[str, ...]
    period: Period
    places: Mapping[tuple[str, str, str], int]

    @property
    def size(self) -> int:
        """How many categories are published."""
        return 1 + max(self.places.values())


class _Day(NamedTuple):
    """What counts of one file: its pseudonyms by category, those of category n at `bounds[n]:bounds[n + 1]`; and the
    sums, of each measure by category.
    """

    pseudonyms: Pseudonyms
    bounds: Ints
    sums: Matrix

    def of(self, category: int) -> Pseudonyms:
        return self.pseudonyms[self.bounds[category] : self.bounds[category + 1]]


def number_of_rows(paths: Sequence[Path]) -> int:
    """How many rows the files hold together."""
    return sum(pq.read_metadata(path).num_rows for path in paths)


def count_rows(paths: Sequence[Path], wanted: Wanted) -> Matrix:
    """Count what is wanted, a row for the key and for each measure, a column for each category; zeros where nobody was.

    A slice of all pseudonyms is taken at a time, with its rows of every day: nobody is in two slices, so they add up,
    and memory does not grow with the period. Of a file only the row groups are read that hold some of the slice: rows
    lie in order of their pseudonyms, so that few are read twice.

    Raises:
        SchemaError: a file has a row without pseudonym or measure.
    """
    totals = np.zeros((1 + len(wanted.measures), wanted.size), np.int64)
    slices = list(_slices(1 + number_of_rows(paths) // _AT_ONCE))
    spans = {path: _spans(path, wanted.key) for path in paths} if len(slices) > 1 else {}
    for low, high in slices:
        days = [_read(path, wanted, low, high, spans.get(path)) for path in paths]
        for day in days:
            totals[1:] += day.sums
        for n in range(wanted.size) if days else ():
            totals[0, n] += len(distinct(np.concatenate([day.of(n) for day in days])))
    return totals


def _slices(number: int) -> Iterator[tuple[int, int]]:
    """Lowest and highest pseudonym of so many slices; pseudonyms are random, so these are alike in size."""
    for n in range(number):
        yield 2**64 * n // number, 2**64 * (n + 1) // number - 1


def _spans(path: Path, key: str) -> _Spans:
    """The lowest and highest pseudonym of each row group: read, not taken from statistics, which files have not."""
    with pq.ParquetFile(path) as file:
        groups = (file.read_row_group(n, [key], use_threads=False)[key] for n in range(file.num_row_groups))
        found = [numbers(group, path) for group in groups]
    return [(int(group.min()), int(group.max())) if len(group) else _NONE for group in found]


def _read(path: Path, wanted: Wanted, low: int, high: int, spans: _Spans | None) -> _Day:
    """Read what counts of a file: the period's days, known categories, pseudonyms from `low` to `high`."""
    columns = [wanted.key, *CATEGORY, "event_date", *wanted.measures]
    with pq.ParquetFile(path, read_dictionary=CATEGORY) as file:
        every = range(file.num_row_groups)
        groups = [n for n in every if not spans or (spans[n][0] <= high and spans[n][1] >= low)]
        rows = file.read_row_groups(groups, columns, use_threads=False)
    pseudonyms, *measures = (numbers(rows[name], path) for name in (wanted.key, *wanted.measures))
    dates = numbers(rows["event_date"], path)
    counts = (dates >= np.datetime64(wanted.period.first)) & (dates <= np.datetime64(wanted.period.last))
    counts &= (pseudonyms >= low) & (pseudonyms <= high)
    category = np.where(counts, places_of(rows, wanted.places), -1)
    size = 1 + wanted.size  # what does not count comes first
    few_bits = category.astype(np.min_scalar_type(-size))  # which numpy sorts many times as fast
    order = np.argsort(few_bits, kind="stable")
    bounds = np.cumsum(np.bincount(category + 1, minlength=size))
    sums = [np.bincount(category + 1, measure, size)[1:] for measure in measures]  # exact below 2**53
    return _Day(
        pseudonyms[order[bounds[0] :]], bounds - bounds[0], np.array(sums, np.int64).reshape(-1, size - 1)
    )
