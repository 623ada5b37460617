"""A relation and what a reader sees of it → whether the parts exceed their whole by too few.

Distinct visitors are not additive: the sum of the parts less the whole counts those who were in several parts. All
parts published, the reader knows that number; if it is small, it singles out the few who came on two days or saw
two components.

Belongs here: that one comparison. Does not: what to do about it.
"""

from __future__ import annotations

from usage_stats.measure.relations import ADDITIVE_OVER, MEASURES, Relation
from usage_stats.protect.requirement import View

__all__ = ["has_thin_overlap"]


def has_thin_overlap(relation: Relation, view: View, minimum: int) -> bool:
    """Whether visitors or visits of all parts exceed those of the whole by at least 1 and less than the minimum."""
    whole, parts = view.get(relation.whole), [view.get(part) for part in relation.parts]
    if whole is None:
        return False
    shown = [part for part in parts if part is not None]
    if len(shown) < len(parts):
        return False
    excess = [
        sum(part[i] for part in shown) - whole[i]
        for i, measure in enumerate(MEASURES)
        if relation.dimension not in ADDITIVE_OVER[measure]
    ]
    return any(0 < n < minimum for n in excess)
