"""Releases and tables → the schema `catalog` of the analysts' file: tables, columns and periods, explained.

Belongs here: what an analyst looks up before adding anything up. Does not: figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from usage_stats.config import OPENS_TABLE, Table
from usage_stats.periods import Period, periods_of
from usage_stats.release.analysts_table import add_table
from usage_stats.release.analysts_views import SCHEMA, view_models
from usage_stats.release.gate import Release
from usage_stats.release.opens import ReleasedOpens
from usage_stats.release.table_cut import columns_of, is_shown_by
from usage_stats.sqlmodel import Column, load_model

__all__ = ["absent_periods", "add_catalog", "grain_of"]

# catalog table → what it is, and its columns with what they mean
_CATALOG: dict[str, tuple[str, dict[str, tuple[pa.DataType, str]]]] = {
    "tables": (
        "The published tables, and the views on them",
        {
            "table_name": (pa.string(), "name in this file"),
            "kind": (pa.string(), "table, or view"),
            "grain": (pa.string(), "what one row stands for"),
            "period_kinds": (
                pa.string(),
                "the kinds of period it comes in; never add figures of different kinds",
            ),
            "audience": (pa.string(), "partners (whom the settings name), or analysts alone"),
            "periods": (pa.int64(), "how many released periods it shows"),
            "periods_missing": (
                pa.int64(),
                "how many it does not show: sealed before it was asked for or with other codes, or withdrawn",
            ),
        },
    ),
    "columns": (
        "The columns of the published tables, and of the views on them",
        {
            "table_name": (pa.string(), "name of the table in this file"),
            "column_name": (pa.string(), "name of the column"),
            "meaning": (pa.string(), "what it holds"),
            "unit": (pa.string(), "what it counts, or code or date"),
            "additive_over": (
                pa.string(),
                "dimensions over which sums are right, none if empty; NULL for what is no figure of a table",
            ),
        },
    ),
    "periods": (
        "The released periods, what they rest on, and the periods between them that were not released",
        {
            "period": (pa.string(), "code of the period"),
            "period_kind": (pa.string(), "day, week or month"),
            "first_date": (pa.date32(), "first day, reporting time zone"),
            "last_date": (pa.date32(), "last day, reporting time zone"),
            "state": (
                pa.string(),
                "released, incomplete (days have no log lines), withdrawn (every table of it) or not released",
            ),
            "days": (pa.int64(), "how many days it has"),
            "days_without_lines": (pa.int64(), "how many of them have no log lines"),
            "completeness": (pa.float64(), "share of its days that have log lines"),
            "tables": (pa.int64(), "how many tables show it"),
            "tables_missing": (
                pa.int64(),
                "how many of its kind do not: it was sealed before they were asked for, or with other codes",
            ),
            "tables_withdrawn": (pa.int64(), "how many showed it and were withdrawn; their rows are gone"),
            "minimum_persons": (pa.int64(), "the threshold in force"),
            "minimum_networks": (pa.int64(), "the threshold in force"),
            "protection_share": (pa.float64(), "how uncertain a withheld figure must stay, in force"),
            "policy_versions": (pa.string(), "versions of the privacy policy in force on its days"),
        },
    ),
}
_Row = tuple[object, ...]


def add_catalog(
    connection: duckdb.DuckDBPyConnection,
    releases: Sequence[Release],
    tables: Mapping[str, Table],
    opens: Sequence[ReleasedOpens] | None,
    withdrawn: Collection[tuple[str, Period]] = (),
) -> None:
    """Create the schema, its tables, and their comments."""
    connection.execute("create schema catalog")
    contents: dict[str, Iterable[_Row]] = {
        "tables": _tables(releases, tables, opens, withdrawn),
        "columns": _columns(tables, has_opens=opens is not None),
        "periods": _periods(releases, tables, withdrawn),
    }
    for name, (meaning, columns) in _CATALOG.items():
        fields = pa.schema([(column, kind) for column, (kind, _) in columns.items()])
        records = [dict(zip(columns, row, strict=True)) for row in contents[name]]
        content = pa.Table.from_pylist(records, schema=fields)
        words = {column: meaning for column, (_, meaning) in columns.items()}
        add_table(connection, f"catalog.{name}", content, meaning, words)


def grain_of(table: Table) -> str:
    """What a row of a table stands for."""
    keys = [c.name for c in columns_of(table) if c.additive_over is None and c.name != "status"]
    return f"one row per {', '.join(keys)}"


def absent_periods(periods: Iterable[Period]) -> list[Period]:
    """The periods that are missing between the first and the last of each kind."""
    there, missing = set(periods), list[Period]()
    for kind in ("day", "week", "month"):
        days = [day for period in there if period.kind == kind for day in period.days]
        if days:
            between = Period(kind, "", min(days), max(days)).days
            missing += [period for period in periods_of(between, (kind,)) if period not in there]
    return missing


def _tables(
    releases: Sequence[Release],
    tables: Mapping[str, Table],
    opens: Sequence[ReleasedOpens] | None,
    withdrawn: Collection[tuple[str, Period]],
) -> Iterator[_Row]:
    for name, table in tables.items():
        of_its_kinds = [r for r in releases if r.period.kind in table.periods]
        shown = sum(is_shown_by(r, table) and (name, r.period) not in withdrawn for r in of_its_kinds)
        counts = shown, len(of_its_kinds) - shown
        yield name, "table", grain_of(table), ", ".join(table.periods), table.audience, *counts
    if opens is not None:
        grain = load_model("warehouse.email_opens").grain
        gone = sum((OPENS_TABLE, month.period) in withdrawn for month in opens)
        yield OPENS_TABLE, "table", grain, "month", "analysts", len(opens) - gone, gone
    for view, (_, model) in view_models(tables).items():
        yield f"{SCHEMA}.{view}", "view", model.grain, None, "analysts", None, None


def _columns(tables: Mapping[str, Table], *, has_opens: bool) -> Iterator[_Row]:
    figures = load_model("warehouse.figures")
    for name, table in tables.items():
        over = {column.name: column.additive_over for column in columns_of(table)}
        shown = {"period_kind", "first_date", "last_date", *over}
        for column in figures.columns:
            if column.name in shown:
                yield _column(name, column, over.get(column.name))
    if has_opens:
        for column in load_model("warehouse.email_opens").columns:
            yield _column(OPENS_TABLE, column, () if column.name in {"recipients", "opens"} else None)
    for view, (_, model) in view_models(tables).items():
        yield from (_column(f"{SCHEMA}.{view}", column, None) for column in model.columns)


def _column(table: str, column: Column, over: tuple[str, ...] | None) -> _Row:
    additive = None if over is None else ", ".join(over)
    return table, column.name, column.meaning, column.unit, additive


def _periods(
    releases: Sequence[Release], tables: Mapping[str, Table], withdrawn: Collection[tuple[str, Period]]
) -> Iterator[_Row]:
    told = {release.period: _told(release, tables, withdrawn) for release in releases}
    nothing: tuple[Any, ...] = (None,) * 9
    for period in absent_periods(told):
        told[period] = ("not released", len(period.days), *nothing)
    for period in sorted(told, key=lambda period: period.order):
        yield period.code, period.kind, period.first, period.last, *told[period]


def _told(release: Release, tables: Mapping[str, Table], withdrawn: Collection[tuple[str, Period]]) -> _Row:
    facts, days, gaps = release.facts, len(release.period.days), len(release.facts.days_without_lines)
    of_its_kind = {name: t for name, t in tables.items() if release.period.kind in t.periods}
    had = [name for name, table in of_its_kind.items() if is_shown_by(release, table)]
    gone = sum((name, release.period) in withdrawn for name in had)
    state = "incomplete" if gaps else "released"
    return (
        "withdrawn" if gone and gone == len(had) else state,
        *(days, gaps, (days - gaps) / days),
        *(len(had) - gone, len(of_its_kind) - len(had), gone),
        facts.thresholds.minimum_persons,
        facts.thresholds.minimum_networks,
        facts.thresholds.protection_share,
        ", ".join(facts.policy_versions),
    )
