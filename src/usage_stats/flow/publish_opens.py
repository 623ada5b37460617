"""Usage rows of opened e-mails → the figures of each month that is complete, judged and recorded as released.

Belongs here: which months are due, the policy's word on them, their record. Does not: what is withheld (release/opens).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from usage_stats.deidentify.mail_agents import OPEN_CLASSES, mail_agents_version
from usage_stats.durable import write_atomically
from usage_stats.flow.calendar import Calendar
from usage_stats.flow.publish import Published
from usage_stats.flow.refusals import Refusals
from usage_stats.flow.released import decided_on
from usage_stats.flow.seal import email_open_files
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period, parse_period, periods_of
from usage_stats.policy import Refusal
from usage_stats.release.opens import ReleasedOpens, judge_opens, opens_from_record, opens_record
from usage_stats.release.record import digest_of
from usage_stats.sqlmodel import Database

__all__ = ["publish_opens", "released_opens", "stored_opens", "with_refusals"]

_RELEASED = "opens_released"


def publish_opens(workspace: Workspace, calendar: Calendar) -> dict[Period, Refusal]:
    """Release the opens of each month whose days are all sealed, before its window closes; return what is refused.

    A month is decided on once, for good; what the policy refuses is recorded as that, and nothing else is kept of it.
    """
    refusals, refused = Refusals(workspace), {}
    due = _due(workspace, calendar, refusals)
    if due:
        workspace.policies.remember(max(period.last for period in due), calendar.now)
    with Database(workspace.spill) as database:
        for period in due:
            refusal = workspace.policy.refusal(period.days, "email_measurement")
            if refusal:
                refusals.record(period, refusal)
                refused[period] = refusal
            else:
                _record(workspace, _judged(workspace, period, database))
    return refused


def stored_opens(workspace: Workspace) -> list[tuple[str, ReleasedOpens]] | None:
    """Everything released of opens, with the digests of the records; None where none are measured.

    Raises:
        LedgerError: a record is not what the ledger vouches for.
    """
    if not workspace.config.email.opens:
        return None
    return [
        (digest, opens_from_record(_record_path(workspace, period), digest))
        for period, digest in released_opens(workspace).items()
        if not workspace.policy.refusal(period.days, "email_measurement")
    ]


def with_refusals(published: Iterable[Published], refused: dict[Period, Refusal]) -> list[Published]:
    """What was decided on periods, and on their opens."""
    left, found = dict(refused), []
    for done in published:
        refusal = left.pop(done.period, None)
        also = (*done.refusals, refusal) if refusal else done.refusals
        found.append(Published(done.period, done.statuses, also))
    return [*found, *(Published(period, {}, (refusal,)) for period, refusal in left.items())]


def _due(workspace: Workspace, calendar: Calendar, refusals: Refusals) -> list[Period]:
    if not workspace.config.email.opens:
        return []
    released = released_opens(workspace)
    return [
        period
        for period in periods_of(calendar.sealed, ("month",))
        if calendar.is_ready(period)
        and _is_measured(workspace, period, calendar)
        and len(calendar.empty_days(period)) < len(period.days)
        and period.code not in calendar.closed
        and period not in released
        and not any(refusal.use == "email_measurement" for refusal in refusals.of(period))
    ]


def _is_measured(workspace: Workspace, period: Period, calendar: Calendar) -> bool:
    """Whether opens were counted on each sealed day of a month: of one begun without, figures would be of a part."""
    return len(email_open_files(workspace, period)) == len(calendar.sealed.keys() & set(period.days))


def released_opens(workspace: Workspace) -> dict[Period, str]:
    """Every month whose opens were released, with the digest of its record."""
    entries = (e for e in workspace.released.entries() if e["event"] == _RELEASED)
    return {parse_period(e["period"]): e["sha256"] for e in entries}


def _judged(workspace: Workspace, period: Period, database: Database) -> ReleasedOpens:
    inputs = {"usage.email_open_day": email_open_files(workspace, period)}
    cells = database.run("cell.email_open", inputs)
    config = workspace.config
    return judge_opens(
        *(period, cells, config.email.campaigns, OPEN_CLASSES),
        minimum_persons=config.strictest_thresholds.minimum_persons,
        mail_agents=mail_agents_version(),
    )


def _record(workspace: Workspace, released: ReleasedOpens) -> None:
    """Write the record, then the ledger's entry: from then on the figures are out."""
    record, period = opens_record(released), released.period
    write_atomically(_record_path(workspace, period), record, mode=0o600)
    digest = digest_of(record)
    entry = {"event": _RELEASED, "period": period.code, "sha256": digest}
    workspace.released.append(entry | decided_on(workspace, period, "recipients"))


def _record_path(workspace: Workspace, period: Period) -> Path:
    return workspace.restricted / "released" / f"{period.code}-email.json"
