"""A released folder → what is wrong with its columns, keys, statuses, and the agreement of its files.

Belongs here: what can be said of a folder without comparing its figures. Does not: that (figure_checks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from usage_stats.dimensions import COMPONENT, DIMENSIONS, OTHER, SUB_COMPONENT, TOTAL, bin_code
from usage_stats.release.folders import Folder
from usage_stats.release.package import Schema
from usage_stats.release.table_cut import Column, columns_of
from usage_stats.table_settings import Published, Table

__all__ = ["CHECKS_OF_COLUMNS", "CHECKS_OF_ROWS", "Check", "at_row", "columns", "copies", "keys"]

_FIGURES = get_args(Published)
_STATUSES = ("published", "suppressed", "incomplete")


class Check(NamedTuple):
    """What was looked at: under which name, how many things, and a sentence about each that is wrong."""

    name: str
    checked: int
    problems: tuple[str, ...]


def columns(folder: Folder) -> Check:
    """Both files have the columns that the package says, and these are those of a table of ours."""
    schemas = [resource.schema_ for resource in folder.package.data]
    problems = [*_of_files(folder), *_of_schema(schemas[0], folder.package.period.kind)]
    if any(schema != schemas[0] for schema in schemas):
        problems.append("the package describes the columns of its two files differently")
    return Check("columns", len(schemas[0].fields_), tuple(problems))


def _of_files(folder: Folder) -> Iterator[str]:
    """Whether the files' columns are those described."""
    for resource in folder.package.data:
        frame = folder.frame(resource.format)
        if frame.names != resource.schema_.names:
            yield f"{resource.path} has other columns than its description"
        elif frame.kinds != tuple(column.type for column in resource.schema_.fields_):
            yield f"{resource.path} has columns of other types than its description"


def _of_schema(schema: Schema, kind: str) -> Iterator[str]:
    """Whether the columns described are what a table with these dimensions and figures has."""
    expected = _expected(schema, kind)
    if expected is None or schema.names != tuple(column.name for column in expected):
        yield "the columns are not those of any table: period, dimensions, figures, status"
        return
    for column, described in zip(expected, schema.fields_, strict=True):
        if described.type != column.kind:
            yield f"column {column.name} is described as {described.type}, it is {column.kind}"
        if described.additive_over != column.additive_over:
            yield (
                f"column {column.name} may be added up over {_names(column.additive_over)}, the package says "
                f"{_names(described.additive_over)}"
            )
        if described.unit != column.unit:
            yield f"column {column.name} has another unit than it is said to have"
    key = tuple(c.name for c in expected if c.additive_over is None and c.name != "status")
    if schema.primary_key != key:
        yield f"the primary key is not {_names(key)}"
    if schema.missing_values != ("",):
        yield "what stands for a missing value is not the empty text alone"


def _expected(schema: Schema, kind: str) -> tuple[Column, ...] | None:
    names = schema.names
    wanted = {
        "dimensions": [name for name in names if name in DIMENSIONS],
        "measures": [name for name in names if name in _FIGURES],
        "periods": [kind],
    }
    try:
        return columns_of(Table.model_validate(wanted))
    except ValidationError:
        return None


def _names(over: Iterable[str] | None) -> str:
    return "what is no measure" if over is None else ", ".join(over) or "nothing"


def copies(folder: Folder) -> Check:
    """The CSV file and the Parquet file hold the same rows in the same order, where there are both."""
    if len(folder.package.data) == 1:
        return Check("copies", 0, ())
    ours, theirs = folder.csv.rows, folder.parquet.rows
    problems = []
    if len(ours) != len(theirs):
        problems.append(f"the CSV file has {len(ours)} rows, the Parquet file {len(theirs)}")
    problems += [
        f"{at_row(folder, row)}: the CSV file and the Parquet file differ"
        for row, a, b in zip(folder.rows, ours, theirs, strict=False)
        if a != b
    ]
    return Check("copies", max(len(ours), len(theirs)), tuple(problems))


def at_row(folder: Folder, row: Mapping[str, Any]) -> str:
    """Where a row is, by the columns that tell rows apart; totals left out."""
    key = folder.package.main.schema_.primary_key
    said = [f"{name} {row.get(name)}" for name in key if row.get(name) != TOTAL]
    return ", ".join(said) + (", whole site" if len(said) == 1 else "")


def keys(folder: Folder) -> Check:
    """Each row has a key of its own, of the package's period and of codes that there are."""
    names = folder.package.main.schema_.primary_key
    seen = Counter(tuple(row[name] for name in names) for row in folder.rows)
    problems = []
    for row in folder.rows:
        place = at_row(folder, row)
        if row["period"] != folder.package.period.code:
            problems.append(f"{place}: the package is about {folder.package.period.code}")
        wrong = [name for name in names[1:] if not _is_code(name, row[name])]
        problems += [f"{place}: no such code of {name}" for name in wrong]
        if row.get(SUB_COMPONENT, TOTAL) != TOTAL and row[COMPONENT] == TOTAL:
            problems.append(f"{place}: a sub-component of no component")
    problems += [f"{_key_words(names, key)}: {n} rows" for key, n in seen.items() if n > 1]
    return Check("keys", len(folder.rows), tuple(problems))


def _key_words(names: Iterable[str], key: Iterable[object]) -> str:
    return ", ".join(f"{name} {code}" for name, code in zip(names, key, strict=True) if code != TOTAL)


def _is_code(name: str, code: str | None) -> bool:
    dimension = DIMENSIONS[name]
    if code is None or "|" in code:
        return False
    if dimension.bins:
        number = len(dimension.bins)
        known = {bin_code(name, low, high) for low in range(number) for high in range(low, number)}
        return code in {TOTAL, *known}
    return not dimension.codes or code in {TOTAL, OTHER, *dimension.codes}


def _facts(folder: Folder) -> Check:
    """What the package says of the whole table is so: its rows, what of them is withheld, which days are missing."""
    facts, rows = folder.package.facts, folder.rows
    withheld = sum(row["status"] == "suppressed" for row in rows)
    problems = []
    if facts.rows != len(rows):
        problems.append(f"the package speaks of {facts.rows} rows, there are {len(rows)}")
    if folder.package.is_withdrawn != (not rows):
        problems.append(f"the package says {facts.status}, and there are {len(rows)} rows")
    elif facts.rows_withheld_share != (round(withheld / len(rows), 4) if rows else 0):
        problems.append(
            f"of {len(rows)} rows {withheld} are withheld, which is not the share that the package says"
        )
    if not folder.package.is_withdrawn and (facts.status == "incomplete") != bool(facts.days_without_lines):
        problems.append(
            f"the package says {facts.status}, and names {len(facts.days_without_lines)} days without lines"
        )
    if not set(facts.days_without_lines) <= set(folder.package.period.days):
        problems.append("the package names days without lines that are not in its period")
    return Check("facts", 4, tuple(problems))


def _statuses(folder: Folder) -> Check:
    """A row is suppressed if and only if its figures are empty; all others have the status of the package."""
    measures = folder.package.main.schema_.measures
    figures = [name for name in folder.main.names if name in _FIGURES]
    problems = []
    for row in folder.rows:
        place, status = at_row(folder, row), row["status"]
        if status not in _STATUSES:
            problems.append(f"{place}: no such status")
        elif status == "suppressed":
            shown = [name for name in figures if row[name] is not None]
            problems += [f"{place}: suppressed, and yet shows {', '.join(shown)}"] if shown else []
        else:
            gone = [name for name in measures if row[name] is None]
            problems += [f"{place}: {status}, and yet shows no {', '.join(gone)}"] if gone else []
            if status != folder.package.facts.status:
                problems.append(f"{place}: {status}, while the package says {folder.package.facts.status}")
        problems += [f"{place}: {name} is negative" for name in figures if (row[name] or 0) < 0]
    return Check("status", len(folder.rows), tuple(problems))


# In this order: each relies on those before it.
CHECKS_OF_COLUMNS: tuple[Callable[[Folder], Check], ...] = (columns,)
CHECKS_OF_ROWS: tuple[Callable[[Folder], Check], ...] = (copies, keys, _statuses, _facts)
