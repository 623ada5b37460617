"""The medians of all runs → each goal, what was measured, and whether it is met.

Belongs here: the goals, as ratios wherever a machine's speed would decide otherwise. Does not: measuring.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["GOALS", "Figures", "Goal", "judged"]


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds of one contender on one case."""

    lines: int
    cpu_s: float
    wall_s: float
    peak_bytes: int


# (case, contender) → its figures.
Results = Mapping[tuple[str, str], Figures]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: the figure is at most the limit."""

    text: str
    limit: float
    measure: Callable[[Results], float]  # raises KeyError where something of it was not measured


def _over(case: str, contender: str) -> Callable[[Results], float]:
    return lambda results: results[case, "usage-stats"].cpu_s / results[case, contender].cpu_s


def _per_line(case: str, other: str) -> Callable[[Results], float]:
    def ratio(results: Results) -> float:
        ours, base = results[case, "usage-stats"], results[other, "usage-stats"]
        return (ours.cpu_s / ours.lines) / (base.cpu_s / base.lines)

    return ratio


GOALS = (
    Goal("plain: CPU of GoAccess", 0.085, _over("plain", "goaccess")),
    Goal("plain: CPU of chdb, the same job", 0.45, _over("plain", "chdb")),
    Goal("long: CPU of chdb, the same job", 0.25, _over("long", "chdb")),
    Goal("hard: CPU of chdb, the same job", 1.0, _over("hard", "chdb")),
    Goal("gz: CPU of plain", 1.25, _per_line("gz", "plain")),
    Goal("long: peak memory, GB", 0.8, lambda r: r["long", "usage-stats"].peak_bytes / 1e9),
    Goal("long: CPU per line of plain", 1.0, _per_line("long", "plain")),
    Goal(
        "small: CPU seconds beyond Python's start",
        0.5,
        lambda r: r["small", "usage-stats"].cpu_s - r["small", "python"].cpu_s,
    ),
    Goal("json: CPU per line of combined", 2.0, _per_line("json", "fifth")),
    Goal("w3c: CPU per line of combined", 2.0, _per_line("w3c", "fifth")),
    # No goals, but what the choice of rival hides: a ClickHouse job that does less than ours.
    Goal("plain: CPU of chdb-lean (for information)", float("inf"), _over("plain", "chdb-lean")),
    Goal("hard: CPU of chdb-lean (for information)", float("inf"), _over("hard", "chdb-lean")),
)


def judged(results: Results) -> list[str]:
    """One line per goal: the figure, the limit, and met, missed or not measured."""
    return [_line(goal, results) for goal in GOALS]


def _line(goal: Goal, results: Results) -> str:
    limit = "" if goal.limit == float("inf") else f"<= {goal.limit:g}"
    try:
        figure = goal.measure(results)
    except KeyError:
        return f"{goal.text:<46}{'':>8}  {limit:<9} not measured"
    verdict = "" if not limit else "met" if figure <= goal.limit else "MISSED"
    return f"{goal.text:<46}{figure:8.3f}  {limit:<9} {verdict}".rstrip()
