"""Releases → a DuckDB file for analysts: released figures only, explained in place.

Belongs here: tables, catalogue and comments of that file. Does not: any figure that was not released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from usage_stats.config import OPENS_TABLE, Table
from usage_stats.dimensions import DIMENSIONS, MEASURES
from usage_stats.release.gate import Release
from usage_stats.release.opens import ReleasedOpens
from usage_stats.release.table_cut import columns_of, cut, is_shown_by
from usage_stats.sqlmodel import Column, Model, load_model, run_model

__all__ = ["build_analysts_file"]

# DuckDB 1.5 reads files of this storage version, 2.x too.
_STORAGE: dict[str, Any] = {"storage_compatibility_version": "v1.5.0"}


_FIGURES = pa.schema(
    [
        ("period_kind", pa.string()),
        ("first_date", pa.date32()),
        ("period", pa.string()),
        *((name, pa.string()) for name in DIMENSIONS),
        *((name, pa.int64()) for name in MEASURES),
        *((name, pa.float64()) for name in ("reach", "frequency", "page_views_per_visit")),
        ("status", pa.string()),
    ]
)
_OPENS = pa.schema(
    [
        *((name, pa.string()) for name in ("period", "campaign", "open_class")),
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
) -> None:
    """Build the file beside its place and swap it in: readers keep the old one until they reconnect.

    One table per published table over all periods, and `email_opens` where those are measured; `catalog.tables`,
    `catalog.columns`, `catalog.periods`.
    """
    found = list(releases)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    beside.unlink(missing_ok=True)
    with duckdb.connect(str(beside), config=_STORAGE) as connection:
        for name, table in tables.items():
            _add_table(connection, name, table, [r for r in found if r.period.kind in table.periods])
        if opens is not None:
            _add_opens(connection, opens)
        _add_catalog(connection, found, tables, has_opens=opens is not None)
    beside.chmod(0o444)
    beside.replace(path)


def _add_table(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, releases: list[Release]
) -> None:
    model = load_model("warehouse.figures")
    content = run_model(model.name, {"release.figures": _rows(releases, name, table)})
    shown = [c.name for c in columns_of(table)]
    content = content.select(["period", "period_kind", "first_date", *shown[1:]])
    _create(connection, f'"{name}"', content)
    connection.execute(f"comment on table \"{name}\" is 'Released usage figures, {_grain(table)}'")
    for column in model.columns:
        if column.name in content.column_names:
            _comment(connection, name, column)


def _grain(table: Table) -> str:
    keys = [c.name for c in columns_of(table) if c.additive_over is None and c.name != "status"]
    return f"one row per {', '.join(keys)}"


def _add_opens(connection: duckdb.DuckDBPyConnection, opens: Iterable[ReleasedOpens]) -> None:
    model = load_model("warehouse.email_opens")
    rows = [(released.period.code, *row) for released in opens for row in released.rows]
    records = [dict(zip(_OPENS.names, row, strict=True)) for row in rows]
    content = run_model(model.name, {"release.email_opens": pa.Table.from_pylist(records, schema=_OPENS)})
    _create(connection, OPENS_TABLE, content)
    _explain(connection, OPENS_TABLE, "Released figures of opened e-mails", model)


def _explain(connection: duckdb.DuckDBPyConnection, name: str, what: str, model: Model) -> None:
    connection.execute(f"comment on table \"{name}\" is '{what}, {model.grain}'")
    for column in model.columns:
        _comment(connection, name, column)


def _comment(connection: duckdb.DuckDBPyConnection, table: str, column: Column) -> None:
    meaning = column.meaning.replace("'", "''")
    connection.execute(f"comment on column \"{table}\".{column.name} is '{meaning} [{column.unit}]'")


def _rows(releases: list[Release], name: str, table: Table) -> pa.Table:
    """The table's rows of all periods, in the shape that the model reads: columns it has not are null."""
    records: list[dict[str, Any]] = []
    for release in releases:
        if is_shown_by(release, table):
            shown = cut(release, name, table)
            names = [column.name for column in shown.columns]
            of = {"period_kind": release.period.kind, "first_date": release.period.first}
            records += [of | dict(zip(names, row, strict=True)) for row in shown.rows]
    return pa.Table.from_pylist(records, schema=_FIGURES)


def _add_catalog(
    connection: duckdb.DuckDBPyConnection,
    releases: list[Release],
    tables: Mapping[str, Table],
    *,
    has_opens: bool,
) -> None:
    connection.execute("create schema catalog")
    model = load_model("warehouse.figures")
    listed: list[tuple[object, ...]] = []
    columns: list[tuple[object, ...]] = []
    for name, table in tables.items():
        names = {"period_kind", "first_date", *(c.name for c in columns_of(table))}
        listed.append((name, _grain(table), ", ".join(table.periods)))
        columns += [_column_entry(name, c, table) for c in model.columns if c.name in names]
    if has_opens:
        opens = load_model("warehouse.email_opens")
        listed.append((OPENS_TABLE, opens.grain, "month"))
        columns += [_column_entry(OPENS_TABLE, column, None) for column in opens.columns]
    contents: dict[str, Sequence[tuple[object, ...]]] = {
        "tables": listed,
        "columns": columns,
        "periods": [_period_entry(r) for r in releases],
    }
    for name, (meaning, schema) in _CATALOG.items():
        _add_catalog_table(connection, f"catalog.{name}", meaning, schema, contents[name])


# catalog table → what it is, and its columns with what they mean
_CATALOG: dict[str, tuple[str, dict[str, tuple[pa.DataType, str]]]] = {
    "tables": (
        "The published tables",
        {
            "table_name": (pa.string(), "name of the table in this file"),
            "grain": (pa.string(), "what one row stands for"),
            "period_kinds": (
                pa.string(),
                "the kinds of period it comes in; never add figures of different kinds",
            ),
        },
    ),
    "columns": (
        "The columns of the published tables",
        {
            "table_name": (pa.string(), "name of the table in this file"),
            "column_name": (pa.string(), "name of the column"),
            "meaning": (pa.string(), "what it holds"),
            "unit": (pa.string(), "what it counts, or code or date"),
            "additive_over": (pa.string(), "dimensions over which sums are right; none if empty"),
        },
    ),
    "periods": (
        "The released periods and what they rest on",
        {
            "period": (pa.string(), "code of the period"),
            "period_kind": (pa.string(), "day, week or month"),
            "first_date": (pa.date32(), "first day, reporting time zone"),
            "last_date": (pa.date32(), "last day, reporting time zone"),
            "state": (pa.string(), "released, or incomplete: released with days that have no log lines"),
            "days_without_lines": (pa.int64(), "how many such days"),
            "minimum_persons": (pa.int64(), "the threshold in force"),
            "minimum_networks": (pa.int64(), "the threshold in force"),
            "policy_versions": (pa.string(), "versions of the privacy policy in force on its days"),
        },
    ),
}


def _add_catalog_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    meaning: str,
    schema: Mapping[str, tuple[pa.DataType, str]],
    rows: Sequence[tuple[object, ...]],
) -> None:
    fields = pa.schema([(column, kind) for column, (kind, _) in schema.items()])
    records = [dict(zip(schema, row, strict=True)) for row in rows]
    _create(connection, name, pa.Table.from_pylist(records, schema=fields))
    connection.execute(f"comment on table {name} is '{meaning}'")
    for column, (_, words) in schema.items():
        connection.execute(f"comment on column {name}.{column} is '{words}'")


def _column_entry(name: str, column: Column, table: Table | None) -> tuple[object, ...]:
    over = next((c.additive_over for c in columns_of(table) if c.name == column.name), ()) if table else ()
    return (name, column.name, column.meaning, column.unit, ", ".join(over or ()))


def _period_entry(release: Release) -> tuple[object, ...]:
    period, facts = release.period, release.facts
    gaps = len(facts.days_without_lines)
    return (
        period.code,
        period.kind,
        period.first,
        period.last,
        "incomplete" if gaps else "released",
        gaps,
        facts.thresholds.minimum_persons,
        facts.thresholds.minimum_networks,
        ", ".join(facts.policy_versions),
    )


def _create(connection: duckdb.DuckDBPyConnection, name: str, content: pa.Table) -> None:
    connection.register("content", content)
    connection.execute(f"create table {name} as select * from content")  # noqa: S608 names are slugs, checked by the configuration
    connection.unregister("content")
