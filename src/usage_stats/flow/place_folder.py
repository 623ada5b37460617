"""Files and a place below the releases → a folder there that partners see whole or not at all.

What is not finished lies in a folder of its own beside those of partners, never inside them: a copy of a partner's
folder taken at any moment holds nothing half-written.

Belongs here: making, replacing and sweeping up. Does not: what is in the files, or whether they may be there.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from usage_stats.durable import make_folders, to_disk, write_whole

__all__ = ["place_folder", "sweep"]

_UNFINISHED = ".partial"


def place_folder(releases: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    """Put a folder with these files in its place, on the disk with its name.

    One that is there goes first, by a rename: for a moment there is none, and never a mixture.
    """
    beside = _beside(releases, folder, "new")
    make_folders(beside)
    for name, content in files.items():
        write_whole(beside / name, content)
    to_disk(beside)
    make_folders(folder.parent)
    if folder.exists():
        folder.replace(_beside(releases, folder, "old"))
    beside.replace(folder)
    to_disk(folder.parent)


def sweep(releases: Path) -> None:
    """Remove what is not finished, or was replaced: after a crash, of the run before."""
    unfinished = releases / _UNFINISHED
    if unfinished.is_dir():
        shutil.rmtree(unfinished)


def _beside(releases: Path, folder: Path, what: str) -> Path:
    """Names have no dot, so that of a place is one and no other's."""
    return releases / _UNFINISHED / f"{'.'.join(folder.relative_to(releases).parts)}.{what}"
