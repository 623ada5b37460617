"""Asset checks: counts for the person who watches the runs. None is a privacy gate: that is in `release`."""

import dagster as dg

from pipelines.assets import events, protected_figures
from pipelines.resources import Worker
from usage_stats.flow.status import incomplete_periods, status_of
from usage_stats.flow.workspace import open_workspace

__all__ = ["CHECKS"]


@dg.asset_check(asset=events)
def every_line_is_accounted_for(workspace: dg.ResourceParam[Worker]) -> dg.AssetCheckResult:
    """Over everything ever read, lines are parsed or rejected."""
    lines = status_of(open_workspace(workspace.directory), workspace.clock())["lines"]
    rejected = sum(lines["rejected"].values())
    counts = {"lines": lines["lines"], "rejected": rejected, "late": lines["late"]}
    return dg.AssetCheckResult(passed=lines["lines"] == lines["parsed"] + rejected, metadata=counts)


@dg.asset_check(asset=protected_figures)
def no_period_is_incomplete(workspace: dg.ResourceParam[Worker]) -> dg.AssetCheckResult:
    """No period that is over waits for days without log lines."""
    waiting = incomplete_periods(open_workspace(workspace.directory), workspace.clock())
    counts = {"incomplete": len(waiting)}
    return dg.AssetCheckResult(passed=not waiting, severity=dg.AssetCheckSeverity.WARN, metadata=counts)


CHECKS = (every_line_is_accounted_for, no_period_is_incomplete)
