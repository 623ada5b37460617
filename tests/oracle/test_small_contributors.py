"""Tables chosen for contributors as readers, against every table of whole numbers that each of them cannot rule out."""

import itertools
import random

import numpy as np
import pytest
from every_whole_table import full, sums

from usage_stats.sdc.contributors import choose_for_readers
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Layout
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import choose

PERSONS = 3


def _chosen(shape, seed):
    layout = Layout(
        tuple(dimension_of(f"d{i}", (), [str(j) for j in range(1, n)]) for i, n in enumerate(shape))
    )
    rng = random.Random(f"{shape} {seed}")
    inner = {at: rng.choice(range(6)) for at in itertools.product(*(range(1, n) for n in shape))}
    table = full(shape, inner)
    counts = np.array([table[at] for at in sorted(table)], dtype=np.int64)
    sensitive, none = (counts > 0) & (counts < PERSONS), np.zeros(len(counts), dtype=bool)
    problem = Problem(layout, counts, sensitive, weights(counts, "cells"), Requirement(PERSONS), none, True)  # noqa: FBT003 the last field is the law under test
    withheld = choose_for_readers(problem, 5, choose).withheld
    return table, {at for at, hidden in zip(sorted(table), withheld, strict=True) if hidden}


def _possible(shape, table, withheld):
    """Every table that fits what is published, with a few persons more than there are where nothing bounds it."""
    inner = [at for at in table if 0 not in at and at in withheld]
    most = max(table[at] for at in inner) + PERSONS + 1
    bounds = [
        min((table[w] for w, parts in sums(shape) if at in parts and w not in withheld), default=most)
        for at in inner
    ]
    for values in itertools.product(*(range(min(b, most) + 1) for b in bounds)):
        other = full(shape, table | dict(zip(inner, values, strict=True)))
        if all(other[at] == table[at] for at in table if at not in withheld):
            yield other


@pytest.mark.parametrize("shape", [(3, 3), (3, 4)], ids=str)
def test_no_contributor_knows_too_much_of_any_cell(shape):
    """Whoever is in a cell, and so knows that it holds one, leaves every withheld cell in doubt all the same."""
    read = 0
    for seed in range(8):
        table, withheld = _chosen(shape, seed)
        hidden = [at for at in withheld if 0 not in at and table[at] > 0]
        if not hidden or len([at for at in withheld if 0 not in at]) > 5:
            continue
        possible = list(_possible(shape, table, withheld))
        for mine in hidden:
            mind = [other for other in possible if other[mine] >= 1]
            for at in withheld:
                low, high = min(o[at] for o in mind), max(o[at] for o in mind)
                read += 1
                secret = 0 < table[at] < PERSONS
                assert (high >= PERSONS and high - low >= PERSONS) or (not secret and low >= PERSONS)

    assert read > 20
