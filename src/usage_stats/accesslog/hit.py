"""What every parser of a format gives back → the hit, and the two interfaces that the rest of the code relies on.

Belongs here: the shape of a hit, of a parser and of a format. Does not: how any format is read.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

__all__ = ["MAX_LINE_BYTES", "Hit", "LogFormat", "Parser"]

# 1 MiB: servers cap a request line and its headers at 8 to 64 KiB together, so ten times that is no hit.
MAX_LINE_BYTES: Final = 1 << 20


class Hit(NamedTuple):
    """One request line of a server log, parsed. Identified data: memory only, and its text shows nothing.

    `at` is UTC seconds since 1970. `method` and `target` are None for a malformed request, `agent` only
    where the format has no such field, the others where the server wrote `-` or nothing. `forwarded` is the
    chain of addresses as proxies wrote it; `gpc` and `dnt` tell that the client sent `Sec-GPC: 1`, `DNT: 1`.
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
    forwarded: bytes | None = None
    gpc: bool = False
    dnt: bool = False

    def __repr__(self) -> str:
        return "Hit(...)"  # str() and format() come here too


class Parser(Protocol):
    """Reads one log line by line, in order: some formats say in the log itself what their columns mean."""

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises. A str is the reason why it is no hit."""
        ...


class LogFormat(Protocol):
    """One way of writing a request as a line.

    `fields` are semantic names such as `address`, `cookie.<name>`, `cookies` (the whole Cookie header).
    """

    @property
    def name(self) -> str: ...
    @property
    def example(self) -> bytes: ...
    @property
    def fields(self) -> tuple[str, ...]: ...
    def parser(self, *, cookie: str | None = None, account: str | None = "user") -> Parser: ...
