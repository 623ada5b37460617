"""`python -m benchmarks.ingest`: whole jobs, ours and others', on the same generated logs, in turn.

What counts is CPU seconds (user and system, children included) and their ratios within one round: wall seconds
depend on who else is at work. Needs about seven times the plain log's size on disk (1.2 GB at 5M lines), and room
for ClickHouse's tables.

    BENCH_CHDB_PYTHON   the python of an environment of its own with chdb (pip install chdb)
    BENCH_GOACCESS      a newer GoAccess than the one on the PATH

Belongs here: rounds, medians and the table. Does not: cases, contenders and goals, each in its own module.
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, cases_of, make_log
from benchmarks.contenders import Contender, contenders
from benchmarks.goals import Figures, judged
from benchmarks.spent import CommandFailed, Spent, run_child

_ROOT = Path(__file__).parents[1]
_HEADING = (
    f"{'case':<8}{'contender':<13}{'lines':>12}{'CPU s':>9}{'min-max':>15}"
    f"{'us/line':>9}{'wall s':>8}{'MB':>7}{'ours/it':>9}"
)
Runs = dict[tuple[str, str], list[Spent]]


def main() -> None:
    """Measure what the options choose and print one table, the stages of the engines, and the goals."""
    options = _options()
    cases, entrants = _chosen(options.only, cases_of(options.lines), contenders())
    for entrant in (e for e in entrants if e.missing):
        _say(f"skipped {entrant.name}: {entrant.missing}")
    present = [entrant for entrant in entrants if not entrant.missing]
    with _place(options.keep) as directory:
        logs = {case.name: make_log(case, directory) for case in cases}
        runs = _rounds(options.rounds, cases, present, logs, directory)
    print("\n".join(_report(cases, runs)))  # noqa: T201 the report


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ingest", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--lines", type=int, default=5_000_000, help="of the plain log (default 5,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="medians are over these (default 3)")
    parser.add_argument("--only", help="names of cases and contenders, comma-separated (default all)")
    parser.add_argument("--keep", type=Path, help="a directory whose logs are used again, and kept")
    return parser.parse_args()


def _chosen(
    only: str | None, cases: Sequence[Case], entrants: Sequence[Contender]
) -> tuple[list[Case], list[Contender]]:
    """Names of cases choose cases, names of contenders contenders; where none is named, all."""
    names = set((only or "").split(",")) - {""}
    known = {case.name for case in cases} | {entrant.name for entrant in entrants}
    if names - known:
        sys.exit(
            f"no case or contender {', '.join(sorted(names - known))}; there are: {', '.join(sorted(known))}"
        )
    some_cases = [case for case in cases if case.name in names]
    some_entrants = [entrant for entrant in entrants if entrant.name in names]
    return some_cases or list(cases), some_entrants or list(entrants)


@contextlib.contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="usage-stats-bench-") as directory:
        yield Path(directory)


def _rounds(
    rounds: int, cases: Sequence[Case], entrants: Sequence[Contender], logs: dict[str, Path], directory: Path
) -> Runs:
    """Everyone in turn, round after round: a busy minute falls on all of them."""
    runs: Runs = defaultdict(list)
    failed: set[tuple[str, str]] = set()
    for turn in range(
        -1, rounds
    ):  # turn -1 is not counted: code is compiled and cached, files come into memory
        for case, entrant in ((c, e) for c in cases for e in entrants if c.name in e.cases):
            spot = (case.name, entrant.name)
            is_warm_up = turn < 0
            if spot in failed or (is_warm_up and entrant.name != "usage-stats"):
                continue
            try:
                spent = _run(entrant, case, logs[case.name], directory)
            except CommandFailed as error:
                failed.add(spot)
                _say(f"skipped {entrant.name} on {case.name}: {error}")
                continue
            _say(f"round {turn + 1}: {case.name} {entrant.name} {spent.cpu_s:.2f} s")
            if not is_warm_up:
                runs[spot].append(spent)
    return runs


def _run(entrant: Contender, case: Case, log: Path, directory: Path) -> Spent:
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        return run_child(entrant.command(case, log, Path(scratch)), cwd=_ROOT)


def _report(cases: Sequence[Case], runs: Runs) -> list[str]:
    lines = {case.name: case.lines for case in cases}
    results = {spot: _medians(lines[spot[0]], spents) for spot, spents in runs.items()}
    return [
        _HEADING,
        *(_row(*spot, results[spot], runs[spot], results.get((spot[0], "usage-stats"))) for spot in results),
        "",
        "CPU seconds by stage (medians)",
        *(
            f"{case:<8}{name:<13}{_stages(spents)}"
            for (case, name), spents in runs.items()
            if _told(spents[0])
        ),
        "",
        "The site's first month as each counts it (they check lines differently, and differ a little)",
        *(
            f"{case:<8}{name:<13}{_month(spents[0])}"
            for (case, name), spents in runs.items()
            if _told(spents[0])
        ),
        "",
        "Goals",
        *judged(results),
    ]


def _row(case: str, name: str, figures: Figures, spents: Sequence[Spent], ours: Figures | None) -> str:
    spread = f"{min(s.cpu_s for s in spents):.2f}-{max(s.cpu_s for s in spents):.2f}"
    ratio = f"{ours.cpu_s / figures.cpu_s:9.3f}" if ours else ""
    return (
        f"{case:<8}{name:<13}{figures.lines:>12,}{figures.cpu_s:9.2f}{spread:>15}"
        f"{1e6 * figures.cpu_s / figures.lines:9.2f}{figures.wall_s:8.1f}{figures.peak_bytes / 1e6:7.0f}{ratio}"
    )


def _medians(lines: int, spents: Sequence[Spent]) -> Figures:
    return Figures(
        lines=lines,
        cpu_s=statistics.median(s.cpu_s for s in spents),
        wall_s=statistics.median(s.wall_s for s in spents),
        peak_bytes=round(statistics.median(s.peak_bytes for s in spents)),
    )


def _stages(spents: Sequence[Spent]) -> str:
    """Medians of the stages that a contender's own account names."""
    told = [_told(spent)["stages"] for spent in spents]
    return "  ".join(f"{stage} {statistics.median(t[stage] for t in told):.2f}" for stage in told[0])


def _month(spent: Spent) -> str:
    whole = _told(spent)["totals"]["month"][0]
    return "  ".join(f"{figure} {whole[figure]:,}" for figure in ("visitors", "visits", "page_views"))


def _told(spent: Spent) -> dict[str, Any]:
    """What a contender said about itself, if it said it as JSON."""
    last = spent.output.strip().rpartition("\n")[2]
    return json.loads(last) if last.startswith('{"stages"') else {}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 how far it is; the report goes to standard output


if __name__ == "__main__":
    main()
