"""Released folders, all together → how far each withheld figure can be worked out, and which are exposed.

Belongs here: what partners know who pool everything they received, and the attack on it. Does not: the attack's
arithmetic (protect/audit), which rows are one cell (pool).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from usage_stats.dimensions import MEASURES, TOTAL
from usage_stats.errors import AuditFailed, InputError, SchemaError, SolverError
from usage_stats.measure.relation_index import RelationIndex
from usage_stats.measure.relations import CellKey, Constraint, Relation, Variable
from usage_stats.protect.audit import AuditReport, Interval, Shown, audit, unbounded
from usage_stats.protect.requirement import Requirement
from usage_stats.release.figure_checks import RATIOS
from usage_stats.release.folders import Figures, Folder, place_of
from usage_stats.release.pool import Pool, pools_of
from usage_stats.release.verify import Verdict, checked_folders, exit_code

__all__ = ["PooledAudit", "audit_releases"]

_ROUNDED_TO = 10_000  # ratios have four decimals, so each is right to half of one of these


# Withheld cells in one system: 1,000, which are 3,000 unknowns, are attacked in minutes; 3,700 had no end in four.
_MOST_TOGETHER = 1_000


@dataclass(frozen=True, slots=True)
class PooledAudit:
    """What partners can work out of all folders of one site: the interval of every withheld figure.

    Attributes:
        site: whose figures, in lower case.
        folders: how many were laid together.
        view: what they show of each cell, None where it is withheld.
        requirement: what must stay in doubt: the largest minimum and share that any folder names.
        report: the intervals, and the exposed cells.
        ceiling: an upper end that stands for "without bound".
    """

    site: str
    folders: int
    view: Shown
    requirement: Requirement
    report: AuditReport
    ceiling: int

    @property
    def passed(self) -> bool:
        return self.report.passed

    @property
    def cells(self) -> int:
        """How many different cells the folders show or withhold."""
        return len(self.view)

    @property
    def withheld(self) -> tuple[CellKey, ...]:
        """The cells that no folder shows, whether or not anything bounds them."""
        return tuple(key for key, shown in self.view.items() if shown is None)

    def sentences(self) -> list[str]:
        """One of each exposed cell: where it is, and between which bounds its figures are known to lie."""
        return [f"{place_of(key)}: withheld, but {self._known(key)}" for key in self.report.exposed]

    def _known(self, key: CellKey) -> str:
        told = self.report.intervals[key]
        return ", ".join(f"{measure} {self._span(told[measure])}" for measure in MEASURES if measure in told)

    def _span(self, interval: Interval) -> str:
        if interval.low == interval.high:
            return f"are {interval.low}"
        high = "any number" if interval.high >= self.ceiling else str(interval.high)
        return f"are {interval.low} to {high}"

    def to_json(self) -> dict[str, Any]:
        """For machines: every withheld cell with its intervals (high is null where nothing bounds it)."""
        exposed = set(self.report.exposed)
        return {
            "site": self.site,
            "folders": self.folders,
            "cells": self.cells,
            "minimum_persons": self.requirement.persons,
            "protection_share": self.requirement.share,
            "passed": self.passed,
            "withheld": [
                {**key._asdict(), "exposed": key in exposed, **self._intervals_as_json(key)}
                for key in sorted(self.withheld)
            ],
        }

    def _intervals_as_json(self, key: CellKey) -> dict[str, dict[str, int | None]]:
        told = self.report.intervals[key]
        return {
            measure: {
                "feasible_low": told[measure].low,
                "feasible_high": None if told[measure].high >= self.ceiling else told[measure].high,
            }
            for measure in MEASURES
        }


def audit_releases(
    paths: Sequence[Path], on_folder: Callable[[int, int], None] | None = None
) -> list[PooledAudit]:
    """Attack everything at and below some paths as partners would who pool it; one audit for each site.

    Args:
        paths: released folders, or folders above them.
        on_folder: is told, after each folder that is read, how many are done, and of how many.

    Raises:
        InputError: a path holds no release, or a folder is damaged.
        SchemaError: the figures of a folder contradict each other, or two folders tell different figures of a cell.
        AuditFailed: a cell is withheld in one folder and published in another, or published of too few.
        SolverError: a linear program was not solved; that is no pass.
    """
    folders, verdicts = checked_folders(paths, on_folder)
    _refuse_broken(verdicts)
    pools = pools_of(folders)
    _refuse_disagreeing(pools)
    return [_attacked(pool) for pool in pools]


def _refuse_broken(verdicts: Sequence[Verdict]) -> None:
    """Figures that are not what was released tell nothing of what can be worked out."""
    for verdict in verdicts:
        if not verdict.passed:
            check = next(check for check in verdict.checks if check.problems)
            error = {e.exit_code: e for e in (AuditFailed, InputError, SchemaError)}[exit_code([verdict])]
            raise error(f"{verdict.path}: {check.name}: {check.problems[0]}; `usage-stats verify` tells all")


def _refuse_disagreeing(pools: Sequence[Pool]) -> None:
    for pool in pools:
        for found in sorted(pool.disagreements, key=lambda d: not d.is_withheld_in_one):
            error = AuditFailed if found.is_withheld_in_one else SchemaError
            raise error(f"{found}: {len(pool.disagreements)} cells in all")


def _attacked(pool: Pool) -> PooledAudit:
    requirement = Requirement(
        max(folder.package.facts.thresholds.minimum_persons for folder in pool.folders),
        max(folder.package.facts.thresholds.protection_share for folder in pool.folders),
    )
    view, relations = _view(pool), pool.relations()
    _refuse_too_large(pool, view, relations)
    try:
        report = audit(view, relations, requirement, besides=_besides(pool, view))
    except SolverError as error:
        raise SolverError(f"site {pool.site}, {len(pool.folders)} folders: {error}") from None
    ceiling = unbounded(n for figures in view.values() for n in figures or () if n is not None)
    return PooledAudit(pool.site, len(pool.folders), view, requirement, report, ceiling)


def _refuse_too_large(pool: Pool, view: Shown, relations: Sequence[Relation]) -> None:
    hidden = [key for key, figures in view.items() if figures is None]
    largest = max((len(group) for group in RelationIndex(relations).connected(hidden)), default=0)
    if largest > _MOST_TOGETHER:
        raise SolverError(
            f"site {pool.site}, {len(pool.folders)} folders: {largest:,} withheld cells hang together, more than the "
            f"{_MOST_TOGETHER:,} that can be attacked at once; give fewer tables or periods. This is no pass"
        )


def _view(pool: Pool) -> Shown:
    """What is shown of each cell; where one figure is zero, all are."""
    nothing = (0,) * len(MEASURES)
    return {key: nothing if figures and 0 in figures else figures for key, figures in pool.cells.items()}


def _besides(pool: Pool, view: Shown) -> list[Constraint]:
    """What is known of figures that no folder shows of a published cell: they are about enough persons, and fit the
    ratios that are shown.
    """
    partial = {key for key, figures in view.items() if figures and None in figures}
    found = [
        Constraint(((Variable(key, "visitors"), 1),), _minimum(folder), float("inf"))
        for folder in pool.folders
        for key in folder.cells
        if key in partial
    ]
    for folder in pool.folders:
        for key, row in zip(folder.cells, folder.rows, strict=True):
            found += _of_ratios(key, row, view)
    _refuse_unknown(pool, view)
    return found


def _minimum(folder: Folder) -> int:
    return folder.package.facts.thresholds.minimum_persons


def _of_ratios(key: CellKey, row: Mapping[str, Any], view: Shown) -> Iterator[Constraint]:
    for name, (part, whole) in RATIOS.items():
        ratio = row.get(name)
        of = CellKey(key.period, TOTAL, TOTAL) if name == "reach" else key
        if ratio is None or (_is_known(view.get(key)) and _is_known(view.get(of))) or of not in view:
            continue
        times = round(2 * _ROUNDED_TO * ratio)
        variables = Variable(key, part), Variable(of, whole)
        if variables[0] != variables[1]:
            yield Constraint(((variables[0], 2 * _ROUNDED_TO), (variables[1], 1 - times)), 0, float("inf"))
            yield Constraint(((variables[0], 2 * _ROUNDED_TO), (variables[1], -1 - times)), -float("inf"), 0)


def _is_known(figures: Figures) -> bool:
    return figures is not None and None not in figures


def _refuse_unknown(pool: Pool, view: Shown) -> None:
    """A published cell of which nothing is shown but a share may be of nobody: it cannot be attacked as one that is."""
    for folder in pool.folders:
        for key in folder.cells:
            figures = view[key]
            if figures and not any(figures) and None in figures:
                raise InputError(
                    f"{folder.path}: shows ratios without any count, which cannot be audited; audit it together with "
                    "a table that has visitors"
                )
