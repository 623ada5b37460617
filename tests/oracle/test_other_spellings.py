"""One real log, written as other servers would have written it: the same figures, whatever format or packing."""

import bz2
import gzip
import json
import lzma
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
import zstandard

from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

LOG = (
    Path(__file__).resolve().parents[2]
    / ".."
    / "shared"
    / "data"
    / "logs"
    / "elastic-examples"
    / "apache_logs.log"
)
NOW = datetime(2026, 6, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not LOG.is_file(), reason="the real logs are kept beside the project, in ../shared/data"
)

LINE = re.compile(
    rb'(\S+) - - \[([^\]]+)\] "([A-Z]+) (/\S*) (HTTP/1\.[01])" (\d{3}) (\S+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)


def _fields(line):
    """What a line says, if each format has words for it: no malformed request, no user, nothing escaped."""
    match = LINE.fullmatch(line)
    if match is None or b"\\" in line or b"\t" in line:
        return None
    names = ("address", "time", "method", "target", "protocol", "status", "bytes", "referrer", "agent")
    found = dict(zip(names, match.groups(), strict=True))
    path, _, query = found["target"].partition(b"?")
    at = datetime.strptime(found["time"].decode(), "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
    return {**found, "path": path, "query": query or b"-", "at": at}


def _json_line(record):
    """As nginx does: bytes that are no UTF-8 stay as they are."""
    text = {k: v.decode("utf-8", "surrogateescape") if isinstance(v, bytes) else v for k, v in record.items()}
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _combined(f):
    request = b" ".join((f["method"], f["target"], f["protocol"]))
    cells = (f["address"], f["time"], request, f["status"], f["bytes"], f["referrer"], f["agent"])
    return b'%s - - [%s] "%s" %s %s "%s" "%s"' % cells


def _nginx_json(f):
    request = b" ".join((f["method"], f["target"], f["protocol"]))
    return _json_line(
        {
            "time_iso8601": f["at"].isoformat(),
            "remote_addr": f["address"],
            "remote_user": "",
            "request": request,
            "status": int(f["status"]),
            "http_referer": f["referrer"],
            "http_user_agent": f["agent"],
        }
    )


def _caddy(f):
    headers = {"User-Agent": [f["agent"].decode("utf-8", "replace")]} if f["agent"] != b"-" else {}
    request = {
        "remote_ip": f["address"].decode(),
        "client_ip": f["address"].decode(),
        "method": f["method"].decode(),
        "host": "www.example.org",
        "uri": f["target"].decode("utf-8", "replace"),
        "headers": headers,
    }
    record = {
        "level": "info",
        "ts": f["at"].timestamp() + 0.25,
        "logger": "http.log.access",
        "msg": "handled request",
    }
    return _json_line({**record, "request": request, "user_id": "", "status": int(f["status"])})


def _w3c(f):
    agent = f["agent"].replace(b" ", b"+")
    cells = (
        *(
            f["at"].strftime("%Y-%m-%d %H:%M:%S").encode(),
            f["address"],
            b"-",
            f["method"],
            f["path"],
            f["query"],
        ),
        *(f["status"], agent, f["referrer"].replace(b" ", b"+")),
    )
    return b" ".join(cells)


def _cloudfront(f):
    agent, referrer = (_percent_encoded(f[name]) for name in ("agent", "referrer"))
    cells = (
        *(f["at"].strftime("%Y-%m-%d\t%H:%M:%S").encode(), b"FRA2", b"5120", f["address"], f["method"]),
        *(b"d1.cloudfront.net", f["path"], f["status"], referrer, agent, f["query"]),
        *(b"-", b"Hit", b"MRVMF7KydIvxMWfJIglg", b"www.example.org", b"https", b"217", b"0.001"),
    )
    return b"\t".join(cells)


def _percent_encoded(value):
    return value if value == b"-" else quote_from_bytes(value, safe="/:;,()=+?&@~!$'*[]%").encode()


def _alb(f):
    at = f["at"].strftime("%Y-%m-%dT%H:%M:%S.127531Z").encode()
    request = b"%s https://www.example.org:443%s %s" % (f["method"], f["target"], f["protocol"])
    return (
        b"https %s app/site/1 %s:2817 10.0.0.1:80 0.001 0.102 0.000 %s %s 225 5120"
        % (at, f["address"], f["status"], f["status"])
        + b' "%s" "%s" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elb/1 "Root=1-1-1" "www.example.org"'
        % (request, f["agent"])
        + b' "arn:aws:acm/1" 0 %s "forward" "-" "-" "10.0.0.1:80" "%s" "-" "-"' % (at, f["status"])
    )


def _ltsv(f):
    request = b" ".join((f["method"], f["target"], f["protocol"]))
    cells = {
        "time": b"[%s]" % f["time"],
        "host": f["address"],
        "user": b"-",
        "req": request,
        "status": f["status"],
    }
    cells |= {"referer": f["referrer"], "ua": f["agent"]}
    return b"\t".join(name.encode() + b":" + value for name, value in cells.items())


W3C_HEAD = (
    b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2015-05-17 10:05:03\n"
    b"#Fields: date time c-ip cs-username cs-method cs-uri-stem cs-uri-query sc-status cs(User-Agent) cs(Referer)\n"
)
CLOUDFRONT_HEAD = (
    b"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status"
    b" cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header"
    b" cs-protocol cs-bytes time-taken\n"
)
# How a server writes a line, its file's first lines, how the file is packed, and the name that is found for it.
SPELLINGS = {
    "nginx_json": (_nginx_json, b"", gzip.compress),
    "caddy": (_caddy, b"", zstandard.ZstdCompressor().compress),
    "w3c": (_w3c, W3C_HEAD, bytes),
    "cloudfront": (_cloudfront, CLOUDFRONT_HEAD, gzip.compress),
    "alb": (_alb, b"", lzma.compress),
    "ltsv": (_ltsv, b"", bz2.compress),
}


@pytest.fixture(scope="module")
def fields():
    """What each line says."""
    return [f for line in LOG.read_bytes().split(b"\n") if (f := _fields(line))]


def _ran(root, content):
    """A run over one log, its format not named: the partner's files, and what was read."""
    (root / "logs").mkdir(parents=True)
    (root / "logs" / "access").write_bytes(content)
    settings = {
        "site": "spelt",
        "components": [
            {"name": part, "paths": [f"/{part}/**"]} for part in ("blog", "projects", "presentations")
        ],
        "partners": [{"id": "acme"}],
        "gaps": "accept",
    }
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    workspace = open_workspace(root)
    found = run(workspace, NOW, Silent()).ingested
    (entry,) = workspace.ingested.entries()
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted((root / "releases").rglob("*.csv"))}
    return files, found, entry["format"]


@pytest.fixture(scope="module")
def combined(fields, tmp_path_factory):
    """The run over the lines as Apache wrote them."""
    root = tmp_path_factory.mktemp("spelt") / "combined"
    return _ran(root, b"".join(_combined(f) + b"\n" for f in fields))


def test_the_lines_say_enough(fields, combined):
    """Nearly all lines of the log can be written in each format, and figures are published of them."""
    files, found, _ = combined

    assert len(fields) > 9_900
    assert (len(fields), len(fields)) == (found.lines, found.parsed)
    assert 4 + 2 + 1 == len(files)
    assert sum(content.count(b",published") for content in files.values()) > 15


@pytest.mark.parametrize("way", ["plain", "compiled"])
@pytest.mark.parametrize("name", SPELLINGS)
def test_each_format_gives_the_same_figures(name, way, fields, combined, tmp_path, monkeypatch):
    """The format is recognised, every line is read, and what is published is the same, byte for byte."""
    write, head, pack = SPELLINGS[name]
    if way == "compiled":
        monkeypatch.setattr("usage_stats.flow.ingest._is_large", lambda _: True)
        monkeypatch.setattr("usage_stats.measure.usage.LARGE_DAY", 0)
    content = head + b"".join(write(f) + b"\n" for f in fields)
    files, found, read_as = _ran(tmp_path / "workspace", pack(content))
    directives = {"directive": head.count(b"\n")} if head else {}

    assert name == read_as
    assert (len(fields), directives) == (found.parsed, dict(found.rejected))
    assert combined[1].outcomes == found.outcomes
    assert combined[0] == files
