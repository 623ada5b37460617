"""The published tables → views for the questions that everyone asks, over the tables of the analysts' file itself.

A view is the text of a model under `sql/warehouse/` in which the model's input is put in as a query of one table: the
first that has what the view needs. What else that table breaks down is taken at its total.

Belongs here: which view needs what, and putting it on a table. Does not: the views' SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from usage_stats.config import TOTAL, Table
from usage_stats.dimensions import DIMENSIONS, MEASURES
from usage_stats.periods import PeriodKind
from usage_stats.release.analysts_table import explain, identifier, literal, model_comments
from usage_stats.sqlmodel import Model, load_model, run_model

__all__ = ["SCHEMA", "add_views", "view_models"]

SCHEMA = "views"
_INPUT = "release.figures"


@dataclass(frozen=True, slots=True)
class _Need:
    """What a table must have for a view to be put on it.

    Attributes:
        dimensions: it must break down; others are taken at their totals.
        also: dimensions shown if it has them.
        measures: it must show.
        period: a kind of period it must come in, if any.
    """

    dimensions: tuple[str, ...]
    also: tuple[str, ...] = ()
    measures: tuple[str, ...] = MEASURES
    period: PeriodKind | None = None

    def is_met_by(self, table: Table) -> bool:
        return (
            {*self.dimensions} <= {*table.dimensions}
            and {*self.measures} <= {*table.measures}
            and self.period in {None, *table.periods}
        )


# Any table tells the whole site, at its totals.
_NEEDS: tuple[tuple[str, _Need], ...] = (
    ("site_by_period", _Need(dimensions=(), also=("component", "sub_component"))),
    (
        "latest_month_by_component",
        _Need(dimensions=("component",), also=("sub_component",), period="month"),
    ),
    ("change_on_previous_period", _Need(dimensions=("component",), also=("sub_component",))),
    ("hour_by_weekday", _Need(dimensions=("hour", "weekday"), measures=("page_views",))),
)


def view_models(tables: Mapping[str, Table]) -> dict[str, tuple[str, Model]]:
    """Name of each view that there can be → the table it is put on, and its model."""
    found = {}
    for view, need in _NEEDS:
        table = _first(need, tables)
        if table is not None:
            found[view] = (table, load_model(f"warehouse.{view}"))
    return found


def _first(need: _Need, tables: Mapping[str, Table]) -> str | None:
    """The table in most kinds of period, the first of these: a view over all of them says more."""
    fitting = [name for name, table in tables.items() if need.is_met_by(table)]
    return max(fitting, key=lambda name: len(tables[name].periods), default=None)


def add_views(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
    """Create the views that the tables allow for, each held to its model's header on what is there now.

    Raises:
        SchemaError: what a view shows breaks its header.
    """
    connection.execute(f"create schema {SCHEMA}")
    needs = dict(_NEEDS)
    for view, (name, model) in view_models(tables).items():
        source = _source(name, tables[name], needs[view])
        run_model(model.name, {_INPUT: connection.sql(source).to_arrow_table()})
        connection.execute(f"create view {SCHEMA}.{view} as {_put_on(model.sql, source)}")
        explain(connection, "view", f"{SCHEMA}.{view}", f"{model.grain}; of {name}", model_comments(model))


def _source(name: str, table: Table, need: _Need) -> str:
    """The query that takes the place of the model's input. The schema is named, so that the view finds its table
    wherever the file is attached.
    """
    shown = [*need.dimensions, *(d for d in need.also if d in table.dimensions)]
    absent = [d for d in need.also if d not in table.dimensions]
    columns: Sequence[str] = [
        *("period", "period_kind", "first_date", "last_date", *shown),
        *(f"{literal(TOTAL)} as {dimension}" for dimension in absent),
        *need.measures,
        "status",
    ]
    whole = [f"{d} = {literal(TOTAL)}" for d in DIMENSIONS if d in table.dimensions and d not in shown]
    where = f" where {' and '.join(whole)}" if whole else ""
    return f"select {', '.join(columns)} from main.{identifier(name)}{where}"  # noqa: S608 our own names, quoted


def _put_on(sql: str, source: str) -> str:
    body = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    return re.sub(rf"\b{re.escape(_INPUT)}\b", lambda _: f"({source})", body)
