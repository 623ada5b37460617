"""A cell → a small part of the table around it in which moves are sought.

Belongs here: which leaves beside a cell's own look cheap to move. Does not: moving. Whatever moves within a window,
with all else still, moves in the table: a window finds fewer moves, never wrong ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from usage_stats.sdc.dimension import Dimension
from usage_stats.sdc.linear import Moves
from usage_stats.sdc.relations import Floats, Ints, Layout, Mask, sums_of

__all__ = ["Window", "Windows"]

# Cells of a window. The larger, the cheaper the moves found, and the slower: in a table of 10,400 cells, proofs by
# these sizes (the last for want of time only) came to weights of 8,970, 9,435, 10,932 and 12,987 in 100, 67, 33 and
# 17 s. Whoever asks goes by the time there is.
SIZES = (12_000, 5_000, 2_500, 1_200)
SECONDS = (0.08, 0.04, 0.02, 0.01)  # for a cell, as seen there; of larger tables, windows cost little more
_ROUNDS = (
    2  # of choosing leaves, each beside the leaves chosen of the other dimensions; a third changes nothing
)
_PROGRAMS = 24  # kept for windows of the same form; the largest take 10 MB each


class Window(NamedTuple):
    """Some cells of the table, the one asked about among them, and the program of their moves."""

    cells: Ints
    at: int
    moves: Moves


class Windows:
    """Makes windows, and keeps one program for all windows of the same form."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._programs: dict[object, Moves] = {}
        self._leaves = [_fitting(layout, most) for most in SIZES]
        self.size = 0  # of SIZES

    def around(self, cell: int, price: Floats, shortage: Floats) -> Window:
        """Choose, in each dimension, the leaves that are the cheapest to move beside those chosen in the others.

        Args:
            cell: the one to move.
            price: of each cell of the table.
            shortage: 0 for a cell that can fall as far as is asked, up to 1 for one that cannot fall at all.
        """
        shape = self._layout.shape
        at = tuple(int(i) for i in np.unravel_index(cell, shape))
        cost = (price * (1 + shortage)).reshape(shape)
        chosen = [np.array([i]) for i in at]
        for _ in range(_ROUNDS):
            for axis, dimension in enumerate(self._layout.dimensions):
                others = [np.arange(n) if i == axis else chosen[i] for i, n in enumerate(shape)]
                within = cost[np.ix_(*others)].sum(axis=tuple(i for i in range(len(shape)) if i != axis))
                chosen[axis] = _nodes(dimension, at[axis], within, self._leaves[self.size][axis])
        cells = np.ravel_multi_index(np.ix_(*chosen), shape).ravel()
        return Window(cells, int(np.searchsorted(cells, cell)), self._program(chosen))

    def _program(self, chosen: Sequence[Ints]) -> Moves:
        families = [_families(d, nodes) for d, nodes in zip(self._layout.dimensions, chosen, strict=True)]
        shape = [len(nodes) for nodes in chosen]
        key = (tuple(shape), tuple(families))
        program = self._programs.pop(key, None) or Moves(sums_of(shape, families), int(np.prod(shape)))
        self._programs[key] = program  # the last used is the last
        if len(self._programs) > _PROGRAMS:
            del self._programs[next(iter(self._programs))]
        return program


def _fitting(layout: Layout, most: int) -> list[int]:
    """How many leaves of each dimension make a window of so many cells: the longest are cut first."""
    leaves = [d.leaf_count for d in layout.dimensions]
    share = [(len(d.codes) - 1) / d.leaf_count for d in layout.dimensions]
    while np.prod([1 + n * s for n, s in zip(leaves, share, strict=True)]) > most and max(leaves) > 2:
        leaves[int(np.argmax(leaves))] -= 1
    return leaves


def _nodes(dimension: Dimension, node: int, cost: Floats, number: int) -> Ints:
    """The node, a leaf below it, the cheapest leaves beside it, and all that sums any of these."""
    below = dimension.leaves_below
    if number >= dimension.leaf_count:
        return np.arange(len(dimension.codes))
    free = cost.copy()
    own = _cheapest(below, free, below[node])
    taken = [own]
    free[below[:, own]] = 0.0
    open_leaves: Mask = np.ones(dimension.leaf_count, dtype=bool)
    open_leaves[own] = False
    for _ in range(number - 1):
        taken.append(_cheapest(below, free, open_leaves))
        open_leaves[taken[-1]] = False
        free[below[:, taken[-1]]] = 0.0
    return np.flatnonzero(below[:, taken].any(axis=1))


def _cheapest(below: Mask, cost: Floats, allowed: Mask) -> int:
    leaves = np.flatnonzero(allowed)
    return int(leaves[np.argmin(cost @ below[:, leaves])])


def _families(dimension: Dimension, nodes: Ints) -> tuple[tuple[int, tuple[int, ...]], ...]:
    number = {int(node): i for i, node in enumerate(nodes)}
    return tuple(
        (number[whole], tuple(number[p] for p in parts if p in number))
        for whole, parts in dimension.families
        if whole in number
    )
