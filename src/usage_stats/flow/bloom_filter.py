"""Fingerprints → whether one was met before: surely not, or perhaps.

Belongs here: ruling out. Does not: where a fingerprint stands (known_lines).
"""

from __future__ import annotations

import numpy as np

from usage_stats.accesslog.lines import Int64, UInt64

__all__ = ["BloomFilter"]

# With two bits set for each line, one line in seventy is taken for a known one and then searched.
_BITS_PER_LINE = 16
_FEWEST_BITS = 1 << 20


class BloomFilter:
    """Rules out at once that a line is known: a Bloom filter of two bits a line.

    Source: B. H. Bloom, Space/time trade-offs in hash coding with allowable errors, 1970.
    """

    def __init__(self) -> None:
        self._added: list[UInt64] = []
        self._waiting: list[UInt64] = []  # until the next file asks: the last one's are asked for by none
        self._bits = np.zeros(_FEWEST_BITS, np.bool_)

    def add(self, fingerprints: UInt64) -> None:
        """These were met."""
        self._waiting.append(fingerprints)

    def _set(self, fingerprints: UInt64) -> None:
        self._added.append(fingerprints)
        lines = sum(map(len, self._added))
        if lines * _BITS_PER_LINE > len(self._bits):
            self._bits = np.zeros(1 << (2 * lines * _BITS_PER_LINE).bit_length(), np.bool_)
            fingerprints = np.concatenate(self._added)
        for place in self._places(fingerprints):
            self._bits[place] = True

    def rows(self, fingerprints: UInt64) -> Int64:
        """The rows whose fingerprints were perhaps met."""
        while self._waiting:
            self._set(self._waiting.pop())
        if not self._added:
            return np.empty(0, np.int64)
        one, other = self._places(fingerprints)
        return np.flatnonzero(self._bits[one] & self._bits[other])

    def _places(self, fingerprints: UInt64) -> tuple[UInt64, UInt64]:
        mask = np.uint64(len(self._bits) - 1)
        return fingerprints & mask, (fingerprints >> np.uint64(32)) & mask
