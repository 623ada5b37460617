"""A log file and what was read before → which part of its content is new.

A log is known by its content: a digest of its decompressed bytes from the start up to where reading ended.
Renaming, rotating, compressing or copying changes nothing; growth is read from where the last run stopped.

Belongs here: finding the new part, and finding files. Does not: parsing it.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from usage_stats.accesslog.read import read_blocks
from usage_stats.config import Source
from usage_stats.errors import InputError

__all__ = ["Content", "Read", "find_logs", "survey"]


class Read(NamedTuple):
    """Content read before: its SHA-256, and where reading goes on once there is more of it."""

    digest: str
    resume_at: int


@dataclass(frozen=True, slots=True)
class Content:
    """The decompressed content of a log as found.

    Attributes:
        path: the file.
        length: bytes. digest: SHA-256 of all of them.
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
    path: Path, known: Mapping[int, Read], *, on_bytes: Callable[[int], None] | None = None
) -> Content:
    """Read a file once, wholly, to see that it can be read and what of it is new.

    Args:
        path: the file.
        known: what was read from any file of the source before, by its length.
        on_bytes: told how many bytes of the file were read.

    Raises:
        InputError: the file is missing, truncated or damaged.
    """
    running = hashlib.sha256()
    length, last_line_at, resume_at = 0, 0, 0
    is_read, is_cut = True, False  # whether all so far was read before, and ended within a line then
    for piece in _pieces(read_blocks(path, on_bytes=on_bytes), sorted(known)):
        if is_cut:  # that line was counted; what follows of it, most often its newline alone, is passed over
            resume_at = length + (piece.find(b"\n") + 1 or len(piece))
            is_cut = b"\n" not in piece
        running.update(piece)
        last_line_at = length + piece.rfind(b"\n") + 1 if b"\n" in piece else last_line_at
        length += len(piece)
        is_read = length in known and known[length].digest == running.hexdigest()
        if is_read:
            resume_at = known[length].resume_at
            is_cut = resume_at == length and last_line_at < length
    return Content(path, length, running.hexdigest(), last_line_at, length if is_read else resume_at)


def _pieces(blocks: Iterable[bytes], marks: Sequence[int]) -> Iterator[bytes]:
    """The blocks, cut at the marked offsets too."""
    offset = 0
    for block in blocks:
        inside = [mark - offset for mark in marks if offset < mark < offset + len(block)]
        for start, end in itertools.pairwise([0, *inside, len(block)]):
            yield block[start:end]
        offset += len(block)
