"""Protected cells ↔ rows of a file.

Belongs here: the columns that a protected and an audited table have. Does not: choosing or judging.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from usage_stats.errors import InputError
from usage_stats.sdc.audit import TableAudit, View
from usage_stats.sdc.audit_magnitudes import SumsAudit
from usage_stats.sdc.cells import places
from usage_stats.sdc.dimension import TOTAL, dimension_of
from usage_stats.sdc.protect import ProtectedCells
from usage_stats.sdc.relations import Floats, Layout, sums_of
from usage_stats.sdc.rests import check_rests, rests_of, without_rests
from usage_stats.sdc.table_files import read_table
from usage_stats.sdc.table_spec import TableSpec

__all__ = ["audited_rows", "protected_rows", "read_sums", "read_view"]

_DECIMALS = 6  # sums of decimal figures are written with as many as these have, up to so many
_WITHHELD = ("primary", "secondary", "suppressed")
_GIVEN = ("safe", "zero", "published")


def protected_rows(made: ProtectedCells, spec: TableSpec, *, for_partner: bool) -> pl.DataFrame:
    """One row per cell; a partner does not learn why a cell is withheld. Then the rests, if these are asked for."""
    rows = _cell_rows(made, spec, for_partner=for_partner)
    if not spec.rests:
        return rows
    values = {
        spec.frequency: made.cells.counts,
        **{name: made.cells.magnitudes[name] for name in spec.published},
    }
    rests = rests_of(made.cells.layout, made.choice.withheld, values)
    return pl.concat([rows, rests], how="diagonal_relaxed")


def _cell_rows(made: ProtectedCells, spec: TableSpec, *, for_partner: bool) -> pl.DataFrame:
    cells, withheld = made.cells, made.choice.withheld
    frame = _codes(cells.layout)
    frame[spec.frequency] = pl.Series(cells.counts).set(pl.Series(withheld), None)
    for name in spec.published:
        frame[name] = _sums(cells.magnitudes[name], cells.layout).set(pl.Series(withheld), None)
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
    every = read_table(path, [*spec.dimensions, "status"], [spec.frequency])
    frame = without_rests(every) if spec.rests else every
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
    if spec.rests:
        check_rests(path, every, layout, withheld, {spec.frequency: counts})
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])
    return layout, View(counts.astype(np.int64), withheld, sensitive, sums)


def read_sums(path: Path, spec: TableSpec, layout: Layout, view: View) -> Mapping[str, Floats]:
    """The published magnitudes of a protected table; whatever stands at a withheld cell says nothing.

    Raises:
        InputError: a sum stands at a withheld cell, none or one below zero at a published one.
    """
    if not spec.published:
        return {}
    every = read_table(path, [*spec.dimensions, "status"], spec.published)
    frame = without_rests(every) if spec.rests else every
    at = places(path, frame, layout)
    read = {name: np.zeros(layout.size) for name in spec.published}
    for name, values in read.items():
        given = frame[name]
        if (given.is_null().to_numpy() != view.withheld[at]).any():
            raise InputError(
                f"{path}: a sum of {name!r} stands at a withheld cell, or none at a published one"
            )
        values[at] = given.fill_null(0).to_numpy()
        if not np.all(np.isfinite(values) & (values >= 0)):
            raise InputError(f"{path}: column {name!r} holds something else than sums of at least 0")
    if spec.rests:
        check_rests(path, every, layout, view.withheld, read)
    return read


def audited_rows(
    layout: Layout, view: View, report: TableAudit, spec: TableSpec, sums: Mapping[str, SumsAudit]
) -> pl.DataFrame:
    """The table with what a reader can work out of each withheld figure; a cell is exposed if any of its figures is."""
    low, high = view.counts.copy(), view.counts.copy()
    low[report.cells], high[report.cells] = report.low, report.high
    exposed, exact = np.zeros(layout.size, dtype=bool), np.ones(layout.size, dtype=bool)
    exposed[report.cells], exact[report.cells] = report.exposed, report.exact
    for found in sums.values():
        exposed[found.cells] |= found.exposed
    hidden = pl.Series(view.withheld)
    frame = _codes(layout)
    frame[spec.frequency] = pl.Series(view.counts).set(hidden, None)
    frame["status"] = pl.Series(np.where(view.withheld, "suppressed", "published"))
    frame["feasible_low"] = pl.Series(low)
    frame["feasible_high"] = pl.Series(high).set(pl.Series(high < 0), None)
    for name, found in sums.items():
        for end, values in (("low", found.low), ("high", found.high)):
            column = np.full(layout.size, np.inf)
            column[found.cells] = values
            frame[f"{name}_{end}"] = pl.Series(column).set(pl.Series(np.isinf(column)), None)
    frame["exact"] = pl.Series(exact)
    frame["exposed"] = pl.Series(exposed)
    return pl.DataFrame(frame)


def _sums(values: Floats, layout: Layout) -> pl.Series:
    """Sums as decimal figures like those that they add up."""
    inner = values[layout.inner]
    like = [d for d in range(_DECIMALS + 1) if np.array_equal(inner, np.round(inner, d))]
    if not like:
        return pl.Series(values)
    return pl.Series(np.round(values).astype(np.int64) if like[0] == 0 else np.round(values, like[0]))


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
