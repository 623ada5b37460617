"""Which lines of a file are new: beside an oracle that knows which line of the true log each of them is.

A true log is made of blocks; no two lines of it are alike but for those that a server may write twice. A capture is
what a file may hold of it: some blocks that follow each other, the beginning of them, several captures joined.
"""

from collections import Counter

import numpy as np
import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.lines import fingerprints, lines_of
from usage_stats.flow.alignment import Alignment, closed_lines
from usage_stats.flow.known_lines import KnownLines, OpenLine, digest_of

SEED = 20100611
WHOLE = 1 << 20  # lines in a batch: all of them
NOISE = b"- - -"  # a line that is written again and again, without a time


def _fingerprint(line):
    return xxhash.xxh64_intdigest(line, SEED)


def _batches(content, size):
    lines = content.splitlines(keepends=True) if b"\r" not in content else _split(content)
    for start in range(0, len(lines), size):
        (batch,) = lines_of([b"".join(lines[start : start + size])])
        yield batch, fingerprints(batch, SEED)


def _split(content):
    *whole, last = content.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])


class Reader:
    """Reads files as ingest does, and keeps the lines that count; a cut line is rejected for its own text."""

    def __init__(self, whole=()):
        self.counted = Counter()
        self.entries = []
        self._whole = set(whole)  # lines that are hits although no newline ends them

    @property
    def known(self):
        known = KnownLines()
        for entry, kept, is_sealed in self.entries:
            known.follow(entry, None if is_sealed else kept)
        return known

    def seal(self):
        """All days of all lines are over: fingerprints are deleted."""
        self.entries = [(entry, kept, True) for entry, kept, _ in self.entries]

    def read(self, content, size=WHOLE):
        """Read a file; return how many of its lines count."""
        before, known = self.counted.total(), self.known
        batches = list(_batches(content, size))
        options = {}
        if batches and int(batches[0][1][0]) in known.closed:
            options = {"closed": closed_lines(known, np.concatenate([found for _, found in batches]))}
        alignment = Alignment(known, _fingerprint, **options)
        kept, open_line = [], None
        for aligned in alignment.align(batches):
            lines = [aligned.lines[row] for row in range(len(aligned.lines))]
            self.counted.update(
                line for line, is_known in zip(lines, aligned.is_known, strict=True) if not is_known
            )
            self.counted.subtract(bytes.fromhex(text) for text in aligned.withdrawn)
            kept.append(aligned.fingerprints[aligned.is_kept])
            if aligned.lines.is_open and not aligned.is_known[-1]:
                reason = None if lines[-1] in self._whole else lines[-1].hex()
                last = int(aligned.fingerprints[-1])
                open_line = OpenLine(alignment.end(), len(lines[-1]), last, reason)
        self._enter(np.concatenate([np.empty(0, np.uint64), *kept]), alignment.segments, open_line)
        return self.counted.total() - before

    def _enter(self, kept, segments, open_line):
        entry = {
            "segments": segments,
            "first": int(kept[0]) if len(kept) else None,
            "digest": digest_of(kept),
            "open_line": None
            if open_line is None
            else (open_line.stream, open_line.bytes, open_line.fingerprint, open_line.reason),
        }
        assert len(kept) == sum(lines for _, lines in segments)
        if segments or open_line:
            self.entries.append((entry, kept, False))


def _log(first, last, end=b"\n"):
    return b"".join(b"line %d of the true log%s" % (n, end) for n in range(first, last))


@st.composite
def _true_logs(draw, fewest=2):
    """Blocks of a true log: each holds so many lines at least that stand nowhere else."""
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    noise = draw(st.sampled_from([NOISE, b""]))
    blocks, number = [], 0
    for _ in range(draw(st.integers(1, 8))):
        block = []
        first = ["u"] * (
            fewest > 2
        )  # else a joined file may go on with the same line as the known one: no telling
        for kind in first + draw(st.lists(st.sampled_from("uuudn"), max_size=8)) + ["u"] * fewest:
            number += 1
            fresh = b"%d of the true log" % number
            block.append({"u": fresh, "d": block[-1] if block else fresh, "n": noise}[kind])
        blocks.append([line + end for line in block])
    return blocks


@st.composite
def _captures(draw, blocks, most=1):
    """What one file holds: the numbers of its blocks, each at most once; at most so many windows joined."""
    pieces = draw(st.integers(1, most))
    edges = sorted(draw(st.lists(st.integers(0, len(blocks)), min_size=2 * pieces, max_size=2 * pieces)))
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    if draw(st.booleans()):
        spans.reverse()
    return [number for first, last in spans for number in range(first, last)]


def _content(blocks, capture):
    return b"".join(line for number in capture for line in blocks[number])


def _union(blocks, captures):
    seen = sorted({number for capture in captures for number in capture})
    return Counter(line.removesuffix(b"\n") for number in seen for line in blocks[number])


# ---------------------------------------------------------------- any captures, in any order


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_every_line_of_the_union_counts_exactly_once(data):
    """Whatever windows, beginnings and copies of one log are read, in whatever order: once each, none lost.

    Two lines in common are enough where one file ends or begins.
    """
    blocks = data.draw(_true_logs())
    captures = data.draw(st.lists(_captures(blocks), min_size=1, max_size=6))
    reader = Reader()
    for capture in captures:
        reader.read(_content(blocks, capture))

    assert _union(blocks, captures) == +reader.counted


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_every_line_of_joined_files_counts_exactly_once(data):
    """The same where windows are joined in any order: then eight lines in common say what is known."""
    blocks = data.draw(_true_logs(fewest=8))
    captures = data.draw(st.lists(_captures(blocks, most=3), min_size=1, max_size=5))
    reader = Reader()
    for capture in captures:
        reader.read(_content(blocks, capture))

    assert _union(blocks, captures) == +reader.counted


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_a_file_read_a_second_time_holds_nothing_new(data):
    """Nor do all of them, in another order."""
    blocks = data.draw(_true_logs())
    captures = data.draw(st.lists(_captures(blocks), min_size=1, max_size=5))
    reader = Reader()
    for capture in captures:
        reader.read(_content(blocks, capture))

    assert [0] * len(captures) == [
        reader.read(_content(blocks, capture)) for capture in data.draw(st.permutations(captures))
    ]


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_where_batches_end_decides_nothing(data):
    """The same lines are new, however few of them are handed over at a time."""
    blocks = data.draw(_true_logs())
    captures = data.draw(st.lists(_captures(blocks), min_size=1, max_size=4))
    reader = Reader()
    for capture in captures:
        reader.read(_content(blocks, capture), data.draw(st.integers(1, 12)))

    assert _union(blocks, captures) == +reader.counted


@settings(deadline=None, max_examples=100)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    is_sealed=st.lists(st.booleans(), min_size=8, max_size=8),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_growth_rotation_and_joining_count_once_after_sealing_too(lengths, is_sealed, end):
    """A log grows, is sealed now and then, and all of it comes again in one file: nothing counts twice."""
    reader, last = Reader(), 0
    for length, sealed in zip(lengths, is_sealed, strict=False):
        last += length
        reader.read(_log(0, last, end))
        if sealed:
            reader.seal()
    reader.read(_log(0, last, end))

    assert Counter(_log(0, last, end).split(b"\n")[:-1]) == +reader.counted


# ---------------------------------------------------------------- lines without a newline


@settings(deadline=None, max_examples=150)
@given(
    cuts=st.lists(st.integers(0, len(_log(0, 9, b"\r\n"))), min_size=1, max_size=8),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
@example(cuts=[23, 24, 25], end=b"\n")  # just before, at and behind a newline
@example(cuts=[1, 2, 3, 4], end=b"\n")  # a first line, byte by byte
def test_a_file_that_grows_byte_by_byte_counts_each_line_once(cuts, end):
    """Cut anywhere, completed later or never: as many lines as there are, the cut one among them."""
    content = _log(0, 9, end)
    reader = Reader(content.replace(b"\r", b"").split(b"\n"))
    seen = b""
    for cut in sorted(cuts):
        seen = content[:cut]
        reader.read(seen)
        reader.read(seen)
    expected = Counter(line for line in seen.split(b"\n") if line.strip(b"\r"))

    assert {line.rstrip(b"\r"): n for line, n in expected.items()} == {
        line.rstrip(b"\r"): n for line, n in reader.counted.items() if n
    }


@settings(deadline=None, max_examples=80)
@given(cut=st.integers(25, len(_log(0, 9)) - 1), again=st.integers(25, len(_log(0, 9)) - 1))
def test_a_cut_copy_of_what_is_known_brings_nothing(cut, again):
    """A file is being copied or packed while its whole is there: the copy's last line is no new line."""
    content = _log(0, 9)
    reader = Reader(content.split(b"\n"))
    reader.read(content)
    reader.read(content[:cut])
    reader.read(content[:again])
    reader.read(content)

    assert Counter(content.split(b"\n")[:-1]) == +reader.counted


def test_a_cut_line_that_came_whole_elsewhere_is_withdrawn_once():
    """Its beginning was rejected; however often the whole is seen after that, it is taken back one time."""
    reader = Reader()
    reader.read(_log(0, 2) + b"line 2 of")
    reader.read(_log(2, 6))
    for _ in range(3):
        reader.read(_log(0, 6))

    assert Counter(_log(0, 6).split(b"\n")[:-1]) == reader.counted


def test_a_last_line_without_newline_is_known_after_sealing_too():
    """It was counted and sealed: the same file brings nothing, one that goes on only what is new."""
    content = _log(0, 5)[:-1]
    reader = Reader(content.split(b"\n"))
    reader.read(content)
    reader.seal()

    assert [0, 2] == [reader.read(content), reader.read(_log(0, 7))]


def test_a_first_line_is_not_the_end_of_another_logs_cut_line():
    """A log ended within a line and is sealed; another begins with the same bytes: that line is a new one."""
    reader = Reader()
    reader.read(_log(0, 5) + b"line ")
    reader.seal()
    reader.read(_log(10, 12))

    assert {b"line ": 1} | dict.fromkeys(
        _log(0, 5).split(b"\n")[:-1] + _log(10, 12).split(b"\n")[:-1], 1
    ) == dict(reader.counted)


# ---------------------------------------------------------------- lines that are alike


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from([b"", b"a", b"b"]), max_size=40))
def test_identical_lines_of_one_file_all_count(lines):
    """However many, empty ones too: they are as many requests, and the same file again is none."""
    content = b"".join(line + b"\n" for line in lines)
    reader = Reader()

    assert [len(lines), 0] == [reader.read(content), reader.read(content)]
    assert Counter(lines) == reader.counted


@pytest.mark.parametrize("times", [2, 63, 64, 65, 500])
@pytest.mark.parametrize("into", [0, 1, 40, 400])
def test_an_overlap_that_begins_within_a_burst_is_found(times, into):
    """One line was written many times in one second; a copy that begins amid them brings no line."""
    whole = [*range(10), *["burst"] * times, *range(20, 30)]
    lines = [b"%a of the true log\n" % word for word in whole]
    reader = Reader()
    reader.read(b"".join(lines))

    assert 0 == reader.read(b"".join(lines[10 + min(into, times - 1) :]))


def test_alike_lines_in_unlike_places_are_new():
    """A line that was read before, amid others that were not, is another request."""
    reader = Reader()
    reader.read(_log(0, 10))

    assert 9 == reader.read(_log(20, 24) + _log(3, 4) + _log(30, 34))


def test_one_line_alone_is_known_as_a_whole_file_only():
    """One line in common is no overlap: it may have been written twice."""
    reader = Reader()
    reader.read(_log(0, 1))

    assert [0, 5, 6] == [reader.read(_log(0, 1)), reader.read(_log(0, 6)), reader.read(_log(5, 11))]


@pytest.mark.parametrize("span", [(15, 21), (19, 25), (18, 22), (15, 25)])
def test_a_window_across_two_files_that_were_read_is_known(span):
    """Also with one line only on the far side, once a file has shown that one goes on with the other."""
    reader = Reader()
    for first, last in ((0, 20), (20, 40), (5, 35)):
        reader.read(_log(first, last))

    assert 0 == reader.read(_log(*span))


# ---------------------------------------------------------------- ends of batches


@pytest.mark.parametrize("overlap", [2, 5, 7])
@pytest.mark.parametrize("behind", [1, 2, 4])
def test_an_overlap_at_a_files_end_is_found_across_the_last_two_batches(overlap, behind):
    """An older file comes later: its end is the beginning of what is known, wherever a batch ends in between."""
    reader = Reader()
    reader.read(_log(50, 90))

    assert 50 == reader.read(_log(0, 50 + overlap), 50 + overlap - min(behind, overlap - 1))


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_a_known_run_goes_on_over_batches(size):
    """Passing over known lines does not end with a batch, nor with a batch that ends where they end."""
    reader = Reader()
    reader.read(_log(0, 22))

    assert [0, 8] == [reader.read(_log(0, 22), size), reader.read(_log(0, 30), size)]


# ---------------------------------------------------------------- what was sealed


def test_sealed_files_joined_and_gone_on_with_bring_only_what_is_new():
    """Of sealed content only digests are left: they say where what is new begins."""
    reader = Reader()
    reader.read(_log(0, 10))
    reader.read(_log(10, 25))
    reader.seal()

    assert [0, 5, 0] == [reader.read(_log(0, 25)), reader.read(_log(0, 30)), reader.read(_log(0, 30), 7)]


def test_a_log_sealed_in_its_first_part_goes_on_with_its_open_part():
    """Sealed beginning, open middle, new end: only the end counts."""
    reader = Reader()
    reader.read(_log(0, 10))
    reader.seal()
    reader.read(_log(0, 20))

    assert [0, 5] == [reader.read(_log(0, 20)), reader.read(_log(0, 25))]


def test_another_content_behind_a_sealed_first_line_is_new():
    """A log that begins like a sealed one is not that one: all of it counts."""
    reader = Reader()
    reader.read(_log(0, 10))
    reader.seal()

    assert 6 == reader.read(_log(0, 1) + _log(20, 25))


def test_nothing_is_no_news():
    """An empty file has no line."""
    reader = Reader()

    assert [0, 0] == [reader.read(b""), reader.read(b"")]
    assert [] == reader.entries
