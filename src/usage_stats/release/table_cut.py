"""A release and a table → the table's columns and rows: what of the release it shows, and the ratios of that.

Belongs here: which cells belong to a table, what its columns are called and mean. Does not: files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from usage_stats.config import TOTAL, Table
from usage_stats.dimensions import COMPONENT, DIMENSIONS, MEASURES, SUB_COMPONENT
from usage_stats.measure.cube import by_of
from usage_stats.measure.relations import ADDITIVE_OVER
from usage_stats.measure.table_spec import breakdown_of

if TYPE_CHECKING:  # columns are asked for by readers of folders too, who need no database
    from usage_stats.release.gate import Release, Row

__all__ = ["Column", "Cut", "columns_of", "cut", "is_shown_by"]

_NAMES = ("period", COMPONENT, SUB_COMPONENT)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a published table.

    Attributes:
        kind: `string`, `integer` or `number`, as Frictionless names types. unit: of measures.
        additive_over: the columns over which sums are right; None where the column is no measure.
    """

    name: str
    kind: str
    meaning: str
    unit: str | None = None
    additive_over: tuple[str, ...] | None = None

    @property
    def arrow(self) -> pa.DataType:
        return {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}[self.kind]


_PERIOD = Column("period", "string", "Day (2026-11-21), ISO week (2026-W47) or month (2026-11).")
_STATUS = Column(
    "status",
    "string",
    "published; suppressed (withheld, not zero); incomplete (published, but days of the log are missing).",
)
_FIGURES: Mapping[str, tuple[str, str, str]] = {
    "visitors": (
        "integer",
        "persons",
        "Distinct visitors in the period. Not additive: people visit several parts and come on several days.",
    ),
    "visits": (
        "integer",
        "visits",
        "Visits with at least one page view here; a visit ends after 30 quiet minutes or at midnight.",
    ),
    "page_views": ("integer", "page views", "Pages requested successfully by people, robots left out."),
    "reach": (
        "number",
        "share (0 to 1)",
        "Visitors here by all visitors of the site in the period; four decimals, empty where either is withheld.",
    ),
    "frequency": (
        "number",
        "visits per visitor",
        "Visits by visitors; four decimals, empty where withheld or none.",
    ),
    "page_views_per_visit": (
        "number",
        "page views per visit",
        "Page views by visits; four decimals, empty where withheld or none.",
    ),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """A table of one period: its columns, and a row of values for each."""

    table: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def withheld(self) -> int:
        return sum(row[-1] == "suppressed" for row in self.rows)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart."""
        return tuple(c.name for c in self.columns if c.additive_over is None and c.name != "status")


def columns_of(table: Table) -> tuple[Column, ...]:
    """The columns of a table: period, dimensions, figures, status."""
    named = [Column(name, "string", DIMENSIONS[name].meaning) for name in _dimensions(table)]
    figures = [_figure(name, table) for name in table.measures]
    return (_PERIOD, *named, *figures, _STATUS)


def _dimensions(table: Table) -> list[str]:
    """Components first, the others as the settings list them."""
    components: list[str] = [name for name in (COMPONENT, SUB_COMPONENT) if name in table.dimensions]
    return [*components, *(name for name in table.dimensions if name not in components)]


def _figure(name: str, table: Table) -> Column:
    kind, unit, meaning = _FIGURES[name]
    if name not in MEASURES:
        return Column(name, kind, meaning, unit, ())
    over = ADDITIVE_OVER[name]
    if "visit_frequency" in table.dimensions:
        over = ("visit_frequency",)  # who came once here, or this week, may have come more often in all
    return Column(name, kind, meaning, unit, tuple(d for d in ("period", *_dimensions(table)) if d in over))


def is_shown_by(release: Release, table: Table) -> bool:
    """Whether a release has the table: days sealed before it was asked for do not tell it.

    Another table may have told the same of the whole site; this one needs it of every component that it shows.
    """
    wanted = set(breakdown_of(table).dimensions)
    shown = {row[1:3] for row in _of(release, table)}
    return not wanted or shown == {row[1:3] for row in _of(release, table) if set(_by(row)) == wanted}


def cut(release: Release, name: str, table: Table) -> Cut:
    """The table as the release has it; totals of every dimension are rows too, of code `_T`."""
    everybody = next(row[4] for row in release.rows if row[1:4] == (TOTAL, TOTAL, ""))
    rows = sorted(_of(release, table), key=_Order(release, table))
    return Cut(name, columns_of(table), tuple(_values(row, table, everybody) for row in rows))


def _of(release: Release, table: Table) -> Iterator[Row]:
    wanted = breakdown_of(table)
    for row in release.rows:
        depth = 0 if row[1] == TOTAL else 1 + (row[2] != TOTAL)
        if depth <= wanted.depth and set(_by(row)) <= set(wanted.dimensions):
            yield row


def _by(row: Row) -> dict[str, str]:
    return by_of((row[1], row[2], row[3]))


class _Order:
    """Sorts a table's rows as the settings list components and codes, totals first."""

    def __init__(self, release: Release, table: Table) -> None:
        self._names = breakdown_of(table).dimensions
        self._components = {(row[1], row[2]): n for n, row in reversed(list(enumerate(release.rows)))}
        self._codes: dict[tuple[str, str], int] = {}
        for row in release.rows:
            for pair in _by(row).items():
                self._codes.setdefault(pair, len(self._codes))

    def __call__(self, row: Row) -> tuple[int, ...]:
        by = _by(row)
        codes = (self._codes[name, by[name]] if name in by else -1 for name in self._names)
        return (self._components[row[1], row[2]], *codes)


def _values(row: Row, table: Table, everybody: int | None) -> tuple[Any, ...]:
    by = dict(zip(_NAMES, row[:3], strict=True)) | _by(row)
    visitors, visits, page_views = row[4:7]
    figures: dict[str, Any] = {
        "visitors": visitors,
        "visits": visits,
        "page_views": page_views,
        "reach": _ratio(visitors, everybody),
        "frequency": _ratio(visits, visitors),
        "page_views_per_visit": _ratio(page_views, visits),
    }
    codes = (by.get(name, TOTAL) for name in _dimensions(table))
    return (row[0], *codes, *(figures[name] for name in table.measures), row[7])


def _ratio(part: int | None, whole: int | None) -> float | None:
    """A ratio of published figures; none of what is withheld, and none by nothing."""
    return None if part is None or not whole else round(part / whole, 4)
