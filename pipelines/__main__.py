"""`python -m pipelines [WORKSPACE]`: the main job, run here and now through Dagster, with bars and a summary.

Belongs here: running the jobs in this process for a person at a terminal. Does not: the jobs.
"""

import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
from rich.console import Console

from pipelines.definitions import build_definitions
from pipelines.partitions import range_tags
from pipelines.resources import Worker, default_directory
from pipelines.schedules import INGEST_JOB, RELEASE_JOB
from usage_stats.errors import InternalError, UsageStatsError
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.progress import bars
from usage_stats.flow.run import RunResult
from usage_stats.flow.status import incomplete_periods
from usage_stats.flow.words import describe_run
from usage_stats.flow.workspace import open_workspace

# Dagster's own log would repeat each step's start and end between the bars.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> None:
    """Run the jobs in a workspace; an error of ours is one message and its class's exit code."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else default_directory()
    try:
        workspace = open_workspace(directory)
        with bars(Console(stderr=True)) as reporter, _instance() as instance:
            worker = Worker(directory, reporter)
            result = run_jobs(worker, instance)
        for broken in result.ingested.broken:
            print(f"warning: {broken}", file=sys.stderr)  # noqa: T201 what a person must mend
        waiting = incomplete_periods(workspace, worker.clock())
        print(describe_run(workspace, result, waiting))  # noqa: T201 the summary is this command's output
        sys.exit(result.exit_code)
    except (UsageStatsError, InternalError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 and this its failure
        sys.exit(error.exit_code)


def run_jobs(worker: Worker, instance: dg.DagsterInstance) -> RunResult:
    """Read the logs, then seal and release over the days that are due, each as one Dagster run."""
    definitions = build_definitions(worker)
    _execute(definitions, INGEST_JOB, instance, {})
    _execute(definitions, RELEASE_JOB, instance, _due_range(worker))
    steps = ("ingest_new", "seal_due", "publish_due", "deliver_and_build")
    return RunResult(*(worker.results[step] for step in steps))


def _due_range(worker: Worker) -> dict[str, str]:
    now = worker.clock()
    days = calendar_of(open_workspace(worker.directory), now).due_days()
    yesterday = now.date() - timedelta(1)
    return range_tags(days[0], days[-1]) if days else range_tags(yesterday, yesterday)


def _execute(
    definitions: dg.Definitions, name: str, instance: dg.DagsterInstance, tags: dict[str, str]
) -> None:
    """Run a job; an error of ours inside a step comes out as itself."""
    job = definitions.resolve_job_def(name)
    outcome = job.execute_in_process(instance=instance, tags=tags, run_config=_QUIET)
    if not outcome.success:
        raise InternalError(f"job {name} failed without an error: this is a bug")


def _instance() -> dg.DagsterInstance:
    """Runs are recorded in DAGSTER_HOME where there is one, with our settings: they turn telemetry off."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return dg.DagsterInstance.ephemeral()
    settings = Path(home) / "dagster.yaml"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_name("dagster.yaml"), settings)
    return dg.DagsterInstance.get()


if __name__ == "__main__":
    main()
