"""A file of inner cells and its specification → a protected file; a protected file → what can be worked out of it.

Belongs here: what the commands `protect` and `audit` do, and what they say. Does not: arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from usage_stats.sdc.audit import TableAudit, View, audit
from usage_stats.sdc.audit_magnitudes import SumsAudit
from usage_stats.sdc.cells import read_cells
from usage_stats.sdc.explain import explained, explained_sums
from usage_stats.sdc.judged_magnitudes import audit_file, surely_no_secret
from usage_stats.sdc.protect import ProtectedCells, protect, requirement_of
from usage_stats.sdc.protected_file import audited_rows, protected_rows, read_sums, read_view
from usage_stats.sdc.relations import Floats
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import Step
from usage_stats.sdc.table_files import write_table
from usage_stats.sdc.table_spec import TableSpec, read_table_spec

__all__ = ["AuditedFile", "audit_table", "describe_audit", "describe_protected", "protect_table"]

_MOST_REASONS = 10  # exposed cells that are explained


def protect_table(
    cells: Path, spec: Path, out: Path, *, for_partner: bool, seconds: float, on_step: Step = lambda *_: None
) -> dict[str, Any]:
    """Protect a table and write it; return counts only.

    Raises:
        ConfigError: the specification is wrong, or `out` cannot be written.
        InputError: the cells cannot be read as the specification says.
        AuditFailed, SolverError: it could not be made safe; nothing is written.
    """
    read = read_table_spec(spec)
    made = protect(read_cells(cells, read), read, seconds=seconds, on_step=on_step)
    write_table(out, protected_rows(made, read, for_partner=for_partner))
    return {"out": str(out), **_figures(made)}


def _figures(made: ProtectedCells) -> dict[str, Any]:
    withheld, sensitive, counts = made.choice.withheld, made.sensitive, made.cells.counts
    further = withheld & ~sensitive
    return {
        "cells": int(made.cells.layout.size),
        "primary": int(sensitive.sum()),
        "secondary": int(further.sum()),
        "persons_in_secondary": int(counts[further].sum()),
        "weight": made.choice.weight,
        "bound": made.choice.bound,
        "gap": round(made.choice.gap, 4),
        "rules": {name: int(np.count_nonzero(broken)) for name, broken in made.rules.items()},
        "exposed": 0,
        "seconds_choosing": round(made.seconds[0], 1),
        "seconds_auditing": round(made.seconds[1], 1),
    }


def describe_protected(figures: dict[str, Any]) -> str:
    """What was done, for a person."""
    rules = ", ".join(f"by {name}: {n:,}" for name, n in figures["rules"].items())
    return (
        f"{figures['cells']:,} cells: {figures['primary']:,} sensitive ({rules}), {figures['secondary']:,} withheld to "
        f"protect them, with {figures['persons_in_secondary']:,} persons\n"
        f"no safe choice weighs less than {figures['bound']:,.0f}; this one weighs {figures['weight']:,.0f} "
        f"(at most {figures['gap']:.1%} could be saved)\n"
        f"audited: none of the withheld cells is exposed\nwrote {figures['out']}"
    )


@dataclass(frozen=True)
class AuditedFile:
    """How many cells are withheld and exposed, and where the intervals were written."""

    withheld: int
    exposed: int
    out: Path | None
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same, for machines."""
        return {
            "withheld": self.withheld,
            "exposed": self.exposed,
            "out": str(self.out) if self.out else None,
            "reasons": list(self.reasons),
        }


def audit_table(file: Path, spec: Path, out: Path | None) -> AuditedFile:
    """Attack a protected table; write the interval of every cell, if asked.

    Raises:
        ConfigError: the specification is wrong, or `out` cannot be written.
        InputError: the file is no table of the specification.
        SolverError: a linear program was not solved; that is no pass.
    """
    read = read_table_spec(spec)
    layout, view = read_view(file, read)
    requirement = requirement_of(read)
    report = audit(view, requirement)
    sums = _audit_sums(read_sums(file, read, layout, view), read, view, report, requirement)
    if out:
        write_table(out, audited_rows(layout, view, report, read, sums))
    reasons = [*explained(layout, view, report, _MOST_REASONS), *explained_sums(layout, sums, _MOST_REASONS)]
    exposed = np.logical_or.reduce([report.exposed, *(found.exposed for found in sums.values())])
    return AuditedFile(len(report.cells), int(exposed.sum()), out, tuple(reasons[:_MOST_REASONS]))


def _audit_sums(
    values: Mapping[str, Floats], spec: TableSpec, view: View, report: TableAudit, requirement: Requirement
) -> dict[str, SumsAudit]:
    no_secret = surely_no_secret(view, report, requirement)
    share = spec.rules.protect_percent / 100
    return {
        name: audit_file(view, given, spec.magnitudes[name].at_least, share, no_secret)
        for name, given in values.items()
    }


def describe_audit(audited: AuditedFile) -> str:
    """What was found, for a person."""
    wrote = f"\nwrote {audited.out}" if audited.out else ""
    verdict = f"{audited.exposed:,} exposed" if audited.exposed else "none is exposed"
    return "\n".join([f"{audited.withheld:,} withheld cells: {verdict}", *audited.reasons]) + wrote
