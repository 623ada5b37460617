"""Columns of usage rows → arrays: pseudonyms and counts, and the place of each row's category.

Belongs here: what those who read usage files share. Does not: what is counted, or which rows are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from usage_stats.errors import SchemaError
from usage_stats.measure.arrays import Ints, codes, words

__all__ = ["CATEGORY", "Written", "numbers", "places_of"]

CATEGORY = ["component", "sub_component", "further"]
Written = tuple[str, str, str]  # the same three of a row
_FEW = 1 << 16  # combinations of words so few that a table of all costs nothing beside the rows of a group


def numbers(column: pa.ChunkedArray, path: Path) -> np.ndarray[tuple[int], Any]:
    """The numbers or dates of a column.

    Raises:
        SchemaError: a row has none: neighbouring pseudonyms would be rounded to one.
    """
    if column.null_count:
        raise SchemaError(f"{path}: {column.null_count} usage rows lack a value")
    found: np.ndarray[tuple[int], Any] = column.to_numpy()
    return found


def places_of(rows: pa.Table, places: Mapping[Written, int]) -> Ints:
    """The place of each row's category, -1 for one that is not asked for."""
    columns = [words(rows[name]) for name in CATEGORY]
    # the last stands for no word, whose code is -1
    known = [[*column.dictionary.to_pylist(), None] for column in columns]
    sizes = [len(some) for some in known]
    packed = np.ravel_multi_index([codes(c) % size for c, size in zip(columns, sizes, strict=True)], sizes)
    present, number = _numbered(packed, int(np.prod(sizes)))
    names = zip(*np.unravel_index(present, sizes), strict=True)
    found = [places.get(tuple(k[n] for k, n in zip(known, some, strict=True)), -1) for some in names]
    return np.array(found, np.int64)[number]


def _numbered(packed: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct numbers below `size` in order, and which of them each is; without sorting where they are few."""
    if size > max(_FEW, len(packed)):
        return np.unique(packed, return_inverse=True)
    is_present = np.bincount(packed, minlength=size) > 0
    number: Ints = (np.cumsum(is_present) - 1)[packed]
    return np.flatnonzero(is_present), number
