"""A log's path or an open stream → its bytes as they lie there, forward in pieces, with a way back for repairs.

Belongs here: opening a file without waiting for anybody, reading ahead, and what is kept of a pipe.
Does not: decompression, or lines.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final

from usage_stats.accesslog.breaks import CutWhileReadError
from usage_stats.errors import InputError

__all__ = ["BLOCK_BYTES", "FEED_BYTES", "Source", "open_file"]

# Fits the second-level cache beside what decompression holds; malloc gives larger blocks back to the system
# after each use, which doubled the time of gzip (1.5 GB of log: 0.55 s with 256 KiB, 1.3 s with 1 MiB).
BLOCK_BYTES: Final = 1 << 18
# What a decompressor is given at once. What follows the end of a unit is read again, so it must be small: some
# servers write a gzip member per some kB. Large enough that Python's cost per call vanishes.
FEED_BYTES: Final = 1 << 15
# A pipe cannot be read twice. So much of a compressed unit is kept, for the look back after a break.
KEPT_BYTES: Final = 64 << 20


def open_file(path: Path) -> FileIO:
    """Open a regular file for reading; anything else is refused and never waited for.

    Raises:
        InputError: no such file, no regular file, or one that may not be read.
    """
    try:
        # Looked at before it is opened, for a pipe's writer would notice; and after, for it may be another by then.
        _refuse_special(path, path.stat().st_mode)
        file = FileIO(path, "rb", opener=_open_at_once)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except PermissionError:
        raise InputError(
            f"{path}: may not be read by this user; change its permissions or the user"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte in it
        reason = error.strerror if isinstance(error, OSError) else "no valid path"
        raise InputError(f"{path}: cannot be opened: {reason}") from None
    try:
        _refuse_special(path, os.fstat(file.fileno()).st_mode)
    except InputError:
        file.close()
        raise
    return file


def _refuse_special(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: is a directory; name the log files in it")
    if not stat.S_ISREG(mode):  # a pipe would wait for a writer, a device might never end
        raise InputError(
            f"{path}: is no regular file; name a log file, or give the log on standard input (`-`)"
        )


def _open_at_once(path: str, flags: int) -> int:
    return os.open(
        path, flags | getattr(os, "O_NONBLOCK", 0)
    )  # Windows has no such flag, nor named pipes there


class Source:
    """A binary stream read forward, piece by piece, that knows where it is and can go back to a mark.

    `furthest` is how many bytes of the stream were read and used at most: it never falls.
    """

    __slots__ = (
        "_at",
        "_buffer",
        "_end",
        "_file",
        "_is_seekable",
        "_kept",
        "_kept_bytes",
        "_kept_from",
        "_origin",
        "furthest",
    )

    def __init__(self, file: BinaryIO | FileIO) -> None:
        self._file = file
        self._is_seekable = file.seekable()
        self._origin = file.tell() if self._is_seekable else 0  # a shell may have read a part already
        self._buffer = b""
        self._at = 0  # the first unread byte of the buffer
        self._end = 0  # the offset behind the buffer
        self._kept: list[bytes] | None = None  # what was read from the mark on, of a pipe
        self._kept_bytes = self._kept_from = 0
        self.furthest = 0

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._end - len(self._buffer) + self._at

    @property
    def is_seekable(self) -> bool:
        return self._is_seekable

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end; they stay unread."""
        while len(self._buffer) - self._at < size:
            more = self._read()
            if not more:
                break
            self._buffer = self._buffer[self._at :] + more
            self._at = 0
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        taken = self.peek(size)
        self._go(len(taken))
        return taken

    def some(self, size: int = FEED_BYTES) -> bytes:
        """Whatever comes next, up to a size; empty only at the end."""
        if self._at == len(self._buffer):
            self._buffer, self._at = self._read(), 0
        piece = self._buffer[self._at : self._at + size]
        self._go(len(piece))
        return piece

    def put_back(self, unread: bytes) -> None:
        """Make the last bytes taken unread again."""
        if len(unread) <= self._at:
            self._at -= len(unread)
        else:
            self._buffer, self._at = unread + self._buffer[self._at :], 0

    def mark(self) -> int:
        """Remember this place for `rewind`; only the last mark is remembered."""
        if not self._is_seekable:
            self._kept, self._kept_bytes, self._kept_from = [self._buffer], len(self._buffer), self._at
        return self.position

    def rewind(self, mark: int) -> bool:
        """Go back to a mark; False where the stream cannot and too much was read since."""
        if self._is_seekable:
            self._file.seek(self._origin + mark)
            self._buffer, self._at, self._end = b"", 0, mark
            return True
        if self._kept is None:
            return False
        self._buffer = b"".join(self._kept)
        self._at, self._end = self._kept_from, mark + self._kept_bytes - self._kept_from
        return True

    def _go(self, count: int) -> None:
        self._at += count
        self.furthest = max(self.furthest, self.position)

    def _read(self) -> bytes:
        read = self._file.read(BLOCK_BYTES)
        if read is None:  # a pipe that its owner set not to wait
            raise BlockingIOError(errno.EAGAIN, "it does not wait for its data")
        if read:
            self._end += len(read)
            self._keep(read)
        elif self._is_seekable:
            self._check_length()
        return read

    def _check_length(self) -> None:
        here = self._origin + self._end
        length = self._file.seek(0, os.SEEK_END)
        self._file.seek(here)  # it may have grown just now
        if length < here:
            raise CutWhileReadError

    def _keep(self, read: bytes) -> None:
        if self._kept is None:
            return
        self._kept.append(read)
        self._kept_bytes += len(read)
        if self._kept_bytes > KEPT_BYTES:
            self._kept = None
