"""A problem and a way to choose → a choice that holds against readers who are in a cell themselves.

Belongs here: the check that a choice holds where no cell that anybody is in falls below one, and what is done if it
does not. Does not: choosing, judging intervals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from usage_stats.sdc.audit import TableAudit, View, audit
from usage_stats.sdc.problem import Problem
from usage_stats.sdc.secondary import Choice

__all__ = ["choose_for_readers", "narrow_for_some"]


def choose_for_readers(problem: Problem, seconds: float, choose: Callable[..., Choice]) -> Choice:
    """Choose; where contributors read and whole numbers spoil it for them, choose anew by proofs alone.

    Proofs are moves that leave at least one person wherever somebody is, which every contributor takes for possible.
    What is proposed by cuts is judged in whole numbers without that, and so must be judged once more.
    """
    choice = choose(problem, seconds=seconds)
    if not problem.for_contributors:
        return choice
    view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)
    held = audit(view, problem.requirement, claims=choice.moves, truth=problem.counts, least=problem.least)
    if held.passed and not narrow_for_some(problem, held):
        return choice
    proven = choose(problem, seconds=0.0)
    return Choice(proven.withheld, proven.weight, min(choice.bound, proven.weight), proven.moves)


def narrow_for_some(problem: Problem, report: TableAudit) -> int:
    """Cells that some contributor may place too closely, though no reader of least counts does.

    A narrow interval from the minimum on is no secret to whoever takes all of these counts for possible and no others.
    A contributor knows of one cell only, and may reach below the minimum: not as far as is asked.
    """
    if not problem.for_contributors:
        return 0
    high = np.where(report.high < 0, np.inf, report.high)
    wide = [problem.requirement.is_wide(low, top) for low, top in zip(report.low, high, strict=True)]
    doubtful = [problem.requirement.is_doubtful(top) for top in high]
    return int(np.count_nonzero(np.array(doubtful, dtype=bool) & ~np.array(wide, dtype=bool)))
