"""Ledgers and the time → which days take events, which are due for sealing, which windows are closed.

Belongs here: the states of days and windows. Does not: acting on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from usage_stats.config import Config
from usage_stats.flow.classification import are_mixed
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period, day, month, week

__all__ = ["Calendar", "calendar_of"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is known of the days at one moment.

    Attributes:
        config: the workspace's settings.
        now: the moment.
        lines: for each source, the days on which it has at least one line.
        sealed: the sealed days, with whether they held no line (an accepted gap).
        rules: under which categories each sealed day was counted, and by what its events were told apart.
        closed: the codes of windows whose key is destroyed.
        tells: what the usage rows of each sealed day tell beyond components.
    """

    config: Config
    now: datetime
    lines: dict[str, frozenset[date]]
    sealed: dict[date, bool]
    rules: dict[date, str]
    closed: frozenset[str]
    tells: dict[date, frozenset[str]] = field(default_factory=dict)

    def told_throughout(self, period: Period) -> frozenset[str]:
        """What the usage rows of every sealed day of a period tell beyond components (`table_spec.stored_codes`)."""
        days = [d for d in period.days if not self.sealed.get(d, True)]
        return (
            frozenset.intersection(*(self.tells.get(d, frozenset()) for d in days)) if days else frozenset()
        )

    def knows_the_window_before(self, of: date) -> bool:
        """Whether every day of the week before this one that counts is sealed: an older log may still come."""
        first = max(self.config.first_day or week(of).first, week(of).first)
        return all(first + timedelta(n) in self.sealed for n in range((of - first).days))

    def gate(self, of: date) -> str | None:
        """Why a day takes no events any more or not yet; None if it does."""
        if self.config.first_day and of < self.config.first_day:
            return "before_first_day"
        if of > self.now.astimezone(self.config.zone).date() + timedelta(1):  # a clock may run a little ahead
            return "in_the_future"
        windows = {week(of).code, month(of).code}
        return "late" if of in self.sealed or windows & self.closed else None

    def is_over(self, period: Period) -> bool:
        """Whether the period ended, and the grace time for late logs too."""
        grace = timedelta(days=self.config.seal_after_days)
        return self.now >= period.ends_at(self.config.zone) + grace

    def has_all_lines(self, of: date) -> bool:
        """Whether every source has lines of the day; a source is expected from its first line on."""
        known = [days for days in self.lines.values() if days]
        return any(of in days for days in known) and all(of in days or of < min(days) for days in known)

    @property
    def known_days(self) -> list[date]:
        """Every day that some source has lines of, and every sealed one, in order."""
        return sorted(set(self.sealed).union(*self.lines.values()))

    def due_days(self) -> list[date]:
        """Open days that may be sealed now: over, and without a gap or with gaps accepted."""
        candidates = _span(self.known_days) if self.config.gaps == "accept" else self.known_days
        return [
            d
            for d in candidates
            if d not in self.sealed
            and self.gate(d) is None
            and self.is_over(day(d))
            and (self.config.gaps == "accept" or self.has_all_lines(d))
        ]

    def is_ready(self, period: Period) -> bool:
        """Whether the figures may be made: the period is over, and its days are sealed or gaps accepted."""
        if self.is_mixed(period):
            return False
        missing = [d for d in period.days if d not in self.sealed]
        if not missing:
            return True
        started = not self.config.first_day or period.first >= self.config.first_day
        some = len(missing) < len(period.days)
        return some and started and self._is_gap_accepted(missing) and self.is_over(period)

    def _is_gap_accepted(self, missing: list[date]) -> bool:
        """Whether unsealed days may count as empty: none has lines, and the operator said so."""
        return self.config.gaps == "accept" and not any(self._has_lines(d) for d in missing)

    def _has_lines(self, of: date) -> bool:
        return any(of in days for days in self.lines.values())

    def is_mixed(self, period: Period) -> bool:
        """Whether what is told apart, or by what, changed within the period: its figures would mean two things."""
        return are_mixed(self.rules[d] for d in period.days if d in self.rules and not self.sealed[d])

    def is_finished(self, window: Period) -> bool:
        """Whether nothing more can come of a window: every day of it that counts is sealed."""
        first = self.config.first_day or window.first
        awaited = [d for d in window.days if d >= first and d not in self.sealed]
        return self.is_over(window) and (not awaited or self._is_gap_accepted(awaited))

    def empty_days(self, period: Period) -> tuple[date, ...]:
        """The period's days without any line, accepted as gaps."""
        return tuple(d for d in period.days if self.sealed.get(d, True))


def _span(days: list[date]) -> Iterable[date]:
    if not days:
        return []
    return [days[0] + timedelta(n) for n in range((days[-1] - days[0]).days + 1)]


def calendar_of(workspace: Workspace, now: datetime) -> Calendar:
    """Read the ledgers."""
    lines: dict[str, set[date]] = {source.name: set() for source in workspace.config.sources}
    for entry in workspace.ingested.entries():
        if entry["source"] in lines:  # a source that is configured no longer is waited for no longer
            lines[entry["source"]].update(map(date.fromisoformat, entry["lines_by_day"]))
    sealed = workspace.sealed.entries()
    return Calendar(
        config=workspace.config,
        now=now,
        lines={name: frozenset(days) for name, days in lines.items()},
        sealed={date.fromisoformat(e["day"]): e["empty"] for e in sealed},
        rules={date.fromisoformat(e["day"]): e["rules"] for e in sealed},
        closed=workspace.keys.destroyed(),
        tells={date.fromisoformat(e["day"]): frozenset(e.get("tells", ())) for e in sealed},
    )
