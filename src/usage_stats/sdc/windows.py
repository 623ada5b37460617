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

# Cells of a window: beyond 2,500, a linear program takes longer (10 ms) than a better move is worth. Where time is
# short, smaller ones take a third of the time; still smaller ones withhold so much more that they save none.
SIZES = (2_500, 1_200)


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
        """Choose, in each dimension, the leaves whose cells in line with this one are the cheapest.

        Args:
            cell: the one to move.
            price: of each cell of the table.
            shortage: 0 for a cell that can fall as far as is asked, up to 1 for one that cannot fall at all.
        """
        shape = self._layout.shape
        at = tuple(int(i) for i in np.unravel_index(cell, shape))
        chosen = []
        for axis, dimension in enumerate(self._layout.dimensions):
            line = np.ravel_multi_index(
                tuple(
                    np.arange(n) if i == axis else np.full(shape[axis], at[i]) for i, n in enumerate(shape)
                ),
                shape,
            )
            cost = price[line] * (1 + shortage[line])
            chosen.append(_nodes(dimension, at[axis], cost, self._leaves[self.size][axis]))
        cells = np.ravel_multi_index(np.ix_(*chosen), shape).ravel()
        return Window(cells, int(np.searchsorted(cells, cell)), self._program(chosen))

    def _program(self, chosen: Sequence[Ints]) -> Moves:
        families = [_families(d, nodes) for d, nodes in zip(self._layout.dimensions, chosen, strict=True)]
        shape = [len(nodes) for nodes in chosen]
        key = (tuple(shape), tuple(families))
        if key not in self._programs:
            self._programs[key] = Moves(sums_of(shape, families), int(np.prod(shape)))
        return self._programs[key]


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
