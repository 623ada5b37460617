"""What lets a cell move, and how much it must → what every safe choice must withhold.

Belongs here: cuts, and those that a single sum tells. Does not: the attackers that find others, the master.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from usage_stats.sdc.linear import TOLERANCE, Cut
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Floats, Ints

__all__ = ["cuts_of_sums", "demand"]


def demand(
    problem: Problem, cell: int, cells: Ints, counted: Floats, level: float, *, unless: Ints | None = None
) -> Cut | None:
    """State that what lets a cell move comes to the level, scaled to 1; None if it does whatever is withheld.

    What is withheld in any case is taken off the level first. Then no other cell counts for more than what is
    left: without this step, a bound knows little more than that some part of some cell is withheld.

    Args:
        problem: tells which cells are withheld in any case and which never are.
        cell: the one that must move; if it is not sensitive, only in case it is withheld.
        cells: the others that may let it.
        counted: how much each of them lets it move at most; infinite as well.
        level: how far it must move.
        unless: cells of which one that is not withheld waives it all.
    """
    moves = (counted > 0) & ~problem.fixed[cells] & (cells != cell)
    given = float(counted[moves & problem.sensitive[cells]].sum())
    left = level - given
    if left <= TOLERANCE:
        return None
    moves &= ~problem.sensitive[cells]
    conditions = _conditions(problem, cell, unless)
    columns, at = np.unique(np.concatenate([cells[moves], conditions]), return_inverse=True)
    ways = np.concatenate([np.minimum(counted[moves], left) / left, np.full(len(conditions), -1.0)])
    coefficients: Floats = np.bincount(at, weights=ways, minlength=len(columns)).astype(np.float64)
    return Cut(columns, coefficients, 1.0 - len(conditions))


def _conditions(problem: Problem, cell: int, unless: Ints | None) -> Ints:
    """The cells all of which must be withheld before a demand is made at all, beyond those that are in any case."""
    asked = np.array([cell], dtype=np.int64) if unless is None else np.append(unless, cell)
    return np.unique(asked[~problem.sensitive[asked]])


def cuts_of_sums(problem: Problem) -> Iterator[Cut]:
    """What each sum tells of each sensitive cell in it: others must make room for it to rise, and to move at all."""
    sums, persons = problem.sums, float(problem.requirement.persons)
    row = np.repeat(np.arange(len(sums)), np.diff(sums.start))
    room = problem.room_below.astype(float)
    for entry in np.flatnonzero(problem.sensitive[sums.cells]).tolist():
        part = slice(sums.start[row[entry]], sums.start[row[entry] + 1])
        cells, cell = sums.cells[part], int(sums.cells[entry])
        falls = np.where(sums.value[part] == sums.value[entry], room[cells], np.inf)
        anywhere = np.full(len(cells), np.inf)
        for counted, level in ((falls, persons - float(problem.counts[cell])), (anywhere, persons)):
            cut = demand(problem, cell, cells, counted, level)
            if cut is not None:
                yield cut
