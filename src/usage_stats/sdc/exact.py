"""A safe choice → a better one and a proven bound, by cuts: what any safe choice must fulfil.

Belongs here: Benders' cuts of Fischetti and Salazar-Gonzalez. The master chooses cells; for each cell that must be
wide, the attacker either gets far enough or names, by the prices of its linear program, what every safe choice has
to hold. Does not: making a choice safe (heuristic).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from usage_stats.sdc.linear import TOLERANCE, Covering, Ways
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Floats, Mask

__all__ = ["Cuts"]

_ZERO = 1e-7  # prices below are the solver's noise
_VIOLATED = 1e-3
# How far a cell chosen whole moves while some are chosen in part, in minimum persons. Any will do, for a cut holds
# whatever it was found with; the shorter, the more attackers object.
_REACHES = (1.0, 0.5, 0.25)


class _Answer(NamedTuple):
    """How far an attacker gets one way, in which move, and what a cut may count of each cell."""

    reached: float
    move: Floats
    coefficients: Floats


class Cuts:
    """The master program, and the attackers who extend it."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._ways = Ways(problem.sums, problem.layout.size)
        self._sensitive = np.flatnonzero(problem.sensitive)
        # Withholding what is sensitive is a matter of course and costs nothing.
        weight = np.where(problem.sensitive, 0.0, problem.weight)
        self._master = Covering(weight, self._sensitive)
        for cell in np.flatnonzero(problem.fixed):
            self._master.demand(np.array([cell]), np.array([-1.0]), 0.0)
        self._room = problem.room_below.astype(float)
        self.bound = 0.0
        self._reach = 0.0

    def tighten(self, stop: Callable[[], bool]) -> None:
        """Raise the bound with cells chosen in part, until no attacker objects."""
        shares = list(_REACHES)
        while shares and not stop():
            relaxed = self._master.shared()
            if relaxed is None:
                return
            chosen, weight = relaxed
            self.bound = max(self.bound, self._rounded(weight))
            self._reach = shares[0] * self._problem.requirement.persons
            if not self._object(chosen, self._sensitive.tolist(), stop, whole=False):
                shares.pop(0)

    def propose(self, seconds: float, gap: float) -> Mask | None:
        """The best choice that no cut forbids yet; it need not be safe. None if there was no time for it."""
        chosen, bound = self._master.chosen(seconds, gap)
        self.bound = max(self.bound, self._rounded(bound))
        return None if chosen is None else chosen > 0.5

    def objections(self, withheld: Mask, stop: Callable[[], bool]) -> bool:
        """Cut off a choice that is not safe; whether there was anything to object to."""
        doubtful = [c for c in np.flatnonzero(withheld).tolist() if self._problem.must_be_wide(c)]
        return self._object(withheld.astype(float), doubtful, stop, whole=True)

    def forbid(self, withheld: Mask) -> None:
        """This very choice is not safe, though no linear program says so: it fails in whole numbers."""
        columns = np.arange(len(withheld))
        self._master.demand(columns, np.where(withheld, -1.0, 1.0), 1.0 - float(withheld.sum()))

    def _rounded(self, weight: float) -> float:
        whole = bool(np.all(self._problem.weight == np.round(self._problem.weight)))
        return float(np.ceil(weight - 1e-6)) if whole else weight

    def _object(self, chosen: Floats, cells: list[int], stop: Callable[[], bool], *, whole: bool) -> bool:
        problem = self._problem
        reach = float(problem.room_above if whole else self._reach)
        share = np.where(problem.fixed, 0.0, np.maximum(chosen, 0.0))
        self._ways.bounded(-np.minimum(self._room, reach) * share, reach * share)
        low, high = np.zeros(len(chosen)), np.zeros(len(chosen))
        objected = False
        for cell in cells:
            if stop():
                break
            counted = float(problem.counts[cell])
            if whole and problem.requirement.is_wide(counted + low[cell], counted + high[cell]):
                continue
            answers = self._attacked(cell)
            if answers is None:
                continue
            for answer in answers:
                low, high = np.minimum(low, answer.move), np.maximum(high, answer.move)
            objected |= self._cut(cell, chosen, *answers)
        return objected

    def _attacked(self, cell: int) -> tuple[_Answer, _Answer] | None:
        """Both ways, as far as anybody needs."""
        answers = []
        enough = 2.0 * self._problem.requirement.persons + float(self._problem.counts[cell])
        for direction in (1, -1):
            found = self._ways.furthest(
                cell, direction, min(enough, self._room[cell]) if direction < 0 else enough
            )
            if found is None:
                return None
            move, prices = found
            prices = np.where(np.abs(prices) < _ZERO, 0.0, prices)
            prices[cell] = 0.0
            counted = np.where(prices > 0, np.inf, -prices * self._room)
            answers.append(_Answer(direction * float(move[cell]), move, counted))
        return answers[0], answers[1]

    def _cut(self, cell: int, chosen: Floats, up: _Answer, down: _Answer) -> bool:
        problem, persons = self._problem, float(self._problem.requirement.persons)
        needed = persons - float(problem.counts[cell])
        cut = False
        if needed > 0 and up.reached < needed - TOLERANCE:
            cut |= self._demand(cell, chosen, up.coefficients, needed, down)
        if up.reached + down.reached < persons - TOLERANCE:
            cut |= self._demand(cell, chosen, up.coefficients + down.coefficients, persons, down)
        return cut

    def _demand(self, cell: int, chosen: Floats, counted: Floats, level: float, down: _Answer) -> bool:
        """State that enough of what counts is withheld, if the cell is; whether that is news."""
        problem = self._problem
        coefficients = np.minimum(counted, level)
        coefficients[problem.fixed | (np.arange(len(counted)) == cell)] = 0.0
        least = level
        if not problem.sensitive[cell]:
            coefficients[cell] -= level
            least = 0.0
            surely = problem.counts[cell] - down.reached >= problem.requirement.persons
            if surely:
                return False
            if problem.counts[cell] >= problem.requirement.persons:
                # Or less is withheld, so that the cell is surely no secret: one of those that take it down.
                movers = (np.abs(down.move) > TOLERANCE) & ~problem.sensitive
                movers[cell] = False
                coefficients[movers] -= level
                least -= level * float(movers.sum())
        if coefficients @ chosen >= least - _VIOLATED * level:
            return False
        columns = np.flatnonzero(coefficients)
        self._master.demand(columns, coefficients[columns] / level, least / level)
        return True
