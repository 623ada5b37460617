"""A period, and what the usage rows of its days tell → the cube of its cells, its bins folded.

Belongs here: which of the configured breakdowns a period can show. Does not: counting or protecting its cells.
"""

from __future__ import annotations

from usage_stats.config import TOTAL, Thresholds
from usage_stats.dimensions import DIMENSIONS, bin_code
from usage_stats.flow.calendar import Calendar
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.cube import Cube
from usage_stats.measure.folding import fold, folded
from usage_stats.measure.relations import CellKey
from usage_stats.measure.table_spec import (
    Breakdown,
    breakdowns_of,
    codes_of,
    cube_of,
    further_categories,
)
from usage_stats.periods import Period
from usage_stats.protect.primary import is_enough, rules_of

__all__ = ["cube_of_period"]


def cube_of_period(calendar: Calendar, period: Period, crowd: Crowd) -> Cube:
    """The cells that a period shows: all components, and what tables of its kind break down further.

    A breakdown that was asked for only after some of its days were sealed is left out, and begins with a later period.
    """
    config = calendar.config
    base, codes = cube_of(config), codes_of(config)
    told = calendar.told_throughout(period)
    shown = [
        breakdown
        for breakdown in breakdowns_of(config, period.kind)
        if breakdown.is_told_by(told, codes) and _has_what_was_before(calendar, period, breakdown)
    ]
    plain = Cube(base.parts_of, base.periods)
    cube = Cube(base.parts_of, base.periods, further_categories(plain, shown, codes))
    bins = sorted({name for b in shown for name in b.dimensions if DIMENSIONS[name].bins})
    return folded(
        cube, {name: _folded_codes(name, period, crowd, config.strictest_thresholds) for name in bins}
    )


def _has_what_was_before(calendar: Calendar, period: Period, breakdown: Breakdown) -> bool:
    """Who is new on a day is known only if the days of the week before it are sealed."""
    return "visitor_type" not in breakdown.dimensions or calendar.knows_the_window_before(period.first)


def _folded_codes(name: str, period: Period, crowd: Crowd, thresholds: Thresholds) -> tuple[str, ...]:
    rules = rules_of(thresholds)

    def is_safe(low: int, high: int) -> bool:
        by = f"{name}={bin_code(name, low, high)}"
        persons, networks = crowd.behind([CellKey(period.code, TOTAL, TOTAL, by)])
        return is_enough(persons, networks, rules)

    return fold(name, is_safe)
