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

from usage_stats.measure.conduct import excluded_persons
from usage_stats.measure.table_spec import Cube
from usage_stats.periods import WindowKind
from usage_stats.robot_settings import RobotSettings, Rule
from usage_stats.sqlmodel import Database, run_model

__all__ = ["VISIT_GAP", "DayUsage", "Usage", "usage_of_day"]

# The customary pause that ends a visit, in log analysis since the 1990s and in the peers read.
VISIT_GAP = timedelta(minutes=30)


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
        of: the day. page_views, visitors: all that is kept of it, in the shapes of `schemas`.
        cube: the categories; what it does not know is counted as `(other)`.
        robots: which conduct makes a visitor a robot, whose page views are left out.
        database: where to run the models.
    """
    conduct = excluded_persons(_dated(visitors, of), _dated(page_views, of), robots, database)
    inputs = {
        "event.page_view": page_views,
        "event.excluded": conduct.excluded.select(["person"]),
        "frame.category": cube.frame(),
    }
    parameters = {"visit_gap": VISIT_GAP, "event_date": of}

    def run(name: str, inputs: Mapping[str, Any]) -> pa.Table:
        return run_model(name, inputs, parameters=parameters, database=database)

    placed = {"event.placed": run("event.placed", inputs)}
    visitor = {"event.visitor": visitors}
    component_day, network_day = run("usage.component_day", placed), run("usage.network_day", placed)
    person, network = run("event.person", visitor), run("event.network", visitor)
    component_day = component_day.join(person, "person")
    network_day = network_day.join(network, "network")
    week = Usage(_ordered(component_day, "person"), _ordered(network_day, "network"))
    month = Usage(_renamed(component_day, "person"), _renamed(network_day, "network"))
    return DayUsage({"week": week, "month": month}, conduct.flagged)


def _dated(events: pa.Table, of: date) -> pa.Table:
    return events.append_column("event_date", pa.repeat(pa.scalar(of, pa.date32()), len(events)))


def _ordered(table: pa.Table, key: str) -> pa.Table:
    """Without the month's pseudonyms, by the week's."""
    return table.drop_columns(f"month_{key}").sort_by(key)


def _renamed(table: pa.Table, key: str) -> pa.Table:
    """Without the week's pseudonyms, by the month's under their name."""
    month = table.column(f"month_{key}")
    place = table.column_names.index(key)
    return table.set_column(place, key, month).drop_columns(f"month_{key}").sort_by(key)
