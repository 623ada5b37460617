"""Hits → page-view events without identifiers, and a count of what became of every other hit.

Belongs here: what is kept of a hit, gathered until it is written. Does not: how a hit is judged (outcome), who the
visitor is (visitors), files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from usage_stats.accesslog.columns import Columns
from usage_stats.accesslog.lines import Int64
from usage_stats.deidentify.attributes import Attributes, Codes
from usage_stats.deidentify.open_events import OpenEvents
from usage_stats.deidentify.outcome import OUTCOMES, Judge, Judged
from usage_stats.deidentify.visitors import BASES, Visitors
from usage_stats.schemas import EMAIL_OPENS, VISITORS, page_views_with

__all__ = ["DayEvents", "DayGate", "Stripped", "Stripper"]

DayGate = Callable[[date], str | None]  # a day → None if it takes events, else why not: late, future …

# A day changes at a quarter of an hour in every time zone in use, so a quarter's first second decides.
_QUARTER = 900
_LAST_SECOND = 253_370_764_799  # the end of the year 9998: later ones have no local date in every zone


@dataclass(frozen=True, slots=True)
class DayEvents:
    """What is kept of one day: `page_views`, `visitors` and `email_opens`, in the shapes of `schemas`."""

    day: date
    page_views: pa.Table
    visitors: pa.Table
    email_opens: pa.Table


@dataclass(frozen=True, slots=True)
class Stripped:
    """What became of some hits: `outcomes` counts every hit once, `lines_by_day` those of open days per local day.

    A line dated 2099 opens no day.
    """

    days: tuple[DayEvents, ...]
    outcomes: Counter[str]
    lines_by_day: Counter[date]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Hits of people, some of which are page views: visitor's number, time, class of path, and flags; and a row each
    of codes of attributes, which mean something for page views only.
    """

    visitor: Int64
    at: Int64
    path_class: np.ndarray
    is_page_view: np.ndarray
    is_asset: np.ndarray
    is_error: np.ndarray
    asks_robots_txt: np.ndarray
    attributes: Codes


class Stripper:
    """Turns hits into events; keeps verdicts and pseudonyms in memory only, and forgets them with itself."""

    def __init__(
        self,
        judge: Judge,
        visitors: Visitors,
        gate: DayGate,
        *,
        zone: ZoneInfo,
        opens: OpenEvents | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        self._judge = judge
        self._attributes = attributes if attributes and attributes.names else None
        self._schema = page_views_with(attributes.names if attributes else ())
        self._visitors = visitors
        self._opens = opens
        self._gate = gate
        self._zone = zone
        self._day_of_quarter: dict[int, int] = {}
        self._closed_as: dict[int, int] = {}
        self._begin()

    def _begin(self) -> None:
        self._kept: list[_Kept] = []
        self._outcomes = np.zeros(len(OUTCOMES), np.int64)
        self._lines_by_day: Counter[date] = Counter()

    def take(self, columns: Columns) -> None:
        """Judge each hit: counted under its outcome, and kept in part if it is a person's."""
        if not len(columns):
            return
        days = self._days(columns.at)
        closed = _by_distinct(days, self._closed)
        judged = self._judge.judge(columns, closed)
        self._outcomes += np.bincount(judged.outcome, minlength=len(OUTCOMES))
        for day, lines in zip(*np.unique(days[closed < 0], return_counts=True), strict=True):
            self._lines_by_day[date.fromordinal(int(day))] += int(lines)
        self._kept.append(self._keep(columns, judged, days))
        if self._opens is not None:
            rows = np.flatnonzero(judged.is_email_open)
            self._opens.take(columns, rows, days[rows])

    def __len__(self) -> int:
        """How many hits are waiting."""
        return sum(len(kept.at) for kept in self._kept) + (0 if self._opens is None else len(self._opens))

    def drain(self) -> Stripped:
        """Hand over what is waiting, and start anew; verdicts on distinct values are kept."""
        outcomes = Counter({name: n for name, n in zip(OUTCOMES, self._outcomes.tolist(), strict=True) if n})
        stripped = Stripped(tuple(self._day_events()), outcomes, self._lines_by_day)
        self._begin()
        if self._visitors.is_full:
            self._visitors.forget()
        return stripped

    def _keep(self, columns: Columns, judged: Judged, days: np.ndarray) -> _Kept:
        rows = np.flatnonzero(judged.is_persons)
        visitor = self._visitors.number(columns, rows, days[rows])
        is_kept = ~self._visitors.are_left_out(visitor)
        rows, visitor = rows[is_kept], visitor[is_kept]
        is_page_view = judged.is_page_view[rows]
        return _Kept(
            visitor=visitor,
            at=columns.at[rows],
            path_class=judged.path_class[rows],
            is_page_view=is_page_view,
            is_asset=judged.is_asset[rows],
            is_error=columns.status[rows]
            >= 400,  # RFC 9110, section 15: the client's and the server's errors
            asks_robots_txt=judged.asks_robots_txt[rows],
            attributes=self._attribute_codes(columns, rows, is_page_view),
        )

    def _attribute_codes(self, columns: Columns, rows: Int64, is_page_view: np.ndarray) -> Codes:
        if self._attributes is None:
            return np.empty((len(rows), 0), np.int16)
        codes = np.zeros((len(rows), len(self._attributes.names)), np.int16)
        codes[is_page_view] = self._attributes.of(columns, rows[is_page_view])
        return codes

    def _day_events(self) -> Iterator[DayEvents]:
        opens = {} if self._opens is None else self._opens.drain()
        for day, (page_views, visitors) in self._days_of_visitors().items():
            yield DayEvents(
                date.fromordinal(day), page_views, visitors, opens.pop(day, EMAIL_OPENS.empty_table())
            )
        for day, email_opens in sorted(opens.items()):
            nobody = self._schema.empty_table(), VISITORS.empty_table()
            yield DayEvents(date.fromordinal(day), *nobody, email_opens)

    def _days_of_visitors(self) -> dict[int, tuple[pa.Table, pa.Table]]:
        """Page views and visitors by the day."""
        if not any(len(kept.at) for kept in self._kept):
            return {}
        kept = _Kept(*(np.concatenate([getattr(k, name) for k in self._kept]) for name in _Kept.__slots__))
        numbers = np.flatnonzero(np.bincount(kept.visitor))
        visitors = self._visitor_days(kept, numbers)
        days, view_days = self._visitors.day[numbers], self._visitors.day[kept.visitor]
        found = {}
        for day in np.unique(days).tolist():
            rows = np.flatnonzero(kept.is_page_view & (view_days == day))
            of_day = visitors.take(np.flatnonzero(days == day))
            found[day] = self._page_views(kept, rows), of_day
        return found

    def _page_views(self, kept: _Kept, rows: Int64) -> pa.Table:
        person, network, _, _ = self._visitors.pseudonyms(kept.visitor[rows])
        names = [(c.component, c.sub_component) if c else (None, None) for c in self._judge.classes]
        columns = {
            "viewed_at": pa.array(kept.at[rows], pa.timestamp("s", "UTC")),
            "person": person,
            "network": network,
            "component": _category(kept.path_class[rows], [component for component, _ in names]),
            "sub_component": _category(kept.path_class[rows], [sub for _, sub in names]),
        }
        for place, (name, codes) in enumerate(self._attributes.codes.items() if self._attributes else ()):
            columns[name] = _category(kept.attributes[rows, place], list(codes))
        return pa.table(columns, schema=self._schema)

    def _visitor_days(self, kept: _Kept, numbers: Int64) -> pa.Table:
        flags = (kept.is_page_view, kept.is_asset, kept.is_error, kept.asks_robots_txt)
        counts = [np.bincount(kept.visitor)[numbers]]
        counts += [np.bincount(kept.visitor, weights=flag)[numbers] for flag in flags]
        basis = pa.DictionaryArray.from_arrays(
            pa.array(self._visitors.basis[numbers], pa.int32()), list(BASES)
        )
        columns = (
            *self._visitors.pseudonyms(numbers),
            basis,
            *(pa.array(c.astype(np.int32)) for c in counts),
        )
        return pa.table(dict(zip(VISITORS.names, columns, strict=True)), schema=VISITORS)

    def _days(self, at: Int64) -> np.ndarray:
        """The local day of each second, as a proleptic ordinal."""
        return _by_distinct(np.clip(at, 0, _LAST_SECOND) // _QUARTER, self._day)

    def _day(self, quarter: int) -> int:
        known = self._day_of_quarter.get(quarter)
        if known is None:
            local = datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(self._zone)
            known = self._day_of_quarter[quarter] = local.toordinal()
        return known

    def _closed(self, day: int) -> int:
        """The outcome of a day's hits if it takes no events, else -1."""
        if day not in self._closed_as:
            reason = self._gate(date.fromordinal(day))
            self._closed_as[day] = -1 if reason is None else OUTCOMES.index(reason)
        return self._closed_as[day]


def _by_distinct(values: np.ndarray, of: Callable[[int], int]) -> np.ndarray:
    """A function's result for each value, computed once per distinct one."""
    first, span = int(values.min()), int(values.max() - values.min()) + 1
    if span > len(values):  # far apart: a table over the span would be larger than the values
        distinct, places = np.unique(values, return_inverse=True)
        return np.array([of(value) for value in distinct.tolist()], np.int64)[places].ravel()
    offsets = values - first
    table = np.zeros(span, np.int64)
    for offset in np.flatnonzero(np.bincount(offsets)).tolist():
        table[offset] = of(first + offset)
    found: np.ndarray = table[offsets]
    return found


def _category(codes: np.ndarray, names: list[str | None]) -> pa.Array:
    """Names by their codes, as Arrow's dictionary of distinct ones; null where there is no name."""
    distinct = sorted({name for name in names if name is not None})
    places = pa.array([distinct.index(name) if name is not None else None for name in names], pa.int32())
    return pa.DictionaryArray.from_arrays(places.take(pa.array(codes)), pa.array(distinct, pa.string()))
