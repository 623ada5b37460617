"""Which workspace a run works on, at which time, and who is told how far it is.

Belongs here: what assets need from outside. Does not: work.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from usage_stats.errors import InternalError, UsageStatsError, without_values
from usage_stats.flow.reporter import Reporter, Silent
from usage_stats.flow.workspace import open_workspace

__all__ = ["WORKSPACE_VARIABLE", "Worker", "default_directory"]

WORKSPACE_VARIABLE = "USAGE_STATS_WORKSPACE"


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Worker:
    """Does one step of the flow in one workspace, holding its lock; keeps the result for a summary."""

    directory: Path
    reporter: Reporter = field(default_factory=Silent)
    clock: Callable[[], datetime] = _wall_clock
    results: dict[str, Any] = field(default_factory=dict)

    def do(self, step: Callable[..., Any], **options: Any) -> Any:
        """Run a step as `step(workspace, now, reporter, **options)` and return its result."""
        workspace = open_workspace(self.directory)
        with workspace.lock():
            try:
                result = step(workspace, self.clock(), self.reporter, **options)
            except (UsageStatsError, InternalError):
                raise
            except Exception as error:  # noqa: BLE001 Dagster keeps every error's text, and this one's may quote a line
                raise without_values(error) from None
        self.results[step.__name__] = result
        return result


def default_directory() -> Path:
    """The workspace named by the environment, else the sample."""
    named = os.environ.get(WORKSPACE_VARIABLE)
    return Path(named) if named else Path(__file__).parents[1] / "data" / "sample"
