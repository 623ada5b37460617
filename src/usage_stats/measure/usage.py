"""A day's events → its usage: one row per person, component and sub-component, and the networks beside it.

Belongs here: running the usage models, once under the week's pseudonyms, once renamed to the month's.
Does not: where events and usage lie on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from usage_stats.measure.conduct import excluded_persons
from usage_stats.measure.counting import count_networks, count_persons, place
from usage_stats.measure.table_spec import Cube
from usage_stats.periods import WindowKind
from usage_stats.robot_settings import RobotSettings, Rule
from usage_stats.sqlmodel import Database, run_model

__all__ = ["LARGE_DAY", "VISIT_GAP", "DayUsage", "Usage", "usage_of_day"]

# The customary pause that ends a visit, in log analysis since the 1990s and in the peers read.
VISIT_GAP = timedelta(minutes=30)
# Page views of a day from which on sorting arrays is clearly cheaper than the models: measured on two million, a view
# costs 1.0 µs of CPU instead of 2.2, conduct and pseudonyms included.
LARGE_DAY = 20_000


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
) -> DayUsage:
    """Count one day's page views per person and per network, totals included.

    Args:
        of: the day.
        page_views: all of it, in the shape of `schemas`.
        visitors: the same.
        cube: the categories; what it does not know is counted as `(other)`.
        robots: which conduct makes a visitor a robot, whose page views are left out.
        database: where to run the models.
    """
    conduct = excluded_persons(_dated(visitors, of), _dated(page_views, of), robots, database)
    excluded = conduct.excluded["person"]
    if len(page_views) >= LARGE_DAY:
        component_day, network_day = _counted(of, page_views, excluded, cube)
    else:
        component_day, network_day = _modelled(of, page_views, excluded, cube, database)
    visitor = {"event.visitor": visitors}
    person = run_model("event.person", visitor, database=database)
    network = run_model("event.network", visitor, database=database)
    return DayUsage(
        {
            "week": Usage(
                component_day=_named(component_day, "person", person, "person", add="identity_basis"),
                network_day=_named(network_day, "network", network, "network"),
            ),
            "month": Usage(
                component_day=_named(component_day, "person", person, "month_person", add="identity_basis"),
                network_day=_named(network_day, "network", network, "month_network"),
            ),
        },
        conduct.flagged,
    )


def _modelled(
    of: date, page_views: pa.Table, excluded: pa.ChunkedArray, cube: Cube, database: Database
) -> tuple[pa.Table, pa.Table]:
    """Usage by the SQL models, which define it."""
    inputs = {
        "event.page_view": page_views,
        "event.excluded": pa.table({"person": excluded}),
        "frame.category": cube.frame(),
    }
    parameters = {"visit_gap": VISIT_GAP, "event_date": of}

    def run(name: str, inputs: Mapping[str, Any]) -> pa.Table:
        return run_model(name, inputs, parameters=parameters, database=database)

    placed = {"event.placed": run("event.placed", inputs)}
    return run("usage.component_day", placed), run("usage.network_day", placed)


def _counted(
    of: date, page_views: pa.Table, excluded: pa.ChunkedArray, cube: Cube
) -> tuple[pa.Table, pa.Table]:
    """The same usage by sorting arrays."""
    kept = page_views.filter(pc.invert(pc.is_in(page_views["person"], excluded)))
    placed = place(kept, cube)
    persons = count_persons(of, kept, placed, cube.categories, VISIT_GAP)
    return persons, count_networks(of, kept, placed, cube.categories)


def _dated(events: pa.Table, of: date) -> pa.Table:
    return events.append_column("event_date", pa.repeat(pa.scalar(of, pa.date32()), len(events)))


def _named(usage: pa.Table, key: str, names: pa.Table, name: str, *, add: str | None = None) -> pa.Table:
    """Usage rows under another pseudonym, in its order; with what else is known of its bearer."""
    places = pc.index_in(usage[key], names[key])
    renamed = usage.set_column(usage.column_names.index(key), key, names[name].take(places))
    if add:
        renamed = renamed.append_column(add, names[add].take(places))
    return renamed.take(pc.sort_indices(renamed[key]))
