"""A format → the steps by which the kernel reads its lines, if the kernel can read them at all.

Belongs here: which fields have a step, and what is kept of them. Does not: reading a byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from usage_stats.accesslog import kernel
from usage_stats.accesslog.directives import Field, Literal, Piece
from usage_stats.accesslog.lines import Int64, UInt8
from usage_stats.accesslog.timestamps import CLF, EPOCH_MSEC, ISO_8601

__all__ = ["Program", "program_of"]

_LAYOUTS = {CLF: kernel.CLF, ISO_8601: kernel.ISO, EPOCH_MSEC: kernel.EPOCH, "%s": kernel.EPOCH}
_TYPED = {"status": kernel.STATUS, "bytes": kernel.SIZE, "vhost": kernel.HOST}
_PLAIN = frozenset({"address", "agent", "ident", "user", "referrer", "ignored"})
_NEVER = ord("\n")  # a byte that no line holds: the value runs to the line's end


@dataclass(frozen=True, slots=True)
class Program:
    """Steps (rows of kind, slot, stop byte + layout, literal's place, literal's length) and the literals' bytes."""

    steps: Int64
    literals: UInt8


@dataclass(frozen=True, slots=True)
class _Kept:
    """Which fields are kept, by slot."""

    account: str | None
    cookie: str | None

    def slot(self, field: str) -> int:
        if field == self.account:
            return kernel.ACCOUNT
        if self.cookie is not None and field == f"cookie.{self.cookie}":
            return kernel.COOKIE
        return {"address": kernel.ADDRESS, "agent": kernel.AGENT}.get(field, -1)


def program_of(pieces: Sequence[Piece], *, account: str | None, cookie: str | None) -> Program | None:
    """Write the program of a template; None where a field needs the exact parser."""
    kept = _Kept(account, cookie)
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
    return Program(np.array(steps, np.int64), np.frombuffer(literals or b" ", np.uint8))


def _text(pieces: Sequence[Piece], index: int) -> bytes:
    """The literal at an index; nothing where a field is, or no piece."""
    piece = pieces[index] if 0 <= index < len(pieces) else None
    return piece.text if isinstance(piece, Literal) else b""


def _step(field: Field, before: bytes, after: bytes, kept: _Kept) -> tuple[int, int, int] | None:
    """Kind, slot and detail of a field's step, or None if the kernel has none for it."""
    stop = after[0] if after else _NEVER
    is_quoted = before.endswith(b'"') and after.startswith(b'"')
    if field.name == "time":
        return (kernel.TIME, -1, stop | _LAYOUTS[field.layout] << 8) if field.layout in _LAYOUTS else None
    if field.name == "request":
        return (kernel.REQUEST, -1, 0) if is_quoted else None
    if field.name in _TYPED and not is_quoted:
        return _TYPED[field.name], -1, stop
    if is_quoted and (field.name in _PLAIN or field.name == "forwarded" or field.name.startswith("cookie.")):
        return kernel.QUOTED, kept.slot(field.name), 0
    if field.name in _PLAIN or field.name.startswith("cookie."):
        return kernel.VALUE, kept.slot(field.name), stop
    return None
