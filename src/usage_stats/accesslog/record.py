"""The values of one request by field name → a hit, or the name of the first field that does not fit.

Belongs here: what JSON, delimited and W3C logs share once their values are found.
Does not: how a value is found or unescaped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.instants import InstantReader
from usage_stats.accesslog.values import (
    Clients,
    check_account,
    cookie_in,
    field_and_cookie,
    last_of_chain,
    present,
    request_of_parts,
    split_origin,
    split_request,
    without_port,
)
from usage_stats.errors import ConfigError

__all__ = ["FIELD_NAMES", "HitMaker", "check_fields", "is_field_name"]

# What a setting may call a field; beside them cookie.<name>, and `ignored` for a column that is read over.
FIELD_NAMES: Final = (
    *("time", "date", "clock", "address", "forwarded", "user", "ident", "cookies", "agent", "referrer"),
    *("vhost", "request", "method", "path", "query", "protocol", "status", "bytes", "gpc", "dnt"),
)
# The order in which values are handed to a HitMaker.
_SLOTS = (
    *("time", "address", "account", "cookie", "agent", "request", "status", "referrer", "vhost"),
    *("forwarded", "gpc", "dnt", "method", "path", "query", "date", "clock"),
)


def is_field_name(name: str) -> bool:
    """Whether a setting may use the name for a field."""
    return name in FIELD_NAMES or (name.startswith("cookie.") and len(name) > len("cookie."))


def check_fields(fields: Collection[str], where: str) -> None:
    """Refuse a set of fields from which no hit can be made.

    Raises:
        ConfigError: an unknown name, or no time, address, request or status.
    """
    for name in fields:
        if not is_field_name(name):
            allowed = ", ".join(FIELD_NAMES)
            raise ConfigError(
                f"{where} has the unknown field {name}; allowed: {allowed}, cookie.NAME, ignored"
            )
    needs = {
        "address": "address" in fields or "forwarded" in fields,
        "time": "time" in fields or {"date", "clock"} <= set(fields),
        "request": "request" in fields or {"method", "path"} <= set(fields),
        "status": "status" in fields,
    }
    for name, is_there in needs.items():
        if not is_there:
            remedies = {"time": " (or date and clock)", "request": " (or method and path)"}
            raise ConfigError(f"{where} has no {name} field; add {name}{remedies.get(name, '')}")


class HitMaker:
    """Makes hits from values; remembers minutes and addresses it has checked, nothing else.

    `sources` names, per value that `hit` takes, the field it is to be read from (None: the format has none).

    Raises:
        ConfigError: `account` names no field that can hold an account.
    """

    __slots__ = (
        "_clients",
        "_cookies",
        "_has_urls",
        "_is_chain",
        "_known",
        "_read_time",
        "_statuses",
        "sources",
    )

    def __init__(
        self,
        fields: Collection[str],
        *,
        cookie: str | None,
        account: str | None,
        zone: str = "",
        has_whole_urls: bool = False,
    ) -> None:
        check_account(account)
        account_at, account_cookie = field_and_cookie(account, fields)
        cookie_at, cookie_name = field_and_cookie(f"cookie.{cookie}" if cookie else None, fields)
        self._is_chain = "address" not in fields
        special = {
            "account": account_at,
            "cookie": cookie_at,
            "address": "forwarded" if self._is_chain else "address",
        }
        wanted = (special.get(slot, slot) for slot in _SLOTS)
        self.sources = tuple(name if name in fields else None for name in wanted)
        self._cookies = (account_cookie, cookie_name)
        self._has_urls = has_whole_urls
        self._read_time = InstantReader(zone).read
        self._statuses = {b"%d" % code: code for code in range(100, 600)}
        self._clients = Clients()
        self._known = self._clients.known

    def hit(self, values: Sequence[Any]) -> Hit | str:
        """Make a hit of values in the order of `sources`: bytes or None, and numbers for a time."""
        (time, address, account, cookie, agent, request, status, referrer, vhost, forwarded, gpc, dnt) = (
            values[:12]
        )
        at = self._read_time(self._joined(values) if time is None else time)
        if at is None:
            return "time"
        client = address
        if client not in self._known:
            client = self._client(address)
            if client is None:
                return "address"
        code = self._statuses.get(status)
        if code is None:
            return "status"
        account_cookie, cookie_name = self._cookies
        if account_cookie and account:
            account = cookie_in(account, account_cookie)
        if cookie_name and cookie:
            cookie = cookie_in(cookie, cookie_name)
        method, target = request_of_parts(*values[12:15]) if request is None else split_request(request)
        if self._has_urls and target is not None:
            target, origin = split_origin(target)
            vhost = present(vhost) or origin
        return Hit(
            at,
            client,
            present(account),
            present(cookie),
            agent,
            method,
            target,
            code,
            present(referrer),
            present(vhost),
            present(forwarded),
            gpc == b"1",
            dnt == b"1",
        )

    def _joined(self, values: Sequence[Any]) -> bytes | None:
        """A time whose date and clock stand apart."""
        date, clock = values[15:17]
        return None if date is None or clock is None else date + b"T" + clock

    def _client(self, text: bytes | None) -> bytes | None:
        if text is None:
            return None
        client = last_of_chain(text) if self._is_chain else without_port(text)
        return client if client in self._known or self._clients.check(client) else None
