"""The commands of those who received releases: arguments → calls of the flow, and its results in words.

Belongs here: commands that need no workspace, only folders. Does not: any work of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["verify"]

Folders = Annotated[
    list[Path],
    typer.Argument(help="Folders with a datapackage.json, or folders above such ones.", metavar="RELEASE..."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document a folder, for machines.")]


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
