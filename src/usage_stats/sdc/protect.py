"""Cells and rules → which cells to withhold, audited; or an error and nothing.

Belongs here: the order: sensitive cells, further cells, audit. Does not: files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from usage_stats.errors import AuditFailed
from usage_stats.sdc.audit import TableAudit, View, audit
from usage_stats.sdc.cells import Cells
from usage_stats.sdc.contributors import choose_for_readers, narrow_for_some
from usage_stats.sdc.judged_magnitudes import audit_truth, surely_no_secret
from usage_stats.sdc.magnitude_choice import choose_for_sums
from usage_stats.sdc.magnitudes import Levels, levels_of
from usage_stats.sdc.primary import sensitive_cells
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Mask
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import Choice, Step, choose
from usage_stats.sdc.table_spec import TableSpec

__all__ = ["ProtectedCells", "problem_of", "protect", "requirement_of"]


@dataclass(frozen=True)
class ProtectedCells:
    """A table of which the audit found nothing exposed.

    Attributes:
        cells: all of them, with their confidential counts.
        rules: each rule with the cells that break it.
        choice: what is withheld, and how good that is.
        report: the audit's.
        seconds: what choosing and auditing took.
    """

    cells: Cells
    rules: Mapping[str, Mask]
    choice: Choice
    report: TableAudit
    seconds: tuple[float, float]

    @property
    def sensitive(self) -> Mask:
        return any_of(self.rules)


def protect(
    cells: Cells, spec: TableSpec, *, seconds: float, on_step: Step = lambda *_: None
) -> ProtectedCells:
    """Choose what to withhold, and audit it.

    Args:
        cells: with their confidential counts.
        spec: rules and what is to be minimised.
        seconds: after which no better choice is sought.
        on_step: told how far it is.

    Raises:
        AuditFailed: the choice did not stand the audit: a bug, and nothing may be published.
        SolverError: a linear program was not solved.
    """
    rules = sensitive_cells(cells, spec)
    problem = problem_of(cells, rules, spec)
    begun = time.monotonic()
    levels = levels_of(cells, rules, spec)
    choice = choose_for_sums(
        problem, levels, lambda p, s: choose_for_readers(p, s, partial(choose, on_step=on_step)), seconds
    )
    chosen = time.monotonic()
    view = View(cells.counts, choice.withheld, problem.sensitive, problem.sums)
    report = audit(view, problem.requirement, claims=choice.moves, truth=cells.counts, least=problem.least)
    exposed = int(report.exposed.sum()) + _exposed_sums(view, report, problem.requirement, levels)
    exposed += narrow_for_some(problem, report)
    if exposed:
        raise AuditFailed(
            f"{exposed} figures of {len(report.cells)} withheld cells could be worked out too closely: "
            "nothing is written. This is a bug, please report it with this message."
        )
    return ProtectedCells(cells, rules, choice, report, (chosen - begun, time.monotonic() - chosen))


def _exposed_sums(view: View, report: TableAudit, requirement: Requirement, levels: Sequence[Levels]) -> int:
    no_secret = surely_no_secret(view, report, requirement)
    return sum(int(audit_truth(view, each, no_secret).exposed.sum()) for each in levels)


def any_of(rules: Mapping[str, Mask]) -> Mask:
    """The cells that break some rule."""
    broken: Mask = np.logical_or.reduce(list(rules.values()))
    return broken


def requirement_of(spec: TableSpec) -> Requirement:
    """What the specification demands to stay in doubt."""
    return Requirement(spec.rules.minimum_persons, least=1 if spec.zeros == "known" else 0)


def problem_of(cells: Cells, rules: Mapping[str, Mask], spec: TableSpec) -> Problem:
    """The question that a specification asks of its cells."""
    known = cells.counts == 0 if spec.zeros == "known" else np.zeros(cells.layout.size, dtype=bool)
    return Problem(
        cells.layout,
        cells.counts,
        any_of(rules),
        weights(cells.counts, spec.minimise),
        requirement_of(spec),
        known,
        spec.contributors == "one",
    )
