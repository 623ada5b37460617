"""A template of literals and fields → a compiled format: a regex over bytes and the fields it captures.

Belongs here: the meaning of headers, which fields a format needs, the regex of a whole line.
Does not: the spelling of Apache's and nginx's directives (directives), which formats there are (formats).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from usage_stats.accesslog.directives import Field, Literal, Piece, read_template
from usage_stats.accesslog.fields import field_pattern
from usage_stats.accesslog.parse import LineParser
from usage_stats.accesslog.timestamps import TimeLayout, time_layout
from usage_stats.errors import ConfigError

__all__ = ["TemplateFormat", "compile_format", "spelt_format"]

# The header is spelt as its standard misspells it, here and nowhere else (RFC 9110, section 10.1.3).
_HEADERS = {
    "referer": "referrer",
    "user-agent": "agent",
    "x-forwarded-for": "forwarded",
    "host": "vhost",
    "cookie": "cookies",
    "sec-gpc": "gpc",
    "dnt": "dnt",
}
# What a format must hold → how to add it. One of several names is enough.
_REQUIRED = {
    ("address", "endpoint", "forwarded"): ("address", "%h or $remote_addr"),
    ("time",): ("time", "%t or [$time_local]"),
    ("request", "method"): ("request", '"%r" or "$request"'),
    ("request", "target"): (
        "request",
        '"%r" or "$request" (or both of %m %U%q, $request_method $request_uri)',
    ),
    ("status",): ("status", "%>s or $status"),
}
_UNCAPTURED = frozenset({"ignored", "port", "padding", "rest", "protocol", "captures"})
_PARTS = frozenset({"method", "target", "path", "query"})
_LINE_END = rb"[ \t\r]*+\Z"  # white space and a carriage return may follow the last field


@dataclass(frozen=True, slots=True)
class TemplateFormat:
    """A format of literals and fields in a fixed order.

    `zone` is the time zone of a time without an offset; `is_json_escaped` values are written as JSON
    strings; a format that `has_whole_urls` logs targets with their origin; one that `may_be_wrapped` is met
    behind a syslog or container runtime's prefix.

    Source: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html and
    https://nginx.org/en/docs/http/ngx_http_log_module.html
    """

    name: str
    template: str
    example: bytes
    pieces: tuple[Piece, ...]
    zone: str = ""
    is_json_escaped: bool = False
    has_whole_urls: bool = False
    may_be_wrapped: bool = False

    def parser(self, *, cookie: str | None = None, account: str | None = "user") -> LineParser:
        """A fresh parser for one log.

        Raises:
            ConfigError: `account` names no field that can hold an account.
        """
        return LineParser(self, cookie=cookie, account=account)

    @property
    def fields(self) -> tuple[str, ...]:
        """Semantic names in the order of the line, such as `address`, `cookie.<name>`, `ignored`."""
        named = (piece.name for piece in self.pieces if isinstance(piece, Field))
        shown = {"endpoint": "address"} | dict.fromkeys(_UNCAPTURED, "ignored")
        return tuple(shown.get(name, name) for name in named)

    @property
    def groups(self) -> tuple[str, ...]:
        """The fields that the regex captures, in the order of its groups."""
        named = (piece.name for piece in self.pieces if isinstance(piece, Field))
        return tuple(name for name in named if name not in _UNCAPTURED)

    @property
    def regex(self) -> re.Pattern[bytes]:
        """Matches a whole line; compiled when first asked for."""
        return _line_regex(self.pieces, self.zone)

    @property
    def prefixes(self) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
        """Each field's name with the regex of the line up to its end: where a line stops fitting."""
        return _prefix_regexes(self.pieces, self.zone)

    @property
    def time_layout(self) -> TimeLayout:
        """How the time is written."""
        layout = next(p.layout for p in self.pieces if isinstance(p, Field) and p.name == "time")
        return time_layout(layout, zone=self.zone)


def compile_format(
    template: str, *, name: str = "custom", example: bytes = b"", zone: str = ""
) -> TemplateFormat:
    r"""Compile an Apache LogFormat or nginx log_format string, pasted with or without its statement.

    The first field of a kind counts; another of the same kind is read over.

    >>> compile_format(r"%h %l %u %t \"%r\" %>s %b").fields
    ('address', 'ident', 'user', 'time', 'request', 'status', 'bytes')

    Raises:
        ConfigError: an unknown directive, or a format without address, time, request or status.
    """
    read, is_json = read_template(template)
    pieces = tuple(_first_of_a_kind(_meanings(read)))
    return _complete(TemplateFormat(name, template, example, pieces, zone, is_json_escaped=is_json))


def spelt_format(
    spelling: str,
    layout: str,
    *,
    name: str,
    example: bytes,
    zone: str = "",
    has_whole_urls: bool = False,
    may_be_wrapped: bool = False,
) -> TemplateFormat:
    """Compile a format spelt in our own field names, as `{address} [{time}] "{request}" {status}{rest}`."""
    pieces: list[Piece] = []
    for literal, field in re.findall(r"([^{}]+)|\{([\w.]+)\}", spelling):
        pieces.append(
            Literal(literal.encode()) if literal else Field(field, layout if field == "time" else "")
        )
    return _complete(
        TemplateFormat(
            *(name, spelling, example, tuple(pieces), zone),
            has_whole_urls=has_whole_urls,
            may_be_wrapped=may_be_wrapped,
        )
    )


def _complete(log_format: TemplateFormat) -> TemplateFormat:
    for one_of, (needed, spelling) in _REQUIRED.items():
        if not set(one_of) & set(log_format.groups):
            raise ConfigError(f"the log format has no {needed} field; add {spelling}")
    _ = log_format.time_layout  # refuses a time that cannot be read now, not at the first line
    return log_format


def _meanings(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
    names = {piece.name for piece in pieces if isinstance(piece, Field)}
    for piece in pieces:
        if not isinstance(piece, Field):
            yield piece
        elif piece.name.startswith("header."):
            yield Field(_HEADERS.get(piece.name.removeprefix("header."), "ignored"))
        elif piece.name == "peer":
            yield Field("ignored" if "address" in names else "address")
        elif piece.name in _PARTS:
            yield Field(_part(piece.name, names))
        else:
            yield piece


def _part(name: str, names: set[str]) -> str:
    """A part of the request; read over where the whole stands beside it, or the target beside its path."""
    if "request" in names or ("target" in names and name in {"path", "query"}):
        return "ignored"
    return "target" if name == "path" else name


def _first_of_a_kind(pieces: Iterator[Piece]) -> Iterator[Piece]:
    seen: set[str] = set()
    for piece in pieces:
        is_again = isinstance(piece, Field) and piece.name in seen
        yield Field("ignored") if is_again else piece
        if isinstance(piece, Field):
            seen.add(piece.name)


@lru_cache(maxsize=64)  # a workspace has a handful of formats
def _line_regex(pieces: tuple[Piece, ...], zone: str) -> re.Pattern[bytes]:
    return re.compile(b"".join(pattern for _, pattern, _ in _parts(pieces, zone)) + _LINE_END)


@lru_cache(maxsize=64)  # the same
def _prefix_regexes(pieces: tuple[Piece, ...], zone: str) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
    prefixes = []
    so_far = b""
    for name, pattern, stop in _parts(pieces, zone):
        so_far += pattern
        if name:
            prefixes.append((name.partition(".")[0], re.compile(so_far + stop)))
    return tuple(prefixes)


def _parts(pieces: tuple[Piece, ...], zone: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Per piece: the field's name (empty for a literal), its pattern, and a look at what must follow."""
    texts = [piece.text if isinstance(piece, Literal) else b"" for piece in pieces]
    for index, piece in enumerate(pieces):
        if isinstance(piece, Literal):
            yield "", re.escape(piece.text), b""
            continue
        before = texts[index - 1] if index else b""
        is_last = index == len(pieces) - 1
        after = b"" if is_last else texts[index + 1]
        value, rest = field_pattern(piece.name, before=before, after=after, is_last=is_last)
        if piece.name == "time":
            value = time_layout(piece.layout, zone=zone).pattern
        group = b"(?:%b)" if piece.name in _UNCAPTURED else b"(%b)"
        name = "ignored" if piece.name in _UNCAPTURED else piece.name
        yield {"endpoint": "address"}.get(name, name), group % value + rest, _stop(after, is_last=is_last)


def _stop(after: bytes, *, is_last: bool) -> bytes:
    """What must stand behind a field that is whole: the next literal, or the end of a cut line."""
    if is_last:
        return rb"(?=[ \t\r]*+\Z)"
    if after[:1] in b'"]' and after:
        return b"(?=%b)" % re.escape(after[:1])  # without its closing mark the field is not whole
    return rb"(?=%b|\Z)" % re.escape(after[:1]) if after else b""
