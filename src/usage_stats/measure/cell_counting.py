"""A period's usage files, large ones → the figures of its cells, by sorting arrays.

The SQL model `cell.component` says what is counted; this counts the same at a fraction of the cost
(tests/sql/test_large_periods.py holds the two together).

Belongs here: distinct pseudonyms and sums, per category. Does not: what a cell is called, or what the figures mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.errors import SchemaError
from usage_stats.measure.arrays import Ints, Matrix, Pseudonyms, codes, distinct, words
from usage_stats.measure.table_spec import Category
from usage_stats.periods import Period

__all__ = ["Wanted", "count_rows", "number_of_rows"]

# Usage rows held at a time, at nine bytes each: a month of 20 million log lines has less than seven million.
_AT_ONCE = 8_000_000
_WORDS = ["component", "sub_component"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is counted of usage rows, per category: distinct values of `key`, and the sum of each measure."""

    key: str
    measures: tuple[str, ...]
    period: Period
    categories: Sequence[Category]


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
    totals = np.zeros((1 + len(wanted.measures), len(wanted.categories)), np.int64)
    for low, high in _slices(1 + number_of_rows(paths) // _AT_ONCE):
        days = [_read(path, wanted, low, high) for path in paths]
        for day in days:
            totals[1:] += day.sums
        for n in range(len(wanted.categories)) if days else ():
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
    category = np.where(counts, _categories(rows, wanted.categories), -1)
    size = 1 + len(wanted.categories)  # what does not count comes first
    few_bits = category.astype(np.min_scalar_type(-size))  # which numpy sorts many times as fast
    order = np.argsort(few_bits, kind="stable")
    bounds = np.cumsum(np.bincount(category + 1, minlength=size))
    sums = [np.bincount(category + 1, measure, size)[1:] for measure in measures]  # exact below 2**53
    return _Day(
        pseudonyms[order[bounds[0] :]], bounds - bounds[0], np.array(sums, np.int64).reshape(-1, size - 1)
    )


def _categories(rows: pa.Table, categories: Sequence[Category]) -> Ints:
    """The place of each row's category, -1 for one that is not asked for."""
    component, sub = (words(rows[name]) for name in _WORDS)
    places = {category: place for place, category in enumerate(categories)}
    # the last stands for no word, whose code is -1
    names, parts = ([*column.dictionary.to_pylist(), None] for column in (component, sub))
    known = np.array([[places.get((name, part), -1) for part in parts] for name in names])
    found: Ints = known[codes(component), codes(sub)]
    return found


def _numbers(column: pa.ChunkedArray, path: Path) -> np.ndarray[tuple[int], Any]:
    if column.null_count:
        raise SchemaError(f"{path}: {column.null_count} usage rows lack a value")
    numbers: np.ndarray[tuple[int], Any] = column.to_numpy()
    return numbers
