"""Arguments → protection and audit of any table, and what came of it in words.

Belongs here: the commands that need no workspace and no logs. Does not: any work of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["audit", "protect"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]


def protect(
    cells: Annotated[Path, typer.Argument(help="Inner cells, .csv or .parquet.", metavar="CELLS")],
    spec: Annotated[Path, typer.Option(help="Dimensions, columns and rules (YAML).", metavar="TABLE.yaml")],
    out: Annotated[Path, typer.Option(help="The protected table, .csv or .parquet.", metavar="FILE")],
    partner: Annotated[
        bool, typer.Option("--partner", help="Only published / suppressed, not why: for readers outside.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="How long to look for a better choice.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Withhold what a table of counts would tell about too few, and whatever would give that away.

    Needs no workspace. Writes nothing that an audit does not pass.
    """
    from usage_stats.flow.progress import terminal_note
    from usage_stats.flow.protect_table import describe_protected, protect_table

    with terminal_note() as note:
        figures = protect_table(cells, spec, out, for_partner=partner, seconds=seconds, on_step=note)
    typer.echo(json.dumps(figures) if as_json else describe_protected(figures))


def audit(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="A protected table, .csv or .parquet; or folders of releases, or above such ones.",
            metavar="FILE|RELEASE...",
        ),
    ],
    spec: Annotated[
        Path | None,
        typer.Option(help="Of a table: dimensions, columns and rules (YAML).", metavar="TABLE.yaml"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Of a table: where to write each cell's interval.", metavar="FILE")
    ] = None,
    as_json: Json = False,
) -> None:
    """Attack what was published: how closely can each withheld figure be worked out? Exit code 14 if one is exposed.

    With --spec, a table of counts; without, folders of releases, all together, as partners would who pool them.
    """
    from usage_stats.errors import InputError

    if spec is None:
        _audit_releases(files, out, as_json=as_json)
    elif len(files) > 1:
        raise InputError(
            f"audit: --spec describes one table, and {len(files)} were given; audit them one by one"
        )
    else:
        _audit_table(files[0], spec, out, as_json=as_json)


def _audit_table(file: Path, spec: Path, out: Path | None, *, as_json: bool) -> None:
    from usage_stats.errors import AuditFailed
    from usage_stats.flow.protect_table import audit_table, describe_audit

    found = audit_table(file, spec, out)
    typer.echo(json.dumps(found.to_json()) if as_json else describe_audit(found))
    raise typer.Exit(AuditFailed.exit_code if found.exposed else 0)


def _audit_releases(folders: list[Path], out: Path | None, *, as_json: bool) -> None:
    from usage_stats.errors import InputError
    from usage_stats.flow.audit_folders import audit_exit_code, audit_folders, describe_audits
    from usage_stats.flow.progress import terminal_bars

    files = [path for path in folders if path.is_file()]
    if files or out is not None:
        what = f"{files[0]} is a file" if files else "--out is for a table"
        raise InputError(
            f"audit: {what}: name its specification with --spec; without, give folders of releases"
        )
    with terminal_bars() as reporter:
        found = audit_folders(folders, reporter)
    typer.echo(json.dumps([audit.to_json() for audit in found]) if as_json else describe_audits(found))
    raise typer.Exit(audit_exit_code(found))
