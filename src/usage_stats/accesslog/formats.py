"""A log format's name or pasted template → a compiled format: a regex over bytes and its fields.

Belongs here: the named formats, the meaning of headers, the regex of a whole line.
Does not: reading files, or turning a line into a hit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from usage_stats.accesslog.directives import Field, Literal, Piece, read_template
from usage_stats.accesslog.fields import field_pattern
from usage_stats.accesslog.timestamps import TimeLayout, time_layout
from usage_stats.errors import ConfigError

__all__ = ["NAMED_FORMATS", "LogFormat", "compile_format", "named_format", "resolve_format"]

# The header is spelt as its standard misspells it, here and nowhere else (RFC 9110, section 10.1.3).
_HEADERS = {
    "referer": "referrer",
    "user-agent": "agent",
    "x-forwarded-for": "forwarded",
    "host": "vhost",
}
_REQUIRED = {
    "address": "%h or $remote_addr",
    "time": "%t or [$time_local]",
    "request": '"%r" or "$request"',
    "status": "%>s or $status",
}
_UNCAPTURED = frozenset({"ignored", "port"})
_LINE_END = rb"[ \t\r]*+\Z"  # white space and a carriage return may follow the last field


@dataclass(frozen=True, slots=True)
class LogFormat:
    """One way of writing a request as a line; `pieces` are its literals and fields in order.

    Source: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html and
    https://nginx.org/en/docs/http/ngx_http_log_module.html
    """

    name: str
    template: str
    example: bytes
    pieces: tuple[Piece, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Semantic names in the order of the line, such as `address`, `cookie.<name>`, `ignored`."""
        named = (piece.name for piece in self.pieces if isinstance(piece, Field))
        return tuple("ignored" if name == "port" else name for name in named)

    @property
    def groups(self) -> tuple[str, ...]:
        """The fields that the regex captures, in the order of its groups."""
        return tuple(name for name in self.fields if name not in _UNCAPTURED)

    @property
    def regex(self) -> re.Pattern[bytes]:
        """Matches a whole line; compiled when first asked for."""
        return _line_regex(self.pieces)

    @property
    def prefixes(self) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
        """Each field's name with the regex of the line up to its end: where a line stops fitting."""
        return _prefix_regexes(self.pieces)

    @property
    def time_layout(self) -> TimeLayout:
        """How the time is written."""
        return time_layout(next(p.layout for p in self.pieces if isinstance(p, Field) and p.name == "time"))


def compile_format(template: str, *, name: str = "custom", example: bytes = b"") -> LogFormat:
    r"""Compile an Apache LogFormat or nginx log_format string, pasted with or without its statement.

    The first field of a kind counts; another of the same kind is read over.

    >>> compile_format(r"%h %l %u %t \"%r\" %>s %b").fields
    ('address', 'ident', 'user', 'time', 'request', 'status', 'bytes')

    Raises:
        ConfigError: an unknown directive, or a format without address, time, request or status.
    """
    pieces = tuple(_first_of_a_kind(_meanings(read_template(template))))
    log_format = LogFormat(name, template, example, pieces)
    for needed, spelling in _REQUIRED.items():
        if needed not in log_format.fields:
            raise ConfigError(f"the log format has no {needed} field; add {spelling}")
    _ = log_format.time_layout  # refuses a time that cannot be read now, not at the first line
    return log_format


def _meanings(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
    has_client = any(isinstance(piece, Field) and piece.name == "address" for piece in pieces)
    for piece in pieces:
        if isinstance(piece, Field) and piece.name.startswith("header."):
            yield Field(_HEADERS.get(piece.name.removeprefix("header."), "ignored"))
        elif isinstance(piece, Field) and piece.name == "peer":
            yield Field("ignored" if has_client else "address")
        else:
            yield piece


def _first_of_a_kind(pieces: Iterator[Piece]) -> Iterator[Piece]:
    seen: set[str] = set()
    for piece in pieces:
        is_again = isinstance(piece, Field) and piece.name in seen
        yield Field("ignored") if is_again else piece
        if isinstance(piece, Field):
            seen.add(piece.name)


@lru_cache(maxsize=64)  # a workspace has a handful of formats
def _line_regex(pieces: tuple[Piece, ...]) -> re.Pattern[bytes]:
    return re.compile(b"".join(pattern for _, pattern, _ in _parts(pieces)) + _LINE_END)


@lru_cache(maxsize=64)  # the same
def _prefix_regexes(pieces: tuple[Piece, ...]) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
    prefixes = []
    so_far = b""
    for name, pattern, stop in _parts(pieces):
        so_far += pattern
        if name:
            prefixes.append((name.partition(".")[0], re.compile(so_far + stop)))
    return tuple(prefixes)


def _parts(pieces: tuple[Piece, ...]) -> Iterator[tuple[str, bytes, bytes]]:
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
            value = time_layout(piece.layout).pattern
        group = b"(?:%b)" if piece.name in _UNCAPTURED else b"(%b)"
        name = "ignored" if piece.name == "port" else piece.name
        yield name, group % value + rest, _stop(after, is_last=is_last)


def _stop(after: bytes, *, is_last: bool) -> bytes:
    """What must stand behind a field that is whole: the next literal, or the end of a cut line."""
    if is_last:
        return rb"(?=[ \t\r]*+\Z)"
    if after[:1] in b'"]' and after:
        return b"(?=%b)" % re.escape(after[:1])  # without its closing mark the field is not whole
    return rb"(?=%b|\Z)" % re.escape(after[:1]) if after else b""


_AGENT = b'"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"'
_TAIL = b'"GET /docs/index.html?page=2 HTTP/1.1" 200 5120 "https://www.example.org/" ' + _AGENT
_CLF_TIME = b"[17/May/2015:10:05:03 +0200]"
_COMBINED = r'%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'

_NGINX_TAIL = '"$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'

# The more telling first: with equal fit the earlier is taken. nginx's predefined `combined` is Apache's.
NAMED_FORMATS: tuple[LogFormat, ...] = tuple(
    compile_format(template, name=name, example=example)
    for name, template, example in (
        (
            "vhost_combined",  # Debian's and Ubuntu's other_vhosts_access.log
            r'%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
            b"www.example.org:443 192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL,
        ),
        ("combined", _COMBINED, b"192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL),
        (
            "nginx",  # the `main` of nginx.conf as nginx.org packages it
            f'$remote_addr - $remote_user [$time_local] {_NGINX_TAIL} "$http_x_forwarded_for"',
            b"192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL + b' "198.51.100.23"',
        ),
        (
            "combined_cookie",
            _COMBINED + ' "%{visitor}C"',
            b"192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL + b' "f3b0c442"',
        ),
        (
            "common",
            r'%h %l %u %t "%r" %>s %b',
            b"192.0.2.7 - ada " + _CLF_TIME + b' "GET / HTTP/1.0" 200 2326',
        ),
        (
            "combined_iso8601",
            f"$remote_addr - $remote_user $time_iso8601 {_NGINX_TAIL}",
            b"192.0.2.7 - - 2015-05-17T10:05:03.125+02:00 " + _TAIL,
        ),
        (
            "combined_long_date",
            _COMBINED.replace("%t", "[%{%B %d, %YT%H:%M:%S %z}t]"),
            b"192.0.2.7 - - [May 17, 2015T10:05:03 +0200] " + _TAIL,
        ),
        (
            "vhost_short",
            f"$host $remote_addr [$time_local] {_NGINX_TAIL}",
            b"www.example.org 192.0.2.7 " + _CLF_TIME + b" " + _TAIL,
        ),
    )
)


def named_format(name: str) -> LogFormat:
    """Find a format by its name.

    Raises:
        ConfigError: no such name; the message lists those there are.
    """
    for log_format in NAMED_FORMATS:
        if log_format.name == name:
            return log_format
    known = ", ".join(log_format.name for log_format in NAMED_FORMATS)
    raise ConfigError(
        f"no log format is named {name}; known: {known}; or paste the server's LogFormat or log_format string"
    )


def resolve_format(text: str) -> LogFormat:
    """Read a `format:` setting: a known name, or else a pasted template.

    Raises:
        ConfigError: neither a known name nor a template.
    """
    is_template = "%" in text or "$" in text
    return compile_format(text) if is_template else named_format(text.strip())
