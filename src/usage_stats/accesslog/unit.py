"""A compressed unit (a gzip member, a bzip2 or xz stream) → its blocks, to the last byte that can be had.

Belongs here: reading a unit fast, and a second, careful time where it breaks.
Does not: which compressions there are (compression), or zstd, whose frames are walked (zstd_frames).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from usage_stats.accesslog.breaks import CorruptError, CutOffError, UnreadableError
from usage_stats.accesslog.source import BLOCK_BYTES, FEED_BYTES, Source

__all__ = ["Decompressor", "UnitKind", "unit_blocks"]


class Decompressor(Protocol):
    """What `bz2`, `lzma` and `isal` give: one unit, in as many calls as it takes."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


@dataclass(frozen=True, slots=True)
class UnitKind:
    """One kind of unit.

    Attributes:
        compression: its name, which is its program's too. unit: what one unit is called.
        fast: reads it. careful: the judge where `fast` finds a break, byte by byte.
        errors: what the two raise for damaged data.
        too_large: how the text of such an error begins where it is memory that is lacking.
    """

    compression: str
    unit: str
    fast: Callable[[], Decompressor]
    careful: Callable[[], Decompressor]
    errors: tuple[type[Exception], ...]
    too_large: str | None = None


def unit_blocks(source: Source, kind: UnitKind) -> Iterator[bytes]:
    """The blocks of the unit that begins here; behind them, the source stands at the unit's end.

    A decompressor that fails keeps back what it had made in the same call, and a fast one may lack the last
    symbols before a cut. So a unit that breaks is read again, the last piece byte by byte.

    Raises:
        CutOffError: the data end before the unit; all that could be decompressed was given.
        CorruptError: the unit is damaged; all before the damage was given. A checksum is at the end of what it
            is made of: gzip's and xz's are found wrong when those lines are given, bzip2's (per 900 kB) before.
        UnreadableError: the unit asks for more memory than it may have.
    """
    start = source.mark()
    given, fed_at = 0, start
    unit = kind.fast()
    try:
        while not unit.eof:
            if unit.needs_input:
                fed_at = source.position
            block = _step(source, unit, kind, FEED_BYTES)
            given += len(block)
            if block:
                yield block
    except (CutOffError, CorruptError):
        if not source.rewind(start):
            raise
        careful = _careful_blocks(source, kind, fed_at)
    else:
        source.put_back(unit.unused_data)
        return
    yield from _behind(careful, given)


def _careful_blocks(source: Source, kind: UnitKind, fed_at: int) -> Iterator[bytes]:
    """The unit's blocks once more; byte by byte around the place where it broke, which is found exactly so."""
    unit = kind.careful()
    while not unit.eof:
        is_near = fed_at <= source.position <= fed_at + 2 * FEED_BYTES
        before = max(fed_at - source.position, 0) or FEED_BYTES
        yield _step(source, unit, kind, 1 if is_near else min(before, FEED_BYTES))
    source.put_back(unit.unused_data)


def _step(source: Source, unit: Decompressor, kind: UnitKind, size: int) -> bytes:
    """One call: with the next piece if the last is used up. The limit keeps a bomb's output bounded."""
    piece = b""
    if unit.needs_input:
        piece = source.some(size)
        if not piece:
            raise CutOffError(kind.unit)
    try:
        return unit.decompress(piece, BLOCK_BYTES)
    except kind.errors as error:
        if kind.too_large and str(error).startswith(kind.too_large):
            raise UnreadableError(
                f"is {kind.compression} data that ask for too much memory; unpack with `{kind.compression} -d`"
            ) from None
        raise CorruptError(kind.compression) from None


def _behind(blocks: Iterator[bytes], given: int) -> Iterator[bytes]:
    """The blocks without their first bytes; never empty."""
    for block in blocks:
        rest = block[given:]
        given = max(given - len(block), 0)
        if rest:
            yield rest
