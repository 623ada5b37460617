import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.accesslog.delimited import percent_decoded, spaces_for_plus
from usage_stats.accesslog.formats import named_format, resolve_format
from usage_stats.accesslog.hit import Hit

COLUMNS = ["time", "address", "ignored", "method", "path", "query", "status", "agent"]
TABS = {"columns": COLUMNS}
QUOTED = {"columns": COLUMNS, "delimiter": ",", "quote": '"'}
CELLS = (b"2015-05-17T08:05:03Z", b"192.0.2.7", b"x", b"GET", b"/a", b"b=1", b"200", b"Firefox")
LABELS = {"time": "t", "address": "ip", "request": "req", "status": "st", "agent": "ua"}


def _parse(setting, line):
    return resolve_format(setting).parser().parse(line)


@pytest.mark.parametrize(("setting", "delimiter"), [(TABS, b"\t"), (QUOTED, b",")])
def test_cells_give_their_hit(setting, delimiter):
    """Each column is what the setting calls it."""
    hit = _parse(setting, delimiter.join(CELLS) + b"\r")

    assert (1431849903, b"192.0.2.7", b"GET", b"/a?b=1", 200, b"Firefox") == (
        *(hit.at, hit.address, hit.method, hit.target, hit.status, hit.agent),
    )


@pytest.mark.parametrize(
    ("written", "agent"),
    [
        (b'"a,b"', b"a,b"),
        (b'"say ""hi"""', b'say "hi"'),
        (rb'"a\",b"', rb"a\",b"),
        (b'""', b""),
        (b'a"b', b'a"b'),
    ],
)
def test_a_quoted_cell_may_hold_anything(written, agent):
    """Delimiters, doubled and escaped quotes stay within their cell."""
    assert agent == _parse(QUOTED, b",".join((*CELLS[:-1], written))).agent


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        *((b"", "blank"), (b"#Fields: x", "directive"), (b",".join(CELLS[:-1]), "columns")),
        *((b",".join((*CELLS, b"x")), "columns"), (b",".join((*CELLS[:-1], b'"x')), "columns")),
        *((b",".join((*CELLS[:-1], b'"x"y')), "columns"), (b",".join(CELLS) + b",", "columns")),
        (b",".join(CELLS).replace(b"200", b"-"), "status"),
        (b"time,ip,x,method,path,query,status,agent", "directive"),
    ],
)
def test_a_row_that_is_no_request_has_its_reason(line, reason):
    """Another number of cells, an open quote, the header of the columns."""
    assert reason == _parse(QUOTED, line)


def test_a_header_is_one_only_at_the_top():
    """After the first request a row of names is a broken row."""
    parse = resolve_format(TABS).parser().parse
    header = b"\t".join(b"time ip x method path query status agent".split())

    assert (parse(header), type(parse(b"\t".join(CELLS))), parse(header)) == ("directive", Hit, "time")


def test_date_and_clock_may_stand_apart():
    """A split time is one in UTC only if an offset or a zone says so."""
    columns = ["date", "clock", "address", "request", "status"]
    cells = (b"2015-05-17", b"10:05:03", b"192.0.2.7", b"GET / HTTP/1.1", b"200")
    line = b"\t".join(cells)

    assert _parse({"columns": columns, "time_zone": "Europe/Berlin"}, line).at == 1431849903
    assert _parse({"columns": columns}, line) == "time"
    assert _parse({"columns": columns}, line.replace(b"10:05:03", b"08:05:03Z")).at == 1431849903


def test_labels_come_in_any_order():
    """LTSV names each cell: order and further cells are free."""
    line = b"ua:Firefox: x\tst:200\tother:1\treq:GET /a HTTP/1.1\tip:192.0.2.7\tt:1431849903.5"
    hit = _parse({"ltsv": LABELS}, line)

    assert (1431849903, b"/a", b"Firefox: x") == (hit.at, hit.target, hit.agent)
    assert [_parse({"ltsv": LABELS}, bad) for bad in (b"", b"#", line + b"\tx", b"ip:1")] == [
        *("blank", "directive", "columns", "time"),
    ]


@pytest.mark.parametrize(
    ("written", "agent"),
    [
        (b"Mozilla/5.0+(X11;+U)", b"Mozilla/5.0 (X11; U)"),
        (
            b"Googlebot/2.1;++http://www.google.com/bot.html",
            b"Googlebot/2.1; +http://www.google.com/bot.html",
        ),
        (b"curl/8", b"curl/8"),
    ],
)
def test_plus_is_the_space_of_iis(written, agent):
    """IIS writes `+` for a space and leaves a plus: two of them are a space and a plus."""
    assert agent == spaces_for_plus(written)


@pytest.mark.parametrize(
    ("written", "agent"),
    [
        (b"Mozilla/5.0%20(X11;%20U)", b"Mozilla/5.0 (X11; U)"),
        (b"Mozilla/5.0%2520(X11;%2520U)", b"Mozilla/5.0 (X11; U)"),
        (b"My%2520App/1%20CFNetwork", b"My%20App/1 CFNetwork"),
        (b"100%", b"100%"),
        (b"%ff%00", b"\xff\0"),
    ],
)
def test_percents_of_cloudfront_are_undone(written, agent):
    """An agent is as the browser sent it, whether CloudFront encoded it once or, as of old, twice."""
    assert agent == percent_decoded(written)


W3C = b"#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)"
ROW = b"2015-05-17 08:05:03 192.0.2.7 GET /a 200 Mozilla/5.0+(X11)"


def test_columns_of_w3c_may_change_in_the_file():
    """Each #Fields: line decides what the lines after it mean."""
    parse = named_format("w3c").parser().parse
    lines = [
        W3C,
        ROW,
        b"#Fields: sc-status time date cs-uri-stem cs-method c-ip",
        b"404 08:05:03 2015-05-17 /b HEAD ::1",
    ]
    hits = [hit for hit in map(parse, lines) if isinstance(hit, Hit)]

    assert [(b"/a", 200, b"192.0.2.7"), (b"/b", 404, b"::1")] == [
        (h.target, h.status, h.address) for h in hits
    ]


@pytest.mark.parametrize(
    ("fields", "row", "reason"),
    [
        (b"#Fields:", ROW, "fields"),
        (b"#Fields: date c-ip cs-uri-stem cs-bytes", b"2003-11-18 192.168.1.101 /Default.htm 100", "time"),
        (W3C.replace(b"date ", b""), ROW.removeprefix(b"2015-05-17 "), "time"),
        (W3C.replace(b"c-ip", b"s-ip"), ROW, "address"),
        (W3C.replace(b"cs-method", b"x"), ROW, "request"),
        (W3C.replace(b"sc-status", b"x"), ROW, "status"),
        (W3C, ROW + b" x", "columns"),
        (W3C, b"", "blank"),
        (W3C, ROW.replace(b"192.0.2.7", b"-"), "address"),
    ],
)
def test_w3c_rows_that_are_no_requests(fields, row, reason):
    """A log that lacks what a hit needs is rejected under that field's name, line by line."""
    parse = named_format("w3c").parser().parse
    parse(fields)

    assert reason == parse(row)


def test_w3c_cells_may_be_quoted_and_queries_may_hold_quotes():
    """Some writers quote cells with spaces; IIS quotes nothing and writes a query's quotes as they came."""
    parse = resolve_format((W3C + b" cs-uri-query").decode()).parser().parse
    quoted = parse(ROW.replace(b"Mozilla/5.0+(X11)", b'"Mozilla/5.0 (X11; +x)"') + b" -")
    plain = parse(ROW + b' "><script>')

    assert (quoted.agent, plain.agent) == (b"Mozilla/5.0 (X11; +x)", b"Mozilla/5.0 (X11)")
    assert plain.target == b'/a?"><script>'


TEXT = st.binary(min_size=1, max_size=30)


@given(agent=TEXT.filter(lambda t: not set(t) & set(b'\t"\r\n')), status=st.integers(100, 599))
def test_a_written_row_is_read_back(agent, status):
    """What a row is written from is what it is read as."""
    cells = (*CELLS[:-2], b"%d" % status, agent)
    hit = _parse(TABS, b"\t".join(cells))

    assert (status, agent) == (hit.status, hit.agent)


@given(agent=TEXT.filter(lambda t: not set(t) & set(b"\\\r\n")))
def test_a_written_quoted_cell_is_read_back(agent):
    """Any bytes but a backslash survive quoting."""
    hit = _parse(QUOTED, b",".join((*CELLS[:-1], b'"' + agent.replace(b'"', b'""') + b'"')))

    assert agent == hit.agent


@pytest.mark.parametrize("setting", [TABS, QUOTED, {"ltsv": LABELS}])
@given(
    line=st.lists(
        st.sampled_from([b",", b"\t", b'"', b"\\", b":", b"#", *CELLS]) | st.binary(max_size=4)
    ).map(b"".join)
)
def test_no_bytes_raise(setting, line):
    """Whatever the bytes, a line is a hit or a reason."""
    assert isinstance(_parse(setting, line), Hit | str)


@given(
    lines=st.lists(
        st.lists(st.sampled_from([b" ", b"\t", b'"', b"+", *W3C.split(), *ROW.split()])).map(b"".join)
    )
)
def test_no_directives_raise(lines):
    """Whatever stands in #Fields: or after it, a line is a hit or a reason."""
    for name in ("w3c", "cloudfront"):
        parse = named_format(name).parser().parse

        assert all(
            isinstance(parse(line), Hit | str) for text in lines for line in (text, b"#Fields: " + text)
        )
