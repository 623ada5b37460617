import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_stats.accesslog.formats import NAMED_FORMATS, compile_format, named_format
from usage_stats.accesslog.parse import MAX_LINE_BYTES, Hit, LineParser, is_network_address
from usage_stats.errors import ConfigError

COMBINED = named_format("combined")
LINE = b'192.0.2.7 - ada [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 7 "http://r.example/" "Firefox"'
CODES = {"blank", "directive", "too_long", "trailing", "ignored", "ident"} | {
    *("vhost", "address", "user", "time", "request", "status", "bytes", "referrer", "agent", "cookie"),
    *("forwarded", "method", "target", "json", "columns", "fields"),
}
# Pieces of lines: random bytes alone would never get past the address.
SHARDS = st.sampled_from(
    [b" ", b'"', b"\\", b"[", b"]", b"-", b"\n", b"\r", b"\0", b"\xff", b"#", *LINE.split(b" ")]
)
LINES = st.binary(max_size=300) | st.lists(SHARDS | st.binary(max_size=5), max_size=40).map(b"".join)


def _with(old, new):
    assert LINE.count(old) == 1
    return LINE.replace(old, new)


def _parse(line, log_format=COMBINED, **options):
    return log_format.parser(**options).parse(line)


def test_a_line_gives_its_hit():
    """Each field of the line is in the hit, byte for byte."""
    expected = Hit(
        at=1431857103,
        address=b"192.0.2.7",
        account=b"ada",
        cookie=None,
        agent=b"Firefox",
        method=b"GET",
        target=b"/a",
        status=200,
        referrer=b"http://r.example/",
        vhost=None,
    )

    assert tuple(expected) == tuple(_parse(LINE))


@pytest.mark.parametrize("log_format", NAMED_FORMATS, ids=lambda log_format: log_format.name)
@given(line=LINES)
def test_no_bytes_raise(log_format, line):
    """Whatever a client makes the server write, a line is a hit or a known reason."""
    result = _parse(line, log_format)

    assert isinstance(result, Hit) or result in CODES


@pytest.mark.parametrize("log_format", NAMED_FORMATS, ids=lambda log_format: log_format.name)
def test_every_cut_of_a_line_is_a_reason_or_a_shorter_hit(log_format):
    """A line cut anywhere names the field where it stops; it never yields a longer field."""
    whole = _parse(log_format.example, log_format, cookie="visitor")
    cuts = [
        _parse(log_format.example[:end], log_format, cookie="visitor")
        for end in range(len(log_format.example))
    ]
    hits = [cut for cut in cuts if isinstance(cut, Hit)]

    # What is cut at the end may be a number, or a field that is read over; LTSV's last cell has no end of its own.
    assert all(hit == whole or log_format.name == "ltsv" for hit in hits)
    assert {cut for cut in cuts if isinstance(cut, str)} <= CODES - {"trailing", "directive", "too_long"}


@given(st.binary(max_size=60).filter(lambda b: b"\n" not in b and b'"' not in b and b"\\" not in b))
@example(b"\x16\x03\x01")
@example(b"caf\xe9 \xff\xfe \0")
def test_quoted_bytes_come_through_unchanged(text):
    """Quoted fields hold any bytes: NUL, Latin-1, broken UTF-8."""
    agent = _parse(_with(b"Firefox", text)).agent

    assert text == agent


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "blank"),
        (b" \t\r", "blank"),
        (b"#Fields: date time", "directive"),
        (b"# " + LINE, "directive"),
        (b"a" * (MAX_LINE_BYTES + 1), "too_long"),
        (LINE + b"x" * MAX_LINE_BYTES, "too_long"),
        (b"Error line 1", "time"),
        (b"\x16\x03\x01\x02", "address"),
        (_with(b"192.0.2.7", b"192.0.2.7:80"), "address"),
        (_with(b"192.0.2.7", b"www.example.org:80"), "address"),
        (_with(b"192.0.2.7", b"cafe:80"), "address"),
        (_with(b"192.0.2.7", b"192.0.2.256"), "address"),
        (_with(b"192.0.2.7", b"192.0.2"), "address"),
        (_with(b"192.0.2.7", b"1:2:3:4"), "address"),
        (_with(b"192.0.2.7", b"fe80::1%"), "address"),
        (_with(b"192.0.2.7", b"192.0.2.7%eth0"), "address"),
        (_with(b"192.0.2.7", b"10.0.0.1, 192.0.2.7"), "address"),
        (_with(b"192.0.2.7", b"a" * 254), "address"),
        (_with(b"192.0.2.7", b"-"), "address"),
        (_with(b" - ada", b" -"), "time"),  # the time fits as a user, then none is left
        (b"192.0.2.7 -", "user"),
        (_with(b"[17/May", b"17/May"), "time"),
        (_with(b"17/May", b"31/Feb"), "time"),
        (_with(b"10:05:03", b"10:05:60"), "time"),
        (_with(b'/a HTTP/1.1"', b"/a HTTP/1.1"), "status"),
        (_with(b"200", b"099"), "status"),
        (_with(b"200", b"600"), "status"),
        (_with(b"200", b"2000"), "status"),
        (_with(b"200", b"-"), "status"),
        (_with(b" 7 ", b" -7 "), "bytes"),
        (_with(b" 7 ", b" 7x "), "bytes"),
        (_with(b'"http://r.example/"', b"http://r.example/"), "referrer"),
        (_with(b'Firefox"', b"Firefox"), "agent"),
        (_with(b'Firefox"', b'Firefox\\"'), "agent"),
        (LINE + b' "x"', "trailing"),
        (LINE + b"\0", "trailing"),
        (LINE + b"\n" + LINE, "trailing"),
        (_with(b"Firefox", b"Fire\nfox"), "agent"),
    ],
)
def test_reason_is_the_first_field_that_does_not_fit(line, reason):
    """A rejected line is counted under the field where it stops being a line of its format."""
    assert reason == _parse(line)


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("vhost_combined", LINE, "address"),
        ("vhost_combined", b"[::1 " + LINE, "vhost"),
        ("nginx", LINE, "forwarded"),
        ("combined_cookie", LINE + b' "visitor', "cookie"),
        ("combined", b"www.example.org " + LINE, "time"),
    ],
)
def test_reasons_of_other_formats(name, line, reason):
    """A field is missing in one format where another never had it."""
    assert reason == _parse(line, named_format(name))


@pytest.mark.parametrize(
    ("request_line", "method", "target"),
    [
        (b"GET / HTTP/1.1", b"GET", b"/"),
        (b"GET /", b"GET", b"/"),
        (b"HEAD /", None, None),
        (b"SEARCH / -", None, None),
        (b"GET / -", None, None),
        (b"OPTIONS * HTTP/1.0", b"OPTIONS", b"*"),
        (b"PROPFIND /dav HTTP/2", b"PROPFIND", b"/dav"),
        (b"CONNECT mail.example:25 HTTP/1.1", b"CONNECT", b"mail.example:25"),
        (b"GET /two words HTTP/1.1", b"GET", b"/two words"),
        (rb"GET /say\"hi\"?q=\x22 HTTP/1.1", b"GET", rb"/say\"hi\"?q=\x22"),
        (b"GET  HTTP/1.1", None, None),
        (b"GET / HTTP/1.1 ", None, None),
        (b"GET / HTTP/one", None, None),
        (b"-", None, None),
        (b"", None, None),
        (rb"\x16\x03\x01\x02\x00\x01", None, None),
        (b"\x16\x03\x01 \x02 HTTP/1.1", None, None),
        (b"HELP", None, None),
    ],
)
def test_request_is_split_or_malformed(request_line, method, target):
    """A request with no method, target and version is malformed, and still a hit."""
    hit = _parse(_with(b"GET /a HTTP/1.1", request_line))

    assert (method, target) == (hit.method, hit.target)


@pytest.mark.parametrize(
    "address",
    [
        *(b"::1", b"2001:db8::7", b"fe80::1%eth0", b"::ffff:192.0.2.7", b"2001:DB8:0:0:0:0:0:1"),
        *(b"localhost", b"host-7.example.org", b"monitoring_server", b"example.org.", b"1.2.3.4.dsl.example"),
    ],
)
def test_addresses_and_names_are_clients(address):
    """A client is an IPv4 or IPv6 address, with a zone perhaps, or a host name."""
    assert address == _parse(_with(b"192.0.2.7", address)).address


def test_network_address_is_no_name():
    """Only numbers are network addresses."""
    assert [is_network_address(text) for text in (b"192.0.2.7", b"fe80::1%2", b"example.org", b"\xff")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("user", "account"),
    [
        (b"-", None),
        (b"John Begood", b"John Begood"),
        (b"Microsoft\\\\JohnDoe", b"Microsoft\\\\JohnDoe"),
        (b'say \\"hi\\"', b'say \\"hi\\"'),
        (b"x [01/Jan/2001:00:00:00 +0000]", b"x [01/Jan/2001:00:00:00 +0000]"),
        (b"j\xc3\xb6rg@example.org", b"j\xc3\xb6rg@example.org"),
        (b"-x", b"-x"),
    ],
)
def test_account_names(user, account):
    """An account name may hold spaces, escapes and a forged time; a dash is nobody."""
    hit = _parse(_with(b" ada ", b" " + user + b" "))

    assert (1431857103, account) == (hit.at, hit.account)


def test_white_space_at_the_end_is_no_field():
    """CRLF, blanks and tabs after the last field belong to no field."""
    assert {tuple(_parse(LINE))} == {tuple(_parse(LINE + end)) for end in (b"\r", b" ", b" \t \r", b"")}


def test_agent_is_none_only_where_the_format_has_none():
    """An agent that the client did not send differs from one that the server did not log."""
    common = named_format("common")

    assert _parse(_with(b"Firefox", b"-")).agent == b"-"
    assert _parse(_with(b"Firefox", b"")).agent == b""
    assert _parse(common.example, common).agent is None


@pytest.mark.parametrize(
    ("written", "name", "cookie"),
    [
        (b"f3b0", "visitor", b"f3b0"),
        (b"-", "visitor", None),
        (b"", "visitor", None),
        (b"f3b0", "other", None),
        (b"f3b0", None, None),
    ],
)
def test_cookie_is_the_one_that_was_asked_for(written, name, cookie):
    """The cookie of the given name identifies; any other, a dash or nothing does not."""
    hit = _parse(LINE + b' "' + written + b'"', named_format("combined_cookie"), cookie=name)

    assert cookie == hit.cookie


def test_account_is_the_field_that_was_asked_for():
    """The account may stand in a cookie, or not be used at all."""
    log_format = compile_format('%h %l %u %t "%r" %>s "%{login}C"')
    line = b'192.0.2.7 id ada [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 "bob"'
    accounts = [
        _parse(line, log_format, account=name).account
        for name in ("user", "ident", "cookie.login", "cookie.other", None)
    ]

    assert accounts == [b"ada", b"id", b"bob", None, None]


def test_a_field_that_holds_no_account_is_refused():
    """A misspelt account field is an error, not a log without accounts."""
    with pytest.raises(ConfigError, match="user, ident"):
        LineParser(COMBINED, account="usr")


def test_a_hit_shows_nothing():
    """No way of printing a hit shows a value of it."""
    hit = _parse(LINE)

    assert {"Hit(...)"} == {repr(hit), str(hit), f"{hit}", f"{hit!r}", f"{[hit][0]}"}
    assert str([hit]) == "[Hit(...)]"


@pytest.mark.parametrize("log_format", NAMED_FORMATS, ids=lambda log_format: log_format.name)
@pytest.mark.parametrize("filler", [b" ", b'"', b"\\", b"\\\\ ", b'" "', b"a ", b"[", b"1.", b"a:", b", "])
def test_long_hostile_lines_take_no_long_time(log_format, filler):
    """A line of 1 MiB made to confuse costs milliseconds, not backtracking."""
    head = LINE[: LINE.index(b"ada")]
    started = time.process_time()
    for line in (filler, head + filler, LINE[:-8] + filler, LINE[: LINE.index(b"GET")] + filler):
        _parse((line + filler * MAX_LINE_BYTES)[:MAX_LINE_BYTES], log_format)

    # Four lines take some 0.05 s; one quadratic step over 1 MiB takes hours.
    assert time.process_time() - started < 5


def test_more_addresses_than_are_remembered():
    """Forgetting addresses costs time, never a client."""
    parser = LineParser(named_format("common"))
    line = named_format("common").example
    hits = [
        parser.parse(line.replace(b"192.0.2.7", b"10.%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255)))
        for n in range(70_000)
    ]

    assert len({hit.address for hit in hits}) == 70_000
    assert len(parser._known_clients) <= 1 << 16  # noqa: SLF001 how much is remembered shows nowhere else


def test_a_comment_is_none_of_the_formats_lines():
    """A line that starts with # is a directive, even where the format would let its first field be one."""
    log_format = compile_format('%{X}o %h %t "%r" %>s')
    line = b'192.0.2.7 [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200'

    assert isinstance(_parse(b"x " + line, log_format), Hit)
    assert _parse(b"# " + line, log_format) == "directive"
