"""Cells and a passed audit → a protected table: the only thing a release can be made from.

Belongs here: the type that proves that protection took place. Does not: protecting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from usage_stats.errors import AuditFailed, InternalError
from usage_stats.measure.cells import Counts
from usage_stats.measure.relations import CellKey
from usage_stats.protect.audit import AuditReport, view_digest
from usage_stats.protect.requirement import View

__all__ = ["CellStatus", "ProtectedTable"]

CellStatus = Literal["safe", "primary", "secondary", "zero"]


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    """One period's cells with their statuses, and the audit of all that a reader then has.

    Attributes:
        cells: the confidential counts.
        statuses: `safe` and `zero` cells are published, `primary` and `secondary` ones withheld.
        context: what a reader already had when the audit was made (earlier related releases).
        report: the audit of context and new view together; it must be of exactly these, and passed.

    Raises:
        AuditFailed: the report shows exposed cells.
        InternalError: the report is of something else.
    """

    cells: Mapping[CellKey, Counts]
    statuses: Mapping[CellKey, CellStatus]
    context: View
    report: AuditReport

    def __post_init__(self) -> None:
        if set(self.cells) != set(self.statuses):
            raise InternalError("cells and statuses differ in their keys: this is a bug")
        if self.report.digest != view_digest({**self.context, **self.view()}):
            raise InternalError("the audit report is of another table: this is a bug")
        if not self.report.passed:
            raise AuditFailed(
                f"{len(self.report.exposed)} withheld cells of {len(self.cells)} could be worked out; "
                "nothing is released"
            )

    def view(self) -> dict[CellKey, tuple[int, int, int] | None]:
        """What a reader gets: the figures of published cells, None for withheld ones."""
        return {
            key: (c.visitors, c.visits, c.page_views) if self.statuses[key] in {"safe", "zero"} else None
            for key, c in self.cells.items()
        }
