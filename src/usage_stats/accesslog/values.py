"""The bytes of one field → what a hit holds of it: addresses, requests, cookies, switches.

Belongs here: the exact checks that all formats share. Does not: where in a line a field stands.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Container

from usage_stats.errors import ConfigError

__all__ = [
    "Clients",
    "check_account",
    "cookie_in",
    "field_and_cookie",
    "is_network_address",
    "last_of_chain",
    "present",
    "request_of_parts",
    "split_origin",
    "split_request",
    "without_port",
]

_CACHED_ADDRESSES = 1 << 16  # some MB at most; clients come back within a few thousand lines
_LONGEST_NAME = 253  # RFC 1035, section 2.3.4, without the root's dot

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# RFC 9112, section 3: method SP target SP version, the method a token. Servers have let spaces into the
# target (nginx until 1.21.1), so it reaches to the last version.
_REQUEST = re.compile(rb"(%b) ([^ \n].*) HTTP/\d(?:\.\d)?" % _TOKEN, re.DOTALL)
# RFC 1945, section 4.1: a Simple-Request (HTTP/0.9) has no version, one target and GET only. So
# `SEARCH / -` is malformed: `-` is no version, and 0.9 knows no SEARCH.
_SIMPLE_REQUEST = re.compile(rb"(GET) ([^ \n]+)")
_METHOD = re.compile(_TOKEN)
_HOST_NAME = re.compile(rb"[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_.])?")
_WITH_PORT = re.compile(rb"\[([0-9A-Fa-f:.%\w]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}", re.ASCII)
# RFC 3986, section 3: scheme and authority in front of the path.
_ORIGIN = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://(\[[0-9A-Fa-f:.]+\]|[^/?#:@]*)(?::\d*)?(?=[/?#]|\Z)")


class Clients:
    """Tells clients' addresses and names from anything else; remembers those it has checked."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: set[bytes] = set()

    def check(self, address: bytes) -> bool:
        """Whether the bytes are an address or a host name, without a port."""
        is_client = is_network_address(address) or _is_host_name(address)
        if is_client:
            if len(self.known) >= _CACHED_ADDRESSES:
                self.known.clear()
            self.known.add(address)
        return is_client


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


def without_port(text: bytes) -> bytes:
    """`192.0.2.7:80`, `[2001:db8::7]:80` and `[2001:db8::7]` as the address; anything else as it is."""
    match = _WITH_PORT.fullmatch(text)
    return text if match is None else match[1] or match[2]


def last_of_chain(forwarded: bytes) -> bytes:
    """The client that the nearest proxy saw: each proxy appends, so all before it could be a client's own words."""
    return without_port(forwarded.rpartition(b",")[2].strip(b' "'))


def present(value: bytes | None) -> bytes | None:
    """The value, or None for the `-` or the nothing by which servers say that there is none."""
    return None if value in {None, b"-", b""} else value


def split_request(request: bytes) -> tuple[bytes, bytes] | tuple[None, None]:
    """Method and target of a request line; two times None where it is malformed."""
    match = _REQUEST.fullmatch(request) or _SIMPLE_REQUEST.fullmatch(request)
    return (match[1], match[2]) if match else (None, None)


def request_of_parts(
    method: bytes | None, target: bytes | None, query: bytes | None
) -> tuple[bytes, bytes] | tuple[None, None]:
    """Method and target where the server wrote the request in parts: it has parsed it, so no version is asked for."""
    if not method or not target or target == b"-" or _METHOD.fullmatch(method) is None or method == b"-":
        return None, None
    if present(query) is None or query is None:
        return method, target
    return method, target + (b"" if query.startswith(b"?") else b"?") + query


def split_origin(target: bytes) -> tuple[bytes, bytes | None]:
    """An absolute target as its path and host, where a proxy logs whole URLs; others as they are."""
    match = _ORIGIN.match(target)
    if match is None:
        return target, None
    path = target[match.end() :]
    return path if path.startswith(b"/") else b"/" + path, match[1]


def cookie_in(header: bytes, name: bytes) -> bytes | None:
    """The value of the first cookie of that name in a whole Cookie header (RFC 6265, section 4.2.1).

    A `+` before a name is the space that W3C logs cannot hold.
    """
    if name not in header:
        return None
    for pair in header.split(b";"):
        key, _, value = pair.partition(b"=")
        if key.strip(b" +\t") == name:
            return value.strip(b" \t")
    return None


def field_and_cookie(wanted: str | None, fields: Container[str]) -> tuple[str | None, bytes]:
    """Where a wanted value stands: its field, and the cookie's name if that field is a whole Cookie header."""
    if wanted is None or wanted in fields:
        return wanted, b""
    if wanted.startswith("cookie.") and "cookies" in fields:
        return "cookies", wanted.removeprefix("cookie.").encode()
    return None, b""


def check_account(account: str | None) -> None:
    """Refuse a field that can hold no account.

    Raises:
        ConfigError: it is none of those that can.
    """
    if account is not None and account not in {"user", "ident"} and not account.startswith("cookie."):
        raise ConfigError(f"no field {account} can hold an account; allowed: user, ident, cookie.NAME, null")
