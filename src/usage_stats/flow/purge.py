"""The restricted store → what may go from it, as a plan with a digest; and the plan carried out.

Belongs here: the plan, its digest, carrying it out, its ledger entry. Does not: what may go (leftovers, expire).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from usage_stats.errors import InputError
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.expire import expire_overdue, held_files, overdue
from usage_stats.flow.hold import hold
from usage_stats.flow.leftovers import delete_files, find_leftovers
from usage_stats.flow.workspace import Workspace
from usage_stats.ledger import canonical_json

__all__ = ["PurgePlan", "execute_purge", "plan_purge"]


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """Files that go, by class, each with its bytes; the weeks and months that expire with theirs; a digest of all."""

    files: Mapping[str, tuple[tuple[str, int], ...]]
    expired: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of the exact list. Names hold days, windows and random numbers, so a plain digest gives nothing away."""
        state = {"files": {what: list(map(list, named)) for what, named in self.files.items()}}
        return hashlib.sha256(canonical_json(state | {"expired": list(self.expired)}).encode()).hexdigest()[
            :32
        ]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many files of each class, and their bytes."""
        return {
            what: {"files": len(named), "bytes": sum(size for _, size in named)}
            for what, named in self.files.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Counts and periods."""
        listed = {"purged": self.counts, "days": self.days, "expired": list(self.expired)}
        return {**listed, "digest": self.digest}

    @property
    def days(self) -> list[str]:
        """The days whose events or usage rows are among them."""
        parts = (part for named in self.files.values() for name, _ in named for part in name.split("/"))
        return sorted({part.removeprefix("day=") for part in parts if part.startswith("day=")})


def plan_purge(workspace: Workspace, now: datetime) -> PurgePlan:
    """What a purge would delete; nothing is changed.

    Raises:
        ConfigError: a run is at work.
    """
    with hold(workspace):
        return _plan(workspace, now)


def execute_purge(workspace: Workspace, now: datetime, *, digest: str) -> PurgePlan:
    """Delete what a plan with this digest said; killed half-way, the rest is another plan.

    Raises:
        InputError: the plan would be another by now; nothing was deleted.
        ConfigError: a run is at work.
    """
    with hold(workspace):
        plan = _plan(workspace, now)
        if not hmac.compare_digest(plan.digest.encode(), digest.strip().encode()):
            raise InputError(
                "--execute: what may be purged has another digest by now; nothing was deleted. Run `usage-stats "
                "purge` without --execute, read what it says, and give the digest it prints"
            )
        expire_overdue(workspace, now)
        names = (name for named in plan.files.values() for name, _ in named)
        delete_files(workspace, [workspace.restricted / name for name in names])
        at = now.astimezone(UTC).isoformat(timespec="seconds")
        workspace.purges.append({"at": at, "purged": plan.counts, "expired": list(plan.expired)})
        return plan


def _plan(workspace: Workspace, now: datetime) -> PurgePlan:
    workspace.keys.at(now)
    windows = overdue(workspace, calendar_of(workspace, now))
    found = {**find_leftovers(workspace), "expired": held_files(workspace, windows)}
    seen: set[Path] = set()
    files: dict[str, tuple[tuple[str, int], ...]] = {}
    for what, paths in found.items():
        own = [path for path in paths if path not in seen]
        seen.update(own)
        files[what] = tuple(
            (str(path.relative_to(workspace.restricted)), path.stat().st_size) for path in own
        )
    return PurgePlan(files, tuple(window.code for window in windows))
