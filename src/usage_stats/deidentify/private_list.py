"""A list about people that the operator keeps → its bytes, if nobody else can read it.

Belongs here: refusing a list that is missing or open to everybody. Does not: what is on it.
"""

from __future__ import annotations

import os
from pathlib import Path

from usage_stats.errors import ConfigError

__all__ = ["BLANKS", "read_private"]

BLANKS = b" \t\r"  # around a value they are no part of it
_EVERYBODY = 0o007


def read_private(path: Path, named_by: str, remedy: str) -> bytes:
    """Read a list as it is now.

    Args:
        path: of the list.
        named_by: the setting that names it.
        remedy: what to do if it is not there.

    Raises:
        ConfigError: it is missing, cannot be read, or is open to everybody.
    """
    try:
        with path.open("rb") as file:
            is_open = os.fstat(file.fileno()).st_mode & _EVERYBODY
            content = b"" if is_open else file.read()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}; `{named_by}` names it. {remedy}"
        ) from None
    if is_open:
        raise ConfigError(
            f"{path}: is open to everybody, and names people; run `chmod o-rwx` on it, then run again"
        )
    return content
