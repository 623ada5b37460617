import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.accesslog.formats import named_format, resolve_format
from usage_stats.accesslog.hit import MAX_LINE_BYTES, Hit

KEYS = {"time": "t", "address": "a", "request": "r", "status": "s", "agent": "h.ua", "cookies": "h.cookie"}
KEYS |= {"user": "u", "referrer": "h.ref", "vhost": "host", "forwarded": "h.xff", "gpc": "gpc", "dnt": "dnt"}
RECORD = {"t": 1431849903, "a": "192.0.2.7", "r": "GET / HTTP/1.1", "s": 200}


def _parse(line, **options):
    return resolve_format({"json": KEYS}).parser(**options).parse(line)


def _with(**values):
    return _parse(json.dumps(RECORD | values).encode(), cookie="sid")


def test_a_record_gives_its_hit():
    """Each value is in the hit, as the bytes that the client sent."""
    headers = {
        "ua": 'caf\xe9 "\u20ac"',
        "cookie": "a=1; sid=7",
        "ref": "https://r.example/",
        "xff": "10.0.0.1",
    }
    hit = _with(u="ada", host="www.example.org", h=headers, gpc="1", dnt=1)

    assert tuple(hit) == (
        *(1431849903, b"192.0.2.7", b"ada", b"7", 'caf\xe9 "\u20ac"'.encode(), b"GET", b"/", 200),
        *(b"https://r.example/", b"www.example.org", b"10.0.0.1", True, True),
    )


@pytest.mark.parametrize(
    ("written", "at"),
    [
        *((1431849903, 1431849903), (1431849903.999, 1431849903), (1431849903999, 1431849903)),
        *((1431849903999999, 1431849903), (1431849903999999999, 1431849903), ("1431849903.5", 1431849903)),
        *(("1431849903999", 1431849903), ("2015-05-17T10:05:03+02:00", 1431849903)),
        *(("2015-05-17T08:05:03.123456789Z", 1431849903), ("2015-05-17 10:05:03.5 +0200", 1431849903)),
        *(("17/May/2015:10:05:03 +0200", 1431849903), ("[17/May/2015:10:05:03 +0200]", 1431849903)),
        *(("2015-05-17 08:05:03+00", 1431849903), (0, 0), ("2099-01-01T00:00:00Z", 4070908800)),
    ],
)
def test_times_are_told_apart_by_their_looks(written, at):
    """CLF, ISO 8601 and epochs in s, ms, µs and ns give the same second, fractions cut off."""
    assert at == _with(t=written).at


@pytest.mark.parametrize(
    "written",
    [
        *(None, "", "-", True, [], {}, -1, "-1", 1e30, 10**30, "1e9", "x" * 50, "2015-05-17T10:05:03"),
        *("2015-02-31T00:00:00Z", "2015-05-17T10:05:60Z", "2015-05-17T10:05: 3Z", "2015-05-17T10:05:03.Z"),
        *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "17/May/2015:10:05:+3 +0000", "1.", ".1"),
        *(
            "17/Foo/2015:10:05:03 +0000",
            "\uff12015-05-17T10:05:03Z",
            "2015-05-17T10:05:03+2",
            "1431849903.5.5",
        ),
    ],
)
def test_what_tells_no_instant_is_no_time(written):
    """A time that no calendar has, or that could be any of several, makes the line a reject under `time`."""
    assert _with(t=written) == "time"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        *(({"a": 7}, "address"), ({"a": None}, "address"), ({"a": "192.0.2.256"}, "address")),
        *(({"a": "1.2.3.4, 5.6.7.8"}, "address"), ({"a": ["1.2.3.4", "5.6.7.8"]}, "address")),
        *(({"s": 99}, "status"), ({"s": 600}, "status"), ({"s": "2xx"}, "status"), ({"s": True}, "status")),
        *(({"s": None}, "status"), ({"s": [200]}, None), ({"s": {}}, "status"), ({"s": 200.5}, "status")),
        *(
            ({"s": "200"}, None),
            ({"s": "0200"}, "status"),
            ({"s": 10**5000}, "json"),
            ({"s": -200}, "status"),
        ),
        *(({"r": 7}, "request"), ({"r": {"method": "GET"}}, "request"), ({"r": ["a", "b"]}, "request")),
        *(({"u": 7}, None), ({"u": True}, "user"), ({"u": {}}, "user"), ({"u": 10**30}, "user")),
        *(({"h": {"ua": 7}}, "agent"), ({"h": {"ua": ["a", "b"]}}, "agent"), ({"h": {"ua": []}}, None)),
        *(({"h": {"cookie": 7}}, "cookie"), ({"h": 7}, None), ({"h": {"ref": 7, "xff": {}}}, None)),
        *(({"host": []}, None), ({"gpc": [], "dnt": "yes"}, None)),
    ],
)
def test_a_wrong_type_is_a_precise_reason_or_absent(values, reason):
    """What tells visitors apart must be right; what nobody's count depends on is absent if it is not."""
    line = json.dumps(RECORD | {k: v for k, v in values.items() if v != 10**5000}).encode()
    if 10**5000 in values.values():
        line = line.replace(b"200", b"1" + b"0" * 5000)
    result = _parse(line, cookie="sid")

    assert reason == (None if isinstance(result, Hit) else result)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        *((b"", "blank"), (b" \r", "blank"), (b"# x", "directive"), (b"{", "json"), (b"{}", "time")),
        *((b"[]", "json"), (b"7", "json"), (b'"x"', "json"), (b"null", "json"), (b"{]", "json")),
        *((b'{"t":NaN}', "json"), (b'{"x":-Infinity}', "json"), (b'{"t":1e999}', "time"), (b"{} {}", "json")),
        *((b'{"a":' * 200_000, "json"), (b'{"a":' + b"[" * 200_000, "json"), (b"{'t':1}", "json")),
        *((b"{" + b" " * MAX_LINE_BYTES, "too_long"), (b"\xef\xbb\xbf{}", "json"), (b"{}\r", "time")),
        (b"192.0.2.7 - - [17/May/2015:10:05:03 +0000]", "json"),
    ],
)
def test_what_is_no_json_object_is_told(line, reason):
    """Broken, deep, huge or foreign lines are counted under a reason and never raise."""
    assert reason == _parse(line)


def test_bytes_that_are_no_utf_8_come_through():
    """What is no UTF-8 is written by nginx as it came; lone surrogates stay distinct values, too."""
    line = json.dumps(RECORD).encode()[:-1] + b', "h": {"ua": "%b"}}'
    agents = [_parse(line % text).agent for text in (b"caf\xe9", b"\xff\xfe", rb"\ud800", rb"\u0000\"")]

    assert agents == [b"caf\xe9", b"\xff\xfe", b"\xed\xa0\x80", b'\0"']


def test_a_key_given_twice_has_its_last_value():
    """As in nearly every reader of JSON."""
    assert _parse(json.dumps(RECORD).encode()[:-1] + b', "s": 404}').status == 404


def test_keys_may_be_flattened_or_have_alternatives():
    """A dotted key is found nested or as it is; of several keys the first that is there counts."""
    parser = resolve_format({"json": KEYS | {"address": ["client.ip", "peer"]}}).parser()
    found = [
        parser.parse(json.dumps({**RECORD, **client}).encode())
        for client in (
            {"client": {"ip": "10.0.0.1"}},
            {"client.ip": "10.0.0.1"},
            {"peer": "10.0.0.1"},
            {"client": 7},
        )
    ]

    assert [b"10.0.0.1"] * 3 == [hit.address for hit in found[:3]]
    assert found[3] == "address"


def test_addresses_lose_their_port():
    """Some servers write the client's port beside its address."""
    written = ["192.0.2.7:80", "[2001:db8::7]:80", "[2001:db8::7]", "2001:db8::7", "localhost"]
    addresses = [_with(a=text).address for text in written]

    assert addresses == [b"192.0.2.7", *[b"2001:db8::7"] * 3, b"localhost"]


def test_header_lists_are_joined_as_http_joins_them():
    """Several lines of one header are one value: cookies by `; `, chains by `, `."""
    hit = _with(h={"cookie": ["a=1", "sid=7"], "xff": ["10.0.0.1", "10.0.0.2"], "ua": ["x"]})

    assert (b"7", b"10.0.0.1, 10.0.0.2", b"x") == (hit.cookie, hit.forwarded, hit.agent)


@pytest.mark.parametrize("name", ["caddy", "traefik", "envoy_json", "nginx_json"])
@given(data=st.data())
def test_any_json_is_a_hit_or_a_reason(name, data):
    """No value of any type under any key raises."""
    record = json.loads(named_format(name).example)
    parse = named_format(name).parser(cookie="a").parse
    keys = [k for k in record if not isinstance(record[k], dict)]
    inner = [(outer, k) for outer in record if isinstance(record[outer], dict) for k in record[outer]]
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
    record[data.draw(st.sampled_from(keys))] = data.draw(values)
    for outer, key in inner:
        if data.draw(st.booleans()):
            record[outer][key] = data.draw(values)

    assert isinstance(parse(json.dumps(record).encode("utf-8", "surrogatepass")), Hit | str)
