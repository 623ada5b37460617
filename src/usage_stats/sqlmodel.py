"""A model file under `sql/` and its inputs → a checked Arrow table.

Belongs here: reading the header, running the one SELECT, holding the result to what the header promises.
Does not: any SQL. Paths are `sql/<schema>/<table>.sql`; what a model reads is registered under those names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

from usage_stats.errors import InternalError, SchemaError

__all__ = ["PRIVACY_CLASSES", "Column", "Database", "Model", "load_model", "model_names", "run_model"]

PRIVACY_CLASSES = ("identified", "restricted", "confidential", "shareable")
_KEYS = {"grain", "privacy", "reads", "column", "unique", "assert"}
_MEMORY = "300MB"  # measured: a month of 20 million lines takes a fifth longer in it than without a limit
_PATTERN = frozenset("*?[]{}")  # what the database would take for a pattern in a path
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Column:
    """A documented column: what it means and its unit."""

    name: str
    meaning: str
    unit: str


@dataclass(frozen=True, slots=True)
class Model:
    """A SQL model: its header, parsed, and its text."""

    name: str
    grain: str
    privacy: str
    reads: tuple[str, ...]
    columns: tuple[Column, ...]
    unique: tuple[str, ...]
    asserts: tuple[str, ...]
    sql: str


def _root() -> Path:
    """`sql/` inside an installed package, else at the root of the checkout."""
    packaged = Path(__file__).parent / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


def model_names() -> list[str]:
    """All models, as `schema.table`."""
    return sorted(f"{path.parent.name}.{path.stem}" for path in _root().glob("*/*.sql"))


def load_model(name: str) -> Model:
    """Read a model and its header.

    Raises:
        SchemaError: no such model, an unknown or missing header key, or an unknown privacy class.
    """
    path = _root() / f"{name.replace('.', '/')}.sql"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise SchemaError(f"no SQL model {name}; models are: {', '.join(model_names())}")
    text = path.read_text(encoding="utf-8")
    header = _header(text, path)
    if not header["column"] or header["privacy"][:1] not in [[p] for p in PRIVACY_CLASSES]:
        raise SchemaError(f"{path}: needs model.column lines and a model.privacy out of {PRIVACY_CLASSES}")
    return Model(
        name=name,
        grain="; ".join(header["grain"]),
        privacy=header["privacy"][0],
        reads=tuple(_words(header["reads"])),
        columns=tuple(_column(line, path) for line in header["column"]),
        unique=tuple(_words(header["unique"])),
        asserts=tuple(header["assert"]),
        sql=text,
    )


def _header(text: str, path: Path) -> dict[str, list[str]]:
    header: dict[str, list[str]] = {key: [] for key in _KEYS}
    for key, value in re.findall(r"^-- model\.(\w+)\s*=\s*(.+?)\s*$", text, re.MULTILINE):
        if key not in _KEYS:
            raise SchemaError(f"{path}: unknown header key model.{key}; allowed: {', '.join(sorted(_KEYS))}")
        header[key].append(value)
    return header


def _words(lines: list[str]) -> list[str]:
    return [word.strip() for line in lines for word in line.split(",")]


def _column(line: str, path: Path) -> Column:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) != 3:
        raise SchemaError(f"{path}: write `model.column = name | meaning | unit`")
    return Column(*parts)


class Database:
    """An in-memory database that runs models one after the other; opening one costs more than a small model, so that
    it is opened when the first one runs.

    `spill` is a restricted directory that larger-than-memory work may use; without it, none is spilled.
    """

    def __init__(self, spill: Path | None = None) -> None:
        # An empty temp_directory turns spilling off: the default would write plain rows beside the caller.
        settings: dict[str, Any] = {
            "temp_directory": str(spill) if spill else "",
            "autoinstall_known_extensions": "false",
            # A second thread costs two thirds more CPU and saves hardly any time on models of this size (measured
            # on 1.6 million usage rows); work is divided by days and buckets instead.
            "threads": 1,
        }
        if spill:  # what does not fit is spilled, so memory does not grow with the month
            settings["memory_limit"] = _MEMORY
        self._settings = settings
        self._opened: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._opened = duckdb.connect(":memory:", config=self._settings)
            self._opened.execute("set TimeZone = 'UTC'")
        return self._opened

    def run(
        self, name: str, inputs: Mapping[str, Any], *, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """Run a model on its inputs and check the result against the header.

        Args:
            name: the model, as `schema.table`.
            inputs: for each `model.reads` name an Arrow table, a Polars frame or a list of Parquet paths.
                Files are named one by one, never by a pattern: a file of a dead attempt must not count.
            parameters: values for the model's `$parameters`.

        Raises:
            SchemaError: the result breaks the header's columns, key or assertions; nothing of a row is told.
        """
        model = load_model(name)
        if set(inputs) != set(model.reads):
            raise InternalError(f"{name} reads {model.reads} but was given {sorted(inputs)}: this is a bug")
        for source in inputs:
            if not _NAME.fullmatch(source):
                raise InternalError(f"{source!r} is no schema.table: this is a bug")
        try:
            for number, (source, data) in enumerate(sorted(inputs.items())):
                _register(self._connection, source, data, f"input_{number}")
            result = self._connection.sql(model.sql, params=_used(model, parameters)).to_arrow_table()
            _check(self._connection, model, result)
        except duckdb.Error as error:
            # The engine's text may quote a value of a row; its class says enough with the model's name.
            raise SchemaError(f"model {name} failed in the database: {type(error).__name__}") from None
        finally:  # the next model sees its own inputs only
            for source in inputs:
                self._connection.execute(f"drop view if exists {source}")
        return result


def run_model(
    name: str,
    inputs: Mapping[str, Any],
    *,
    parameters: Mapping[str, Any] | None = None,
    database: Database | None = None,
) -> pa.Table:
    """Run one model in the database given, or in one of its own; see `Database.run`."""
    if database is not None:
        return database.run(name, inputs, parameters=parameters)
    with Database() as own:
        return own.run(name, inputs, parameters=parameters)


def _register(connection: duckdb.DuckDBPyConnection, source: str, data: Any, alias: str) -> None:
    schema = source.partition(".")[0]
    connection.execute(f"create schema if not exists {schema}")
    if isinstance(data, list) and data and not any(_PATTERN & set(str(path)) for path in data):
        quoted = ", ".join("'" + str(path).replace("'", "''") + "'" for path in data)
        files = f"read_parquet([{quoted}], hive_partitioning = false)"  # a folder's name is no column
        connection.execute(f"create or replace view {source} as select * from {files}")  # noqa: S608 our own files, quoted
        return
    if isinstance(data, list):  # through Arrow, which takes nothing in a path for a pattern; twice as slow
        from pyarrow.dataset import dataset  # noqa: PLC0415 hardly ever needed

        data = dataset([str(path) for path in data], format="parquet")
    connection.register(alias, data.to_arrow() if hasattr(data, "to_arrow") else data)
    connection.execute(f"create or replace view {source} as select * from {alias}")  # noqa: S608 both names are ours, checked


def _used(model: Model, parameters: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The parameters that the model names; the engine refuses others."""
    used = {key: value for key, value in (parameters or {}).items() if re.search(rf"\${key}\b", model.sql)}
    return used or None


def _check(connection: duckdb.DuckDBPyConnection, model: Model, result: pa.Table) -> None:
    documented = [column.name for column in model.columns]
    if result.column_names != documented:
        raise SchemaError(f"model {model.name} returns {result.column_names}, its header says {documented}")
    connection.register("result", result)
    if model.unique:
        keys = ", ".join(model.unique)
        sql = f"select count(*) from (select {keys} from result group by {keys} having count(*) > 1)"  # noqa: S608 names from our own header
        _count_zero(connection, sql, f"model {model.name}: rows share a key of ({keys})")
    for condition in model.asserts:
        sql = f"select count(*) from result where ({condition}) is not true"  # noqa: S608 text from our own header
        _count_zero(connection, sql, f"model {model.name}: rows break `{condition}`")


def _count_zero(connection: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    rows = connection.execute(sql).fetchall()[0][0]
    if rows:
        raise SchemaError(f"{message} ({rows} rows)")
