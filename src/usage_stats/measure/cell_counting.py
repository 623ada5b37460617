"""A period's usage files, large ones → the figures of its cells, by sorting arrays.

The SQL model `cell.component` says what is counted; this counts the same at a fraction of the cost
(tests/sql/test_large_periods.py holds the two together).

Belongs here: distinct pseudonyms and sums, per category. Does not: what a cell is called, or what the figures mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.errors import SchemaError
from usage_stats.measure.arrays import Ints, Matrix, Pseudonyms, codes, distinct, words
from usage_stats.periods import Period

__all__ = ["Wanted", "count_rows", "number_of_rows"]

# Usage rows held at a time, at nine bytes each: a month of 20 million log lines has less than seven million.
_AT_ONCE = 8_000_000
_WORDS = ["component", "sub_component", "further"]


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
    and memory does not grow with the period.

    Raises:
        SchemaError: a file has a row without pseudonym or measure.
    """
    totals = np.zeros((1 + len(wanted.measures), wanted.size), np.int64)
    for low, high in _slices(1 + number_of_rows(paths) // _AT_ONCE):
        days = [_read(path, wanted, low, high) for path in paths]
        for day in days:
            totals[1:] += day.sums
        for n in range(wanted.size) if days else ():
            totals[0, n] += len(distinct(np.concatenate([day.of(n) for day in days])))
    return totals


def _slices(number: int) -> Iterator[tuple[int, int]]:
    """Lowest and highest pseudonym of so many slices; pseudonyms are random, so these are alike in size."""
    for n in range(number):
        yield 2**64 * n // number, 2**64 * (n + 1) // number - 1


def _read(path: Path, wanted: Wanted, low: int, high: int) -> _Day:
    """Read what counts of a file: the period's days, known categories, pseudonyms from `low` to `high`."""
    with pq.ParquetFile(path, read_dictionary=_WORDS) as file:
        rows = file.read([wanted.key, *_WORDS, "event_date", *wanted.measures], use_threads=False)
    pseudonyms, *measures = (_numbers(rows[name], path) for name in (wanted.key, *wanted.measures))
    dates = _numbers(rows["event_date"], path)
    counts = (dates >= np.datetime64(wanted.period.first)) & (dates <= np.datetime64(wanted.period.last))
    counts &= (pseudonyms >= low) & (pseudonyms <= high)
    category = np.where(counts, _categories(rows, wanted.places), -1)
    size = 1 + wanted.size  # what does not count comes first
    few_bits = category.astype(np.min_scalar_type(-size))  # which numpy sorts many times as fast
    order = np.argsort(few_bits, kind="stable")
    bounds = np.cumsum(np.bincount(category + 1, minlength=size))
    sums = [np.bincount(category + 1, measure, size)[1:] for measure in measures]  # exact below 2**53
    return _Day(
        pseudonyms[order[bounds[0] :]], bounds - bounds[0], np.array(sums, np.int64).reshape(-1, size - 1)
    )


def _categories(rows: pa.Table, places: Mapping[tuple[str, str, str], int]) -> Ints:
    """The place of each row's category, -1 for one that is not asked for."""
    columns = [words(rows[name]) for name in _WORDS]
    # the last stands for no word, whose code is -1
    known = [[*column.dictionary.to_pylist(), None] for column in columns]
    sizes = [len(some) for some in known]
    packed = np.ravel_multi_index([codes(c) % size for c, size in zip(columns, sizes, strict=True)], sizes)
    distinct_ones, number = np.unique(packed, return_inverse=True)
    names = zip(*np.unravel_index(distinct_ones, sizes), strict=True)
    found = [places.get(tuple(k[n] for k, n in zip(known, some, strict=True)), -1) for some in names]
    return np.array(found, np.int64)[number]


def _numbers(column: pa.ChunkedArray, path: Path) -> np.ndarray[tuple[int], Any]:
    if column.null_count:
        raise SchemaError(f"{path}: {column.null_count} usage rows lack a value")
    numbers: np.ndarray[tuple[int], Any] = column.to_numpy()
    return numbers
