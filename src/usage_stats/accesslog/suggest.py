"""A recognised log → the entry of `sources:` to paste: its format, and what tells its visitors apart.

Belongs here: which accounts and cookies a log carries. Does not: how an entry is printed (flow), or any
name that only a visitor's cookie could have told us.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from usage_stats.accesslog.hit import Hit, LogFormat

__all__ = ["SUGGESTING_LINES", "Suggestion", "suggest_source"]

SUGGESTING_LINES: Final = 500  # lines: accounts and cookies show within a few minutes of traffic
# Names that a whole Cookie header is searched for: visitors' first, then sessions'. A name found in the
# header itself is never proposed, for a client may send any.
# Source: the manuals of mod_usertrack, nginx' userid module, Google Analytics, and the usual frameworks.
_KNOWN_COOKIES: Final = (
    "visitor", "visitor_id", "visitorid", "uid", "Apache", "_ga", "WEBTRENDS_ID", "s_vi", "did", "cid",
    "PHPSESSID", "JSESSIONID", "ASP.NET_SessionId", "sessionid", "session", "sid", "connect.sid",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One entry of `sources:`, and of how many looked-at lines the named account and cookie were found in."""

    source: dict[str, Any]
    lines: int
    account_lines: int = 0
    cookie_lines: int = 0


def suggest_source(
    log_format: LogFormat, setting: str | Mapping[str, Any], head: Sequence[bytes], *, path: str | None
) -> Suggestion:
    """Propose the entry for a log by its first lines, rotated logs beside it included.

    `path` None stands for standard input.
    """
    lines = head[:SUGGESTING_LINES]
    logs = [f"{glob.escape(path)}*"] if path is not None else ["logs/*"]
    source: dict[str, Any] = {"name": "web", "logs": logs, "format": setting}
    account, with_account = _most_found(lines, _by_account(log_format, lines))
    cookie, with_cookie = _most_found(lines, _by_cookie(log_format, lines))
    if account is not None:
        source["account"] = account
    if cookie is not None:
        source["cookie"] = cookie
    return Suggestion(source, len(lines), with_account, with_cookie)


def _most_found(lines: Sequence[bytes], found: Iterator[tuple[str, int]]) -> tuple[str | None, int]:
    """The first name of those found in the most lines."""
    name, count = max(found, key=lambda pair: pair[1], default=("", 0))
    return (name, count) if count and lines else (None, 0)


def _by_account(log_format: LogFormat, lines: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    for name in ("user", "ident"):
        if name in log_format.fields or name == "user":  # some parsers name their columns only as they read
            hits = _hits(log_format, lines, account=name)
            yield name, sum(hit.account is not None for hit in hits)


def _by_cookie(log_format: LogFormat, lines: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    named = [field.removeprefix("cookie.") for field in log_format.fields if field.startswith("cookie.")]
    known = _KNOWN_COOKIES if "cookies" in log_format.fields else ()
    for name in (*named, *known):
        yield name, sum(hit.cookie is not None for hit in _hits(log_format, lines, cookie=name))


def _hits(
    log_format: LogFormat, lines: Sequence[bytes], *, cookie: str | None = None, account: str | None = None
) -> Iterator[Hit]:
    parse = log_format.parser(cookie=cookie, account=account).parse
    return (hit for line in lines if isinstance(hit := parse(line), Hit))
