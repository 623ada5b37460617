"""New versions of restricted files, prepared beside them → in place, all of them or none.

A ledger entry is the commit. Before it, what was prepared is dropped; after it, whoever takes the lock next puts in
place what is not there yet. So a death at any moment leaves the old files or the new ones.

Belongs here: the order of the steps. Does not: what the files hold.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from usage_stats.durable import make_folders, to_disk
from usage_stats.ledger import Ledger

__all__ = ["commit_staged", "finish_staged", "staged_path"]

_FOLDER = "staged"


def staged_path(restricted: Path, receipt: str, name: str) -> Path:
    """Where to prepare the new version of a file of the restricted store, named from there."""
    path = restricted / _FOLDER / receipt / name
    make_folders(path.parent, mode=0o700)
    return path


def commit_staged(restricted: Path, ledger: Ledger, entry: dict[str, Any]) -> None:
    """Make what was prepared under the entry's `receipt` count, and put it in place."""
    top = restricted / _FOLDER / entry["receipt"]
    for path in sorted([*top.rglob("*"), top, top.parent, restricted]):  # folders too: they hold the names
        to_disk(path)
    ledger.append(entry)
    finish_staged(restricted, ledger)


def finish_staged(restricted: Path, ledger: Ledger) -> None:
    """Put in place what was committed, and drop what was not."""
    top = restricted / _FOLDER
    if not top.is_dir():
        return
    committed = {entry["receipt"] for entry in ledger.entries()}
    for folder in sorted(top.iterdir()):
        if folder.name in committed:
            places = {path: restricted / path.relative_to(folder) for path in _files(folder)}
            for path, place in places.items():
                path.replace(place)
            for changed in sorted({place.parent for place in places.values()}):
                to_disk(changed)  # before what was prepared goes: it would be there no more to be moved again
        shutil.rmtree(folder)
    top.rmdir()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
