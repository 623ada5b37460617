"""A table too large for cuts → a proven bound from slices of it, each by itself.

Belongs here: forgetting sums. A reader who knows fewer sums is fooled more easily: what protects each slice from one
who sees no other weighs no more than what protects the table. Does not: choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from usage_stats.sdc.exact import Cuts
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Layout

__all__ = ["bound_of_slices"]

_SLICE_CELLS = 600  # a slice's bound takes seconds


def bound_of_slices(problem: Problem, deadline: float, clock: Callable[[], float]) -> float:
    """The sum of bounds of slices; those that time does not reach count nothing."""
    bound = 0.0
    slices = [piece for piece in _slices(problem) if piece.sensitive.any()]
    for done, piece in enumerate(slices):
        left = deadline - clock()
        if left <= 0:
            break
        until = clock() + left / (len(slices) - done)
        cuts = Cuts(piece)
        cuts.tighten(lambda until=until: clock() > until)  # type: ignore[misc] # bound at once
        bound += cuts.bound
    return bound


def _slices(problem: Problem) -> Iterator[Problem]:
    shape = problem.layout.shape
    cut: list[int] = []
    while prod(n for axis, n in enumerate(shape) if axis not in cut) > _SLICE_CELLS:
        cut.append(max((axis for axis in range(len(shape)) if axis not in cut), key=lambda axis: shape[axis]))
    kept = [axis for axis in range(len(shape)) if axis not in cut]
    cells = np.moveaxis(np.arange(problem.layout.size).reshape(shape), cut, range(len(cut)))
    for part in cells.reshape(-1, prod(shape[axis] for axis in kept)):
        yield Problem(
            layout=Layout(tuple(problem.layout.dimensions[axis] for axis in kept)),
            counts=problem.counts[part],
            sensitive=problem.sensitive[part],
            weight=problem.weight[part],
            requirement=problem.requirement,
            fixed=problem.fixed[part],
        )
