"""The release ledger and its records → which periods were decided on, and what readers have of them.

Belongs here: reading back. Does not: deciding on a period (publish).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from usage_stats import __version__
from usage_stats.config import OPENS_TABLE
from usage_stats.flow.workspace import Workspace
from usage_stats.measure.relations import CellKey, Overlaps
from usage_stats.periods import Period, month, parse_period
from usage_stats.protect.requirement import View
from usage_stats.release.gate import Release
from usage_stats.release.record import from_record, sensitive_cells, vouched

__all__ = [
    "ReleasedViews",
    "check_records",
    "decided_on",
    "finished_periods",
    "record_path",
    "released_periods",
    "stored_release",
]


def released_periods(workspace: Workspace) -> dict[Period, str]:
    """Every released period, oldest record first, with the digest of its record."""
    released = (e for e in workspace.released.entries() if e["event"] == "released")
    return {parse_period(e["period"]): e["sha256"] for e in released}


def finished_periods(workspace: Workspace) -> set[Period]:
    """Every period that was decided on: released, or refused."""
    decided = (e for e in workspace.released.entries() if e["event"] in {"released", "refused"})
    return {parse_period(e["period"]) for e in decided}


def stored_release(workspace: Workspace, period: Period, digest: str) -> Release:
    """Read a recorded release back."""
    return from_record(record_path(workspace, period), digest)


def check_records(workspace: Workspace) -> None:
    """Hold every record to its digest: what was published is what the ledger says, back to the first period.

    Raises:
        LedgerError: one is missing, or another.
    """
    for period, digest in released_periods(workspace).items():
        vouched(record_path(workspace, period), digest)


def decided_on(workspace: Workspace, period: Period, population: str = "visitors") -> dict[str, Any]:
    """What a decision about a period rests on, for the ledger: tables with their audiences, population, policy, rules.

    Coordinates, values and statuses of the cells are in the record, whose digest is the entry's.
    """
    config, policy = workspace.config, workspace.policy
    tables = {name: t.audience for name, t in config.tables.items() if period.kind in t.periods}
    return {
        "population": population,
        "tables": tables if population == "visitors" else {OPENS_TABLE: "analysts"},
        "thresholds": config.strictest_thresholds.model_dump(),
        "policy": {name: v.digest for name, v in policy.on(period.days).items()},
        "software": f"usage-stats {__version__}",
    }


class ReleasedViews:
    """What readers have of the periods around a period."""

    def __init__(self, workspace: Workspace, released: Mapping[Period, str]) -> None:
        self._workspace = workspace
        self._released = dict(released)
        self._views: dict[Period, View] = {}
        self._overlaps: dict[Period, Overlaps] = {}

    def add(self, period: Period, release: Release, digest: str) -> None:
        self._released[period] = digest
        self._views[period], self._overlaps[period] = release.view(), release.overlaps

    def overlaps(self, around: Mapping[Period, View]) -> dict[tuple[CellKey, str], int]:
        """What readers may guess of visitors who are in several parts of a whole, of periods asked for before."""
        return {key: number for period in around for key, number in self._overlaps[period].items()}

    def sensitive(self, around: Iterable[Period]) -> frozenset[CellKey]:
        """The cells of these periods that were withheld for themselves."""
        paths = {p: record_path(self._workspace, p) for p in around}
        return frozenset(k for p, path in paths.items() for k in sensitive_cells(path, self._released[p]))

    def around(self, period: Period) -> dict[Period, View]:
        """Released periods that share days with the period, or with those: back to the month before."""
        if period.kind == "day":
            return {}
        since = month(period.first.replace(day=1) - timedelta(1)).first
        return {p: self._view(p) for p in self._released if p.last >= since}

    def _view(self, period: Period) -> View:
        if period not in self._views:
            release = stored_release(self._workspace, period, self._released[period])
            self._views[period], self._overlaps[period] = release.view(), release.overlaps
        return self._views[period]


def record_path(workspace: Workspace, period: Period) -> Path:
    """Where a period's record lies."""
    return workspace.restricted / "released" / f"{period.code}.json"
