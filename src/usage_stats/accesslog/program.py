"""A format → the program by which the kernel reads its lines, if the kernel can read them at all.

Belongs here: which fields have a step, and what is kept of them. Does not: reading a byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from usage_stats.accesslog import kernel
from usage_stats.accesslog.directives import Field, Literal, Piece
from usage_stats.accesslog.json_format import JsonFormat
from usage_stats.accesslog.lines import Int64, UInt8
from usage_stats.accesslog.template import TemplateFormat
from usage_stats.accesslog.timestamps import CLF, EPOCH_MSEC, ISO_8601

__all__ = ["Program", "cells_program", "object_program", "template_program"]

_LAYOUTS = {CLF: kernel.CLF, ISO_8601: kernel.ISO, EPOCH_MSEC: kernel.SPLIT_EPOCH, "%s": kernel.WHOLE_EPOCH}
_TYPED = {"status": kernel.STATUS, "bytes": kernel.SIZE, "vhost": kernel.HOST}
_SLOTS = {
    "address": kernel.ADDRESS,
    "agent": kernel.AGENT,
    "forwarded": kernel.FORWARDED,
    "gpc": kernel.GPC,
    "dnt": kernel.DNT,
    "referrer": kernel.REFERRER,
}
_PLAIN = frozenset({"address", "agent", "ident", "user", "referrer", "gpc", "dnt", "ignored"})
_NEVER = ord("\n")  # a byte that no line holds: the value runs to the line's end
_SPACE = ord(" ")
_STOPS = frozenset(
    b' \t"],;|\n'
)  # bytes that end a value and stand in no address, host, status, size or time

# Of cells and of JSON's keys: what has a step of its own; the rest is a value, kept or read over.
_PARTS = {
    "status": kernel.STATUS,
    "request": kernel.REQUEST,
    "method": kernel.METHOD,
    "path": kernel.PATH,
    "time": kernel.TIME,
    "date": kernel.TIME,
    "clock": kernel.TIME,
}
_PART_LAYOUTS = {"time": kernel.ISO, "date": kernel.DATE, "clock": kernel.CLOCK}
_ADDRESS = r"[0-9A-Za-z:][0-9A-Za-z_.:%~-]*"  # as the pattern of a template's address has it (fields)
_MAY_BE_NUMBER, _NEEDED = 1, 2  # flags of a JSON key
_MOST_KEYS = 62  # a bit each in a number


@dataclass(frozen=True, slots=True)
class Program:
    """What the kernel's function is given: steps (rows of numbers) and the literals' or keys' bytes.

    `is_object`: whether lines are JSON objects; `has_agent`: in which no agent means a client that names none.
    `decode`: per slot, what makes the value of what the server wrote.
    """

    steps: Int64
    literals: UInt8
    is_object: bool = False
    has_agent: bool = False
    decode: Mapping[int, Callable[[bytes], bytes]] = field(default_factory=dict)
    is_address: Callable[[bytes], object] = bool


@dataclass(frozen=True, slots=True)
class Kept:
    """The fields that tell who is who; and others that are wanted, of `forwarded`, `gpc`, `dnt`, `query`,
    `referrer`.
    """

    account: str | None
    cookie: str | None
    others: frozenset[str] = frozenset()

    def slot(self, name: str) -> int:
        """Where a field's value is kept; -1: nowhere."""
        if name == self.account:
            return kernel.ACCOUNT
        if self.cookie is not None and name == f"cookie.{self.cookie}":
            return kernel.COOKIE
        return _SLOTS.get(name, -1) if name in {"address", "agent"} | self.others else -1

    @property
    def target_layout(self) -> int:
        """How much of a target is kept."""
        return kernel.WITH_QUERY if "query" in self.others else 0

    def are_in(self, names: Sequence[str]) -> bool:
        """Whether each is a field of its own, or in none: a cookie in a whole Cookie header needs the exact parser."""
        if self.account == f"cookie.{self.cookie}":
            return False  # one field for two
        if self.target_layout and "query" in names and "request" not in names:
            return False  # a query may stand in two places
        return "cookies" not in names or (
            self.cookie is None and not (self.account or "").startswith("cookie.")
        )


def template_program(log_format: TemplateFormat, kept: Kept) -> Program | None:
    """The program of a template; None where a field needs the exact parser."""
    pieces = log_format.pieces
    if log_format.is_json_escaped or log_format.has_whole_urls or not kept.are_in(log_format.fields):
        return None
    if _is_user_vague(pieces):
        return None
    steps, literals = [], b""
    for index, piece in enumerate(pieces):
        before, after = _text(pieces, index - 1), _text(pieces, index + 1)
        if isinstance(piece, Literal):
            steps.append((kernel.LITERAL, -1, 0, len(literals), len(piece.text)))
            literals += piece.text
            continue
        step = _step(piece, before, after, kept) if after or index == len(pieces) - 1 else None
        if step is None:
            return None
        steps.append((*step, 0, 0))
    is_address = re.compile(_ADDRESS.encode()).fullmatch
    return Program(
        np.array(steps, np.int64), np.frombuffer(literals or b" ", np.uint8), is_address=is_address
    )


def _is_user_vague(pieces: Sequence[Piece]) -> bool:
    """Whether spaces behind an unquoted user may be the user's: up to the next quote, another field may hold some."""
    place = next((i for i, p in enumerate(pieces) if isinstance(p, Field) and p.name == "user"), len(pieces))
    for index in range(place + 1, len(pieces)):
        piece, after = pieces[index], _text(pieces, index + 1)
        if isinstance(piece, Literal):
            if b'"' in piece.text:
                return False
        elif (piece.name == "agent" and index == len(pieces) - 1) or (
            piece.name not in {"time", *_TYPED} and after and after[:1] != b" "
        ):
            return True
    return False


def _text(pieces: Sequence[Piece], index: int) -> bytes:
    """The literal at an index; nothing where a field is, or no piece."""
    piece = pieces[index] if 0 <= index < len(pieces) else None
    return piece.text if isinstance(piece, Literal) else b""


def _step(piece: Field, before: bytes, after: bytes, kept: Kept) -> tuple[int, int, int] | None:  # noqa: PLR0911 one per kind
    """Kind, slot and detail of a field's step, or None if the kernel has none for it."""
    # In the last place an agent without quotes has its spaces, and a time may; anything else ends at one.
    stop = after[0] if after else _NEVER if piece.name in {"agent", "time"} else _SPACE
    if stop not in _STOPS or (
        piece.name in {"ident", "user"} and stop != _SPACE and not after.startswith(b'"')
    ):
        return None
    is_quoted = before.endswith(b'"') and after.startswith(b'"')
    if piece.name == "time":
        return (kernel.TIME, -1, stop | _LAYOUTS[piece.layout] << 8) if piece.layout in _LAYOUTS else None
    if piece.name == "request":
        return (kernel.REQUEST, -1, kept.target_layout << 8) if is_quoted else None
    if piece.name in _TYPED and not is_quoted:
        return _TYPED[piece.name], -1, stop
    if is_quoted and (piece.name in _PLAIN or piece.name == "forwarded" or piece.name.startswith("cookie.")):
        return kernel.QUOTED, kept.slot(piece.name), 0
    if piece.name in _PLAIN or piece.name.startswith("cookie."):
        return kernel.VALUE, kept.slot(piece.name), stop
    return None


def cells_program(
    columns: Sequence[str], delimiter: bytes, kept: Kept, decode: Mapping[str, Callable[[bytes], bytes]]
) -> Program | None:
    """The program of cells between delimiters, by the fields they hold (`ignored` for the rest).

    A W3C log's: the date and the time of day stand apart. `decode`: by field, what makes the value of a cell. None if
    the exact parser is needed.
    """
    columns = [name if name not in columns[:place] else "ignored" for place, name in enumerate(columns)]
    needed = {"date", "clock", "address", "method", "path", "status"}
    if not needed <= set(columns) or not kept.are_in(columns):
        return None
    steps: list[tuple[int, ...]] = []
    for name in columns:
        layout = kept.target_layout if name in {"request", "path"} else _PART_LAYOUTS.get(name, 0)
        steps.append((_PARTS.get(name, kernel.VALUE), kept.slot(name), delimiter[0] | layout << 8, 0, 0))
        steps.append((kernel.LITERAL, -1, 0, 0, 1))
    decoded = {_SLOTS[name]: of_cell for name, of_cell in decode.items()}
    return Program(np.array(steps[:-1], np.int64), np.frombuffer(delimiter, np.uint8), decode=decoded)


def object_program(log_format: JsonFormat, kept: Kept) -> Program | None:
    """The program of JSON objects without inner ones; None if the exact parser is needed."""
    fields = log_format.fields
    nested = any("." in key for _, keys in log_format.keys for key in keys)
    if nested or {"date", "clock"} & set(fields) or "address" not in fields or not kept.are_in(fields):
        return None
    request = {"method", "path"} if "request" not in fields else {"request"}
    if sum(len(keys) for _, keys in log_format.keys) > _MOST_KEYS:
        return None
    rows: list[tuple[int, ...]] = []
    names = b""
    for name, keys in log_format.keys:
        flags = _MAY_BE_NUMBER if name in {"time", "status"} else 0
        flags |= _NEEDED if name in {"time", "address", "status", *request} else 0
        is_read = name in request or name not in {"request", "method", "path"}
        kind = _PARTS.get(name, kernel.VALUE) if is_read else kernel.VALUE
        layout = kept.target_layout if name in {"request", "path"} else _PART_LAYOUTS.get(name, 0)
        detail = flags | layout << 8
        first = len(rows)
        every = (1 << len(keys)) - 1 << first
        for key in keys:
            before = (1 << len(rows)) - (1 << first)
            rows.append((kind, kept.slot(name), detail, len(names), len(key.encode()), before, every))
            names += key.encode()
    return Program(
        np.array(rows, np.int64), np.frombuffer(names, np.uint8), is_object=True, has_agent="agent" in fields
    )
