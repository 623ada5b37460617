"""A log's lines beside those read before → which of them are new.

As two copies of one stretch of a log are laid beside each other: a run of lines that was read before, in the same
order, is the same run. Lines that merely look alike are not: a run must be long enough, or reach from an end to an
end, as growing, rotated, joined and overlapping logs do.

Belongs here: the comparison. Does not: files, or the meaning of a line.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from usage_stats.accesslog.lines import Bool, Int64, Lines, UInt64
from usage_stats.flow.known_lines import KnownLines, OpenLine, digest_of

__all__ = ["Aligned", "Alignment", "closed_lines"]

Fingerprint = Callable[[bytes], int]

# So many lines in the same order are no coincidence: log lines carry the second in which they were written.
_LONG_RUN = 8
_MOST_PLACES = 64  # at which a line that was written again and again is looked for


@dataclass(frozen=True, slots=True)
class Aligned:
    """Some lines with their fingerprints.

    `is_known`: were read before. `is_kept`: their fingerprints are to be kept. `withdrawn`: reasons for which the
    beginnings of lines were rejected that are whole by now.
    """

    lines: Lines
    fingerprints: UInt64
    is_known: Bool
    is_kept: Bool
    withdrawn: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Lines to decide on; `ahead`: their fingerprints and those of the batch behind them."""

    given: Aligned
    ahead: UInt64
    is_last: bool

    def __len__(self) -> int:
        return len(self.given.lines)


class Alignment:
    """Follows one file beside what is known of its source; `fingerprint` is that of one line.

    `segments` says where the kept lines belong: (stream, lines), in their order.
    """

    def __init__(
        self, known: KnownLines, fingerprint: Fingerprint, *, closed: tuple[int, str | None] = (0, None)
    ) -> None:
        self._known = known
        self._fingerprint = fingerprint
        self._used: dict[str, Bool] = {}  # places met in this file: each can be met once
        self._closed, self._closed_stream = closed  # so many lines at the start are sealed content
        self._row = 0  # lines decided in earlier batches
        self._at: tuple[str, int] | None = None  # the known line that comes next, while the two run along
        self._stream: str | None = None  # whose end is just before, so that new lines go on with it
        self._is_adjacent = False  # whether the line just before is known
        self._may_finish = True  # whether a line may come that was cut when it was read
        self.segments: list[tuple[str, int]] = []

    def align(self, batches: Iterable[tuple[Lines, UInt64]]) -> Iterator[Aligned]:
        """Decide on lines in the order of the file; each batch is held until the next is seen."""
        known = self._known
        rest = iter(batches)
        current = next(rest, None)
        while current is not None:
            following = next(rest, None)
            lines, found = current
            given = Aligned(lines, found, np.zeros(len(lines), np.bool_), np.zeros(len(lines), np.bool_))
            ahead = found if following is None or not known.streams else np.concatenate([found, following[1]])
            self._decide(_Batch(given, ahead, following is None))
            yield given
            current = following

    def end(self) -> str:
        """The stream to which a line belongs that the file's end cuts."""
        return self._stream or secrets.token_hex(8)

    def _decide(self, batch: _Batch) -> None:
        row = min(self._closed, len(batch))
        if row:
            self._closed -= row
            self._pass_over(batch, 0, row)
            self._stream = None if self._closed else self._closed_stream
        if self._known.streams or self._known.open_lines:
            candidates = self._known.candidates(batch.ahead)
            while row < len(batch):
                row = self._run_along(batch, row) if self._at else self._search(batch, row, candidates)
        else:
            self._take(batch, row, len(batch))
        if batch.is_last and batch.given.lines.is_open and not batch.given.is_known[-1]:
            batch.given.is_kept[-1] = False
            stream, lines = self.segments.pop()
            self.segments += [(stream, lines - 1)] if lines > 1 else []
        self._row += len(batch)

    def _run_along(self, batch: _Batch, row: int) -> int:
        """Pass over lines for as long as they are the known ones."""
        stream, place = self._at or ("", 0)
        known = self._known.stream(stream)[place:]
        length = _common(batch.given.fingerprints[row:], known)
        self._pass_over(batch, row, row + length)
        self._used_of(stream)[place : place + length] = True
        is_over = length == len(known)
        goes_on = not is_over and row + length == len(batch)
        self._at = (stream, place + length) if goes_on else None
        self._stream = stream if is_over else None
        self._may_finish = is_over
        return row + length

    def _search(self, batch: _Batch, row: int, candidates: Int64) -> int:
        """Find the next line at which a known run begins; what is before it is new."""
        if self._may_finish and self._finish(batch, row):
            return row + 1
        self._may_finish = False
        for candidate in candidates[np.searchsorted(candidates, row) :].tolist():
            if candidate >= len(batch):
                break
            found = self._begin(batch, candidate, is_adjacent=candidate == row and self._is_adjacent)
            if found:
                self._take(batch, row, candidate)
                self._at = found
                return int(candidate)
        self._take(batch, row, len(batch))
        return len(batch)

    def _begin(self, batch: _Batch, row: int, *, is_adjacent: bool) -> tuple[str, int] | None:
        """Where the longest known run begins that starts with this line, if one convinces."""
        ahead, is_first = batch.ahead[row:], self._row + row == 0
        runs = []
        for stream, place in self._unused(int(ahead[0])):
            known = self._known.stream(stream)[place:]
            length = _common(ahead, known)
            ends = length == len(known) or (batch.is_last and length == len(ahead))
            begins = place == 0 or is_first or is_adjacent
            is_whole = place == 0 and (is_first or (is_adjacent and length == len(known)))
            is_varied = bool((ahead[:length] != ahead[0]).any())  # one line repeated proves nothing
            if (is_whole and ends) or (is_varied and ((begins and ends) or length >= _LONG_RUN)):
                runs.append((length, -place, stream))
        if not runs:
            return None
        _, place, stream = max(runs)
        return stream, -place

    def _unused(self, fingerprint: int) -> list[tuple[str, int]]:
        found = self._known.places(fingerprint)
        return [(stream, place) for stream, place in found if not self._used_of(stream)[place]][:_MOST_PLACES]

    def _used_of(self, stream: str) -> Bool:
        if stream not in self._used:
            self._used[stream] = np.zeros(len(self._known.stream(stream)), np.bool_)
        return self._used[stream]

    def _finish(self, batch: _Batch, row: int) -> bool:
        """Whether a line is one that was cut when it was read, and needs no second reading."""
        lines = batch.given.lines
        was = self._cut_line(lines[row], is_first=self._row + row == 0)
        if was is None:
            return False
        self._stream, self._may_finish = was.stream, False
        is_whole = not lines.is_open or row < len(lines) - 1 or not batch.is_last
        if was.reason is not None and (is_whole or len(lines[row]) > was.bytes):
            batch.given.withdrawn.append(was.reason)
            return False
        self._pass_over(batch, row, row + 1)
        if is_whole:  # its whole text is known from now on
            self._keep(batch, row, row + 1)
        return True

    def _cut_line(self, line: bytes, *, is_first: bool) -> OpenLine | None:
        """The line that was cut, of the stream that ends here or of one that holds nothing else."""
        for was in self._known.open_lines:
            here = was.stream == self._stream or (is_first and was.stream not in self._known.streams)
            if here and self._fingerprint(line[: was.bytes]) == was.fingerprint:
                return was
        return None

    def _pass_over(self, batch: _Batch, start: int, end: int) -> None:
        batch.given.is_known[start:end] = True
        self._is_adjacent = self._is_adjacent or end > start

    def _take(self, batch: _Batch, start: int, end: int) -> None:
        """New lines: they go on with the stream they stand behind, or begin one."""
        if end > start:
            self._keep(batch, start, end)
            self._is_adjacent = self._may_finish = False

    def _keep(self, batch: _Batch, start: int, end: int) -> None:
        batch.given.is_kept[start:end] = True
        self._stream = self._stream or secrets.token_hex(8)
        if self.segments and self.segments[-1][0] == self._stream:
            self.segments[-1] = (self._stream, self.segments[-1][1] + end - start)
        else:
            self.segments.append((self._stream, end - start))


def _common(one: UInt64, other: UInt64) -> int:
    """How many fingerprints two sequences begin with in common."""
    shorter = min(len(one), len(other))
    differ = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differ[0]) if len(differ) else shorter


def closed_lines(known: KnownLines, fingerprints: UInt64) -> tuple[int, str | None]:
    """How many lines at a file's start are sealed content, one piece of it or several joined; the stream it ends."""
    row, stream = 0, None
    while row < len(fingerprints):
        pieces = known.closed.get(int(fingerprints[row]), ())
        fitting = [p for p in pieces if digest_of(fingerprints[row : row + p.lines]) == p.digest]
        if not fitting:
            break
        longest = max(fitting, key=lambda piece: piece.lines)
        row, stream = row + longest.lines, longest.stream
    return row, stream
