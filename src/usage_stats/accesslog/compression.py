"""Bytes of a plain, gzip or zstd file → decompressed blocks of at most a few MiB, to the true end.

Belongs here: what a compressed stream must hold to be whole.
Does not: paths and their error messages (read), or lines.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import zstandard

__all__ = ["BLOCK_BYTES", "CorruptError", "CutOffError", "Source", "UnreadableError", "decompressed_blocks"]

BLOCK_BYTES: Final = 1 << 20  # large enough that Python's cost per block vanishes, small enough to hold many

_GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1
_UNREAD_MAGIC = {"bzip2": b"BZh", "xz": b"\xfd7zX"}  # what their own manuals say a file begins with
_ZSTD_SKIPPABLE = 0x184D2A50  # RFC 8878, section 3.1.2: the last four bits are free
_ZSTD_RLE_BLOCK = 1  # RFC 8878, section 3.1.1.2.2: one byte stands for the whole block
_GZIP_WINDOW = 31  # zlib's spelling of "a gzip header and trailer, 32 KiB window"


class CutOffError(Exception):
    """The file ends inside the named unit: a gzip member or a zstd frame."""


class UnreadableError(Exception):
    """The file is packed in the named way, which is not read."""


class CorruptError(Exception):
    """The bytes are no valid stream of the named compression."""


class Source:
    """A binary file read forward, piece by piece, that tells how many of its bytes were consumed."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], None] | None = None) -> None:
        self._file = file
        self._on_bytes = on_bytes
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end of the file; they stay unread."""
        while len(self._ahead) < size:
            more = self._read(BLOCK_BYTES)
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def take(self, size: int, unit: str) -> bytes:
        """Exactly so many bytes.

        Raises:
            CutOffError: the file ends before.
        """
        taken = self.peek(size)
        if len(taken) < size:
            raise CutOffError(unit)
        self._ahead = self._ahead[size:]
        return taken

    def block(self) -> bytes:
        """Whatever comes next, up to a block; empty at the end of the file."""
        block, self._ahead = self._ahead or self._read(BLOCK_BYTES), b""
        return block

    def put_back(self, unread: bytes) -> None:
        self._ahead = unread + self._ahead

    def _read(self, size: int) -> bytes:
        read = self._file.read(size)
        if read and self._on_bytes:
            self._on_bytes(len(read))
        return read


def decompressed_blocks(source: Source) -> Iterator[bytes]:
    """Decompress by content, not by name; blocks are never empty.

    Raises:
        CutOffError: the file ends inside a gzip member or zstd frame.
        CorruptError: the compressed data are damaged.
        UnreadableError: the file is packed in a way that is not read.
    """
    magic = source.peek(4)
    for packing, start in _UNREAD_MAGIC.items():
        if magic.startswith(start):
            raise UnreadableError(packing)
    if magic.startswith(_GZIP_MAGIC):
        yield from _gzip_blocks(source)
    elif magic == _ZSTD_MAGIC or _is_skippable(magic):
        yield from _zstd_blocks(source)
    else:
        yield from iter(source.block, b"")


def _gzip_blocks(source: Source) -> Iterator[bytes]:
    while source.peek(1):
        if not source.peek(2).startswith(_GZIP_MAGIC[: len(source.peek(2))]):
            _skip_padding(source)
            return
        yield from _gzip_member(source)


def _gzip_member(source: Source) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP_WINDOW)
    while not member.eof:
        compressed = member.unconsumed_tail or source.block()
        try:
            # The limit keeps a bomb's output bounded; what it leaves over comes back next time.
            block = member.decompress(compressed, BLOCK_BYTES)
        except zlib.error:
            raise CorruptError("gzip") from None
        if block:
            yield block
        elif not compressed:
            raise CutOffError("gzip member")
    source.put_back(member.unused_data)


def _skip_padding(source: Source) -> None:
    """Zero bytes after the last member are padding of the medium; anything else is damage."""
    for block in iter(source.block, b""):
        if block.strip(b"\0"):
            raise CorruptError("gzip")


def _zstd_blocks(source: Source) -> Iterator[bytes]:
    # The library takes a cut file for a whole one and can make GiBs of one call's input. So the frames
    # are walked here, and it is fed one block at a time: at most 128 KiB come out of each (RFC 8878,
    # section 3.1.1.2.4), and the library refuses a block that claims more.
    while source.peek(1):
        magic = source.take(4, "zstd frame")
        if _is_skippable(magic):
            _skip(source, int.from_bytes(source.take(4, "zstd frame"), "little"))
        elif magic == _ZSTD_MAGIC:
            yield from _zstd_frame(source)
        else:
            raise CorruptError("zstd")


def _zstd_frame(source: Source) -> Iterator[bytes]:
    frame = zstandard.ZstdDecompressor().decompressobj()
    header, has_checksum = _zstd_header(source)
    _fed(frame, _ZSTD_MAGIC + header)
    is_last = False
    while not is_last:
        block_header = source.take(3, "zstd frame")
        bits = int.from_bytes(block_header, "little")
        is_last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
        body = source.take(1 if kind == _ZSTD_RLE_BLOCK else size, "zstd frame")
        block = _fed(frame, block_header + body)
        if block:
            yield block
    rest = _fed(frame, source.take(4, "zstd frame")) if has_checksum else b""
    if rest:
        yield rest
    if not frame.eof:  # the library sees no end where the walk does: trust neither
        raise CorruptError("zstd")


def _zstd_header(source: Source) -> tuple[bytes, bool]:
    """The frame header behind the magic number, and whether a checksum ends the frame.

    Source: RFC 8878, section 3.1.1.1.
    """
    descriptor = source.take(1, "zstd frame")
    bits = descriptor[0]
    is_single_segment = bool(bits & 0x20)
    window = 0 if is_single_segment else 1
    dictionary = (0, 1, 2, 4)[bits & 3]
    content_size = (1 if is_single_segment else 0, 2, 4, 8)[bits >> 6]
    rest = source.take(window + dictionary + content_size, "zstd frame")
    return descriptor + rest, bool(bits & 0x04)


def _fed(frame: zstandard.ZstdDecompressionObj, compressed: bytes) -> bytes:
    try:
        return bytes(frame.decompress(compressed))
    except zstandard.ZstdError:
        raise CorruptError("zstd") from None


def _skip(source: Source, size: int) -> None:
    while size:
        size -= len(source.take(min(size, BLOCK_BYTES), "zstd frame"))


def _is_skippable(magic: bytes) -> bool:
    return len(magic) == 4 and int.from_bytes(magic, "little") & 0xFFFFFFF0 == _ZSTD_SKIPPABLE
