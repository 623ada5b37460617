"""Withheld cells and whole-number moves among them → which cells are proven to be in doubt, and by which move.

Belongs here: the book of proofs: every withheld cell that must be wide has a move that takes it up far enough,
and another down if that counts. Does not: finding moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Floats, Ints

__all__ = ["Certificates", "Move"]

_TRUTH = -1  # the table itself is the first point that fits


class Move(NamedTuple):
    """Cells and how far each goes."""

    cells: Ints
    steps: Floats


class _Kept(NamedTuple):
    low: float
    high: float
    low_by: int
    high_by: int


class Certificates:
    """Which cells are withheld, and how far each is proven to go."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.withheld = problem.sensitive.copy()
        self.low, self.high = problem.counts.astype(float), problem.counts.astype(float)
        self._low_by = np.full(problem.layout.size, _TRUTH)
        self._high_by = np.full(problem.layout.size, _TRUTH)
        self._moves: dict[int, Move] = {}
        self._using: dict[int, set[int]] = defaultdict(set)
        self._next = 0
        self._undo: list[tuple[int, _Kept]] | None = None
        self._added: list[int] = []

    def is_proven(self, cell: int) -> bool:
        return self.problem.requirement.is_wide(self.low[cell], self.high[cell])

    def missing(self, cell: int) -> float:
        count, low, high = (float(x[cell]) for x in (self.problem.counts, self.low, self.high))
        return self.problem.requirement.missing(count, low, high)

    def owing(self, cells: Iterable[int]) -> list[int]:
        """Those of the cells that must be wide and are not proven to be."""
        return [c for c in cells if self.problem.must_be_wide(c) and not self.is_proven(c)]

    def accept(self, move: Move) -> list[int]:
        """Take a move into the book; return the cells that it withholds anew."""
        number, self._next = self._next, self._next + 1
        self._moves[number] = move
        for cell in move.cells.tolist():
            self._using[cell].add(number)
        points = self.problem.counts[move.cells] + move.steps
        for cell in move.cells[points > self.high[move.cells]].tolist():
            self._keep(cell)
            self._high_by[cell] = number
        for cell in move.cells[points < self.low[move.cells]].tolist():
            self._keep(cell)
            self._low_by[cell] = number
        self.high[move.cells] = np.maximum(self.high[move.cells], points)
        self.low[move.cells] = np.minimum(self.low[move.cells], points)
        fresh: list[int] = move.cells[~self.withheld[move.cells]].tolist()
        self.withheld[fresh] = True
        self._added += fresh
        return fresh

    @property
    def moves(self) -> list[tuple[Ints, Ints]]:
        """The moves that something rests on."""
        used = set(self._high_by.tolist()) | set(self._low_by.tolist())
        return [(m.cells, m.steps.astype(np.int64)) for number, m in self._moves.items() if number in used]

    def begin(self, cell: int) -> list[int]:
        """Publish a withheld cell on trial: return the cells whose proof needed it."""
        self._undo, self._added, self._first = [], [], self._next
        dead = self._using[cell]
        touched = {int(c) for number in dead for c in self._moves[number].cells}
        harmed = [c for c in touched if self._high_by[c] in dead or self._low_by[c] in dead]
        for c in harmed:
            self._keep(c)
            if self._high_by[c] in dead:
                self.high[c], self._high_by[c] = self.problem.counts[c], _TRUTH
            if self._low_by[c] in dead:
                self.low[c], self._low_by[c] = self.problem.counts[c], _TRUTH
        self.withheld[cell] = False
        self._trial = cell
        return [c for c in self.owing(sorted(harmed)) if self.withheld[c]]

    @property
    def added(self) -> list[int]:
        """The cells withheld since the trial began."""
        return self._added

    def commit(self) -> None:
        """Leave the cell published: moves that used it prove nothing any more."""
        for number in sorted(self._using.pop(self._trial, ())):
            for cell in self._moves.pop(number).cells.tolist():
                self._using[cell].discard(number)
        self._using.pop(self._trial, None)
        self._undo = None

    def rollback(self) -> None:
        """Withhold the cell again, and forget what was tried."""
        for number in range(self._first, self._next):
            for cell in self._moves.pop(number).cells.tolist():
                self._using[cell].discard(number)
        self.withheld[self._added] = False
        self.withheld[self._trial] = True
        for cell, kept in reversed(self._undo or []):
            self.low[cell], self.high[cell], self._low_by[cell], self._high_by[cell] = kept
        self._undo = None

    def _keep(self, cell: int) -> None:
        if self._undo is not None:
            by = int(self._low_by[cell]), int(self._high_by[cell])
            self._undo.append((cell, _Kept(float(self.low[cell]), float(self.high[cell]), *by)))
