"""How much of a withheld figure must stay in doubt, and what a reader sees of a table.

Belongs here: the two notions that choosing and auditing have in common. Does not: either of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from usage_stats.measure.relations import CellKey

__all__ = ["Requirement", "View"]

# What a reader sees of a cell: (visitors, visits, page_views), or None where it is withheld.
View = Mapping[CellKey, tuple[int, int, int] | None]


@dataclass(frozen=True, slots=True)
class Requirement:
    """An attacker's interval is at least `persons` wide, and at least `share` of its upper end."""

    persons: int
    share: float

    def width(self, high: float) -> int:
        """The width that an interval reaching up to `high` needs."""
        return max(self.persons, math.ceil(self.share * high))
