"""Sensitive cells → the further cells to withhold, how much they weigh and how much less it could be at best.

Belongs here: which way to choose, by size and time. Does not: the ways themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from usage_stats.sdc.heuristic import Heuristic
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.relations import Ints, Mask

__all__ = ["Choice", "choose"]


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
    problem: Problem, *, seconds: float, on_step: Callable[[str, int, int], None] = lambda *_: None
) -> Choice:
    """Choose the further cells to withhold; the same again for the same problem, time permitting."""
    deadline = time.monotonic() + seconds
    heuristic = Heuristic(problem)
    total = int(np.count_nonzero(problem.sensitive))
    heuristic.prove_all(lambda n: on_step("proving cells safe", n, total))
    heuristic.improve(lambda: time.monotonic() > deadline)
    heuristic.settle()
    book = heuristic.book
    return Choice(book.withheld, heuristic.weight, 0.0, book.moves)
