"""A workspace and the time → everything that is due, done: the main job.

Belongs here: the order of the stages. Does not: any stage.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from usage_stats.errors import AuditFailed, PolicyViolation, UsageStatsError
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.erase import forget_ended_exclusions
from usage_stats.flow.expire import Expiring, expire_overdue, expiring
from usage_stats.flow.hold import finish_changes
from usage_stats.flow.ingest import Ingested, ingest
from usage_stats.flow.reporter import Reporter
from usage_stats.flow.seal import discard_sealed_events, seal_days
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period

if TYPE_CHECKING:
    from usage_stats.flow.deliver import Delivered
    from usage_stats.flow.publish import Published

__all__ = ["RunResult", "deliver_and_build", "ingest_new", "publish_due", "run", "seal_due"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run did; `expired` waited longer than the maximum age, `expiring` soon will have."""

    ingested: Ingested
    sealed: list[date]
    published: list[Published]
    delivered: Delivered
    expired: list[Period] = field(default_factory=list)
    expiring: list[Expiring] = field(default_factory=list)

    @property
    def refused(self) -> list[str]:
        """The periods that could not be made safe, or not checked, and are never released."""
        return [p.period.code for p in self.published if "refused" in p.statuses]

    @property
    def exit_code(self) -> int:
        """0, or that of the error for which a period is never released."""
        if self.refused:
            return AuditFailed.exit_code
        return PolicyViolation.exit_code if any("forbidden" in p.statuses for p in self.published) else 0


def run(
    workspace: Workspace,
    now: datetime,
    reporter: Reporter,
    *,
    first: date | None = None,
    last: date | None = None,
    standard_input: str | None = None,
) -> RunResult:
    """Read what is new, seal (no day outside first..last) and release what is due. Safe to repeat at any time.

    Standard input is read too, as a log of the source of that name, if one is given.

    Raises:
        UsageStatsError: see the stages; what was finished before stays, the rest is taken up by the next run.
    """
    with workspace.lock():
        before = len(workspace.expired())
        ingested = ingest_new(workspace, now, reporter, standard_input=standard_input)
        sealed = seal_due(workspace, now, reporter, first=first, last=last)
        published = publish_due(workspace, now, reporter)
        delivered = deliver_and_build(workspace, now, reporter)
        expired, soon = workspace.expired()[before:], expiring(calendar_of(workspace, now))
    return RunResult(ingested, sealed, published, delivered, expired, soon)


def ingest_new(
    workspace: Workspace, now: datetime, reporter: Reporter, *, standard_input: str | None = None
) -> Ingested:
    """Read new log lines into events; those of standard input too, if a source is named that they are of.

    What a killed withdrawal left is ended first.
    """
    shutil.rmtree(workspace.spill, ignore_errors=True)  # a killed run may have left some
    workspace.keys.wipe_destroyed()
    discard_sealed_events(workspace)
    forget_ended_exclusions(workspace)
    expire_overdue(workspace, now)  # first of all: what is too old goes even if a later stage stops the run
    # Before logs are read, for one that is broken stops the run. What stops it here stops the delivery too, which says
    # so: until then lines are read, before they rotate away.
    with suppress(UsageStatsError):
        finish_changes(workspace)
    return ingest(workspace, now, reporter, standard_input=standard_input)


def seal_due(
    workspace: Workspace,
    now: datetime,
    reporter: Reporter,
    *,
    first: date | None = None,
    last: date | None = None,
) -> list[date]:
    """Seal the days that are over, and delete their events."""
    calendar = calendar_of(workspace, now)
    days = [d for d in calendar.due_days() if (first or d) <= d <= (last or d)]
    if days or calendar.sealed:  # the latter for a workspace from before versions were remembered
        workspace.policies.remember(max([*days, *calendar.sealed]), now)
    seal_days(workspace, days, calendar, reporter)
    discard_sealed_events(workspace)
    return days


def publish_due(workspace: Workspace, now: datetime, reporter: Reporter) -> list[Published]:
    """Protect, audit and record the periods that are due; then close their windows, and those that are too old."""
    from usage_stats.flow.publish import close_windows, publish  # noqa: PLC0415 the solver: not for what only reads
    from usage_stats.flow.publish_opens import publish_opens, with_refusals  # noqa: PLC0415 the same

    workspace.keys.at(now)
    calendar = calendar_of(workspace, now)
    published = publish(workspace, calendar, reporter)
    published = with_refusals(published, publish_opens(workspace, calendar))
    close_windows(workspace, calendar)
    expire_overdue(workspace, now)
    return published


def deliver_and_build(workspace: Workspace, _now: datetime, reporter: Reporter) -> Delivered:
    """Write partners' folders and, if anything is new, the analysts' file."""
    from usage_stats.flow.analysts import build_if_new  # noqa: PLC0415 the same
    from usage_stats.flow.deliver import deliver  # noqa: PLC0415 the same

    delivered = deliver(workspace, reporter)
    build_if_new(workspace)
    return delivered
