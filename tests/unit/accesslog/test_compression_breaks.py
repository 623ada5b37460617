"""Compressed bytes cut or damaged anywhere, against decompressors fed byte by byte."""

import bz2
import gzip
import io
import lzma
import random
import struct
import zlib

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.read import Log, read_blocks
from usage_stats.errors import InputError

SETTINGS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20
)
# Repeated and random parts: matches, literals, stored blocks, and units of more than one piece of input.
NOISE = random.Random(7).randbytes(40_000)
TEXTS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.binary(max_size=12), max_size=30).map(b"\n".join),
    st.tuples(st.integers(0, 1500), st.integers(0, 1000)).map(
        lambda n: b"".join(b"%d line %d\n" % (i * 7919, i) for i in range(n[0])) + NOISE[: 40 * n[1]]
    ),
)


def _gzip(level=6, strategy=0, name=None):
    def compress(data):
        packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
        header = b"\x1f\x8b\x08" + bytes([8 if name else 0]) + bytes(6) + (name + b"\0" if name else b"")
        body = packer.compress(data) + packer.flush()
        return header + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)

    return compress


def _zstd(**parameters):
    def compress(data):
        packer = zstandard.ZstdCompressor(**parameters).compressobj()
        return packer.compress(data) + packer.flush()

    return compress


def _halves(compress, between=b""):
    return lambda data: compress(data[: len(data) // 2]) + between + compress(data[len(data) // 2 :])


WRITERS = {
    "gzip": gzip.compress,
    "gzip stored": _gzip(level=0),
    "gzip fixed codes": _gzip(strategy=zlib.Z_FIXED, name=b"access.log"),
    "gzip runs": _gzip(strategy=zlib.Z_RLE),
    "gzip of two members": _halves(gzip.compress),
    "gzip with an empty member": lambda data: gzip.compress(b"") + gzip.compress(data),
    "gzip with padding": _halves(gzip.compress, b"\0" * 700),
    "bzip2": bz2.compress,
    "bzip2 of two streams": _halves(bz2.compress),
    "xz": lzma.compress,
    "xz of two streams": _halves(lzma.compress, b"\0" * 8),
    "zstd": zstandard.ZstdCompressor().compress,
    "zstd with a checksum": _zstd(write_checksum=True),
    "zstd of two frames": _halves(_zstd(level=1), struct.pack("<II", 0x184D2A53, 5) + b"hello"),
}


class _ZlibByBytes:
    """The same manners as bz2 and lzma have."""

    def __init__(self):
        self._member = zlib.decompressobj(31)

    def decompress(self, data):
        return self._member.decompress(data)

    @property
    def eof(self):
        return self._member.eof


UNITS = {
    "gzip": (_ZlibByBytes, zlib.error),
    "bzip2": (bz2.BZ2Decompressor, (OSError, ValueError)),
    "xz": (lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), lzma.LZMAError),
    "zstd": (lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError),
}


def _expected(kind, data):
    """All that can be decompressed, and whether the data are whole: one byte after the other."""
    make, errors = UNITS[kind]
    text, at = [], 0
    while at < len(data):
        unit = make()
        while not unit.eof:
            if at == len(data):
                return b"".join(text), False
            try:
                text.append(unit.decompress(data[at : at + 1]))
            except errors:
                return b"".join(text), False
            at += 1
        while kind != "zstd" and data[at : at + 1] == b"\0":
            at += 1
        while kind == "zstd" and data[at : at + 4][1:] == b"\x2a\x4d\x18" and data[at] >> 4 == 5:
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
            if at > len(data):
                return b"".join(text), False
    return b"".join(text), True


class _Pipe(io.BytesIO):
    """Bytes that can be read once, and come in small portions."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError(29, "Illegal seek")

    def read(self, size=-1):
        return super().read(min(size, 5000))


def _read(log):
    """What is read, and whether a break was told."""
    breaks, blocks = [], []
    try:
        blocks.extend(log.blocks(on_break=breaks.append))
    except InputError as refusal:  # a damaged header may ask for a dictionary, or for all the memory there is
        breaks.append(str(refusal))
    assert all(blocks)
    assert len(breaks) <= 1
    return b"".join(blocks), not breaks


def _logs(tmp_path, data):
    """The same bytes as a file, as redirected and as piped input."""
    path = tmp_path / "access.log"
    path.write_bytes(data)
    return Log(path), Log(None, stream=io.BytesIO(data)), Log(None, stream=_Pipe(data))


@pytest.mark.parametrize("name", WRITERS)
@SETTINGS
@given(text=TEXTS, data=st.data())
def test_a_cut_loses_nothing_that_can_be_decompressed(name, text, data, tmp_path):
    """Cut anywhere, the longest prefix that its bytes hold is read, and the break is told, however it comes."""
    whole = WRITERS[name](b"#" + text)
    cut = whole[: data.draw(st.integers(min(10, len(whole)), len(whole)), label="cut")]
    expected = _expected(name.split()[0], cut)

    assert [expected] * 3 == [_read(log) for log in _logs(tmp_path, cut)]


@pytest.mark.parametrize("name", WRITERS)
@SETTINGS
@given(text=TEXTS, data=st.data())
def test_damage_loses_nothing_before_it(name, text, data, tmp_path):
    """With any byte changed, what comes before the place where it shows is read, and the break is told."""
    damaged = bytearray(WRITERS[name](b"#" + text))
    at = data.draw(st.integers(min(10, len(damaged) - 1), len(damaged) - 1), label="at")
    damaged[at] ^= data.draw(st.integers(1, 255), label="by")
    expected = _expected(name.split()[0], bytes(damaged))

    assert [expected] * 3 == [_read(log) for log in _logs(tmp_path, bytes(damaged))]


@pytest.mark.parametrize("name", WRITERS)
@SETTINGS
@given(text=TEXTS, data=st.data())
def test_complete_lines_before_a_cut_are_all_read(name, text, data, tmp_path):
    """Lines are those that end before the break; an unfinished one is not read, and the break tells of it."""
    whole = WRITERS[name](b"#" + text)
    cut = whole[: data.draw(st.integers(min(10, len(whole)), len(whole)), label="cut")]
    had, is_whole = _expected(name.split()[0], cut)
    *complete, last = had.split(b"\n")
    path = tmp_path / "access.log"
    path.write_bytes(cut)
    breaks = []
    lines = list(Log(path).lines(on_break=breaks.append))

    assert complete + [last] * bool(last and is_whole) == lines
    assert [not last] * (not is_whole) == [broken.ends_line for broken in breaks]
    assert all(f"after {len(complete)} complete lines" in broken for broken in breaks)


@pytest.mark.parametrize("name", WRITERS)
def test_cuts_at_every_byte(name, tmp_path):
    """No offset is special: units of many pieces, cut around each seam and at random, lose nothing."""
    text = b"".join(b"%d %s\n" % (i, NOISE[i * 7 : i * 7 + i % 90].hex().encode()) for i in range(3000))
    whole = WRITERS[name](text)
    chance = random.Random(1)
    cuts = {chance.randrange(10, len(whole)) for _ in range(4)} | {
        seam + d for seam in range(32768, len(whole), 32768) for d in (-1, 1) if seam + d < len(whole)
    }
    for cut in sorted(cuts)[:8]:
        had, is_whole = _expected(name.split()[0], whole[:cut])
        path = tmp_path / "access.log"
        path.write_bytes(whole[:cut])

        assert (had, is_whole) == _read(Log(path)), cut


def test_without_a_listener_a_break_is_an_error_behind_the_last_byte(tmp_path):
    """Who does not ask for breaks cannot take a cut file for a whole one."""
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(b"a\nb\n" * 999)[:-9])
    with pytest.raises(InputError, match=r"ends inside a gzip member after \d+ complete lines"):
        list(read_blocks(path))
