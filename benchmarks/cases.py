"""The name of a case → its log file, made once.

Belongs here: which logs are measured, and packing them. Does not: what they hold (logs), or who reads them.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.site import FIRST_DAY

__all__ = ["Case", "cases_of", "make_log"]


@dataclass(frozen=True, slots=True)
class Case:
    """One log to be read."""

    name: str
    lines: int
    days: int
    layout: str = "combined"
    hard: bool = False
    packed: str = ""  # the ending of a packed copy

    @property
    def file_name(self) -> str:
        kind = "hard" if self.hard else self.layout
        return f"{kind}-{self.lines}-{self.days}d.log{self.packed}"

    @property
    def now(self) -> datetime:
        """Long after the last day: all is due."""
        return FIRST_DAY + timedelta(days=self.days + 40)


def cases_of(lines: int) -> tuple[Case, ...]:
    """All cases for a plain log of so many lines; a week, as the others relate to it."""
    fifth = max(lines // 5, 1)
    return (
        Case("small", 10_000, 1),
        Case("fifth", fifth, 2),
        Case("json", fifth, 2, layout="json"),
        Case("w3c", fifth, 2, layout="w3c"),
        Case("hard", fifth, 2, hard=True),
        Case("plain", lines, 7),
        Case("gz", lines, 7, packed=".gz"),
        Case("zst", lines, 7, packed=".zst"),
        Case("long", 4 * lines, 30),
    )


def make_log(case: Case, directory: Path) -> Path:
    """The case's log in the directory; made, if it is not there yet."""
    path = directory / case.file_name
    if path.exists():
        return path
    beside = path.with_name(f".{path.name}.partial")
    if case.packed:
        plain = make_log(Case(case.name, case.lines, case.days, case.layout, case.hard), directory)
        _pack(plain, beside, case.packed)
    else:
        _generate(case, beside)
    return beside.rename(path)


def _generate(case: Case, path: Path) -> None:
    """In a process of its own: what it needs must not count as a contender's memory (see site)."""
    command = [sys.executable, "-m", "benchmarks.logs", str(path), str(case.lines), str(case.days)]
    command += ["--layout", case.layout, *(["--hard"] if case.hard else [])]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1])


def _pack(plain: Path, packed: Path, ending: str) -> None:
    """As log rotation does: gzip's usual level 6, zstd's usual level 3."""
    program = {".gz": "gzip", ".zst": "zstd"}[ending]
    found = shutil.which(program) or program
    with packed.open("wb") as out:
        subprocess.run([found, "-q", "-c", plain], check=True, stdout=out)
