"""A line of cells between delimiters, W3C extended or LTSV → a hit.

Belongs here: cells, quotes, `#Fields:`, labels, and what IIS and CloudFront do to values.
Does not: which servers use which columns (formats).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from usage_stats.accesslog.hit import MAX_LINE_BYTES, Hit
from usage_stats.accesslog.record import HitMaker

__all__ = ["DelimitedFormat", "DelimitedParser", "LabelledFormat", "LabelledParser"]

_Split = Callable[[bytes], list[bytes]]


@dataclass(frozen=True, slots=True)
class DelimitedFormat:
    """Cells in a fixed order: `columns` are field names, `ignored` for a cell that is read over."""

    name: str
    example: bytes
    columns: tuple[str, ...]
    delimiter: bytes
    quote: bytes = b""
    zone: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Semantic names in the order of the columns."""
        return self.columns

    def parser(self, *, cookie: str | None = None, account: str | None = "user") -> DelimitedParser:
        """A fresh parser for one log.

        Raises:
            ConfigError: `account` names no field that can hold an account.
        """
        return DelimitedParser(self, cookie=cookie, account=account)


def splitter(delimiter: bytes, quote: bytes) -> _Split:
    """How a line becomes cells; a quoted cell may hold the delimiter, and its quote doubled or behind a backslash."""
    if not quote:
        return lambda line: line.split(delimiter)
    mark, fence = re.escape(quote), re.escape(delimiter)
    body = rb"[^%b\\]*+(?:(?:\\.|%b%b)[^%b\\]*+)*+" % (mark, mark, mark, mark)
    cell = re.compile(
        rb"(?:%b(%b)%b|(?!%b)([^%b]*+))(?:(%b)|\Z)" % (mark, body, mark, mark, fence, fence), re.DOTALL
    )

    def split(line: bytes) -> list[bytes]:
        if quote not in line:
            return line.split(delimiter)
        cells, at = [], 0
        while match := cell.match(line, at):
            cells.append(match[2] if match[1] is None else match[1].replace(quote * 2, quote))
            at = match.end()
            if match[3] is None:
                return cells
            if at == len(line):
                return [*cells, b""]
        return []  # a quote that is never closed, or text behind one

    return split


class DelimitedParser:
    """Parses lines of cells."""

    __slots__ = ("_count", "_has_hits", "_make", "_plan", "_size", "_split")

    def __init__(self, log_format: DelimitedFormat, *, cookie: str | None, account: str | None) -> None:
        maker = HitMaker(log_format.columns, cookie=cookie, account=account, zone=log_format.zone)
        self._plan = plan(log_format.columns, maker)
        self._count, self._size = len(log_format.columns), len(maker.sources)
        self._make = maker.hit
        self._split = splitter(log_format.delimiter, log_format.quote)
        self._has_hits = False

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises, whatever the bytes.

        Returns a Hit, or a reason code: `too_long`, `blank`, `directive` for a comment or the header,
        `columns` for another number of cells, or the name of the first field that does not fit.
        """
        if len(line) > MAX_LINE_BYTES:
            return "too_long"
        cells = self._split(line.rstrip(b"\r"))
        if len(cells) != self._count or line[:1] == b"#":
            return odd_line(line)
        values: list[bytes | None] = [None] * self._size
        for slot, column in self._plan:
            values[slot] = cells[column]
        result = self._make(values)
        if isinstance(result, Hit):
            self._has_hits = True
        elif not self._has_hits and _HEADER.fullmatch(line):
            return "directive"
        return result


_HEADER: Final = re.compile(rb"[^0-9/]*+")  # the names of columns: no status, no time, no target


def plan(columns: Sequence[str], maker: HitMaker) -> tuple[tuple[int, int], ...]:
    """Which cell goes to which slot of the maker; of two columns of a name the first counts."""
    return tuple(
        (slot, columns.index(field)) for slot, field in enumerate(maker.sources) if field is not None
    )


def odd_line(line: bytes) -> str:
    """Why a line has not the cells it should."""
    if not line.strip():
        return "blank"
    return "directive" if line[:1] == b"#" else "columns"


@dataclass(frozen=True, slots=True)
class LabelledFormat:
    """LTSV: cells `label:value` between tabs, in any order; `labels` are pairs of field name and label.

    Source: http://ltsv.org
    """

    name: str
    example: bytes
    labels: tuple[tuple[str, str], ...]
    zone: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Semantic names, in the order of the map."""
        return tuple(field for field, _ in self.labels)

    def parser(self, *, cookie: str | None = None, account: str | None = "user") -> LabelledParser:
        """A fresh parser for one log.

        Raises:
            ConfigError: `account` names no field that can hold an account.
        """
        return LabelledParser(self, cookie=cookie, account=account)


class LabelledParser:
    """Parses lines of labelled cells."""

    __slots__ = ("_make", "_plan")

    def __init__(self, log_format: LabelledFormat, *, cookie: str | None, account: str | None) -> None:
        maker = HitMaker(log_format.fields, cookie=cookie, account=account, zone=log_format.zone)
        labels = dict(log_format.labels)
        # A server may leave out a label whose value is empty; who names no agent is not one of whom none is recorded.
        self._plan = tuple(
            (labels[field].encode() if field else b"", b"" if field == "agent" else None)
            for field in maker.sources
        )
        self._make = maker.hit

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises, whatever the bytes.

        Returns a Hit, or a reason code: `too_long`, `blank`, `directive`, `columns` for a cell without a
        label, or the name of the first field that does not fit. A label given twice has its last value.
        """
        if len(line) > MAX_LINE_BYTES:
            return "too_long"
        if not line.strip() or line[:1] == b"#":
            return odd_line(line)
        values: dict[bytes, bytes | None] = {}
        for cell in line.rstrip(b"\r").split(b"\t"):
            label, colon, value = cell.partition(b":")
            if not colon:
                return "columns"
            values[label] = value
        return self._make([values.get(label, absent) for label, absent in self._plan])


def spaces_for_plus(agent: bytes) -> bytes:
    """An agent as the browser sent it: IIS writes `+` for a space, and a `+` as it is.

    So `;++http` was `; +http`: robots write the latter, and nobody two spaces.
    """
    return agent.replace(b"++", b"\0").replace(b"+", b" ").replace(b"\0", b" +")


def percent_decoded(text: bytes) -> bytes:
    """A value as the client sent it: CloudFront writes it percent-encoded, and did so twice in its first years.

    Only a space that was encoded twice and none that was encoded once tells of the second time.
    """
    once = unquote_to_bytes(text)
    return unquote_to_bytes(once) if b"%2520" in text and b"%20" not in text else once
