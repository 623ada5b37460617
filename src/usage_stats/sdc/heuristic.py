"""Sensitive cells → a safe set of cells to withhold, by moves that prove it; fast, near the best, never unsafe.

Belongs here: the order in which cells are given their proofs, and what is published again. Every move is of whole
numbers and fits all that is published, so each proof stands by itself. Does not: the last word; the audit has that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from usage_stats.errors import InternalError
from usage_stats.sdc.certificates import Certificates, Move
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Mask
from usage_stats.sdc.windows import Windows

__all__ = ["Heuristic", "Stop"]

# The price of a cell that is withheld anyhow: dearer, and detours through them are missed; cheaper, and moves wander.
_HARDLY_ANYTHING = 0.03
Stop = Callable[[], bool]


class Heuristic:
    """Gives every cell that must be wide its proof, then publishes again what proves nothing worth its price."""

    def __init__(self, problem: Problem, start: Mask | None = None) -> None:
        self.book = Certificates(problem)
        self._problem = problem
        self._windows = Windows(problem.layout)
        self._up = np.where(problem.fixed, 0.0, float(problem.room_above))
        self._down = problem.room_below.astype(float)
        self._shortage = np.maximum(0.0, 1.0 - self._down / problem.requirement.persons)
        self._price = problem.weight.astype(float)
        self._price[self.book.withheld] = _HARDLY_ANYTHING
        self._banned: Mask = problem.fixed.copy()
        self._whole = False
        if start is not None:
            self._withhold(np.flatnonzero(start & ~problem.sensitive).tolist())

    @property
    def weight(self) -> float:
        """What the further cells cost."""
        further = self.book.withheld & ~self._problem.sensitive
        return float(self._problem.weight[further].sum())

    def prove_all(self, on_step: Callable[[int], None] = lambda _: None) -> None:
        """Withhold what it takes until every cell that must be wide is proven to be."""
        detail = self._problem.layout.detail
        queue = np.flatnonzero(self.book.withheld).tolist()
        while queue := sorted(self.book.owing(queue), key=lambda c: (-detail[c], c)):
            fresh: list[int] = []
            for cell in queue:
                fresh += self.prove(cell)
                on_step(1)
            queue = fresh

    def settle(self) -> None:
        """Prove anew, in whole steps, what rests on moves that are not; from now on all moves are whole."""
        self._whole = True
        self.book.forget_fractions()
        self.prove_all()

    def prove(self, cell: int, budget: float = np.inf) -> list[int]:
        """Move the cell until it is proven to be wide; return the cells withheld for it.

        A budget makes it stop as soon as it has withheld for more than that.
        """
        fresh: list[int] = []
        while missing := self.book.missing(cell):
            move = self._move(cell, missing)
            if move is None:
                if budget < np.inf:
                    return fresh
                raise InternalError("no move was found in a window that always has one: this is a bug")
            fresh += self._accept(move)
            if self._problem.weight[fresh].sum() >= budget:
                break
        return fresh

    def improve(self, stop: Stop, on_step: Callable[[int], None] = lambda _: None) -> None:
        """Publish again, the most expensive first, what can be done without or exchanged for less, until nothing can."""
        progress = True
        while progress and not stop():
            progress = False
            further = np.flatnonzero(self.book.withheld & ~self._problem.sensitive)
            for cell in further[np.lexsort((further, -self._problem.weight[further]))].tolist():
                if stop():
                    return
                if self.book.withheld[cell]:
                    progress |= self._without(cell)
                on_step(1)

    def _without(self, cell: int) -> bool:
        """Try to publish one cell; whether the set has become cheaper."""
        harmed = self.book.begin(cell)
        weight = float(self._problem.weight[cell])
        self._price[cell], self._banned[cell] = weight, True
        cheaper = self._prove_within(harmed, weight)
        self._banned[cell] = False
        if cheaper:
            self.book.commit()
            return True
        self._price[self.book.added] = self._problem.weight[self.book.added]
        self._price[cell] = _HARDLY_ANYTHING
        self.book.rollback()
        return False

    def _prove_within(self, queue: Iterable[int], budget: float) -> bool:
        waiting = list(queue)
        while waiting:
            cell = waiting.pop()
            fresh = self.prove(cell, budget - float(self._problem.weight[self.book.added].sum()))
            if self._problem.weight[self.book.added].sum() >= budget or not self.book.is_proven(cell):
                return False
            waiting += self.book.owing(fresh)
        return True

    def _accept(self, move: Move) -> list[int]:
        fresh = self.book.accept(move)
        self._price[fresh] = _HARDLY_ANYTHING
        return fresh

    def _withhold(self, cells: list[int]) -> None:
        self.book.withheld[cells] = True
        self._price[cells] = _HARDLY_ANYTHING

    def _move(self, cell: int, missing: float) -> Move | None:
        window = self._windows.around(cell, self._price, self._shortage)
        cells = window.cells
        allowed = ~self._banned[cells]
        steps = window.moves.cheapest(
            self._price[cells],
            self._up[cells] * allowed,
            self._down[cells] * allowed,
            window.at,
            missing,
            whole=self._whole,
        )
        if steps is None:
            return None if self._banned[cells].any() else self._raised(cell, missing)
        moving = np.flatnonzero(steps)
        return Move(cells[moving], steps[moving])

    def _raised(self, cell: int, missing: float) -> Move:
        """One inner cell below goes up, and with it all that sums it: dear, but always there."""
        layout = self._problem.layout
        at = np.unravel_index(cell, layout.shape)
        below = [np.flatnonzero(d.leaves_below[i]) for d, i in zip(layout.dimensions, at, strict=True)]
        inner = np.ravel_multi_index(np.ix_(*[leaves + 1 for leaves in below]), layout.shape).ravel()
        leaf = inner[np.argmax(self._problem.counts[inner])]
        up = np.unravel_index(leaf, layout.shape)
        nodes = [np.flatnonzero(d.leaves_below[:, i - 1]) for d, i in zip(layout.dimensions, up, strict=True)]
        cells: Ints = np.ravel_multi_index(np.ix_(*nodes), layout.shape).ravel()
        return Move(cells, np.full(len(cells), float(missing)))
