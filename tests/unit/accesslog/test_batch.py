"""Who reads which line: the fast path what it takes, the exact parser the rest, and only that rejects."""

from collections import Counter

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.accesslog.batch import BatchParser
from usage_stats.accesslog.columns import SLOTS, columns_of_hits
from usage_stats.accesslog.formats import resolve_format
from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.lines import lines_of

AGENT = SLOTS.index("agent")
W3C = [
    b"#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)",
    b"2026-03-04 12:00:00 192.0.2.7 GET /a 200 Firefox",
]
W3C_OTHER = [
    b"#Fields: date time sc-status c-ip cs-method cs-uri-stem cs(User-Agent)",
    b"2026-03-04 12:00:01 404 192.0.2.8 GET /b Chrome",
]


class Exact:
    """A parser of lines that are a number: the hit's time. It remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def parse(self, line):
        self.asked.append(line)
        if not line.isdigit():
            return "blank" if not line else "no_number"
        return Hit(int(line), b"a", None, None, line, b"GET", b"/", 200, None, None)


class Fast:
    """Takes even numbers and declines all else."""

    def read(self, lines):
        texts = [lines[row] for row in range(len(lines))]
        takes = [text.isdigit() and int(text) % 2 == 0 for text in texts]
        hits = [Exact().parse(text) for text, take in zip(texts, takes, strict=True) if take]
        return columns_of_hits(hits, 3), np.flatnonzero(~np.array(takes, np.bool_))

    def fingerprints(self, lines, seed):
        return np.full(len(lines), seed, np.uint64)


def _lines(*texts):
    """Lines, an empty batch of them too."""
    (lines,) = lines_of([b"".join(text + b"\n" for text in texts) or b"x"])
    return lines if texts else lines.only(slice(0))


def _read(parser, *texts):
    """Times and agents of the hits, sorted, and the rest of what came of some lines."""
    parsed = parser.read(_lines(*texts))
    found = []
    for columns in parsed.hits:
        found += zip(columns.at.tolist(), columns.values(AGENT, np.arange(len(columns))), strict=True)
    return sorted(found), parsed.reasons, parsed.last_reason


TEXTS = st.lists(st.sampled_from([b"", b"0", b"1", b"2", b"33", b"44", b"x", b"-", b"#"]), max_size=12)


@pytest.mark.parametrize("fast", [None, Fast()], ids=["exact", "fast"])
@given(texts=TEXTS)
def test_every_line_is_a_hit_or_has_its_reason(fast, texts):
    """Hits + reasons = lines, whoever read them; the last line's reason is told, None if it is a hit or there is none."""
    hits, reasons, last = _read(BatchParser(Exact(), 3, fast), *texts)
    rejected = ["blank" if not text else "no_number" for text in texts if not text.isdigit()]

    assert sorted((int(text), text) for text in texts if text.isdigit()) == hits
    assert Counter(rejected) == reasons
    assert (rejected[-1] if texts and not texts[-1].isdigit() else None) == last


def test_the_exact_parser_sees_what_the_fast_path_declines_and_nothing_else():
    """In the order of the lines: some formats say in the log itself how the next are written."""
    exact = Exact()
    _read(BatchParser(exact, 3, Fast()), b"2", b"1", b"x", b"4", b"3")

    assert [b"1", b"x", b"3"] == exact.asked


def test_values_of_both_ways_have_the_same_hashes():
    """The fast path and the exact one share a seed: one visitor is not two."""
    parsed = BatchParser(Exact(), 3, Fast()).read(_lines(b"2", b"1"))
    fast, exact = (columns.hashes[SLOTS.index("address")].tolist() for columns in parsed.hits)

    assert fast == exact


def _w3c():
    return BatchParser(resolve_format("w3c").parser(), 1)


def test_directives_of_lines_passed_over_still_count():
    """Lines that were read before say how the next ones are written."""
    parser = _w3c()
    parser.read(_lines(*W3C))
    parser.pass_over(_lines(W3C_OTHER[0], W3C_OTHER[1]))
    parsed = parser.read(_lines(W3C_OTHER[1]))

    assert [404] == parsed.hits[0].status.tolist()


def test_lines_passed_over_that_are_no_directives_are_not_parsed():
    """Known lines cost nothing: neither hits nor empty ones; a directive behind an empty line is seen."""
    exact = Exact()
    BatchParser(exact, 3).pass_over(_lines(b"1", b"", b"#x", b" #", b"", b"2"))

    assert [b"#x"] == exact.asked


def test_passing_over_no_lines_asks_nothing():
    """A batch all of whose lines are new."""
    exact = Exact()
    BatchParser(exact, 3).pass_over(_lines())

    assert [] == exact.asked


@given(texts=TEXTS.filter(bool), seed=st.integers(0, 2**64 - 1))
def test_fingerprints_are_of_the_line_whoever_makes_them(texts, seed):
    """XXH64 of each line; one line alone has the same."""
    parser = BatchParser(Exact(), 3)
    expected = [xxhash.xxh64_intdigest(text, seed) for text in texts]

    assert expected == parser.fingerprints(_lines(*texts), seed).tolist()
    assert expected == [parser.fingerprint(text, seed) for text in texts]


def test_the_fast_path_makes_fingerprints_where_there_is_one():
    """The compiled loop is asked."""

    assert [9, 9] == BatchParser(Exact(), 3, Fast()).fingerprints(_lines(b"1", b"2"), 9).tolist()
