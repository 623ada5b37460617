"""One line of a log, as bytes → a hit, or a code that says which part of it does not fit.

Belongs here: the hit, the exact checks that a regex cannot make, the reason codes.
Does not: reading files, or decoding what the server escaped (fields are the bytes of the line).
"""

from __future__ import annotations

import re
import socket
from typing import Any, Final, NamedTuple

from usage_stats.accesslog.formats import LogFormat
from usage_stats.accesslog.timestamps import TimeReader
from usage_stats.errors import ConfigError

__all__ = ["MAX_LINE_BYTES", "Hit", "LineParser", "is_network_address"]

# 1 MiB: servers cap a request line and its headers at 8 to 64 KiB together, so ten times that is no hit.
MAX_LINE_BYTES: Final = 1 << 20
_CACHED_ADDRESSES = 1 << 16  # some MB at most; clients come back within a few thousand lines
_LONGEST_NAME = 253  # RFC 1035, section 2.3.4, without the root's dot

# RFC 9112, section 3: method SP target SP version, the method a token. Servers have let spaces into the
# target (nginx until 1.21.1), so it reaches to the last version.
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^ \n].*) HTTP/\d(?:\.\d)?", re.DOTALL)
# RFC 1945, section 4.1: a Simple-Request (HTTP/0.9) has no version, one target and GET only. So
# `SEARCH / -` is malformed: `-` is no version, and 0.9 knows no SEARCH.
_SIMPLE_REQUEST = re.compile(rb"(GET) ([^ \n]+)")
_HOST_NAME = re.compile(rb"[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_.])?")


class Hit(NamedTuple):
    """One request line of a server log, parsed. Identified data: memory only, and its text shows nothing.

    `at` is UTC seconds since 1970. `method` and `target` are None for a malformed request, `agent` only
    where the format has no such field, the others where the server wrote `-` or nothing.
    """

    at: int
    address: bytes
    account: bytes | None
    cookie: bytes | None
    agent: bytes | None
    method: bytes | None
    target: bytes | None
    status: int
    referrer: bytes | None
    vhost: bytes | None

    def __repr__(self) -> str:
        return "Hit(...)"  # str() and format() come here too


class LineParser:
    """Parses lines of one format; remembers minutes and addresses it has checked, nothing else.

    `cookie` names the cookie that identifies a visitor, `account` the field that holds the account
    (`user`, `ident` or `cookie.<name>`); None switches either off.

    Raises:
        ConfigError: `account` names no field that can hold an account.
    """

    __slots__ = ("_addresses", "_at", "_format", "_fullmatch", "_indices", "_known_addresses", "_read_time")

    def __init__(
        self, log_format: LogFormat, *, cookie: str | None = None, account: str | None = "user"
    ) -> None:
        if account is not None and account not in {"user", "ident"} and not account.startswith("cookie."):
            raise ConfigError(
                f"no field {account} can hold an account; allowed: user, ident, cookie.NAME, null"
            )
        wanted = ("time", "address", account, f"cookie.{cookie}", "agent", "request", "status")
        groups = log_format.groups
        # -1: the None behind the last group.
        self._indices = tuple(
            groups.index(name) if name in groups else -1 for name in (*wanted, "referrer", "vhost")
        )
        self._format = log_format
        self._fullmatch = log_format.regex.fullmatch
        self._read_time = TimeReader(log_format.time_layout).read
        self._known_addresses: set[bytes] = set()

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises, whatever the bytes.

        Returns a Hit, or a reason code: `too_long`, `blank`, `directive`, the name of the first field
        that does not fit, or `trailing` for more than the format holds.
        """
        if len(line) > MAX_LINE_BYTES:
            return "too_long"
        match = self._fullmatch(line)
        if match is None or line[:1] == b"#":
            return self._reason(line)
        values: tuple[Any, ...] = (*match.groups(), None)  # the required fields are never None
        time, address, account, cookie, agent, request, status, referrer, vhost = self._indices
        at = self._read_time(values[time])
        if at is None:
            return "time"
        client = values[address]
        if client not in self._known_addresses and not self._is_client(client):
            return "address"
        method, target = _split_request(values[request])
        return Hit(
            at,
            client,
            _present(values[account]),
            _present(values[cookie]),
            values[agent],
            method,
            target,
            int(values[status]),
            _present(values[referrer]),
            _present(values[vhost]),
        )

    def _reason(self, line: bytes) -> str:
        """Why a line is no hit; slow, and only asked for lines that are none."""
        if not line.strip():
            return "blank"
        if line[:1] == b"#":
            return "directive"
        for name, prefix in self._format.prefixes:
            if prefix.match(line) is None:
                return name
        return "trailing"

    def _is_client(self, address: bytes) -> bool:
        is_client = is_network_address(address) or _is_host_name(address)
        if is_client:
            if len(self._known_addresses) >= _CACHED_ADDRESSES:
                self._known_addresses.clear()
            self._known_addresses.add(address)
        return is_client


def _present(value: bytes | None) -> bytes | None:
    return None if value in {None, b"-", b""} else value


def _split_request(request: bytes) -> tuple[bytes, bytes] | tuple[None, None]:
    match = _REQUEST.fullmatch(request) or _SIMPLE_REQUEST.fullmatch(request)
    return (match[1], match[2]) if match else (None, None)


def is_network_address(text: bytes) -> bool:
    """Tell whether bytes are an IPv4 address or an IPv6 address with an optional zone, and no port."""
    address, has_zone, zone = text.partition(b"%")
    family = socket.AF_INET6 if b":" in address else socket.AF_INET
    if has_zone and (not zone or family == socket.AF_INET):
        return False
    try:
        socket.inet_pton(family, address.decode("ascii"))
    except (OSError, ValueError):  # no such address; a byte that no address has
        return False
    return True


def _is_host_name(text: bytes) -> bool:
    """A name has no colon, so a virtual host with its port is none; dotted numbers are no name either."""
    last_label = text.rstrip(b".").rpartition(b".")[2]
    return len(text) <= _LONGEST_NAME and _HOST_NAME.fullmatch(text) is not None and not last_label.isdigit()
