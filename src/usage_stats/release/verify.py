"""Folders that a partner received → whether each is what was sent, complete and consistent, alone and together.

Belongs here: the order of the checks and what they come to. Does not: the checks themselves. Needs nothing but the
folders. Whoever can change a folder can change its package too: the fingerprint is there to be compared with the
sender's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from usage_stats.errors import AuditFailed, InputError, SchemaError
from usage_stats.measure.relations import CellKey, Relation
from usage_stats.release.figure_checks import CHECKS_OF_FIGURES, broken_relations
from usage_stats.release.folders import Folder, damaged_files, find_folders, open_folder
from usage_stats.release.pool import Pool, pools_of
from usage_stats.release.shape_checks import CHECKS_OF_COLUMNS, CHECKS_OF_ROWS, Check

__all__ = ["Verdict", "checked_folders", "exit_code", "fingerprint", "verify"]

_ACROSS_PERIODS = frozenset({"period", "first_day"})
# Exit codes by the check that failed, the gravest first; everything else contradicts itself.
_DAMAGED = frozenset({"package", "files"})
_TELLING = frozenset({"minimum", "agreement"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks of one folder found. `digest` is that of its package, none if it cannot be read."""

    path: Path
    checks: tuple[Check, ...]
    digest: str | None = None
    rows: int = 0
    is_withdrawn: bool = False

    @property
    def passed(self) -> bool:
        return not any(check.problems for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """For machines: the folder, and each check with its count, failures and the first of them."""
        return {
            "folder": str(self.path),
            "passed": self.passed,
            "withdrawn": self.is_withdrawn,
            "package_sha256": self.digest,
            "rows": self.rows,
            "checks": [_as_json(check) for check in self.checks],
        }


def _as_json(check: Check) -> dict[str, Any]:
    first = check.problems[0] if check.problems else None
    return {"check": check.name, "checked": check.checked, "failed": len(check.problems), "first": first}


def verify(paths: Sequence[Path], on_folder: Callable[[int, int], None] | None = None) -> list[Verdict]:
    """Check every released folder at and below some paths.

    Args:
        paths: folders, or folders above them.
        on_folder: is told, after each, how many folders are done, and of how many.

    Raises:
        InputError: a path is not there, or no release is below it. What is wrong with a folder is in its verdict.
    """
    folders, verdicts = checked_folders(paths, on_folder)
    together = {path: checks for pool in pools_of(folders) for path, checks in _side_by_side(pool).items()}
    return [_with(verdict, together.get(verdict.path, ())) for verdict in verdicts]


def checked_folders(
    paths: Sequence[Path], on_folder: Callable[[int, int], None] | None = None
) -> tuple[list[Folder], list[Verdict]]:
    """The folders that are in order for themselves, and the verdicts on all; arguments and errors as of `verify`."""
    found = find_folders(paths)
    folders, verdicts = [], []
    for number, path in enumerate(found, start=1):
        folder, verdict = _checked(path)
        folders += [folder] if folder else []
        verdicts.append(verdict)
        if on_folder:
            on_folder(number, len(found))
    return folders, verdicts


def _with(verdict: Verdict, checks: tuple[Check, ...]) -> Verdict:
    every = (*verdict.checks, *checks)
    return Verdict(verdict.path, every, verdict.digest, verdict.rows, verdict.is_withdrawn)


def _checked(path: Path) -> tuple[Folder | None, Verdict]:
    """The folder, if it can be laid beside others, and its verdict; a check is made if those it relies on passed."""
    try:
        folder = open_folder(path)
        files = Check("files", len(folder.package.resources), tuple(damaged_files(folder)))
    except InputError as error:
        return None, Verdict(path, (Check("package", 1, (str(error),)),))
    checks = [files]
    if files.problems:
        return None, Verdict(path, tuple(checks), folder.digest)
    try:
        for stage in (CHECKS_OF_COLUMNS, CHECKS_OF_ROWS, CHECKS_OF_FIGURES):
            checks += [check(folder) for check in stage]
            if any(check.problems for check in checks):
                return None, Verdict(path, tuple(checks), folder.digest, len(folder.rows))
    except InputError as error:
        return None, Verdict(path, (*checks, Check("files", 1, (str(error),))), folder.digest)
    verdict = Verdict(path, tuple(checks), folder.digest, len(folder.rows), folder.package.is_withdrawn)
    return folder, verdict


def _side_by_side(pool: Pool) -> dict[Path, tuple[Check, ...]]:
    """Of each folder: whether its rows are those of the others, and its sums those of shorter periods."""
    by_whole: dict[CellKey, list[Relation]] = {}
    for relation in pool.relations():
        if relation.dimension in _ACROSS_PERIODS:
            by_whole.setdefault(relation.whole, []).append(relation)
    return {
        folder.path: (_agreement(pool, folder), _periods(pool, folder, by_whole)) for folder in pool.folders
    }


def _agreement(pool: Pool, folder: Folder) -> Check:
    problems = tuple(str(d) for d in pool.disagreements if folder.path in {d.first.path, d.other.path})
    return Check("agreement", len(folder.cells), problems)


def _periods(pool: Pool, folder: Folder, by_whole: dict[CellKey, list[Relation]]) -> Check:
    found = [relation for key in folder.cells for relation in by_whole.get(key, ())]
    return Check("periods", len(found), tuple(broken_relations(found, pool.cells)))


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """0, or the code of the gravest failure: figures that tell too much, damaged files, figures that contradict."""
    failed = {check.name for verdict in verdicts for check in verdict.checks if check.problems}
    if failed & _TELLING:
        return AuditFailed.exit_code
    if failed & _DAMAGED:
        return InputError.exit_code
    return SchemaError.exit_code if failed else 0


def fingerprint(verdicts: Iterable[Verdict]) -> str:
    """One digest for all folders, whatever they are called and wherever they lie."""
    digests = sorted(verdict.digest or "unreadable" for verdict in verdicts)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
