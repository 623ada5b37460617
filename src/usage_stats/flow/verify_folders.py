"""Paths of a partner's folders → the verdicts on them, and these in words.

Belongs here: calling the checks with a bar, and wording. Does not: the checks (release/verify). No workspace is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from usage_stats.flow.reporter import Reporter
from usage_stats.release.verify import Verdict, exit_code, fingerprint, verify

__all__ = ["describe_verdicts", "exit_code", "verify_folders"]


def verify_folders(paths: Sequence[Path], reporter: Reporter) -> list[Verdict]:
    """Check every released folder at and below some paths, and tell how far that is.

    Raises:
        InputError: a path is not there, or no release is below it.
    """

    def told(number: int, total: int) -> None:
        if number == 1:
            reporter.start("verifying folders", total)
        reporter.advance(1)

    return verify(paths, told)


def describe_verdicts(verdicts: Sequence[Verdict]) -> str:
    """A line for each folder with what was checked, a line for each check that failed, and the sum of it."""
    lines = [line for verdict in verdicts for line in _lines(verdict)]
    return "\n".join([*lines, _sum(verdicts)])


def _lines(verdict: Verdict) -> list[str]:
    counts = " · ".join(f"{check.name} {check.checked}" for check in verdict.checks)
    notice = " · withdrawn, no figures" if verdict.is_withdrawn else ""
    head = f"{'ok    ' if verdict.passed else 'FAILED'} {verdict.path}: {counts}{notice}"
    failed = [check for check in verdict.checks if check.problems]
    return [
        head,
        *(f"       {check.name}: {len(check.problems)} wrong; {check.problems[0]}" for check in failed),
    ]


def _sum(verdicts: Sequence[Verdict]) -> str:
    bad = sum(not verdict.passed for verdict in verdicts)
    said = f"{bad:,} failed" if bad else "all complete and consistent"
    rows = sum(verdict.rows for verdict in verdicts)
    return (
        f"{len(verdicts):,} folders, {rows:,} rows: {said}\n"
        f"fingerprint {fingerprint(verdicts)}: whoever changes a folder can change its description with it, so compare "
        "this with what the sender's `usage-stats verify` says of the same folders"
    )
