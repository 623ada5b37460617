"""Everything Dagster should know, built by one function so that tests and the terminal may bring their own worker."""

import warnings

import dagster as dg

from pipelines.resources import Worker, default_directory

# The range of a backfill as one run: marked beta by Dagster, pinned and tested by us.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")

from pipelines.assets import ASSETS  # noqa: E402 after the filter, which must be in place when assets are made
from pipelines.checks import CHECKS  # noqa: E402 the same
from pipelines.schedules import JOBS, SCHEDULES  # noqa: E402 the same

__all__ = ["build_definitions", "defs"]


def build_definitions(worker: Worker) -> dg.Definitions:
    """Definitions for one workspace; in process, one step after the other: steps share the workspace's lock."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=JOBS,
        schedules=SCHEDULES,
        resources={"workspace": worker},
        executor=dg.in_process_executor,
    )


defs = build_definitions(Worker(default_directory()))
