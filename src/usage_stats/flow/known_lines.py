"""The ingest ledger → what was read before from one source: the fingerprints of its lines, in their order.

Fingerprints are kept until the days of their lines are sealed; of sealed content a digest of them remains.

Belongs here: keeping and finding fingerprints. Does not: comparing a file with them (alignment).
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from usage_stats.accesslog.lines import Int64, UInt64
from usage_stats.durable import make_folders, to_disk
from usage_stats.errors import LedgerError
from usage_stats.flow.bloom_filter import BloomFilter
from usage_stats.flow.workspace import Workspace

__all__ = [
    "Closed",
    "FingerprintFile",
    "KnownLines",
    "LinesDigest",
    "OpenLine",
    "closed_files",
    "content_seed",
    "digest_of",
    "known_lines",
]


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that no newline ended when it was read, at the end of a stream: so many bytes of it, and why it was
    rejected, if it was.
    """

    stream: str
    bytes: int
    fingerprint: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """Content whose days are all sealed: how many lines, the fingerprint of the first, a digest of all of theirs, and
    the stream that it ends.
    """

    first: int
    lines: int
    digest: str
    stream: str


class KnownLines:
    """What was read of a source: streams of lines that followed each other, by name."""

    def __init__(self) -> None:
        self.contents: set[str] = set()  # digests of the files that were read
        self.begun: set[str] = set()  # streams of which whole lines were read, sealed or not
        self._parts: dict[str, list[UInt64]] = defaultdict(list)
        self._order: dict[str, Int64] = {}
        self._filter = BloomFilter()
        self._open_lines: dict[str, OpenLine] = {}
        self._ended: dict[str, Closed | None] = {}  # the last piece of each stream, if it is closed
        self.closed: dict[int, tuple[Closed, ...]] = {}

    @property
    def open_lines(self) -> tuple[OpenLine, ...]:
        """What stood behind the last whole line of some streams."""
        return tuple(self._open_lines.values())

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(self._parts)

    def stream(self, name: str) -> UInt64:
        """The fingerprints of a stream's lines."""
        parts = self._parts[name]
        if len(parts) > 1:
            parts[:] = [np.concatenate(parts)]
        return parts[0]

    def follow(self, entry: Mapping[str, Any], fingerprints: UInt64 | None) -> None:
        """Take in what one ledger entry made known; without fingerprints, its content is closed."""
        self.begun.update(stream for stream, lines in entry["segments"] if lines)
        ended: Closed | None = None
        if fingerprints is not None:
            start = 0
            for stream, lines in entry["segments"]:
                self._parts[stream].append(fingerprints[start : start + lines])
                self._order.pop(stream, None)
                start += lines
            self._filter.add(fingerprints)
        elif entry["first"] is not None:
            lines = sum(lines for _, lines in entry["segments"])
            ended = Closed(entry["first"], lines, entry["digest"], entry["segments"][-1][0])
            self._close(ended)
        first, lines, digest = entry.get("content") or (None, 0, "")
        self.contents.add(digest)
        if fingerprints is None and first is not None:  # the file it was found in, known lines and all
            self._close(Closed(first, lines, digest, stream=""))
        for stream, _ in entry["segments"]:
            # A stream that went on has no open line, unless it ends in another.
            self._open_lines.pop(stream, None)
            self._ended[stream] = ended
        if entry["open_line"]:
            open_line = OpenLine(*entry["open_line"])
            self._open_lines[open_line.stream] = open_line

    def _close(self, found: Closed) -> None:
        self.closed[found.first] = (*self.closed.get(found.first, ()), found)

    def is_end(self, piece: Closed) -> bool:
        """Whether a closed piece is the last of its stream."""
        return self._ended.get(piece.stream) is piece

    def candidates(self, fingerprints: UInt64) -> Int64:
        """The rows whose fingerprints are known."""
        rows = self._filter.rows(fingerprints)
        is_known = np.zeros(len(rows), np.bool_)
        for name in self._parts if len(rows) else ():
            first, last = self._span(name, fingerprints[rows])
            is_known |= last > first
        return rows[is_known]

    def places_in(self, name: str, fingerprint: int) -> Int64:
        """The places in a stream at which a fingerprint stands, in order."""
        first, last = self._span(name, np.array([fingerprint], np.uint64))
        return self._order[name][first[0] : last[0]]

    def begins_with(self, fingerprint: int) -> bool:
        """Whether a stream's first line has this fingerprint."""
        return any(
            len(self.stream(name)) and int(self.stream(name)[0]) == fingerprint for name in self._parts
        )

    def _span(self, name: str, wanted: UInt64) -> tuple[Int64, Int64]:
        """Between which places of the sorted stream some fingerprints stand."""
        stream = self.stream(name)
        if name not in self._order:
            self._order[name] = np.argsort(stream, kind="stable")
        order = self._order[name]
        first, last = (np.searchsorted(stream, wanted, side, sorter=order) for side in ("left", "right"))
        return first, last


def known_lines(workspace: Workspace, source: str) -> KnownLines:
    """Gather what is known of a source.

    Raises:
        LedgerError: fingerprints that the ledger names are lost, or the ledger is of an older version.
    """
    known = KnownLines()
    entries = workspace.ingested.entries()
    if any("segments" not in entry for entry in entries):
        raise LedgerError(f"{workspace.root}: was begun by an older version; begin a new workspace")
    closed = closed_files(workspace)
    for entry in entries:
        if entry["source"] == source:
            is_closed = entry["fingerprints"] in closed
            known.follow(entry, None if is_closed else _read(workspace.restricted, entry))
    return known


def closed_files(workspace: Workspace, also: Collection[str] = ()) -> set[str]:
    """The files of fingerprints of done days' lines only (`also`: days that will be); an entry without a day has those
    of its streams.
    """
    done = workspace.done_days().union(also)
    entries = workspace.ingested.entries()
    days: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for stream, _ in entry["segments"]:
            days[stream].update(entry["lines_by_day"])
    closed = set()
    for entry in entries:
        streams = [*(stream for stream, _ in entry["segments"]), *entry.get("beside", ())]
        own = set(entry["lines_by_day"]) or set[str]().union(*(days[stream] for stream in streams))
        closed.update([entry["fingerprints"]] if own <= done else [])
    return closed


def _read(restricted: Path, entry: Mapping[str, Any]) -> UInt64:
    path = restricted / entry["fingerprints"]
    try:
        found = np.fromfile(path, np.uint64)
        is_whole = path.stat().st_size == found.nbytes
    except OSError:
        found, is_whole = np.empty(0, np.uint64), False
    is_whole = is_whole and len(found) == sum(lines for _, lines in entry["segments"])
    if not is_whole or digest_of(found) != entry["digest"]:
        raise LedgerError(
            f"{path}: is lost or damaged, and with it what was read already; restore restricted/ from its backup"
        )
    return found


class LinesDigest:
    """What is remembered of lines that are sealed: the first one's fingerprint, how many, and a digest of all."""

    def __init__(self) -> None:
        self.lines = 0
        self.first: int | None = None
        self._digest = hashlib.blake2b(digest_size=16)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def add(self, fingerprints: UInt64) -> None:
        if self.first is None and len(fingerprints):
            self.first = int(fingerprints[0])
        self.lines += len(fingerprints)
        self._digest.update(fingerprints.tobytes())


class FingerprintFile(LinesDigest):
    """Fingerprints on their way to disk; `name` is the file below `restricted/`."""

    def __init__(self, restricted: Path) -> None:
        super().__init__()
        self.name = f"fingerprints/{secrets.token_hex(8)}.u64"
        self._path = restricted / self.name
        make_folders(self._path.parent, mode=0o700)

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        to_disk(self._path.parent)
        if error is not None:
            self.discard()

    def add(self, fingerprints: UInt64) -> None:
        super().add(fingerprints)
        self._file.write(fingerprints.tobytes())

    def read(self) -> UInt64:
        """All of them, where they are on disk."""
        return np.memmap(self._path, np.uint64, "r") if self.lines else np.empty(0, np.uint64)

    def discard(self) -> None:
        """There was nothing to keep."""
        self._path.unlink()


def digest_of(fingerprints: UInt64) -> str:
    """A digest of lines by their fingerprints; those are keyed, so nothing can be guessed from it."""
    return hashlib.blake2b(fingerprints.tobytes(), digest_size=16).hexdigest()


def content_seed(workspace: Workspace) -> int:
    """The seed of fingerprints: from a key of this workspace, for without one they could be guessed."""
    return int.from_bytes(hashlib.blake2b(key=workspace.content_key, digest_size=8).digest(), "big")
