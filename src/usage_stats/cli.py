"""Arguments → calls of the flow, and its results in words: the command line.

Belongs here: commands, their help, their output. Does not: any work of their own.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from usage_stats import __version__
from usage_stats.cli_releases import restate, verify, withdraw
from usage_stats.errors import InputError, InternalError, UsageStatsError, without_values
from usage_stats.table_commands import audit, protect

__all__ = ["app", "main"]

app = typer.Typer(
    name="usage-stats",
    help="From server logs to usage figures that may leave the house: no figure is about fewer than the minimum "
    "persons, alone or combined.",
    epilog="Begin with: usage-stats init my-site --log access.log && usage-stats run --workspace my-site",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_SAMPLE_START = datetime(2026, 3, 1)  # noqa: DTZ001 a calendar day, as the command line gives it

Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace", "-w", help="The workspace: a directory with usage_stats.yaml.", show_default="here"
    ),
]
Execute = Annotated[
    str | None, typer.Option(help="Do what the plan with this digest said.", metavar="DIGEST")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]


def main() -> None:
    """Run the command line; an error of ours is one message and its class's exit code."""
    try:
        app(standalone_mode=True)
    except (UsageStatsError, InternalError) as error:
        _fail(error)
    except Exception as error:  # noqa: BLE001 the last stop: its text may quote a log line, so it is not shown
        _fail(without_values(error))


def _fail(error: UsageStatsError | InternalError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201 the command line's own voice
    sys.exit(error.exit_code)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if show:
        typer.echo(f"usage-stats {__version__}")
        raise typer.Exit


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="The workspace to make.", metavar="DIR")],
    log: Annotated[
        list[Path] | None,
        typer.Option(
            help="An access log to propose components from; repeat for several. It is read, not copied."
        ),
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="The site's short name.", show_default="the directory's name")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Where the reporting days begin and end.")] = "UTC",
) -> None:
    """Write a commented starter workspace, for your own logs."""
    from usage_stats.flow.starter import write_starter

    written = write_starter(directory, logs=log or [], site=site, time_zone=time_zone)
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(
        f"next: look at {directory / 'usage_stats.yaml'}, then run `usage-stats run --workspace {directory}`"
    )


@app.command()
def inspect(
    logs: Annotated[list[Path], typer.Argument(help="Access logs; - is standard input.", metavar="LOG...")],
    log_format: Annotated[
        str, typer.Option("--format", help="A format's name, or a LogFormat / log_format string to paste.")
    ] = "auto",
    cookie: Annotated[str | None, typer.Option(help="The cookie that tells visitors apart.")] = None,
    rejects: Annotated[bool, typer.Option(help="List rejected lines: numbers, reasons.")] = False,
    as_json: Json = False,
) -> None:
    """Recognise a log's format, count its lines, rejects, robots and clients, and suggest the configuration.

    Writes nothing.
    """
    from usage_stats.accesslog.formats import resolve_format
    from usage_stats.accesslog.inspect import inspect_log
    from usage_stats.accesslog.read import Log
    from usage_stats.deidentify.robots import Robots
    from usage_stats.flow.describe_inspection import describe_inspection
    from usage_stats.flow.progress import terminal_bars

    known = None if log_format == "auto" else resolve_format(log_format)
    robot_class = Robots().robot_class
    failed = 0
    for path in logs:
        try:
            with Log(None if str(path) == "-" else path) as log, terminal_bars() as reporter:
                reporter.start(path.name, path.stat().st_size if path.is_file() else 0)
                found = inspect_log(
                    log, log_format=known, robot_class=robot_class, cookie=cookie, on_bytes=reporter.advance
                )
        except InputError as error:  # the other files are worth a look all the same
            typer.echo(f"error: {error}", err=True)
            failed = error.exit_code
            continue
        if found.broken:
            typer.echo(f"warning: {found.broken}", err=True)
        as_text = json.dumps(found.to_json(rejects=rejects)) if as_json else None
        typer.echo(as_text or describe_inspection(found, rejects=rejects))
    raise typer.Exit(failed)


@app.command()
def run(
    workspace: Workspace = Path(),
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Seal no earlier day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Seal no later day.")
    ] = None,
    stdin: Annotated[
        str | None,
        typer.Option(help="Read standard input too, as a log of this source.", metavar="SOURCE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """The main job: read new logs, seal, protect and release what is due. Safe to repeat at any time."""
    from usage_stats.flow.progress import bars
    from usage_stats.flow.run import run as run_flow
    from usage_stats.flow.status import incomplete_periods
    from usage_stats.flow.words import describe_run, run_as_json
    from usage_stats.flow.workspace import open_workspace

    opened = open_workspace(workspace)
    span = {"first": first.date() if first else None, "last": last.date() if last else None}
    now = datetime.now(UTC)
    with bars(Console(stderr=True)) as reporter:
        result = run_flow(opened, now, reporter, **span, standard_input=stdin)
    for broken in result.ingested.broken:
        typer.echo(f"warning: {broken}", err=True)
    waiting = incomplete_periods(opened, now)
    typer.echo(json.dumps(run_as_json(result, waiting)) if as_json else describe_run(opened, result, waiting))
    raise typer.Exit(result.exit_code)


@app.command()
def status(workspace: Workspace = Path(), as_json: Json = False) -> None:
    """Say of each period whether it is open, sealed, released or incomplete, and what is due next."""
    from usage_stats.flow.status import status_of
    from usage_stats.flow.words import describe_status
    from usage_stats.flow.workspace import open_workspace

    found = status_of(open_workspace(workspace), datetime.now(UTC))
    typer.echo(json.dumps(found) if as_json else describe_status(found))


@app.command("compare-lists")
def compare_lists(
    ours: Annotated[Path, typer.Argument(help="The list you are about to write to.", metavar="OURS")],
    theirs: Annotated[Path, typer.Argument(help="The list you received.", metavar="THEIRS")],
    do_not_send: Annotated[
        Path, typer.Option(help="A new file for those of OURS who are on THEIRS too; yours alone.")
    ],
    partner: Annotated[
        str | None,
        typer.Option(
            help="The partner that THEIRS came from, if it may be told a rough count.", metavar="ID"
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The column with the addresses, in CSV files with a header.")
    ] = None,
    workspace: Workspace = Path(),
    as_json: Json = False,
) -> None:
    """Compare two lists of e-mail addresses, so as not to write to people who are on both.

    Shows no address. The partner learns at most a rough count, once a month.
    """
    from usage_stats.flow.compare_lists import AddressList
    from usage_stats.flow.compare_lists import compare_lists as compare
    from usage_stats.flow.describe_comparison import comparison_as_json, describe_comparison
    from usage_stats.flow.workspace import open_workspace

    result = compare(
        open_workspace(workspace),
        AddressList(ours, column),
        AddressList(theirs, column),
        do_not_send=do_not_send,
        partner=partner,
        now=datetime.now(UTC),
    )
    typer.echo(json.dumps(comparison_as_json(result)) if as_json else describe_comparison(result))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def erase(
    context: typer.Context, workspace: Workspace = Path(), execute: Execute = None, as_json: Json = False
) -> None:
    """Erase people named on standard input, and count nothing of them from then on. Shows a plan first.

    One a line: `account VALUE`, `cookie VALUE`, or `address ADDRESS<TAB>USER AGENT`, spelt as the logs spell them;
    or `recipient VALUE`, of opened e-mails, without the escapes of URLs.
    """
    from usage_stats.errors import InputError
    from usage_stats.flow.erase import execute_erasure, plan_erasure
    from usage_stats.flow.retention_words import describe_erasure, describe_receipt
    from usage_stats.flow.workspace import open_workspace

    if context.args:  # unknown to the parser, which would say them
        raise InputError(
            "people are named on standard input, never as arguments, which others on this machine can see: nothing "
            "was done. Write: echo 'account VALUE' | usage-stats erase (and take the line out of your shell's history)"
        )
    opened, given, now = open_workspace(workspace), sys.stdin.buffer.read(), datetime.now(UTC)
    if execute is None:
        plan = plan_erasure(opened, given, now)
        typer.echo(json.dumps(plan.to_json()) if as_json else describe_erasure(plan))
    else:
        receipt = execute_erasure(opened, given, now, digest=execute)
        typer.echo(json.dumps(receipt.to_json()) if as_json else describe_receipt(receipt))


@app.command()
def purge(workspace: Workspace = Path(), execute: Execute = None, as_json: Json = False) -> None:
    """Delete what nothing needs any more: leftovers, and what is older than the maximum age. Shows a plan first."""
    from usage_stats.flow.purge import execute_purge, plan_purge
    from usage_stats.flow.retention_words import describe_purge
    from usage_stats.flow.workspace import open_workspace

    opened, now = open_workspace(workspace), datetime.now(UTC)
    plan = plan_purge(opened, now) if execute is None else execute_purge(opened, now, digest=execute)
    found = plan.to_json() | {"executed": execute is not None}
    typer.echo(json.dumps(found) if as_json else describe_purge(plan, executed=execute is not None))


app.command()(protect)
app.command()(audit)
app.command()(verify)
app.command()(withdraw)
app.command()(restate)


@app.command()
def generate(
    directory: Annotated[Path, typer.Argument(help="Where logs/ and truth/ are written.", metavar="DIR")],
    lines: Annotated[int, typer.Option(help="About how many lines.")] = 500_000,
    days: Annotated[int, typer.Option(help="How many days.")] = 61,
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day.")] = _SAMPLE_START,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 20_260_301,
) -> None:
    """Make synthetic access logs whose true figures are known, in the sample workspace's format."""
    from usage_stats.flow.progress import bars
    from usage_stats.synthetic.generate import generate as generate_logs

    with bars(Console(stderr=True)) as reporter:
        reporter.start("making sample logs", days)
        made = generate_logs(
            directory,
            seed=seed,
            first_day=first_day.date(),
            days=days,
            lines=lines,
            on_day=lambda _: reporter.advance(1),
        )
    typer.echo(f"wrote {made.lines:,} lines in {len(made.files)} files to {directory / 'logs'}")
    typer.echo(f"wrote the true figures to {directory / 'truth'}")


if __name__ == "__main__":
    main()
