"""A protected table, the policy and the facts around it → a release; there is no other way to make one.

Belongs here: the last checks before figures leave, and the record of what they rest on. Does not: writing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from usage_stats.config import Thresholds
from usage_stats.errors import PolicyViolation
from usage_stats.measure.cube import Cube, written
from usage_stats.measure.relations import CellKey, Overlaps, Relation
from usage_stats.periods import Period
from usage_stats.policy import Policy, Use
from usage_stats.protect.protected_table import ProtectedTable
from usage_stats.release.differencing import check_differences, check_minimum, check_overlaps

__all__ = ["Facts", "Release", "Row", "basis_shares", "open_gate", "policy_versions"]

# period, component, sub_component, by what it is broken down further, visitors, visits, page views, status
Row = tuple[str, str, str, str, int | None, int | None, int | None, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a release rests on, as told to its readers.

    Attributes:
        site: whose figures. time_zone: in which days begin and end.
        thresholds: the minimum persons and networks, the protection share.
        policy_versions: the versions of the privacy policy in force on the period's days.
        identity_basis_shares: rounded shares of visitors by basis; None where there are too few visitors.
        robot_lists: which lists decided who is a robot.
        software: name and version.
        lists: which lists decided on codes of further dimensions, by dimension.
        days_without_lines: days of the period on which a log had no line, accepted by the operator.
    """

    site: str
    time_zone: str
    thresholds: Thresholds
    policy_versions: tuple[str, ...]
    identity_basis_shares: Mapping[str, float] | None
    robot_lists: str
    software: str
    days_without_lines: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """One period as it may leave: the figures of every cell of the cube, of which tables are cut.

    `overlaps`: by how much the visitors of parts exceed a whole's, where a reader may guess that; never published.
    """

    period: Period
    rows: tuple[Row, ...]
    facts: Facts
    overlaps: Overlaps = field(default_factory=dict)

    @property
    def withheld(self) -> int:
        return sum(row[-1] == "suppressed" for row in self.rows)

    def view(self) -> dict[CellKey, tuple[int, int, int] | None]:
        """What a reader has: the figures of published cells, None for withheld ones."""
        return {
            CellKey(*row[:4]): None if row[-1] == "suppressed" else row[4:7]  # type: ignore[misc] # only suppressed rows hold None
            for row in self.rows
        }


def open_gate(
    protected: ProtectedTable,
    *,
    cube: Cube,
    period: Period,
    pairs: Sequence[tuple[CellKey, CellKey]],
    facts: Facts,
    relations: Sequence[Relation] = (),
    overlaps: Overlaps | None = None,
) -> Release:
    """Make the release, after the checks that depend on nothing but what a reader gets.

    Raises:
        DifferencingFailed: two figures side by side, or one alone, would single out too few.
    """
    view = {**protected.context, **protected.view()}
    check_minimum(protected.view(), facts.thresholds.minimum_persons)
    check_differences(view, pairs, facts.thresholds.minimum_persons)
    news = [r for r in relations if not {r.whole, *r.parts}.isdisjoint(protected.cells)]
    check_overlaps(view, news, facts.thresholds.minimum_persons)
    published = "incomplete" if facts.days_without_lines else "published"
    shown, rows = protected.view(), []
    for category in cube.categories:
        figures = shown[CellKey(period.code, *category)]
        values = figures or (None, None, None)
        rows.append((period.code, *written(category), *values, published if figures else "suppressed"))
    return Release(period=period, rows=tuple(rows), facts=facts, overlaps=overlaps or {})


def policy_versions(policy: Policy, days: Sequence[date], use: Use) -> tuple[str, ...]:
    """The policy versions in force on the days, all of which allow the use.

    Raises:
        PolicyViolation: a day has no version in force, or one that does not allow the use.
    """
    refusal = policy.refusal(days, use)
    if refusal:
        raise PolicyViolation(str(refusal))
    return tuple(policy.on(days))


def basis_shares(counts: Mapping[str, int], minimum_persons: int) -> dict[str, float] | None:
    """Shares of visitors by identity basis, so coarse that no share tells a count; None if none is coarse enough.

    A share is a multiple of a step that stands for at least twice the minimum persons: share times visitors
    then leaves at least that many in doubt, also when the shares of two periods are compared.
    """
    total = sum(counts.values())
    step = next((s for s in (0.05, 0.1, 0.2, 0.25, 0.5) if s * total >= 2 * minimum_persons), None)
    if step is None:
        return None
    bases = ("account", "cookie", "address")
    return {basis: round(round(counts.get(basis, 0) / total / step) * step, 2) for basis in bases}
