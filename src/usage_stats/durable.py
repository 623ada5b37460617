"""Bytes and names → on the disk: what is said to be there survives a power cut.

A file's bytes and the names in a folder reach the disk apart (POSIX, fsync): both are waited for.

Belongs here: writing so that nothing half-written is ever under its name. Does not: what is written, or in which order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["make_folders", "to_disk", "write_atomically", "write_whole"]


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def make_folders(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder and those above it that are missing, all of one mode, each name on the disk."""
    for missing in reversed([*_missing(folder)]):
        missing.mkdir(mode=mode, exist_ok=True)
        to_disk(missing.parent)


def _missing(folder: Path) -> Iterator[Path]:
    while not folder.is_dir():
        yield folder
        folder = folder.parent


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file's bytes to the disk; its name may still be lost."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file beside its place and move it there: readers see the old one or the new one."""
    make_folders(path.parent)
    beside = path.with_name(f".{path.name}.partial")
    write_whole(beside, content, mode=mode)
    beside.replace(path)
    to_disk(path.parent)
