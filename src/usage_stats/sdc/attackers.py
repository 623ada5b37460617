"""Cells chosen, wholly or in part → cuts that name what every safe choice has more of.

Belongs here: the attacker's linear programs, over all cells or over a slice of them. A slice's attacker forgets the
sums outside, is fooled more easily, and so demands nothing that the table's would not. Does not: choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from usage_stats.sdc.cuts import demand
from usage_stats.sdc.linear import TOLERANCE, Cut, Ways
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Floats, Ints, Sums

__all__ = ["Attackers"]

_ZERO = 1e-7  # prices below are the solver's noise
_VIOLATED = 1e-3
Stop = Callable[[], bool]


class _Answer(NamedTuple):
    """How far an attacker gets one way, in which move, and how much each cell lets it at most."""

    reached: float
    move: Floats
    counted: Floats


class Attackers:
    """One for each cell that must be wide, all with the same sums."""

    def __init__(self, problem: Problem, cells: Ints, sums: Sums) -> None:
        self._problem, self._cells = problem, cells
        self._ways = Ways(sums, len(cells))
        self._room = problem.room_below[cells].astype(float)
        self._always = problem.sensitive[cells] & ~problem.fixed[cells]
        self._sensitive = np.flatnonzero(self._always)

    def on_shares(self, chosen: Floats, stop: Stop) -> Iterator[Cut]:
        """Object to cells chosen in part: each sensitive cell must be able to rise to the minimum, or else to move.

        The others go as far as what is needed times their share: so much of a cut they are worth at most.
        """
        needed = self._problem.requirement.persons - self._problem.counts[self._cells[self._sensitive]]
        for level in np.unique(needed[needed > 0]).tolist():
            self._bounded(chosen, float(level))
            for at in self._sensitive[needed == level].tolist():
                if stop():
                    return
                up = self._furthest(at, 1, float(level))
                if up is not None and up.reached < level - TOLERANCE:
                    yield from self._broken(at, up.counted, float(level), chosen)

    def on_widths(self, chosen: Floats, stop: Stop) -> Iterator[Cut]:
        """The same for the width of each sensitive cell's interval."""
        persons = float(self._problem.requirement.persons)
        self._bounded(chosen, persons)
        for at in self._sensitive.tolist():
            if stop():
                return
            both = self._both_ways(at)
            if both is not None and both[0].reached + both[1].reached < persons - TOLERANCE:
                yield from self._broken(at, both[0].counted + both[1].counted, persons, chosen)

    def on_choice(self, chosen: Floats, stop: Stop) -> Iterator[Cut]:
        """Object to cells chosen wholly, for every withheld cell that must be wide."""
        problem = self._problem
        self._bounded(chosen, float(problem.room_above))
        counts = problem.counts[self._cells].astype(float)
        low, high = counts.copy(), counts.copy()
        for at in np.flatnonzero(chosen[self._cells] > 1 - TOLERANCE).tolist():
            if stop():
                return
            if not problem.must_be_wide(int(self._cells[at])) or problem.requirement.is_wide(
                low[at], high[at]
            ):
                continue
            both = self._both_ways(at)
            if both is not None:
                for answer in both:
                    low, high = np.minimum(low, counts + answer.move), np.maximum(high, counts + answer.move)
                yield from self._too_narrow(at, *both, chosen)

    def _too_narrow(self, at: int, up: _Answer, down: _Answer, chosen: Floats) -> Iterator[Cut]:
        problem, persons = self._problem, float(self._problem.requirement.persons)
        count = float(problem.counts[self._cells[at]])
        unless = None
        if not self._always[at]:
            if count - down.reached >= persons:
                return  # surely no secret
            if count >= persons:
                # Or less is withheld, so that it surely is none: one of those that take it down.
                unless = self._cells[np.abs(down.move) > TOLERANCE]
        needed = persons - count
        if needed > 0 and up.reached < needed - TOLERANCE:
            yield from self._broken(at, up.counted, needed, chosen, unless)
        if up.reached + down.reached < persons - TOLERANCE:
            yield from self._broken(at, up.counted + down.counted, persons, chosen, unless)

    def _broken(
        self, at: int, counted: Floats, level: float, chosen: Floats, unless: Ints | None = None
    ) -> Iterator[Cut]:
        """The cut, if it is news: rounding may have made it up."""
        cut = demand(self._problem, int(self._cells[at]), self._cells, counted, level, unless=unless)
        if cut is not None and cut.is_broken(chosen, _VIOLATED):
            yield cut

    def _bounded(self, chosen: Floats, reach: float) -> None:
        """Let each cell go as far as `reach` times its share; the sensitive ones as far as they can."""
        share = np.where(self._problem.fixed[self._cells], 0.0, np.clip(chosen[self._cells], 0.0, 1.0))
        far = np.where(self._always, float(self._problem.room_above), reach * share)
        near = np.where(self._always, self._room, np.minimum(self._room, reach) * share)
        self._ways.bounded(-near, far)

    def _both_ways(self, at: int) -> tuple[_Answer, _Answer] | None:
        """Both ways, as far as anybody needs."""
        enough = 2.0 * self._problem.requirement.persons + float(self._problem.counts[self._cells[at]])
        up = self._furthest(at, 1, enough)
        down = None if up is None else self._furthest(at, -1, min(enough, float(self._room[at])))
        return None if up is None or down is None else (up, down)

    def _furthest(self, at: int, direction: int, enough: float) -> _Answer | None:
        found = self._ways.furthest(at, direction, enough)
        if found is None:
            return None
        move, prices = found
        prices = np.where(np.abs(prices) < _ZERO, 0.0, prices)
        prices[at] = 0.0
        counted = np.where(prices > 0, np.inf, -prices * self._room)
        return _Answer(direction * float(move[at]), move, counted)
