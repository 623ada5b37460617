"""A log's lines beside those read before → which of them are new.

As two copies of one stretch of a log are laid beside each other: a run of lines that was read before, in the same
order, is the same run. Lines that merely look alike are not: a run must be long enough, or reach from an end to an
end, as growing, rotated, joined and overlapping logs do.

Belongs here: the comparison. Does not: files, or the meaning of a line.
"""

from __future__ import annotations

import secrets
from collections import deque
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
    """Lines to decide on; `ahead`: their fingerprints and those of some lines behind them, or of all (`sees_end`).

    `is_cut`: no newline ends the last line ahead.
    """

    given: Aligned
    ahead: UInt64
    is_last: bool
    sees_end: bool
    is_cut: bool

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
        self.beside: set[str] = set()  # the streams that known lines are of

    def align(self, batches: Iterable[tuple[Lines, UInt64]]) -> Iterator[Aligned]:
        """Decide on lines in the order of the file; each batch is held until enough is seen behind it."""
        waiting: deque[tuple[Lines, UInt64]] = deque()
        rest, sees_end = iter(batches), False
        while True:
            while not sees_end and sum(len(found) for _, found in list(waiting)[1:]) <= _LONG_RUN:
                following = next(rest, None)
                sees_end = following is None
                waiting += [following] if following else []
            if not waiting:
                return
            is_cut = sees_end and waiting[-1][0].is_open
            lines, found = waiting.popleft()
            given = Aligned(lines, found, np.zeros(len(lines), np.bool_), np.zeros(len(lines), np.bool_))
            ahead = np.concatenate([found, *(behind for _, behind in waiting)]) if waiting else found
            self._decide(_Batch(given, ahead, not waiting, sees_end, is_cut))
            yield given

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
        self.beside.add(stream)
        known = self._known.stream(stream)[place:]
        length = _common(batch.given.fingerprints[row:], known)
        self._pass_over(batch, row, row + length)
        self._used_of(stream)[place : place + length] = True
        is_over = length == len(known)
        goes_on = not is_over and row + length == len(batch)
        self._at = (stream, place + length) if goes_on else None
        self._stream = stream if is_over else None
        self._may_finish = is_over
        if not is_over and batch.is_last and batch.is_cut and row + length == len(batch) - 1:
            # A copy that was cut within a known line.
            self._pass_over(batch, row + length, len(batch))
            return len(batch)
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
        for stream, place in self._likely(ahead):
            known = self._known.stream(stream)[place:]
            length = _common(ahead, known)
            rest = len(ahead) - length
            ends = length == len(known) or (batch.sees_end and rest <= batch.is_cut)
            begins = place == 0 or is_first or is_adjacent
            is_whole = place == 0 and (is_first or is_adjacent)
            is_varied = bool((ahead[:length] != ahead[0]).any())  # one line repeated proves nothing
            if is_first and rest and length == len(known) and ahead[length] != ahead[0]:
                # One file's last line and another's first, in a file that goes over both.
                is_varied = is_varied or self._known.begins_with(int(ahead[length]))
            if (is_whole and ends) or (is_varied and ((begins and ends) or length >= _LONG_RUN)):
                runs.append((length, -place, stream))
        if not runs:
            return None
        _, place, stream = max(runs)
        return stream, -place

    def _likely(self, ahead: UInt64) -> list[tuple[str, int]]:
        """Unused places of the first line; of a line written many times in a row, only those as far from its last."""
        different = ahead != ahead[0]
        times = int(different.argmax()) if different.any() else len(ahead)
        found: list[tuple[str, int]] = []
        for stream in self._known.streams:
            places = self._known.places_in(stream, int(ahead[0]))
            if not len(places):
                continue
            burst = places - np.arange(len(places))  # equal for places that follow each other
            follow = np.searchsorted(burst, burst, "right") - np.arange(len(places))
            is_end = places + follow == len(self._known.stream(stream))
            fits = ((follow == times) | is_end | (places == 0)) & ~self._used_of(stream)[places]
            found += [(stream, place) for place in places[fits][:_MOST_PLACES].tolist()]
        return found

    def _used_of(self, stream: str) -> Bool:
        if stream not in self._used:
            self._used[stream] = np.zeros(len(self._known.stream(stream)), np.bool_)
        return self._used[stream]

    def _finish(self, batch: _Batch, row: int) -> bool:
        """Whether a line is one that was cut when it was read, and needs no second reading."""
        lines = batch.given.lines
        is_whole = not lines.is_open or row < len(lines) - 1 or not batch.is_last
        was = self._cut_line(lines[row], is_first=self._row + row == 0)
        if was is None:
            if not is_whole and any(
                w.stream == self._stream and w.bytes > len(lines[row]) for w in self._known.open_lines
            ):
                self._pass_over(batch, row, row + 1)  # a copy that was cut within the cut line
                return True
            return False
        self._stream, self._may_finish = was.stream, False
        if was.reason is not None and (is_whole or len(lines[row]) > was.bytes):
            batch.given.withdrawn.append(was.reason)
            # So that it is known to be withdrawn, wherever the whole line is.
            self.segments.append((was.stream, 0))
            return False
        self._pass_over(batch, row, row + 1)
        if is_whole:  # its whole text is known from now on
            self._keep(batch, row, row + 1)
        return True

    def _cut_line(self, line: bytes, *, is_first: bool) -> OpenLine | None:
        """The line that was cut, of the stream that ends here or of one that holds nothing else."""
        for was in self._known.open_lines:
            here = was.stream == self._stream or (is_first and was.stream not in self._known.begun)
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
        row, stream = row + longest.lines, longest.stream if known.is_end(longest) else None
    return row, stream
