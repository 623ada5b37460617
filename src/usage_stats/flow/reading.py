"""One log file → its new lines, parsed and stripped, and a ledger entry that makes them count.

Belongs here: the way of one file's lines, and the account of them. Does not: which files (ingest), or what a line
means (accesslog), what is kept of it (deidentify).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from usage_stats.accesslog.batch import BatchParser
from usage_stats.accesslog.columns import Columns
from usage_stats.accesslog.lines import Lines, UInt64, lines_of
from usage_stats.accesslog.read import Break, Log
from usage_stats.deidentify.strip import Stripped, Stripper
from usage_stats.errors import InternalError
from usage_stats.flow.ahead import ahead
from usage_stats.flow.alignment import Aligned, Alignment, closed_lines
from usage_stats.flow.known_lines import FingerprintFile, KnownLines, LinesDigest
from usage_stats.flow.unread import Unread

__all__ = ["Account", "read_file"]

# So many hits are held in memory before their events are written: about 40 bytes each.
_HITS_IN_MEMORY = 500_000

WriteEvents = Callable[[Stripped], list[str]]
OnBytes = Callable[[int], None]


@dataclass(slots=True)
class Account:
    """What became of a file's new lines: lines = parsed + rejected.

    `rejected` may be negative for a reason: the beginning of a line was rejected before, and is a hit by now.
    `content` is of all whole lines of the file; `segments` says where the fingerprints kept belong, `beside` which
    streams the known lines are of; `open_line` is the stream, length, fingerprint and reason (None: parsed) of a
    last line without its newline; `broken` says where compressed data break.
    """

    total: int = 0
    content: LinesDigest = field(default_factory=LinesDigest)
    lines: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    lines_by_day: Counter[date] = field(default_factory=Counter)
    events: list[str] = field(default_factory=list)
    segments: list[tuple[str, int]] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    open_line: tuple[str, int, int, str | None] | None = None
    broken: Break | None = None
    is_cut: bool = False  # whether the last line may be a piece of one
    last_reason: str | None = None  # why the last line parsed is no hit

    @property
    def is_news(self) -> bool:
        """Whether anything was read that was not known before."""
        return bool(self.lines or self.segments or self.open_line)

    def add(self, stripped: Stripped, events: list[str]) -> None:
        self.outcomes += stripped.outcomes
        self.lines_by_day += stripped.lines_by_day
        self.events += events

    def entry(self, unread: Unread, kept: FingerprintFile) -> dict[str, Any]:
        """The ledger entry.

        Raises:
            InternalError: the account does not come out even.
        """
        parsed = self.outcomes.total()
        if parsed + self.rejected.total() != self.lines:
            raise InternalError(f"{unread.log.name}: lines are not parsed + rejected: this is a bug")
        return {
            "source": unread.source.name,
            "format": unread.log_format.name,
            "lines": self.lines,
            "parsed": parsed,
            "rejected": {reason: lines for reason, lines in sorted(self.rejected.items()) if lines},
            "outcomes": dict(self.outcomes),
            "lines_by_day": {day.isoformat(): lines for day, lines in sorted(self.lines_by_day.items())},
            "events": self.events,
            "segments": [list(segment) for segment in self.segments],
            "beside": self.beside,
            "first": kept.first,
            "digest": kept.digest,
            "fingerprints": kept.name,
            "content": [self.content.first, self.content.lines, self.content.digest],
            "open_line": list(self.open_line) if self.open_line else None,
            "broken": self.broken is not None,
        }


def read_file(
    unread: Unread,
    known: KnownLines,
    parser: BatchParser,
    stripper: Stripper,
    kept: FingerprintFile,
    *,
    seed: int,
    write: WriteEvents,
    on_bytes: OnBytes,
) -> Account:
    """Parse and strip the lines that were not read before; nothing counts until the account is entered.

    Args:
        unread: the log; it is read here, once.
        known: what was read of its source before.
        parser: a fresh one, of the log's format.
        stripper: with nothing waiting.
        kept: takes the fingerprints to remember.
        seed: of fingerprints.
        write: puts events into files and names them.
        on_bytes: is told the bytes read.
    """
    account = Account()

    def note(message: Break) -> None:
        account.broken = message

    blocks = unread.log.blocks(on_bytes=on_bytes, on_break=note)
    alignment = Alignment(
        known, lambda line: parser.fingerprint(line, seed), closed=_closed(unread.log, known, parser, seed)
    )

    def look(lines: Lines) -> tuple[Lines, UInt64]:
        return parser.walk(lines), parser.fingerprints(lines, seed)

    batches = ahead(lines_of(blocks, parser.newlines), look)
    for aligned in alignment.align(batches):
        account.total += len(aligned.lines)
        account.content.add(aligned.fingerprints[: len(aligned.lines) - aligned.lines.is_open])
        for hits in _parse(aligned, parser, account):
            stripper.take(hits)
        kept.add(aligned.fingerprints[aligned.is_kept])
        if aligned.lines.is_open and not aligned.is_known[-1]:
            _leave_open(aligned, account, alignment)
        if len(stripper) >= _HITS_IN_MEMORY:
            _write(stripper, account, write)
    for hits in parser.rest():
        stripper.take(hits)
    account.segments, account.beside = alignment.segments, sorted(alignment.beside)
    _write(stripper, account, write)
    return account


def _write(stripper: Stripper, account: Account, write: WriteEvents) -> None:
    stripped = stripper.drain()
    account.add(stripped, write(stripped))


def _closed(log: Log, known: KnownLines, parser: BatchParser, seed: int) -> tuple[int, str | None]:
    """How many lines at the start are sealed content, and the stream it ends. Only a file that begins as such
    content does is read for it.
    """
    if not known.closed or log.path is None:
        return 0, None
    head = log.head(1)
    if not head or parser.fingerprint(head[0], seed) not in known.closed:
        return 0, None
    with Log(log.path) as again:
        blocks = again.blocks(on_break=lambda _: None)
        found = [parser.fingerprints(lines, seed) for lines in lines_of(blocks, parser.newlines)]
    return closed_lines(known, np.concatenate(found))


def _parse(aligned: Aligned, parser: BatchParser, account: Account) -> Iterator[Columns]:
    """The hits among the new lines; the others are counted by reason."""
    count = len(aligned.lines)
    is_open = aligned.lines.is_open and not aligned.is_known[-1]
    account.lines -= len(aligned.withdrawn)
    account.rejected.subtract(aligned.withdrawn)
    is_known = aligned.is_known
    turns = np.flatnonzero(is_known[1:] != is_known[:-1]) + 1
    # In the file's order: a directive is in force for the lines behind it, the open one too.
    for start, end in itertools.pairwise(sorted({0, *turns.tolist(), count - is_open, count})):
        lines = aligned.lines if end - start == count else aligned.lines.only(slice(start, end))
        if is_known[start]:
            parser.pass_over(lines)
        elif start == count - is_open and (account.broken or not parser.ends(lines[0])):
            account.is_cut = True  # what may be a piece of a line is none; it is counted below
        else:
            account.lines += len(lines)
            for part in parser.parts(lines):
                parsed = parser.read(part)
                account.rejected.update(parsed.reasons)
                account.last_reason = parsed.last_reason
                yield from parsed.hits


def _leave_open(aligned: Aligned, account: Account, alignment: Alignment) -> None:
    """Remember a last line that no newline ends: there may be more of it when the file is read again."""
    if account.is_cut:
        account.lines += 1
        account.rejected["cut_off"] += 1
    line = aligned.lines[len(aligned.lines) - 1]
    reason = "cut_off" if account.is_cut else account.last_reason
    account.open_line = (alignment.end(), len(line), int(aligned.fingerprints[-1]), reason)
