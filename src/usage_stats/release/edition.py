"""What was decided of a folder after its delivery → the edition of it that is in force: restated, or withdrawn.

Belongs here: what an edition is, and what a restatement must not do. Does not: who decided it, or writing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from usage_stats.errors import DifferencingFailed
from usage_stats.measure.relations import CellKey

__all__ = ["Edition", "check_restatement"]


@dataclass(frozen=True, slots=True)
class Edition:
    """A folder's edition after the first.

    Attributes:
        event: `restated`, the recorded figures once more; `withdrawn`, none at all.
        number: 2 for the first after the delivery, and so on.
        reason: in one line, as told to the partner. on: the day, as 2026-11-21.
        supersedes: SHA-256 of the `datapackage.json` that it takes the place of.
    """

    event: Literal["restated", "withdrawn"]
    number: int
    reason: str
    on: str
    supersedes: str

    @property
    def is_withdrawn(self) -> bool:
        return self.event == "withdrawn"

    @property
    def told(self) -> dict[str, Any]:
        """What the package says of it."""
        said = {"number": self.number, "on": self.on, "reason": self.reason, "supersedes": self.supersedes}
        return {"withdrawal" if self.is_withdrawn else "restatement": said}


def check_restatement(
    before: Mapping[CellKey, tuple[int | None, ...] | None],
    after: Mapping[CellKey, tuple[int | None, ...] | None],
    *,
    table: str,
    period: str,
) -> None:
    """Hold a restatement to what is out: no figure is another, and none is withheld that was out, or the other way.

    Whoever keeps the old folder subtracts. By then nobody can tell how many persons a difference is about, for their
    pseudonyms are gone: so there may be none. A cell or a figure that only one of the two shows is no difference: all
    cells of a period were protected together, whichever table shows them (docs/adr/0021).

    Raises:
        DifferencingFailed: names the table and the period, no cell and no figure.
    """
    both = before.keys() & after.keys()
    changed = sum(_differs(before[key], after[key]) for key in both)
    if changed:
        raise DifferencingFailed(
            f"{table}, {period}: {changed} of {len(both)} rows would differ from what is out, and the difference could "
            "tell of a few persons: it is not restated. Withdraw it instead (`usage-stats withdraw`)"
        )


def _differs(before: tuple[int | None, ...] | None, after: tuple[int | None, ...] | None) -> bool:
    if before is None or after is None:
        return (before is None) != (after is None)
    return any(a != b for a, b in zip(before, after, strict=True) if a is not None and b is not None)
