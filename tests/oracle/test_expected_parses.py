"""Logs of many servers with the parse that others expect of each line, compared field by field with ours."""

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from usage_stats.accesslog.formats import NAMED_FORMATS, named_format, resolve_format
from usage_stats.accesslog.hit import Hit

LOGS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "logs"

pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs are kept beside the project, in ../shared/data"
)

# File → the format it is read by; None: the first of all named and pasted ones that reads a line.
FILEBEAT = dict.fromkeys(
    (
        *("apache-access/darwin-2.4.23.log", "apache-access/ssl-request.log", "apache-access/test-vhost.log"),
        *("apache-access/test.log", "apache-access/ubuntu-2.2.22.log", "nginx-access/access.log"),
        *("nginx-access/test-with-host.log", "nginx-access/test.log"),
    )
) | {"iis-access/test-iis-7.2.log": "w3c", "iis-access/test.log": "w3c"}
CROWDSEC = {
    "apache2-logs/apache2-logs.log": None,
    "caddy-logs/caddy-logs.log": "caddy",
    "envoy-logs/envoy.log": None,
    "haproxy-logs/haproxy-logs.log": "haproxy",
    "nginx_http-logs/nginx_http-logs.log": None,
    "traefik_clf/traefik_clf.log": "traefik_clf",
}
# Beside the named formats, what an operator would paste for the servers that wrote these files.
CLIENT = '- $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
PASTED = (
    f"$proxy_add_x_forwarded_for {CLIENT}",
    f'"$http_x_forwarded_for" $remote_addr {CLIENT}',
    f"$http_x_forwarded_for $remote_addr {CLIENT}",
    f"$host $proxy_add_x_forwarded_for {CLIENT}",
    f'$host "$http_x_forwarded_for" $remote_addr {CLIENT}',
    f"$host:$server_port $http_x_forwarded_for $remote_addr {CLIENT}",
    f'$host $proxy_add_x_forwarded_for {CLIENT} "$http_via"',
    f'$proxy_add_x_forwarded_for {CLIENT} "$http_via"',
)
COMPARED = ("at", "address", "method", "target", "status", "agent", "referrer", "account")

LAST_MEMBER = (
    "of a chain of addresses the last is whom the nearest proxy saw; every one before it could be the client's "
    "own words, and the trusted part of the chain is in `forwarded`"
)
PEER = (
    "the format logs who connected beside the header: that is the address, the header is the chain, and which "
    "proxies to believe is decided later"
)
NO_CLIENT = "`unix:` is the server's own socket, no client's address or name"
# File and line (from 1) → per field why ours differs; `reason` where ours is no hit at all.
DEVIATIONS = {
    **{
        ("apache-access/ssl-request.log", n): {
            "reason address": "the log of TLS handshakes has no status: whether a page was seen cannot be told"
        }
        for n in (1, 2)
    },
    ("nginx-access/test-with-host.log", 1): {"address": LAST_MEMBER},
    **{("nginx-access/test-with-host.log", n): {"address": PEER} for n in (5, 6)},
    ("nginx-access/test-with-host.log", 8): {"reason time": NO_CLIENT},
    ("nginx-access/test.log", 1): {"address": LAST_MEMBER},
    **{("nginx-access/test.log", n): {"address": PEER} for n in (5, 6)},
    ("nginx-access/test.log", 8): {"reason time": NO_CLIENT},
    **{
        ("iis-access/test.log", n): {
            "reason columns": "15 values under a #Fields: line of 22: which is which cannot be told from the log"
        }
        for n in (16, 17)
    },
    **{
        ("caddy-logs/caddy-logs.log", n): {
            "reason status": "status 0 is none: Caddy sent no answer (RFC 9110, section 15: 100 to 599)"
        }
        for n in range(1, 8)
    },
    **{("envoy-logs/envoy.log", n): {"address": LAST_MEMBER} for n in (9, 10)},
    ("nginx_http-logs/nginx_http-logs.log", 8): {
        "reason time": "one field too few: without a user or its `-` no configuration writes the line"
    },
    ("traefik_clf/traefik_clf.log", 5): {
        "reason status": "status `-` is none: the client was gone before the answer, no page was seen"
    },
}
# File → the format that its server writes, how many lines are requests, and why the others are none.
OTHERS = {
    "matomo-log-analytics/alb.log": ("alb", 1, {}),
    "matomo-log-analytics/amazon_cloudfront_web.log": ("cloudfront", 1, {"directive": 2}),
    "matomo-log-analytics/caddy_json.log": ("caddy", 3, {}),
    "matomo-log-analytics/common.log": ("common", 1, {}),
    "matomo-log-analytics/common.log.gz": ("common", 1, {}),
    "matomo-log-analytics/common_complete.log": ("vhost_combined", 1, {}),
    "matomo-log-analytics/common_vhost.log": ("vhost_common", 1, {}),
    "matomo-log-analytics/elb.log": ("elb", 1, {"directive": 1, "status": 1}),  # a TCP connection, no request
    "matomo-log-analytics/haproxy.log": ("haproxy", 1, {}),
    "matomo-log-analytics/iis.log": ("w3c", 1, {"directive": 4}),
    "matomo-log-analytics/ncsa_extended.log": ("combined", 1, {}),
    "matomo-log-analytics/nginx_json.log": ("nginx_json", 2, {}),
    "matomo-log-analytics/ovh.log": ('%h %v %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"', 1, {}),
    "matomo-log-analytics/s3.log": ("s3", 1, {}),
    "matomo-log-analytics/static_ignores.log": ("vhost_combined", 4, {}),
    "brianary-iis/ex010320.log": (
        "w3c",
        0,
        {"time": 2},
    ),  # the IIS format of the nineties: local time, no zone
    "brianary-iis/ex031118.log": ("w3c", 0, {"directive": 4, "time": 3, "columns": 1}),  # a date, and no time
    "brianary-iis/ex960101.log": ("w3c", 5, {"directive": 1}),
    "brianary-iis/pf040903.log": ("w3c", 0, {"directive": 4, "blank": 1, "address": 4}),  # a firewall's log
    "webreadr/combined_log.clf": ("combined", 12, {}),
    "webreadr/iis.log": ("w3c", 1, {"directive": 4}),
    "webreadr/log.aws": ("cloudfront", 2, {"directive": 2}),
    "webreadr/log.clf": ("common", 2, {}),
    "haproxy_log_analysis/2_ok_1_invalid.log": ("haproxy", 2, {"time": 1}),  # its time is empty
    "haproxy_log_analysis/small.log": ("haproxy", 9, {}),
    "apache-drill/dfs-bootstrap.httpd": ('%h %t "%r" %>s %b "%{Referer}i"', 2, {}),
    "apache-drill/example1.httpd": (
        '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Cookie}i"',
        1,
        {},
    ),
    "apache-drill/multiformat.access_log": ("combined", 1, {"address": 1, "agent": 1}),  # three formats
    "apache-drill/typeremap.httpd": ("combined", 1, {"referrer": 2}),  # three formats
    "awstats/testnginx.log": ("vhost_short", 1, {"directive": 1}),
    "awstats/testsmall.log": ("combined", 3, {}),
    "awstats/testtime5.log": ("combined_iso8601", 2, {}),
    "nielsbasjes-logparser/access.log": ("combined", 1, {}),
    "nielsbasjes-logparser/access_log.gz": ("combined", 16, {"ident": 1}),  # a line of x
}
CHROME_17 = (
    b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/535.11 (KHTML, like Gecko) Chrome/17.0.963.56 Safari/535.11"
)
# File → its last request: time, address, account, agent, method, target, status, referrer, virtual host.
DRAWN = {
    "matomo-log-analytics/alb.log": (
        *("2020-01-01T00:55:04+00:00", b"1.2.3.4", None, CHROME_17, b"GET", b"/path/index.html", 200, None),
        b"www.example.com",
    ),
    "matomo-log-analytics/elb.log": (
        *("2015-05-13T23:39:43+00:00", b"1.2.3.4", None, CHROME_17, b"GET", b"/path/index.html", 200, None),
        b"www.example.com",
    ),
    "matomo-log-analytics/s3.log": (
        *("2012-02-10T16:42:07-05:00", b"1.2.3.4", b"arn:aws:iam::179580289999:user/phillip.boss", CHROME_17),
        *(b"GET", b"/index", 200, None, b"www.example.com"),
    ),
    "matomo-log-analytics/ovh.log": (
        *("2012-02-10T16:42:07-05:00", b"1.2.3.4", b"theuser", CHROME_17, b"GET", b"/", 301, None),
        b"www.example.com",
    ),
    "matomo-log-analytics/amazon_cloudfront_web.log": (
        *("2014-05-23T01:13:11+00:00", b"192.0.2.10", None),
        (
            b"Mozilla/5.0 (Windows; U; Windows NT 6.1; de-DE) AppleWebKit/534.17 (KHTML, like Gecko) "
            b"Chrome/10.0.649.0 Safari/534.17"
        ),
        *(b"GET", b"/view/my/file.html", 200, b"https://example.com/", b"example.com"),
    ),
    "matomo-log-analytics/iis.log": (
        *("2012-04-01T00:00:13+00:00", b"1.2.3.4", b"theuser"),
        b"Mozilla/5.0 (X11; U; Linux i686; en-US; rv:1.9.2.7) Gecko/20100722 Firefox/3.6.7",
        *(b"GET", b"/foo/bar?topCat1=divinity&submit=Search", 200, None, b"example.com"),
    ),
    "matomo-log-analytics/haproxy.log": (
        *("2018-09-25T06:05:27+00:00", b"4.3.2.1", None, None, b"POST", b"/user/", 200, None, None),
    ),
    "brianary-iis/ex960101.log": (
        *("1996-01-01T10:48:05+00:00", b"195.52.225.44", None, b"Mozilla/4.0 [en] (WinNT; I)", b"GET"),
        *(b"/graphics/backg/backg1.gif", 200, b"http://webtrends.sample.com/loganalyzer/info.htm", None),
    ),
    "webreadr/log.aws": (
        *("2016-03-03T20:16:02+00:00", b"198.8.80.60", None),
        (
            b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu Chromium/48.0.2564.116 "
            b"Chrome/48.0.2564.116 Safari/537.36"
        ),
        *(b"GET", b"/work", 302, b"https://example.com/blog/", b"example.com"),
    ),
}


def _lines(path):
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    return data.splitlines()


def _filebeat(name):
    """Each line and the values expected of it, in our names."""
    expected = []
    path = LOGS / "filebeat" / name
    for record in json.loads(path.with_name(path.name + "-expected.json").read_text(encoding="utf-8")):
        values = {
            "at": int(datetime.fromisoformat(record["@timestamp"]).timestamp()),
            "address": record.get("source.address"),
            "method": record.get("http.request.method"),
            "target": record.get("url.original"),
            "status": record.get("http.response.status_code"),
            "agent": record.get("user_agent.original"),
            "referrer": record.get("http.request.referrer"),
            "account": record.get("user.name"),
        }
        if record.get("url.query") and name.startswith("iis"):
            values["target"] = None  # theirs is the path alone, and the query decoded
        expected.append((record["event.original"], values))
    return expected


ASSERTION = re.compile(
    r'results\["s01-parse"\]\["[^"]+"\]\[(\d+)\]\.Evt\.(?:Parsed|Meta)\["(\w+)"\] == (".*")'
)
CROWDSEC_NAMES = {
    "address": ("source_ip",),
    "method": ("verb", "http_verb"),
    "target": ("request", "http_path"),
    "status": ("http_status",),
    "agent": ("http_user_agent",),
    "referrer": ("http_referer", "referrer"),
    "account": ("remote_user", "auth"),
    "at": ("time_local", "timestamp", "accept_date", "time"),
}


def _crowdsec(name):
    asserted = {}
    for line in (LOGS / "crowdsec-hub" / name).with_name("parser.assert").read_text().splitlines():
        match = ASSERTION.fullmatch(line)
        if match:
            asserted.setdefault(int(match[1]), {})[match[2]] = json.loads(match[3])
    return [
        _crowdsec_values(a) for _, a in sorted(asserted.items()) if a.get("log_type") == "http_access-log"
    ]


def _crowdsec_values(asserted):
    values = {
        field: next((asserted[name] for name in names if name in asserted), None)
        for field, names in CROWDSEC_NAMES.items()
    }
    values["at"] = values["at"] and _instant(values["at"])
    values["status"] = int(values["status"]) if (values["status"] or "").isdigit() else None
    return asserted["message"], values


def _instant(text):
    for layout in ("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y:%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            at = datetime.strptime(text, layout)
        except ValueError:
            continue
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    raise AssertionError(layout)


def _ours(lines, name):
    """Per line the hit of the first format that reads it, or the reasons that all give."""
    formats = [named_format(name)] if name else [*NAMED_FORMATS, *map(resolve_format, PASTED)]
    parsers = [log_format.parser() for log_format in formats]
    for line in lines:
        results = [parser.parse(line) for parser in parsers]
        hits = [result for result in results if isinstance(result, Hit)]
        yield hits[0] if hits else Counter(results).most_common(1)[0][0]


def _plain(value):
    if value is None or value in {b"-", b"", "-", ""}:
        return None
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _differences(hit, expected):
    """Fields of ours that are not as expected; where nothing is expected of a field, nothing is compared."""
    if not isinstance(hit, Hit):
        return {"reason": hit}
    found = {}
    for field in COMPARED:
        theirs = _plain(expected[field])
        ours = _plain(getattr(hit, field))
        if theirs is not None and ours != theirs:
            found[field] = (ours, theirs)
    return found


def _deviations(name, lines, ours, expected):
    """Line number → what is not as expected, for the lines of which something is expected."""
    found = {}
    for number, (line, hit) in enumerate(zip(lines, ours, strict=True), start=1):
        values = next((v for text, v in expected if line.decode().endswith(text)), None)
        if values is not None:
            differences = _differences(hit, values)
            if differences:
                found[name, number] = differences
    return found


@pytest.mark.parametrize("name", FILEBEAT)
def test_filebeat_reads_the_same(name):
    """Time, address, request, status, agent, referrer and user are those of Filebeat's own tests."""
    lines = _lines(LOGS / "filebeat" / name)
    expected = _filebeat(name)
    found = _deviations(name, lines, _ours(lines, FILEBEAT[name]), expected)

    assert len(expected) == sum(1 for line in lines if line and not line.startswith(b"#"))
    assert {key: set(why) for key, why in DEVIATIONS.items() if key[0] == name} == _fields(found)


@pytest.mark.parametrize("name", CROWDSEC)
def test_crowdsec_reads_the_same(name):
    """Time, address, request, status, agent, referrer and user are those of CrowdSec's own tests."""
    lines = _lines(LOGS / "crowdsec-hub" / name)
    expected = _crowdsec(name)
    found = _deviations(name, lines, _ours(lines, CROWDSEC[name]), expected)

    assert expected
    assert {key: set(why) for key, why in DEVIATIONS.items() if key[0] == name} == _fields(found)


def _fields(found):
    """The fields that differ, or with a rejected line its reason."""
    return {key: {f"reason {d['reason']}"} if "reason" in d else set(d) for key, d in found.items()}


def test_every_deviation_is_argued():
    """What we read otherwise has its reason written beside it."""
    assert all(len(why) > 20 for fields in DEVIATIONS.values() for why in fields.values())


@pytest.mark.parametrize("name", OTHERS)
def test_other_collections_are_read_as_their_format(name):
    """Each log is read by the format of the server that wrote it; what is no request has its reason."""
    log_format, parsed, reasons = OTHERS[name]
    parse = resolve_format(log_format).parser().parse
    results = [parse(line) for line in _lines(LOGS / name)]

    assert reasons == Counter(result for result in results if not isinstance(result, Hit))
    assert parsed == sum(isinstance(result, Hit) for result in results)


@pytest.mark.parametrize("name", DRAWN)
def test_the_last_line_says_what_a_person_reads_in_it(name):
    """Values drawn by hand, as the client sent them, whatever the server made of them."""
    at, *values = DRAWN[name]
    parse = resolve_format(OTHERS[name][0]).parser(cookie="ASP.NET_SessionId").parse
    hit = [h for line in _lines(LOGS / name) if isinstance(h := parse(line), Hit)][-1]
    shown = (hit.address, hit.account, hit.agent, hit.method, hit.target, hit.status, hit.referrer, hit.vhost)

    assert int(datetime.fromisoformat(at).timestamp()) == hit.at
    assert tuple(values) == shown


def test_a_cookie_is_found_among_others_in_w3c():
    """IIS writes the whole Cookie header; the configured one is taken by its name."""
    parse = named_format("w3c").parser(cookie="__utma").parse
    hit = [
        h for line in _lines(LOGS / "matomo-log-analytics" / "iis.log") if isinstance(h := parse(line), Hit)
    ][-1]

    assert hit.cookie == b"21468.206199.142713.144683.183.1"


def test_caddy_tells_of_gpc_and_dnt():
    """Header values are lists in Caddy's log; both switches of these requests are on."""
    parse = named_format("caddy").parser().parse
    hits = [parse(line) for line in _lines(LOGS / "matomo-log-analytics" / "caddy_json.log")]

    assert [(True, True)] * 3 == [(hit.gpc, hit.dnt) for hit in hits]
