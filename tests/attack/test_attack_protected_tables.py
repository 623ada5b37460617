"""Attacks on tables that `protect` made, and on the audit that should notice."""

import random

import numpy as np
import pytest

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Layout, sums_of
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import choose


def _problem(seed, persons=5):
    edges = [("north", "a"), ("north", "b"), ("south", "c"), ("south", "d")]
    layout = Layout((dimension_of("place", [edges], []), dimension_of("kind", (), list("xyz"))))
    rng = random.Random(seed)
    counts = layout.with_margins(np.array([rng.choice((0, 1, 3, 6, 9, 30)) for _ in layout.inner]))
    none = np.zeros(layout.size, dtype=bool)
    sensitive = (counts > 0) & (counts < persons)
    return Problem(layout, counts, sensitive, weights(counts, "cells"), Requirement(persons), none)


def _audit(problem, withheld, **claims):
    counts = np.where(withheld, -1, problem.counts)
    return audit(
        View(counts, withheld, problem.sensitive & withheld, problem.sums), problem.requirement, **claims
    )


@pytest.mark.parametrize("seed", range(8))
def test_publishing_one_more_cell_is_noticed(seed):
    """Of the best choice, no further cell can be published: the audit finds an exposed one each time."""
    problem = _problem(seed)
    choice = choose(problem, seconds=30)
    further = np.flatnonzero(choice.withheld & ~problem.sensitive)

    assert choice.weight == choice.bound
    assert _audit(problem, choice.withheld).passed
    for cell in further:
        less = choice.withheld.copy()
        less[cell] = False
        assert not _audit(problem, less).passed


def test_a_narrow_interval_is_exposed_however_high():
    """Two cells known to be 9 together are 0 to 9, or 1 to 8 where none is empty: too narrow for more than that."""
    layout = Layout((dimension_of("place", (), ["a", "b", "c"]),))
    withheld = np.array([False, True, True, False])
    view = View(np.array([29, -1, -1, 20]), withheld, np.zeros(4, dtype=bool), _sums_of(layout))

    assert [True, True] == audit(view, Requirement(10)).exposed.tolist()
    assert [False, False] == audit(view, Requirement(9)).exposed.tolist()
    assert [True, True] == audit(view, Requirement(9, least=1)).exposed.tolist()
    assert [True, True] == audit(view, Requirement(8, least=1)).exposed.tolist()
    assert [False, False] == audit(view, Requirement(7, least=1)).exposed.tolist()


def _sums_of(layout):
    return sums_of(layout.shape, [d.families for d in layout.dimensions])


@pytest.mark.parametrize("seed", range(4))
def test_only_the_sensitive_cells_withheld_is_not_enough(seed):
    """Withholding what is sensitive and nothing else exposes it."""
    problem = _problem(seed)

    assert not _audit(problem, problem.sensitive).passed


@pytest.mark.parametrize(
    "lie", ["breaks a sum", "below zero", "moves a published cell", "half a person", "twice"]
)
def test_false_proofs_are_not_believed(lie, monkeypatch):
    """A claimed move that does not fit what is published proves nothing, however large the table."""
    monkeypatch.setattr("usage_stats.sdc.audit.MAX_EXACT", 0)
    problem = _problem(1)
    layout = problem.layout
    inner = int(layout.inner[problem.sensitive[layout.inner]][0])
    raised = np.array([c for c in range(layout.size) if _sums(layout, c, inner)])
    withheld = problem.sensitive.copy()
    withheld[raised] = True
    steps = {"breaks a sum": 50 * (raised == inner), "below zero": np.full(len(raised), -50)}
    steps |= {"moves a published cell": np.full(len(raised), 50), "half a person": np.full(len(raised), 50.5)}
    if lie in {"breaks a sum", "moves a published cell", "twice"}:
        withheld = problem.sensitive
    if lie == "breaks a sum":
        raised, steps[lie] = np.array([inner]), np.array([50])
    if lie == "twice":  # and more: fifty times down by one, then up by fifty
        raised, steps[lie] = np.full(51, inner), np.array([-1] * 50 + [50])
    view = View(problem.counts, withheld, problem.sensitive, problem.sums)
    honest = audit(view, problem.requirement, claims=[], truth=problem.counts)
    lied_to = audit(view, problem.requirement, claims=[(raised, steps[lie])], truth=problem.counts)

    assert honest.low.tolist() == lied_to.low.tolist()
    assert honest.high.tolist() == lied_to.high.tolist()
    assert honest.exposed.tolist() == lied_to.exposed.tolist()


def _sums(layout, cell, leaf):
    at, below = (np.unravel_index(c, layout.shape) for c in (cell, leaf))
    return all(d.leaves_below[i, j - 1] for d, i, j in zip(layout.dimensions, at, below, strict=True))


def test_moves_from_another_table_prove_nothing(monkeypatch):
    """Moves start from a table that holds what is published; from any other, they would claim what cannot be."""
    monkeypatch.setattr("usage_stats.sdc.audit.MAX_EXACT", 0)
    problem = _problem(1)
    withheld = problem.sensitive
    other = problem.counts + 50
    view = View(problem.counts, withheld, problem.sensitive, problem.sums)
    honest = audit(view, problem.requirement)
    lied_to = audit(view, problem.requirement, claims=[], truth=other)

    assert honest.low.tolist() == lied_to.low.tolist()
    assert honest.high.tolist() == lied_to.high.tolist()


def test_proofs_of_large_tables_are_checked(monkeypatch):
    """Where not every interval is worked out, only moves that fit all that is published count."""
    monkeypatch.setattr("usage_stats.sdc.audit.MAX_EXACT", 0)
    problem = _problem(2)
    choice = choose(problem, seconds=0)
    flat = [(cells, steps * 0) for cells, steps in choice.moves]
    view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)
    with_proofs = audit(view, problem.requirement, claims=choice.moves, truth=problem.counts)
    without = audit(view, problem.requirement, claims=flat, truth=problem.counts)

    assert with_proofs.passed
    assert without.passed
    assert without.exact.sum() > with_proofs.exact.sum()


def test_a_reader_who_knows_that_nothing_withheld_is_empty_learns_no_more():
    """Where all empty cells are published as such, intervals are wide although none begins at zero."""
    problem = _problem(3)
    known = problem.counts == 0
    strict = Problem(
        problem.layout, problem.counts, problem.sensitive, problem.weight, Requirement(5, least=1), known
    )
    choice = choose(strict, seconds=30)
    view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)
    report = audit(view, strict.requirement)

    assert report.passed
    assert not (choice.withheld & known).any()
    assert report.low.min() >= 1


def test_a_choice_without_time_is_safe_all_the_same():
    """When there is no time at all, cells are protected the dear way, and the audit passes."""
    problem = _problem(4)
    choice = choose(problem, seconds=0)

    assert _audit(problem, choice.withheld).passed
