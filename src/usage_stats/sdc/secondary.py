"""Sensitive cells → the further cells to withhold, how much they weigh and how much less it could be at best.

Belongs here: which way to choose, by size and time. Does not: the ways themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.exact import Cuts
from usage_stats.sdc.heuristic import Heuristic
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Mask
from usage_stats.sdc.slices import bound_of_slices

__all__ = ["Choice", "Step", "choose"]

# Cells beyond which the table's own cuts are not sought: the attackers' programs of one round take minutes.
MAX_EXACT = 1_500
# How near to the best the master comes: at first any choice that teaches something will do.
_ROUGH, _GAP = 0.03, 1e-4
# Of the time, for a first safe choice and for making it cheaper where no cuts are sought, and where they are.
# What rests on broken steps is proven anew between making it cheaper and the bound.
_FIRST, _CHEAPER, _SETTLED, _CHEAPER_FIRST = 0.5, 0.55, 0.85, 0.15

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
    begun = clock()
    if problem.layout.size > MAX_EXACT:
        best = _safe(
            problem,
            None,
            tuple(begun + share * seconds for share in (_FIRST, _CHEAPER, _SETTLED)),
            on_step,
            clock,
        )
        return _bounded(best, bound_of_slices(problem, begun + seconds, clock))
    deadline = begun + seconds
    best = _safe(problem, None, (deadline, begun + _CHEAPER_FIRST * seconds), on_step, clock)
    return best if best.weight == 0 else _improved(problem, best, deadline, on_step, clock)


def _improved(
    problem: Problem, best: Choice, deadline: float, on_step: Step, clock: Callable[[], float]
) -> Choice:
    """Let the cuts propose cheaper choices, and make them safe, until the bound says that there are none."""
    cuts, gap = Cuts(problem), _ROUGH
    cuts.tighten(lambda: clock() > deadline)
    while (left := deadline - clock()) > 0 and cuts.bound < best.weight:
        on_step(f"weight {best.weight:,.0f}, bound {cuts.bound:,.0f}", 0, 1)
        proposed = cuts.propose(left, gap)
        if proposed is None or cuts.bound >= best.weight:
            break
        if cuts.objections(proposed, lambda: clock() > deadline):
            found = _safe(problem, proposed, (deadline, deadline), lambda *_: None, clock)
        elif gap > _GAP:
            gap = _GAP  # what is proposed roughly is nowhere objected to any more
            continue
        elif clock() > deadline:
            break
        elif _passes(problem, proposed):
            found = Choice(proposed, float(problem.weight[proposed & ~problem.sensitive].sum()), 0.0, ())
        else:
            cuts.forbid(proposed)
            continue
        best = min(best, found, key=lambda choice: choice.weight)
    return _bounded(best, cuts.bound)


def _bounded(choice: Choice, bound: float) -> Choice:
    return Choice(choice.withheld, choice.weight, min(bound, choice.weight), choice.moves)


def _passes(problem: Problem, withheld: Mask) -> bool:
    """Whether a choice that no linear program objects to holds in whole numbers."""
    view = View(problem.counts, withheld, problem.sensitive, problem.sums)
    return audit(view, problem.requirement).passed


def _safe(
    problem: Problem,
    start: Mask | None,
    until: tuple[float, ...],
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
    heuristic.settle(max(until))
    return Choice(heuristic.book.withheld, heuristic.weight, 0.0, heuristic.book.moves)
