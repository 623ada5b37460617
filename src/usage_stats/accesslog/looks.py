"""The first lines of a file that is no access log → what it looks like, and what to do about it.

Belongs here: the look of other files, as data; sentences that quote nothing of the file.
Does not: access logs of any format (formats, infer), or raising the refusal (recognise).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

__all__ = ["Look", "inner_lines", "look_of", "never_access"]


class Look(NamedTuple):
    """What a file looks like, with its article, and the remedy as a sentence without its full stop."""

    what: str
    remedy: str


_REPORT: Final = "usage is counted from the access log itself: name that file"
_ACCESS_LOG: Final = (
    "usage is counted from the access log: name the file of CustomLog (Apache) or access_log (nginx) instead"
)
_DOCUMENT_BYTES = 4096  # the beginning that tells what a document is
# A quarter: messages of several lines and stack traces make up the rest of many an error log.
_MINIMUM_SHARE = 0.25

# The beginning of a whole file. Source: file(1)'s magic numbers.
_DOCUMENTS = (
    (
        rb"\xff\xfe|\xfe\xff",
        Look("a text in UTF-16", "write it as UTF-8: iconv -f UTF-16 -t UTF-8, or Out-File -Encoding utf8"),
    ),
    (rb"LPKSHHRH", Look("a journal of systemd", "write its messages out: journalctl -o cat --file FILE")),
    (rb"\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x0a\x0d\x0d\x0a", Look("a capture of network packets", _REPORT)),
    (
        rb"SQLite format 3\0|PAR1|Obj\x01|ARROW1|%PDF-|\x89PNG|\xff\xd8\xff|GIF8|\x7fELF|MZ.{58}",
        Look("a binary file", _REPORT),
    ),
    (
        rb"(?is)\s*(?:<!doctype html|<html).*?apache server status",
        Look("a server-status page of Apache", _ACCESS_LOG),
    ),
    (
        rb"(?is)\s*(?:<!--.*?-->\s*)?(?:<!doctype html|<html|<head|<body)",
        Look(
            "an HTML page", "a download may have ended at a login or error page: fetch the log file once more"
        ),
    ),
    (rb"\s*(?:\xef\xbb\xbf)?<\?xml|\s*<[A-Za-z][\w:-]*[ >]", Look("an XML document", _REPORT)),
    (rb"Active connections: \d+", Look("a stub_status page of nginx", _ACCESS_LOG)),
    (rb"pool: +\S+\r?\nprocess manager: ", Look("a status page of PHP-FPM", _ACCESS_LOG)),
    (
        rb"# pxname,svname,",
        Look("the statistics of HAProxy", "usage is counted from HAProxy's own log (option httplog)"),
    ),
    (
        rb"(?s)(?:[^\n]{0,99}\n){0,3}(?:ServerVersion|Total Accesses|ServerUptimeSeconds): ",
        Look("a server-status page of Apache", _ACCESS_LOG),
    ),
    (
        rb"(?s)\s*\{.{0,999}\"(?:nginx_version|nginxVersion|serverZones|server_zones)\"",
        Look("a status document of nginx", _ACCESS_LOG),
    ),
    (rb"(?s)#.{0,99}\n+\[general\]|\[[a-z_]+\]\r?\n[a-z_]+ ?= ?", Look("a settings file", _REPORT)),
)

_SYSLOG = rb"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)) [^ ]+ "
_ISO = rb"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?"
_LEVEL = rb"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|ALERT|EMERGENCY|FATAL|LOG|STATEMENT|DETAIL|HINT)"
_APPLICATION = "name the access log of the web server in front of the application"

# The beginning of most lines; the more telling first.
_LINES = (
    (
        (
            rb"\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] "
            rb"|(?:mod_\w+|AH\d{5}): "
        ),
        Look("an Apache error log", _ACCESS_LOG),
    ),
    (rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[[a-z]+\] ", Look("an nginx error log", _ACCESS_LOG)),
    (
        rb"\[\d\d-[A-Z][a-z]{2}-\d{4} [^\]]{8,40}\] (?:PHP |WARNING|NOTICE|ERROR)|PHP (?:Warning|Notice|Fatal error): ",
        Look("a PHP error log", _ACCESS_LOG),
    ),
    (
        _SYSLOG + rb"(?:sshd|sudo|su|login|CRON|cron|systemd-logind|dovecot|polkitd?|pam_\w+|passwd|useradd|gdm\S*?)"
        rb"(?:-session)?(?:\[\d+\])?: ",
        Look("an authentication log (auth.log)", _ACCESS_LOG),
    ),
    (_SYSLOG + rb"[^ :\[]{1,64}(?:\[\d+\])?:|<\d{1,3}>1 \d{4}-", Look("syslog", _ACCESS_LOG)),
    (
        rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [^ ]+ (?:[^ ]+ ){0,4}(?:GET|HEAD|POST|PUT|DELETE|OPTIONS) /",
        Look(
            "a W3C extended log (IIS) without its #Fields header",
            "put the line `#Fields: ...` of the server's other logs at its beginning",
        ),
    ),
    (rb"[^ ]+ \[?\d+\]? LOG:|" + _ISO + rb" [A-Z]{3,4} .{0,40}(?:LOG|ERROR|FATAL|STATEMENT): ",
     Look("a PostgreSQL log", _APPLICATION)),
    (_ISO + rb" \d+ \[(?:Note|System|Warning|ERROR)\]",
     Look("a MySQL log", _APPLICATION)),
    (rb"(?:time|ts)=\"?\d{4}-\d\d-\d\dT[^ ]+ (?:level|lvl)=", Look("a log of an application", _APPLICATION)),
    (rb"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ ", Look("a log of an application", _APPLICATION)),
    (_ISO + rb".{0,60}?\b(?i:" + _LEVEL + rb")\b|\[?" + _LEVEL + rb"\]?[ :]|" + _ISO + rb" ",
     Look("a log of an application", _APPLICATION)),
    (rb"Traceback \(most|\tat [\w.$]+\(|goroutine \d+ \[|Exception in thread ", Look("a stack trace", _APPLICATION)),
    (
        rb"\d+\.\d+\.\d+\.\d+, [^,]*, \d\d?/\d\d?/\d\d(?:\d\d)?, \d\d?:\d\d:\d\d, ",
        Look(
            "a log in Microsoft's own IIS format",
            "its local time has no zone: choose W3C in IIS' logging settings (date, time, c-ip, cs-method, "
            "cs-uri-stem, sc-status, cs(User-Agent))",
        ),
    ),
    (rb"(?i)(?:insert into|create table|drop table|begin transaction)\b|-- ", Look("a dump of a database", _REPORT)),
)  # fmt: skip

_CONTAINER = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] ")
_SYSLOG_PREFIX = re.compile(
    rb"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[^ ]+) [^ ]+ [^ :]{1,64}: "
    rb"|<\d{1,3}>1 (?:[^ ]+ ){5}(?:-|\[.*?\]) "
)


def look_of(lines: Sequence[bytes]) -> Look | None:
    """Say what the first lines of a file look like, comments included; None for what looks like nothing known."""
    head = b"\n".join(lines[:200])[:_DOCUMENT_BYTES]
    for pattern, look in _DOCUMENTS:
        if re.match(pattern, head):
            return look
    if _is_binary(head):
        return Look("a binary file", _REPORT)
    told = [line for line in lines if line.strip()]
    requests = [line for line in told if line[:1] != b"#"]
    if not requests:
        return None
    return _w3c_look(told) or _container_look(requests) or _json_look(requests) or _line_look(requests)


def inner_lines(lines: Sequence[bytes]) -> list[bytes]:
    """Lines without what syslog or a container runtime puts before each; empty if most have no such thing."""
    starts = [(line, _CONTAINER.match(line) or _SYSLOG_PREFIX.match(line)) for line in lines]
    inner = [line[start.end() :] for line, start in starts if start]
    return inner if len(inner) * 2 >= len(lines) else []


def _is_binary(head: bytes) -> bool:
    """Bytes that no text has, as more than a tenth: escaped or garbled requests have fewer."""
    odd = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1b" for byte in head) + head.count(b"\x7f")
    return odd * 10 > len(head)


def _line_look(lines: Sequence[bytes]) -> Look | None:
    for pattern, look in _LINES:
        fits = re.compile(pattern).match
        if sum(fits(line) is not None for line in lines) >= max(_MINIMUM_SHARE * len(lines), 1):
            return look
    return _table_look(lines)


def _table_look(lines: Sequence[bytes]) -> Look | None:
    """A table: every line has as many separators as the first, at least two."""
    for separator, name in ((b"\t", "tabs"), (b",", "commas"), (b";", "semicolons")):
        counts = {line.count(separator) for line in lines[:50]}
        if len(lines) > 1 and len(counts) == 1 and counts.pop() >= 2:
            return Look(
                f"a table separated by {name}",
                "if it is an access log, name its columns in `format: {columns: [...]}`, with at least time, "
                "address, request (or method and path) and status",
            )
    return None


def _container_look(lines: Sequence[bytes]) -> Look | None:
    if sum(_CONTAINER.match(line) is not None for line in lines) * 2 < len(lines):
        return None
    return Look(
        "a log of a container runtime",
        "take the server's own lines out of it (kubectl logs, crictl logs) and inspect those",
    )


# The W3C fields that a request cannot do without, by what they say.
_W3C_NEEDED = (
    ("date", {"date"}),
    ("time", {"time"}),
    ("c-ip", {"c-ip"}),
    ("cs-uri-stem", {"cs-uri-stem", "cs-uri"}),
    ("sc-status", {"sc-status"}),
)


def never_access(lines: Sequence[bytes]) -> Look | None:
    """What a log is whose lines would pass for requests, but whose header says that it holds something else."""
    software = b" ".join(value for name, value in _directives(lines) if name == b"software").lower()
    if b"firewall" in software:
        return Look("a log of the Windows firewall", "name the log of the web server (W3C format)")
    if b"http api" in software:
        return Look("the HTTPERR error log of Windows", "name the log of the site (u_ex*.log) instead")
    return None


def _w3c_look(lines: Sequence[bytes]) -> Look | None:
    values = [value for name, value in _directives(lines) if name == b"fields"]
    if not values:
        return None
    fields = [set(value.decode("latin-1").lower().split()) for value in values]
    missing = [name for name, spellings in _W3C_NEEDED if not any(spellings & columns for columns in fields)]
    if not missing:
        return Look("a W3C extended log (IIS, CloudFront)", "check that its lines follow its #Fields header")
    return Look(
        "a W3C extended log without all that a request needs",
        f"let the server log these fields too: {', '.join(missing)}",
    )


def _directives(lines: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for line in lines:
        match = re.match(rb"#(Fields|Software|Version): ?(.*)", line)
        if match:
            yield match[1].lower(), match[2]


def _json_look(lines: Sequence[bytes]) -> Look | None:
    """Objects, one a line; or one document over all lines."""
    opening = lines[0].lstrip()[:1]
    if (
        opening not in {b"{", b"["}
        or re.match(rb"\s*(?:\{\s*(?:\"|\}|$)|\[\s*(?:[\[{\"\]]|$))", lines[0]) is None
    ):
        return None
    records = [record for line in lines[:200] if isinstance(record := _loaded(line), dict)]
    if len(records) * 2 >= len(lines[:200]) and len(lines) > 1:
        return _json_lines_look(records)
    if opening == b"[":
        return Look("one JSON array", "if it is an access log, write one object a line: jq -c '.[]'")
    return Look(
        "one JSON document, such as a status page or a report",
        "usage is counted from the access log itself; if it is one, write one object a line: jq -c .",
    )


def _json_lines_look(records: list[dict[str, object]]) -> Look:
    if {"log", "stream"} <= records[0].keys():
        return Look(
            "a log of a container runtime (JSON)",
            "take the server's own lines out of it (docker logs, jq -rj .log) and inspect those",
        )
    if "__REALTIME_TIMESTAMP" in records[0]:
        return Look("a journal of systemd (JSON)", "write its messages alone: journalctl -o cat")
    if records[0].keys() & {"level", "severity", "levelname"} and records[0].keys() & {"msg", "message"}:
        return Look("a log of an application (JSON lines)", _APPLICATION)
    return Look(
        "JSON lines of another kind",
        "if it is an access log, say which keys hold what: `format: {json: {time: ..., address: ..., "
        "request: ..., status: ...}}`",
    )


def _loaded(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # no JSON, bad UTF-8, or nested beyond reason
        return None
