"""`python -m benchmarks.counting`: what one more day costs after so many others, and a month by its usage rows.

What counts is CPU seconds and their ratios within one round; wall seconds depend on who else is at work, so the load is
told too. `--large` adds the months of 100 million rows (4 GB on disk, some minutes).

Belongs here: rounds, medians and the tables. Does not: what is done (history, month_job) on what (usage_rows).
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.counted_site import MEASURED_DAY, SERIES, write_settings
from benchmarks.spent import Spent, run_child

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_GROWTH, _MEMORY_GB = 1.1, 4 * 1.024**3  # a day after a year by its first; 4 GiB
_TICK = 2.5  # a log that changed in the last two seconds is looked at again (flow/content)
_KEPT = ("restricted", "releases", "warehouse")
_DAYS_HEADING = (
    f"{'tables':<13}{'days before':>12}{'ingest':>8}{'seal':>8}{'release':>9}{'sum':>8}{'min-max':>13}"
    f"{'wall s':>8}{'x first':>9}  {'files written':>13}{'x first':>9}"
)
Stages = dict[str, list[float]]  # CPU and wall seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both and print a table of each."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="usage-stats-bench-") as place:
        directory = Path(place)
        print("\n".join(_days(directory, options.days, options.lines, options.rounds)))  # noqa: T201 the report
        print("\n".join(["", *_months(directory, options.rows, options.rounds)]))  # noqa: T201 the same


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.counting", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--small", action="store_true", help="some minutes: 30 days, a million rows")
    parser.add_argument("--large", action="store_true", help="months of 100 million rows too")
    parser.add_argument("--rounds", type=int, default=3, help="medians are over these (default 3)")
    options = parser.parse_args(arguments)
    options.lines = 5_000 if options.small else 20_000
    options.days = (0, 1, 30) if options.small else (0, 1, 30, 180, 365)
    options.rows = (100_000, 1_000_000) if options.small else (1_000_000, 10_000_000)
    options.rows += (100_000_000,) if options.large else ()
    return options


def _days(directory: Path, histories: Sequence[int], lines: int, rounds: int) -> list[str]:
    """One line per series and history: medians of the measured day's stages, and the ratio to the first day."""
    _history("logs", directory, max(histories), lines)
    report = [
        f"One more day of {lines:,} lines, CPU s                    load {os.getloadavg()[0]:.1f}",
        _DAYS_HEADING,
    ]
    for series in SERIES:
        workspaces = {days: _with_history(directory, series, days) for days in histories}
        runs: dict[int, list[Stages]] = {days: [] for days in histories}
        for turn in range(-1, rounds):  # turn -1 is not counted: files come into memory
            for days, workspace in workspaces.items():
                stages = _measured(workspace)
                if turn >= 0:
                    runs[days].append(stages)
        report += [_day_line(series, days, runs[days], runs[histories[0]]) for days in histories]
        for workspace in workspaces.values():
            shutil.rmtree(workspace)
    return report


def _with_history(directory: Path, series: str, days: int) -> Path:
    """A workspace with so many days sealed and released, all due windows closed, and the next day's log in place."""
    workspace = directory / f"{series}-{days}"
    (workspace / "logs").mkdir(parents=True)
    first = MEASURED_DAY - timedelta(days)
    write_settings(workspace, series, first)
    for log in sorted((directory / "before" / "logs").iterdir()):
        if log.name >= f"access-{first}":
            shutil.copy(log, workspace / "logs")
    time.sleep(_TICK)
    if days:
        _history("build", workspace)
        for name in _KEPT:
            shutil.copytree(workspace / name, workspace / "kept" / name)
    for log in (directory / "measured" / "logs").iterdir():
        shutil.copy(log, workspace / "logs")
    time.sleep(_TICK)
    return workspace


def _measured(workspace: Path) -> Stages:
    """Do the measured day, and undo it: logs stay in place, for a copy would be read again."""
    output = _history("measure", workspace).output
    for name in _KEPT:
        shutil.rmtree(workspace / name, ignore_errors=True)
        if (workspace / "kept").exists():
            shutil.copytree(workspace / "kept" / name, workspace / name)
    stages: Stages = json.loads(output)
    return stages


def _history(*words: object) -> Spent:
    return run_child([sys.executable, "-m", "benchmarks.history", *map(str, words)], cwd=_ROOT)


def _day_line(series: str, days: int, runs: Sequence[Stages], first: Sequence[Stages]) -> str:
    cpu = {stage: statistics.median(run[stage][0] for run in runs) for stage in runs[0]}
    wall = statistics.median(_sum(run, 1) for run in runs)
    sums = [_sum(run, 0) for run in runs]
    delivered = statistics.median(run["deliver"][0] for run in first)
    ratio = statistics.median(sums) / statistics.median(_sum(run, 0) for run in first)
    verdict = "" if ratio <= _GROWTH else "  MISSED"
    return (
        f"{series:<13}{days:>12}{cpu['ingest']:8.2f}{cpu['seal']:8.2f}{cpu['release']:9.2f}"
        f"{statistics.median(sums):8.2f}{f'{min(sums):.2f}-{max(sums):.2f}':>13}{wall:8.2f}{ratio:9.2f}"
        f"  {cpu['deliver']:13.2f}{cpu['deliver'] / delivered:9.2f}{verdict}"
    )


def _sum(run: Stages, which: int) -> float:
    """What of a day must not grow; partners' folders and the analysts' file, which hold all days, are told apart."""
    return sum(seconds[which] for stage, seconds in run.items() if stage != "deliver")


def _months(directory: Path, sizes: Sequence[int], rounds: int) -> list[str]:
    """One line per series, size and step: CPU beyond the start, per row as a multiple of the smallest, and memory."""
    report = [
        f"A month of usage rows                                  load {os.getloadavg()[0]:.1f}",
        f"{'tables':<13}{'step':<7}{'rows':>13}{'CPU s':>8}{'min-max':>15}{'us/row':>8}{'x smallest':>12}{'GB':>7}",
    ]
    for series in SERIES:
        per_row: dict[str, float] = {}
        for size in sizes:
            files = directory / f"month-{size}"
            (files / "spill").mkdir(parents=True)
            run_child(
                [sys.executable, "-m", "benchmarks.usage_rows", str(files), str(size), series], cwd=_ROOT
            )
            report += [_month_line(series, step, files, rounds, per_row) for step in ("cells", "crowd")]
            shutil.rmtree(files)
    return report


def _month_line(series: str, step: str, files: Path, rounds: int, per_row: dict[str, float]) -> str:
    """The smallest size comes first, and is what the others are compared with."""
    runs = [(_month("start", files), _month(step, files)) for _ in range(rounds)]
    spent = [run.cpu_s - start.cpu_s for start, run in runs]  # each against its own minute's start
    rows, cpu = int(runs[0][1].output), statistics.median(spent)
    ratio = cpu / rows / per_row.setdefault(step, cpu / rows)
    peak = max(run.peak_bytes for _, run in runs) / 1e9
    verdict = "" if peak <= _MEMORY_GB else "  MISSED"
    return (
        f"{series:<13}{step:<7}{rows:>13,}{cpu:8.2f}{f'{min(spent):.2f}-{max(spent):.2f}':>15}"
        f"{1e6 * cpu / rows:8.2f}{ratio:12.2f}{peak:7.2f}{verdict}"
    )


def _month(step: str, files: Path) -> Spent:
    return run_child([sys.executable, "-m", "benchmarks.month_job", step, str(files)], cwd=_ROOT)


if __name__ == "__main__":
    main()
