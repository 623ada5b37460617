"""A workspace with one log → its usage figures by our own stages, and what each stage cost.

`python -m benchmarks.our_job WORKSPACE NOW`: prints one JSON object. The whole way to confidential cells, without
disclosure control: what other log analysers do.

Belongs here: our side of the comparison. Does not: measuring it from outside.
"""

import json
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["settings"]

POLICY = (
    "versions:\n  - {version: '1', effective: 2020-01-01, uses: [internal_aggregate, partner_aggregate]}\n"
)


def settings(sections: tuple[str, ...], first_day: str) -> str:
    """`usage_stats.yaml` of a site whose components are its top folders; visitors are addresses with agents."""
    rules = "\n".join(f'  - {{name: {name}, paths: ["/{name}/**"]}}' for name in sections)
    return f"""site: bench
time_zone: UTC
first_day: {first_day}
sources:
  - {{name: web, logs: ["logs/*"], format: auto, account: null}}
components:
{rules}
"""


def main(root: str, now: str) -> None:
    """Do the job and print the stages' CPU seconds, the outcomes of lines and the figures of the whole site."""
    marks = {"python": _cpu_s()}
    from usage_stats.flow import run as flow  # noqa: PLC0415 what it costs to import is the second stage
    from usage_stats.flow.reporter import Silent  # noqa: PLC0415 the same
    from usage_stats.flow.workspace import open_workspace  # noqa: PLC0415 the same

    workspace, at = open_workspace(Path(root)), datetime.fromisoformat(now)
    marks["start"] = _cpu_s()
    flow.ingest_new(workspace, at, Silent())
    marks["ingest"] = _cpu_s()
    days = flow.seal_due(workspace, at, Silent())
    marks["seal"] = _cpu_s()
    totals = _cells(workspace, days)
    marks["cells"] = _cpu_s()
    before = [0.0, *marks.values()]
    stages = {name: at - earlier for (name, at), earlier in zip(marks.items(), before, strict=False)}
    print(json.dumps({"stages": stages, "totals": totals, "outcomes": _outcomes(workspace)}))  # noqa: T201 the answer


def _cells(workspace: Any, days: list[Any]) -> dict[str, Any]:
    """Every period's cells; the site's totals of each are kept for comparison."""
    from usage_stats.flow.seal import usage_files  # noqa: PLC0415 its cost belongs to this stage
    from usage_stats.measure.cells import period_cells  # noqa: PLC0415 the same
    from usage_stats.measure.table_spec import cube_of  # noqa: PLC0415 the same
    from usage_stats.periods import WINDOW_OF, periods_of  # noqa: PLC0415 the same

    cube = cube_of(workspace.config)
    totals: dict[str, Any] = {}
    for period in periods_of(days, ("day", "week", "month")):
        files = usage_files(workspace, WINDOW_OF[period.kind], [d for d in period.days if d in days])
        cells = period_cells(cube, period, files)
        whole = next(counts for key, counts in cells.items() if key.category == ("_T", "_T"))
        figures = {name: getattr(whole, name) for name in ("visitors", "visits", "page_views", "networks")}
        totals.setdefault(period.kind, []).append({"period": period.code} | figures)
    return totals


def _outcomes(workspace: Any) -> dict[str, int]:
    """What became of the lines, from the ledger."""
    counts: dict[str, int] = {}
    for entry in workspace.ingested.entries():
        for name in ("outcomes", "rejected"):
            for code, lines in entry.get(name, {}).items():
                counts[code] = counts.get(code, 0) + lines
    return counts


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in usages)


if __name__ == "__main__":
    main(*sys.argv[1:])
