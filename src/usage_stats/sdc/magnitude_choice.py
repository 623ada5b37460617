"""A way to protect counts, and levels of magnitudes → a choice that protects both, with one pattern for all.

Belongs here: which further cells a sum that is too narrow needs, and the order: counts, sums, counts again.
Does not: protecting counts (secondary), the last word (protect).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from usage_stats.errors import AuditFailed
from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.judged_magnitudes import audit_truth, surely_no_secret
from usage_stats.sdc.linear import Moves
from usage_stats.sdc.magnitudes import Levels
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Floats, Ints, Mask
from usage_stats.sdc.secondary import Choice

__all__ = ["Choose", "choose_for_sums"]

Choose = Callable[[Problem, float], Choice]  # a problem and the seconds to answer it

_FIRST = 0.6  # of the time, for the counts alone; each later round takes half of what is left
_PATIENCE = 3  # rounds after which nothing that is withheld is published again
_HARDLY_ANYTHING = 0.03  # the price of a cell that is withheld anyhow
_MORE = 1.001  # moves go a little further than is asked, for programs are solved up to a tolerance
_FAR = 100.0  # levels of the cell asked about that any other may rise by: more would be another table


def choose_for_sums(
    problem: Problem,
    levels: Sequence[Levels],
    choose: Choose,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Choice:
    """Choose what to withhold so that counts and all published magnitudes stay in doubt.

    It ends: each round withholds a cell more, and of a table of which all is withheld that may be, nothing is told.

    Raises:
        AuditFailed: a sum cannot be protected: nothing may be published.
        SolverError: a linear program was not solved.
    """
    deadline = clock() + seconds
    choice = first = choose(problem, _FIRST * seconds if levels else seconds)
    forced, rounds = problem.sensitive, 0
    while narrow := _narrow(problem, choice, levels):
        rounds += 1
        wanted = _wanted(problem, choice.withheld, narrow)
        if not (wanted & ~choice.withheld).any():
            raise AuditFailed(
                f"{sum(len(cells) for _, cells in narrow)} withheld sum(s) could be worked out too closely, and "
                "withholding more does not help: nothing is written"
            )
        forced = forced | wanted | (choice.withheld & (rounds >= _PATIENCE))
        choice = choose(_with_forced(problem, forced), max(deadline - clock(), 0.0) / 2)
    weight = float(problem.weight[choice.withheld & ~problem.sensitive].sum())
    return Choice(choice.withheld, weight, min(first.bound, weight), choice.moves)


def _with_forced(problem: Problem, forced: Mask) -> Problem:
    """The same problem with cells that must be withheld although they break no rule."""
    return Problem(
        problem.layout,
        problem.counts,
        forced,
        problem.weight,
        problem.requirement,
        problem.fixed,
        problem.for_contributors,
    )


def _narrow(problem: Problem, choice: Choice, levels: Sequence[Levels]) -> list[tuple[Levels, Ints]]:
    """Each magnitude with the cells of which a reader would know the sum too well."""
    if not levels:
        return []
    view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)
    counted = audit(view, problem.requirement, claims=choice.moves, truth=problem.counts)
    no_secret = surely_no_secret(view, counted, problem.requirement)
    reports = [(each, audit_truth(view, each, no_secret)) for each in levels]
    return [(each, found.cells[found.exposed]) for each, found in reports if found.exposed.any()]


def _wanted(problem: Problem, withheld: Mask, narrow: Sequence[tuple[Levels, Ints]]) -> Mask:
    """Cells that, withheld, let the sums move as far as they must: of each, those of the cheapest moves."""
    wanted = withheld & False
    price = np.where(withheld, _HARDLY_ANYTHING, problem.weight)
    moves = Moves(problem.sums, problem.layout.size)
    for levels, cells in narrow:
        for cell in cells.tolist():
            for amount in (levels.upper[cell], -levels.lower[cell]):
                if amount != 0:
                    moving = _moving(problem, levels, moves, price, cell, amount * _MORE)
                    price[moving] = _HARDLY_ANYTHING
                    wanted[moving] = True
    return wanted


def _moving(problem: Problem, levels: Levels, moves: Moves, price: Floats, cell: int, amount: float) -> Mask:
    """The cells of the cheapest move that takes a sum so far; if none is found, of all moves of what is below it."""
    step = abs(amount)
    down = np.where(problem.fixed, 0.0, np.maximum(levels.values - levels.floor, 0.0)) / step
    up = np.where(problem.fixed, 0.0, _FAR)
    way = float(np.sign(amount)) * min(1.0, float(down[cell]) if amount < 0 else 1.0)
    found = moves.cheapest(price, up, np.minimum(down, _FAR), cell, way)
    if found is not None:
        moving: Mask = found != 0
        return moving
    return _related(problem, cell) & ~problem.fixed


def _related(problem: Problem, cell: int) -> Mask:
    """The inner cells below a cell, and everything that sums one of them."""
    layout = problem.layout
    reached = [
        d.leaves_below[:, d.leaves_below[i]].any(axis=1)
        for d, i in zip(layout.dimensions, np.unravel_index(cell, layout.shape), strict=True)
    ]
    grid = np.ix_(*[np.flatnonzero(nodes) for nodes in reached])
    related = np.zeros(layout.shape, dtype=bool)
    related[grid] = True
    return related.ravel()
