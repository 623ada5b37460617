"""Lines of a log → columns of hits, and a reason for every line that is none.

The fast path takes the plain lines; whatever it declines goes to the exact parser, which alone rejects.

Belongs here: who reads which line. Does not: how a line is read (kernel, parsers), or what becomes of a hit.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xxhash

from usage_stats.accesslog.columns import Columns, columns_of_hits
from usage_stats.accesslog.forwarded import Proxies
from usage_stats.accesslog.hit import Hit, Parser
from usage_stats.accesslog.lines import Int64, Lines, UInt8, UInt64, fingerprints, newlines

__all__ = ["BatchParser", "FastPath", "Parsed"]

_MANY_HITS = 4096  # columns of fewer cost more to handle than to fill
_MOST_TURNS = 32  # in one batch: a server writes a few lines of directives when it starts


@dataclass(frozen=True, slots=True)
class Parsed:
    """What some lines came to: hits in columns, in any order, and the other lines counted by reason.

    Hits that the exact parser read wait until there are many. `last_reason` is that of the last line, None if it is
    a hit.
    """

    hits: tuple[Columns, ...]
    reasons: Counter[str]
    last_reason: str | None


class FastPath(Protocol):
    """Reads plain lines and declines all others."""

    def read(self, lines: Lines) -> tuple[Columns, np.ndarray]:
        """The hits of the lines it understood, and the rows it declined."""

    def walk(self, lines: Lines) -> Lines:
        """The same lines, after what may be done ahead of `read`, in any thread."""

    def newlines(self, data: UInt8) -> Int64:
        """Where newline bytes are; `data` has `PADDING` behind it."""

    def fingerprints(self, lines: Lines, seed: int) -> UInt64:
        """XXH64 of each line."""


class BatchParser:
    """Parses lines of one log; `seed` is of the values' hashes, `proxies` those that its clients came through."""

    def __init__(
        self, exact: Parser, seed: int, fast: FastPath | None = None, proxies: Proxies | None = None
    ) -> None:
        self._proxies = proxies
        self._exact = exact
        self._seed = seed
        self._fast = fast
        self._waiting: list[Hit] = []

    def parts(self, lines: Lines) -> Iterator[Lines]:
        """Some lines in stretches between which a directive may change what the next ones mean."""
        is_directive = lines.data[lines.starts] == ord("#")
        turns = np.flatnonzero(is_directive[1:] != is_directive[:-1]) + 1
        if self._fast is None or not 0 < len(turns) <= _MOST_TURNS:  # the exact parser reads line by line
            yield lines
            return
        for start, end in itertools.pairwise([0, *turns.tolist(), len(lines)]):
            yield lines.only(slice(start, end))

    def read(self, lines: Lines) -> Parsed:
        """Parse some lines (of `parts`): in the end, hits + reasons = lines.

        The hits are void when the next lines are read.
        """
        hits: list[Columns] = []
        declined: Iterable[int] = range(len(lines))
        if self._fast is not None and not (lines.data[lines.starts] == ord("#")).any():
            columns, rows = self._fast.read(lines)
            hits.append(self._clients(columns))
            declined = rows.tolist()
        reasons: Counter[str] = Counter()
        last = None
        for row in declined:
            result = self._exact.parse(lines[row])
            if isinstance(result, str):
                reasons[result] += 1
                last = (row, result)
            else:
                self._waiting.append(result)
        if len(self._waiting) >= _MANY_HITS:
            hits += self.rest()
        return Parsed(tuple(hits), reasons, last[1] if last and last[0] == len(lines) - 1 else None)

    def rest(self) -> list[Columns]:
        """The hits that still wait."""
        waiting, self._waiting = self._waiting, []
        return [self._clients(columns_of_hits(waiting, self._seed))] if waiting else []

    def _clients(self, columns: Columns) -> Columns:
        return self._proxies.look_behind(columns) if self._proxies else columns

    def pass_over(self, lines: Lines) -> None:
        """Lines that were read before: of them, only directives matter, which say how the next are written."""
        for row in np.flatnonzero(lines.data[lines.starts] == ord("#")).tolist():
            self._exact.parse(lines[row])

    def ends(self, line: bytes) -> bool:
        """Whether a line that no newline ends says the same whatever may follow: not if it were another hit with a
        byte less, or more.
        """
        result = self._exact.parse(line)
        others = (self._exact.parse(other) for other in (line[:-1], line + b"0"))
        return all(isinstance(other, str) or other == result for other in others)

    def walk(self, lines: Lines) -> Lines:
        """The same lines, after what may be done ahead of `read`, in any thread."""
        return self._fast.walk(lines) if self._fast else lines

    def newlines(self, data: UInt8) -> Int64:
        """Where newline bytes are, in order, as `lines_of` wants it."""
        return self._fast.newlines(data) if self._fast else newlines(data)

    def fingerprints(self, lines: Lines, seed: int) -> UInt64:
        """XXH64 of each line under a seed."""
        return self._fast.fingerprints(lines, seed) if self._fast else fingerprints(lines, seed)

    @staticmethod
    def fingerprint(line: bytes, seed: int) -> int:
        """XXH64 of one line."""
        return xxhash.xxh64_intdigest(line, seed)
