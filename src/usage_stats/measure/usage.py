"""A day's events → its usage: one row per person, component and sub-component, and the networks beside it.

Belongs here: running the usage models. Does not: where events and usage lie on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from usage_stats.measure.table_spec import Cube
from usage_stats.sqlmodel import Database, run_model

__all__ = ["VISIT_GAP", "Usage", "usage_of_day"]

# The customary pause that ends a visit, in log analysis since the 1990s and in the peers read.
VISIT_GAP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Usage:
    """Rows of `usage.component_day` and `usage.network_day` (sql/usage), under one window's pseudonyms."""

    component_day: pa.Table
    network_day: pa.Table


def usage_of_day(page_views: Any, cube: Cube, *, database: Database | None = None) -> Usage:
    """Count one day's page views per person and per network, totals included.

    Args:
        page_views: events of one day and one window kind (a frame, or a list of Parquet paths).
        cube: the categories; what it does not know is counted as `(other)`.
        database: where to run the models; by default in one of their own.
    """
    inputs = {"event.page_view": page_views, "frame.category": cube.frame()}
    placed = {"event.placed": run_model("event.placed", inputs, database=database)}
    gap = {"visit_gap": VISIT_GAP}
    return Usage(
        component_day=run_model("usage.component_day", placed, parameters=gap, database=database),
        network_day=run_model("usage.network_day", placed, database=database),
    )
