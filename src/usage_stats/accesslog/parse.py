"""One line of a template's format, as bytes → a hit, or a code that says which part of it does not fit.

Belongs here: from the groups of a line's regex to a hit, the reason codes of such lines.
Does not: reading files, or decoding what Apache and nginx escaped by default (fields are the bytes of the line).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from usage_stats.accesslog.hit import MAX_LINE_BYTES, Hit
from usage_stats.accesslog.timestamps import TimeLayout, TimeReader
from usage_stats.accesslog.transport import unwrapped
from usage_stats.accesslog.values import (
    Clients,
    check_account,
    cookie_in,
    field_and_cookie,
    is_network_address,
    last_of_chain,
    present,
    request_of_parts,
    split_origin,
    split_request,
)

__all__ = ["MAX_LINE_BYTES", "Hit", "LineParser", "is_network_address"]

# JSON's escapes, RFC 8259 section 7: what nginx writes with escape=json.
_JSON_ESCAPE = re.compile(rb'\\(?:u([0-9A-Fa-f]{4})|(["\\/bfnrt]))')
_JSON_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class _Template(Protocol):
    """What a line parser needs to know of a format."""

    @property
    def groups(self) -> tuple[str, ...]: ...
    @property
    def regex(self) -> re.Pattern[bytes]: ...
    @property
    def prefixes(self) -> Sequence[tuple[str, re.Pattern[bytes]]]: ...
    @property
    def time_layout(self) -> TimeLayout: ...
    @property
    def is_json_escaped(self) -> bool: ...
    @property
    def has_whole_urls(self) -> bool: ...
    @property
    def may_be_wrapped(self) -> bool: ...


class LineParser:
    """Parses lines of one template; remembers minutes and addresses it has checked, nothing else.

    `cookie` names the cookie that identifies a visitor, `account` the field that holds the account
    (`user`, `ident` or `cookie.<name>`); None switches either off.

    Raises:
        ConfigError: `account` names no field that can hold an account.
    """

    __slots__ = (
        *(
            "_address_kind",
            "_check",
            "_cookie_names",
            "_fullmatch",
            "_indices",
            "_is_plain",
            "_known_clients",
        ),
        *("_read_time", "_template"),
    )

    def __init__(
        self, log_format: _Template, *, cookie: str | None = None, account: str | None = "user"
    ) -> None:
        check_account(account)
        groups = log_format.groups
        account_at, account_cookie = field_and_cookie(account, groups)
        cookie_at, cookie_name = field_and_cookie(f"cookie.{cookie}" if cookie else None, groups)
        self._address_kind = next(name for name in ("address", "endpoint", "forwarded") if name in groups)
        wanted = (
            *("time", self._address_kind, account_at, cookie_at, "agent", "request", "status", "referrer"),
            *("vhost", "forwarded", "gpc", "dnt", "method", "target", "query"),
        )
        # -1: the None behind the last group.
        self._indices = tuple(groups.index(name) if name in groups else -1 for name in wanted)
        self._cookie_names = (account_cookie, cookie_name)
        self._is_plain = not log_format.is_json_escaped
        self._template = log_format
        self._fullmatch = log_format.regex.fullmatch
        self._read_time = TimeReader(log_format.time_layout).read
        clients = Clients()
        self._known_clients, self._check = clients.known, clients.check

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises, whatever the bytes.

        Returns a Hit, or a reason code: `too_long`, `blank`, `directive`, the name of the first field
        that does not fit, or `trailing` for more than the format holds.
        """
        if len(line) > MAX_LINE_BYTES:
            return "too_long"
        match = self._fullmatch(line)
        if match is None and self._template.may_be_wrapped:
            line = unwrapped(line) or line
            match = self._fullmatch(line)
        if match is None or line[:1] == b"#":
            return self._reason(line)
        values = (*match.groups(), None)  # the required fields are never None
        if self._is_plain or b"\\" not in line:
            return self._hit(values)
        return self._hit([value and _unescaped(value) for value in values])

    def _hit(self, values: Sequence[Any]) -> Hit | str:
        (time, address, account, cookie, agent, request, status, referrer, vhost, forwarded, gpc, dnt) = (
            self._indices[:12]
        )
        at = self._read_time(values[time])
        if at is None:
            return "time"
        client = values[address]
        if client not in self._known_clients and not self._check(client):
            client = self._client(client)
            if client is None:
                return "address"
        method, target = self._parts(values) if request < 0 else split_request(values[request])
        host = values[vhost]
        if target is not None and self._template.has_whole_urls:
            target, origin = split_origin(target)
            host = host or origin
        return Hit(
            at,
            client,
            self._wanted(values[account], 0),
            self._wanted(values[cookie], 1),
            values[agent],
            method,
            target,
            int(values[status]),
            present(values[referrer]),
            present(host),
            present(values[forwarded]),
            values[gpc] == b"1",
            values[dnt] == b"1",
        )

    def _parts(self, values: Sequence[Any]) -> tuple[bytes, bytes] | tuple[None, None]:
        method, target, query = self._indices[12:]
        return request_of_parts(values[method], values[target], values[query])

    def _wanted(self, value: bytes | None, which: int) -> bytes | None:
        name = self._cookie_names[which]
        return present(cookie_in(value, name) if name and value else value)

    def _client(self, text: bytes) -> bytes | None:
        """An address that is not written alone: in brackets, or as the last of a chain."""
        if self._address_kind == "endpoint":
            text = text.removeprefix(b"[").removesuffix(b"]")
        elif self._address_kind == "forwarded":
            text = last_of_chain(text)
        return text if text in self._known_clients or self._check(text) else None

    def _reason(self, line: bytes) -> str:
        """Why a line is no hit; slow, and only asked for lines that are none."""
        if not line.strip():
            return "blank"
        if line[:1] == b"#":
            return "directive"
        for name, prefix in self._template.prefixes:
            if prefix.match(line) is None:
                return name
        return "trailing"


def _unescaped(text: bytes) -> bytes:
    return _JSON_ESCAPE.sub(_unescaped_one, text)


def _unescaped_one(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return chr(int(match[1], 16)).encode("utf-8", "surrogatepass")
    return _JSON_LETTERS.get(match[2], match[2])
