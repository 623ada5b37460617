"""Sensitive cells → the further cells to withhold, how much they weigh and how much less it could be at best.

Belongs here: which way to choose, by size and time. Does not: the ways themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.exact import Master
from usage_stats.sdc.heuristic import Heuristic
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Mask

__all__ = ["Choice", "Step", "choose"]

# Cells that an attacker may look at at once while cuts are sought: beyond, one round of them takes minutes.
MAX_EXACT = 1_500
_SLICE = 900
# How near to the best the master comes: at first any choice that teaches something will do.
_ROUGH, _GAP = 0.03, 1e-4
# Size and gap beyond which cuts of whole choices do not close it in any time (seen at 1,000 cells): time goes into
# making the choice cheaper instead.
_SMALL, _HOPELESS = 400, 0.15
# When what is done in this order ends, as parts of the time: a bound, a first safe choice, making it cheaper. Whole
# choices, where there is hope, have the rest. Large tables need more time for the first choice.
_SMALL_TABLE, _LARGE_TABLE = (0.25, 0.5, 0.55), (0.15, 0.75, 0.95)

Step = Callable[[str, int, int], None]  # what is being done, how far, out of how much


@dataclass(frozen=True)
class Choice:
    """What is withheld.

    Attributes:
        withheld: the sensitive cells and the further ones.
        weight: of the further ones.
        bound: proven: no safe choice weighs less.
        moves: proofs, for the audit to check: cells and the steps they go.
    """

    withheld: Mask
    weight: float
    bound: float
    moves: Sequence[tuple[Ints, Ints]]

    @property
    def gap(self) -> float:
        """The part of the weight that a better choice might save."""
        return 0.0 if self.weight <= self.bound else (self.weight - self.bound) / self.weight


def choose(
    problem: Problem,
    *,
    seconds: float,
    on_step: Step = lambda *_: None,
    clock: Callable[[], float] = time.monotonic,
) -> Choice:
    """Choose the further cells to withhold; the same again for the same problem, time permitting.

    Whatever time there is, the choice is safe: when it runs out, what is left is protected the dear way.
    """
    begun, large = clock(), problem.layout.size > MAX_EXACT
    deadline = begun + seconds
    bounded, *rest = (begun + share * seconds for share in (_LARGE_TABLE if large else _SMALL_TABLE))
    master = Master(problem, _SLICE if large else MAX_EXACT)
    master.tighten(lambda: clock() > bounded, bounded - clock())
    on_step = _with_bound(on_step, master)
    best = _bounded(_safe(problem, None, (rest[0], rest[1]), on_step, clock), master.bound)
    if large or best.weight <= master.bound or clock() > deadline:
        return best
    if best.gap > _HOPELESS and problem.layout.size > _SMALL:
        again = _safe(problem, best.withheld, (deadline, deadline), on_step, clock)
        return _bounded(min(best, again, key=lambda choice: choice.weight), master.bound)
    return _improved(problem, best, master, deadline, on_step, clock)


def _improved(
    problem: Problem, best: Choice, master: Master, deadline: float, on_step: Step, clock: Callable[[], float]
) -> Choice:
    """Let the cuts propose cheaper choices, and make them safe, until the bound says that there are none."""
    gap = _ROUGH
    while (left := deadline - clock()) > 0 and master.bound < best.weight:
        on_step(f"weight {best.weight:,.0f}", 0, 1)
        proposed = master.propose(left, gap)
        if proposed is None or master.bound >= best.weight:
            break
        if master.objects(proposed, lambda: clock() > deadline):
            found = _safe(problem, proposed, (deadline, deadline), lambda *_: None, clock)
        elif gap > _GAP:
            gap = _GAP  # what is proposed roughly is nowhere objected to any more
            continue
        elif clock() > deadline:
            break
        elif _passes(problem, proposed):
            found = Choice(proposed, float(problem.weight[proposed & ~problem.sensitive].sum()), 0.0, ())
        else:
            master.forbid(proposed)
            continue
        best = min(best, found, key=lambda choice: choice.weight)
    return _bounded(best, master.bound)


def _with_bound(on_step: Step, master: Master) -> Step:
    return lambda said, done, total: on_step(f"{said}, bound {master.bound:,.0f}", done, total)


def _bounded(choice: Choice, bound: float) -> Choice:
    return Choice(choice.withheld, choice.weight, min(bound, choice.weight), choice.moves)


def _passes(problem: Problem, withheld: Mask) -> bool:
    """Whether a choice that no linear program objects to holds in whole numbers."""
    view = View(problem.counts, withheld, problem.sensitive, problem.sums)
    return audit(view, problem.requirement).passed


def _safe(
    problem: Problem,
    start: Mask | None,
    until: tuple[float, float],
    on_step: Step,
    clock: Callable[[], float],
) -> Choice:
    """A safe choice that holds what is given to start from; proven until the first time, cheaper until the second."""
    heuristic = Heuristic(problem, start, clock)
    total = int(np.count_nonzero(problem.sensitive))

    def note(left: int) -> None:
        on_step(f"weight {heuristic.weight:,.0f}", max(total - left, 0), total)

    heuristic.prove_all(until[0], note)
    heuristic.improve(lambda: clock() > until[1])
    return Choice(heuristic.book.withheld, heuristic.weight, 0.0, heuristic.book.moves)
