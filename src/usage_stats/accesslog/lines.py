"""Decompressed blocks of a log → its lines, some thousand at a time, where they lie in memory.

Belongs here: what a line is (it ends at a newline byte and nowhere else), the cap on its length, its fingerprint.
Does not: files, or what a line says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from usage_stats.accesslog.parse import MAX_LINE_BYTES

__all__ = ["PADDING", "Bool", "Int16", "Int64", "Lines", "UInt8", "UInt64", "fingerprints", "lines_of"]

UInt8 = NDArray[np.uint8]
UInt64 = NDArray[np.uint64]
Int16 = NDArray[np.int16]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

PADDING: Final = 16  # the compiled loops load eight bytes at a time and may look behind the end
_BATCH_BYTES = 1 << 22  # Python's cost per batch vanishes in it; larger ones leave the caches


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a log.

    Attributes:
        data: their bytes, with `PADDING` zeros behind. starts, ends: of each line in `data`, its newline left out.
        is_open: whether no newline ended the last one: the log's end, or where it was cut.
    """

    data: UInt8
    starts: Int64
    ends: Int64
    is_open: bool = False

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


def lines_of(blocks: Iterable[bytes]) -> Iterator[Lines]:
    r"""Gather blocks and cut them at b"\n", and nowhere else; a last line without it counts.

    Of a line longer than 1 MiB so much is kept that the parser sees it is too long: memory stays bounded.
    """
    held: list[bytes] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) < _BATCH_BYTES:
            continue
        if b"\n" not in block:  # a very long line
            held = [b"".join(held)]
        cut = held[-1].rfind(b"\n") + 1
        rest = held[-1][cut:][: MAX_LINE_BYTES + 1]
        if cut:
            yield _cut([*held[:-1], held[-1][:cut]])
        held = [rest]
    if any(held):
        yield _cut(held)


def _cut(parts: Sequence[bytes]) -> Lines:
    size = sum(map(len, parts))
    data = np.empty(size + PADDING, np.uint8)
    data[size:] = 0
    end = 0
    for part in parts:
        data[end : end + len(part)] = np.frombuffer(part, np.uint8)
        end += len(part)
    newlines = np.flatnonzero(data[:size] == ord("\n"))
    is_open = bool(data[size - 1] != ord("\n"))
    ends = np.append(newlines, size) if is_open else newlines
    starts = np.empty_like(ends)
    starts[:1], starts[1:] = 0, ends[:-1] + 1
    return Lines(data, starts, np.minimum(ends, starts + MAX_LINE_BYTES + 1), is_open)


def fingerprints(lines: Lines, seed: int) -> UInt64:
    """XXH64 of each line under a seed; the compiled loop gives the same."""
    found = (xxhash.xxh64_intdigest(lines[row], seed) for row in range(len(lines)))
    return np.fromiter(found, np.uint64, len(lines))
