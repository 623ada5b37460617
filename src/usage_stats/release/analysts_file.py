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
from usage_stats.measure.relations import ADDITIVE_OVER
from usage_stats.release.export import COLUMNS, DIMENSION_NAMES
from usage_stats.release.gate import Release
from usage_stats.release.opens import ReleasedOpens
from usage_stats.sqlmodel import Column, Model, load_model, run_model

__all__ = ["build_analysts_file"]

# DuckDB 1.5 reads files of this storage version, 2.x too.
_STORAGE: dict[str, Any] = {"storage_compatibility_version": "v1.5.0"}


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
            _add_table(connection, name, [r.cut(table) for r in found if r.period.kind in table.periods])
        if opens is not None:
            _add_opens(connection, opens)
        _add_catalog(connection, found, tables, has_opens=opens is not None)
    beside.chmod(0o444)
    beside.replace(path)


def _add_table(connection: duckdb.DuckDBPyConnection, name: str, releases: list[Release]) -> None:
    model = load_model("warehouse.figures")
    _create(connection, f'"{name}"', run_model(model.name, {"release.figures": _rows(releases)}))
    _explain(connection, name, "Released usage figures", model)


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
        meaning = column.meaning.replace("'", "''")
        connection.execute(f"comment on column \"{name}\".{column.name} is '{meaning} [{column.unit}]'")


def _rows(releases: list[Release]) -> pa.Table:
    names = [column[0] for column in COLUMNS]
    kinds = [column[1] for column in COLUMNS]
    rows = [(r.period.kind, r.period.first, *row) for r in releases for row in r.rows]
    columns = list(zip(*rows, strict=True)) or [()] * (len(names) + 2)
    schema = pa.schema(
        [("period_kind", pa.string()), ("first_date", pa.date32()), *zip(names, kinds, strict=True)]
    )
    return pa.table([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema)


def _add_catalog(
    connection: duckdb.DuckDBPyConnection,
    releases: list[Release],
    tables: Mapping[str, Table],
    *,
    has_opens: bool,
) -> None:
    connection.execute("create schema catalog")
    model = load_model("warehouse.figures")
    shown = [(name, model, ", ".join(table.periods)) for name, table in tables.items()]
    if has_opens:
        shown.append((OPENS_TABLE, load_model("warehouse.email_opens"), "month"))
    columns = [_column_entry(name, column) for name, model, _ in shown for column in model.columns]
    listed = [(name, model.grain, periods) for name, model, periods in shown]
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


def _column_entry(table: str, column: Column) -> tuple[object, ...]:
    over = ADDITIVE_OVER.get(column.name, ())  # type: ignore[call-overload] # other columns than measures have none
    named = [name for dimension in over for name in DIMENSION_NAMES[dimension]]
    return (table, column.name, column.meaning, column.unit, ", ".join(named))


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
