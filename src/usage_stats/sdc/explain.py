"""An exposed cell and the sums that pin it down → a sentence.

Belongs here: words. They quote codes and published counts of the table, which its reader has. Does not: finding out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from usage_stats.sdc.audit import TableAudit, View
from usage_stats.sdc.audit_magnitudes import SumsAudit
from usage_stats.sdc.relations import Layout

__all__ = ["explained", "explained_sums"]

_MOST_SUMS = 4  # more would not be read


def explained(layout: Layout, view: View, report: TableAudit, most: int) -> list[str]:
    """A sentence for each of the first exposed cells."""
    at = [int(i) for i in np.flatnonzero(report.exposed)[:most]]
    return [_sentence(layout, view, report, i) for i in at]


def explained_sums(layout: Layout, audits: Mapping[str, SumsAudit], most: int) -> list[str]:
    """A sentence for each of the first exposed sums."""
    return [
        f"{_name(layout, int(found.cells[i]))}: {name} lies between {found.low[i]:,.6g} and {found.high[i]:,.6g}"
        for name, found in audits.items()
        for i in np.flatnonzero(found.exposed)[:most]
    ]


def _sentence(layout: Layout, view: View, report: TableAudit, at: int) -> str:
    cell, low, high = int(report.cells[at]), int(report.low[at]), int(report.high[at])
    between = f"is {low}" if low == high else f"lies between {low} and {high}"
    rows = report.reasons.get(cell, ())
    sums = [_sum_in_words(layout, view, row) for row in rows[:_MOST_SUMS]]
    more = f" and {len(rows) - _MOST_SUMS} more sum(s)" if len(rows) > _MOST_SUMS else ""
    why = "; ".join(sums) + more if sums else "no count is below zero"
    return f"{_name(layout, cell)} {between}: {why}"


def _sum_in_words(layout: Layout, view: View, row: int) -> str:
    members = view.sums.cells[view.sums.start[row] : view.sums.start[row + 1]].tolist()
    whole, parts = members[0], members[1:]
    hidden = [c for c in parts if view.withheld[c]]
    known = sum(int(view.counts[c]) for c in parts if not view.withheld[c])
    left = " + ".join(_name(layout, c) for c in hidden) or "its parts"
    rest = f"{left} + {known}" if known and hidden else (left if hidden else str(known))
    total = (
        _name(layout, whole) if view.withheld[whole] else f"{int(view.counts[whole])} {_name(layout, whole)}"
    )
    return f"{total} = {rest}"


def _name(layout: Layout, cell: int) -> str:
    return "(" + ", ".join(layout.codes(cell)) + ")"
