"""A first day, a number of days and a time zone → instants, local days and offsets.

Belongs here: the calendar of the sample, with the change to summer time inside it.
Does not: when people come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from usage_stats.synthetic.draw import Ints

__all__ = ["SECONDS_PER_DAY", "Span", "make_span"]

SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3_600
# Visits begun on the last evening run on past it; two days on either side are more than the longest.
MARGIN_HOURS = 48


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a sample: `midnights` are the starts of the local days and the end, epoch seconds."""

    first_day: date
    days: int
    midnights: Ints
    hour_offsets: Ints

    def offsets(self, at: Ints) -> Ints:
        """Seconds that local time is ahead of UTC at each instant (epoch seconds)."""
        hours = (at - self.midnights[0]) // SECONDS_PER_HOUR + MARGIN_HOURS
        found: Ints = self.hour_offsets[np.clip(hours, 0, len(self.hour_offsets) - 1)]
        return found

    def day_of(self, at: Ints) -> Ints:
        """Local day of each instant, 0 for the first; days outside the span are below 0 or too high."""
        epoch_day = self.first_day.toordinal() - date(1970, 1, 1).toordinal()
        return (at + self.offsets(at)) // SECONDS_PER_DAY - epoch_day

    def changes(self) -> Ints:
        """Instants inside the span at which the clocks change."""
        hours = np.flatnonzero(np.diff(self.hour_offsets)) + 1 - MARGIN_HOURS
        instants = self.midnights[0] + hours * SECONDS_PER_HOUR
        inside: Ints = instants[(instants >= self.midnights[0]) & (instants < self.midnights[-1])]
        return inside

    def dates(self) -> tuple[date, ...]:
        return tuple(self.first_day + timedelta(days=d) for d in range(self.days))


def make_span(first_day: date, days: int, zone: ZoneInfo) -> Span:
    """Lay out `days` local days; the zone's offsets must change on whole hours, as Europe's do."""
    every = (datetime.combine(first_day + timedelta(days=d), time(), zone) for d in range(days + 1))
    midnights = np.array([int(moment.timestamp()) for moment in every], dtype=np.int64)
    hours = (midnights[-1] - midnights[0]) // SECONDS_PER_HOUR + 2 * MARGIN_HOURS
    starts = midnights[0] + (np.arange(hours) - MARGIN_HOURS) * SECONDS_PER_HOUR
    offsets = [_offset(int(start), zone) for start in starts]
    return Span(first_day, days, midnights, np.array(offsets, dtype=np.int64))


def _offset(instant: int, zone: ZoneInfo) -> int:
    ahead = datetime.fromtimestamp(instant, zone).utcoffset()
    return int(ahead.total_seconds()) if ahead else 0
