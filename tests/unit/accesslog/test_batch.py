"""Who reads which line: the fast path what it takes, the exact parser the rest, and only that rejects."""

from collections import Counter

import numpy as np
import pytest
import xxhash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog import batch as batch_module
from usage_stats.accesslog.batch import BatchParser
from usage_stats.accesslog.columns import SLOTS, columns_of_hits
from usage_stats.accesslog.fast import compiled_path
from usage_stats.accesslog.formats import resolve_format
from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.lines import lines_of

AGENT = SLOTS.index("agent")
# The same kind of line, of which another column is the status.
W3C = [
    b"#Fields: date time c-ip cs-method cs-uri-stem sc-status time-taken cs(User-Agent)",
    b"2026-03-04 12:00:00 192.0.2.7 GET /a 200 404 Firefox",
]
W3C_OTHER = [
    b"#Fields: date time c-ip cs-method cs-uri-stem time-taken sc-status cs(User-Agent)",
    b"2026-03-04 12:00:01 192.0.2.8 GET /b 200 404 Chrome",
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


def _read(parser, *batches):
    """Times and agents of all hits, sorted; the rejected by reason; the last line's reason after each batch."""
    found, reasons, last = [], Counter(), []
    for texts in batches:
        parsed = None
        for part in parser.parts(_lines(*texts)):
            parsed = parser.read(part)
            reasons += parsed.reasons
            found += _facts(parsed.hits)
        last.append(parsed and parsed.last_reason)
    return sorted(found + _facts(parser.rest())), reasons, last


def _facts(hits):
    return [
        fact
        for columns in hits
        for fact in zip(columns.at.tolist(), columns.values(AGENT, np.arange(len(columns))), strict=True)
    ]


TEXTS = st.lists(st.sampled_from([b"", b"0", b"1", b"2", b"33", b"44", b"x", b"-", b"#"]), max_size=12)


@pytest.mark.parametrize("fast", [None, Fast()], ids=["exact", "fast"])
@pytest.mark.parametrize("many", [1, 4, 4096])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(TEXTS, max_size=4))
def test_every_line_is_a_hit_or_has_its_reason(fast, many, batches, monkeypatch):
    """Hits + reasons = lines, whoever read them and however long hits wait; the last line's reason is told."""
    monkeypatch.setattr(batch_module, "_MANY_HITS", many)
    hits, reasons, last = _read(BatchParser(Exact(), 3, fast), *batches)
    texts = [text for batch in batches for text in batch]

    assert sorted((int(text), text) for text in texts if text.isdigit()) == hits
    assert Counter(_reason(text) for text in texts if not text.isdigit()) == reasons
    assert [_reason(batch[-1]) if batch and not batch[-1].isdigit() else None for batch in batches] == last


def _reason(text):
    return "no_number" if text else "blank"


def test_hits_wait_until_there_are_many():
    """Columns of a handful cost more than they hold; none waits when the file is over, and none comes twice."""
    parser = BatchParser(Exact(), 3)
    first = parser.read(_lines(b"1", b"2"))

    assert () == first.hits
    assert [2, 0] == [sum(map(len, parser.rest())) for _ in range(2)]


def test_the_exact_parser_sees_what_the_fast_path_declines_and_nothing_else():
    """In the order of the lines: some formats say in the log itself how the next are written."""
    exact = Exact()
    _read(BatchParser(exact, 3, Fast()), [b"2", b"1", b"x", b"4", b"3"], [b"6", b"5"])

    assert [b"1", b"x", b"3", b"5"] == exact.asked


def test_values_of_both_ways_have_the_same_hashes():
    """The fast path and the exact one share a seed: one visitor is not two."""
    parser = BatchParser(Exact(), 3, Fast())
    (fast,) = parser.read(_lines(b"2", b"1")).hits
    (exact,) = parser.rest()
    address = SLOTS.index("address")

    assert fast.hashes[address].tolist() == exact.hashes[address].tolist()


@given(texts=TEXTS)
def test_parts_are_the_lines_in_their_order(texts):
    """With a fast path, no part holds directives beside other lines: what they change is known by then."""
    parts = [
        [part[row] for row in range(len(part))]
        for part in BatchParser(Exact(), 3, Fast()).parts(_lines(*texts))
    ]

    assert texts == [text for part in parts for text in part]
    assert all(len({text[:1] == b"#" for text in part}) <= 1 for part in parts)


def test_a_log_full_of_directives_is_not_cut_into_crumbs():
    """Beyond some turns the exact parser reads all of a batch, line by line."""
    texts = [b"#x", b"2"] * 500
    parts = list(BatchParser(Exact(), 3, Fast()).parts(_lines(*texts)))

    assert 1 == len(parts)
    assert 500 == len(_read(BatchParser(Exact(), 3, Fast()), texts)[0])


def _w3c(*, is_compiled=False):
    log_format = resolve_format("w3c")
    exact = log_format.parser()
    kept = {"account": "user", "cookie": None}
    return BatchParser(exact, 1, compiled_path(log_format, exact, **kept, seed=1) if is_compiled else None)


@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize("is_compiled", [False, True])
def test_directives_change_what_the_lines_behind_them_mean(is_compiled, times):
    """Within one batch, too, however often, and with the compiled path as without."""
    parser, found = _w3c(is_compiled=is_compiled), []
    parser.read(_lines(W3C[0]))
    for part in parser.parts(_lines(*[*W3C, *W3C_OTHER, *W3C] * times)):
        found += [s for hits in parser.read(part).hits for s in hits.status.tolist()]
    found += [s for hits in parser.rest() for s in hits.status.tolist()]

    assert [200] * 2 * times + [404] * times == sorted(found)


def test_directives_of_lines_passed_over_still_count():
    """Lines that were read before say how the next ones are written."""
    parser = _w3c()
    parser.read(_lines(*W3C))
    parser.rest()
    parser.pass_over(_lines(*W3C_OTHER))
    parser.read(_lines(W3C_OTHER[1]))

    assert [404] == parser.rest()[0].status.tolist()


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
