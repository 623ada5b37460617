"""A log file and what was read before → which part of its content is new.

A log is known by its content: a keyed digest of its decompressed bytes from the start up to where reading ended.
Renaming, rotating, compressing or copying changes nothing; growth is read from where the last run stopped.

Belongs here: finding the new part, and finding files. Does not: parsing it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from usage_stats.accesslog.read import read_blocks
from usage_stats.config import Source
from usage_stats.errors import InputError

__all__ = ["Content", "Known", "find_logs", "survey"]


# What was read before: (length, digest) of content → where, from its start, reading goes on once
# there is more of it.
Known = Mapping[tuple[int, str], int]


@dataclass(frozen=True, slots=True)
class Content:
    """The decompressed content of a log as found.

    Attributes:
        path: the file.
        length: bytes. digest: HMAC-SHA-256 of all of them.
        last_line_at: where the last line begins if no newline ends it, else `length`.
        resume_at: where the unread part begins; equal to `length` if there is none.
    """

    path: Path
    length: int
    digest: str
    last_line_at: int
    resume_at: int

    @property
    def is_read(self) -> bool:
        return self.resume_at >= self.length


def find_logs(root: Path, source: Source) -> list[Path]:
    """The log files a source names, sorted.

    Raises:
        InputError: a pattern fits no file.
    """
    found: dict[Path, None] = {}
    for pattern in source.logs:
        base, rest = (Path("/"), pattern[1:]) if pattern.startswith("/") else (root, pattern)
        paths = sorted(p for p in base.glob(rest) if p.is_file() and not p.name.startswith("."))
        if not paths:
            raise InputError(
                f"source {source.name}: no file fits {pattern} (looked in {base}); put logs there, or correct "
                "`logs:` in usage_stats.yaml. Patterns are relative to the workspace or absolute; * and ** work."
            )
        found.update(dict.fromkeys(paths))
    return list(found)


def survey(
    path: Path, known: Known, *, key: bytes = b"", on_bytes: Callable[[int], None] | None = None
) -> Content:
    """Read a file once, wholly, to see that it can be read and what of it is new.

    Content that was read before may stand at the beginning, and other such content right behind it: logs that
    were joined into one hold nothing new.

    Args:
        path: the file.
        known: what was read from any file before.
        key: under which content is digested.
        on_bytes: told how many bytes of the file were read.

    Raises:
        InputError: the file is missing, truncated or damaged.
    """
    whole, reader = _digest(key), _Reader(known, key)
    last_line_at = 0
    for piece in _pieces(read_blocks(path, on_bytes=on_bytes), reader):
        whole.update(piece)
        if b"\n" in piece:
            last_line_at = reader.length + piece.rfind(b"\n") + 1
        reader.take(piece, last_line_at)
    resume_at = reader.length if reader.is_read else reader.resume_at
    return Content(path, reader.length, whole.hexdigest(), last_line_at, resume_at)


def _digest(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


class _Reader:
    """Follows content from where the last known content ended, and from the beginning."""

    def __init__(self, known: Known, key: bytes) -> None:
        self._known = known
        self._key = key
        self._lengths = sorted({length for length, _ in known})
        self._anchors = {0: _digest(key)}
        self._is_cut = False  # what was read before ended within a line, which was counted
        self._known_until = 0
        self.length = 0
        self.resume_at = 0

    @property
    def is_read(self) -> bool:
        """Whether known content ends where the content so far does."""
        return self._known_until == self.length

    def marks(self) -> list[int]:
        """Offsets at which known content might end."""
        return [anchor + length for anchor in self._anchors for length in self._lengths]

    def take(self, piece: bytes, last_line_at: int) -> None:
        """Go on by a piece that ends at a mark or before the next one."""
        if self._is_cut:  # most often the newline alone is missing
            self.resume_at = self.length + (piece.find(b"\n") + 1 or len(piece))
            self._is_cut = b"\n" not in piece
        self.length += len(piece)
        for anchor, running in list(self._anchors.items()):
            running.update(piece)
            self._recognise(anchor, running.hexdigest(), last_line_at)

    def _recognise(self, anchor: int, digest: str, last_line_at: int) -> None:
        resume = self._known.get((self.length - anchor, digest))
        if resume is None:
            return
        self.resume_at = anchor + resume
        self._known_until = self.length
        self._is_cut = self.resume_at == self.length and last_line_at < self.length
        # Followed from here on: the beginning, for growth, and the latest end, for logs joined.
        self._anchors = {0: self._anchors[0], self.length: _digest(self._key)}


def _pieces(blocks: Iterable[bytes], reader: _Reader) -> Iterator[bytes]:
    """The blocks, cut also where known content might end."""
    for block in blocks:
        rest = block
        while rest:
            ends = [mark - reader.length for mark in reader.marks()]
            end = min((e for e in ends if 0 < e <= len(rest)), default=len(rest))
            yield rest[:end]
            rest = rest[end:]
