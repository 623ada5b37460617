"""The restricted store and its ledgers → the files that nothing needs: what a crash or a closed window left.

Belongs here: telling what may go, by class. Does not: what waits and grew too old (expiry).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from usage_stats.flow.seal import sealed_usage, unneeded_events
from usage_stats.flow.workspace import Workspace

__all__ = ["LEFTOVERS", "delete_files", "discard_leftovers", "files_below", "find_leftovers"]

LEFTOVERS = ("events", "usage", "temporary", "keys")


def find_leftovers(workspace: Workspace) -> Mapping[str, list[Path]]:
    """The files that may go, by class, each once; the lock must be held.

    `events`: with fingerprints, of days that are done, or that no ledger names. `usage`: rows of closed windows, and of
    days whose sealing was interrupted. `temporary`: half-written files, and what the database put aside. `keys`:
    destroyed by the ledger's word, or never known to it.
    """
    temporary = _temporary(workspace)
    events = [path for path in unneeded_events(workspace) if path not in temporary]
    usage = [path for path in _unneeded_usage(workspace) if path not in temporary]
    return dict(zip(LEFTOVERS, (events, usage, sorted(temporary), workspace.keys.leftovers()), strict=True))


def discard_leftovers(workspace: Workspace) -> None:
    """Delete them; keys are overwritten first."""
    delete_files(workspace, (path for paths in find_leftovers(workspace).values() for path in paths))


def delete_files(workspace: Workspace, paths: Iterable[Path]) -> None:
    """Delete files of the restricted store that nothing needs, and the folders that are empty then."""
    workspace.keys.wipe_leftovers()
    for path in paths:
        path.unlink(missing_ok=True)  # a key is gone already
    for top in ("events", "usage", "spill"):
        _drop_empty(workspace.restricted / top)


def _unneeded_usage(workspace: Workspace) -> list[Path]:
    needed = {folder for _, _, folder in sealed_usage(workspace)}
    return [path for path in files_below(workspace.restricted / "usage") if path.parent not in needed]


def _temporary(workspace: Workspace) -> set[Path]:
    partial = (path for path in files_below(workspace.restricted) if path.name.endswith(".partial"))
    return {*partial, *files_below(workspace.spill)}


def files_below(folder: Path) -> list[Path]:
    """All files in a folder and its folders, sorted; none where it is missing."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _drop_empty(top: Path) -> None:
    """Deepest first; a folder that holds something stays."""
    for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
