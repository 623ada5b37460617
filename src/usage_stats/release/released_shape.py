"""Released figures as a frame → held to their declared shape, without a word about their values.

Belongs here: what a partner's table must look like. Does not: making it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from usage_stats.dimensions import MEASURES
from usage_stats.errors import SchemaError
from usage_stats.release.table_cut import Column, Cut

__all__ = ["checked", "released_shape"]


def released_shape(shown: Cut) -> pa.DataFrameSchema:
    """What a partner's table must look like: its columns, their kinds and bounds, one row per key."""
    columns = {column.name: _column(column) for column in shown.columns}
    figures = [name for name in MEASURES if name in columns]
    return pa.DataFrameSchema(
        columns,
        checks=pa.Check(lambda data: _withheld_is_null(data, figures), name="withheld_is_null"),
        name="released figures",
        strict=True,
        ordered=True,
        unique=list(shown.key),
    )


def _column(column: Column) -> pa.Column:
    if column.name == "period":
        return pa.Column(pl.String, pa.Check.str_matches(r"^\d{4}-(\d\d|\d\d-\d\d|W\d\d)$"))
    if column.name == "status":
        return pa.Column(pl.String, pa.Check.isin(["published", "suppressed", "incomplete"]))
    if column.kind == "string":
        return pa.Column(pl.String)
    return pa.Column(pl.Int64 if column.kind == "integer" else pl.Float64, pa.Check.ge(0), nullable=True)


def _withheld_is_null(data: pa.PolarsData, figures: Sequence[str]) -> pl.LazyFrame:
    """A row has no figure if it is suppressed, and all counts if it is not; a ratio may have no whole."""
    hidden = pl.col("status") == "suppressed"
    agree = [pl.col(name).is_null() == hidden for name in figures]
    return data.lazyframe.select(pl.all_horizontal(agree) if agree else pl.lit(value=True))


def checked(frame: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Return the frame if it has the shape.

    Raises:
        SchemaError: it has not. Names columns and checks, and counts: the library's own text quotes values.
    """
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as failed:
        found = failed.failure_cases.select("column", "check").unique().sort("column", "check")
        what = "; ".join(f"{column}: {check}" for column, check in found.iter_rows())
        raise SchemaError(f"{schema.name}, {len(frame)} rows: the shape is broken at {what}") from None
    return frame
