"""`python -m benchmarks.year`: days, weeks and months of four tables over a year, protected together, in CPU seconds.

Logs are made up, read and sealed first; what is measured is choosing and checking what to withhold, beside everything
that was released before. `--small` takes two months.

Belongs here: the tables, the measuring and its report. Does not: single tables (protect), other stages (counting).
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.spent import Spent, run_child
from usage_stats.flow import run as flow
from usage_stats.flow.reporter import Silent
from usage_stats.flow.workspace import open_workspace
from usage_stats.synthetic.generate import generate

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_SAMPLE = _ROOT / "data" / "sample"
_FIRST_DAY, _LATER = date(2025, 1, 1), datetime(2026, 6, 1, tzinfo=UTC)
# 37 cells of components and 72 more by referrer for each day, week and month, 12 entries for weeks and months, 200
# hours by weekday for months: 50,000 in a year.
_TABLES: dict[str, dict[str, Any]] = {
    "components": {},
    "referrers": {"dimensions": ["component", "referrer"]},
    "entries": {"dimensions": ["entry_component"], "periods": ["week", "month"]},
    "hours": {"dimensions": ["hour", "weekday"], "periods": ["month"]},
}
_GIGABYTE = 1 << 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a year, protect it, print a table."""
    options = _options(arguments)
    if options.measure:
        _measure(options.measure)
        return
    with tempfile.TemporaryDirectory(prefix="usage-stats-bench-") as place:
        root = Path(place)
        _make(root, options.days, options.lines)
        spent = run_child([sys.executable, "-m", "benchmarks.year", "--measure", str(root)], cwd=_ROOT)
    print("\n".join(_report(spent, options)))  # noqa: T201 the report


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.year", description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="two months instead of a year")
    parser.add_argument("--lines", type=int, default=6_000, help="of a day's log (default 6,000)")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)  # the process of its own
    options = parser.parse_args(arguments)
    options.days = 59 if options.small else 365
    return options


def _make(root: Path, days: int, lines: int) -> None:
    """A workspace with all days sealed and nothing released."""
    generate(root, first_day=_FIRST_DAY, days=days, lines=days * lines)
    settings = yaml.safe_load((_SAMPLE / "usage_stats.yaml").read_text(encoding="utf-8"))
    partner = {"id": "acme-media", "tables": list(_TABLES)}
    changed = settings | {"first_day": _FIRST_DAY, "tables": _TABLES, "partners": [partner]}
    (root / "usage_stats.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    policy = yaml.safe_load((_SAMPLE / "policy.yaml").read_text(encoding="utf-8"))
    first = policy["versions"][0] | {"effective": _FIRST_DAY}
    (root / "policy.yaml").write_text(yaml.safe_dump({"versions": [first]}), encoding="utf-8")
    workspace = open_workspace(root)
    with workspace.lock():
        flow.ingest_new(workspace, _LATER, Silent())
        flow.seal_due(workspace, _LATER, Silent())
    shutil.rmtree(root / "logs")


class _Clock(Silent):
    """Notes the CPU time whenever a period is done."""

    def __init__(self) -> None:
        self.at = [time.process_time()]

    def start(self, stage: str, total: int, *, is_bytes: bool = False) -> None:  # noqa: ARG002 the protocol's
        self.at[-1] = time.process_time()

    def advance(self, steps: int) -> None:  # noqa: ARG002 the same
        self.at.append(time.process_time())


def _measure(root: Path) -> None:
    """Protect everything; print for each period its code, its CPU seconds and how many cells have which status."""
    workspace, clock = open_workspace(root), _Clock()
    with workspace.lock():
        published = flow.publish_due(workspace, _LATER, clock)
    spent = [after - before for before, after in zip(clock.at, clock.at[1:], strict=False)]
    rows = [(p.period.code, cpu, dict(p.statuses)) for p, cpu in zip(published, spent, strict=True)]
    print(json.dumps(rows))  # noqa: T201 the answer


def _report(spent: Spent, options: argparse.Namespace) -> list[str]:
    kinds: dict[str, list[tuple[str, float, Counter[str]]]] = defaultdict(list)
    for code, cpu, statuses in json.loads(spent.output):
        kinds[{10: "days", 8: "weeks", 7: "months"}[len(code)]].append((code, cpu, Counter(statuses)))
    everything = [row for rows in kinds.values() for row in rows]
    head = (
        f"{len(_TABLES)} tables, {options.days} days of {options.lines:,} lines: {spent.cpu_s:.0f} s of CPU, "
        f"{spent.peak_bytes / _GIGABYTE:.2f} GB"
    )
    columns = f"{'':<8}{'number':>7}{'cells':>8}{'withheld':>10}{'refused':>9}{'CPU s':>8}{'mean':>8}{'longest':>17}"
    return [head, columns, *(_line(kind, kinds[kind]) for kind in kinds), _line("all", everything)]


def _line(kind: str, rows: Sequence[tuple[str, float, Counter[str]]]) -> str:
    statuses = sum((found for _, _, found in rows), Counter[str]())
    cells = statuses.total()
    withheld = (statuses["primary"] + statuses["secondary"]) / max(cells, 1)
    longest = max(rows, key=lambda row: row[1])
    refused = sum("refused" in found for _, _, found in rows)
    cpu = sum(seconds for _, seconds, _ in rows)
    return (
        f"{kind:<8}{len(rows):>7}{cells:>8,}{withheld:>10.1%}{refused:>9}{cpu:>8.1f}{cpu / len(rows):>8.2f}"
        f"{longest[1]:>7.1f} {longest[0]}"
    )


if __name__ == "__main__":
    main()
