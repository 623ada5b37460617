"""Sensitive cells → the further cells to withhold, how much they weigh and how much less it could be at best.

Belongs here: which way to choose, by size and time. Does not: the ways themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.exact import Cuts
from usage_stats.sdc.heuristic import Heuristic
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Mask

__all__ = ["Choice", "choose"]

# Cells beyond which no bound is sought: the attackers' programs of one round take minutes.
MAX_EXACT = 4_000
# How near to the best the master comes: at first any choice that teaches something will do.
_ROUGH, _GAP = 0.03, 1e-4

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


def choose(problem: Problem, *, seconds: float, on_step: Step = lambda *_: None) -> Choice:
    """Choose the further cells to withhold; the same again for the same problem, time permitting."""
    deadline = time.monotonic() + seconds
    best = _safe(problem, None, deadline, on_step)
    if problem.layout.size > MAX_EXACT or best.weight == 0:
        return best
    return _improved(problem, best, deadline, on_step)


def _improved(problem: Problem, best: Choice, deadline: float, on_step: Step) -> Choice:
    """Let the cuts propose cheaper choices, and make them safe, until the bound says that there are none."""
    cuts = Cuts(problem)
    cuts.tighten(lambda: time.monotonic() > deadline)
    gap = _ROUGH
    while (left := deadline - time.monotonic()) > 0 and cuts.bound < best.weight:
        on_step(f"weight {best.weight:,.0f}, bound {cuts.bound:,.0f}", 0, 0)
        proposed = cuts.propose(left, gap)
        if proposed is None or cuts.bound >= best.weight:
            break
        if cuts.objections(proposed, lambda: time.monotonic() > deadline):
            found = _safe(problem, proposed, deadline, lambda *_: None)
        elif gap > _GAP:
            gap = _GAP  # what is proposed roughly is nowhere objected to any more
            continue
        elif time.monotonic() > deadline or not _passes(problem, proposed):
            cuts.forbid(proposed)
            continue
        else:
            found = Choice(proposed, problem.weight[proposed & ~problem.sensitive].sum(), 0.0, ())
        best = min(best, found, key=lambda choice: choice.weight)
    return replace(best, bound=min(cuts.bound, best.weight))


def _passes(problem: Problem, withheld: Mask) -> bool:
    """Whether a choice that no linear program objects to holds in whole numbers."""
    return audit(View(problem.counts, withheld, problem.sensitive, problem.sums), problem.requirement).passed


def _safe(problem: Problem, start: Mask | None, deadline: float, on_step: Step) -> Choice:
    heuristic = Heuristic(problem, start)
    total = int(np.count_nonzero(problem.sensitive))
    heuristic.prove_all(lambda n: on_step("proving cells safe", n, total))
    heuristic.improve(lambda: time.monotonic() > deadline)
    heuristic.settle()
    return Choice(heuristic.book.withheld, heuristic.weight, 0.0, heuristic.book.moves)
