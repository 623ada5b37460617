"""Rows with what they mean → a table of the analysts' file that explains itself.

Belongs here: writing tables, comments and names. Does not: what is in them.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from usage_stats.sqlmodel import Column, Model

__all__ = ["add_table", "column_comments", "explain", "identifier", "literal", "model_comments"]


def add_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    content: pa.Table,
    meaning: str,
    columns: Mapping[str, str],
) -> None:
    """Create a table with these rows, in this order, and comment on it and on each column.

    Args:
        connection: to the file.
        name: as it stands in SQL, quoted where it must be.
        content: the rows.
        meaning: what the table is.
        columns: column → what it means.
    """
    connection.register("content", content)
    connection.execute(f"create table {name} as select * from content")  # noqa: S608 our own names, quoted
    connection.unregister("content")
    explain(connection, "table", name, meaning, columns)


def explain(
    connection: duckdb.DuckDBPyConnection, kind: str, name: str, meaning: str, columns: Mapping[str, str]
) -> None:
    """Comment on a table or view and on its columns."""
    connection.execute(f"comment on {kind} {name} is {literal(meaning)}")
    for column, words in columns.items():
        connection.execute(f"comment on column {name}.{identifier(column)} is {literal(words)}")


def model_comments(model: Model) -> dict[str, str]:
    """Column → meaning and unit, as the model's header has them."""
    return column_comments(model.columns)


def column_comments(columns: tuple[Column, ...]) -> dict[str, str]:
    """Column → meaning and unit."""
    return {column.name: f"{column.meaning} [{column.unit}]" for column in columns}


def identifier(name: str) -> str:
    """A name as SQL takes it, whatever it is."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"
