"""A log file's path → its lines as bytes, decompressed by content, in bounded memory.

Belongs here: what a line is (it ends at a newline byte and nowhere else), and files that cannot be read.
Does not: the meaning of a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from usage_stats.accesslog.compression import (
    CorruptError,
    CutOffError,
    Source,
    UnreadableError,
    decompressed_blocks,
)
from usage_stats.accesslog.parse import MAX_LINE_BYTES
from usage_stats.errors import InputError

__all__ = ["compressed_size", "open_log", "read_blocks", "read_lines"]

OnBytes = Callable[[int], None]


def open_log(path: Path, *, on_bytes: OnBytes | None = None) -> Iterator[bytes]:
    """Open a log for reading from its start: `read_lines`, with a missing file refused at once.

    Raises:
        InputError: as `read_lines`; a path that cannot be opened already here.
    """
    _open(path).close()
    return read_lines(path, on_bytes=on_bytes)


def compressed_size(path: Path) -> int:
    """Bytes of the file as it lies on disk: what the counts given to `on_bytes` add up to.

    Raises:
        InputError: no such file.
    """
    with _open(path) as file:
        return file.seek(0, 2)


def read_blocks(path: Path, *, on_bytes: OnBytes | None = None) -> Iterator[bytes]:
    """Yield decompressed blocks of at most 1 MiB; `on_bytes` is told the bytes of the file consumed since.

    Plain, gzip (any number of members) and zstd (any number of frames) are told apart by their first bytes.

    Raises:
        InputError: no readable file, or compressed data that are cut off or damaged.
    """
    newlines = 0
    with _open(path) as file:
        try:
            for block in decompressed_blocks(Source(file, on_bytes)):
                newlines += block.count(b"\n")
                yield block
        except CutOffError as cut:
            raise InputError(
                f"{path}: ends inside a {cut} after {newlines} complete lines; "
                "the copy or the compression was cut off: copy the file again"
            ) from None
        except UnreadableError as packed:
            raise InputError(
                f"{path}: is packed with {packed}; unpack it, or pack it with gzip or zstd"
            ) from None
        except CorruptError as corrupt:
            raise InputError(
                f"{path}: damaged {corrupt} data after {newlines} complete lines; "
                f"test it with `{corrupt} -t` and copy the file again"
            ) from None
        except OSError as error:
            raise InputError(
                f"{path}: reading failed after {newlines} complete lines: {error.strerror}"
            ) from None


def read_lines(
    path: Path, *, start: int = 0, stop: int | None = None, on_bytes: OnBytes | None = None
) -> Iterator[bytes]:
    r"""Yield lines without their newline, from an offset in decompressed bytes that starts a line.

    Reading ends at the offset `stop`, if given: a log may grow while it is read.

    Lines end at b"\n" only; a last line without it counts. A line of more than 1 MiB is yielded cut to
    1 MiB and one byte: too long for the parser, and memory stays bounded whatever the file holds.

    Raises:
        InputError: as `read_blocks`, or no line starts at `start`.
    """
    line = b""
    for block in _blocks_until(_blocks_from(path, start, on_bytes), None if stop is None else stop - start):
        first, *others = block.split(b"\n")
        # All that decides its fate is kept of a long line, however many blocks it goes on for.
        line += first[: MAX_LINE_BYTES + 1 - len(line)]
        if others:
            yield line
            yield from (other[: MAX_LINE_BYTES + 1] for other in others[:-1])
            line = others[-1][: MAX_LINE_BYTES + 1]
    if line:
        yield line


def _blocks_until(blocks: Iterator[bytes], length: int | None) -> Iterator[bytes]:
    """The blocks, up to so many bytes in all."""
    for block in blocks:
        yield block[:length]
        if length is not None:
            length -= len(block)
            if length <= 0:
                return


def _blocks_from(path: Path, start: int, on_bytes: OnBytes | None) -> Iterator[bytes]:
    """The decompressed blocks from an offset on, after a look at the byte before it."""
    to_skip = max(start - 1, 0)
    is_checked = start == 0
    for block in read_blocks(path, on_bytes=on_bytes):
        kept = block[to_skip:]
        to_skip = max(to_skip - len(block), 0)
        if kept and not is_checked:
            is_checked = True
            if kept[:1] != b"\n":
                raise InputError(f"{path}: no line starts at byte {start}; the file was changed since")
            kept = kept[1:]
        if kept:
            yield kept
    if not is_checked:
        raise InputError(f"{path}: is shorter than {start} bytes; the file was cut since")


def _open(path: Path) -> BinaryIO:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would wait for a writer
            raise InputError(f"{path}: is no regular file; name a log file")
        return path.open("rb")
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory; name the log files in it") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except PermissionError:
        raise InputError(
            f"{path}: may not be read by this user; change its permissions or the user"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be opened: {error.strerror}") from None
