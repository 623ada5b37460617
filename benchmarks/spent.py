"""A command → what running it cost: CPU seconds with all its children, peak memory, wall seconds, its output.

Belongs here: running one child and reading the kernel's account of it. Does not: which commands, or comparing.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CommandFailed", "Spent", "run_child"]

_KILOBYTE = 1024  # ru_maxrss counts these on Linux


class CommandFailed(Exception):
    """A contender ended with an error: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run cost."""

    cpu_s: float  # user and system, of the process and every child it waited for
    wall_s: float
    peak_bytes: int  # the largest resident set of any one process among them
    output: str


def run_child(command: Sequence[str], *, cwd: Path, env: dict[str, str] | None = None) -> Spent:
    """Run a command to its end.

    Raises:
        CommandFailed: it ended with an error; the message holds the last line of what it said.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)  # reaped here: Popen must not wait again
        wall_s = time.perf_counter() - began
        out.seek(0)
        err.seek(0)
        if child.returncode:
            last = err.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise CommandFailed(f"{Path(command[0]).name} ended with {child.returncode}: {last[:300]}")
        text = out.read().decode(errors="replace")
    return Spent(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss * _KILOBYTE, text)
