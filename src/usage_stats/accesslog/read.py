"""A log file's path, or standard input → its lines as bytes, decompressed by content, in bounded memory.

Belongs here: what a line is (it ends at a newline byte and nowhere else), and what is said of a log that breaks.
Does not: the meaning of a line.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from usage_stats.accesslog.breaks import DATA_BREAKS, Break, UnreadableError, break_of
from usage_stats.accesslog.compression import decompressed_blocks
from usage_stats.accesslog.hit import MAX_LINE_BYTES
from usage_stats.accesslog.source import Source, open_file
from usage_stats.errors import InputError, InternalError

__all__ = ["Break", "Log", "compressed_size", "open_log", "read_blocks", "read_lines"]

OnBytes = Callable[[int], None]
OnBreak = Callable[[Break], None]

# Some thousand lines of a usual length, or sixteen of the longest: enough to see what a log is.
_HEAD_BYTES: Final = 16 << 20


class Log:
    """One log, read once: a file, or standard input (no path). The file is opened at the first look.

    `name` is the path, or `standard input`: what messages call it. Close it, or use it in a `with`, unless
    `blocks` or `lines` was read to its end.
    """

    def __init__(self, path: Path | None, *, stream: BinaryIO | None = None) -> None:
        """Take a path; or None and, in tests, a stream in place of standard input."""
        self.path = path
        self.name = "standard input" if path is None else str(path)
        self._stream = stream
        self._source: Source | None = None
        self._close: Callable[[], None] | None = None
        self._decompressed: Iterator[bytes] = iter(())
        self._held: deque[bytes] = deque()
        self._is_whole = False  # all there is, is held
        self._failure: Exception | None = None
        self._is_taken = False
        self._newlines = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if it is ours to close."""
        if self._close:
            self._close()

    def head(self, lines: int) -> list[bytes]:
        """The first lines, at most so many and out of the first 16 MiB, without consuming them.

        Lines are cut as by `lines`; one that a break leaves unfinished is none.

        Raises:
            InputError: no readable file, or one packed in a way that is not read.
        """
        self._opened()
        newlines = sum(block.count(b"\n") for block in self._held)
        size = sum(map(len, self._held))
        while newlines < lines and size < _HEAD_BYTES and self._hold():
            newlines += self._held[-1].count(b"\n")
            size += len(self._held[-1])
        *found, last = b"".join(self._held).split(b"\n")
        if last and (self._is_whole or len(last) > MAX_LINE_BYTES):
            found.append(last)
        if isinstance(self._failure, UnreadableError) or (self._failure and not found):
            self._raise_or_tell(size, b"", None)
        return [line[: MAX_LINE_BYTES + 1] for line in found[:lines]]

    def blocks(self, *, on_bytes: OnBytes | None = None, on_break: OnBreak | None = None) -> Iterator[bytes]:
        """Yield decompressed blocks of at most 256 KiB, once; see `read_blocks`."""
        source = self._opened()
        if self._is_taken:
            raise InternalError("a log is read once: open it anew")
        self._is_taken = True
        told = given = 0
        last = b""
        try:
            while self._held or self._hold():
                last = self._held.popleft()
                given += len(last)
                if not source.is_seekable:  # else they are counted when they are asked for
                    self._newlines += last.count(b"\n")
                told = _tell(on_bytes, told, source.furthest)
                yield last
            _tell(on_bytes, told, source.furthest)
            self._raise_or_tell(given, last, on_break)
        finally:
            self.close()

    def lines(
        self,
        *,
        start: int = 0,
        stop: int | None = None,
        on_bytes: OnBytes | None = None,
        on_break: OnBreak | None = None,
    ) -> Iterator[bytes]:
        """Yield lines without their newline, once; see `read_lines`."""
        broken: list[Break] = []

        def note(message: Break) -> None:
            broken.append(message)
            if on_break:
                on_break(message)

        blocks = self.blocks(on_bytes=on_bytes, on_break=note if on_break else None)
        wanted = _blocks_until(
            _blocks_from(self.name, blocks, start, broken), None if stop is None else stop - start
        )
        line = b""
        for block in wanted:
            first, *others = block.split(b"\n")
            # All that decides its fate is kept of a long line, however many blocks it goes on for.
            line += first[: MAX_LINE_BYTES + 1 - len(line)]
            if others:
                yield line
                line = others.pop()
                yield from others  # no longer than a block, so none is too long
        if line and not broken:
            yield line

    def _opened(self) -> Source:
        if self._source is None:
            if self.path is not None:
                file = open_file(self.path)
                self._source, self._close = Source(file), file.close
            else:
                self._source = Source(self._stream or _standard_input())
            self._decompressed = decompressed_blocks(self._source)
        return self._source

    def _hold(self) -> bool:
        """Hold one block more; False at the end, or at a failure, which is kept for whoever reads so far."""
        if self._is_whole or self._failure:
            return False
        try:
            self._held.append(next(self._decompressed))
        except StopIteration:
            self._is_whole = True
            return False
        except (UnreadableError, *DATA_BREAKS) as failure:
            self._failure = failure
            return False
        return True

    def _raise_or_tell(self, given: int, last: bytes, on_break: OnBreak | None) -> None:
        failure = self._failure
        if isinstance(failure, UnreadableError):
            raise InputError(f"{self.name}: {failure}") from None
        if failure is None:
            return
        lines, ends_line = self._lines_in(given), last[-1:] in {b"", b"\n"}
        message = break_of(self.name, failure, given=given, lines=lines, ends_line=ends_line)
        if on_break is None:
            raise InputError(str(message)) from None
        on_break(message)

    def _lines_in(self, length: int) -> int | None:
        """Complete lines in so many bytes from the start; None if they cannot be had again."""
        source = self._opened()
        if not source.is_seekable:
            return self._newlines
        source.rewind(0)
        lines = 0
        with contextlib.suppress(UnreadableError, *DATA_BREAKS):
            for block in _blocks_until(decompressed_blocks(source), length):
                lines += block.count(b"\n")
                length -= len(block)
        return None if length else lines


def read_blocks(
    path: Path, *, on_bytes: OnBytes | None = None, on_break: OnBreak | None = None
) -> Iterator[bytes]:
    """Yield decompressed blocks of at most 256 KiB; `on_bytes` is told the bytes of the file consumed since.

    Plain, gzip, zstd, bzip2 and xz (any number of members, frames or streams) are told apart by their first
    bytes. Where compressed data are cut off or damaged, all that could be decompressed is yielded; then
    `on_break` is told what broke and iteration ends. What lies behind the damage is not looked for.

    Raises:
        InputError: no readable file, or one packed in a way that is not read; without `on_break` also data
            that are cut off or damaged, and a disk that fails.
    """
    return Log(path).blocks(on_bytes=on_bytes, on_break=on_break)


def read_lines(
    path: Path,
    *,
    start: int = 0,
    stop: int | None = None,
    on_bytes: OnBytes | None = None,
    on_break: OnBreak | None = None,
) -> Iterator[bytes]:
    r"""Yield lines without their newline, from an offset in decompressed bytes that starts a line.

    Reading ends at the offset `stop`, if given: a log may grow while it is read.

    Lines end at b"\n" only; a last line without it counts, but not one that a break leaves unfinished. A line
    of more than 1 MiB is yielded cut to 1 MiB and one byte: too long for the parser, and memory stays bounded
    whatever the file holds.

    Raises:
        InputError: as `read_blocks`, or no line starts at `start`.
    """
    return Log(path).lines(start=start, stop=stop, on_bytes=on_bytes, on_break=on_break)


def open_log(path: Path, *, on_bytes: OnBytes | None = None) -> Iterator[bytes]:
    """Open a log for reading from its start: `read_lines`, with a missing file refused at once.

    Raises:
        InputError: as `read_lines`; a path that cannot be opened already here.
    """
    open_file(path).close()
    return read_lines(path, on_bytes=on_bytes)


def compressed_size(path: Path) -> int:
    """Bytes of the file as it lies on disk: what the counts given to `on_bytes` add up to.

    Raises:
        InputError: no such file.
    """
    with open_file(path) as file:
        return file.seek(0, os.SEEK_END)


def _blocks_until(blocks: Iterator[bytes], length: int | None) -> Iterator[bytes]:
    """The blocks, up to so many bytes in all."""
    for block in blocks:
        yield block[:length]
        if length is not None:
            length -= len(block)
            if length <= 0:
                return


def _blocks_from(name: str, blocks: Iterator[bytes], start: int, broken: list[Break]) -> Iterator[bytes]:
    """The decompressed blocks from an offset on, after a look at the byte before it."""
    to_skip = max(start - 1, 0)
    is_checked = start == 0
    for block in blocks:
        kept = block[to_skip:]
        to_skip = max(to_skip - len(block), 0)
        if kept and not is_checked:
            is_checked = True
            if kept[:1] != b"\n":
                raise InputError(f"{name}: no line starts at byte {start}; the file was changed since")
            kept = kept[1:]
        if kept:
            yield kept
    if not is_checked and not broken:
        raise InputError(f"{name}: is shorter than {start} bytes; the file was cut since")


def _tell(on_bytes: OnBytes | None, told: int, consumed: int) -> int:
    if on_bytes and consumed > told:
        on_bytes(consumed - told)
    return consumed


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise InputError("standard input: is closed; name a log file, or send a log through a pipe")
    return sys.stdin.buffer
