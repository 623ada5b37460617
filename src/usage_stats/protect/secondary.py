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
from usage_stats.measure.relation_index import RelationIndex
from usage_stats.measure.relations import MEASURES, CellKey, Relation, Variable, constraints
from usage_stats.periods import parse_period
from usage_stats.protect.overlap import has_thin_overlap
from usage_stats.protect.remainder import remainders, unknown_cells
from usage_stats.protect.requirement import Requirement
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
    def index(self) -> RelationIndex:
        """The relations by their cells."""
        return RelationIndex(self.relations)

    @cached_property
    def near(self) -> frozenset[CellKey]:
        """The new cells and all that share a relation with one: only about these can there be news."""
        return frozenset(self.cells).union(*(self.index.beside(key) for key in self.cells))

    @cached_property
    def truth(self) -> dict[CellKey, tuple[int, int, int]]:
        """The figures that are published, or could be: they never change, only what is shown of them does."""
        new = {key: (c.visitors, c.visits, c.page_views) for key, c in self.cells.items()}
        return {**{key: figures for key, figures in self.history.items() if figures is not None}, **new}

    @cached_property
    def ceiling(self) -> int:
        """Beyond every sum of published figures: no upper bound."""
        return 1_000 + 2 * sum(sum(figures) for figures in self.truth.values())

    @cached_property
    def hidden_before(self) -> frozenset[CellKey]:
        return frozenset(key for key, figures in self.history.items() if figures is None)

    @cached_property
    def incomplete(self) -> list[Relation]:
        """Relations of which days of the new period are left out."""
        return [r for r in self.relations if r.rest and _is_of_this_period(self, r.rest)]

    @cached_property
    def close_pairs(self) -> list[tuple[CellKey, CellKey]]:
        """Pairs that must not both be published: too few persons are in the whole and not in its part."""
        known = [(p, w) for p, w in self.pairs if p in self.truth and w in self.truth]
        least = self.requirement.persons
        return [(p, w) for p, w in known if 0 < self.truth[w][0] - self.truth[p][0] < least]

    @cached_property
    def thin_overlaps(self) -> list[Relation]:
        """Relations of which not all cells must be published: too few are in several of the parts."""
        new = [r for r in self.index.of(self.cells) if r.complete]
        return [r for r in new if has_thin_overlap(r, self.truth, self.requirement.persons)]

    @cached_property
    def judged(self) -> dict[frozenset[CellKey], bool]:
        """Whether cells taken together may be published, as far as it was asked."""
        return {}

    @cached_property
    def safe_groups(self) -> set[tuple[CellKey, ...]]:
        """Groups of hidden cells that were looked at and are safe: what surrounds them never changes."""
        return set()

    @cached_property
    def before(self) -> dict[CellKey, System]:
        """What was unknown of the history before the new period, by cell."""
        within = RelationIndex([r for r in self.relations if self.history.keys() >= {r.whole, *r.parts}])
        groups = within.connected(self.hidden_before)
        found = [s for group in groups for s in _systems(self, group, within)]
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
    if any(_is_too_large(group) for group in _groups(problem, withheld)):
        return withheld  # every trial would end at the same system
    before: set[CellKey] = set()
    while before != withheld:  # what one cell was kept for may itself be published later in a pass
        before = withheld
        for key in sorted(withheld - problem.primary, key=lambda k: (-problem.cells[k].visitors, k)):
            if not any(True for look in _looks() for _ in look(problem, withheld - {key})):
                withheld = withheld - {key}
    return withheld


def _dangers(problem: Problem, withheld: set[CellKey]) -> list[Danger]:
    """What is in danger: cheap arguments first, linear programs only where these find nothing."""
    return next((found for look in _looks() if (found := list(look(problem, withheld)))), [])


def _looks() -> tuple[Callable[[Problem, set[CellKey]], Iterator[Danger]], ...]:
    """What is looked at, in this order."""
    return (_thin_remainders, _close_pairs, _thin_overlaps, _narrow_cells)


def _hidden(problem: Problem, withheld: set[CellKey]) -> frozenset[CellKey]:
    return problem.hidden_before | withheld


def _helpful(problem: Problem, withheld: set[CellKey], keys: Iterable[CellKey]) -> Danger:
    """New, published, non-empty cells, those with the fewest visitors first."""
    able = {k for k in keys if k in problem.cells and k not in withheld and problem.cells[k].visitors > 0}
    return sorted(able, key=lambda k: (problem.cells[k].visitors, k))


def _thin_remainders(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """What a known whole less its known parts is about must be allowed to be published, for it is."""
    unknown = unknown_cells(problem.index, _hidden(problem, withheld))
    for relation, left in remainders(problem.index, unknown, problem.incomplete):
        if not _may_be_known(problem, left):
            beside = (k for k in problem.cells if k not in unknown and _is_beside(k, left))
            near = {relation.whole, *relation.parts, *beside}
            yield _helpful(problem, withheld, near) or _helpful(problem, withheld, problem.cells)


def _may_be_known(problem: Problem, left: frozenset[CellKey]) -> bool:
    """Whether cells are about enough persons together; or of another time, whose persons no one can count any more."""
    if left not in problem.judged:
        problem.judged[left] = not _is_of_this_period(problem, left) or problem.remainder_allowed(left)
    return problem.judged[left]


def _is_of_this_period(problem: Problem, keys: Collection[CellKey]) -> bool:
    """Whether the cells lie within the new period's days."""
    period = parse_period(next(iter(problem.cells)).period)
    return all(period.covers(parse_period(key.period)) for key in keys)


def _is_beside(key: CellKey, left: Collection[CellKey]) -> bool:
    """Whether a cell is of the same component and period as one of the others."""
    return any(key[:2] == other[:2] for other in left)


def _close_pairs(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """Fewer than the minimum persons in a whole but not in its part: the difference singles them out."""
    for pair in problem.close_pairs:
        if withheld.isdisjoint(pair):
            yield [key for key in pair if key in problem.cells]


def _thin_overlaps(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """By how much the parts exceed their whole tells how many came twice: perhaps a single person."""
    for relation in problem.thin_overlaps:
        if withheld.isdisjoint((relation.whole, *relation.parts)):
            yield _helpful(problem, withheld, relation.parts) or [relation.whole]


def _groups(problem: Problem, withheld: set[CellKey]) -> Iterator[tuple[CellKey, ...]]:
    """Hidden cells that have to do with one another, where there can be news of them."""
    for group in problem.index.connected(_hidden(problem, withheld)):
        if not problem.near.isdisjoint(group):
            yield tuple(group)


def _is_too_large(group: Collection[CellKey]) -> bool:
    return len(MEASURES) * len(group) > MAX_UNKNOWNS


def _narrow_cells(problem: Problem, withheld: set[CellKey]) -> Iterator[Danger]:
    """Withheld cells that published figures pin down too closely, by whole-number points that fit them all."""
    for group in _groups(problem, withheld):
        if group in problem.safe_groups:
            continue
        if _is_too_large(group):
            told = {k for key in group for k in problem.index.beside(key)}
            yield from ([key] for key in _helpful(problem, withheld, told))
            continue
        is_safe = True
        for cell in _narrow_within(problem, group):
            is_safe = False
            near = _helpful(problem, withheld, problem.index.beside(cell))
            yield near or _helpful(problem, withheld, problem.cells)
        if is_safe:
            problem.safe_groups.add(group)


def _narrow_within(problem: Problem, group: Collection[CellKey]) -> Iterator[CellKey]:
    for system in _systems(problem, group, problem.index):
        for cell in _weak(system, problem.requirement):
            may_be_sure = cell not in problem.primary and cell not in problem.sensitive_before
            if may_be_sure and not _may_be_few(system, cell, problem.requirement):
                continue
            if cell in problem.history and not _is_news(problem, system, cell):
                continue
            yield cell


def _is_news(problem: Problem, system: System, cell: CellKey) -> bool:
    """Whether an earlier cell is pinned down more closely than before; thresholds may have been lower then."""
    old = problem.before.get(cell)
    return old is None or any(
        system.bounds(Variable(cell, measure)) != old.bounds(Variable(cell, measure)) for measure in MEASURES
    )


def _systems(problem: Problem, group: Collection[CellKey], index: RelationIndex) -> list[System]:
    """What a reader does not know of some hidden cells, in parts that have nothing to do with one another."""
    telling = index.of(group)
    around = {key for r in telling for key in (r.whole, *r.parts)}.difference(group)
    known = {
        Variable(key, measure): value
        for key in around
        for measure, value in zip(MEASURES, problem.truth[key], strict=True)
    }
    return systems(constraints(telling, group), known, floor=1, ceiling=problem.ceiling)


def _weak(system: System, requirement: Requirement) -> Iterator[CellKey]:
    """Cells of the system for which no two whole-number points lie far enough apart, each as soon as it is found."""
    low = np.full(len(system.variables), np.inf)
    high = np.full(len(system.variables), -np.inf)
    weak: set[CellKey] = set()
    for index, variable in enumerate(system.variables):
        for direction in (1, -1):
            if high[index] - low[index] < requirement.width(max(high[index], 0)):
                point = system.extreme(variable, direction)
                low, high = np.minimum(low, point), np.maximum(high, point)
        if high[index] - low[index] < requirement.width(max(high[index], 0)) and variable.cell not in weak:
            weak.add(variable.cell)
            yield variable.cell


def _may_be_few(system: System, cell: CellKey, requirement: Requirement) -> bool:
    return system.bounds(Variable(cell, "visitors"))[0] < requirement.persons
