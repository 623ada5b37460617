"""A log's bytes → its requests, by one regular expression a line: the oracle's own reading.

Belongs here: what a line of the common and combined formats says. Does not: anything of the pipeline; the two share no
code, so that a mistake in one is no mistake in the other.
"""

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_QUOTED = rb'"((?:[^"\\]|\\.)*)"'
# [vhost[:port]] address ident user [time] "request" status bytes ["referrer" "agent" ["cookie"]]
_LINE = re.compile(
    rb"(?:[\w.*-]+:\d+ )?(\S+) \S+ (.*?) "
    rb"\[(\d\d)/(\w{3})/(\d{4}):(\d\d):([0-5]\d):([0-5]\d) ([+-])(\d\d)([0-5]\d)\] "
    + _QUOTED
    + rb" ([1-5]\d\d) (?:\d+|-)(?: "
    + _QUOTED
    + rb" "
    + _QUOTED
    + rb"(?: "
    + _QUOTED
    + rb")?)?[ \t\r]*"
)
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") ([^ ].*) HTTP/\d(?:\.\d)?|(GET) ([^ ]+)")
_NAME = re.compile(rb"[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_.])?")
_FARTHEST = timedelta(hours=14)  # Kiribati's offset


class Request(NamedTuple):
    """One line: the second in UTC since 1970, who asked, for what, and how it ended. None: the log does not say."""

    at: int
    address: bytes
    account: bytes | None
    cookie: bytes | None
    agent: bytes | None
    method: bytes
    target: bytes
    status: int
    referrer: bytes | None


def requests_of(content):
    """The requests of a log, in the order of its lines; lines that are none are passed over."""
    return [request for line in content.split(b"\n") if (request := _request(line)) is not None]


def _request(line):
    match = None if line.startswith(b"#") else _LINE.fullmatch(line)
    if match is None:
        return None
    address, account, *time, request, status, referrer, agent, cookie = match.groups()
    at, asked = _second(*time), _REQUEST.fullmatch(request)
    if at is None or asked is None or not _is_client(address):
        return None
    method, target = asked[1] or asked[3], asked[2] or asked[4]
    return Request(
        at, address, _said(account), _said(cookie), agent, method, target, int(status), _said(referrer)
    )


def _said(value):
    """`-` and nothing are how servers say that there is none."""
    return None if value in {None, b"", b"-"} else value


def _second(day, month, year, hour, minute, second, sign, east_hours, east_minutes):
    """None for a time that no calendar has."""
    east = timedelta(hours=int(east_hours), minutes=int(east_minutes))
    if month not in _MONTHS or east > _FARTHEST:
        return None
    try:
        shown = datetime(
            *(int(year), _MONTHS.index(month) + 1, int(day)),
            *(int(hour), int(minute), int(second)),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int((shown + (east if sign == b"-" else -east)).timestamp())


def address_of(text):
    """An IPv4 address, also of one written as IPv6, or an IPv6 one; None for a name."""
    try:
        found = ipaddress.ip_address(text.decode("latin-1"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_client(text):
    if address_of(text) is not None:
        return True
    last = text.rstrip(b".").rpartition(b".")[2]
    return len(text) <= 253 and _NAME.fullmatch(text) is not None and not last.isdigit()
