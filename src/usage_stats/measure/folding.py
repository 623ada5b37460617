"""Bins in order and what each rests on → the bins that are published: high ones folded downward until each is safe.

Belongs here: which bins become one, and which stored codes a published one stands for. Does not: counting, judging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from usage_stats.dimensions import DIMENSIONS, bin_code
from usage_stats.measure.cube import Category, Cube, by_of, cell_of

__all__ = ["fold", "folded", "shown_as", "stored_as", "stored_categories"]

# Bins that become one, by the places of the first and the last.
_Bins = list[tuple[int, int]]


def fold(name: str, is_safe: Callable[[int, int], bool]) -> tuple[str, ...]:
    """The codes of a dimension's bins, so that each is safe to publish, or there is one left.

    Args:
        name: the dimension.
        is_safe: whether the bins from one place to another, both inclusive, are about nobody or about enough, together.
    """
    bins: _Bins = []
    high = len(DIMENSIONS[name].bins) - 1
    while high >= 0:
        low = high
        while low > 0 and not is_safe(low, high):  # and with each bin, every tail, which is made of such
            low -= 1
        bins.insert(0, (low, high))
        high = low - 1
    while len(bins) > 1 and not is_safe(*bins[0]):
        bins[:2] = [(bins[0][0], bins[1][1])]
    return tuple(bin_code(name, *both) for both in bins)


def folded(cube: Cube, codes: Mapping[str, Sequence[str]]) -> Cube:
    """The cube with other codes for some dimensions of bins."""
    further = []
    for category in cube.further:
        by = by_of(category)
        for name in codes.keys() & by.keys():
            by[name] = shown_as(name, codes[name])[by[name]]
        further.append(cell_of(category, by))
    return Cube(cube.parts_of, cube.periods, tuple(dict.fromkeys(further)))


def shown_as(name: str, codes: Sequence[str]) -> dict[str, str]:
    """Each stored code of a dimension of bins → the published one that it is part of."""
    return {stored: shown for shown in codes for stored in stored_as(name, shown)}


def stored_as(name: str, code: str) -> tuple[str, ...]:
    """The stored codes that a published one of a dimension stands for: itself, or several bins."""
    single = DIMENSIONS[name].codes
    if not DIMENSIONS[name].bins or code in single:
        return (code,)
    number = len(single)
    low, high = next(
        (low, high)
        for low in range(number)
        for high in range(low, number)
        if bin_code(name, low, high) == code
    )
    return single[low : high + 1]


def stored_categories(category: Category) -> tuple[Category, ...]:
    """The categories of usage rows that a published one is made of."""
    found = [cell_of(category, {})]
    for name, code in by_of(category).items():
        found = [cell_of(c, by_of(c) | {name: stored}) for c in found for stored in stored_as(name, code)]
    return tuple(found)
