"""Sensitive cells → the further cells to withhold so that no sum, difference or bound gives them away.

Belongs here: choosing. It is greedy and deterministic: whatever is still in danger is answered by withholding
the cheapest helpful cell, until nothing is; then everything that turns out not to be needed is published again.
Withholding all new cells always ends it, for what was out before was safe. Does not: the last word; the
audit has that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from usage_stats.errors import AuditFailed
from usage_stats.measure.cells import Counts
from usage_stats.measure.relations import MEASURES, CellKey, Relation, Variable, constraints
from usage_stats.periods import parse_period
from usage_stats.protect.overlap import has_thin_overlap
from usage_stats.protect.remainder import known_cells, remainders
from usage_stats.protect.requirement import Requirement, View
from usage_stats.protect.solver import MAX_UNKNOWNS, System, systems

__all__ = ["Problem", "choose_withheld"]


@dataclass(frozen=True)
class Problem:
    """A new period's cells, beside what was published before.

    Attributes:
        cells: the new cells with their confidential counts.
        primary: the sensitive ones among them.
        history: the related cells already released: their figures, or None where withheld.
        relations: how all of these hang together.
        pairs: (part, whole) wherever the persons of one cell are among those of the other.
        requirement: what must stay in doubt.
        sensitive_before: the cells of the history that were withheld for themselves.
        remainder_allowed: whether cells, taken together, rest on enough persons and networks.
    """

    cells: Mapping[CellKey, Counts]
    primary: frozenset[CellKey]
    history: Mapping[CellKey, tuple[int, int, int] | None]
    relations: Sequence[Relation]
    pairs: Sequence[tuple[CellKey, CellKey]]
    requirement: Requirement
    remainder_allowed: Callable[[Collection[CellKey]], bool]
    sensitive_before: Collection[CellKey] = ()

    @cached_property
    def near(self) -> frozenset[CellKey]:
        """The new cells and all that share a relation with one: only about these can there be news."""
        groups = [{r.whole, *r.parts} for r in self.relations]
        return frozenset(key for group in groups if not group.isdisjoint(self.cells) for key in group)

    @cached_property
    def before(self) -> dict[CellKey, System]:
        """What was unknown of the history before the new period, by cell."""
        within = [r for r in self.relations if self.history.keys() >= {r.whole, *r.parts}]
        found = _split(self.history, within)
        return {variable.cell: system for system in found for variable in system.variables}


# The cells of which withholding one would answer a danger, the most welcome first.
Danger = list[CellKey]


def choose_withheld(problem: Problem) -> frozenset[CellKey]:
    """Return the cells to withhold, primary ones included; none of the others can be left out.

    Raises:
        AuditFailed: even withholding every new cell leaves an earlier one in danger.
        SolverError: a linear program was not solved.
    """
    withheld = set(problem.primary)
    while dangers := _dangers(problem, withheld):
        answered = {_answer(danger) for danger in dangers}
        withheld |= answered
    return frozenset(_pruned(problem, withheld))


def _answer(danger: Danger) -> CellKey:
    if not danger:
        raise AuditFailed(
            "every cell of the period is withheld, and yet an earlier release could be worked out with what "
            "remains: nothing is released for it"
        )
    return danger[0]


def _pruned(problem: Problem, withheld: set[CellKey]) -> set[CellKey]:
    """Publish again, the largest first, what protects nothing after all."""
    if any(len(s.variables) > MAX_UNKNOWNS for s in _systems(problem, _view(problem, withheld))):
        return withheld  # every trial would end at the same system
    before: set[CellKey] = set()
    while before != withheld:  # what one cell was kept for may itself be published later in a pass
        before = withheld
        for key in sorted(withheld - problem.primary, key=lambda k: (-problem.cells[k].visitors, k)):
            if not _dangers(problem, withheld - {key}):
                withheld = withheld - {key}
    return withheld


def _dangers(problem: Problem, withheld: set[CellKey]) -> list[Danger]:
    """What is in danger: cheap arguments first, linear programs only where these find nothing."""
    return (
        list(_thin_remainders(problem, withheld))
        or list(_close_pairs(problem, withheld))
        or list(_thin_overlaps(problem, withheld))
        or list(_narrow_cells(problem, withheld))
    )


def _is_hidden(problem: Problem, withheld: set[CellKey], key: CellKey) -> bool:
    return key in withheld or (key in problem.history and problem.history[key] is None)


def _helpful(problem: Problem, withheld: set[CellKey], keys: Iterable[CellKey]) -> Danger:
    """New, published, non-empty cells, those with the fewest visitors first."""
    able = {k for k in keys if k in problem.cells and k not in withheld and problem.cells[k].visitors > 0}
    return sorted(able, key=lambda k: (problem.cells[k].visitors, k))


def _thin_remainders(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """What a known whole less its known parts is about must be allowed to be published, for it is."""
    published = [key for key, figures in _view(problem, withheld).items() if figures is not None]
    known = known_cells(problem.relations, published)
    for relation, left in remainders(problem.relations, known):
        if _is_of_this_period(problem, left) and not problem.remainder_allowed(left):
            near = {relation.whole, *relation.parts, *(k for k in known if _is_beside(k, left))}
            yield _helpful(problem, withheld, near) or _helpful(problem, withheld, problem.cells)


def _is_of_this_period(problem: Problem, keys: Collection[CellKey]) -> bool:
    """Whether the cells lie within the new period's days: of others, no one can count the persons any more."""
    period = parse_period(next(iter(problem.cells)).period)
    return all(period.covers(parse_period(key.period)) for key in keys)


def _is_beside(key: CellKey, left: Collection[CellKey]) -> bool:
    """Whether a cell is of the same component and period as one of the others."""
    return any(key[:2] == other[:2] for other in left)


def _close_pairs(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """Fewer than the minimum persons in a whole but not in its part: the difference singles them out."""
    for part, whole in problem.pairs:
        visitors = [_visitors(problem, withheld, key) for key in (part, whole)]
        if None not in visitors and 0 < visitors[1] - visitors[0] < problem.requirement.persons:  # type: ignore[operator] # None was ruled out
            yield [key for key in (part, whole) if key in problem.cells]


def _thin_overlaps(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """By how much the parts exceed their whole tells how many came twice: perhaps a single person."""
    view = _view(problem, withheld)
    for relation in problem.relations:
        keys = (relation.whole, *relation.parts)
        if (
            relation.complete
            and any(k in problem.cells for k in keys)
            and has_thin_overlap(relation, view, problem.requirement.persons)
        ):
            near = _helpful(problem, withheld, relation.parts)
            yield near or [relation.whole]


def _visitors(problem: Problem, withheld: set[CellKey], key: CellKey) -> int | None:
    if _is_hidden(problem, withheld, key):
        return None
    figures = problem.history.get(key)
    return figures[0] if figures else problem.cells[key].visitors


def _narrow_cells(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """Withheld cells that published figures pin down too closely, by whole-number points that fit them all."""
    view = _view(problem, withheld)
    by_cell: dict[CellKey, set[CellKey]] = {}
    for relation in problem.relations:
        for key in (relation.whole, *relation.parts):
            by_cell.setdefault(key, set()).update((relation.whole, *relation.parts))
    sensitive = problem.primary.union(problem.sensitive_before)
    for system in _systems(problem, view):
        if len(system.variables) > MAX_UNKNOWNS:
            told = {k for v in system.variables for k in by_cell.get(v.cell, ())}
            yield from ([key] for key in _helpful(problem, withheld, told))
            continue
        for cell in _weak(system, problem.requirement):
            if cell not in sensitive and not _may_be_few(system, cell, problem.requirement):
                continue
            if cell in problem.history and not _is_news(problem, system, cell):
                continue
            near = _helpful(problem, withheld, by_cell.get(cell, ()))
            yield near or _helpful(problem, withheld, problem.cells)


def _is_news(problem: Problem, system: System, cell: CellKey) -> bool:
    """Whether an earlier cell is pinned down more closely than before; thresholds may have been lower then."""
    old = problem.before.get(cell)
    return old is None or any(
        system.bounds(Variable(cell, measure)) != old.bounds(Variable(cell, measure)) for measure in MEASURES
    )


def _view(problem: Problem, withheld: set[CellKey]) -> View:
    new = {
        key: None if key in withheld else (c.visitors, c.visits, c.page_views)
        for key, c in problem.cells.items()
    }
    return {**problem.history, **new}


def _systems(problem: Problem, view: View) -> Iterator[System]:
    for system in _split(view, problem.relations):
        if any(variable.cell in problem.near for variable in system.variables):
            yield system


def _split(view: View, relations: Sequence[Relation]) -> list[System]:
    """What a reader does not know, in parts that have nothing to do with one another."""
    hidden = sorted(key for key, figures in view.items() if figures is None)
    unknown = set(hidden)
    telling = [r for r in relations if r.whole in unknown or not unknown.isdisjoint(r.parts)]
    known = {
        Variable(key, measure): value
        for key, figures in view.items()
        if figures is not None
        for measure, value in zip(MEASURES, figures, strict=True)
    }
    ceiling = 1_000 + 2 * sum(known.values())  # beyond every sum of published figures: no upper bound
    return systems(constraints(telling, hidden), known, floor=1, ceiling=ceiling)


def _weak(system: System, requirement: Requirement) -> list[CellKey]:
    """Cells of the system for which no two whole-number points lie far enough apart."""
    low = np.full(len(system.variables), np.inf)
    high = np.full(len(system.variables), -np.inf)
    weak: dict[CellKey, None] = {}
    for index, variable in enumerate(system.variables):
        for direction in (1, -1):
            if high[index] - low[index] < requirement.width(max(high[index], 0)):
                point = system.extreme(variable, direction)
                low, high = np.minimum(low, point), np.maximum(high, point)
        if high[index] - low[index] < requirement.width(max(high[index], 0)):
            weak[variable.cell] = None
    return list(weak)


def _may_be_few(system: System, cell: CellKey, requirement: Requirement) -> bool:
    return system.bounds(Variable(cell, "visitors"))[0] < requirement.persons
