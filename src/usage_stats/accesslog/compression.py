"""Bytes of a plain, gzip, zstd, bzip2 or xz file → decompressed blocks of at most 256 KiB, to the true end.

Belongs here: which compressions there are, by what they are known, and what may lie between their units.
Does not: paths and their error messages (read), or lines.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Final, cast

from isal import igzip_lib

from usage_stats.accesslog.breaks import CorruptError, UnreadableError
from usage_stats.accesslog.source import BLOCK_BYTES, Source
from usage_stats.accesslog.unit import UnitKind, unit_blocks
from usage_stats.accesslog.zstd_frames import is_zstd, zstd_blocks

__all__ = ["decompressed_blocks"]

# xz -9 asks for 65 MiB; the same bound as for zstd, and 1 MiB for the decoder itself.
_XZ_MEMORY: Final = 129 << 20
_GZIP_WINDOW: Final = 31  # zlib's spelling of "a gzip header and trailer, 32 KiB window"
_LONGEST_MAGIC: Final = 10
_LONGEST_LOOK: Final = 262  # to the end of a tar archive's mark

# What a file begins with, whole as far as the file goes, but at least four bytes (gzip: two): a text may well
# begin with BZh. RFC 1952, section 2.3.1; the xz file format, 2.1.1.1; bzip2's format has no document: BZh, a
# digit, and the digits of pi (a block) or of its square root (the end).
_GZIP_MAGIC: Final = b"\x1f\x8b"
_XZ_MAGIC: Final = b"\xfd7zXZ\x00"
_BZIP2_BLOCK: Final = b"1AY&SY"
_BZIP2_END: Final = b"\x17\x72\x45\x38\x50\x90"

# What is known and not read: each program's own documentation.
_UNREAD: Final = (
    (b"PK\x03\x04", "a zip archive", "unzip"),
    (b"PK\x05\x06", "a zip archive", "unzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x"),
    (b"Rar!\x1a\x07", "a rar archive", "unrar x"),
    (b"\x04\x22\x4d\x18", "lz4 data", "lz4 -d"),
    (b"LZIP", "lzip data", "lzip -d"),
    (b"\x1f\x9d", "compress (.Z) data", "uncompress"),
)
_TAR_MAGIC: Final = (b"ustar", 257)  # POSIX.1, pax interchange format: bytes, and where


class _Zlib:
    """One gzip member by zlib, asked in the manner of `bz2` and `lzma`."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def needs_input(self) -> bool:
        return not (self._is_full or self._member.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        block = self._member.decompress(self._member.unconsumed_tail + data, max_length)
        self._is_full = len(block) == max_length  # there may be more that needs no input
        return block


def _igzip() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)


# The library's stub takes the class for an instance.
_ISAL_ERROR: Final = cast("type[Exception]", igzip_lib.IsalError)
_GZIP: Final = UnitKind("gzip", "gzip member", _igzip, _Zlib, (_ISAL_ERROR, zlib.error))
_BZIP2: Final = UnitKind(
    "bzip2", "bzip2 stream", bz2.BZ2Decompressor, bz2.BZ2Decompressor, (OSError, ValueError)
)
_XZ: Final = UnitKind("xz", "xz stream", _xz, _xz, (lzma.LZMAError,), "Memory usage limit")


def decompressed_blocks(source: Source) -> Iterator[bytes]:
    """Decompress by content, not by name; blocks are never empty.

    Raises:
        CutOffError: the file ends inside a compressed unit.
        CorruptError: the compressed data are damaged.
        UnreadableError: the file is packed in a way that is not read, or packed twice.
    """
    begin = source.peek(_LONGEST_MAGIC)
    kind = _unit_kind(begin)
    if kind:
        yield from _refused_if_packed(_units(source, kind), kind.compression)
    elif is_zstd(begin):
        yield from _refused_if_packed(zstd_blocks(source), "zstd")
    else:
        _refuse_unread(source.peek(_LONGEST_LOOK), "is")
        yield from iter(lambda: source.some(BLOCK_BYTES), b"")


def _unit_kind(begin: bytes) -> UnitKind | None:
    if begin.startswith(_GZIP_MAGIC):
        return _GZIP
    if len(begin) >= 4 and _XZ_MAGIC.startswith(begin[:6]):
        return _XZ
    if len(begin) >= 4 and begin.startswith(b"BZh") and begin[3:4] in b"123456789":
        is_bzip2 = any(magic.startswith(begin[4:10]) for magic in (_BZIP2_BLOCK, _BZIP2_END))
        return _BZIP2 if is_bzip2 else None
    return None


def _units(source: Source, kind: UnitKind) -> Iterator[bytes]:
    """One unit after the other; zero bytes behind one are padding of the medium, anything else is damage."""
    magic = source.peek(2)
    while True:
        yield from unit_blocks(source, kind)
        _skip_padding(source)
        begin = source.peek(2)
        if not begin:
            return
        if not magic.startswith(begin):
            raise CorruptError(kind.compression)


def _skip_padding(source: Source) -> None:
    for piece in iter(source.some, b""):
        rest = piece.lstrip(b"\0")
        if rest:
            source.put_back(rest)
            return


def _refused_if_packed(blocks: Iterator[bytes], compression: str) -> Iterator[bytes]:
    """The blocks, unless what comes out is packed once more: it has no lines."""
    begin = b""
    for block in blocks:
        if len(begin) < _LONGEST_LOOK:
            begin += block[:_LONGEST_LOOK]
            _refuse_packed_twice(begin, compression)
        yield block


def _refuse_packed_twice(begin: bytes, compression: str) -> None:
    if len(begin) < _LONGEST_MAGIC:
        return
    inner = _unit_kind(begin)
    if inner or is_zstd(begin):
        name = inner.compression if inner else "zstd"
        raise UnreadableError(f"holds {name} data inside {compression} data; unpack it once and read that")
    _refuse_unread(begin, f"is {compression} data that hold")


def _refuse_unread(begin: bytes, verb: str) -> None:
    for magic, name, program in _UNREAD:
        if begin.startswith(magic):
            raise UnreadableError(f"{verb} {name}; unpack with `{program}`, or pack with gzip or zstd")
    magic, at = _TAR_MAGIC
    if begin[at : at + len(magic)] == magic:
        raise UnreadableError(f"{verb} a tar archive; unpack it with `tar -x` and name the logs in it")
