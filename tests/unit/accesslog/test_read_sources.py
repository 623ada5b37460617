"""Where a log comes from: files that are none, files that change, standard input, and looks ahead."""

import bz2
import gzip
import io
import lzma
import os
import sys
import tracemalloc
import types
import zlib

import pytest
import zstandard

from usage_stats.accesslog.breaks import Break
from usage_stats.accesslog.hit import MAX_LINE_BYTES
from usage_stats.accesslog.read import Log, read_blocks, read_lines
from usage_stats.accesslog.source import BLOCK_BYTES
from usage_stats.errors import InputError, InternalError

LINES = [b"line %d of a log" % n for n in range(50_000)]
TEXT = b"\n".join(LINES) + b"\n"
COMPRESS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}


def _written(folder, data):
    path = folder / "access.log"
    path.write_bytes(data)
    return path


def test_a_pipe_is_refused_and_its_writer_not_disturbed(tmp_path):
    """A named pipe is never opened: it would wait for a writer, or cut one off."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"is no regular file; .*standard input"):
        list(read_lines(tmp_path / "pipe"))


def test_a_pipe_put_in_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    """Between the look and the opening a file may become a pipe: it is refused then, without waiting."""
    looked = _written(tmp_path, b"a\n").stat()
    (tmp_path / "access.log").unlink()
    os.mkfifo(tmp_path / "access.log")
    monkeypatch.setattr(type(tmp_path), "stat", lambda *_args, **_options: looked)
    with pytest.raises(InputError, match="is no regular file"):
        list(read_lines(tmp_path / "access.log"))


@pytest.mark.parametrize(("name", "says"), [("/dev/null", "no regular file"), ("a\0b", "no valid path")])
def test_what_is_no_file_is_refused(name, says, tmp_path):
    """Devices and impossible paths are refused with a sentence."""
    with pytest.raises(InputError, match=says):
        list(read_lines(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_of_another_user_is_refused(tmp_path):
    """Permissions are named, with the remedy."""
    path = _written(tmp_path, b"a\n")
    path.chmod(0)
    with pytest.raises(InputError, match="may not be read"):
        list(read_lines(path))


@pytest.mark.parametrize("name", COMPRESS)
def test_nothing_compressed_is_nothing(name, tmp_path):
    """An empty log has no block and no line, however it is packed."""
    path = _written(tmp_path, COMPRESS[name](b""))

    assert ([], []) == (list(read_blocks(path)), list(read_lines(path)))


@pytest.mark.parametrize("outer", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("inner", ["gzip", "bzip2", "xz", "zstd"])
def test_what_is_packed_twice_is_refused(outer, inner, tmp_path):
    """What comes out packed has no lines: the user learns what it is."""
    path = _written(tmp_path, COMPRESS[outer](COMPRESS[inner](TEXT)))
    with pytest.raises(InputError, match=f"holds {inner} data inside {outer} data; unpack it once"):
        list(read_lines(path))


@pytest.mark.parametrize(
    ("begin", "says"),
    [
        (b"PK\x03\x04", "zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "7z archive"),
        (b"\x04\x22\x4d\x18", "lz4 data"),
        (b"\x1f\x9d", "compress"),
        (b"x" * 257 + b"ustar", "tar archive"),
    ],
)
@pytest.mark.parametrize("outer", ["plain", "gzip"])
def test_other_packings_are_named_and_refused(begin, says, outer, tmp_path):
    """What is packed in a way that is not read is not taken for lines."""
    path = _written(tmp_path, COMPRESS[outer](begin + bytes(500)))
    with pytest.raises(InputError, match=f"{says}.*unpack"):
        list(read_blocks(path))


@pytest.mark.parametrize("text", [b"BZh9 is no address\n", b"BZh91", b"\x1f", b"PK\n", b"(\xb5/", b"BZ"])
def test_lines_that_begin_like_a_packing_are_lines(text, tmp_path):
    """Only the whole mark of a compression counts, as far as the file goes."""
    is_bzip2 = text == b"BZh91"
    breaks = []
    lines = list(read_lines(_written(tmp_path, text), on_break=breaks.append))

    assert ([] if is_bzip2 else [text.rstrip(b"\n")], is_bzip2) == (lines, bool(breaks))


def _repeated(make, size=50 << 20):
    packer = make()
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


BOMBS = {
    "gzip": lambda: _repeated(lambda: zlib.compressobj(1, wbits=31)),
    "bzip2": lambda: _repeated(bz2.BZ2Compressor),
    "xz": lambda: _repeated(lambda: lzma.LZMACompressor(preset=0)),
    "zstd": lambda: _repeated(lambda: zstandard.ZstdCompressor().compressobj()),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_needs_no_memory(kind, tmp_path):
    """50 MiB out of some kB come in small blocks, and no more than a few MiB are ever held."""
    path = _written(tmp_path, BOMBS[kind]())
    tracemalloc.start()
    sizes = [len(block) for block in read_blocks(path)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (50 << 20, True) == (sum(sizes), max(sizes) <= BLOCK_BYTES)
    assert peak < 8 << 20


def test_a_broken_bomb_needs_no_memory(tmp_path):
    """The careful look back at a break is bounded too."""
    path = _written(tmp_path, _repeated(lambda: zlib.compressobj(9, wbits=31), 50 << 20)[:-2])
    breaks = []
    tracemalloc.start()
    size = sum(len(block) for block in read_blocks(path, on_break=breaks.append))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (50 << 20, 1) == (size, len(breaks))
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lzma.compress(b"a\n", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]), "xz -d"),
        (b"\x28\xb5\x2f\xfd\x00\x98" + bytes(9), "512 MiB"),
        (b"\x28\xb5\x2f\xfd\xe0" + (1 << 40).to_bytes(8, "little"), "1048576 MiB"),
        (b"\x28\xb5\x2f\xfd\x01\x70\x07" + bytes(9), "dictionary"),
    ],
)
def test_no_header_may_ask_for_all_the_memory(data, says, tmp_path):
    """A dictionary or window beyond 128 MiB is refused by its size, before memory is taken."""
    with pytest.raises(InputError, match=f"{says}"):
        list(read_blocks(_written(tmp_path, data)))


def test_many_small_members_are_read_in_time_linear_in_their_number(tmp_path):
    """What follows a member is not copied over and over: each byte of the file is read about once."""
    path = _written(tmp_path, gzip.compress(b"a line\n") * 20_000)

    assert 20_000 == sum(1 for _ in read_lines(path))


def test_a_log_may_grow_while_it_is_read(tmp_path):
    """What is written behind the place that is read comes too, and none twice."""
    path = _written(tmp_path, TEXT)
    lines = read_lines(path)
    first = next(lines)
    with path.open("ab") as file:
        file.write(b"one more\n")

    assert [*LINES, b"one more"] == [first, *lines]


def test_a_log_replaced_while_it_is_read_is_read_to_its_own_end(tmp_path):
    """Rotation by renaming does not change what an open log holds."""
    path = _written(tmp_path, TEXT)
    lines = read_lines(path)
    first = next(lines)
    path.rename(tmp_path / "access.log.1")
    path.write_bytes(b"another\n")

    assert LINES == [first, *lines]


def test_a_log_cut_while_it_is_read_is_told(tmp_path):
    """A log emptied under the reader (copytruncate) ends in a break, not in silence."""
    path = _written(tmp_path, TEXT)
    breaks = []
    blocks = read_blocks(path, on_break=breaks.append)
    first = next(blocks)
    os.truncate(path, 10)
    rest = b"".join(blocks)

    assert TEXT.startswith(first + rest)
    assert [f"{path}: was cut while it was read, after {len(first + rest)} bytes; "] == [
        broken[: broken.index("read it again")] for broken in breaks
    ]
    with pytest.raises(InputError, match="was cut while it was read"):
        _drain_cut(path)


def _drain_cut(path):
    path.write_bytes(TEXT)
    for _ in read_blocks(path):
        os.truncate(path, 0)


@pytest.mark.parametrize("name", COMPRESS)
def test_standard_input_is_read_as_a_file(name, monkeypatch):
    """Whatever is piped in is decompressed by its content."""
    stdin = types.SimpleNamespace(buffer=io.BytesIO(COMPRESS[name](TEXT)))
    monkeypatch.setattr(sys, "stdin", stdin)
    log = Log(None)

    assert ("standard input", LINES) == (log.name, list(log.lines()))


def test_standard_input_that_is_closed_is_refused(monkeypatch):
    """A process without standard input says so."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input: is closed"):
        list(Log(None).lines())


def test_standard_input_is_read_from_where_the_shell_left_it(tmp_path):
    """A redirected file may have been read in part before; a break's look back does not go behind that."""
    packed = gzip.compress(TEXT)
    stream = io.BytesIO(b"before\n" + packed[:-30])
    stream.readline()
    breaks = []
    lines = list(Log(None, stream=stream).lines(on_break=breaks.append))

    assert lines == LINES[: len(lines)]
    assert [f"standard input: ends inside a gzip member after {len(lines)} complete lines"] == [
        broken.partition(";")[0] for broken in breaks
    ]


def test_input_that_does_not_wait_is_an_error():
    """A pipe set not to wait looks empty between two lines: that is no end."""

    class Impatient(io.BytesIO):
        def read(self, _size=-1):
            return None

    with pytest.raises(InputError, match="does not wait"):
        list(Log(None, stream=Impatient()).lines())


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.parametrize("count", [0, 1, 2000, 60_000])
def test_a_look_ahead_consumes_nothing(name, count, tmp_path):
    """`head` gives the first lines, and all lines and all bytes of the file come after it still."""
    path = _written(tmp_path, COMPRESS[name](TEXT))
    told = []
    with Log(path) as log:
        heads = log.head(count), log.head(count)
        lines = list(log.lines(on_bytes=told.append))

    assert (LINES[:count], LINES[:count]) == heads
    assert (LINES, path.stat().st_size) == (lines, sum(told))


def test_a_look_ahead_sees_unfinished_lines_as_reading_does(tmp_path):
    """The last line needs no newline; one that a break cuts is none; a long one is cut."""
    ended = Log(_written(tmp_path, b"a\nb")).head(9)
    packer = zlib.compressobj(wbits=31)
    cut = Log(None, stream=io.BytesIO(packer.compress(b"a\nb") + packer.flush(zlib.Z_SYNC_FLUSH))).head(9)
    long = Log(None, stream=io.BytesIO(bytes(40 << 20))).head(9)

    assert ([b"a", b"b"], [b"a"]) == (ended, cut)
    assert [MAX_LINE_BYTES + 1] == [len(line) for line in long]


def test_a_look_ahead_holds_little(tmp_path):
    """However long the lines, 16 MiB and a block are all that is looked at."""
    stream = io.BytesIO((b"x" * (3 << 20) + b"\n") * 20)
    lines = Log(None, stream=stream).head(2000)

    assert [MAX_LINE_BYTES + 1] * 5 == [len(line) for line in lines]
    assert stream.tell() <= (16 << 20) + 2 * BLOCK_BYTES


def test_a_look_at_a_log_without_a_line_to_see_says_why(tmp_path):
    """A log that breaks before its first line is not called empty."""
    path = _written(tmp_path, gzip.compress(TEXT)[:12])
    with pytest.raises(InputError, match="ends inside a gzip member after 0 complete lines"):
        Log(path).head(5)


def test_a_log_is_read_once(tmp_path):
    """What was consumed does not come again, nor silently nothing."""
    log = Log(_written(tmp_path, b"a\n"))
    list(log.blocks())
    with pytest.raises(InternalError, match="read once"):
        list(log.blocks())


@pytest.mark.parametrize(("start", "stop"), [(0, None), (16, None), (0, 40), (16, 16), (16, 40)])
def test_offsets_mean_the_same_everywhere(start, stop, tmp_path):
    """From and up to an offset of decompressed bytes, standard input gives the lines a file gives."""
    expected = list(read_lines(_written(tmp_path, TEXT), start=start, stop=stop))
    got = list(Log(None, stream=io.BytesIO(gzip.compress(TEXT))).lines(start=start, stop=stop))

    assert expected == got
    assert b"\n".join(expected) == TEXT[start:stop].removesuffix(b"\n")


def test_a_break_before_the_start_is_a_break(tmp_path):
    """Who reads on behind what a cut copy holds learns of the cut, not of a change."""
    path = _written(tmp_path, gzip.compress(TEXT)[:5000])
    breaks = []

    assert [] == list(read_lines(path, start=len(TEXT), on_break=breaks.append))
    assert ["ends inside"] == [b.partition(": ")[2][:11] for b in breaks]


@pytest.mark.parametrize(
    ("data", "is_damage"),
    [
        (gzip.compress(TEXT)[:-1], False),
        (gzip.compress(TEXT)[:-8] + bytes(8), True),
        (gzip.compress(TEXT) + b"rubbish", True),
        (lzma.compress(TEXT)[:-50], False),
        (bz2.compress(TEXT)[:-50] + bytes(50), True),
    ],
)
def test_a_break_tells_damage_from_what_is_missing(data, is_damage, tmp_path):
    """Behind a cut the lines read are the true beginning of the log; behind damage that is not sure."""
    breaks = []
    list(read_lines(_written(tmp_path, data), on_break=breaks.append))

    assert [(Break, is_damage)] == [(type(b), b.is_damage) for b in breaks]


def test_a_wrong_checksum_keeps_the_lines_of_its_member(tmp_path):
    """The checksum of gzip comes behind all its lines: they are read, those of later members are not."""
    data = gzip.compress(b"a\nb\n")[:-8] + bytes(8) + gzip.compress(b"c\n")
    breaks = []

    assert [b"a", b"b"] == list(read_lines(_written(tmp_path, data), on_break=breaks.append))
    assert ["damaged gzip data after 2 complete lines"] == [
        b.partition(": ")[2].partition(";")[0] for b in breaks
    ]
