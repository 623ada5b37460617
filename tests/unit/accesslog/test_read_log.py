import bz2
import gzip
import io
import lzma
import struct
import zlib

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog import source
from usage_stats.accesslog.parse import MAX_LINE_BYTES
from usage_stats.accesslog.read import Log, compressed_size, open_log, read_blocks, read_lines
from usage_stats.accesslog.source import BLOCK_BYTES
from usage_stats.errors import InputError

LINES = [b"line %d of a log" % n for n in range(5000)]
TEXT = b"\n".join(LINES) + b"\n"
# One folder for all the examples of a property: each writes its file anew.
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
TEXTS = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"a", b"\0", b"\x1f\x8b", b"\xff"]) | st.binary(max_size=9)
).map(b"".join)


def _zstd(data, **parameters):
    return zstandard.ZstdCompressor(**parameters).compress(data)


def _zstd_stream(data):
    """A frame of unknown size with a checksum, as a pipe writes it."""
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return compressor.compress(data) + compressor.flush()


SKIPPABLE_FRAME = struct.pack("<II", 0x184D2A53, 5) + b"hello"
WRITERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "two members": lambda data: gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :]),
    "padded": lambda data: gzip.compress(data) + b"\0" * 1000,
    "bzip2": bz2.compress,
    "two bzip2 streams": lambda data: bz2.compress(data[:9]) + bz2.compress(data[9:]),
    "xz": lzma.compress,
    "two xz streams": lambda data: lzma.compress(data[:9]) + bytes(4) + lzma.compress(data[9:]),
    "zstd": _zstd,
    "zstd of unknown size": _zstd_stream,
    "two frames": lambda data: (
        _zstd(data[: len(data) // 2]) + SKIPPABLE_FRAME + _zstd_stream(data[len(data) // 2 :])
    ),
    "skippable first": lambda data: SKIPPABLE_FRAME + _zstd(data),
}


def _split(text):
    lines = text.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _written(folder, data):
    path = folder / "access.log"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", WRITERS)
@SHARED_FOLDER
@given(text=TEXTS)
def test_the_same_lines_however_compressed(name, text, tmp_path):
    """Lines are those between newline bytes, whatever the bytes and the compression."""
    text = b"#" + text  # so that plain text is not taken for a compressed file
    path = _written(tmp_path, WRITERS[name](text))

    assert _split(text) == list(read_lines(path))


@pytest.mark.parametrize("name", WRITERS)
def test_many_blocks_give_the_same_lines(name, tmp_path):
    """Lines that lie across blocks of the reader or the compression are whole."""
    text = b"".join(b"%d %s\n" % (n, b"x" * (n % 977)) for n in range(9000))
    path = _written(tmp_path, WRITERS[name](text))

    assert len(text) > 4 * BLOCK_BYTES
    assert _split(text) == list(read_lines(path))
    assert max(len(block) for block in read_blocks(path)) <= BLOCK_BYTES


@SHARED_FOLDER
@given(index=st.integers(0, len(LINES)), name=st.sampled_from(list(WRITERS)))
def test_reading_goes_on_where_it_stopped(index, name, tmp_path):
    """From the offset of a line, the lines from there on are read, and none twice."""
    path = _written(tmp_path, WRITERS[name](TEXT))
    start = len(b"\n".join(LINES[:index])) + 1 if index else 0

    assert LINES[index:] == list(read_lines(path, start=start))


@pytest.mark.parametrize(("start", "says"), [(3, "no line starts"), (len(TEXT) + 1, "is shorter")])
def test_reading_goes_on_at_lines_only(start, says, tmp_path):
    """An offset inside a line, or behind the end, is refused: the file is not what it was."""
    with pytest.raises(InputError, match=says):
        list(read_lines(_written(tmp_path, TEXT), start=start))


def test_last_line_needs_no_newline(tmp_path):
    """A last line without newline is a line; a newline at the end starts no other."""
    with_newline = list(read_lines(_written(tmp_path, b"a\n\nb\n")))
    without = list(read_lines(_written(tmp_path, b"a\n\nb")))

    assert [b"a", b"", b"b"] == with_newline == without


def test_no_line_in_an_empty_file(tmp_path):
    """A file without a byte has no line; one newline is one empty line."""
    empty = list(read_lines(_written(tmp_path, b"")))
    newline = list(read_lines(_written(tmp_path, b"\n")))

    assert (empty, newline) == ([], [b""])


@pytest.mark.parametrize(
    "length", [MAX_LINE_BYTES, MAX_LINE_BYTES + 1, MAX_LINE_BYTES + 2, 5 * MAX_LINE_BYTES]
)
@pytest.mark.parametrize("before", [b"", b"short\n"])
@pytest.mark.parametrize("after", [b"", b"\n", b"\nshort", b"\nshort\n"])
def test_long_lines_are_cut_and_their_neighbours_whole(length, before, after, tmp_path):
    """Of a long line one byte more than allowed is kept; it swallows no other line."""
    path = _written(tmp_path, before + b"a" * length + after)
    expected = [len(line[: MAX_LINE_BYTES + 1]) for line in _split(before + b"a" * length + after)]

    assert expected == [len(line) for line in read_lines(path)]


def _bomb(kind):
    if kind == "gzip":
        compressor = zlib.compressobj(1, wbits=31)
        return b"".join(compressor.compress(bytes(1 << 20)) for _ in range(50)) + compressor.flush()
    # Blocks that repeat one byte 128 Ki times, in four bytes each: 32,768 to 1.
    repeat = (1 << 1 | (128 << 10) << 3).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd" + bytes([0, 0x70]) + repeat * 400 + (1).to_bytes(3, "little")


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_comes_in_small_blocks(kind, tmp_path):
    """50 MiB out of some kB of file are never in memory at once, and are one line that is too long."""
    path = _written(tmp_path, _bomb(kind))
    blocks = [len(block) for block in read_blocks(path)]

    assert (sum(blocks), max(blocks) <= BLOCK_BYTES) == (50 << 20, True)
    assert [len(line) for line in read_lines(path)] == [MAX_LINE_BYTES + 1]


@pytest.mark.parametrize("name", WRITERS)
def test_progress_adds_up_to_the_size_of_the_file(name, tmp_path):
    """What `on_bytes` was told in all is the size on disk."""
    path = _written(tmp_path, WRITERS[name](TEXT))
    told = []
    for _ in read_blocks(path, on_bytes=told.append):
        pass

    assert compressed_size(path) == path.stat().st_size == sum(told)


@pytest.mark.parametrize("name", ["gzip", "two members", "zstd", "zstd of unknown size", "two frames"])
@SHARED_FOLDER
@given(data=st.data())
def test_every_cut_is_noticed(name, data, tmp_path):
    """A compressed file cut anywhere but between its parts is refused, after the lines it has."""
    whole = WRITERS[name](TEXT)
    ends = _ends(whole)
    at = data.draw(st.integers(5, len(whole) - 1).filter(lambda cut: cut not in ends))
    path = _written(tmp_path, whole[:at])
    lines = read_lines(path)
    read = []
    with pytest.raises(InputError) as refusal:
        read.extend(line for line in lines)

    complete = len(read)
    assert LINES[:complete] == read
    assert str(path) in str(refusal.value)
    assert "copy the file again" in str(refusal.value)
    assert any(part in str(refusal.value) for part in ("inside a gzip member", "inside a zstd frame"))


def _ends(whole):
    """Offsets at which a member or a frame ends: a file cut there is a whole one."""
    if whole.startswith(b"\x1f\x8b"):
        return {len(gzip.compress(TEXT[: len(TEXT) // 2]))}
    first = len(_zstd(TEXT[: len(TEXT) // 2]))
    return {first, first + len(SKIPPABLE_FRAME)}


@pytest.mark.parametrize("compress", [gzip.compress, _zstd])
def test_cut_off_says_how_many_lines_are_complete(compress, tmp_path):
    """The refusal counts the complete lines before the cut: none of one long line, all but one otherwise."""
    path = _written(tmp_path, compress(TEXT)[:-1])
    complete = sum(1 for block in _until_refused(path) for byte in block if byte == 10)

    with pytest.raises(InputError, match=f"after {complete} complete lines"):
        list(read_lines(path))


def _until_refused(path):
    blocks = read_blocks(path)
    while True:
        try:
            yield next(blocks)
        except InputError:
            return


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(TEXT)[:100] + b"\xff" * 50 + gzip.compress(TEXT)[150:],
        gzip.compress(TEXT)[:-8] + b"\0" * 8,  # the checksum
        gzip.compress(TEXT) + b"rubbish",
        _zstd_stream(TEXT)[:-4] + b"\0" * 4,  # the checksum
        _zstd_stream(TEXT)[:50] + b"\xff" * 50 + _zstd_stream(TEXT)[100:],
        _zstd(TEXT) + b"rubbish",
        b"\x28\xb5\x2f\xfd\x00\x70\x07\x00\x00",  # a block of the reserved kind
        b"\x28\xb5\x2f\xfd\x00\x70\xfb\xff\xff\x00",  # a block of 2 MiB, made of one byte
    ],
)
def test_damage_is_noticed(data, tmp_path):
    """Compressed data that do not add up are refused with the way to test them."""
    with pytest.raises(InputError, match=r"damaged (gzip|zstd) data after \d+ complete lines; .* -t"):
        list(read_lines(_written(tmp_path, data)))


@pytest.mark.parametrize(
    ("path", "says"),
    [("missing.log", "no such file"), (".", "is a directory"), ("a" * 300, "cannot be opened")],
)
def test_what_cannot_be_opened_is_refused_at_once(path, says, tmp_path):
    """`open_log` refuses before the first line is asked for, and names the path."""
    with pytest.raises(InputError, match=says):
        open_log(tmp_path / path)


def test_opened_log_gives_its_lines(tmp_path):
    """`open_log` reads from the start."""
    lines = list(open_log(_written(tmp_path, TEXT)))

    assert lines == LINES


@pytest.mark.parametrize(
    ("error", "says"),
    [(PermissionError(13, "no"), "may not be read"), (OSError(24, "Too many files"), "Too many files")],
)
def test_what_the_system_refuses_is_an_input_error(error, says, tmp_path, monkeypatch):
    """A file that this user may not open is refused with the remedy, not with a traceback."""

    def refuse(*_arguments, **_options):
        raise error

    path = _written(tmp_path, b"a\n")
    monkeypatch.setattr(source, "FileIO", refuse)
    with pytest.raises(InputError, match=says):
        list(read_lines(path))


class _Failing(io.BytesIO):
    """A disk or a network that fails behind what it holds."""

    def read(self, size=-1):
        read = super().read(size)
        if read:
            return read
        raise OSError(5, "Input/output error")


def test_a_disk_that_fails_while_reading_is_an_input_error():
    """An input/output error in the middle says after how many lines; it is none of the compression's."""
    for data in (b"a\nb\nc", bz2.compress(b"a\nb\n" * 9)[:-20]):
        with pytest.raises(InputError, match=r"after [02] complete lines: Input/output error"):
            list(Log(None, stream=_Failing(data)).lines())
