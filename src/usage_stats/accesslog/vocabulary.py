"""Hashes of values → small numbers, one per distinct value; and whatever was worked out about each of them.

A log of millions of lines holds some thousand user agents and paths: each is interpreted once. Only hashes and
verdicts are kept, never a value; and all of it is a cache, so it may be forgotten at any time.

Belongs here: distinct values and tables beside them. Does not: what a verdict means.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from usage_stats.accesslog.columns import Columns
from usage_stats.accesslog.lines import Int64, UInt64

__all__ = ["CompiledVocabulary", "PlainVocabulary", "Table", "Verdicts", "Vocabulary", "mixed"]

_FIRST_SLOTS = 1 << 12
_SPLIT_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)
_MOST_VALUES = 1 << 20  # beyond, all is forgotten: 16 bytes a value bound the memory, whatever a log holds


def mixed(first: UInt64, second: np.ndarray) -> UInt64:
    """One hash of two, never 0. Source: the finaliser of SplitMix64."""
    found: UInt64 = first + (second.astype(np.uint64) + np.uint64(1)) * _SPLIT_MIX[0]
    found = (found ^ (found >> np.uint64(30))) * _SPLIT_MIX[1]
    found = (found ^ (found >> np.uint64(27))) * _SPLIT_MIX[2]
    found ^= found >> np.uint64(31)
    found[found == 0] = 1
    return found


class Vocabulary(Protocol):
    """Gives each distinct hash a number: 0, 1, 2 … in the order of first sight."""

    def look_up(self, hashes: UInt64) -> tuple[Int64, Int64]:
        """The number of each hash (-1 for hash 0: no value), and the rows at which new ones were given, in order."""

    def __len__(self) -> int: ...


class PlainVocabulary:
    """In plain Python: for logs too small to be worth the compiler."""

    def __init__(self) -> None:
        self._codes: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def look_up(self, hashes: UInt64) -> tuple[Int64, Int64]:
        codes, unseen = np.full(len(hashes), -1, np.int64), []
        for row, value in enumerate(hashes.tolist()):
            if value:
                known = len(self._codes)
                codes[row] = self._codes.setdefault(value, known)
                if len(self._codes) > known:
                    unseen.append(row)
        return codes, np.array(unseen, np.int64)


class CompiledVocabulary:
    """An open-addressing table in arrays; kept at most half full."""

    def __init__(self) -> None:
        from usage_stats.accesslog.kernel import look_up  # noqa: PLC0415 the compiler, for large logs only

        self._look_up = look_up
        self._count = 0
        self._keys = np.zeros(_FIRST_SLOTS, np.uint64)
        self._codes = np.zeros(_FIRST_SLOTS, np.int32)

    def __len__(self) -> int:
        return self._count

    def look_up(self, hashes: UInt64) -> tuple[Int64, Int64]:
        self._make_room(len(hashes))
        codes, unseen = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)
        hashes = np.ascontiguousarray(hashes)
        before = self._count
        self._count = self._look_up(self._keys, self._codes, hashes, before, codes, unseen)
        return codes, unseen[: self._count - before]

    def _make_room(self, more: int) -> None:
        """Room for as many more, half of it free; the old hashes keep their numbers, given again in their order."""
        if 2 * (self._count + more) <= len(self._keys):
            return
        used = np.flatnonzero(self._keys)
        known = self._keys[used[np.argsort(self._codes[used])]]
        size = 1 << (2 * (self._count + more) - 1).bit_length()
        self._keys, self._codes = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        scratch = np.empty(len(known), np.int64)
        self._look_up(self._keys, self._codes, known, 0, scratch, scratch.copy())


class Table:
    """A column that grows: one number per value of a vocabulary, in its order, and one for no value (-1)."""

    def __init__(self, dtype: DTypeLike, *, absent: int = 0) -> None:
        self._items = np.full(_FIRST_SLOTS, absent, dtype)
        self._absent = absent
        self._count = 0

    def extend(self, items: list[int] | np.ndarray) -> None:
        """Add the numbers of the next values."""
        needed = self._count + len(items) + 1
        if needed > len(self._items):
            grown = np.full(2 * needed, self._absent, self._items.dtype)
            grown[: self._count] = self._items[: self._count]
            self._items = grown
        self._items[self._count : needed - 1] = items
        self._count = needed - 1

    def __getitem__(self, codes: Int64) -> np.ndarray:
        """The numbers of values by their codes; -1 finds the last place, which is never given to a value."""
        return self._items[codes]

    @property
    def values(self) -> np.ndarray:
        """All of them."""
        return self._items[: self._count]


class Verdicts:
    """What the values of some slots are judged to be, as a number; each distinct set of values is judged once."""

    def __init__(
        self,
        *slots: int,
        judge: Callable[..., int],
        make: Callable[[], Vocabulary],
        absent: int = 0,
        dtype: DTypeLike = np.int32,
    ) -> None:
        self._slots, self._judge, self._make = slots, judge, make
        self._new_table = partial(Table, dtype, absent=absent)
        self._vocabulary, self._table = make(), self._new_table()

    def of(self, columns: Columns, rows: Int64 | None = None) -> np.ndarray:
        """The verdict on each row, or on some rows; of several slots, all must have a value there."""
        if len(self._vocabulary) > _MOST_VALUES:
            self._vocabulary, self._table = self._make(), self._new_table()
        first, *others = (
            columns.hashes[slot] if rows is None else columns.hashes[slot, rows] for slot in self._slots
        )
        codes, unseen = self._vocabulary.look_up(reduce(mixed, others, first))
        unseen = unseen if rows is None else rows[unseen]
        values = [columns.values(slot, unseen) for slot in self._slots]
        self._table.extend([self._judge(*together) for together in zip(*values, strict=True)])
        return self._table[codes]
