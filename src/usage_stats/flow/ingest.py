"""The workspace's logs → event files of the restricted store, and one ledger entry per piece of content read.

The entry is the commit: event files that no entry names are leftovers of a crash and are never read.

Belongs here: reading what is new, exactly once. Does not: what a line means (accesslog), what is kept of it
(deidentify).
"""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from usage_stats.accesslog.formats import LogFormat, resolve_format
from usage_stats.accesslog.parse import Hit, LineParser
from usage_stats.accesslog.read import read_lines
from usage_stats.accesslog.recognise import recognise
from usage_stats.config import Source
from usage_stats.deidentify.generalise import PathClassifier
from usage_stats.deidentify.strip import Stripped, Stripper
from usage_stats.errors import ConfigError, InputError, InternalError
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.content import Content, Known, find_logs, survey
from usage_stats.flow.progress import Reporter
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import WindowKind
from usage_stats.schemas import EVENTS, checked

__all__ = ["Ingested", "event_files", "ingest"]

# So many events are held in memory before they are written: about 200 bytes each, 100 MB.
_EVENTS_IN_MEMORY = 500_000
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one run read: files seen, files with something new, lines and what became of them."""

    files: int
    new_files: int
    lines: int
    parsed: int
    rejected: Counter[str]
    outcomes: Counter[str]


@dataclass(frozen=True, slots=True)
class _Unread:
    """A file with unread content, and how to parse it."""

    source: Source
    content: Content
    log_format: LogFormat


def ingest(workspace: Workspace, now: datetime, reporter: Reporter) -> Ingested:
    """Read everything new. All files are looked at before any is taken in: a bad one stops the run cleanly.

    Raises:
        InputError: a file is missing, damaged or no access log; nothing was read then.
    """
    surveyed = _survey_all(workspace, reporter)
    workspace.remember_identity()
    calendar = calendar_of(workspace, now)
    stripper = Stripper(
        PathClassifier(workspace.config.components, workspace.config.asset_extensions),
        workspace.keys.key,
        calendar.gate,
        zone=workspace.config.zone,
    )
    # Shorter first: an earlier copy of a log is then recognised as the beginning of the later one.
    unread = sorted((u for u in surveyed if u is not None), key=lambda u: u.content.length)
    reporter.start("reading logs", sum(u.content.length - u.content.resume_at for u in unread))
    entries = [_read(workspace, u, stripper, reporter) for u in unread]
    return _sum(len(surveyed), [e for e in entries if e])


def event_files(workspace: Workspace, kind: WindowKind, of: date) -> list[Path]:
    """The committed event files of a day under one kind of window."""
    prefix = f"events/{kind}/day={of}/"
    named = (name for entry in workspace.ingested.entries() for name in entry["events"])
    return [workspace.restricted / name for name in named if name.startswith(prefix)]


def _survey_all(workspace: Workspace, reporter: Reporter) -> list[_Unread | None]:
    """Each log file of each source: what of it is unread, or None. Files are looked at once, wholly."""
    found = [
        (source, path) for source in workspace.config.sources for path in find_logs(workspace.root, source)
    ]
    reporter.start("looking at logs", sum(path.stat().st_size for _, path in found))
    surveyed: list[_Unread | None] = []
    known = _known(workspace)
    # Without anything known there is nothing to compare with, and a run that fails here leaves no key behind.
    key = workspace.content_key if known else b""
    for source, path in found:
        content = survey(path, known, key=key, on_bytes=reporter.advance)
        surveyed.append(None if content.is_read else _Unread(source, content, _format(source, path)))
    if not any(surveyed) and not workspace.ingested.entries():
        raise InputError(
            f"{workspace.root}: all {len(found)} log files are empty; there is nothing to count. "
            "Check that `logs:` in usage_stats.yaml names the right files"
        )
    return surveyed


def _known(workspace: Workspace) -> Known:
    return {(e["length"], e["digest"]): e["resume_at"] for e in workspace.ingested.entries()}


def _format(source: Source, path: Path) -> LogFormat:
    log_format = recognise(path).format if source.format == "auto" else resolve_format(source.format)
    if source.cookie and f"cookie.{source.cookie}" not in log_format.fields:
        raise ConfigError(
            f"source {source.name}: cookie {source.cookie} is in no field of format {log_format.name} ({path}); "
            f"its fields are: {', '.join(log_format.fields)}. Correct `cookie:`, or name the format that has it"
        )
    return log_format


def _read(
    workspace: Workspace, unread: _Unread, stripper: Stripper, reporter: Reporter
) -> dict[str, Any] | None:
    """Take in one file's unread content; the same content under a second name is taken in once."""
    source = unread.source
    path = unread.content.path
    opened_as = _identity(path)
    content = survey(path, _known(workspace), key=workspace.content_key)
    if content.is_read:
        return None
    unread = _Unread(source, content, unread.log_format)
    tally = _Tally(content, LineParser(unread.log_format, cookie=source.cookie, account=source.account))
    written: list[str] = []
    stripped: list[Stripped] = []
    for hits in tally.hits(reporter):
        stripper.take(hits)
        if len(stripper) >= _EVENTS_IN_MEMORY:
            stripped.append(stripper.drain())
            written += _write_events(workspace, stripped[-1])
    stripped.append(stripper.drain())
    written += _write_events(workspace, stripped[-1])
    if _identity(path) != opened_as:
        raise InputError(f"{path}: was replaced while it was read; nothing of it was kept, run again")
    _check_plausible(unread, tally, stripped)
    return _commit(workspace, unread, tally, stripped, written)


def _identity(path: Path) -> tuple[int, int]:
    """Which file a path is: rotation puts another in its place."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _check_plausible(unread: _Unread, tally: _Tally, stripped: Sequence[Stripped]) -> None:
    """Once recorded, content is never read again: a wrong format or clock would lose it.

    Raises:
        InputError: of a log read for the first time, most lines do not fit, or lie in the future.
    """
    lines = tally.lines - tally.rejected["blank"] - tally.rejected["directive"]
    misfits = tally.lines - sum(s.outcomes.total() for s in stripped) - (tally.lines - lines)
    if unread.content.resume_at == 0 and misfits * 2 > lines:
        raise InputError(
            f"{unread.content.path}: {misfits} of {lines} lines do not fit format {unread.log_format.name}; "
            "nothing was recorded. Correct `format:`, or set it to auto"
        )
    ahead = sum(s.outcomes["in_the_future"] for s in stripped)
    if ahead * 2 > lines:
        raise InputError(
            f"{unread.content.path}: {ahead} of {lines} lines lie in the future; nothing was recorded. "
            "Is this machine's clock right?"
        )


class _Tally:
    """Parses a content's unread lines and counts them: lines = parsed + rejected."""

    def __init__(self, content: Content, parser: LineParser) -> None:
        self._content = content
        self._parser = parser
        self.lines = 0
        self.rejected: Counter[str] = Counter()
        self.resume_at = content.length
        self._ends_cut = False

    def hits(self, reporter: Reporter) -> Iterator[list[Hit]]:
        """Yield parsed hits in batches of `_BATCH` lines; stops where the content was when looked at."""
        content = self._content
        lines = read_lines(content.path, start=content.resume_at, stop=content.length)
        done = content.resume_at
        while batch := list(itertools.islice(lines, _BATCH)):
            yield [hit for line in batch if (hit := self._parse(line))]
            step = min(sum(map(len, batch)) + len(batch), content.length - done)
            done += step
            reporter.advance(step)
        if self._ends_cut and content.last_line_at < content.length:
            self.resume_at = content.last_line_at  # an unfinished line: once it is whole, it is read again

    def _parse(self, line: bytes) -> Hit | None:
        self.lines += 1
        result = self._parser.parse(line)
        self._ends_cut = isinstance(result, str)
        if isinstance(result, str):
            self.rejected[result] += 1
            return None
        return result


def _write_events(workspace: Workspace, stripped: Stripped) -> list[str]:
    """Write waiting events, one file per window kind and day; return their names below `restricted/`."""
    written = []
    for kind, frame in stripped.events.items():
        for (of,), part in frame.partition_by("event_date", as_dict=True).items():
            name = f"events/{kind}/day={of}/{secrets.token_hex(8)}.parquet"
            path = workspace.restricted / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Sorted by the window's own pseudonym: in the order of reading, the week's and the month's files
            # would stand row beside row and link the two.
            checked(part.sort("person", "viewed_at"), EVENTS).write_parquet(path)
            written.append(name)
    return sorted(written)


def _commit(
    workspace: Workspace, unread: _Unread, tally: _Tally, stripped: Sequence[Stripped], written: list[str]
) -> dict[str, Any]:
    """Record what was read: the one step that makes it count."""
    outcomes = sum((s.outcomes for s in stripped), Counter[str]())
    by_day = sum((s.lines_by_day for s in stripped), Counter[date]())
    parsed = outcomes.total()
    if parsed + tally.rejected.total() != tally.lines:
        raise InternalError(f"{unread.content.path}: lines are not parsed + rejected: this is a bug")
    entry = {
        "source": unread.source.name,
        "format": unread.log_format.name,
        "length": unread.content.length,
        "digest": unread.content.digest,
        "resume_at": tally.resume_at,
        "lines": tally.lines,
        "parsed": parsed,
        "rejected": dict(tally.rejected),
        "outcomes": dict(outcomes),
        "lines_by_day": {day.isoformat(): lines for day, lines in sorted(by_day.items())},
        "events": written,
    }
    workspace.ingested.append(entry)
    return entry


def _sum(files: int, entries: Sequence[dict[str, Any]]) -> Ingested:
    return Ingested(
        files=files,
        new_files=len(entries),
        lines=sum(e["lines"] for e in entries),
        parsed=sum(e["parsed"] for e in entries),
        rejected=sum((Counter(e["rejected"]) for e in entries), Counter[str]()),
        outcomes=sum((Counter(e["outcomes"]) for e in entries), Counter[str]()),
    )
