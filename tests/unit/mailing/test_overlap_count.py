import random

import pytest

from usage_stats.mailing.overlap_count import SMALLEST, SPAN, deduction_weights, draw_deduction, told_count

MINIMA = [1, 2, 5, 10]


@pytest.mark.parametrize("minimum", MINIMA)
def test_a_number_is_true_and_rests_on_enough_persons(minimum):
    """Of all small lists and draws: a multiple of the minimum that the overlap reaches, within the span; at least the
    minimum on both lists, and on each alone.
    """
    sizes = range(0, 14 * minimum, max(1, minimum // 2))
    for ours in sizes:
        for theirs in sizes:
            for overlap in range(min(ours, theirs) + 1):
                for deducted in range(0, SPAN * minimum + 1, max(1, minimum // 3)):
                    told = told_count(overlap, sizes=(ours, theirs), minimum=minimum, deducted=deducted)
                    if told is None:
                        continue
                    assert told % minimum == 0
                    assert minimum <= told <= overlap < told + (SPAN + 1) * minimum
                    assert min(ours, theirs) - overlap >= minimum
                    assert min(ours, theirs) >= SMALLEST * minimum


@pytest.mark.parametrize("minimum", MINIMA)
def test_lists_of_the_smallest_size_can_get_a_number(minimum):
    """The bound on sizes is no larger than the rule needs."""
    size = SMALLEST * minimum

    def told(size):
        overlaps, deductions = range(size + 1), range(SPAN * minimum + 1)
        return {
            told_count(n, sizes=(size, size), minimum=minimum, deducted=d)
            for n in overlaps
            for d in deductions
        }

    assert {None, minimum} == told(size)
    assert {None} == told(size - 1)


def test_enough_in_common_gets_a_number_whatever_is_drawn():
    """Large lists are always answered: the rule costs exactness, not the answer."""
    told = {told_count(5000, sizes=(9000, 8000), minimum=10, deducted=d) for d in range(81)}

    assert None not in told
    assert (4920, 5000) == (min(told), max(told))


def test_draws_follow_the_weights():
    """Of many draws, each deduction is as frequent as its weight, within six standard deviations."""
    weights, draws = deduction_weights(2), 20_000
    drawn = [draw_deduction(2, random.Random(n)) for n in range(draws)]

    for deducted, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(drawn.count(deducted) - draws * share) <= 6 * (draws * share) ** 0.5 + 1
