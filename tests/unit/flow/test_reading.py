"""One file's new lines: each is parsed or rejected, and the ledger entry that makes them count says which."""

import gzip
from collections import Counter
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.batch import BatchParser
from usage_stats.accesslog.formats import resolve_format
from usage_stats.accesslog.read import Log
from usage_stats.config import Source
from usage_stats.deidentify.strip import Stripped
from usage_stats.errors import InternalError
from usage_stats.flow import reading
from usage_stats.flow.known_lines import FingerprintFile, KnownLines
from usage_stats.flow.reading import read_file
from usage_stats.flow.unread import Unread
from usage_stats.ledger import canonical_json

DAY = date(2026, 4, 6)
SEED = 7


def _view(number, page="/"):
    when = f"06/Apr/2026:10:{number:02}:00 +0000"
    return f'10.7.{number}.9 - - [{when}] "GET {page} HTTP/1.1" 200 5 "-" "Firefox"\n'.encode()


def _common(number):
    return f'10.7.{number}.9 - - [06/Apr/2026:10:{number:02}:00 +0000] "GET / HTTP/1.1" 200 512\n'.encode()


_SHORT = b"#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)\n"
_LONG = b"#Fields: date time s-ip c-ip cs-method cs-uri-stem sc-status sc-bytes cs(User-Agent)\n"


def _w3c(number, *, is_long=False):
    server, size = ("10.0.0.1 ", "5 ") if is_long else ("", "")
    return (
        f"2026-04-06 10:{number:02}:00 {server}10.7.{number}.9 GET / 200 {size}Mozilla/5.0+Firefox\n".encode()
    )


class Gathered:
    """Stands for the stripper: keeps the hits that it is given, as addresses and agents."""

    def __init__(self, loses=0):
        self.hits, self._waiting, self._loses = [], 0, loses

    def __len__(self):
        return self._waiting

    def take(self, columns):
        rows = np.arange(len(columns))
        self.hits += zip(columns.values(0, rows), columns.values(1, rows), strict=True)
        self._waiting += len(columns)

    def drain(self):
        waiting, self._waiting = self._waiting - self._loses, 0
        views = Counter({"page_views": waiting} if waiting else {})
        return Stripped((), views, Counter({DAY: waiting} if waiting else {}))


class Book:
    """A ledger of one source: reads contents one after the other, as files."""

    def __init__(self, folder, log_format="combined"):
        self.folder, self.format = folder, resolve_format(log_format)
        self.known, self.entries, self.stripper = KnownLines(), [], Gathered()
        self.written = []

    def read(self, content, *, name="a.log"):
        (self.folder / name).write_bytes(content)
        unread = Unread(Source(), Log(self.folder / name), self.format)
        parser = BatchParser(self.format.parser(), SEED)
        with FingerprintFile(self.folder) as kept:
            account = read_file(
                *(unread, self.known, parser, self.stripper, kept),
                seed=SEED,
                write=self._write,
                on_bytes=lambda _: None,
            )
        if account.is_news:
            self.entries.append(account.entry(unread, kept))
            self.known.follow(self.entries[-1], kept.read())
        return account

    def _write(self, stripped):
        self.written.append(stripped.outcomes.total())
        return [f"events-{len(self.written)}"]

    @property
    def sums(self):
        """(lines, parsed, rejected) over all entries."""
        rejected = Counter()
        for entry in self.entries:
            rejected.update(entry["rejected"])
        lines = sum(entry["lines"] for entry in self.entries)
        return lines, sum(entry["parsed"] for entry in self.entries), {r: n for r, n in rejected.items() if n}


@pytest.fixture
def book(tmp_path):
    """An empty ledger, of logs in the combined format or another."""
    return lambda log_format="combined": Book(tmp_path, log_format)


# ---------------------------------------------------------------- lines = parsed + rejected


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.one_of(st.integers(0, 59).map(_view), st.binary(max_size=40), st.just(b"\n"), st.just(b"#x\n")),
        max_size=20,
    )
)
def test_every_line_is_parsed_or_rejected(tmp_path_factory, pieces):
    """Whatever the bytes, newline at the end or not: as many as there are lines, and none the second time."""
    # A newline first: bytes that begin as a packed file does (the fuzzer knows xz's) are no lines but packed data.
    content = b"\n" + b"".join(pieces)
    book = Book(tmp_path_factory.mktemp("any"))
    first, second = book.read(content), book.read(content)
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    parsed, rejected = first.outcomes.total(), first.rejected.total()

    assert (lines, lines, 0) == (first.lines, parsed + rejected, second.lines)
    assert not second.is_news


def test_an_entry_tells_no_value_of_a_line(book):
    """It goes to the ledger: counts, reasons, fingerprints under a secret seed, names of our own files."""
    ledger = book()
    ledger.read(b"".join(map(_view, range(9))) + b"10.7.77.9 nonsense\n" + _view(9)[:40])
    text = canonical_json(ledger.entries[0])

    assert (11, 9) == ledger.sums[:2]
    assert [] == [value for value in ("10.7", "Firefox", "GET", "nonsense", "HTTP") if value in text]


def test_an_account_that_does_not_come_out_even_is_never_entered(book):
    """A hit that vanishes between parser and events is a bug, and stops the run before it counts."""
    ledger = book()
    ledger.stripper = Gathered(loses=1)
    with pytest.raises(InternalError, match=r"lines are not parsed \+ rejected") as told:
        ledger.read(_view(1) + _view(2))

    assert [] == ledger.entries
    assert "10.7" not in str(told.value)


def test_events_are_written_before_they_fill_the_memory(book, monkeypatch):
    """However often they are: the account sums them up."""
    monkeypatch.setattr(reading, "_HITS_IN_MEMORY", 1)
    ledger = book()
    content = b"".join(_view(n % 60, f"/{n}") for n in range(60_000))
    account = ledger.read(content)

    assert len(ledger.written) > 2
    assert (60_000, 60_000) == (account.lines, sum(ledger.written))
    assert [f"events-{n}" for n in range(1, len(ledger.written) + 1)] == account.events


# ---------------------------------------------------------------- lines that are cut


def test_a_torn_line_is_taken_back_when_it_is_whole(book):
    """It was rejected; then it is a hit: one line in all."""
    ledger = book()
    ledger.read(_view(1) + _view(2)[:-30])
    before = ledger.sums
    ledger.read(_view(1) + _view(2))

    assert (2, 1) == before[:2]
    assert (2, 2, {}) == ledger.sums


def test_a_torn_line_that_never_goes_on_stays_rejected(book):
    """Read again and again, it is one line."""
    ledger = book()
    for _ in range(3):
        ledger.read(_view(1) + _view(2)[:-30])

    assert (2, 1) == ledger.sums[:2]
    assert 1 == sum(ledger.sums[2].values())


@pytest.mark.parametrize(
    ("log_format", "lines"),
    [
        ("combined", [_view(1), _view(2)]),
        ("common", [_common(1), _common(2)]),
        ("w3c", [_SHORT, _w3c(1), _w3c(2)]),
    ],
    ids=["combined", "common", "w3c"],
)
def test_no_piece_of_a_torn_line_is_taken_for_all_of_it(book, log_format, lines):
    """Wherever a line is cut, what it says in the end is what counts: no agent that is half of one."""
    whole = book(log_format)
    whole.read(b"".join(lines))
    for cut in range(1, len(lines[-1]) - 1):
        torn = book(log_format)
        torn.read(b"".join(lines)[: cut - len(lines[-1])])
        torn.read(b"".join(lines))

        assert (whole.sums, sorted(whole.stripper.hits)) == (torn.sums, sorted(torn.stripper.hits)), cut


def test_data_that_break_give_their_whole_lines_and_one_cut_off(book):
    """The break is told; the partial line is `cut_off` until all of it comes."""
    ledger = book()
    content = b"".join(_view(n % 60, f"/{n * 7919 % 1000}") for n in range(300))
    packed = gzip.compress(content)
    account = ledger.read(packed[: len(packed) // 2])
    before = ledger.sums
    ledger.read(packed)

    assert "ends inside a gzip member" in account.broken
    assert (before[1] + 1, {"cut_off": 1}) == (before[0], before[2])
    assert (300, 300, {}) == ledger.sums


def test_data_that_break_behind_a_newline_cut_no_line(book):
    """What was whole counts; there is no partial line to reject."""
    ledger = book()
    members = gzip.compress(_view(1)) + gzip.compress(_view(2))[:6]
    account = ledger.read(members)

    assert account.broken
    assert (1, 1, {}) == ledger.sums


# ---------------------------------------------------------------- directives in known lines


@pytest.mark.parametrize("known_behind", [b"", _LONG + _w3c(50, is_long=True) + _w3c(51, is_long=True)])
def test_new_lines_mean_what_the_header_before_them_says(book, known_behind):
    """A header that was read before is in force for the new lines behind it, and only for those."""
    ledger = book("w3c")
    first = _SHORT + b"".join(map(_w3c, range(9)))
    for content in (first, known_behind):
        if content:
            ledger.read(content)
    ledger.read(first + b"".join(map(_w3c, range(9, 19))) + known_behind)

    assert {"directive"} == set(ledger.sums[2])
    assert 19 + known_behind.count(b"2026-") == ledger.sums[1]
