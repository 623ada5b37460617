"""A contender and a case's log → the command that does the job; or why it cannot run here.

Belongs here: who is compared, where they are found, how each is called. Does not: running or judging them.
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.our_job import POLICY, settings
from benchmarks.site import FIRST_DAY, SECTIONS

__all__ = ["Contender", "contenders"]

_HERE = Path(__file__).parent
# Case, its log, an empty directory → the command.
_Command = Callable[[Case, Path, Path], list[str]]

_READERS = frozenset({"plain"})
_ENGINES = frozenset({"fifth", "hard", "plain", "long"})
_ALL = frozenset({"small", "fifth", "json", "w3c", "hard", "plain", "gz", "zst", "long"})


@dataclass(frozen=True, slots=True)
class Contender:
    """A program, the cases it is measured on, and why it is missing ("" if it is not)."""

    name: str
    cases: frozenset[str]
    command: _Command
    missing: str = ""


def contenders() -> tuple[Contender, ...]:
    """Everyone, those that are missing included."""
    goaccess = os.environ.get("BENCH_GOACCESS", "goaccess")
    return (
        Contender("usage-stats", _ALL, _ours),
        Contender("python", frozenset({"small"}), lambda _c, _l, _d: [sys.executable, "-c", "pass"]),
        _clickhouse("chdb"),
        _clickhouse("chdb-lean", "--lean"),
        _program(goaccess, _goaccess, _READERS | {"small", "fifth"}, name="goaccess"),
        _program("webalizer", _webalizer, _READERS | {"small", "fifth"}),
        _program(
            "wc", lambda _c, log, _d: ["wc", "-l", str(log)], frozenset({"small", "fifth", "plain", "long"})
        ),
        _program("zcat", lambda _c, log, _d: ["zcat", str(log)], frozenset({"gz"})),
        _program("igzip", lambda _c, log, _d: ["igzip", "-dc", str(log)], frozenset({"gz"})),
        _program("zstd", lambda _c, log, _d: ["zstd", "-q", "-dc", str(log)], frozenset({"zst"})),
    )


def _program(program: str, command: _Command, cases: frozenset[str], *, name: str = "") -> Contender:
    missing = "" if shutil.which(program) else f"{program} is not installed"
    return Contender(name or program, cases, command, missing)


def _ours(case: Case, log: Path, directory: Path) -> list[str]:
    (directory / "logs").mkdir()
    (directory / "logs" / log.name).symlink_to(log)
    (directory / "usage_stats.yaml").write_text(settings(SECTIONS, FIRST_DAY.date().isoformat()))
    (directory / "policy.yaml").write_text(POLICY)
    return [sys.executable, "-m", "benchmarks.our_job", str(directory), case.now.isoformat()]


def _clickhouse(name: str, *flags: str) -> Contender:
    python = os.environ.get("BENCH_CHDB_PYTHON", "")
    job = str(_HERE / "clickhouse_job.py")
    missing = (
        ""
        if shutil.which(python or "/")
        else "set BENCH_CHDB_PYTHON to the python of an environment with chdb"
    )
    return Contender(
        name,
        _ENGINES,
        lambda _, log, directory: [python, job, str(log), str(directory), ",".join(SECTIONS), *flags],
        missing,
    )


def _goaccess(_: Case, log: Path, directory: Path) -> list[str]:
    program = os.environ.get("BENCH_GOACCESS", "goaccess")
    out = str(directory / "report.json")
    return [program, str(log), "--log-format=COMBINED", "--no-global-config", "--no-progress", "-o", out]


def _webalizer(_: Case, log: Path, directory: Path) -> list[str]:
    return ["webalizer", "-Q", "-o", str(directory), str(log)]
