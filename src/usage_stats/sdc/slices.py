"""A table → the slices of it that are small enough to be attacked each by itself.

Belongs here: which dimensions are fixed, each way that leaves a slice as large as allowed. Does not: attacking.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import prod

import numpy as np

from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Sums, sums_of

__all__ = ["slices_of"]


def slices_of(problem: Problem, most: int) -> Iterator[tuple[Ints, Sums]]:
    """Yield the cells and the sums of each slice with something sensitive, the table itself if it is small enough."""
    dimensions, shape = problem.layout.dimensions, problem.layout.shape
    numbers = np.arange(problem.layout.size).reshape(shape)
    for kept in _kept(shape, most):
        cut = [axis for axis in range(len(shape)) if axis not in kept]
        sums = sums_of([shape[axis] for axis in kept], [dimensions[axis].families for axis in kept])
        slices = np.moveaxis(numbers, cut, range(len(cut))).reshape(-1, prod(shape[axis] for axis in kept))
        for cells in slices:
            if problem.sensitive[cells].any():
                yield cells.astype(np.int64), sums


def _kept(shape: tuple[int, ...], most: int) -> list[tuple[int, ...]]:
    """The sets of dimensions that fit; of those within others, only the largest. Single ones are sums."""
    found: list[tuple[int, ...]] = []
    for number in range(len(shape), 1, -1):
        for kept in combinations(range(len(shape)), number):
            within = any(set(kept) <= set(larger) for larger in found)
            if not within and prod(shape[axis] for axis in kept) <= most:
                found.append(kept)
    return found or ([(0,)] if len(shape) == 1 else [])
