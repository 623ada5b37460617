"""The audit and the choice against brute force over all tables of whole numbers."""

import itertools
import random

import numpy as np
import pytest
from every_whole_table import full, intervals, is_safe

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.exact import Master
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Layout, sums_of
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import choose

SHAPES = ((3, 3), (3, 4), (4, 4), (3, 3, 3), (4, 3, 3), (4, 4, 3))  # nodes: totals included
MOST_FREE = 4  # inner cells that brute force can vary


def _layout(shape):
    return Layout(
        tuple(dimension_of(f"d{i}", (), [str(j) for j in range(1, n)]) for i, n in enumerate(shape))
    )


def _table(shape, seed, most=4):
    inner = list(itertools.product(*(range(1, n) for n in shape)))
    rng = random.Random(f"{shape} {seed}")
    return full(shape, {at: rng.choice(range(most + 1)) for at in inner})


def _pattern(shape, table, seed):
    """A random choice of withheld cells that brute force can go through; the grand total is published."""
    rng = random.Random(f"pattern {shape} {seed}")
    inner = [at for at in table if 0 not in at]
    margins = [at for at in table if 0 in at and any(at)]
    hidden = rng.sample(inner, min(MOST_FREE, len(inner)))
    return {*hidden, *rng.sample(margins, rng.randrange(len(margins) + 1))}


def _arrays(table, cells):
    counts = np.array([table[at] for at in sorted(table)], dtype=np.int64)
    return counts, np.array([at in cells for at in sorted(table)])


def _view(shape, table, withheld):
    layout = _layout(shape)
    counts, hidden = _arrays(table, withheld)
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])
    return View(np.where(hidden, -999, counts), hidden, np.zeros(len(counts), bool), sums)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("least", [0, 1])
def test_intervals_are_those_of_every_whole_table(shape, least):
    """Low and high of each withheld cell are what going through all tables of whole numbers finds."""
    for seed in range(8):
        table = _table(shape, seed)
        withheld = {at for at in _pattern(shape, table, seed) if table[at] >= least}
        expected = intervals(shape, table, withheld, 0, least)
        report = audit(_view(shape, table, withheld), Requirement(3, least))
        order = sorted(table)
        found = {
            order[c]: (int(low), int(high))
            for c, low, high in zip(report.cells, report.low, report.high, strict=True)
        }

        assert report.exact.all()
        assert expected == found


def _problem(shape, table, persons, zeros):
    counts, sensitive = _arrays(table, {at for at in table if 0 < table[at] < persons})
    if zeros == "sensitive":
        sensitive |= counts == 0
    known = (counts == 0) & (zeros == "known")
    least = int(zeros == "known")
    weight = weights(counts, "cells")
    return Problem(_layout(shape), counts, sensitive, weight, Requirement(persons, least), known)


@pytest.mark.parametrize("zeros", ["free", "sensitive", "known"])
@pytest.mark.parametrize("shape", [(3, 3), (3, 4)], ids=str)
def test_the_choice_is_the_best_of_all(shape, zeros):
    """No safe choice of cells withholds fewer, and the bound says so."""
    for seed in range(6 if shape == (3, 4) else 10):
        table, persons = _table(shape, seed, most=5), 3
        problem = _problem(shape, table, persons, zeros)
        choice = choose(problem, seconds=20)
        best = _best(shape, table, problem, persons)

        assert best == choice.weight
        assert best == choice.bound


@pytest.mark.parametrize("zeros", ["free", "known"])
@pytest.mark.parametrize("most", [1, 12, 16, 48])
def test_no_attacker_demands_more_than_the_best_choice_has(most, zeros):
    """Sums alone, slices, and the whole table bound the weight of a choice that was proven the best from below."""
    for seed in range(4):
        problem = _problem((3, 3, 2), _table((3, 3, 2), seed, most=5), 3, zeros)
        choice = choose(problem, seconds=20)
        master = Master(problem, most)
        master.tighten(lambda: False)

        assert choice.gap == 0
        assert master.bound <= choice.weight


def _best(shape, table, problem, persons):
    """The fewest further cells of any safe choice, by trying all from the fewest on."""
    order = sorted(table)
    must = {order[c] for c in np.flatnonzero(problem.sensitive)}
    may = [order[c] for c in range(len(order)) if not problem.sensitive[c] and not problem.fixed[c]]
    for number in range(len(may) + 1):
        for further in itertools.combinations(may, number):
            if _holds(shape, table, must | set(further), must, persons, problem.requirement.least):
                return number
    raise AssertionError("withholding everything is always safe")


def _holds(shape, table, withheld, must, persons, least):
    """Whether every withheld cell is in doubt, by all tables up to a bound that stands for no bound."""
    most = max(table[at] for at in table if 0 not in at) + persons
    inner = [at for at in table if 0 not in at and at in withheld]
    if (most + 1) ** len(
        inner
    ) > 1_000:  # so many free cells: two points each way, found by the audit, are tried
        return _by_audit(shape, table, withheld, must, persons, least)
    return is_safe(must, intervals(shape, table, withheld, most, least), persons)


def _by_audit(shape, table, withheld, must, persons, least):
    view = _view(shape, table, withheld)
    sensitive = _arrays(table, must)[1]
    return audit(View(view.counts, view.withheld, sensitive, view.sums), Requirement(persons, least)).passed


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("persons", [3, 5])
def test_what_is_chosen_holds_against_every_table(shape, persons):
    """The interval of each withheld cell is wide, or it is surely no secret, by an audit that sees no proofs."""
    for seed in range(5):
        table = _table(shape, seed, most=8)
        problem = _problem(shape, table, persons, "free")
        choice = choose(problem, seconds=0)
        view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)

        assert audit(view, problem.requirement).passed
        assert (choice.withheld | ~problem.sensitive).all()
