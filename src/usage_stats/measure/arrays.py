"""Columns of a table → arrays, and runs of equal values in sorted ones.

Belongs here: what the ways of counting by sorting share. Does not: what is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "Ints",
    "Matrix",
    "Pseudonyms",
    "changes",
    "codes",
    "distinct",
    "numbered",
    "runs",
    "seconds",
    "sorted_words",
    "words",
]

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Pseudonyms = np.ndarray[tuple[int], np.dtype[np.uint64]]


def numbered(values: Pseudonyms) -> tuple[Pseudonyms, Ints]:
    """The distinct values in order, and the number of each value among them. np.unique, which hashes, is slower."""
    order = np.argsort(values)
    ordered = values[order]
    is_first = changes(ordered)
    numbers = np.empty(len(values), np.int64)
    numbers[order] = np.cumsum(is_first) - 1
    return ordered[is_first], numbers


def distinct(values: np.ndarray[tuple[int], Any]) -> np.ndarray[tuple[int], Any]:
    """Each value once, in order."""
    ordered = np.sort(values)
    return ordered[changes(ordered)]


def runs(ordered: np.ndarray[tuple[int], Any]) -> tuple[Ints, Ints]:
    """Where each run of equal values starts, and how long it is."""
    starts = np.flatnonzero(changes(ordered))
    return starts, np.diff(starts, append=len(ordered))


def changes(ordered: np.ndarray[tuple[int], Any]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a value is another than the one before."""
    is_first = np.ones(len(ordered), np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return is_first


def seconds(column: pa.ChunkedArray) -> Ints:
    """Instants as whole seconds since 1970."""
    return np.asarray(column.cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy(), np.int64)


def words(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column in one piece, with one dictionary."""
    return column.unify_dictionaries().combine_chunks()


def codes(column: pa.DictionaryArray) -> Ints:
    """The place of each word in the dictionary, -1 for none."""
    return np.asarray(column.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def sorted_words(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same words, each only once in the dictionary and in order: whatever was read first changes no byte."""
    ordered = column.dictionary.unique().sort()
    renamed = pc.index_in(column.dictionary, ordered)
    return pa.DictionaryArray.from_arrays(renamed.take(column.indices), ordered)
