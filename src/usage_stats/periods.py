"""Dates → the day, ISO week and month they belong to, as values with a first and a last day.

Belongs here: calendar arithmetic in the reporting time zone. Does not: the clock; callers pass the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from usage_stats.errors import InternalError

__all__ = [
    "WINDOW_OF",
    "Period",
    "PeriodKind",
    "WindowKind",
    "day",
    "month",
    "parse_period",
    "periods_of",
    "week",
    "window_of",
]

PeriodKind = Literal["day", "week", "month"]
WindowKind = Literal["week", "month"]

# Under whose key a period's visitors are told apart: a day has none of its own (it borrows the week's).
WINDOW_OF: dict[PeriodKind, WindowKind] = {"day": "week", "week": "week", "month": "month"}
_RANK: dict[PeriodKind, int] = {"day": 0, "week": 1, "month": 2}


@dataclass(frozen=True, slots=True)
class Period:
    """A day, an ISO week or a month: its code as published, and the days it spans (both inclusive)."""

    kind: PeriodKind
    code: str
    first: date
    last: date

    @property
    def days(self) -> tuple[date, ...]:
        """Every day of the period, in order."""
        return tuple(self.first + timedelta(n) for n in range((self.last - self.first).days + 1))

    @property
    def order(self) -> tuple[date, int, str]:
        """Sorts periods by when they end, parts before wholes."""
        return (self.last, _RANK[self.kind], self.code)

    def covers(self, other: Period) -> bool:
        """Whether every day of the other period is a day of this one."""
        return self.first <= other.first and other.last <= self.last

    def ends_at(self, zone: ZoneInfo) -> datetime:
        """The instant the period is over: the midnight after its last day, in the reporting zone."""
        return datetime.combine(self.last + timedelta(1), time(), zone)


def day(of: date) -> Period:
    """The day itself; coded `2026-11-21`."""
    return Period("day", of.isoformat(), of, of)


def week(of: date) -> Period:
    """The ISO 8601 week (Monday to Sunday) a day lies in; coded `2026-W47`."""
    year, number, weekday = of.isocalendar()
    monday = of - timedelta(weekday - 1)
    return Period("week", f"{year}-W{number:02}", monday, monday + timedelta(6))


def month(of: date) -> Period:
    """The calendar month a day lies in; coded `2026-11`."""
    first = of.replace(day=1)
    following = (first + timedelta(31)).replace(day=1)
    return Period("month", f"{first:%Y-%m}", first, following - timedelta(1))


def window_of(period: Period) -> Period:
    """The week or month under whose key a period's visitors are told apart."""
    return {"week": week, "month": month}[WINDOW_OF[period.kind]](period.first)


_MAKERS = {"day": day, "week": week, "month": month}


def periods_of(days: Iterable[date], kinds: Iterable[PeriodKind]) -> list[Period]:
    """All periods of the given kinds that touch any of the days, in publishing order."""
    spans = {_MAKERS[kind](d) for d in set(days) for kind in kinds}
    return sorted(spans, key=lambda p: p.order)


@lru_cache(maxsize=4096)  # ten years of periods: the same few are asked for again and again
def parse_period(code: str) -> Period:
    """Turn a published code back into its period.

    Raises:
        InternalError: the code is none of ours.
    """
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", code, re.ASCII):
            return day(date.fromisoformat(code))
        if re.fullmatch(r"\d{4}-W\d\d", code, re.ASCII):
            return week(date.fromisocalendar(int(code[:4]), int(code[6:]), 1))
        if re.fullmatch(r"\d{4}-\d\d", code, re.ASCII):
            return month(date.fromisoformat(f"{code}-01"))
    except ValueError:
        pass  # the right shape, but no day of the calendar
    raise InternalError(f"{code!r} is no period code: this is a bug")
