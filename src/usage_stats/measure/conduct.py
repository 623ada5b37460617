"""A day's conduct of each visitor → who behaves like a program, by which rule, and whom the figures leave out.

Belongs here: running the conduct model, and what the settings make of its flags. Does not: agents
(deidentify/robots.py), or removing anybody's events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from usage_stats.robot_settings import RobotSettings, Rule
from usage_stats.sqlmodel import Database, run_model

__all__ = ["CONDUCT", "RULES", "Conduct", "excluded_persons", "what_follows"]

RULES: tuple[Rule, ...] = get_args(Rule)
# What one batch of hits tells of a visitor's day: how many hits of each kind. A visitor may have several rows.
CONDUCT = pa.schema(
    [
        ("person", pa.uint64()),
        ("event_date", pa.date32()),
        ("requests", pa.int64()),
        ("page_views", pa.int64()),
        ("assets", pa.int64()),
        ("errors", pa.int64()),
        ("asks_robots_txt", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Conduct:
    """Whom the figures leave out, and how many visitors each rule flagged.

    `excluded`: person, event_date, one row per visitor and day of whom a rule set to `robot` is true; restricted.
    `flagged`: person-days per rule, whatever is made of them; one visitor may be flagged by several.
    """

    excluded: pa.Table
    flagged: Mapping[Rule, int]


def excluded_persons(
    conduct: Any, page_views: Any, settings: RobotSettings, database: Database | None = None
) -> Conduct:
    """Judge visitors by what they did in a day, under one window's pseudonyms.

    Args:
        conduct: rows of `CONDUCT` (a frame, or a list of Parquet paths), all that the days hold: whether
            assets are logged at all is judged by everybody's.
        page_views: person, event_date, viewed_at, one row per page view of the same days.
        settings: limits, and which rules exclude.
        database: where to run the model; by default in one of its own.
    """
    inputs = {"event.conduct": conduct, "event.page_view": page_views}
    flags = run_model("event.conduct_day", inputs, parameters=_limits(settings), database=database)
    return what_follows(flags, settings)


def what_follows(flags: pa.Table, settings: RobotSettings) -> Conduct:
    """What the settings make of whom each rule is true of."""
    robots = [flags[rule] for rule in RULES if getattr(settings.behaviour, rule) == "robot"]
    nobody = pa.chunked_array([pa.repeat(pa.scalar(value=False), flags.num_rows)])
    excluded = flags.filter(reduce(pc.or_, robots, nobody)).select(["person", "event_date"])
    return Conduct(excluded, {rule: pc.sum(flags[rule], min_count=0).as_py() for rule in RULES})


def _limits(settings: RobotSettings) -> dict[str, int | float]:
    return {
        "maximum_rate": settings.maximum_rate,
        "without_assets_from": settings.without_assets_from,
        "error_share_from": settings.error_share_from,
        "maximum_error_share": settings.maximum_error_share,
    }
