"""Bytes of zstd frames → their blocks, each frame checked to its true end.

The library takes a cut file for a whole one and can make GiBs of one call's input. So the frames are walked
here, and it is fed one block at a time: at most 128 KiB come out of each, and it refuses a block that claims more.

Belongs here: the layout of frames (RFC 8878). Does not: other compressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import zstandard

from usage_stats.accesslog.breaks import CorruptError, CutOffError, UnreadableError
from usage_stats.accesslog.source import FEED_BYTES, Source

__all__ = ["is_zstd", "zstd_blocks"]

_MAGIC: Final = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1
_SKIPPABLE: Final = 0x184D2A50  # RFC 8878, section 3.1.2: the last four bits are free
_RAW_BLOCK: Final = 0  # RFC 8878, section 3.1.1.2.2: the content as it is
_RLE_BLOCK: Final = 1  # the same section: one byte stands for the whole block
_MAXIMUM_WINDOW: Final = 1 << 27  # 128 MiB: what the zstd program too allows without being asked for more
_UNIT: Final = "zstd frame"


def is_zstd(magic: bytes) -> bool:
    """Whether a file's first four bytes begin a frame, or one to skip."""
    return magic[:4] == _MAGIC or _is_skippable(magic[:4])


def zstd_blocks(source: Source) -> Iterator[bytes]:
    """The blocks of all frames, of at most 128 KiB.

    Raises:
        CutOffError: the data end inside a frame; what there is of it was given.
        CorruptError: a block, a header or a checksum does not fit; all blocks before were given.
        UnreadableError: a frame needs a dictionary, or too much memory.
    """
    while source.peek(1):
        magic = _exactly(source, 4)
        if _is_skippable(magic):
            _skip(source, int.from_bytes(_exactly(source, 4), "little"))
        elif magic == _MAGIC:
            yield from _frame_blocks(source)
        else:
            raise CorruptError("zstd")


def _frame_blocks(source: Source) -> Iterator[bytes]:
    header, has_checksum = _header(source)
    frame = zstandard.ZstdDecompressor().decompressobj()
    _fed(frame, _MAGIC + header)
    is_last = False
    while not is_last:
        bits = int.from_bytes(source.peek(3), "little")
        is_last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
        length = 3 + (1 if kind == _RLE_BLOCK else size)
        compressed = source.take(length)
        # A last block may contradict its header only at its end: its stored bytes are had before that.
        before = len(compressed) - 1 if kind == _RAW_BLOCK else 0
        for piece in (compressed[:before], compressed[before:]):
            block = _fed(frame, piece)
            if block:
                yield block
        if len(compressed) < length:
            raise CutOffError(_UNIT)
    rest = _fed(frame, _exactly(source, 4)) if has_checksum else b""
    if rest:
        yield rest
    if not frame.eof:  # the library sees no end where the walk does: trust neither
        raise CorruptError("zstd")


def _header(source: Source) -> tuple[bytes, bool]:
    """The frame header behind the magic number, and whether a checksum ends the frame.

    Source: RFC 8878, section 3.1.1.1.
    """
    descriptor = _exactly(source, 1)
    bits = descriptor[0]
    is_single_segment = bool(bits & 0x20)
    window = _exactly(source, 0 if is_single_segment else 1)
    dictionary = _exactly(source, (0, 1, 2, 4)[bits & 3])
    content_size = _exactly(source, (1 if is_single_segment else 0, 2, 4, 8)[bits >> 6])
    if any(dictionary):
        raise UnreadableError("is zstd data packed with a dictionary; unpack with `zstd -d -D DICTIONARY`")
    needed = _window_bytes(window[0]) if window else int.from_bytes(content_size, "little")
    if needed > _MAXIMUM_WINDOW:
        raise UnreadableError(
            f"is zstd data that ask for {needed >> 20} MiB of memory; unpack with `zstd -d --long=31`"
        )
    return descriptor + window + dictionary + content_size, bool(bits & 0x04)


def _window_bytes(descriptor: int) -> int:
    """Source: RFC 8878, section 3.1.1.1.2."""
    base = 1 << (10 + (descriptor >> 3))
    return base + base // 8 * (descriptor & 7)


def _fed(frame: zstandard.ZstdDecompressionObj, compressed: bytes) -> bytes:
    try:
        return bytes(frame.decompress(compressed))
    except zstandard.ZstdError:
        raise CorruptError("zstd") from None


def _exactly(source: Source, size: int) -> bytes:
    taken = source.take(size)
    if len(taken) < size:
        raise CutOffError(_UNIT)
    return taken


def _skip(source: Source, size: int) -> None:
    while size:
        skipped = len(source.some(min(size, FEED_BYTES)))
        if not skipped:
            raise CutOffError(_UNIT)
        size -= skipped


def _is_skippable(magic: bytes) -> bool:
    return len(magic) == 4 and int.from_bytes(magic, "little") & 0xFFFFFFF0 == _SKIPPABLE
