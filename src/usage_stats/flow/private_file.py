"""Bytes and a place → a file there that its owner alone can read, whole or not at all.

Belongs here: making it without a trace beside it. Does not: what is in it.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from usage_stats.errors import InputError

__all__ = ["check_place", "write_private"]

_OWNER_ONLY = 0o600
# What file systems and kernels answer that know no unnamed files: open(2), O_TMPFILE.
_NO_UNNAMED_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)


def check_place(path: Path, content: bytes) -> bool:
    """Whether the file has to be written; it has not if it is there already, the same.

    Raises:
        InputError: something else is there, or its folder is not.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such directory; make it first")
    if not os.path.lexists(path):
        return True
    if path.is_symlink() or not path.is_file() or path.read_bytes() != content:
        raise InputError(f"{path}: is there already and is another file; name a new one, or remove that one")
    return False


def write_private(path: Path, content: bytes) -> None:
    """Write a new file with mode 0600 that appears whole; one that is there already, the same, becomes 0600.

    It is written without a name and named when it is complete: a crash leaves nothing behind. Where the file system
    knows no files without a name, it is written beside its place under a name of its own first.

    Raises:
        InputError: something else is there, or its folder is not, or it cannot be written.
    """
    try:
        if check_place(path, content):
            _write_new(path, content)
        elif stat.S_IMODE(path.stat().st_mode) != _OWNER_ONLY:
            path.chmod(_OWNER_ONLY)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def _write_new(path: Path, content: bytes) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        unnamed = _unnamed(folder)
        if unnamed is None:
            _write_beside(path, content, folder)
            return
        with os.fdopen(unnamed, "wb") as file:
            _fill(file.fileno(), content)
            # Through /proc, for linking a descriptor itself is root's alone; the folder's descriptor makes it linkat.
            os.link(f"/proc/self/fd/{unnamed}", path.name, dst_dir_fd=folder, follow_symlinks=True)
        os.fsync(folder)
    finally:
        os.close(folder)


def _unnamed(folder: int) -> int | None:
    flag = getattr(os, "O_TMPFILE", None)  # Linux
    if flag is None or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(".", flag | os.O_WRONLY, _OWNER_ONLY, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return None
        raise


def _write_beside(path: Path, content: bytes, folder: int) -> None:
    beside = f".{path.name}.partial"
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY, dir_fd=folder)
    try:
        try:
            _fill(file, content)
        finally:
            os.close(file)
        os.link(
            beside, path.name, src_dir_fd=folder, dst_dir_fd=folder
        )  # unlike a rename, it replaces nothing
    finally:
        os.unlink(beside, dir_fd=folder)
    os.fsync(folder)


def _fill(file: int, content: bytes) -> None:
    os.fchmod(file, _OWNER_ONLY)  # whatever the umask took away
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)
