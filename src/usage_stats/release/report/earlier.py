"""The files a partner received before → what a page may compare with and draw a trend of.

A page rests on nothing but its own period's release and these files: no figure is in it that its reader was not given.

Belongs here: which earlier periods there are to show, and finding a figure in them. Does not: reading from disk (flow).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS
from usage_stats.periods import Period, PeriodKind, day, month, week

__all__ = [
    "REACH_BACK",
    "Earlier",
    "Row",
    "last_period",
    "only_whole",
    "periods_back",
    "read_earlier",
    "whole",
]

Value = str | int | float | None
Row = Mapping[str, Value]
# How many periods a trend shows with this one: five weeks of days, that weekdays can be seen; half a year; two years.
REACH_BACK: Mapping[PeriodKind, int] = {"day": 35, "week": 26, "month": 24}
_TEXTS = frozenset({*DIMENSIONS, "period", "status"})


class Earlier(NamedTuple):
    """The rows of a period of the same table and kind, as the partner received them."""

    period: Period
    rows: tuple[Row, ...]


def read_earlier(period: Period, content: bytes) -> Earlier:
    """The rows of a CSV file that was delivered."""
    lines = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    return Earlier(period, tuple({name: _value(name, text) for name, text in line.items()} for line in lines))


def _value(name: str, text: str) -> Value:
    if name in _TEXTS:
        return text
    if not text:
        return None
    return int(text) if text.isdecimal() else float(text)


def periods_back(period: Period) -> list[Period]:
    """The periods of the same kind that a trend spans: oldest first, this one last."""
    found = [period]
    while len(found) < REACH_BACK[period.kind]:
        found.append(last_period(found[-1]))
    return found[::-1]


def last_period(period: Period) -> Period:
    """The period of the same kind that ended when this one began."""
    return {"day": day, "week": week, "month": month}[period.kind](period.first - timedelta(1))


def whole(rows: Sequence[Row]) -> Row | None:
    """The row of the whole site, every dimension at its total."""
    return next((r for r in rows if all(r[name] == TOTAL for name in r if name in DIMENSIONS)), None)


def only_whole(earlier: Earlier | None) -> Earlier | None:
    """What a trend needs of a period: the row of the whole site."""
    row = whole(earlier.rows) if earlier else None
    return Earlier(earlier.period, (row,)) if earlier and row else None
