"""A key and the file that it lies in: made, looked at, overwritten.

Belongs here: bytes on disk, and who may read them. Does not: whether a key should be there (linkage_key).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path

from usage_stats.durable import to_disk
from usage_stats.errors import LedgerError

__all__ = [
    "KEY_BYTES",
    "LOST",
    "check_folder",
    "check_regular",
    "check_value",
    "key_of_file",
    "wipe",
    "write_new",
]

KEY_BYTES = 32  # 256 bits: there is no trying them all
# 128 bits: that a wrong file passes by chance is out of the question; more would tell nothing more.
_CHECK_BYTES = 16
_OTHERS = 0o077

LOST = (
    "the key ledger says that a key of this name is in use, but it cannot be read. A new key would count the same "
    "people twice, so none is made: restore restricted/ from its backup"
)


def check_value(key: bytes, domain: bytes) -> str:
    """By what a key is recognised without being told.

    BLAKE2b in its keyed mode is a MAC (RFC 7693, abstract): of a key of 256 random bits, its output tells
    nothing that would be cheaper to use than trying all keys, and who has found the right one that way has found
    it by any pseudonym too. The length of the digest is part of the first block (section 2.5), so no check value
    is a pseudonym (64 bits), or the beginning of one, of any identity; the text is one that no domain of pseudonyms
    begins with. Site, kind and window are in it, so equal keys in two places would have two values.
    """
    return hashlib.blake2b(domain, key=key, digest_size=_CHECK_BYTES).hexdigest()


def write_new(path: Path, domain: bytes) -> str:
    """Draw a key, write it down durably, its name too, return its check value."""
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    to_disk(path.parent)
    return check_value(key, domain)


def key_of_file(path: Path) -> bytes:
    """The bytes of a key file: of a plain file that is its owner's alone, and of the right length.

    Raises:
        LedgerError: it is anything else.
    """
    check_regular(path)
    try:
        # Not followed, not waited for: what lies there may have been exchanged since.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            mode, size = os.fstat(file.fileno()).st_mode, os.fstat(file.fileno()).st_size
            if not mode & _OTHERS and size == KEY_BYTES:
                return file.read(KEY_BYTES)
    except OSError:
        raise LedgerError(f"{path}: {LOST}") from None
    if mode & _OTHERS:
        raise LedgerError(
            f"{path}: is open to others (mode {mode & _OTHERS:o}); run `chmod 600` on it, then run again"
        )
    raise LedgerError(f"{path}: holds {size} bytes instead of {KEY_BYTES}; {LOST}")


def check_regular(path: Path) -> None:
    """Raise LedgerError unless a plain file lies there itself, and no link to one."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        raise LedgerError(f"{path}: {LOST}") from None
    if not stat.S_ISREG(mode):
        raise LedgerError(f"{path}: is no plain file, where a key should be; {LOST}")


def check_folder(folder: Path) -> None:
    """Raise LedgerError unless it is a folder of its owner's alone."""
    try:
        mode = folder.lstat().st_mode
    except OSError:
        raise LedgerError(f"{folder}: {LOST}") from None
    if not stat.S_ISDIR(mode):
        raise LedgerError(f"{folder}: is no folder, where keys should be; {LOST}")
    if mode & _OTHERS:
        raise LedgerError(
            f"{folder}: is open to others (mode {mode & _OTHERS:o}); run `chmod 700` on it, then run again"
        )


def wipe(path: Path) -> None:
    """Overwrite a key file and remove it, if there is one."""
    if not os.path.lexists(path):
        return
    check_regular(path)  # through a link, another file would be overwritten
    with path.open("r+b") as file:  # in place: cutting it first would leave the old blocks as they are
        file.write(bytes(max(KEY_BYTES, path.stat().st_size)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
