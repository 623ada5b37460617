"""Assets: what a run makes, in the order of the data's journey. Each calls one step of the flow.

Belongs here: names, dependencies, counts as metadata. Does not: an `if`, SQL, frames, any rule. A value of a
log line never becomes metadata: Dagster keeps it for ever.
"""

import dagster as dg

from pipelines.partitions import DAYS, WHOLE_RANGE, last_day
from pipelines.resources import Worker
from usage_stats.flow import run as flow

__all__ = ["ASSETS", "events", "protected_figures", "releases", "usage"]


@dg.asset(group_name="restricted")
def events(workspace: dg.ResourceParam[Worker]) -> dg.MaterializeResult[None]:
    """New log lines, each read exactly once, stripped of identifiers."""
    done = workspace.do(flow.ingest_new)
    counts = {"lines": done.lines, "parsed": done.parsed, "rejected": done.rejected.total()}
    return dg.MaterializeResult(metadata=counts)


@dg.asset(deps=[events], partitions_def=DAYS, backfill_policy=WHOLE_RANGE, group_name="restricted")
def usage(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Worker]
) -> dg.MaterializeResult[None]:
    """Usage per person and day, made when the day is sealed; days left over from before are sealed too."""
    days = workspace.do(flow.seal_due, last=last_day(context))
    return dg.MaterializeResult(metadata={"sealed_days": len(days)})


@dg.asset(deps=[usage], partitions_def=DAYS, backfill_policy=WHOLE_RANGE, group_name="confidential")
def protected_figures(workspace: dg.ResourceParam[Worker]) -> dg.MaterializeResult[None]:
    """Figures of the periods that are due: protected, audited, recorded in the release ledger."""
    done = workspace.do(flow.publish_due)
    return dg.MaterializeResult(metadata={"periods": len(done)})


@dg.asset(deps=[protected_figures], partitions_def=DAYS, backfill_policy=WHOLE_RANGE, group_name="shareable")
def releases(workspace: dg.ResourceParam[Worker]) -> dg.MaterializeResult[None]:
    """Partners' folders and the analysts' file."""
    done = workspace.do(flow.deliver_and_build)
    counts = {"written": done.written, "unchanged": done.unchanged, "refused": len(done.refused)}
    return dg.MaterializeResult(metadata=counts)


ASSETS = (events, usage, protected_figures, releases)
