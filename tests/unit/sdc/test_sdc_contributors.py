"""Choices for readers who are in a cell themselves."""

from dataclasses import replace

import numpy as np
import pytest

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.contributors import choose_for_readers, narrow_for_some
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Layout
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import choose


def _problem(*, for_contributors):
    """Two of 3 together at a minimum of 3: wide from 0 to 3, not where somebody of the other one reads."""
    layout = Layout((dimension_of("shop", (), ["a", "b", "c", "d"]),))
    counts = np.array([43, 1, 2, 20, 20])
    none = np.zeros(5, dtype=bool)
    sensitive = (counts > 0) & (counts < 3)
    return Problem(
        layout, counts, sensitive, weights(counts, "cells"), Requirement(3), none, for_contributors
    )


def _holds(problem, choice):
    view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)
    return audit(view, problem.requirement, least=problem.least).passed


def test_contributors_cost_a_further_cell():
    """Without them, two cells hide each other; whoever is in one knows that the other is 2 at most."""
    outside, inside = (_problem(for_contributors=each) for each in (False, True))

    assert 0 == choose(outside, seconds=5).weight
    assert 1 == choose_for_readers(inside, 5, choose).weight
    assert _holds(inside, choose_for_readers(inside, 5, choose))


def test_a_choice_that_forgets_contributors_is_made_anew():
    """Whatever a search proposes is checked, and replaced by one that rests on proofs."""
    inside = _problem(for_contributors=True)

    def forgetful(problem, *, seconds):
        return choose(replace(problem, for_contributors=seconds == 0), seconds=seconds)

    assert not _holds(inside, forgetful(inside, seconds=5))
    assert _holds(inside, choose_for_readers(inside, 5, forgetful))


@pytest.mark.parametrize(("count", "narrow"), [(4, 1), (5, 0)])
def test_what_passes_only_as_surely_enough_is_narrow_for_some(count, narrow):
    """A cell that is 4 in all tables of all contributors could be 2 to one of them; from 5 on, that would be wide."""
    problem = _problem(for_contributors=True)
    counts, none = np.array([count + 43, 1, 2, count, 40]), np.zeros(5, dtype=bool)
    alone = np.arange(5) == 3
    report = audit(View(counts, alone, none, problem.sums), problem.requirement)

    assert report.passed
    assert narrow == narrow_for_some(problem, report)
    assert 0 == narrow_for_some(replace(problem, for_contributors=False), report)
