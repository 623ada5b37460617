"""Published cells → what each published whole has beside its published parts: one row instead of several gaps.

A reader can work these rows out alone, so they tell nothing new; they spare the work, and totals read right.

Belongs here: the rows of what withheld parts come to together, and checking those of a file. Does not: wholes that
are withheld themselves: what their parts come to would be news. They are parts of a larger whole, and in its rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from usage_stats.errors import InputError
from usage_stats.sdc.relations import Ints, Layout, Mask

__all__ = ["REST", "check_rests", "rests_of", "without_rests"]

Columns = Mapping[str, npt.NDArray[Any]]  # whole numbers or decimal ones
REST = "rest"  # the status of such a row
_SAME = 1e-5  # of six decimals, twice rounded
# A lone withheld part is surely no secret (docs/adr/0018), but its count shall not be served either.
_FEWEST = 2


def rests_of(layout: Layout, withheld: Mask, values: Columns) -> pl.DataFrame:
    """One row for each published whole with several withheld parts: the whole's codes, one of them `(rest) CODE`.

    Args:
        layout: the cells.
        withheld: those without figures.
        values: by column, the figures of all cells; those of withheld ones are not looked at.
    """
    rows: dict[str, list[object]] = {name: [] for name in (*(d.name for d in layout.dimensions), *values)}
    for axis, label, wholes, parts in _families(layout):
        hidden = withheld[parts]
        shown = ~withheld[wholes] & (hidden.sum(axis=1) >= _FEWEST)
        for whole in wholes[shown].tolist():
            codes = list(layout.codes(whole))
            codes[axis] = label
            for dimension, code in zip(layout.dimensions, codes, strict=True):
                rows[dimension.name].append(code)
        for name, given in values.items():
            left = given[wholes] - np.where(hidden, 0, given[parts]).sum(axis=1)
            rows[name] += np.round(left[shown], 6).tolist()  # decimals: sums of figures with up to six
    return pl.DataFrame(
        {**rows, "status": [REST] * len(rows[layout.dimensions[0].name])}, schema=_schema(layout, values)
    )


def _families(layout: Layout) -> Iterator[tuple[int, str, Ints, Ints]]:
    """Each sum of a dimension: its axis, the rest's code, the wholes, and beside each its parts."""
    grid = np.arange(layout.size).reshape(layout.shape)
    for axis, dimension in enumerate(layout.dimensions):
        seen: dict[int, int] = {}
        for whole, parts in dimension.families:
            seen[whole] = number = seen.get(whole, 0) + 1  # of several hierarchies
            label = f"({REST}{'' if number == 1 else f' {number}'}) {dimension.codes[whole]}"
            wholes = np.take(grid, whole, axis).ravel()
            yield axis, label, wholes, np.stack([np.take(grid, p, axis).ravel() for p in parts], axis=1)


def _schema(layout: Layout, values: Columns) -> dict[str, pl.DataType | type[pl.DataType]]:
    kinds = {name: pl.Int64 if given.dtype.kind == "i" else pl.Float64 for name, given in values.items()}
    return {**{d.name: pl.String for d in layout.dimensions}, **kinds, "status": pl.String}


def without_rests(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of cells."""
    return frame.filter(pl.col("status") != REST)


def check_rests(path: Path, frame: pl.DataFrame, layout: Layout, withheld: Mask, values: Columns) -> None:
    """Hold the rests of a file to its other rows.

    Raises:
        InputError: one says something else than the published cells do: it would be news about withheld ones.
    """
    key = [d.name for d in layout.dimensions]
    said = frame.filter(pl.col("status") == REST).select(*key, *values)
    known = rests_of(layout, withheld, values).drop("status")
    both = said.join(known, on=key, how="left", suffix=" known", maintain_order="left")
    agrees = pl.lit(value=True)
    for name in values:
        agrees &= (pl.col(name) - pl.col(f"{name} known")).abs() < _SAME
    wrong = len(both) - len(both.filter(agrees.fill_null(value=False)))
    if wrong or said.select(key).is_duplicated().any():
        raise InputError(
            f"{path}: {wrong or 'some'} row(s) of status {REST!r} are not what the published cells leave of a "
            "published whole: they would tell of withheld cells what an audit does not see"
        )
