"""Paths of released folders → what partners who pool them can work out, and this in words.

Belongs here: calling the audit with a bar, and wording. Does not: the attack (release/pooled). No workspace is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from usage_stats.errors import AuditFailed
from usage_stats.flow.reporter import Reporter
from usage_stats.release.pooled import PooledAudit, audit_releases

__all__ = ["audit_exit_code", "audit_folders", "describe_audits"]


def audit_folders(paths: Sequence[Path], reporter: Reporter) -> list[PooledAudit]:
    """Attack all released folders at and below some paths together; one audit for each site.

    Raises:
        InputError, SchemaError, AuditFailed, SolverError: as `audit_releases`.
    """

    def told(number: int, total: int) -> None:
        if number == 1:
            reporter.start("reading folders", total)
        reporter.advance(1)

    return audit_releases(paths, told)


def describe_audits(audits: Sequence[PooledAudit]) -> str:
    """A line for each exposed cell, and one for each site."""
    return "\n".join(line for audit in audits for line in [*audit.sentences(), _sum(audit)])


def _sum(audit: PooledAudit) -> str:
    withheld, exposed = len(audit.withheld), len(audit.report.exposed)
    said = f"{exposed:,} of them exposed" if exposed else "none of them exposed"
    return (
        f"{audit.site}: {audit.folders:,} folders, {audit.cells:,} cells, {withheld:,} withheld: {said} (at least "
        f"{audit.requirement.persons} persons, {audit.requirement.share:.0%} of each figure in doubt)"
    )


def audit_exit_code(audits: Iterable[PooledAudit]) -> int:
    """0 only if no cell of any site is exposed."""
    return 0 if all(audit.passed for audit in audits) else AuditFailed.exit_code
