"""Sealed days and what was released before → the next periods' figures, protected and recorded as released.

Periods are taken in the order in which they end, so that a run every night and one run over many days
release the same figures.

Belongs here: which periods are due, and their record. Does not: the checks themselves (protect, release).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from usage_stats import __version__
from usage_stats.deidentify.robots import robot_list_version
from usage_stats.durable import write_atomically
from usage_stats.errors import AuditFailed, DifferencingFailed, LedgerError, SolverError
from usage_stats.flow.calendar import Calendar
from usage_stats.flow.classification import list_names
from usage_stats.flow.period_cube import cube_of_period
from usage_stats.flow.refusals import Refusals
from usage_stats.flow.released import (
    ReleasedViews,
    check_records,
    decided_on,
    finished_periods,
    record_path,
    released_periods,
)
from usage_stats.flow.reporter import Reporter
from usage_stats.flow.seal import close_window, usage_files
from usage_stats.flow.workspace import Workspace
from usage_stats.measure.cells import basis_counts, period_cells
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.cube import Cube, cube_from
from usage_stats.measure.nesting import nested_pairs, nested_tails
from usage_stats.measure.relations import (
    overlaps_within,
    relations_between,
)
from usage_stats.measure.table_spec import cube_of
from usage_stats.periods import WINDOW_OF, Period, periods_of, window_of
from usage_stats.policy import Refusal, Use
from usage_stats.protect.protect import protect_period
from usage_stats.protect.protected_table import ProtectedTable
from usage_stats.release.gate import Facts, Release, basis_shares, open_gate, policy_versions
from usage_stats.release.record import digest_of, to_record
from usage_stats.sqlmodel import Database

__all__ = [
    "Published",
    "close_windows",
    "due_periods",
    "publish",
]

# For whom figures are made. One set of protected figures serves both: each use only decides who receives it.
_USES: tuple[Use, ...] = ("internal_aggregate", "partner_aggregate")


@dataclass(frozen=True, slots=True)
class Published:
    """A period decided on by this run: how many of its cells had which status, and what the policy refuses.

    Of a period that was not released, all cells are `refused` (not safe, or not checked) or `forbidden` (the policy
    allows neither the house nor partners to have them). Without any cell, only opened e-mails were decided on.
    """

    period: Period
    statuses: Mapping[str, int]
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_released(self) -> bool:
        return bool(self.statuses) and {"refused", "forbidden"}.isdisjoint(self.statuses)


def due_periods(calendar: Calendar, cube: Cube, done: Iterable[Period]) -> list[Period]:
    """The periods to release now, parts before wholes."""
    candidates = periods_of(calendar.sealed, cube.periods)
    finished = set(done)
    # A day that comes out after its month would be a difference to figures that are out already.
    return [p for p in candidates if _is_due(calendar, p) and not any(whole.covers(p) for whole in finished)]


def _is_due(calendar: Calendar, period: Period) -> bool:
    all_empty = len(calendar.empty_days(period)) == len(period.days)
    return calendar.is_ready(period) and not all_empty and window_of(period).code not in calendar.closed


def _check_unknown_folders(workspace: Workspace, due: Iterable[Period]) -> None:
    """A delivered period that the ledger does not know: `restricted/` is older than what left the house."""
    codes = {p.code for p in due}
    known = next((f for f in workspace.releases.glob("*/*/*") if f.name in codes), None)
    if known:
        raise LedgerError(
            f"{known}: was delivered, but the release ledger does not know of it; was restricted/ restored from an "
            "older backup? Nothing is released, for the same period could come out twice with different figures. "
            "Restore the newest backup; where there is none, begin a new workspace with a later first_day"
        )


def publish(workspace: Workspace, calendar: Calendar, reporter: Reporter) -> list[Published]:
    """Release what is due, one period after the other.

    A period that no choice of cells makes safe, that cannot be checked, or that the policy allows nobody to have, is
    refused for good and recorded as that: no figure of it leaves, and the others go on.

    Raises:
        LedgerError: nothing further is released.
    """
    cube = cube_of(workspace.config)
    released = released_periods(workspace)
    finished = finished_periods(workspace)
    due = due_periods(calendar, cube, finished)
    if due:
        check_records(workspace)
    _check_unknown_folders(workspace, due)
    reporter.start("protecting figures", len(due))
    if due or finished:
        workspace.policies.remember(max(p.last for p in {*due, *finished}), calendar.now)
    views, refusals = ReleasedViews(workspace, released), Refusals(workspace)
    done = []
    with Database(workspace.spill) as database:
        for period in due:
            refused = _refused_uses(workspace, period, refusals)
            if len(refused) == len(_USES):
                _refuse(workspace, period, "PolicyViolation", cube)
                done.append(Published(period, {"forbidden": len(cube.categories)}, refused))
                reporter.advance(1)
                continue
            try:
                protected, release = _make(workspace, calendar, period, views, database)
            except (AuditFailed, DifferencingFailed, SolverError) as error:
                _refuse(workspace, period, type(error).__name__, cube)
                done.append(Published(period, {"refused": len(cube.categories)}))
            else:
                views.add(period, release, _record(workspace, release, protected))
                done.append(Published(period, _statuses(protected), refused))
            reporter.advance(1)
    return done


def _refused_uses(workspace: Workspace, period: Period, refusals: Refusals) -> tuple[Refusal, ...]:
    """What the versions in force on the period's days refuse. On record come what the house may not have, and what
    nobody may; what a partner may not have is recorded where there is a partner to deliver to.
    """
    found = [workspace.policy.refusal(period.days, use) for use in _USES]
    refused = tuple(refusal for refusal in found if refusal)
    for refusal in refused:
        if refusal.use == "internal_aggregate" or len(refused) == len(_USES):
            refusals.record(period, refusal)
    return refused


def _refuse(workspace: Workspace, period: Period, reason: str, cube: Cube) -> None:
    """Every cell of the period is refused: no part of it is published, and none is ever decided on again."""
    cells = {"refused": len(cube.categories)}
    entry = {"event": "refused", "period": period.code, "reason": reason, "cells": cells}
    workspace.released.append(entry | decided_on(workspace, period))


def _statuses(protected: ProtectedTable) -> dict[str, int]:
    return dict(sorted(Counter(protected.statuses.values()).items()))


def close_windows(workspace: Workspace, calendar: Calendar) -> None:
    """Close every window whose days are all sealed and whose periods are all released."""
    waiting = {
        window_of(p).code
        for p in due_periods(calendar, cube_of(workspace.config), finished_periods(workspace))
    }
    for window in periods_of(calendar.sealed, ("week", "month")):
        finished = calendar.is_finished(window) and window.code not in waiting | calendar.closed
        if finished:
            close_window(workspace, window)


def _make(
    workspace: Workspace, calendar: Calendar, period: Period, views: ReleasedViews, database: Database
) -> tuple[ProtectedTable, Release]:
    files = usage_files(workspace, WINDOW_OF[period.kind], period.days)
    crowd = Crowd(files)
    cube = cube_of_period(calendar, period, crowd)
    cells = period_cells(cube, period, files, database=database)
    around = views.around(period)
    history = {key: figures for view in around.values() for key, figures in view.items()}
    cubes = {p: cube_from([key[1:] for key in view], cube.periods) for p, view in around.items()}
    pairs = [*nested_pairs(cube, period, cubes), *nested_tails(cube, period, cubes)]
    overlaps = overlaps_within(period, cube, {key: counts.visitors for key, counts in cells.items()})
    facts = _facts(workspace, calendar, period, basis_counts(period, files, database=database))
    found = relations_between(
        {**cubes, period: cube},
        empty_days=_empty_days(calendar, [*around, period]),
        overlaps=views.overlaps(around) | overlaps,
    )
    protected = protect_period(
        cells,
        history=history,
        relations=found,
        pairs=pairs,
        crowd=crowd,
        thresholds=workspace.config.strictest_thresholds,
        sensitive_before=views.sensitive(around),
    )
    release = open_gate(
        protected, cube=cube, period=period, pairs=pairs, facts=facts, relations=found, overlaps=overlaps
    )
    return protected, release


def _empty_days(calendar: Calendar, periods: Iterable[Period]) -> frozenset[date]:
    return frozenset(day for period in periods for day in calendar.empty_days(period))  # as readers know


def _facts(workspace: Workspace, calendar: Calendar, period: Period, counts: Mapping[str, int]) -> Facts:
    config = workspace.config
    return Facts(
        site=config.site,
        time_zone=config.time_zone,
        thresholds=config.strictest_thresholds,
        policy_versions=policy_versions(workspace.policy, period.days, _allowed_use(workspace, period)),
        identity_basis_shares=basis_shares(counts, config.strictest_thresholds.minimum_persons),
        robot_lists=robot_list_version(workspace.config.robots),
        software=f"usage-stats {__version__}",
        days_without_lines=tuple(d.isoformat() for d in calendar.empty_days(period)),
        lists=list_names(config),
    )


def _allowed_use(workspace: Workspace, period: Period) -> Use:
    """The first use that the policy allows; where it allows none, the last, and the gate stays shut."""
    allowed = (use for use in _USES if not workspace.policy.refusal(period.days, use))
    return next(allowed, _USES[-1])


def _record(workspace: Workspace, release: Release, protected: ProtectedTable) -> str:
    """Write the record, then the ledger's entry: from then on the figures are out."""
    record = to_record(release, [k for k, s in protected.statuses.items() if s == "primary"])
    write_atomically(record_path(workspace, release.period), record, mode=0o600)
    workspace.released.append(
        {
            "event": "released",
            "period": release.period.code,
            "sha256": digest_of(record),
            "cells": _statuses(protected),
            **decided_on(workspace, release.period),
        }
    )
    return digest_of(record)
