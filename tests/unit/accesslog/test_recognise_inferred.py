import json

import pytest

from usage_stats.accesslog.infer import infer_columns, infer_json

TIME, ADDRESS = "2026-04-01T10:00:00+02:00", "192.0.2.7"
ECS = {
    "@timestamp": TIME,
    "source": {"ip": ADDRESS},
    "http": {"request": {"method": "GET"}, "response": {"status_code": 200}},
    "url": {"original": "/a"},
    "user_agent": {"original": "Firefox"},
}
NGINX = {
    "time_local": "01/Apr/2026:10:00:00 +0200",
    "remote_addr": ADDRESS,
    "remote_user": "",
    "request": "GET /a HTTP/1.1",
    "status": "200",
    "http_referer": "-",
    "http_user_agent": "Firefox",
    "http_x_forwarded_for": "-",
    "http_cookie": "a=b",
}
GOOGLE = {
    "timestamp": TIME,
    "httpRequest": {
        "requestMethod": "GET",
        "requestUrl": "https://www.example.org/a",
        "status": 200,
        "userAgent": "Firefox",
        "remoteIp": ADDRESS,
    },
}
CADDY = {
    "ts": 1693840791.75,
    "request": {
        "client_ip": ADDRESS,
        "method": "GET",
        "host": "www.example.org",
        "uri": "/a",
        "headers": {"User-Agent": ["Firefox"], "Sec-Gpc": ["1"]},
    },
    "status": 200,
}
TRAEFIK = {
    "StartUTC": TIME,
    "ClientHost": ADDRESS,
    "RequestMethod": "GET",
    "RequestPath": "/a",
    "DownstreamStatus": 200,
}


def _lines(record, count=3):
    return [json.dumps(record).encode()] * count


@pytest.mark.parametrize(
    ("record", "keys"),
    [
        (
            ECS,
            ("@timestamp", "source.ip", "http.request.method", "url.original", "http.response.status_code"),
        ),
        (
            GOOGLE,
            (
                "timestamp",
                "httpRequest.remoteIp",
                "httpRequest.requestMethod",
                "httpRequest.requestUrl",
                "httpRequest.status",
            ),
        ),
        (CADDY, ("ts", "request.client_ip", "request.method", "request.uri", "status")),
        (TRAEFIK, ("StartUTC", "ClientHost", "RequestMethod", "RequestPath", "DownstreamStatus")),
    ],
    ids=("Elastic Common Schema", "Google Cloud", "Caddy", "Traefik"),
)
def test_the_keys_of_a_request_are_found_by_their_names(record, keys):
    """Time, address, method, path and status, however deep and however spelt."""
    fields = infer_json(_lines(record))["json"]

    assert keys == tuple(fields[name] for name in ("time", "address", "method", "path", "status"))
    assert "request" not in fields


def test_a_whole_request_line_is_preferred_to_its_parts():
    """One key tells method and path; the others are named for what they are."""
    expected = {
        "time": "time_local",
        "address": "remote_addr",
        "request": "request",
        "status": "status",
        "agent": "http_user_agent",
        "referrer": "http_referer",
        "user": "remote_user",
        "forwarded": "http_x_forwarded_for",
        "cookies": "http_cookie",
    }

    assert {"json": expected} == infer_json(_lines(NGINX))


@pytest.mark.parametrize("missing", ["time_local", "remote_addr", "request", "status"])
def test_a_log_without_what_a_request_needs_is_none(missing):
    """No time, no client, no request or no status: no access log."""
    assert None is infer_json(_lines({k: v for k, v in NGINX.items() if k != missing}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "ok"),
        ("status", True),
        ("status", 7),
        ("remote_addr", "somebody"),
        ("remote_addr", 7),
        ("time_local", "yesterday"),
        ("time_local", 0.25),
        ("request", {"id": 7}),
        ("request", "7f3a"),
    ],
)
def test_a_name_without_the_look_of_its_value_is_not_enough(key, value):
    """Programs use the same words for other things."""
    assert None is infer_json(_lines(NGINX | {key: value}))


def test_keys_that_only_one_record_has_are_not_believed():
    """What stands below a key of a single record may be a visitor's own word."""
    record = {k: v for k, v in NGINX.items() if k != "http_user_agent"}
    lines = [*_lines(record), json.dumps(record | {"ada": {"user_agent": "Firefox"}}).encode()]

    assert "agent" not in infer_json(lines)["json"]


@pytest.mark.parametrize(
    "lines",
    [[], [b""], [b"junk"], [b"[1]"], [b"{}"], [b'{"a":' * 5000], [b'{"\xff": 1}'], [b'{"status": NaN}']],
    ids=repr,
)
def test_what_is_no_json_of_a_request_is_none(lines):
    """Neither an exception nor a guess, whatever the bytes."""
    assert None is infer_json(lines)


@pytest.mark.parametrize(("delimiter", "quote"), [("\t", ""), (",", '"'), (";", ""), ("|", "")])
def test_the_columns_of_a_table_are_found_by_its_header(delimiter, quote):
    """Columns that mean nothing to us are read over."""
    header = ["timestamp", "Client-IP", "pop", "method", "url", "status", "user_agent"]
    row = [TIME, ADDRESS, "FRA", "GET", "/a", "200", f"{quote}Firefox{delimiter if quote else ''}{quote}"]
    lines = [delimiter.join(cells).encode() for cells in (header, row, row)]
    expected = {
        "columns": ["time", "address", "ignored", "method", "path", "status", "agent"],
        "delimiter": delimiter,
    } | ({"quote": '"'} if quote else {})

    assert expected == infer_columns(lines)


def test_a_table_without_a_header_is_none():
    """Where the first line is a row, no column has a name."""
    row = f"{TIME},{ADDRESS},GET,/a,200".encode()

    assert None is infer_columns([row, row])
    assert None is infer_columns([b"time,client_ip,method,path,status"])
    assert None is infer_columns([b"a,b,c,d", b"1,2,3,4"])
