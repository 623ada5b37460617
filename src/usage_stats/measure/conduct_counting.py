"""A large day's conduct → the rows of `event.conduct_day`, by sorting arrays.

The SQL model says what each rule means; this judges the same at a fraction of the cost
(tests/sql/test_conduct_model.py holds the two together).

Belongs here: whom each rule is true of. Does not: what is made of it.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from usage_stats.measure.arrays import Ints, Pseudonyms, numbered, runs, seconds
from usage_stats.robot_settings import RobotSettings

__all__ = ["judge_day"]

_MINUTES = 1500  # 25 hours, the longest day: no two minutes of a day leave the same rest


def judge_day(of: date, visitors: pa.Table, page_views: pa.Table, limits: RobotSettings) -> pa.Table:
    """The rows of `event.conduct_day`; everybody who views a page must be among the visitors.

    Args:
        of: the day.
        visitors: all of the day's, in the shape of `schemas`; a visitor may have several rows.
        page_views: the same day's.
        limits: how much is too much.
    """
    persons, counts = _added_up(visitors)
    requests, pages, errors = counts["requests"], counts["page_views"], counts["errors"]
    loads_assets = counts["assets"] > 0
    # Where assets come from elsewhere, or are not logged, nobody loads any: most readers of pages must.
    are_logged = np.count_nonzero(loads_assets & (pages > 0)) > np.count_nonzero(~loads_assets & (pages > 0))
    return pa.table(
        {
            "person": persons,
            "event_date": pa.repeat(pa.scalar(of, pa.date32()), len(persons)),
            "asks_for_robots_txt": counts["asks_robots_txt"] > 0,
            "without_assets": are_logged & ~loads_assets & (pages >= limits.without_assets_from),
            "rate": np.isin(persons, _hasty_readers(page_views, limits.maximum_rate)),
            "error_share": (requests >= limits.error_share_from)
            & (errors > limits.maximum_error_share * requests),
        }
    )


def _added_up(visitors: pa.Table) -> tuple[Pseudonyms, dict[str, Ints]]:
    """Every person once, in order, with all that they asked for."""
    person = visitors["person"].to_numpy()
    order = np.argsort(person)
    starts, _ = runs(person[order])
    counts = [field.name for field in visitors.schema if field.type == pa.int32()]
    added = {
        name: np.add.reduceat(visitors[name].to_numpy()[order], starts, dtype=np.int64) for name in counts
    }
    return person[order[starts]], added


def _hasty_readers(page_views: pa.Table, maximum_rate: int) -> Pseudonyms:
    """Who viewed more pages in one minute of the clock than a person can."""
    ordered = np.sort(page_views["person"].to_numpy())
    starts, views = runs(ordered)
    # Who viewed no more in all day than one minute may hold needs no second look: nearly everybody.
    candidates = pa.array(ordered[starts[views > maximum_rate]])
    views_of_candidates = page_views.filter(pc.is_in(page_views["person"], candidates))
    persons, person = numbered(views_of_candidates["person"].to_numpy())
    minute = seconds(views_of_candidates["viewed_at"]) // 60
    minutes = np.sort(person * _MINUTES + minute % _MINUTES)
    starts, views = runs(minutes)
    hasty: Pseudonyms = persons[np.unique(minutes[starts[views > maximum_rate]] // _MINUTES)]
    return hasty
