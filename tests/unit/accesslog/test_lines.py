"""What a line is, wherever blocks and batches are cut."""

import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog import kernel
from usage_stats.accesslog import lines as lines_module
from usage_stats.accesslog.lines import PADDING, fingerprints, lines_of
from usage_stats.accesslog.parse import MAX_LINE_BYTES

CONTENT = st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"bcd", b"\0", b"\x0b\x1c\x85", b"\r"]), max_size=30).map(
    b"".join
)  # fmt: skip


def _cut(content, cuts):
    """The content in blocks that end at the cuts."""
    ends = sorted(min(cut, len(content)) for cut in cuts)
    return [content[a:b] for a, b in zip([0, *ends], [*ends, len(content)], strict=True)]


def _by_hand(content, most=MAX_LINE_BYTES):
    """The lines by the definition: what newlines end, and what is left behind the last one."""
    whole, rest = content.split(b"\n")[:-1], content.split(b"\n")[-1]
    return [line[: most + 1] for line in (*whole, *([rest] if rest else []))]


def _texts(batches):
    return [lines[row] for lines in batches for row in range(len(lines))]


@pytest.fixture
def small(monkeypatch):
    """Batches of four bytes and lines of at most five."""
    monkeypatch.setattr(lines_module, "_BATCH_BYTES", 4)
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 5)


@given(content=CONTENT, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_lines_end_at_newlines_and_nowhere_else(content, cuts):
    """However blocks are cut, no carriage return, separator or zero byte ends a line; a last one may be open."""
    batches = list(lines_of(_cut(content, cuts)))

    assert _by_hand(content) == _texts(batches)
    assert (bool(content) and content[-1:] != b"\n") == any(lines.is_open for lines in batches)
    assert len(content) == sum(lines.bytes for lines in batches)


@pytest.mark.usefixtures("small")
@settings(max_examples=300)
@given(content=CONTENT, cuts=st.lists(st.integers(0, 60), max_size=12))
@example(content=b"abcdefghijklm\nxy", cuts=[2, 7, 8])
@example(content=b"a\nbcdefghijklmnopqr", cuts=[6, 12])
@example(content=b"abcde\nabcdef\nabcdefg\n", cuts=[6, 13])
def test_batches_and_the_cap_change_no_line_but_the_too_long(content, cuts):
    """Of a line that is too long, one byte more than allowed is kept, wherever it is cut; the others are whole."""
    batches = list(lines_of(_cut(content, cuts)))

    assert _by_hand(content, most=5) == _texts(batches)
    assert [lines.is_open for lines in batches][:-1] == [False] * (len(batches) - 1)


@pytest.mark.usefixtures("small")
@given(content=CONTENT, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_every_batch_has_padding_behind_its_bytes(content, cuts):
    """Whoever reads eight bytes at the last line's end finds zeros, never what was there before."""
    for lines in lines_of(_cut(content, cuts)):
        assert bytes(PADDING) == lines.data[-PADDING:].tobytes()
        assert (lines.ends <= len(lines.data) - PADDING).all()


def test_a_line_without_end_takes_no_more_memory_than_its_cap():
    """However long it is: a gibibyte without a newline is held as one line of a mebibyte."""
    block, held = b"x" * (1 << 20), []

    def blocks():
        for _ in range(64):
            yield block
        yield b"\nlast\n"

    for lines in lines_of(blocks()):
        held.append(len(lines.data))
        texts = [len(lines[row]) for row in range(len(lines))]

    assert [MAX_LINE_BYTES + 1, 4] == texts
    assert max(held) < 4 * MAX_LINE_BYTES


def test_batches_are_of_some_megabytes():
    """Neither line by line nor all at once, and none is empty."""
    content = b"a line of thirty-two bytes, \\n\\n.\n" * 300_000
    blocks = [content[n : n + 65_536] for n in range(0, len(content), 65_536)]
    sizes = [lines.bytes for lines in lines_of(blocks)]

    assert len(content) == sum(sizes)
    assert 1 < len(sizes) < 30
    assert all(1 << 20 <= size <= 1 << 24 for size in sizes[:-1])


def test_a_batch_keeps_its_bytes_for_as_long_as_somebody_looks():
    """Memory is used again, but never under a batch, or a view of one, that is still at hand."""
    content = b"".join(b"line %d\n" % n for n in range(2_000_000))
    blocks = [content[n : n + 1_000_000] for n in range(0, len(content), 1_000_000)]
    held = [(lines.data[:100], lines) if n % 2 else (None, lines) for n, lines in enumerate(lines_of(blocks))]
    views = [view.tobytes() for view, _ in held if view is not None]

    assert content == b"".join(lines.data[:-PADDING].tobytes() for _, lines in held)
    assert [lines.data[:100].tobytes() for view, lines in held if view is not None] == views


def test_memory_for_batches_is_used_again():
    """A long log needs no more of it than a short one."""
    blocks = [b"x" * 99_999 + b"\n"] * 400
    owners = {lines.data.base.__array_interface__["data"][0] for lines in lines_of(blocks)}

    assert len(owners) <= 3


def test_no_bytes_are_no_lines():
    """Nothing, or empty blocks."""

    assert ([], []) == (list(lines_of([])), list(lines_of([b"", b""])))


def test_only_is_some_lines_where_they_are():
    """By rows or by a slice, without a copy of their bytes."""
    (lines,) = lines_of([b"one\ntwo\nthree"])
    some, last = lines.only([0, 2]), lines.only(slice(2, None))

    assert ([b"one", b"three"], [b"three"]) == (_texts([some]), _texts([last]))
    assert some.data is lines.data


@given(
    texts=st.lists(st.binary(max_size=70).filter(lambda b: b"\n" not in b), max_size=8),
    seed=st.integers(0, 2**64 - 1),
)
def test_fingerprints_are_xxh64_of_each_line(texts, seed):
    """Of its bytes alone, under the seed; the compiled loop agrees."""
    content = b"".join(text + b"\n" for text in texts)
    for lines in lines_of([content]):
        compiled = fingerprints(lines, 0)
        kernel.fingerprints(
            lines.data, lines.starts, lines.ends, fingerprints(lines, seed).dtype.type(seed), compiled
        )

        expected = [xxhash.xxh64_intdigest(text, seed) for text in texts]

        assert expected == fingerprints(lines, seed).tolist() == compiled.tolist()
