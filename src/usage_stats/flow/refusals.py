"""What the policy keeps back ↔ entries of the release ledger: one per period and use, for good.

Belongs here: writing refusals down once, and reading them back. Does not: deciding on them (policy).
"""

from __future__ import annotations

from datetime import date

from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period
from usage_stats.policy import Refusal

__all__ = ["Refusals"]


class Refusals:
    """The refusals on record, by the code of the period."""

    def __init__(self, workspace: Workspace) -> None:
        self._ledger = workspace.released
        self._known: dict[str, dict[str, Refusal]] = {}
        for e in self._ledger.entries():
            if e["event"] == "forbidden":
                refusal = Refusal(e["use"], date.fromisoformat(e["day"]), e["version"], e["sentence"])
                self._known.setdefault(e["period"], {})[refusal.use] = refusal

    def of(self, period: Period) -> tuple[Refusal, ...]:
        return tuple(self._known.get(period.code, {}).values())

    def record(self, period: Period, refusal: Refusal) -> None:
        """Write a refusal down, with the version and its sentence, unless it is on record."""
        if refusal.use in self._known.get(period.code, {}):
            return
        said = {"version": refusal.version, "sentence": refusal.sentence, "day": refusal.day.isoformat()}
        self._ledger.append({"event": "forbidden", "period": period.code, "use": refusal.use, **said})
        self._known.setdefault(period.code, {})[refusal.use] = refusal
