"""The requests as they were made → the figures a correct pipeline must find.

Belongs here: counting what the invented people did, straight from who they are.
Does not: reading a log line, or any code that the pipeline also uses.

Page view: a GET for a page answered 2xx or 304 by a client that is no robot. Visit: an identity's
page views with gaps of at most 1800 s, ended at local midnight. Visitor: a distinct identity inside
the period, by account, else cookie, else address (IPv6: its /64) and agent. A visit belongs to every
category in which it has a page view. Networks: distinct IPv4 /24 and IPv6 /48 of the page views.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from usage_stats.config import TOTAL
from usage_stats.synthetic.clock import Span
from usage_stats.synthetic.site import Site

__all__ = ["figures", "line_counts"]

VISIT_GAP_SECONDS = 1_800
MEASURES = ("visitors", "visits", "page_views", "networks")
CATEGORY = ("component", "sub_component")


def figures(requests: pl.DataFrame, span: Span, site: Site) -> pl.DataFrame:
    """Requests with their `day` → period, period_kind, component, sub_component and the measures.

    One row per period and category of the site, zeros included; visitors, visits, page_views and
    networks are counts.
    """
    views = _with_categories(_with_visits(requests.filter("is_page_view")), site)
    parts = [_of_kind(views, kind, labels, site) for kind, labels in _periods(span).items()]
    return pl.concat(parts)


def line_counts(requests: pl.DataFrame, names: dict[int, str]) -> dict[str, object]:
    """Requests with their `day`, names of the days' files → counts of lines, whole and by file."""
    readable = pl.col("defect") == "none"
    count = (pl.len().alias("lines"), readable.sum().alias("parsed"), (~readable).sum().alias("rejected"))
    by_day = {row.pop("day"): row for row in requests.group_by("day").agg(*count).iter_rows(named=True)}
    empty = {"lines": 0, "parsed": 0, "rejected": 0}
    whole = requests.select(
        *count,
        pl.col("is_robot").sum().alias("robots"),
        pl.col("is_page_view").sum().alias("page_views"),
        pl.col("is_malformed").sum().alias("malformed_requests"),
    ).row(0, named=True)
    return {**whole, "by_file": {name: by_day.get(day, empty) for day, name in names.items()}}


def _with_visits(views: pl.DataFrame) -> pl.DataFrame:
    """Number the visits: a new one for another identity, a long gap, or another day."""
    ordered = views.sort("identity", "at")
    begins = (
        (pl.col("identity") != pl.col("identity").shift())
        | (pl.col("at") - pl.col("at").shift() > VISIT_GAP_SECONDS)
        | (pl.col("day") != pl.col("day").shift())
    )
    return ordered.with_columns(begins.fill_null(value=True).cum_sum().alias("visit"))


def _with_categories(views: pl.DataFrame, site: Site) -> pl.DataFrame:
    leaves = {
        "leaf": range(len(site.leaves)),
        "component": [leaf.component for leaf in site.leaves],
        "sub_component": [leaf.sub_component for leaf in site.leaves],
    }
    names = pl.DataFrame(leaves, schema_overrides={"leaf": pl.Int64})
    return views.join(names, on="leaf", how="left", validate="m:1")


def _periods(span: Span) -> dict[str, list[str]]:
    """Name of the day, ISO week and month of each day of the span."""
    dates = span.dates()
    return {
        "day": [day.isoformat() for day in dates],
        "week": [_week(day) for day in dates],
        "month": [f"{day:%Y-%m}" for day in dates],
    }


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _of_kind(views: pl.DataFrame, kind: str, labels: list[str], site: Site) -> pl.DataFrame:
    periods = list(dict.fromkeys(labels))
    names = pl.Series(labels, dtype=pl.String)
    dated = views.with_columns(names.gather(views["day"]).alias("period"))
    total = pl.lit(TOTAL)
    levels = (
        dated.with_columns(component=total, sub_component=total),
        dated.with_columns(sub_component=total),
        dated.filter(pl.col("sub_component") != TOTAL),
    )
    counted = pl.concat([_count(level) for level in levels])
    every = pl.DataFrame({"period": periods}).join(
        _categories(site), how="cross", maintain_order="left_right"
    )
    joined = every.join(counted, on=["period", *CATEGORY], how="left", maintain_order="left", validate="1:1")
    return joined.select(
        "period",
        pl.lit(kind).alias("period_kind"),
        *CATEGORY,
        *(pl.col(measure).fill_null(0).cast(pl.Int64) for measure in MEASURES),
    )


def _count(views: pl.DataFrame) -> pl.DataFrame:
    return views.group_by("period", *CATEGORY).agg(
        pl.col("identity").n_unique().alias("visitors"),
        pl.col("visit").n_unique().alias("visits"),
        pl.len().alias("page_views"),
        pl.col("network").n_unique().alias("networks"),
    )


def _categories(site: Site) -> pl.DataFrame:
    """All categories of the site: the total, then each component before its sub-components."""
    rows = [(TOTAL, TOTAL)]
    for leaf in site.leaves:
        rows += [(leaf.component, TOTAL), (leaf.component, leaf.sub_component)]
    return pl.DataFrame(list(dict.fromkeys(rows)), schema=list(CATEGORY), orient="row")
