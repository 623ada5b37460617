"""Released figures as a frame → held to their declared shape, without a word about their values.

Belongs here: what a partner's table must look like. Does not: making it.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from usage_stats.errors import SchemaError

__all__ = ["RELEASED", "checked"]


def _withheld_is_null(data: pa.PolarsData) -> pl.LazyFrame:
    """A row has no figure if it is suppressed, and all figures if it is not."""
    hidden = pl.col("status") == "suppressed"
    figures = [pl.col(name).is_null() == hidden for name in ("visitors", "visits", "page_views")]
    return data.lazyframe.select(pl.all_horizontal(figures))


# What a partner receives; one row per period, component and sub-component.
RELEASED = pa.DataFrameSchema(
    {
        "period": pa.Column(pl.String, pa.Check.str_matches(r"^\d{4}-(\d\d|\d\d-\d\d|W\d\d)$")),
        "component": pa.Column(pl.String),
        "sub_component": pa.Column(pl.String),
        "visitors": pa.Column(pl.Int64, pa.Check.ge(0), nullable=True),
        "visits": pa.Column(pl.Int64, pa.Check.ge(0), nullable=True),
        "page_views": pa.Column(pl.Int64, pa.Check.ge(0), nullable=True),
        "status": pa.Column(pl.String, pa.Check.isin(["published", "suppressed", "incomplete"])),
    },
    checks=pa.Check(_withheld_is_null, name="withheld_is_null"),
    name="released figures",
    strict=True,
    ordered=True,
    unique=["period", "component", "sub_component"],
)


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
