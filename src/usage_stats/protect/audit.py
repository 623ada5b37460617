"""What a reader gets → how far each withheld figure can be worked out, and whether that is too far.

Belongs here: the attacker's judgement, from published figures, rules and relations alone. Does not: knowing
what was withheld for which reason, or choosing anything. It shares the statement of relations and the solver
with the choice of suppressions, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from usage_stats.errors import SolverError
from usage_stats.ledger import canonical_json
from usage_stats.measure.relations import (
    MEASURES,
    CellKey,
    Constraint,
    Measure,
    Relation,
    Variable,
    constraints,
)
from usage_stats.protect.requirement import Requirement
from usage_stats.protect.solver import MAX_UNKNOWNS, System, systems

__all__ = ["AuditReport", "Interval", "Shown", "audit", "unbounded", "view_digest"]

# What a reader sees of each cell: a `View`, or less: a table may show only some figures of a published cell.
Shown = Mapping[CellKey, tuple[int | None, ...] | None]


@dataclass(frozen=True, slots=True)
class Interval:
    """What an attacker can deduce of a withheld measure: it lies in low..high."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The deduced intervals of every withheld cell, and the cells that are exposed; bound to what was read."""

    digest: str
    intervals: Mapping[CellKey, Mapping[Measure, Interval]]
    exposed: tuple[CellKey, ...]

    @property
    def passed(self) -> bool:
        return not self.exposed


def view_digest(view: Shown) -> str:
    """A digest of what a reader sees, so that a report cannot be shown for another table."""
    rows = [[*key, list(figures) if figures else None] for key, figures in sorted(view.items())]
    return hashlib.sha256(canonical_json(rows).encode()).hexdigest()


def audit(
    view: Shown,
    relations: Sequence[Relation],
    requirement: Requirement,
    *,
    about: Collection[CellKey] = (),
    context: Shown | None = None,
    sensitive: Collection[CellKey] = (),
    besides: Sequence[Constraint] = (),
) -> AuditReport:
    """Attack every withheld cell of the view.

    A withheld cell is known to hold at least one page view, for empty cells are published as zero. It is
    exposed if any of its measures can be pinned down more closely than the requirement allows, or its persons
    can be bounded below the minimum; unless it is surely about enough persons, and not said to be sensitive.

    Args:
        view: every cell the reader has, published or withheld.
        relations: how the cells hang together.
        requirement: what must stay in doubt.
        about: the new cells, if any: only what hangs together with them is attacked again.
        context: what the reader had before, if anything. A cell that was no better protected then, because
            the thresholds were lower, is not held against the new cells unless they narrow it further.

        sensitive: cells that must stay in doubt even if they are surely about enough persons, such as those
            of a single network. A partner who audits does not know them.
        besides: what else the reader knows of the cells, such as ratios of figures that are not shown. A figure that is
            not shown of a published cell is taken to be one at least.

    Raises:
        SolverError: a linear program was not solved; that is no pass.
    """
    intervals = _intervals(view, relations, about, besides)
    must = set(sensitive)
    exposed = [
        key
        for key in sorted(intervals)
        if view[key] is None
        and (key in must or intervals[key]["visitors"].low < requirement.persons)
        and _is_exposed(intervals[key], requirement)
    ]
    if context and any(key in context for key in exposed):
        within = [r for r in relations if {r.whole, *r.parts} <= set(context)]
        before = _intervals(context, within, (), besides)
        exposed = [key for key in exposed if intervals[key] != before.get(key)]
    return AuditReport(view_digest(view), intervals, tuple(exposed))


def _intervals(
    view: Shown, relations: Sequence[Relation], about: Collection[CellKey], besides: Sequence[Constraint]
) -> dict[CellKey, dict[Measure, Interval]]:
    intervals: dict[CellKey, dict[Measure, Interval]] = {}
    for system in _attacked(view, relations, about, besides):
        for variable in system.variables:
            intervals.setdefault(variable.cell, {})[variable.measure] = Interval(*system.bounds(variable))
    return intervals


def _attacked(
    view: Shown, relations: Sequence[Relation], about: Collection[CellKey], besides: Sequence[Constraint]
) -> Iterable[System]:
    hidden = sorted(key for key, figures in view.items() if figures is None or None in figures)
    known = {
        Variable(key, measure): figure
        for key, figures in view.items()
        for measure, figure in zip(MEASURES, figures or (), strict=False)
        if figure is not None
    }
    unknown = set(hidden)
    telling = [r for r in relations if r.whole in unknown or not unknown.isdisjoint(r.parts)]
    rows = [*constraints(telling, hidden), *besides]
    ceiling = unbounded(known.values())
    touched = _touching(relations, set(about)) | set(about)
    told = _touching(relations, {key for key in about if view.get(key) not in {None, (0, 0, 0)}})
    for system in systems(rows, known, floor=1, ceiling=ceiling):
        if len(system.variables) > MAX_UNKNOWNS and about:
            if any(v.cell in told for v in system.variables):
                raise SolverError(
                    f"a system of {len(system.variables)} unknowns is too large to be checked, and new figures bear "
                    "on it: they are not released"
                )
        elif not about or any(v.cell in touched for v in system.variables):
            yield system


def _touching(relations: Iterable[Relation], about: set[CellKey]) -> set[CellKey]:
    """The cells that share a relation with one of the new cells: the news may tell about them."""
    groups = [{r.whole, *r.parts} for r in relations]
    return {key for group in groups if group & about for key in group}


def unbounded(values: Iterable[int]) -> int:
    """A number beyond anything the published figures allow, standing for "no upper bound"."""
    return 1_000 + 2 * sum(values)


def _is_exposed(found: Mapping[Measure, Interval], requirement: Requirement) -> bool:
    narrow = any(i.high - i.low < requirement.width(i.high) for i in found.values())
    return narrow or found["visitors"].high < requirement.persons
