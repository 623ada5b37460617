"""What the configuration names → log files, and how much of each there is to read.

Belongs here: finding files, and passing over those that were read to their end and have not changed since.
Does not: what is new in a file that changed (alignment).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from usage_stats.config import Source
from usage_stats.durable import write_atomically
from usage_stats.errors import InputError
from usage_stats.flow.workspace import Workspace
from usage_stats.ledger import canonical_json

__all__ = ["Unchanged", "find_logs"]

# A file may be written again within the tick of its clock: one that changed so recently is looked at again. The
# coarsest clock of a file system in use ticks every two seconds (FAT).
_COARSEST_TICK = 2.0


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


class Unchanged:
    """Remembers of each file that was read to its end its size and times: while they stay, so does its content.

    Only a shortcut: whatever it does not know is read, and known by its content. It holds no entry of a file whose
    place another has taken, or that went away.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.restricted / "read_files.json"
        self._workspace = workspace
        self._seen = self._stored()

    def _stored(self) -> dict[str, Any]:
        """What was written down: nothing, unless beside this very ledger, which has not lost its end since."""
        try:
            stored = json.loads(self._path.read_bytes())
            seen, is_ours = stored["seen"], stored["ledger"] == self._mark(stored["entries"])
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return {}
        return seen if is_ours and isinstance(seen, dict) else {}

    def _mark(self, entries: int) -> str:
        """A digest of the ledger's entry with that number; entries hold random names, so no two are alike."""
        entry = self._workspace.ingested.entries()[entries - 1] if entries else {}
        return hashlib.sha256(canonical_json(entry).encode()).hexdigest()

    def covers(self, source: Source, path: Path) -> bool:
        """Whether a file was read as this source's, and nothing about it has changed."""
        return self._seen.get(_name(source, path)) == self.stamp(path)

    def add(self, source: Source, path: Path, stamp: list[int]) -> None:
        """A file was read to its end; `stamp` was taken before."""
        if time.time() - stamp[-1] / 1e9 > _COARSEST_TICK:
            self._seen[_name(source, path)] = stamp

    def keep(self, found: Iterable[tuple[Source, Path]]) -> None:
        """Write down what is known of the files that are still there."""
        names = {_name(source, path) for source, path in found}
        kept = {name: stamp for name, stamp in sorted(self._seen.items()) if name in names}
        entries = len(self._workspace.ingested.entries())
        stored = {"seen": kept, "entries": entries, "ledger": self._mark(entries)}
        write_atomically(self._path, canonical_json(stored).encode(), mode=0o600)

    @staticmethod
    def stamp(path: Path) -> list[int]:
        """Device, inode, size, and the times of the last change of the inode and of the content, in nanoseconds.

        Raises:
            InputError: it went away.
        """
        try:
            found = path.stat()
        except OSError as error:
            raise InputError(
                f"{path}: went away while logs were read ({error.strerror}); run again"
            ) from None
        return [found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns]


def _name(source: Source, path: Path) -> str:
    return f"{source.name} {path}"
