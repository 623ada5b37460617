"""Releases → a DuckDB file for analysts: released figures only, explained in place.

Belongs here: the published tables of that file, and building it. Does not: any figure that was not released; the
catalogue, the views and the checked sum, which have modules of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from usage_stats.config import OPENS_TABLE, Table
from usage_stats.dimensions import DIMENSIONS, MEASURES
from usage_stats.durable import make_folders, to_disk
from usage_stats.periods import Period
from usage_stats.release.analysts_catalog import absent_periods, add_catalog, grain_of
from usage_stats.release.analysts_sum import CHECKED_SUM_MEANING, checked_sum_macro
from usage_stats.release.analysts_table import add_table, column_comments, identifier, literal, model_comments
from usage_stats.release.analysts_views import add_views
from usage_stats.release.gate import Release
from usage_stats.release.opens import ReleasedOpens
from usage_stats.release.table_cut import columns_of, cut, is_shown_by
from usage_stats.sqlmodel import load_model, run_model

__all__ = ["build_analysts_file"]

# DuckDB 1.5 reads files of this storage version, 2.x too.
_STORAGE: dict[str, Any] = {"storage_compatibility_version": "v1.5.0"}

_ABOUT_THE_PERIOD = (("period_kind", pa.string()), ("first_date", pa.date32()), ("last_date", pa.date32()))
_FIGURES = pa.schema(
    [
        ("period", pa.string()),
        *_ABOUT_THE_PERIOD,
        *((name, pa.string()) for name in DIMENSIONS),
        *((name, pa.int64()) for name in MEASURES),
        *((name, pa.float64()) for name in ("reach", "frequency", "page_views_per_visit")),
        ("status", pa.string()),
    ]
)
_OPENS = pa.schema(
    [
        ("period", pa.string()),
        *_ABOUT_THE_PERIOD,
        *((name, pa.string()) for name in ("campaign", "open_class")),
        *((name, pa.int64()) for name in ("recipients", "opens")),
        ("status", pa.string()),
    ]
)


def build_analysts_file(
    path: Path,
    releases: Iterable[Release],
    tables: Mapping[str, Table],
    *,
    opens: Iterable[ReleasedOpens] | None = None,
    withdrawn: Collection[tuple[str, Period]] = (),
) -> None:
    """Build the file beside its place and swap it in: readers keep the old one until they reconnect.

    One table per published table over all periods, and `email_opens` where those are measured; `catalog.tables`,
    `catalog.columns`, `catalog.periods`; views under `views`; the macro `checked_sum`. Of a table that was `withdrawn`
    for a period, nothing is in the file but that it was.

    Raises:
        SchemaError: a table or a view would break what its model's header says.
    """
    found, months = list(releases), None if opens is None else list(opens)
    make_folders(path.parent)
    beside = path.with_name(f".{path.name}.partial")
    for left in (
        beside,
        beside.with_name(f"{beside.name}.wal"),
    ):  # a killed run's, with what it was about to do
        left.unlink(missing_ok=True)
    with duckdb.connect(str(beside), config=_STORAGE) as connection:
        for name, table in tables.items():
            _add_figures(connection, name, table, _kept(name, found, withdrawn))
        if months is not None:
            _add_opens(connection, [m for m in months if (OPENS_TABLE, m.period) not in withdrawn])
        add_views(connection, tables)
        add_catalog(connection, found, tables, months, withdrawn)
        connection.execute(checked_sum_macro(_absent(found, tables, withdrawn)))
        connection.execute(f"comment on macro checked_sum is {literal(CHECKED_SUM_MEANING)}")
    beside.chmod(0o444)
    beside.replace(path)
    to_disk(path.parent)


def _kept(name: str, releases: Iterable[Release], withdrawn: Collection[tuple[str, Period]]) -> list[Release]:
    return [release for release in releases if (name, release.period) not in withdrawn]


def _add_figures(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, releases: Sequence[Release]
) -> None:
    model = load_model("warehouse.figures")
    shown = ["period", *(column for column, _ in _ABOUT_THE_PERIOD), *(c.name for c in columns_of(table)[1:])]
    content = run_model(model.name, {"release.figures": _figures(releases, name, table)}).select(shown)
    columns = column_comments(tuple(column for column in model.columns if column.name in shown))
    add_table(connection, identifier(name), content, f"Released usage figures, {grain_of(table)}", columns)


def _figures(releases: Sequence[Release], name: str, table: Table) -> pa.Table:
    """The table's rows of all periods, in the shape that the model reads: columns it has not are null."""
    records: list[dict[str, Any]] = []
    for release in _showing(releases, table):
        shown = cut(release, name, table)
        names = [column.name for column in shown.columns]
        about = _about(release.period)
        records += [about | dict(zip(names, row, strict=True)) for row in shown.rows]
    return pa.Table.from_pylist(records, schema=_FIGURES)


def _absent(
    releases: Sequence[Release], tables: Mapping[str, Table], withdrawn: Collection[tuple[str, Period]]
) -> dict[tuple[str, ...], list[str]]:
    """Dimensions of each table → the periods that it lacks between those that it has."""
    absent: dict[tuple[str, ...], list[str]] = {}
    for name, table in tables.items():
        shown = [r.period for r in _showing(_kept(name, releases, withdrawn), table)]
        absent.setdefault(table.dimensions, []).extend(period.code for period in absent_periods(shown))
    return absent


def _showing(releases: Sequence[Release], table: Table) -> list[Release]:
    return [r for r in releases if r.period.kind in table.periods and is_shown_by(r, table)]


def _add_opens(connection: duckdb.DuckDBPyConnection, opens: Sequence[ReleasedOpens]) -> None:
    model = load_model("warehouse.email_opens")
    names = ("campaign", "open_class", "recipients", "opens", "status")
    records = [
        _about(released.period) | {"period": released.period.code} | dict(zip(names, row, strict=True))
        for released in opens
        for row in released.rows
    ]
    content = run_model(model.name, {"release.email_opens": pa.Table.from_pylist(records, schema=_OPENS)})
    meaning = f"Released figures of opened e-mails, {model.grain}"
    add_table(connection, OPENS_TABLE, content, meaning, model_comments(model))


def _about(period: Period) -> dict[str, Any]:
    return {"period_kind": period.kind, "first_date": period.first, "last_date": period.last}
