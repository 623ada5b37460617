"""The maximum age and the time → weeks and months that waited too long, and what is held of them gone.

Whatever waits for missing logs, or for a policy that allows it, is held with its key until it is released. The
maximum age is the promise that this ends: it rules over every other reason to keep.

Belongs here: when a week or month expires, and the steps of that. Does not: leftovers of crashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from usage_stats.flow.calendar import Calendar, calendar_of
from usage_stats.flow.leftovers import files_below
from usage_stats.flow.seal import close_window, discard_sealed_events, unneeded_events, usage_folder
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period, periods_of

__all__ = ["Expiring", "expire_overdue", "expiring", "held_files", "overdue"]

_WARN_FROM = 0.8  # of the age: at the least age allowed, two weeks to find the missing logs


@dataclass(frozen=True, slots=True)
class Expiring:
    """A week or month that waits, and the day on which what is held of it goes unless it is released before."""

    period: Period
    on: date


def overdue(workspace: Workspace, calendar: Calendar) -> list[Period]:
    """Weeks and months that expire now; those too whose expiry was begun and not ended."""
    today, begun = _today(calendar), set(workspace.expired())
    held = _held(calendar) | {window for window in begun if window.code not in calendar.closed}
    return sorted((w for w in held if w in begun or _expires(calendar, w) <= today), key=_order)


def expiring(calendar: Calendar) -> list[Expiring]:
    """Weeks and months that are over 80 % of the maximum age, and when they expire."""
    age = calendar.config.retention.maximum_age_days
    if age is None:
        return []
    warned = timedelta(days=int(age * (1 - _WARN_FROM)))
    found = [Expiring(window, _expires(calendar, window)) for window in sorted(_held(calendar), key=_order)]
    return [e for e in found if e.on - warned <= _today(calendar)]


def expire_overdue(workspace: Workspace, now: datetime) -> None:
    """Give up what waited too long: it is never released, its late lines count nowhere, and nothing of it is kept.

    The ledger comes first: a death after it leaves an expiry that the next run ends.
    """
    workspace.keys.at(now)
    for window in overdue(workspace, calendar_of(workspace, now)):
        if window not in workspace.expired():
            workspace.released.append({"event": "expired", "period": window.code})
        discard_sealed_events(workspace)
        close_window(workspace, window)


def held_files(workspace: Workspace, windows: Iterable[Period]) -> list[Path]:
    """The files that go with these weeks and months: events, fingerprints, usage rows, keys."""
    spans = list(windows)
    days = {of.isoformat() for window in spans for of in window.days}
    found = set(unneeded_events(workspace, days)) if days else set[Path]()
    for window in spans:
        if window.kind != "day":
            folders = [usage_folder(workspace, window.kind, of) for of in window.days]
            found.update(path for folder in folders for path in files_below(folder))
            found.update([workspace.keys.path(window.kind, window.code)])
    return sorted(path for path in found if path.exists())


def _held(calendar: Calendar) -> set[Period]:
    """Weeks and months with lines whose keys are not destroyed; none while there is no maximum age."""
    if calendar.config.retention.maximum_age_days is None:
        return set()
    return {w for w in periods_of(calendar.known_days, ("week", "month")) if w.code not in calendar.closed}


def _expires(calendar: Calendar, window: Period) -> date:
    """The first day on which the window's first day is older than the maximum age."""
    return window.first + timedelta(days=(calendar.config.retention.maximum_age_days or 0) + 1)


def _today(calendar: Calendar) -> date:
    return calendar.now.astimezone(calendar.config.zone).date()


def _order(window: Period) -> tuple[date, int, str]:
    return window.order
