"""W3C extended logs: `#Fields:` lines and lines of cells → hits.

Belongs here: what IIS's and CloudFront's columns mean, and that the columns may change within a file.
Does not: cells and quotes (delimited).

Source: https://www.w3.org/TR/WD-logfile.html,
https://learn.microsoft.com/en-us/windows/win32/http/w3c-logging and
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from usage_stats.accesslog.delimited import odd_line, percent_decoded, plan, spaces_for_plus, splitter
from usage_stats.accesslog.hit import MAX_LINE_BYTES, Hit
from usage_stats.accesslog.record import HitMaker

__all__ = ["W3cFormat", "W3cParser"]

# The column's name in lower case → our field. Of several that mean the same the first in this order counts.
_COLUMNS: Final = {
    "date": "date",
    "time": "clock",
    "c-ip": "address",
    "cs-username": "user",
    "cs-method": "method",
    "cs-uri": "path",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "sc-status": "status",
    "cs(user-agent)": "agent",
    "cs-user-agent": "agent",
    "cs(referer)": "referrer",
    "cs-referer": "referrer",
    "cs(cookie)": "cookies",
    "cs-cookie": "cookies",
    "x-host-header": "vhost",
    "cs-host": "vhost",
    "cs(host)": "vhost",
    "x-forwarded-for": "forwarded",
    "cs(x-forwarded-for)": "forwarded",
    "cs(sec-gpc)": "gpc",
    "cs(dnt)": "dnt",
}
_ALWAYS = ("date", "clock", "address", "user", "method", "path", "query", "status", "agent", "referrer")
_FIELDS = re.compile(rb"#Fields:[ \t]*", re.IGNORECASE)
_DATE = re.compile(rb"#Date:[ \t]*(\d{4}-\d\d-\d\d)", re.IGNORECASE)
_REQUIRED = ("clock", "address", "method", "path", "status")
_REASONS = {"clock": "time", "method": "request", "path": "request"}


@dataclass(frozen=True, slots=True)
class W3cFormat:
    """W3C extended: `columns` are those in force before a `#Fields:` line says others (empty: none are).

    `is_cloudfront` logs have tabs between cells and percent-encoded values, others spaces and `+` for a space.
    """

    name: str
    example: bytes
    is_cloudfront: bool = False
    columns: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Semantic names that a log of this format may hold; each file says itself which it does."""
        return (*_ALWAYS, "cookies", "vhost", "forwarded", "gpc", "dnt")

    def parser(self, *, cookie: str | None = None, account: str | None = "user") -> W3cParser:
        """A fresh parser for one log.

        Raises:
            ConfigError: `account` names no field that can hold an account.
        """
        return W3cParser(self, cookie=cookie, account=account)


class W3cParser:
    """Parses lines of one log in order: directives in it decide what the lines after them mean.

    So a log is read from its start, even where only its end is new.
    """

    __slots__ = (
        *(
            "_account",
            "_agent",
            "_columns",
            "_cookie",
            "_count",
            "_date",
            "_decode",
            "_delimiter",
            "_has_whole_urls",
            "_log_format",
        ),
        *("_make", "_missing", "_plan", "_referrer", "_size", "_split"),
    )

    def __init__(self, log_format: W3cFormat, *, cookie: str | None, account: str | None) -> None:
        self._log_format = log_format
        self._cookie, self._account = cookie, account
        self._delimiter = b"\t" if log_format.is_cloudfront else b" "
        self._split = splitter(self._delimiter, b'"')
        self._decode = percent_decoded if log_format.is_cloudfront else spaces_for_plus
        self._date: bytes | None = None
        self._set_columns(log_format.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Per column in force our field, `ignored` for the rest; none where a line needs more than its cells."""
        return () if self._has_whole_urls else self._columns

    @property
    def delimiter(self) -> bytes:
        """What stands between cells."""
        return self._delimiter

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises, whatever the bytes.

        Returns a Hit, or a reason code: `too_long`, `blank`, `directive`, `fields` where no `#Fields:` line
        has been met, `columns` for another number of cells, or the name of the first field that is missing
        or does not fit.
        """
        if len(line) > MAX_LINE_BYTES:
            return "too_long"
        if line[:1] == b"#":
            self._direct(line)
            return "directive"
        line = line.rstrip(b"\r")
        cells = line.split(self._delimiter)
        if len(cells) != self._count:
            # Some writers quote cells with spaces; most quote nothing, and a query may hold any quote.
            cells = self._split(line)
        if len(cells) != self._count or self._missing:
            return self._reason(line, len(cells))
        values: list[bytes | None] = [None] * self._size
        for slot, column in self._plan:
            values[slot] = cells[column]
        self._tidy(values)
        return self._make(values)

    def decode(self, agent: bytes) -> bytes:
        """An agent's cell as the browser sent it; a quoted one has its spaces."""
        return agent.strip(b'"') if agent[:1] == b'"' or b" " in agent else self._decode(agent)

    @property
    def decoders(self) -> Mapping[str, Callable[[bytes], bytes]]:
        """What makes the value of a cell, by field, where the server could not write the value as it came."""
        written = {"referrer": percent_decoded} if self._log_format.is_cloudfront else {}
        return {"agent": self.decode, **written}

    def _tidy(self, values: list[bytes | None]) -> None:
        """Undo what the server did to values that it could not write as they came."""
        date, clock = values[-2] or self._date, values[-1]
        values[-2] = date
        values[-1] = clock + b"Z" if clock is not None else None  # always UTC, says the standard
        agent, referrer = values[self._agent], values[self._referrer]
        if agent is not None:
            values[self._agent] = self.decode(agent)
        if referrer is not None and self._log_format.is_cloudfront:
            values[self._referrer] = percent_decoded(referrer)

    def _reason(self, line: bytes, count: int) -> str:
        if not line.strip():
            return "blank"
        if not self._count:
            return "fields"
        return odd_line(line) if count != self._count else self._missing

    def _direct(self, line: bytes) -> None:
        date = _DATE.match(line)
        if date:
            self._date = date[1]
        fields = _FIELDS.match(line)
        if fields:
            # Latin-1 takes any byte; a name of other letters is no column that we know.
            self._set_columns(tuple(line[fields.end() :].decode("latin-1").split()))

    def _set_columns(self, names: tuple[str, ...]) -> None:
        columns = _meanings(names)
        self._columns = tuple(columns)
        self._has_whole_urls = "cs-uri" in names
        maker = HitMaker(
            # The date may come from a directive; a column of that name that is not there is never read.
            [name for name in columns if name != "ignored"],
            cookie=self._cookie,
            account=self._account,
            has_whole_urls=self._has_whole_urls,
        )
        missing = next((name for name in _REQUIRED if name not in columns), "")
        self._missing = _REASONS.get(missing, missing)
        self._count, self._size = len(columns), len(maker.sources)
        self._plan = plan(columns, maker)
        self._make = maker.hit
        self._agent, self._referrer = 4, 7  # their slots


def _meanings(names: tuple[str, ...]) -> list[str]:
    """Per column our field, `ignored` for the rest; of several that mean the same only the best is kept."""
    lowered = [name.lower() for name in names]
    best: dict[str, str] = {}
    for column, field in _COLUMNS.items():
        if column in lowered:
            best.setdefault(field, column)
    return [
        field if best.get(field := _COLUMNS.get(name, "ignored")) == name else "ignored" for name in lowered
    ]
