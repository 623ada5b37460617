"""A workspace and the time → the state of every period, and what is due next."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from usage_stats.flow.calendar import Calendar, calendar_of
from usage_stats.flow.editions import Editions
from usage_stats.flow.expire import expiring
from usage_stats.flow.hold import unfinished_changes
from usage_stats.flow.refusals import Refusals
from usage_stats.flow.released import finished_periods, released_periods
from usage_stats.flow.workspace import Workspace
from usage_stats.measure.table_spec import cube_of
from usage_stats.periods import Period, day, periods_of, window_of

__all__ = ["incomplete_periods", "status_of"]


def status_of(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """Return `periods` (period, kind, state, …), `unfinished`, `lines`, `expiring`, `next`; only counts."""
    calendar = calendar_of(workspace, now)
    released, refusals = released_periods(workspace), Refusals(workspace)
    decided = {p: "released" if p in released else "refused" for p in finished_periods(workspace)}
    expired = {window.code for window in workspace.expired()}
    kinds = cube_of(workspace.config).periods
    rows = {
        p: {**_row(calendar, p, decided.get(p)), "refused_uses": {r.use: str(r) for r in refusals.of(p)}}
        for p in periods_of(calendar.known_days, kinds)
    }
    for period, changes in Editions(workspace).changes().items():
        rows.setdefault(period, _row(calendar, period, decided.get(period)) | {"refused_uses": {}})
        rows[period]["changes"] = changes
    for period, row in rows.items():
        if period not in decided and window_of(period).code in expired:
            row["state"] = "expired"  # it waited longer than the maximum age: it is never released
    return {
        "site": workspace.config.site,
        "lines": _lines(workspace),
        "periods": list(rows.values()),
        "unfinished": [left._asdict() for left in unfinished_changes(workspace)],
        "expiring": [{"period": e.period.code, "on": e.on.isoformat()} for e in expiring(calendar)],
        "next": _next(calendar),
    }


def incomplete_periods(workspace: Workspace, now: datetime) -> list[str]:
    """The periods that are over and wait for days without log lines."""
    return [row["period"] for row in status_of(workspace, now)["periods"] if row["state"] == "incomplete"]


def _row(calendar: Calendar, period: Period, decided: str | None) -> dict[str, Any]:
    first = calendar.config.first_day or period.first
    missing = [
        d
        for d in period.days
        if d >= first
        and d not in calendar.sealed
        and calendar.is_over(day(d))
        and not calendar.has_all_lines(d)
    ]
    state = decided or _state(calendar, period, gap=bool(missing))
    return {"period": period.code, "kind": period.kind, "state": state, "days_missing": len(missing)}


def _state(calendar: Calendar, period: Period, *, gap: bool) -> str:
    if not calendar.is_over(period):
        return "open"
    if calendar.config.first_day and period.first < calendar.config.first_day:
        return "partial"  # it began before the first day that is measured: it is never released
    if calendar.is_mixed(period):
        return "mixed"  # the rules for components changed within it: it is never released
    return "incomplete" if gap else "sealed"


def _lines(workspace: Workspace) -> dict[str, Any]:
    entries = workspace.ingested.entries()
    rejected: Counter[str] = Counter()
    for entry in entries:  # a count below zero takes back one of before, which adding Counters would forget
        rejected.update(entry["rejected"])
    outcomes = sum((Counter(e["outcomes"]) for e in entries), Counter[str]())
    return {
        "lines": sum(e["lines"] for e in entries),
        "parsed": sum(e["parsed"] for e in entries),
        "rejected": {reason: n for reason, n in sorted(rejected.items()) if n},
        "outcomes": dict(sorted(outcomes.items())),
        "late": outcomes["late"],
    }


def _next(calendar: Calendar) -> str:
    days = [d for d in calendar.known_days if d not in calendar.sealed and calendar.gate(d) is None]
    if not days:
        return "every day read so far is sealed: put new logs in place and run again"
    over = [d for d in days if calendar.has_all_lines(d)]
    if not over:
        return f"{days[0]} waits for lines of every source"
    return f"{over[0]} is sealed by the first run after {calendar.config.seal_after_days} days of grace"
