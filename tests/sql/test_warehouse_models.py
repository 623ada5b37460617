"""The models of the analysts' file on a few rows by hand."""

from datetime import date, timedelta

import polars as pl
import pytest

from usage_stats.dimensions import DIMENSIONS, MEASURES
from usage_stats.errors import SchemaError
from usage_stats.periods import day, month, week
from usage_stats.sqlmodel import run_model

ABOUT = ["period", "period_kind", "first_date", "last_date"]
PUBLISHED, HIDDEN = "published", (None, None, None, "suppressed")


def _frame(rows, dimensions, measures=MEASURES):
    """Rows of (period, codes, figures and status) as a frame."""
    listed = [(p.code, p.kind, p.first, p.last, *codes, *rest) for p, codes, rest in rows]
    kinds = {name: pl.Int64 if name in MEASURES else pl.Float64 for name in measures}
    return pl.DataFrame(
        listed, schema=[*ABOUT, *dimensions, *measures, "status"], schema_overrides=kinds, orient="row"
    )


def _run(view, rows, dimensions=("component", "sub_component"), measures=MEASURES):
    return run_model(f"warehouse.{view}", {"release.figures": _frame(rows, dimensions, measures)}).to_pylist()


MARCH, APRIL = month(date(2026, 3, 1)), month(date(2026, 4, 1))


def test_figures_are_the_released_ones_in_order_of_time():
    """Nothing is added, dropped or filled in: withheld stays null."""
    rows = [
        (day(date(2026, 3, 23) + timedelta(n)), (*codes, *["_T"] * (len(DIMENSIONS) - 2)), figures)
        for n in (2, 0, 1)
        for codes, figures in [
            (("_T", "_T"), (12, 13, 40, 1.0, 1.1, 3.1, PUBLISHED)),
            (("news", "_T"), (None, None, None, None, None, None, "suppressed")),
            (("shop", "_T"), (0, 0, 0, 0.0, None, None, "incomplete")),
        ]
    ]
    ratios = ("reach", "frequency", "page_views_per_visit")
    frame = _frame(rows, tuple(DIMENSIONS), (*MEASURES, *ratios))
    table = pl.DataFrame(run_model("warehouse.figures", {"release.figures": frame}))

    assert frame.sort("first_date", "component").equals(table)


def test_two_rows_of_one_cell_are_refused():
    """A row that came twice would count twice in every sum."""
    rows = [(MARCH, ("_T",) * len(DIMENSIONS), (12, 13, 40, PUBLISHED))] * 2
    frame = _frame(rows, tuple(DIMENSIONS)).with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in ("reach", "frequency", "page_views_per_visit")
    )
    with pytest.raises(SchemaError, match="rows share a key"):
        run_model("warehouse.figures", {"release.figures": frame})


def test_the_site_by_period_has_the_whole_site_and_its_ratios():
    """One row per period; a ratio by nothing is empty."""
    rows = [
        (MARCH, ("_T", "_T"), (10, 15, 60, PUBLISHED)),
        (MARCH, ("news", "_T"), (10, 15, 30, PUBLISHED)),
        (APRIL, ("_T", "_T"), (0, 0, 0, PUBLISHED)),
        (day(date(2026, 4, 1)), ("_T", "_T"), HIDDEN),
    ]
    found = [(r["period"], r["frequency"], r["page_views_per_visit"]) for r in _run("site_by_period", rows)]

    assert [("2026-04-01", None, None), ("2026-03", 1.5, 4.0), ("2026-04", None, None)] == found


def test_the_latest_month_is_ranked_by_visitors():
    """Only its rows, of whole components; ties share a rank; what is withheld and what no rule names have none."""
    rows = [
        (MARCH, ("_T", "_T"), (100, 100, 100, PUBLISHED)),
        (APRIL, ("_T", "_T"), (80, 100, 300, PUBLISHED)),
        (APRIL, ("a", "_T"), (20, 30, 40, PUBLISHED)),
        (APRIL, ("b", "_T"), (40, 50, 60, PUBLISHED)),
        (APRIL, ("c", "_T"), (20, 20, 20, "incomplete")),
        (APRIL, ("d", "_T"), (12, 20, 20, PUBLISHED)),
        (APRIL, ("b", "part"), (40, 50, 60, PUBLISHED)),
        (APRIL, ("e", "_T"), HIDDEN),
        (APRIL, ("(other)", "_T"), (70, 90, 160, PUBLISHED)),
        (week(date(2026, 4, 27)), ("_T", "_T"), (30, 30, 30, PUBLISHED)),
    ]
    found = [
        (r["component"], r["visitors_rank"], r["reach"]) for r in _run("latest_month_by_component", rows)
    ]
    named = [("b", 1, 0.5), ("a", 2, 0.25), ("c", 2, 0.25), ("d", 4, 0.15)]

    assert [*named, ("(other)", None, 0.875), ("e", None, None)] == found


def test_reach_of_a_withheld_whole_is_withheld():
    """Nothing is divided by what is not told."""
    rows = [(APRIL, ("_T", "_T"), HIDDEN), (APRIL, ("a", "_T"), (20, 30, 40, PUBLISHED))]

    assert [None] == [r["reach"] for r in _run("latest_month_by_component", rows)]


def test_change_is_told_where_both_periods_are_published():
    """The period that ends the day before, of the same kind; not where either is withheld, incomplete or missing."""
    rows = [
        *((MARCH, (c, "_T"), (10, 20, 0, PUBLISHED)) for c in ("_T", "a", "b")),
        (MARCH, ("c", "_T"), HIDDEN),
        *((APRIL, (c, "_T"), (15, 10, 30, PUBLISHED)) for c in ("_T", "c", "new")),
        (APRIL, ("a", "_T"), HIDDEN),
        (APRIL, ("b", "_T"), (15, 10, 30, "incomplete")),
        (month(date(2026, 6, 1)), ("_T", "_T"), (15, 10, 30, PUBLISHED)),
        (day(date(2026, 3, 31)), ("_T", "_T"), (15, 10, 30, PUBLISHED)),
    ]
    names = ("period", "period_before", "component", "visitors_change", "visits_change", "page_views_change")
    found = [tuple(r[n] for n in names) for r in _run("change_on_previous_period", rows)]

    assert [("2026-04", "2026-03", "_T", 0.5, -0.5, None)] == found


def test_weeks_follow_each_other_over_the_end_of_the_year():
    """A week's number says nothing of the week before: the dates do."""
    rows = [
        (week(date(2026, 12, 28)), ("_T", "_T"), (10, 20, 30, PUBLISHED)),
        (week(date(2027, 1, 4)), ("_T", "_T"), (20, 20, 30, PUBLISHED)),
    ]
    found = [
        (r["period"], r["period_before"], r["visitors_change"])
        for r in _run("change_on_previous_period", rows)
    ]

    assert [("2027-W01", "2026-W53", 1.0)] == found


def test_hours_by_weekday_are_shares_of_all_page_views():
    """Totals of hours and of weekdays are not among the rows; a withheld hour has no share."""
    rows = [
        (MARCH, ("_T", "_T"), (200, PUBLISHED)),
        (MARCH, ("_T", "1"), (120, PUBLISHED)),
        (MARCH, ("09", "_T"), (150, PUBLISHED)),
        (MARCH, ("09", "1"), (50, PUBLISHED)),
        (MARCH, ("10", "1"), (None, "suppressed")),
    ]
    found = _run("hour_by_weekday", rows, ("hour", "weekday"), ("page_views",))

    assert [("1", "09", 0.25), ("1", "10", None)] == [
        (r["weekday"], r["hour"], r["page_views_share"]) for r in found
    ]
