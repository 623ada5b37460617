"""A format and lines → which lines the compiled path took, and where the exact parser reads them otherwise.

Belongs here: the comparison, and ways to spoil a line. Does not: which formats and lines are compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.fast import compiled_path
from usage_stats.accesslog.hit import Hit, LogFormat
from usage_stats.accesslog.lines import Lines, lines_of

SEED = 0x5EED
READ = ("at", "status", "is_get", *SLOTS)  # what the columns say of a line
# Bytes that mean something to a server, to the kernel or to a regex; and neighbours of those that do.
ODD_BYTES = b'\0\t\r !"#$%&*+,-./019:;=?@AGZ[\\]_`aez{|}~\x7f\x80\xff'


class Comparison(NamedTuple):
    """How many lines the compiled path took, and each that it reads otherwise: line, its reading, the exact one."""

    taken: int
    differing: list[tuple[bytes, object, object]]


def rows_of(columns: Columns) -> list[tuple[object, ...]]:
    """The columns as rows of plain values, in the order of `READ`; None where there is no value."""
    cells = []
    for slot in range(len(SLOTS)):
        rows = np.flatnonzero(columns.hashes[slot])
        values = dict(zip(rows.tolist(), columns.values(slot, rows), strict=True))
        cells.append([values.get(row) for row in range(len(columns))])
    return list(
        zip(columns.at.tolist(), columns.status.tolist(), columns.is_get.tolist(), *cells, strict=True)
    )


def row_of(hit: Hit | str, others: Collection[str] = ()) -> object:
    """What the columns should say of a hit; a reason as it is. `others`: which of the last slots are wanted."""
    if isinstance(hit, str):
        return hit
    path, _, query = (None, b"", b"") if hit.target is None else hit.target.partition(b"?")
    return (
        *(hit.at, hit.status, hit.method == b"GET"),
        *(hit.address, hit.agent, path, hit.account, hit.cookie),
        hit.forwarded if "forwarded" in others else None,
        *(b"1" if getattr(hit, name) and name in others else None for name in ("gpc", "dnt")),
        (query if query not in {b"", b"-"} and "query" in others else None),
        hit.referrer if "referrer" in others else None,
    )


def batches(lines: Iterable[bytes], *, ends: bytes = b"\n") -> Iterator[Lines]:
    """The lines as they lie in memory when read from a log; `ends` is what stands behind the last."""
    return lines_of([b"\n".join(lines) + ends])


def compare(
    log_format: LogFormat,
    lines: Iterable[bytes],
    *,
    account: str | None = "user",
    cookie: str | None = None,
    others: frozenset[str] = frozenset(),
    ends: bytes = b"\n",
) -> Comparison:
    """Read lines by both; the format must have a compiled path."""
    exact = log_format.parser(account=account, cookie=cookie)
    fast = compiled_path(log_format, exact, account=account, cookie=cookie, others=others, seed=SEED)
    assert fast is not None
    taken, differing = 0, []
    for batch in batches(lines, ends=ends):
        columns, declined = fast.read(batch)
        left = set(declined.tolist())
        rows = [row for row in range(len(batch)) if row not in left]
        taken += len(rows)
        for row, read in zip(rows, rows_of(columns), strict=True):
            expected = row_of(exact.parse(batch[row]), others)
            if read != expected:
                differing.append((batch[row], read, expected))
    return Comparison(taken, differing)


def has_compiled_path(log_format: LogFormat) -> bool:
    """Whether the kernel can read the format at all."""
    parser = log_format.parser()
    return compiled_path(log_format, parser, account="user", cookie=None, seed=SEED) is not None


def spoilt(line: bytes) -> Iterator[bytes]:
    """The line in many ways wrong.

    Cut at every byte; with each odd byte put in, and in place of each of its bytes; each byte left out, doubled, with a
    bit flipped; neighbouring words swapped, left out, doubled.
    """
    yield line
    for at in range(len(line) + 1):
        before, after, rest = line[:at], line[at:], line[at + 1 :]
        yield before
        yield after
        for odd in ODD_BYTES:
            yield before + bytes([odd]) + after
            yield before + bytes([odd]) + rest
        if after:
            yield before + rest
            yield before + after[:1] + after
            for bit in range(8):
                yield before + bytes([after[0] ^ (1 << bit)]) + rest
    words = line.split(b" ")
    for at in range(len(words) - 1):
        yield b" ".join([*words[:at], words[at + 1], words[at], *words[at + 2 :]])
        yield b" ".join([*words[:at], *words[at + 1 :]])
        yield b" ".join([*words[: at + 1], *words[at:]])


def without_newlines(lines: Iterable[bytes]) -> list[bytes]:
    """The lines; those that hold a newline are left out, for a newline ends a line."""
    return [line for line in lines if b"\n" not in line]
