"""Jobs and when they run.

Belongs here: which assets run together, and the night's hour. Does not: what they do.
"""

from datetime import timedelta

import dagster as dg

from pipelines.assets import events, protected_figures, releases, usage

__all__ = ["INGEST_JOB", "JOBS", "MAIN_JOB", "RELEASE_JOB", "SCHEDULES"]

MAIN_JOB, INGEST_JOB, RELEASE_JOB = "usage_stats", "ingest_logs", "release_figures"

_daily = (usage, protected_figures, releases)
_main = dg.define_asset_job(
    MAIN_JOB,
    dg.AssetSelection.assets(events, *_daily),
    description="Logs to releases: everything that is due.",
)
_ingest = dg.define_asset_job(
    INGEST_JOB, dg.AssetSelection.assets(events), description="Read new log lines, as often as you like."
)
_release = dg.define_asset_job(
    RELEASE_JOB, dg.AssetSelection.assets(*_daily), description="Seal and release what is due up to a day."
)


@dg.schedule(job=_main, cron_schedule="30 3 * * *", execution_timezone="UTC")
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """At 03:30, up to yesterday; whatever an earlier night missed is caught up."""
    yesterday = (context.scheduled_execution_time.date() - timedelta(1)).isoformat()
    return dg.RunRequest(run_key=yesterday, partition_key=yesterday)


JOBS = (_main, _ingest, _release)
SCHEDULES = (every_night,)
