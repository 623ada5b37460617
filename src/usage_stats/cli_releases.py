"""The commands about what was released: arguments → calls of the flow, and its results in words.

Belongs here: checking folders, withdrawing and restating them. Does not: any work of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

__all__ = ["restate", "verify", "withdraw"]

Folders = Annotated[
    list[Path],
    typer.Argument(help="Folders with a datapackage.json, or folders above such ones.", metavar="RELEASE..."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document a folder, for machines.")]


Table = Annotated[str, typer.Argument(help="The table, as usage_stats.yaml calls it.", metavar="TABLE")]
Code = Annotated[str, typer.Argument(help="2026-11-21, 2026-W47 or 2026-11.", metavar="PERIOD")]
Reason = Annotated[str, typer.Option(help="Why, in one line; partners read it. Name nobody.")]
PartnerId = Annotated[
    str | None, typer.Option(help="Only this partner's folder.", metavar="ID", show_default="everybody")
]
Place = Annotated[
    Path,
    typer.Option(
        "--workspace", "-w", help="The workspace: a directory with usage_stats.yaml.", show_default="here"
    ),
]
Execute = Annotated[
    str | None, typer.Option(help="Do what the plan with this digest said.", metavar="DIGEST")
]


def withdraw(
    table: Table,
    period: Code,
    reason: Reason,
    partner: PartnerId = None,
    workspace: Place = Path(),
    execute: Execute = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a table of a period: notices in the place of partners' figures. Shows a plan first.

    It is recorded, and nothing brings the figures back but `restate`. What was published stays known.
    """
    about = {"table": table, "period": period, "reason": reason, "partner": partner}
    _change("withdrawn", about, workspace, execute, as_json=as_json)


def restate(
    table: Table,
    period: Code,
    reason: Reason,
    partner: PartnerId = None,
    workspace: Place = Path(),
    execute: Execute = None,
    as_json: AsJson = False,
) -> None:
    """Deliver a table of a period once more, from its record, as a numbered edition. Shows a plan first.

    For new formats, columns or terms, and for what was withdrawn by mistake. Figures that are out never become others:
    refused with exit code 15. What is wrong is withdrawn.
    """
    about = {"table": table, "period": period, "reason": reason, "partner": partner}
    _change("restated", about, workspace, execute, as_json=as_json)


def _change(
    event: Literal["withdrawn", "restated"],
    about: Mapping[str, Any],
    workspace: Path,
    execute: str | None,
    *,
    as_json: bool,
) -> None:
    from usage_stats.flow.restate import Change, execute_change, plan_change
    from usage_stats.flow.restate_words import describe_plan
    from usage_stats.flow.workspace import open_workspace

    opened, change = open_workspace(workspace), Change(event, **about)
    if execute is None:
        plan = plan_change(opened, change)
    else:
        plan = execute_change(opened, change, datetime.now(UTC), digest=execute)
    found = plan.to_json() | {"executed": execute is not None}
    typer.echo(json.dumps(found) if as_json else describe_plan(plan, executed=execute is not None))


def verify(releases: Folders, as_json: AsJson = False) -> None:
    """Check that released folders are what was sent: digests, columns, statuses, sums, ratios; offline.

    Needs no workspace. Exit code 11: files are damaged or missing; 12: figures contradict each other or their
    description; 14: a figure is about too few, or withheld in one folder and published in another.
    """
    from usage_stats.flow.progress import terminal_bars
    from usage_stats.flow.verify_folders import describe_verdicts, exit_code, verify_folders

    with terminal_bars() as reporter:
        verdicts = verify_folders(releases, reporter)
    if as_json:
        for verdict in verdicts:
            typer.echo(json.dumps(verdict.to_json()))
    else:
        typer.echo(describe_verdicts(verdicts))
    raise typer.Exit(exit_code(verdicts))
