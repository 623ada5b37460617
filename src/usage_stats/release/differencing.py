"""Published figures side by side → refused where one less the other would single out too few persons.

Belongs here: the check on what a reader gets, made anew, whatever the choice of suppressions thought of.
Does not: choosing what to withhold.
"""

from __future__ import annotations

from collections.abc import Iterable

from usage_stats.errors import DifferencingFailed
from usage_stats.measure.relations import CellKey, Relation
from usage_stats.protect.overlap import has_thin_overlap
from usage_stats.protect.requirement import View

__all__ = ["check_differences", "check_minimum", "check_overlaps"]


def check_minimum(view: View, minimum_persons: int) -> None:
    """Every published figure is about nobody or about enough persons.

    Raises:
        DifferencingFailed: one is not.
    """
    thin = [key for key, figures in view.items() if figures and 0 < figures[0] < minimum_persons]
    if thin:
        raise DifferencingFailed(f"{_place(thin[0])}: a figure about fewer than {minimum_persons} persons")


def check_differences(view: View, pairs: Iterable[tuple[CellKey, CellKey]], minimum_persons: int) -> None:
    """No published whole exceeds a published part of it by fewer than the minimum persons, unless by none.

    Raises:
        DifferencingFailed: one does; names the two cells, not the figures.
    """
    for part, whole in pairs:
        smaller, larger = view.get(part), view.get(whole)
        if smaller and larger and 0 < larger[0] - smaller[0] < minimum_persons:
            raise DifferencingFailed(
                f"{_place(whole)} less {_place(part)} would tell of fewer than {minimum_persons} persons; "
                "nothing is released for this period"
            )


def check_overlaps(view: View, relations: Iterable[Relation], minimum_persons: int) -> None:
    """No published whole is exceeded by its published parts by fewer than the minimum, unless by none.

    Raises:
        DifferencingFailed: one is; names the whole, not the figures.
    """
    for relation in relations:
        if relation.complete and has_thin_overlap(relation, view, minimum_persons):
            raise DifferencingFailed(
                f"{_place(relation.whole)}: its parts exceed it by fewer than {minimum_persons}; nothing is released "
                "for this period"
            )


def _place(key: CellKey) -> str:
    further = f", {key.by}" if key.by else ""
    return f"period {key.period}, component {key.component}, sub-component {key.sub_component}{further}"
