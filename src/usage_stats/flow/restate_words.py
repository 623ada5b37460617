"""A plan to withdraw or restate, what was, and what is not ended → plain words for a terminal.

Belongs here: what people read. Does not: finding anything out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from usage_stats.config import OPENS_TABLE

if TYPE_CHECKING:  # `status` needs neither the plan's module nor the libraries behind it
    from usage_stats.flow.restate import Plan

__all__ = ["describe_changes", "describe_plan", "describe_unfinished"]

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


def describe_changes(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Of each period, what was withdrawn or restated: a label, and from whom, when and why."""
    return [
        (
            change["event"],
            f"{row['period']}, {change['table']}, {_whose(change)} ({change['on']}): {change['reason']}",
        )
        for row in rows
        for change in row.get("changes", ())
    ]


def describe_unfinished(left: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """What readers still find where something else is in force, and what to do."""
    named = [(one["event"], f"{one['place']}: not yet replaced") for one in left]
    return [*named, ("", "run `usage-stats run` now: it ends what was cut off")] if named else []


def _whose(change: Mapping[str, Any]) -> str:
    return "for everybody" if change["for_all"] else f"for {', '.join(change['partners'])}"
