"""Days that are over → usage rows; released windows → no key and no usage rows any more.

Belongs here: the two irreversible steps of a window's life, and what is deleted with them. Does not: figures.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.config import Config
from usage_stats.durable import make_folders, to_disk
from usage_stats.flow.calendar import Calendar
from usage_stats.flow.classification import rules_of, told_apart, versions_of_day
from usage_stats.flow.ingest import event_files
from usage_stats.flow.known_lines import closed_files
from usage_stats.flow.reporter import Reporter
from usage_stats.flow.workspace import Workspace, write_restricted
from usage_stats.measure.cells import UsageFiles
from usage_stats.measure.cube import Cube
from usage_stats.measure.table_spec import cube_of, needs_buckets, stored_codes
from usage_stats.measure.usage import usage_of_day
from usage_stats.periods import Period, WindowKind, month, week
from usage_stats.schemas import EMAIL_OPENS, VISITORS, page_views_with
from usage_stats.sqlmodel import Database, run_model
from usage_stats.table_settings import event_codes

__all__ = [
    "close_window",
    "discard_sealed_events",
    "email_open_files",
    "open_event_files",
    "seal_days",
    "sealed_usage",
    "unneeded_events",
    "usage_files",
    "usage_folder",
]

_TABLES = ("component_day", "network_day")
_EMAIL_OPEN = "email_open"  # of months alone: figures of other periods could be subtracted


def seal_days(workspace: Workspace, days: Sequence[date], calendar: Calendar, reporter: Reporter) -> None:
    """Make the usage rows of each day, then seal it: no later line changes it any more.

    A crash between the two leaves usage files that the next run writes again, byte for byte.
    """
    reporter.start("sealing days", len(days))
    cube, codes = cube_of(workspace.config), stored_codes(workspace.config)
    entries = workspace.ingested.entries()
    with Database(workspace.spill) as database:
        for of in days:
            flagged = _write_usage(workspace, of, cube, database)
            rules = rules_of(cube.digest, versions_of_day(entries, of))
            empty = not any(of in lines for lines in calendar.lines.values())
            entry = {"day": of.isoformat(), "empty": empty, "rules": rules, "flagged": flagged}
            tells = codes | told_apart(entries, of, workspace.config.event_attributes)
            workspace.sealed.append(entry | ({"tells": sorted(tells)} if tells else {}))
            reporter.advance(1)


def discard_sealed_events(workspace: Workspace) -> None:
    """Delete what was kept of sealed days until now: events, and the fingerprints of lines all of whose days are
    sealed; and files that no ledger entry names: leftovers of a crash. Days that expired are as good as sealed.
    """
    for path in unneeded_events(workspace):
        path.unlink()
    done = workspace.done_days()
    for folder in (workspace.restricted / "events").glob("day=*"):
        if _folder_day(folder) in done:
            folder.rmdir()


def unneeded_events(workspace: Workspace, also: Collection[str] = ()) -> list[Path]:
    """The files of events and fingerprints that no later step reads; `also`: nor any of these days."""
    needed = {path for path in open_event_files(workspace) if _folder_day(path.parent) not in also}
    closed = closed_files(workspace, also)
    for entry in workspace.ingested.entries():
        if entry["fingerprints"] not in closed:
            needed.add(workspace.restricted / entry["fingerprints"])
    folders = (workspace.restricted / "fingerprints", *(workspace.restricted / "events").glob("day=*"))
    return sorted(path for folder in folders if folder.is_dir() for path in set(folder.iterdir()) - needed)


def open_event_files(workspace: Workspace) -> list[Path]:
    """The committed event files of all days that are neither sealed nor expired."""
    done = workspace.done_days()
    names = (name for entry in workspace.ingested.entries() for name in entry["events"])
    return [workspace.restricted / name for name in names if _day_of(name) not in done]


def _day_of(event_file: str) -> str:
    return event_file.split("/")[1].removeprefix("day=")


def _folder_day(folder: Path) -> str:
    return folder.name.removeprefix("day=")


def sealed_usage(workspace: Workspace) -> list[tuple[WindowKind, date, Path]]:
    """The folders of usage rows that are still needed: of sealed days, in windows that are not closed."""
    sealed = [date.fromisoformat(entry["day"]) for entry in workspace.sealed.entries()]
    closed = workspace.keys.destroyed()
    kinds: dict[WindowKind, Callable[[date], Period]] = {"week": week, "month": month}
    places = [
        (kind, of, usage_folder(workspace, kind, of))
        for kind, window in kinds.items()
        for of in sorted(sealed)
        if window(of).code not in closed
    ]
    return [place for place in places if place[2].is_dir()]


def usage_files(workspace: Workspace, kind: WindowKind, days: Sequence[date]) -> UsageFiles:
    """The usage files of sealed days under one kind of window, and of the window's days before."""
    first = {"week": week, "month": month}[kind](days[0]).first
    before = [first + timedelta(n) for n in range((days[0] - first).days)]
    present, earlier = (
        [folder for folder in (usage_folder(workspace, kind, of) for of in some) if folder.is_dir()]
        for some in (days, before)
    )
    persons, networks = (tuple(folder / f"{table}.parquet" for folder in present) for table in _TABLES)
    return UsageFiles(persons, networks, tuple(folder / "component_day.parquet" for folder in earlier))


def email_open_files(workspace: Workspace, of: Period) -> list[Path]:
    """The usage files of opened e-mails of a month's days."""
    paths = (usage_folder(workspace, "month", day) / f"{_EMAIL_OPEN}.parquet" for day in of.days)
    return [path for path in paths if path.is_file()]


def close_window(workspace: Workspace, window: Period) -> None:
    """Destroy a window's key and delete its usage rows: nobody can be told apart in it any more."""
    if window.kind == "day":
        return
    for of in window.days:  # rows first: once the key is gone, no later run looks here again
        folder = usage_folder(workspace, window.kind, of)
        if folder.exists():
            shutil.rmtree(folder)
            to_disk(folder.parent)
    workspace.keys.destroy(window.kind, window.code)


def _write_usage(workspace: Workspace, of: date, cube: Cube, database: Database) -> dict[str, int]:
    """Write a day's usage under each kind of window; return how many visitors each rule of conduct is true of."""
    page_views = _events(workspace, "page_views", of, page_views_with(workspace.config.event_attributes))
    visitors = _events(workspace, "visitors", of, VISITORS)
    config = workspace.config
    usage = usage_of_day(
        *(of, page_views, visitors, cube, config.robots),
        database=database,
        zone=config.zone,
        with_buckets=needs_buckets(config),
    )
    for kind, tables in usage.by_window.items():
        for table in _TABLES:
            _write(usage_folder(workspace, kind, of), table, getattr(tables, table))
    opens = _events(workspace, "email_opens", of, EMAIL_OPENS)
    if config.email.opens or len(opens):
        counted = run_model("usage.email_open_day", {"event.email_open": opens}, database=database)
        _write(usage_folder(workspace, "month", of), _EMAIL_OPEN, counted)
    return {str(rule): persons for rule, persons in usage.flagged.items()}


def _write(folder: Path, table: str, rows: pa.Table) -> None:
    make_folders(folder, mode=0o700)
    beside = folder / f".{table}.partial"
    write_restricted(rows, beside)
    beside.replace(folder / f"{table}.parquet")
    to_disk(folder)  # once the day is sealed, its events go


def _events(workspace: Workspace, table: str, of: date, schema: pa.Schema) -> pa.Table:
    """All that was kept of a day; distinct words of several files in one dictionary."""
    codes = _least_said(workspace.config)
    parts = [_read(path, schema, codes) for path in event_files(workspace, table, of)]
    return pa.concat_tables([schema.empty_table(), *parts]).unify_dictionaries()


def _read(path: Path, schema: pa.Schema, codes: Mapping[str, str]) -> pa.Table:
    """A file's rows; an attribute that was not asked for when it was written has the code that says the least."""
    with pq.ParquetFile(path) as file:
        rows = file.read(use_threads=False)
    for name in codes.keys() & set(schema.names) - set(rows.column_names):
        rows = rows.append_column(name, pa.repeat(codes[name], len(rows)).dictionary_encode())
    return rows.select(schema.names).cast(schema)


def _least_said(config: Config) -> dict[str, str]:
    """Per attribute that is asked for, the last of its codes."""
    groups = config.customer_groups.names if config.customer_groups else ()
    return {name: event_codes(name, config.countries, groups)[-1] for name in config.event_attributes}


def usage_folder(workspace: Workspace, kind: WindowKind, of: date) -> Path:
    """Where a day's usage rows lie under one kind of window."""
    return workspace.restricted / "usage" / kind / f"day={of}"
