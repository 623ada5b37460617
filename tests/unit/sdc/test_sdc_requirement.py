"""The requirement on an interval, line by line, and which cells it is demanded of."""

import numpy as np
import pytest

from usage_stats.errors import InputError
from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Layout, sums_of
from usage_stats.sdc.requirement import Requirement

FIVE = Requirement(5)
LAYOUT = Layout((dimension_of("place", (), ["a", "b", "c"]),))
TOTAL, A, B, C = range(4)


@pytest.mark.parametrize(
    ("low", "high", "wide"),
    [
        (0, 5, True),
        (0, 4, False),
        (1, 5, False),
        (1, 6, True),
        (90, 94, False),
        (90, 95, True),
        (-1, 4, False),
    ],
)
def test_an_interval_reaches_the_minimum_and_is_as_wide(low, high, wide):
    """Both are asked for; from zero on, the width says it all, and what starts below zero gains nothing by that."""

    assert wide == FIVE.is_wide(low, high)


@pytest.mark.parametrize(
    ("low", "high", "sensitive", "met"),
    [(5, 5, False, True), (5, 5, True, False), (4, 6, False, False), (5, 10, True, True)],
)
def test_what_is_surely_enough_need_not_be_wide_unless_sensitive(low, high, sensitive, met):
    """A narrow interval passes from the minimum on, but not where the cell breaks another rule."""

    assert met == FIVE.is_met(low, high, sensitive=sensitive)


def test_from_twice_the_minimum_less_one_on_a_cell_needs_no_proof():
    """An interval that holds 9 and 4 is as wide as 5; one that holds 8 and 4 is not."""

    assert [True, False] == [FIVE.is_doubtful(8), FIVE.is_doubtful(9)]


def test_what_is_missing_is_the_further_of_the_two():
    """A point must reach the minimum, and lie so far above the lowest."""

    assert [4, 5, 3, 0] == [
        FIVE.missing(1, 0, 1),
        FIVE.missing(6, 6, 6),
        FIVE.missing(2, 0, 2),
        FIVE.missing(2, 0, 5),
    ]


def _audit(counts, withheld, requirement=FIVE, sensitive=(), **options):
    hidden, judged = np.zeros(4, dtype=bool), np.zeros(4, dtype=bool)
    hidden[list(withheld)] = judged[list(sensitive)] = True
    sums = sums_of(LAYOUT.shape, [d.families for d in LAYOUT.dimensions])
    return audit(View(np.array(counts), hidden, judged, sums), requirement, **options)


def test_the_requirement_is_made_of_every_withheld_cell():
    """Told or not which of two cells is the sensitive one, the audit exposes both: neither is surely enough."""
    table = [24, 1, 3, 20]

    assert [True, True] == _audit(table, [A, B]).exposed.tolist()
    assert [True, True] == _audit(table, [A, B], sensitive=[A]).exposed.tolist()


def test_a_cell_known_to_be_sensitive_is_not_saved_by_its_size():
    """Alone in its sum, 20 is worked out: no secret of persons, but one of whoever dominates it."""

    assert [False] == _audit([24, 1, 3, 20], [C]).exposed.tolist()
    assert [True] == _audit([24, 1, 3, 20], [C], sensitive=[C]).exposed.tolist()


def test_what_stands_at_a_withheld_cell_is_not_looked_at():
    """The interval is that of a reader, whatever the auditor's array holds."""
    honest, other = _audit([24, 1, 3, 20], [A, B]), _audit([24, 77, -8, 20], [A, B])

    assert [0, 0, 4, 4] == [*honest.low, *honest.high]
    assert [0, 0, 4, 4] == [*other.low, *other.high]


def test_an_interval_without_an_end_is_told_as_such():
    """Where the total is withheld, nothing bounds it from above."""
    report = _audit([24, 1, 3, 20], [TOTAL, A])

    assert [23, 0] == report.low.tolist()
    assert -1 == report.high[0]


def test_a_reader_who_takes_no_withheld_cell_for_empty_starts_at_one():
    """With a least of 1, each of two cells is 1 to 3 of 4."""
    report = _audit([24, 1, 3, 20], [A, B], Requirement(3, least=1))

    assert [1, 1, 3, 3] == [*report.low, *report.high]


def test_published_sums_must_add_up():
    """What contradicts itself is no table, and no pass."""
    with pytest.raises(InputError, match="add up"):
        _audit([25, 1, 3, 20], [])


def test_an_empty_cell_that_all_know_is_never_chosen():
    """What is fixed has no room to move, in either direction, and no price makes it withheld."""
    counts = np.array([24, 1, 0, 23])
    fixed = counts == 0
    problem = Problem(
        LAYOUT, counts, (counts > 0) & (counts < 5), weights(counts, "cells"), Requirement(5, 1), fixed
    )

    assert [23, 0, 0, 22] == problem.room_below.tolist()


def test_what_loss_is_can_be_said():
    """One a cell, its persons, or the bits of its count."""
    counts = np.array([0, 1, 7, 8])

    assert [1, 1, 1, 1] == weights(counts, "cells").tolist()
    assert [1, 1, 7, 8] == weights(counts, "persons").tolist()
    assert [1, 2, 4, 5] == weights(counts, "information").tolist()


def test_the_choice_proves_what_is_sensitive_and_what_could_pass_for_it():
    """A sensitive cell of any size, and one below twice the minimum less one, owe a proof once they are withheld."""
    counts = np.array([41, 8, 9, 24])
    sensitive = np.array([False, False, False, True])
    none = np.zeros(4, dtype=bool)
    problem = Problem(LAYOUT, counts, sensitive, weights(counts, "cells"), FIVE, none)

    assert [False, True, False, True] == [problem.must_be_wide(cell) for cell in range(4)]
