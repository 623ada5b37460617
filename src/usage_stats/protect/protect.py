"""A period's cells and what was released before → a protected table, audited.

Belongs here: the order: primary, secondary, audit. Does not: files, clocks, partners.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from usage_stats.config import Thresholds
from usage_stats.measure.cells import Counts
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.relations import CellKey, Relation
from usage_stats.protect.audit import audit
from usage_stats.protect.primary import is_enough, primary_cells, rules_of
from usage_stats.protect.protected_table import CellStatus, ProtectedTable
from usage_stats.protect.requirement import Requirement, View
from usage_stats.protect.secondary import Problem, choose_withheld

__all__ = ["protect_period"]


def protect_period(
    cells: Mapping[CellKey, Counts],
    *,
    history: View,
    relations: Sequence[Relation],
    pairs: Sequence[tuple[CellKey, CellKey]],
    crowd: Crowd,
    thresholds: Thresholds,
    sensitive_before: Collection[CellKey] = (),
) -> ProtectedTable:
    """Withhold what must be withheld, and prove it.

    Args:
        cells: the period's confidential counts, all categories.
        history: related cells already released, as readers have them.
        relations: how cells and history hang together.
        pairs: (part, whole) cells between which a small difference would single people out.
        crowd: counts the persons and networks behind sets of these cells.
        sensitive_before: the cells of the history that were withheld for themselves.
        thresholds: the minimum persons, networks and protection share.

    Raises:
        AuditFailed: no choice of cells is safe. SolverError: a check could not be completed.
    """
    rules = rules_of(thresholds)
    requirement = Requirement(thresholds.minimum_persons, thresholds.protection_share)

    def allowed(keys: Collection[CellKey]) -> bool:
        persons, networks = crowd.behind(keys)
        return is_enough(persons, networks, rules)

    primary = frozenset(primary_cells(cells, rules))
    problem = Problem(cells, primary, history, relations, pairs, requirement, allowed, sensitive_before)
    withheld = choose_withheld(problem)
    statuses = {key: _status(key, counts, primary, withheld) for key, counts in cells.items()}
    view = {
        key: None if key in withheld else (c.visitors, c.visits, c.page_views) for key, c in cells.items()
    }
    sensitive = primary.union(sensitive_before)
    report = audit(
        {**history, **view}, relations, requirement, about=list(cells), context=history, sensitive=sensitive
    )
    return ProtectedTable(cells, statuses, history, report)


def _status(
    key: CellKey, counts: Counts, primary: Collection[CellKey], withheld: Collection[CellKey]
) -> CellStatus:
    if key in primary:
        return "primary"
    if key in withheld:
        return "secondary"
    return "safe" if counts.visitors else "zero"
