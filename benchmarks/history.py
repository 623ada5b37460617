"""A number of days → a workspace in which so many were sealed and released, and what the next one costs.

`python -m benchmarks.history logs DIRECTORY DAYS LINES`: writes the logs, for all workspaces.
`python -m benchmarks.history build WORKSPACE`: does all that is due before the measured day.
`python -m benchmarks.history measure WORKSPACE`: reads, seals and releases the measured day, prints each stage's cost.

Belongs here: the days before and the day itself. Does not: rounds and ratios (counting).
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.counted_site import MEASURED_DAY
from usage_stats.flow import run as flow
from usage_stats.flow.reporter import Silent
from usage_stats.flow.workspace import open_workspace
from usage_stats.synthetic.generate import generate

__all__: list[str] = []

_LINES_BEFORE = 300  # a day: enough for some figures of weeks and months to be released
_NOW = datetime(MEASURED_DAY.year, MEASURED_DAY.month, MEASURED_DAY.day, 3, 30, tzinfo=UTC) + timedelta(3)


def logs(directory: str, days: str, lines: str) -> None:
    """Write the logs of so many days before the measured one, and its own."""
    generate(
        Path(directory) / "before",
        first_day=MEASURED_DAY - timedelta(int(days)),
        days=int(days),
        lines=_LINES_BEFORE * int(days),
    )
    generate(Path(directory) / "measured", first_day=MEASURED_DAY, days=1, lines=int(lines))


def build(root: str) -> None:
    """Everything of the days before, as of the night before the measured day's."""
    flow.run(open_workspace(Path(root)), _NOW - timedelta(1), Silent())


def measure(root: str) -> None:
    """The measured day alone."""
    workspace = open_workspace(Path(root))
    spent: dict[str, list[float]] = {}
    stages: dict[str, Callable[..., Any]] = {
        "ingest": flow.ingest_new,
        "seal": flow.seal_due,
        "release": flow.publish_due,
        "deliver": flow.deliver_and_build,
    }
    with workspace.lock():
        for name, stage in stages.items():
            before = _clock()
            done = stage(workspace, _NOW, Silent())
            spent[name] = [after - then for after, then in zip(_clock(), before, strict=True)]
            if name == "release" and [p.period.code for p in done] != [MEASURED_DAY.isoformat()]:
                sys.exit("another day than the measured one came out, or none: this measures nothing")
    print(json.dumps(spent))  # noqa: T201 the answer


def _clock() -> tuple[float, float]:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in usages), time.perf_counter()


if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {"logs": logs, "build": build, "measure": measure}
    steps[sys.argv[1]](*sys.argv[2:])
