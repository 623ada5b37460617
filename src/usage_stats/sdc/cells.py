"""Inner cells as rows, and a specification → counts of all cells of the table, margins included.

Belongs here: laying rows out as a table, and reading a protected table back. Does not: judging cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from usage_stats.errors import InputError
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.relations import Floats, Ints, Layout
from usage_stats.sdc.table_files import read_table
from usage_stats.sdc.table_spec import TableSpec

__all__ = ["Cells", "places", "read_cells"]

_Values = TypeVar("_Values", Ints, Floats)


@dataclass(frozen=True)
class Cells:
    """All cells of a table, by number.

    Attributes:
        layout: the cells.
        counts: persons in each.
        networks: networks in each at least; None if no column says so.
        magnitudes: the sums of each column.
        largest: of each such column, cells by rank: the largest contributions, the largest first.
    """

    layout: Layout
    counts: Ints
    networks: Ints | None
    magnitudes: Mapping[str, Floats]
    largest: Mapping[str, Floats]


def read_cells(path: Path, spec: TableSpec) -> Cells:
    """Read inner cells; combinations without a row are empty.

    Raises:
        InputError: two rows of one combination, a count that is no whole number, a column that is not there.
        ConfigError: the hierarchies are unsound or do not know a code.
    """
    columns = [c for name, m in spec.magnitudes.items() for c in (name, *m.largest)]
    networks = [spec.networks] if spec.networks else []
    frame = read_table(path, list(spec.dimensions), [spec.frequency, *networks, *columns])
    layout = Layout(
        tuple(
            dimension_of(name, spec.edges.get(name, ()), frame[name].unique().to_list())
            for name in spec.dimensions
        )
    )
    at = places(path, frame, layout)
    inner = np.searchsorted(layout.inner, at)
    counts = layout.with_margins(_spread(layout, inner, _whole(path, frame, spec.frequency)))
    return Cells(
        layout,
        counts,
        _networks(path, frame, spec, layout, inner),
        {
            n: layout.with_margins(_spread(layout, inner, frame[n].fill_null(0).to_numpy()))
            for n in spec.magnitudes
        },
        {n: _largest(frame, m.largest, layout, inner) for n, m in spec.magnitudes.items()},
    )


def places(path: Path, frame: pl.DataFrame, layout: Layout) -> Ints:
    """The cell of each row.

    Raises:
        InputError: two rows are of one cell, or a row is of none.
    """
    index = []
    for dimension in layout.dimensions:
        found = frame[dimension.name].replace_strict(dimension.positions, default=-1, return_dtype=pl.Int64)
        if (found < 0).any():
            row = int((found < 0).arg_max() or 0) + 1
            raise InputError(
                f"{path}, row {row}: column {dimension.name!r} holds a code that the hierarchies do not"
            )
        index.append(found.to_numpy())
    at: Ints = np.ravel_multi_index(index, layout.shape).astype(np.int64)
    if len(np.unique(at)) < len(at):
        raise InputError(
            f"{path}: {len(at) - len(np.unique(at))} row(s) repeat a combination; sum them first"
        )
    return at


def _whole(path: Path, frame: pl.DataFrame, column: str) -> Ints:
    given = frame[column].to_numpy()
    wrong = ~(np.isfinite(given) & (given >= 0) & (given == np.round(given)))
    if wrong.any():
        raise InputError(
            f"{path}, row {int(np.argmax(wrong)) + 1}: column {column!r} holds no whole number of persons"
        )
    return given.astype(np.int64)


def _spread(layout: Layout, inner: Ints, given: _Values) -> _Values:
    full = np.zeros_like(given, shape=len(layout.inner))
    full[inner] = given
    return full


def _networks(path: Path, frame: pl.DataFrame, spec: TableSpec, layout: Layout, inner: Ints) -> Ints | None:
    """Networks of a sum are at least those of its part with the most: which parts share some is not known."""
    if spec.networks is None:
        return None
    given = _whole(path, frame, spec.networks)
    return layout.with_largest(_spread(layout, inner, given)).astype(np.int64)


def _largest(frame: pl.DataFrame, columns: tuple[str, ...], layout: Layout, inner: Ints) -> Floats:
    """The largest contributions to each cell; a contributor is in one inner cell."""
    ranks = np.zeros((layout.size, len(columns)))
    for rank, column in enumerate(columns):
        ranks[layout.inner[inner], rank] = frame[column].fill_null(0).to_numpy()
    grid = ranks.reshape(*layout.shape, len(columns))
    for axis, dimension in enumerate(layout.dimensions):
        lines = np.moveaxis(grid, axis, 0)
        for whole, parts in dimension.bottom_up:
            together = np.concatenate([lines[p] for p in parts], axis=-1)
            lines[whole] = -np.sort(-together, axis=-1)[..., : len(columns)]
    return ranks
