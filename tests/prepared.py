"""What several test files look at and none changes → made once a run, whichever worker asks first.

Belongs here: making it once, under a lock, and what is so dear that it pays. Does not: whatever a test changes; that
test copies it.
"""

import fcntl
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace
from usage_stats.synthetic.generate import generate

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
# From the first of March to the end of the week that runs into April. Of fewer lines a day, so much more is withheld
# that choosing takes longer than counting more of them does: 18 s of CPU, 26 with two thirds of the lines.
FIRST_DAY, DAYS, LINES = date(2026, 3, 1), 36, 140_000
LONG_AFTER = datetime(
    2026, 6, 4, 12, tzinfo=UTC
)  # everything is over, with its week, its month and the grace time


def made_once(factory, name, make):
    """The folder of that name, made by whoever comes first; the others wait. Nobody writes to it."""
    base = factory.getbasetemp()
    top = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = top / name
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            beside = top / f"{name}.unfinished"
            shutil.rmtree(beside, ignore_errors=True)  # of a worker that failed
            beside.mkdir()
            make(beside)
            beside.rename(folder)
    return folder


def sample_march(factory):
    """A workspace with the sample's settings, run once over March and the first days of April."""
    return made_once(factory, "sample-march", _make_march)


def _make_march(root):
    generate(root, first_day=FIRST_DAY, days=DAYS, lines=LINES)
    for name in ("usage_stats.yaml", "policy.yaml"):
        shutil.copy(SAMPLE / name, root)
    run(open_workspace(root), LONG_AFTER, Silent())


def days_of_march():
    """Every day of which there are logs."""
    return [FIRST_DAY + timedelta(n) for n in range(DAYS)]
