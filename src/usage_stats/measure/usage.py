"""A day's events → its usage: one row per person, component and sub-component, and the networks beside it.

Belongs here: running the usage models, once under the week's pseudonyms, once renamed to the month's.
Does not: where events and usage lie on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from usage_stats.errors import InternalError
from usage_stats.measure.arrays import Ints, Pseudonyms, runs, sorted_words, words
from usage_stats.measure.conduct import excluded_persons, what_follows
from usage_stats.measure.conduct_counting import judge_day
from usage_stats.measure.counting import NETWORK_BUCKETS, Buckets, count_by_arrays, count_by_models
from usage_stats.measure.cube import Cube
from usage_stats.measure.visited import visited_by_arrays, visited_by_model
from usage_stats.periods import WindowKind
from usage_stats.robot_settings import RobotSettings, Rule
from usage_stats.sqlmodel import Database

__all__ = ["LARGE_DAY", "DayUsage", "Usage", "usage_of_day"]

# Page views of a day from which on arrays are sorted: measured on days of 20,000 to 288,000, a view costs 0.3 µs of CPU
# instead of 2.1 to 3.3, conduct and pseudonyms included. Below, the models cost less than a tenth of a second.
LARGE_DAY = 20_000
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Usage:
    """Rows of `usage.component_day` and `usage.network_day` (sql/usage), under one window's pseudonyms, in their
    order: nothing of one window's rows tells which rows of another they are.
    """

    component_day: pa.Table
    network_day: pa.Table


@dataclass(frozen=True, slots=True)
class DayUsage:
    """A day's usage by kind of window; `flagged`: how many visitors each rule of conduct is true of."""

    by_window: Mapping[WindowKind, Usage]
    flagged: Mapping[Rule, int]


def usage_of_day(
    of: date,
    page_views: pa.Table,
    visitors: pa.Table,
    cube: Cube,
    robots: RobotSettings,
    *,
    database: Database,
    zone: ZoneInfo = _UTC,
    with_buckets: bool = False,
) -> DayUsage:
    """Count one day's page views per person and per network, totals included.

    Args:
        of: the day.
        page_views: all of it, in the shape of `schemas`.
        visitors: the same.
        cube: the categories; what it does not know is counted as `(other)`.
        robots: which conduct makes a visitor a robot, whose page views are left out.
        database: where to run the models.
        zone: the reporting time zone, which says what hour it is.
        with_buckets: whether a table asks for networks of persons, not of categories.
    """
    if len(page_views) >= LARGE_DAY:
        conduct = what_follows(judge_day(of, visitors, page_views, robots), robots)
        visited = visited_by_arrays(page_views, conduct.excluded["person"], cube, zone)
        count = count_by_arrays
    else:
        conduct = excluded_persons(_dated(visitors, of), _dated(page_views, of), robots, database)
        visited = visited_by_model(page_views, conduct.excluded["person"], cube, zone, database)
        count = partial(count_by_models, database=database)
    buckets = _buckets(visited.network, visitors, with_buckets)
    component_day, network_day = count(of, visited, cube, buckets=buckets)
    persons = _named(component_day, "person", visitors, add="identity_basis")
    networks = _named(network_day, "network", visitors)
    by_window = {kind: Usage(persons[kind], networks[kind]) for kind in persons}
    return DayUsage(by_window, conduct.flagged)


def _buckets(
    networks: Pseudonyms,
    visitors: pa.Table,
    with_buckets: bool,  # noqa: FBT001 what a table asks for
) -> dict[WindowKind, Buckets]:
    """The bucket of each page view's network, by the pseudonyms of each window; all alike where nobody asks."""
    if not with_buckets:
        return dict.fromkeys(("week", "month"), np.zeros(len(networks), np.uint16))
    month = visitors["month_network"].to_numpy()[_rows_of(networks, visitors["network"].to_numpy())]
    most = np.uint64(NETWORK_BUCKETS)
    return {"week": (networks % most).astype(np.uint16), "month": (month % most).astype(np.uint16)}


def _dated(events: pa.Table, of: date) -> pa.Table:
    return events.append_column("event_date", pa.repeat(pa.scalar(of, pa.date32()), len(events)))


def _named(
    usage: pa.Table, key: str, visitors: pa.Table, *, add: str | None = None
) -> dict[WindowKind, pa.Table]:
    """Usage rows under the pseudonyms of each window, and in their order; with what else is known of their bearers.

    This is the only place where week and month meet; what is made of it never holds both.

    Args:
        usage: rows in order of the week's pseudonyms.
        key: their column.
        visitors: each bearer's pseudonyms of both windows; a bearer may have several rows, which agree.
        add: a column of `visitors`.
    """
    week = usage[key].to_numpy()
    starts, lengths = runs(week)
    bearers = _rows_of(week[starts], visitors[key].to_numpy())
    if add:
        usage = usage.append_column(add, sorted_words(words(visitors[add])).take(np.repeat(bearers, lengths)))
    month = visitors[f"month_{key}"].to_numpy()[bearers]
    order = np.argsort(month)  # bearers change places, with all of their rows
    lengths = lengths[order]
    moved = np.repeat(starts[order] - (np.cumsum(lengths) - lengths), lengths)
    renamed = usage.take(np.arange(len(week)) + moved)
    place = usage.column_names.index(key)
    renamed = renamed.set_column(place, key, pa.array(np.repeat(month[order], lengths)))
    return {"week": _with_own_bucket(usage, "week"), "month": _with_own_bucket(renamed, "month")}


def _with_own_bucket(usage: pa.Table, window: WindowKind) -> pa.Table:
    """Rows with the bucket of their own window, which is the `network_bucket` from now on."""
    if f"{window}_bucket" not in usage.column_names:
        return usage
    other = {"week": "month_bucket", "month": "week_bucket"}[window]
    kept = usage.drop_columns([other])
    return kept.rename_columns(
        ["network_bucket" if name == f"{window}_bucket" else name for name in kept.column_names]
    )


def _rows_of(bearers: Pseudonyms, visitors: Pseudonyms) -> Ints:
    """For each bearer a row that is theirs."""
    order = np.argsort(visitors)
    rows = order[np.searchsorted(visitors[order], bearers, side="right") - 1] if len(visitors) else order
    if not np.array_equal(visitors[rows], bearers):
        raise InternalError("page views of somebody who is no visitor: this is a bug")
    return rows
