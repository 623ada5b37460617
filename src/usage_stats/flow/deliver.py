"""Recorded releases → each partner's folders, and the analysts' file.

Belongs here: who gets which folder, complete or not at all. Does not: what is in the files (release/export).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from usage_stats.config import Partner
from usage_stats.errors import LedgerError
from usage_stats.flow.received import Address, Received
from usage_stats.flow.refusals import Refusals
from usage_stats.flow.released import released_periods, stored_release
from usage_stats.flow.reporter import Reporter
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period
from usage_stats.policy import Refusal
from usage_stats.release.export import release_files
from usage_stats.release.gate import Release
from usage_stats.release.table_cut import Cut, cut, is_shown_by

__all__ = ["Delivered", "deliver"]


@dataclass(slots=True)
class Delivered:
    """Folders written, folders that were there already, and what the policy kept back."""

    written: int = 0
    unchanged: int = 0
    refused: dict[str, Refusal] = field(default_factory=dict)


def deliver(workspace: Workspace, reporter: Reporter) -> Delivered:
    """Write every folder that is due to a partner and not there; touch none that is.

    Raises:
        LedgerError: a record is not what the ledger vouches for, or a delivered folder would now differ.
    """
    result, received = Delivered(), Received(workspace)
    due, refusals = list(_due(workspace)), Refusals(workspace)
    reporter.start("writing releases", len(due))
    for partner, table, period, digest in due:
        folder = workspace.releases / partner.id / table / period.code
        to = Address(partner.id, table, period)
        known = received.of(to)
        if known and folder.exists():
            _check_unchanged(folder, known)
            result.unchanged += 1
        elif refusal := workspace.policy.refusal(period.days, "partner_aggregate"):
            refusals.record(period, refusal)
            result.refused[f"{partner.id}/{table}/{period.code}"] = refusal
        else:
            release = stored_release(workspace, period, digest)
            shown = workspace.config.tables[table]
            if is_shown_by(release, shown):
                _write(workspace, folder, release, cut(release, table, shown), (to, received))
                result.written += 1
        reporter.advance(1)
    return result


def _check_unchanged(folder: Path, known: Mapping[str, str]) -> None:
    """A delivered folder is for ever what it was; if it is gone, it is written again, the same."""
    if known != _digests({name: (folder / name).read_bytes() for name in known if (folder / name).is_file()}):
        raise LedgerError(
            f"{folder}: files were changed or removed after their delivery; restore them, or delete the whole "
            "folder: the next run writes it again as it was"
        )


def _digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _due(workspace: Workspace) -> Iterator[tuple[Partner, str, Period, str]]:
    """(partner, table, period, digest of its record) of everything that partners should have."""
    for period, digest in released_periods(workspace).items():
        for partner in workspace.config.partners:
            for table in partner.tables:
                if period.kind in partner.periods and period.kind in workspace.config.tables[table].periods:
                    yield partner, table, period, digest


def _write(
    workspace: Workspace, folder: Path, release: Release, shown: Cut, of: tuple[Address, Received]
) -> None:
    """Make the folder beside its place, move it there whole, and record it."""
    to, received = of
    known, files = received.of(to), release_files(release, shown, to.partner, received.before(to))
    digests = _digests(files)
    if folder.exists():  # a crash came between the folder and its entry
        _check_unchanged(folder, digests)
    if known and known != digests:
        raise LedgerError(
            f"{folder}: files are missing, and this version of the software would write them differently from "
            "what was delivered; restore the folder from a backup"
        )
    beside = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, content in files.items():
        (beside / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)  # the same, checked above
    beside.replace(folder)
    if not known:
        entry = {"partner": to.partner, "table": to.table, "period": to.period.code, "files": digests}
        workspace.released.append({"event": "delivered", **entry})
        received.add(to, digests)
