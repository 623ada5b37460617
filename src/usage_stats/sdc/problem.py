"""A table's counts and what is sensitive in it → the question which further cells to withhold.

Belongs here: the confidential side, as numbers. Does not: answering.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from usage_stats.sdc.relations import Floats, Ints, Layout, Mask, Sums, sums_of
from usage_stats.sdc.requirement import Requirement

__all__ = ["Problem", "weights"]

MINIMISE = ("information", "cells", "persons")


@dataclass(frozen=True)
class Problem:
    """Counts of all cells of a layout, the sensitive ones among them and what withholding each one costs.

    Attributes:
        layout: the cells.
        counts: persons in each.
        sensitive: the cells that may not be published.
        weight: what withholding a cell costs, above zero.
        requirement: what must stay in doubt.
        fixed: cells that everybody knows and that are never withheld.
        for_contributors: whether each reader may be in a cell, and so know that it is not empty.
    """

    layout: Layout
    counts: Ints
    sensitive: Mask
    weight: Floats
    requirement: Requirement
    fixed: Mask
    for_contributors: bool = False

    @cached_property
    def sums(self) -> Sums:
        return sums_of(self.layout.shape, [d.families for d in self.layout.dimensions])

    @cached_property
    def room_below(self) -> Ints:
        """How far a reader who takes the least for possible can think a withheld cell down."""
        room = np.maximum(self.counts - self.least, 0)
        return np.where(self.fixed, 0, room)

    @cached_property
    def least(self) -> Ints:
        """What each cell stays at least, in every table that proves anything: 1 for all contributors at once."""
        known = np.full(len(self.counts), self.requirement.least, dtype=np.int64)
        return np.maximum(known, np.minimum(self.counts, 1)) if self.for_contributors else known

    @property
    def room_above(self) -> int:
        """Standing for "as far as you like": no move of a few persons goes further."""
        return 50 * self.requirement.persons

    def must_be_wide(self, cell: int) -> bool:
        """Whether a cell, once withheld, needs a wide interval whatever else is known."""
        return bool(self.sensitive[cell]) or self.requirement.is_doubtful(int(self.counts[cell]))


def weights(counts: Ints, minimise: str) -> Floats:
    """What withholding each cell costs: one, its persons, or by default something between (the bits of its count)."""
    if minimise == "cells":
        return np.ones(len(counts))
    if minimise == "persons":
        return np.maximum(counts, 1).astype(float)
    bits: Floats = 1.0 + np.ceil(np.log2(1.0 + counts))
    return bits
