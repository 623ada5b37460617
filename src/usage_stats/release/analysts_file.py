"""Releases → a DuckDB file for analysts: released figures only, explained in place.

Belongs here: tables, catalogue and comments of that file. Does not: any figure that was not released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from usage_stats.config import Table
from usage_stats.measure.relations import ADDITIVE_OVER
from usage_stats.release.export import COLUMNS
from usage_stats.release.gate import Release
from usage_stats.sqlmodel import load_model, run_model

__all__ = ["build_analysts_file"]

# DuckDB 1.5 reads files of this storage version, 2.x too.
_STORAGE: dict[str, Any] = {"storage_compatibility_version": "v1.5.0"}


def build_analysts_file(path: Path, releases: Iterable[Release], tables: Mapping[str, Table]) -> None:
    """Build the file beside its place and swap it in: readers keep the old one until they reconnect.

    One table per published table over all periods; `catalog.tables`, `catalog.columns`, `catalog.periods`.
    """
    found = list(releases)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    beside.unlink(missing_ok=True)
    with duckdb.connect(str(beside), config=_STORAGE) as connection:
        for name, table in tables.items():
            _add_table(connection, name, [r.cut(table) for r in found if r.period.kind in table.periods])
        _add_catalog(connection, found, tables)
    beside.chmod(0o444)
    beside.replace(path)


def _add_table(connection: duckdb.DuckDBPyConnection, name: str, releases: list[Release]) -> None:
    model = load_model("warehouse.figures")
    _create(connection, f'"{name}"', run_model(model.name, {"release.figures": _rows(releases)}))
    connection.execute(f"comment on table \"{name}\" is 'Released usage figures, {model.grain}'")
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
    connection: duckdb.DuckDBPyConnection, releases: list[Release], tables: Mapping[str, Table]
) -> None:
    connection.execute("create schema catalog")
    model = load_model("warehouse.figures")
    listed = [
        {"table_name": n, "grain": model.grain, "period_kinds": ", ".join(t.periods)}
        for n, t in tables.items()
    ]
    _create(connection, "catalog.tables", pa.Table.from_pylist(listed))
    _create(
        connection,
        "catalog.columns",
        pa.Table.from_pylist(
            [
                {
                    "table_name": name,
                    "column_name": column.name,
                    "meaning": column.meaning,
                    "unit": column.unit,
                    "additive_over": ", ".join(ADDITIVE_OVER.get(column.name, ())),  # type: ignore[call-overload] # other columns have none
                }
                for name in tables
                for column in model.columns
            ]
        ),
    )
    _create(
        connection, "catalog.periods", pa.Table.from_pylist([_period(r) for r in releases], schema=_PERIODS)
    )


_PERIODS = pa.schema(
    [
        ("period", pa.string()),
        ("period_kind", pa.string()),
        ("first_date", pa.date32()),
        ("last_date", pa.date32()),
        ("state", pa.string()),
        ("days_without_lines", pa.int64()),
        ("minimum_persons", pa.int64()),
        ("minimum_networks", pa.int64()),
        ("policy_versions", pa.string()),
    ]
)


def _period(release: Release) -> dict[str, object]:
    facts = release.facts
    return {
        "period": release.period.code,
        "period_kind": release.period.kind,
        "first_date": release.period.first,
        "last_date": release.period.last,
        "state": "incomplete" if facts.days_without_lines else "released",
        "days_without_lines": len(facts.days_without_lines),
        "minimum_persons": facts.thresholds.minimum_persons,
        "minimum_networks": facts.thresholds.minimum_networks,
        "policy_versions": ", ".join(facts.policy_versions),
    }


def _create(connection: duckdb.DuckDBPyConnection, name: str, content: pa.Table) -> None:
    connection.register("content", content)
    connection.execute(f"create table {name} as select * from content")  # noqa: S608 names are slugs, checked by the configuration
    connection.unregister("content")
