"""Cuts → the cheapest choice that none forbids, and a proven bound: no safe choice is cheaper.

Belongs here: the master of Benders' decomposition by Fischetti and Salazar-Gonzalez: it chooses cells, attackers
object by cuts, it chooses again. Does not: making a choice safe (heuristic).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from usage_stats.sdc.attackers import Attackers
from usage_stats.sdc.cuts import cuts_of_sums
from usage_stats.sdc.linear import Covering, Cut
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Floats, Mask
from usage_stats.sdc.slices import slices_of

__all__ = ["Master"]


class Master:
    """Chooses cells; knows a bound at any time."""

    def __init__(self, problem: Problem, most: int) -> None:
        """Begin with what single sums tell.

        Args:
            problem: the question.
            most: how many cells an attacker may look at at once; larger tables are attacked by slices.
        """
        self._problem = problem
        self._attackers = [Attackers(problem, *piece) for piece in slices_of(problem, most)]
        # Withholding what is sensitive is a matter of course and costs nothing.
        weight = np.where(problem.sensitive, 0.0, problem.weight)
        self._program = Covering(weight, np.flatnonzero(problem.sensitive), np.flatnonzero(problem.fixed))
        self._known: set[bytes] = set()
        self._take(cuts_of_sums(problem))
        self.bound = 0.0

    def tighten(self, stop: Callable[[], bool], seconds: float = np.inf) -> None:
        """Raise the bound with cells chosen in part, until no attacker objects."""
        chosen = self._relaxed(seconds)
        for asked in (Attackers.on_shares, Attackers.on_widths):
            news = True
            while news and chosen is not None and not stop():
                news = self._take(cut for a in self._attackers for cut in asked(a, chosen, stop))
                chosen = self._relaxed(seconds) if news else chosen

    def propose(self, seconds: float, gap: float) -> Mask | None:
        """The best choice that no cut forbids yet; it need not be safe. None if there was no time for it."""
        chosen, bound = self._program.chosen(seconds, gap)
        self._raise(bound)
        return None if chosen is None else chosen > 0.5

    def objects(self, withheld: Mask, stop: Callable[[], bool]) -> bool:
        """Cut off a choice that is not safe; whether there was anything to object to."""
        chosen = withheld.astype(float)
        return self._take(cut for a in self._attackers for cut in a.on_choice(chosen, stop))

    def forbid(self, withheld: Mask) -> None:
        """This very choice is not safe, though no linear program says so: it fails in whole numbers."""
        signs = np.where(withheld, -1.0, 1.0)
        self._take([Cut(np.arange(len(withheld)), signs, 1.0 - float(withheld.sum()))])

    def _relaxed(self, seconds: float) -> Floats | None:
        relaxed = self._program.shared(seconds)
        if relaxed is None:
            return None
        self._raise(relaxed[1])
        return relaxed[0]

    def _raise(self, weight: float) -> None:
        whole = bool(np.all(self._problem.weight == np.round(self._problem.weight)))
        self.bound = max(self.bound, float(np.ceil(weight - 1e-6)) if whole else weight)

    def _take(self, cuts: Iterable[Cut]) -> bool:
        fresh: Sequence[Cut] = [cut for cut in cuts if self._is_new(cut)]
        self._program.demand(fresh)
        return bool(fresh)

    def _is_new(self, cut: Cut) -> bool:
        name = cut.cells.tobytes() + cut.coefficients.tobytes()
        is_new = name not in self._known
        self._known.add(name)
        return is_new
