"""Decompressed blocks of a log → its lines, some thousand at a time, where they lie in memory.

Belongs here: what a line is (it ends at a newline byte and nowhere else), the cap on its length, its fingerprint.
Does not: files, or what a line says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from usage_stats.accesslog.parse import MAX_LINE_BYTES

__all__ = [
    "PADDING",
    "Bool",
    "Int16",
    "Int64",
    "Lines",
    "UInt8",
    "UInt64",
    "fingerprints",
    "lines_of",
    "newlines",
]

UInt8 = NDArray[np.uint8]
UInt64 = NDArray[np.uint64]
Int16 = NDArray[np.int16]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

PADDING: Final = 16  # the compiled loops load eight bytes at a time and may look behind the end
_BATCH_BYTES = 1 << 22  # Python's cost per batch vanishes in it; larger ones leave the caches
_MOST_BUFFERS = 4  # one is read into, one waits, one is at work, and one is looked ahead at


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a log.

    Attributes:
        data: their bytes, with `PADDING` zeros behind. starts, ends: of each line in `data`, its newline left out.
        is_open: whether no newline ended the last one: the log's end, or where it was cut.
        walked: what a fast path found in them, if it went ahead; only that path knows what it is.
    """

    data: UInt8
    starts: Int64
    ends: Int64
    is_open: bool = False
    walked: object = None

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, row: int) -> bytes:
        return self.data[self.starts[row] : self.ends[row]].tobytes()

    @property
    def bytes(self) -> int:
        """Bytes of the lines, newlines included."""
        return int((self.ends - self.starts).sum()) + len(self) - self.is_open

    def only(self, rows: slice | np.ndarray) -> Lines:
        """Some of them, where they are."""
        return Lines(self.data, self.starts[rows], self.ends[rows])


def newlines(data: UInt8) -> Int64:
    """Where newline bytes are, in order; the compiled loop finds the same."""
    return np.flatnonzero(data == ord("\n"))


def lines_of(blocks: Iterable[bytes], find: Callable[[UInt8], Int64] = newlines) -> Iterator[Lines]:
    r"""Gather blocks and cut them at b"\n", and nowhere else; a last line without it counts.

    Of a line longer than 1 MiB so much is kept that the parser sees it is too long: memory stays bounded.
    `find` is `newlines`, or a faster one.
    """
    held: list[bytes] = []
    buffers = _Buffers()
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) < _BATCH_BYTES:
            continue
        if b"\n" not in block:  # a very long line
            held = [b"".join(held)]
        cut = held[-1].rfind(b"\n") + 1
        rest = held[-1][cut:][: MAX_LINE_BYTES + 1]
        if cut:
            yield _cut([*held[:-1], held[-1][:cut]], buffers, find)
        held = [rest]
    if any(held):
        yield _cut(held, buffers, find)


class _Buffers:
    """Memory for batches, used again as soon as nobody looks at it: fresh pages from the system cost as much as all
    that is done to them here (1.3 GB: 0.4 s of 0.7).
    """

    def __init__(self) -> None:
        self._all = [np.empty(0, np.uint8)]
        self._unused = sys.getrefcount(self._all[0])  # as seen from here

    def of(self, size: int) -> UInt8:
        """Some bytes, whatever they hold."""
        for place in range(1, len(self._all)):
            if len(self._all[place]) >= size and sys.getrefcount(self._all[place]) == self._unused:
                return self._all[place][:size]
        self._all[1:] = [b for b in self._all[1:] if len(b) >= size][-_MOST_BUFFERS:]
        self._all.append(np.empty(size + size // 8, np.uint8))
        return self._all[-1][:size]


def _cut(parts: Sequence[bytes], buffers: _Buffers, find: Callable[[UInt8], Int64]) -> Lines:
    size = sum(map(len, parts))
    data = buffers.of(size + PADDING)
    data[size:] = 0
    end = 0
    for part in parts:
        data[end : end + len(part)] = np.frombuffer(part, np.uint8)
        end += len(part)
    ends = find(data[:size])
    is_open = bool(data[size - 1] != ord("\n"))
    ends = np.append(ends, size) if is_open else ends
    starts = np.empty_like(ends)
    starts[:1], starts[1:] = 0, ends[:-1] + 1
    return Lines(data, starts, np.minimum(ends, starts + MAX_LINE_BYTES + 1), is_open)


def fingerprints(lines: Lines, seed: int) -> UInt64:
    """XXH64 of each line under a seed; the compiled loop gives the same."""
    found = (xxhash.xxh64_intdigest(lines[row], seed) for row in range(len(lines)))
    return np.fromiter(found, np.uint64, len(lines))
