import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import xxhash
from agreement import SEED, batches, compare, has_compiled_path, rows_of, spoilt, without_newlines
from written_lines import Writer

from benchmarks.layouts import LAYOUTS
from benchmarks.logs import generate
from usage_stats.accesslog.columns import SLOTS
from usage_stats.accesslog.fast import compiled_path
from usage_stats.accesslog.formats import NAMED_FORMATS, named_format, resolve_format
from usage_stats.accesslog.hit import MAX_LINE_BYTES

COMPILED = [log_format for log_format in NAMED_FORMATS if has_compiled_path(log_format)]
FORMATS = pytest.mark.parametrize("log_format", COMPILED, ids=lambda log_format: log_format.name)
# Which fields tell who is who.
KEPT = pytest.mark.parametrize(
    "kept",
    [
        {},
        {"cookie": "visitor"},
        {"account": None},
        {"account": "ident"},
        {"account": "cookie.visitor"},
        {"account": "cookie.visitor", "cookie": "visitor"},
    ],
    ids=lambda kept: "-".join(f"{name}={value}" for name, value in kept.items()) or "user",
)
COMBINED = named_format("combined")
OTHERS = frozenset({"forwarded", "gpc", "dnt", "query", "referrer"})
LINE = b'192.0.2.7 - ada [17/May/2015:10:05:03 +0000] "GET /a?b HTTP/1.1" 200 7 "http://r.example/" "Firefox"'


def _skip_if_exact_only(log_format, kept):
    names = {"account": "user", "cookie": None} | kept
    if compiled_path(log_format, log_format.parser(**names), **names, seed=SEED) is None:
        pytest.skip("the exact parser alone reads this format for these fields")


@FORMATS
def test_a_plain_line_takes_the_fast_path(log_format):
    """The line that a server usually writes is not left to the exact parser: else the fast path is none."""
    taken = compare(log_format, [log_format.example]).taken
    has_port = log_format.name == "envoy_json"  # every address has one, which the exact parser takes off

    assert (0 if has_port else 1) == taken


@FORMATS
@KEPT
def test_a_spoilt_line_reads_as_the_exact_parser_reads_it(log_format, kept):
    """Cut, spoilt, doubled or swapped anywhere: what the compiled path takes, both read alike."""
    _skip_if_exact_only(log_format, kept)
    compared = compare(log_format, without_newlines(spoilt(log_format.example)), **kept)

    assert [] == compared.differing[:3]


@FORMATS
@KEPT
def test_odd_values_read_as_the_exact_parser_reads_them(log_format, kept):
    """With each odd value in each field, and with some at once, both read alike."""
    _skip_if_exact_only(log_format, kept)
    writer = Writer(log_format)
    drawn = writer.drawn(random.Random(log_format.name), 2_000)
    lines = without_newlines([writer.plain(), *writer.each_odd(), *drawn])
    compared = compare(log_format, lines, **kept)

    assert [] == compared.differing[:3]
    assert (
        kept or log_format.name not in {"combined", "w3c", "nginx_json"} or compared.taken > len(lines) / 20
    )


@FORMATS
def test_a_line_reads_alike_at_the_very_end_of_memory(log_format):
    """With nothing but the padding behind it, each beginning of a line reads as it does within a log."""
    line = log_format.example
    cuts = [line[:end] for end in range(1, len(line) + 1)]
    compared = [compare(log_format, [cut], ends=b"") for cut in cuts]
    within = compare(log_format, cuts)

    assert [] == [d for c in compared for d in c.differing][:3]
    assert within.taken == sum(c.taken for c in compared)


@pytest.mark.parametrize(
    "length", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, MAX_LINE_BYTES + 9]
)
@pytest.mark.parametrize("name", ["combined", "w3c", "nginx_json"])
def test_no_line_is_longer_than_the_cap(name, length):
    """Up to the cap both read alike, and beyond it nothing is read."""
    log_format = named_format(name)
    example = log_format.example
    place = example.index(b"Mozilla")
    line = example[:place] + b"x" * (length - len(example)) + example[place:]
    compared = compare(log_format, [line, example])

    assert [] == [(read, expected) for _, read, expected in compared.differing]


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _clf(at):
    return f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year:04}:{at.hour:02}:{at.minute:02}:{at.second:02} +0000".encode()


def _seconds_by_line(log_format, lines):
    """What the compiled path reads as the time of each line it takes."""
    exact = log_format.parser()
    fast = compiled_path(log_format, exact, account="user", cookie=None, seed=SEED)
    (batch,) = batches(lines)
    columns, declined = fast.read(batch)
    taken = np.setdiff1d(np.arange(len(batch)), declined)
    return dict(zip(taken.tolist(), columns.at.tolist(), strict=True))


YEARS = (
    *(1, 2, 3, 4, 99, 100, 101, 400, 1582, 1600, 1700, 1900, 1969, 1970, 1972, 2000),
    *(2015, 2016, 2100, 2400, 9996, 9998, 9999),
)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("common", b"17/May/2015:10:05:03 +0200", _clf),
        ("combined_iso8601", b"2015-05-17T10:05:03.125+02:00", lambda at: at.isoformat().encode()),
        ("w3c", b"2015-05-17 08:05:03", lambda at: at.isoformat(" ").encode()),
    ],
)
def test_every_day_of_the_calendar_is_its_own(name, old, new):
    """Each day of ordinary, leap and century years is read as Python's calendar has it; the outermost may be left."""
    log_format = named_format(name)
    days = [
        datetime(year, 1, 1, day % 24, day % 60, (day * 7) % 60) + timedelta(days=day)
        for year in YEARS
        for day in range(366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365)
    ]
    zone = b"Z" if name == "combined_iso8601" else b""
    lines = [log_format.example.replace(old, new(day) + zone) for day in days]
    epoch = datetime(1970, 1, 1)
    expected = {
        row: int((day - epoch).total_seconds()) for row, day in enumerate(days) if 1 < day.year < 9999
    }
    read = _seconds_by_line(log_format, lines)

    assert expected == {row: at for row, at in read.items() if 1 < days[row].year < 9999}
    assert [] == compare(log_format, lines).differing


def test_no_calendar_has_these_days():
    """A day beyond its month's end, a month of no language, a year 0: never taken, of any year."""
    months = (b"Jan", b"Feb", b"Apr", b"Jun", b"Dec", b"jan", b"FEB", b"Mai", b"\0\0\0", b"   ")
    real = {(b"Jan", 31), (b"Dec", 31)}
    days = [
        b"%02d/%b/%04d" % (day, month, year)
        for year in (0, 1, 1900, 2000, 2015, 2016, 9999)
        for month in months
        for day in (0, 29, 30, 31, 32, 60, 99)
        if (month, day) not in real
    ]
    lines = [LINE.replace(b"17/May/2015", day) for day in days]
    impossible = [
        i for i, day in enumerate(days) if b"30/Feb" in day or day[:2] in {b"00", b"32", b"60", b"99"}
    ]

    assert [] == compare(COMBINED, lines).differing
    assert set() == set(impossible) & _seconds_by_line(COMBINED, lines).keys()


def test_every_clock_and_zone_reads_as_the_exact_parser_reads_it():
    """All hours, minutes, seconds and offsets, possible or not."""
    clocks = [
        b"%02d:%02d:%02d" % (h, m, s) for h in range(26) for m in (0, 1, 59, 60, 99) for s in (0, 59, 60, 61)
    ]
    zones = [
        b"%c%02d%02d" % (sign, h, m) for sign in b"+- Z" for h in range(16) for m in (0, 1, 30, 59, 60, 99)
    ]
    lines = [LINE.replace(b"10:05:03", clock) for clock in clocks]
    lines += [LINE.replace(b"+0000", zone) for zone in zones]
    compared = compare(COMBINED, lines)

    assert [] == compared.differing[:3]
    assert 24 * 3 * 2 + 2 * (14 * 4 + 1) == compared.taken


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_nearly_all_lines_of_a_usual_log_take_the_fast_path(tmp_path, layout):
    """Of a made-up log with one odd line in a hundred, the exact parser reads no more than those."""
    path = tmp_path / "made.log"
    written = generate(path, 20_000, 2, layout=layout)
    log_format = named_format({"json": "nginx_json"}.get(layout, layout))
    lines = [line for line in path.read_bytes().split(b"\n") if not line.startswith(b"#")][:-1]
    exact = log_format.parser()
    for line in path.read_bytes().split(b"\n")[:4]:
        if line.startswith(b"#"):
            exact.parse(line)
    fast = compiled_path(log_format, exact, account="user", cookie=None, seed=SEED)
    declined = sum(len(fast.read(batch)[1]) for batch in batches(lines))

    assert declined <= sum(written.odd.values())


@FORMATS
def test_a_value_has_the_hash_of_its_bytes(log_format):
    """The hash of a value is XXH64 of what `values` gives, as beside the exact parser: one value, one hash."""
    exact = log_format.parser()
    fast = compiled_path(log_format, exact, account="user", cookie=None, others=OTHERS - {"query"}, seed=SEED)
    line = Writer(log_format).plain()
    (batch,) = batches([line])
    columns, _ = fast.read(batch)
    (row,) = rows_of(columns)
    expected = [0 if v is None else xxhash.xxh64_intdigest(v, SEED) for v in row[-len(SLOTS) :]]

    assert expected == columns.hashes[:, 0].tolist()
    assert any(expected)


def test_one_referrer_has_one_hash_however_it_is_written():
    """A verdict is kept by the hash: what CloudFront encodes has that of the value, and `-` in any dress has none."""
    log_format = named_format("cloudfront")
    exact = log_format.parser()
    fast = compiled_path(
        log_format, exact, account="user", cookie=None, others=frozenset({"referrer"}), seed=SEED
    )
    cells = log_format.example.split(b"\t")
    place = exact.columns.index("referrer")
    written = [b"https%3A//a.example/", b"https://a.example/", b"https%253A//a.example/", b"%2D", b"-"]
    (batch,) = batches([b"\t".join([*cells[:place], value, *cells[place + 1 :]]) for value in written])
    columns, declined = fast.read(batch)
    values = (b"https://a.example/", b"https://a.example/", b"https%3A//a.example/")

    assert 0 == len(declined)
    assert [*(xxhash.xxh64_intdigest(v, SEED) for v in values), 0, 0] == columns.hashes[
        SLOTS.index("referrer")
    ].tolist()


def test_what_was_read_before_leaves_no_trace():
    """A value that a line does not have is not that of the line which stood there in the batch before."""
    exact = COMBINED.parser()
    fast = compiled_path(COMBINED, exact, account="user", cookie=None, seed=SEED)
    first, second = LINE, LINE.replace(b"ada", b"-")
    (batch,) = batches([first, first])
    before = rows_of(fast.read(batch)[0])
    (batch,) = batches([second, second])
    after = rows_of(fast.read(batch)[0])

    assert ([b"ada"] * 2, [None] * 2) == ([row[6] for row in before], [row[6] for row in after])
    assert datetime.fromtimestamp(before[0][0], UTC).isoformat() == "2015-05-17T10:05:03+00:00"


SIGNALLING = (
    resolve_format('%a %u %t "%r" %>s "%{User-Agent}i" "%{X-Forwarded-For}i" "%{Sec-GPC}i" "%{DNT}i"'),
    resolve_format('%{DNT}i %a [%{sec}t] "%r" %>s "%{X-Forwarded-For}i" %{Sec-GPC}i'),
    named_format("nginx_json"),
    named_format("w3c"),
    named_format("cloudfront"),
    named_format("combined"),
)


@pytest.mark.parametrize(
    "log_format", SIGNALLING, ids=["quoted", "bare", "json", "w3c", "cloudfront", "combined"]
)
def test_chains_signals_queries_and_referrers_read_as_the_exact_parser_reads_them(log_format):
    """Where they are wanted: 1 is a signal and nothing else is, and a chain is the whole of it."""
    writer = Writer(log_format)
    odd = [*writer.each_odd(), *writer.drawn(random.Random(5), 3_000)]
    plain = log_format.example or writer.plain()
    lines = [plain, *spoilt(plain), *odd]
    has_parts = log_format.name in {"w3c", "cloudfront"}
    compared = compare(
        log_format, without_newlines(lines), others=OTHERS - {"query"} if has_parts else OTHERS
    )

    assert [] == compared.differing[:3]
    assert compared.taken > 0


def test_a_separate_query_is_left_to_the_exact_parser():
    """Where a query may stand in two places, the kernel reads none: the exact parser joins them."""
    w3c, exact = named_format("w3c"), named_format("w3c").parser()
    lines = [
        b"#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status",
        b"2026-03-02 10:00:00 192.0.2.7 GET /a b=c 200",
    ]
    (batch,) = batches(lines)
    exact.parse(lines[0])
    taken = [
        len(
            compiled_path(w3c, exact, account=None, cookie=None, others=others, seed=SEED).read(
                batch.only(slice(1, 2))
            )[0]
        )
        for others in (frozenset(), frozenset({"query"}))
    ]

    assert [1, 0] == taken
