"""A plan to withdraw or restate → plain words for a terminal.

Belongs here: what people read. Does not: finding anything out.
"""

from __future__ import annotations

from usage_stats.config import OPENS_TABLE
from usage_stats.flow.restate import Plan

__all__ = ["describe_plan"]

_DOES = {
    "withdrawn": "its figures are replaced by a notice: same columns, no rows",
    "restated": "it is written again from the record, as a new edition",
}
_WARNS = {
    "withdrawn": "What readers copied stays with them, and later figures are protected as if all knew it for ever.",
    "restated": "Figures stay the same: a difference could tell of a few persons.",
}


def describe_plan(plan: Plan, *, executed: bool) -> str:
    """What happens to which folders; at the end how to have it done, if it is not."""
    change = plan.change
    lines = [
        f"{change.event:<11}{change.table}, {plan.period.code}: edition {plan.number}, because: {change.reason}"
    ]
    lines += [f"{'folder':<11}{partner}: {_DOES[change.event]}" for partner in sorted(plan.folders)]
    if plan.for_all:
        rows = "its rows go" if change.event == "withdrawn" else "its rows are there"
        also = "" if change.table == OPENS_TABLE else "; partners to come are treated like the others"
        lines.append(f"{'analysts':<11}{rows}{also}")
    lines.append(f"{'note':<11}{_WARNS[change.event]}")
    if executed:
        lines.append(f"{'done':<11}recorded in the ledger of releases")
    else:
        lines.append(f"{'to do it':<11}the same command with --execute {plan.digest}")
    return "\n".join(lines)
