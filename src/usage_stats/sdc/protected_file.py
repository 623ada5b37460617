"""Protected cells ↔ rows of a file.

Belongs here: the columns that a protected and an audited table have. Does not: choosing or judging.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from usage_stats.errors import InputError
from usage_stats.sdc.audit import TableAudit, View
from usage_stats.sdc.cells import places
from usage_stats.sdc.dimension import TOTAL, dimension_of
from usage_stats.sdc.protect import ProtectedCells
from usage_stats.sdc.relations import Layout, sums_of
from usage_stats.sdc.table_files import read_table
from usage_stats.sdc.table_spec import TableSpec

__all__ = ["audited_rows", "protected_rows", "read_view"]

_WITHHELD = ("primary", "secondary", "suppressed")
_GIVEN = ("safe", "zero", "published")


def protected_rows(made: ProtectedCells, spec: TableSpec, *, for_partner: bool) -> pl.DataFrame:
    """One row per cell; a partner does not learn why a cell is withheld."""
    cells, withheld = made.cells, made.choice.withheld
    frame = _codes(cells.layout)
    frame[spec.frequency] = pl.Series(cells.counts).set(pl.Series(withheld), None)
    if for_partner:
        frame["status"] = pl.Series(np.where(withheld, "suppressed", "published"))
        return pl.DataFrame(frame)
    given = np.where(cells.counts == 0, "zero", "safe")
    frame["status"] = pl.Series(np.where(withheld, np.where(made.sensitive, "primary", "secondary"), given))
    names = np.array([""] * cells.layout.size, dtype=object)
    for rule, broken in made.rules.items():
        names[broken] = [f"{before} {rule}".strip() for before in names[broken]]
    frame["rules"] = pl.Series(names.tolist())
    return pl.DataFrame(frame)


def read_view(path: Path, spec: TableSpec) -> tuple[Layout, View]:
    """A protected table as its reader has it.

    Raises:
        InputError: a cell is missing or twice there, a status is not known or contradicts the count.
    """
    frame = read_table(path, [*spec.dimensions, "status"], [spec.frequency])
    layout = _layout_read(frame, spec)
    at = places(path, frame, layout)
    if len(at) < layout.size:
        raise InputError(f"{path} has {len(at):,} of the table's {layout.size:,} cells: every one has a row")
    if unknown := set(frame["status"].unique()) - {*_WITHHELD, *_GIVEN}:
        raise InputError(f"{path}: {len(unknown)} status(es) are none of {', '.join((*_GIVEN, *_WITHHELD))}")
    hidden = frame["status"].is_in(_WITHHELD)
    if (hidden != frame[spec.frequency].is_null()).any():
        raise InputError(f"{path}: a count stands at a withheld cell, or none at a published one")
    counts, withheld, sensitive = (
        np.zeros(layout.size),
        np.zeros(layout.size, bool),
        np.zeros(layout.size, bool),
    )
    counts[at] = frame[spec.frequency].fill_null(0).to_numpy()
    if np.any((counts < 0) | (counts != np.round(counts))):
        raise InputError(
            f"{path}: column {spec.frequency!r} holds something else than whole numbers of persons"
        )
    withheld[at] = hidden.to_numpy()
    sensitive[at] = (frame["status"] == "primary").to_numpy()
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])
    return layout, View(counts.astype(np.int64), withheld, sensitive, sums)


def audited_rows(layout: Layout, view: View, report: TableAudit, spec: TableSpec) -> pl.DataFrame:
    """The table with what a reader can work out: of a published cell, its count."""
    low, high = view.counts.copy(), view.counts.copy()
    low[report.cells], high[report.cells] = report.low, report.high
    exposed, exact = np.zeros(layout.size, dtype=bool), np.ones(layout.size, dtype=bool)
    exposed[report.cells], exact[report.cells] = report.exposed, report.exact
    hidden = pl.Series(view.withheld)
    frame = _codes(layout)
    frame[spec.frequency] = pl.Series(view.counts).set(hidden, None)
    frame["status"] = pl.Series(np.where(view.withheld, "suppressed", "published"))
    frame["feasible_low"] = pl.Series(low)
    frame["feasible_high"] = pl.Series(high).set(pl.Series(high < 0), None)
    frame["exact"] = pl.Series(exact)
    frame["exposed"] = pl.Series(exposed)
    return pl.DataFrame(frame)


def _layout_read(frame: pl.DataFrame, spec: TableSpec) -> Layout:
    dimensions = []
    for name in spec.dimensions:
        edges = spec.edges.get(name, ())
        found = [code for code in frame[name].unique().to_list() if code != TOTAL]
        dimensions.append(dimension_of(name, edges, [] if edges else found))
    return Layout(tuple(dimensions))


def _codes(layout: Layout) -> dict[str, pl.Series]:
    at = np.unravel_index(np.arange(layout.size), layout.shape)
    return {
        d.name: pl.Series(np.array(d.codes, dtype=object)[i].tolist(), dtype=pl.String)
        for d, i in zip(layout.dimensions, at, strict=True)
    }
