"""A period's usage files, large ones → how many visitors each basis of pseudonyms tells apart, by sorting arrays.

The SQL model `cell.identity_basis` says what is counted; of a month of 100 million rows it needs more memory than a
database is given (tests/sql/test_large_periods.py holds the two together).

Belongs here: distinct persons of the whole site by basis. Does not: what is said of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.config import TOTAL
from usage_stats.measure.arrays import Pseudonyms, codes, distinct, words
from usage_stats.measure.usage_columns import numbers
from usage_stats.periods import Period

__all__ = ["count_bases"]

_WORDS = ["component", "identity_basis"]


def count_bases(paths: Sequence[Path], period: Period) -> dict[str, int]:
    """Distinct visitors of the whole site by what their pseudonym rests on.

    Raises:
        SchemaError: a file has a row without pseudonym or date.
    """
    found: dict[str, list[Pseudonyms]] = defaultdict(list)
    for path in paths:
        for basis, persons in _persons(path, period):
            found[basis].append(persons)
    return {basis: len(distinct(np.concatenate(found[basis]))) for basis in sorted(found)}


def _persons(path: Path, period: Period) -> Iterator[tuple[str, Pseudonyms]]:
    """The persons of each basis in each row group."""
    with pq.ParquetFile(path, read_dictionary=_WORDS) as file:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number, ["person", "event_date", *_WORDS], use_threads=False)
            persons, counts = numbers(rows["person"], path), _counts(rows, path, period)
            basis = words(rows["identity_basis"])
            place = codes(basis)
            for n, name in enumerate(basis.dictionary.to_pylist()):
                mine = persons[counts & (place == n)]
                if len(mine):
                    yield name, distinct(mine)


def _counts(rows: pa.Table, path: Path, period: Period) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows are of the period, and of the site or a breakdown of it."""
    dates = numbers(rows["event_date"], path)
    component = words(rows["component"])
    is_whole = np.array([name == TOTAL for name in component.dictionary.to_pylist()] + [False])
    within = (dates >= np.datetime64(period.first)) & (dates <= np.datetime64(period.last))
    whole: np.ndarray[Any, np.dtype[np.bool_]] = within & is_whole[codes(component)]  # no word is the last
    return whole
