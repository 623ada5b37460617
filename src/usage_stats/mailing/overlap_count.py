"""How many addresses two lists share → the one number that the other company may be told, or none.

Belongs here: the rule for a single count, as a pure function of what was drawn. Does not: how often a company may
ask (flow/compare_lists). docs/adr/0014 argues the rule.
"""

from __future__ import annotations

import math
from random import Random
from typing import Final

__all__ = ["SMALLEST", "SPAN", "deduction_weights", "draw_deduction", "told_count"]

# In multiples of the minimum persons. A count is lowered by up to SPAN minima, four on average: one address more or
# less then moves the odds of any answer by a factor of at most e^(1/minimum), but for a remainder of 1 %/minimum.
SPAN: Final = 8
# Below: with one minimum on both lists, one on either list alone and the span between, no answer could be a number.
SMALLEST: Final = SPAN + 2


def deduction_weights(minimum: int) -> list[float]:
    """The relative frequency of each deduction, from 0 to `SPAN` minima: falls by e^(-1/minimum) per step from the
    middle. Source: the truncated geometric mechanism; docs/adr/0014.
    """
    middle = SPAN // 2 * minimum
    return [math.exp(-abs(deducted - middle) / minimum) for deducted in range(SPAN * minimum + 1)]


def draw_deduction(minimum: int, random: Random) -> int:
    """How much a count is lowered by; drawn anew for each that is told."""
    weights = deduction_weights(minimum)
    return random.choices(range(len(weights)), weights)[0]


def told_count(overlap: int, *, sizes: tuple[int, int], minimum: int, deducted: int) -> int | None:
    """A number that the overlap reaches at least, a multiple of the minimum, or None: withheld.

    Everything but the sizes enters by `overlap - deducted` alone, so that what holds of its odds holds of the answer.
    A number implies that at least the minimum persons are on both lists, and at least as many on each list alone.
    """
    at_least = overlap - deducted
    at_most = at_least + SPAN * minimum
    if at_least < minimum or at_most > min(sizes) - minimum:
        return None
    return at_least // minimum * minimum
