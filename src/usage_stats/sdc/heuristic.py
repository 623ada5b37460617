"""Sensitive cells → a safe set of cells to withhold, by moves that prove it; fast, near the best, never unsafe.

Belongs here: the order in which cells are given their proofs, and what is published again. Every move is of whole
numbers and fits all that is published, so each proof stands by itself. Does not: the last word; the audit has that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from usage_stats.sdc.certificates import Certificates, Move
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Mask
from usage_stats.sdc.windows import SECONDS, SIZES, Windows

__all__ = ["Heuristic", "Stop"]

# The price of a cell that is withheld anyhow: dearer, and detours through them are missed; cheaper, and moves wander.
_HARDLY_ANYTHING = 0.03
# Cells up to which more ways are tried: it takes no time.
_SMALL = 400
# Other prices for a move of whole steps: a tenth of all moves are broken at first; few stay so after three,
# hardly any after many.
_TRIES, _MANY = 3, 16
_EVERY = 50  # cells between two looks at the clock
# Of the time left, what the cells known to need proofs may take: those withheld for them need proofs too.
_WITH_EASE, _SPARE = 0.25, 0.6
Stop = Callable[[], bool]


class Heuristic:
    """Gives every cell that must be wide its proof, then publishes again what proves nothing worth its price."""

    def __init__(
        self, problem: Problem, start: Mask | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self.book = Certificates(problem)
        self._problem = problem
        self._windows = Windows(problem.layout)
        self._up = np.where(problem.fixed, 0.0, float(problem.room_above))
        self._down = problem.room_below.astype(float)
        self._shortage = np.maximum(0.0, 1.0 - self._down / problem.requirement.persons)
        self._price = problem.weight.astype(float)
        self._price[self.book.withheld] = _HARDLY_ANYTHING
        self._banned: Mask = problem.fixed.copy()
        self._tries, self._thorough = _TRIES, problem.layout.size <= _SMALL
        if start is not None:
            self._withhold(np.flatnonzero(start & ~problem.sensitive).tolist())

    @property
    def weight(self) -> float:
        """What the further cells cost."""
        further = self.book.withheld & ~self._problem.sensitive
        return float(self._problem.weight[further].sum())

    def prove_all(self, until: float = np.inf, on_step: Callable[[int], None] = lambda _: None) -> None:
        """Withhold what it takes until every cell that must be wide is proven to be.

        Args:
            until: the time from when on the dear way is taken, without a search; before, searches become hastier.
            on_step: told how many cells are left, now and then.
        """
        self._tries = _TRIES
        detail = self._problem.layout.detail
        queue = np.flatnonzero(self.book.withheld).tolist()
        while queue := sorted(self.book.owing(queue), key=lambda c: (-detail[c], c)):
            fresh: list[int] = []
            self._windows.size = self._affordable(len(queue), until)
            block = self._clock()
            for done, cell in enumerate(queue):
                now = self._clock()
                if now > until and not self.book.is_proven(cell):
                    fresh += self._accept(self._raised(cell))
                else:
                    fresh += self.prove(cell)
                if done % _EVERY == _EVERY - 1:
                    self._pace((len(queue) - done) * (now - block) / _EVERY, until - now)
                    block = now
                    on_step(len(queue) - done)
            queue = fresh

    def _affordable(self, cells: int, until: float) -> int:
        """The largest windows by which so many cells are likely proven in time."""
        left = until - self._clock()
        return next((i for i, each in enumerate(SECONDS) if cells * each <= _SPARE * left), len(SIZES) - 1)

    def _pace(self, needed: float, left: float) -> None:
        """Take smaller windows if the time needed at the last pace is not left, larger ones if it is with ease."""
        size = self._windows.size + (needed > _SPARE * left) - (needed < _WITH_EASE * left)
        self._windows.size = min(max(size, 0), len(SIZES) - 1)

    def prove(self, cell: int, budget: float = np.inf) -> list[int]:
        """Find moves that prove the cell to be wide; return the cells withheld for it, none if it costs the budget."""
        if self.book.is_proven(cell):
            return []
        best = self._cheapest(cell, budget)
        if best is None and budget == np.inf:
            self._tries = _MANY
            best = self._cheapest(cell, budget) or [self._raised(cell)]
            self._tries = _TRIES
        return [fresh for move in best or () for fresh in self._accept(move)]

    def _cheapest(self, cell: int, budget: float) -> list[Move] | None:
        best, cost = None, budget
        for down in self._ways_down(cell):
            moves = self._moves(cell, down)
            price = self._fresh_weight(moves)
            if moves and price < cost:
                best, cost = moves, price
            if price == 0:
                break
        return best

    def _ways_down(self, cell: int) -> list[float]:
        """How far down to go before going up: what is known to be possible, all the way, not at all, or between."""
        count, persons = float(self._problem.counts[cell]), float(self._problem.requirement.persons)
        known = count - float(self.book.low[cell])
        most = min(float(self._down[cell]), persons)
        return list(
            dict.fromkeys((max(known, 0.0), most, 0.0, *(np.arange(1.0, most) if self._thorough else ())))
        )

    def _moves(self, cell: int, down: float) -> list[Move]:
        """A move down, unless one is known, and one up; empty if there are none."""
        count, persons = float(self._problem.counts[cell]), float(self._problem.requirement.persons)
        up = max(persons - count, persons - down)
        wanted = [-down] * bool(down > count - self.book.low[cell]) + [up] * bool(
            count + up > self.book.high[cell]
        )
        moves: list[Move] = []
        lent: list[int] = []
        for amount in wanted:
            move = self._move(cell, amount)
            if move is None:
                moves = []
                break
            moves.append(move)
            lent += move.cells[~self.book.withheld[move.cells]].tolist()
            self._price[lent] = _HARDLY_ANYTHING
        self._price[lent] = self._problem.weight[lent]
        return moves

    def _fresh_weight(self, moves: list[Move]) -> float:
        if not moves:
            return np.inf
        cells = np.unique(np.concatenate([move.cells for move in moves]))
        return float(self._problem.weight[cells[~self.book.withheld[cells]]].sum())

    def improve(self, stop: Stop) -> None:
        """Publish again, the dearest first, what can be done without or exchanged for less, until nothing can."""
        progress, self._tries = (
            True,
            0,
        )  # most trials fail: what broken steps achieve is proven anew in the end
        while progress and not stop():
            progress = False
            further = np.flatnonzero(self.book.withheld & ~self._problem.sensitive)
            for cell in further[np.lexsort((further, -self._problem.weight[further]))].tolist():
                if stop():
                    return
                if self.book.withheld[cell]:
                    progress |= self._without(cell)

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

    def _move(self, cell: int, amount: float) -> Move | None:
        window = self._windows.around(cell, self._price, self._shortage)
        cells = window.cells
        allowed = ~self._banned[cells]
        steps = window.moves.cheapest(
            self._price[cells],
            self._up[cells] * allowed,
            self._down[cells] * allowed,
            window.at,
            amount,
            tries=self._tries,
        )
        if steps is None:
            return None
        moving = np.flatnonzero(steps)
        return Move(cells[moving], steps[moving])

    def _raised(self, cell: int) -> Move:
        """One inner cell below goes up, and with it all that sums it: dear, but always there."""
        layout = self._problem.layout
        at = np.unravel_index(cell, layout.shape)
        below = [np.flatnonzero(d.leaves_below[i]) for d, i in zip(layout.dimensions, at, strict=True)]
        inner = np.ravel_multi_index(np.ix_(*[leaves + 1 for leaves in below]), layout.shape).ravel()
        leaf = inner[np.argmax(self._problem.counts[inner])]
        up = np.unravel_index(leaf, layout.shape)
        nodes = [np.flatnonzero(d.leaves_below[:, i - 1]) for d, i in zip(layout.dimensions, up, strict=True)]
        cells: Ints = np.ravel_multi_index(np.ix_(*nodes), layout.shape).ravel()
        return Move(cells, np.full(len(cells), float(self._problem.requirement.persons)))
