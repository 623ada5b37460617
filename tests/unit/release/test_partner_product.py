"""A partner's folders of four tables, opened as partners open them: whatever reads them, the figures are the same."""

import csv
import io
import json
from datetime import date
from functools import cache

import duckdb
import polars as pl
import pytest
from pydantic import ValidationError
from site_with_tables import config_with, page_views, releases_of

from usage_stats.release.export import release_files
from usage_stats.release.table_cut import cut

TABLES = {
    "components": {
        "measures": ["visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit"]
    },
    "hours": {"dimensions": ["component", "hour"]},
    "depths": {"dimensions": ["visit_depth", "visit_duration"], "measures": ["visits", "frequency"]},
    "newcomers": {"dimensions": ["visitor_type"], "periods": ["day"]},
}
PERIODS = ("2026-03-02", "2026-W10", "2026-03")
EXECUTED = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for the beginning of a formula
TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}
FRAMES = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64}


@cache
def _product():
    """(table, period) → what was released, and the files."""
    config = config_with(TABLES)
    releases = [r for r in releases_of(config, page_views()) if r.period.code in PERIODS]
    found = {}
    for release in releases:
        for name, table in config.tables.items():
            if release.period.kind in table.periods:
                shown = cut(release, name, table)
                found[name, release.period.code] = shown, release_files(release, shown, "acme")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the files lie, as a partner has them."""
    top = tmp_path_factory.mktemp("acme")
    for (table, period), (_, files) in _product().items():
        (top / table / period).mkdir(parents=True)
        for name, content in files.items():
            (top / table / period / name).write_bytes(content)
    return top


CASES = [(t, p) for t, tab in TABLES.items() for p in PERIODS if p.count("-") == 2 or "periods" not in tab]


@pytest.fixture(params=CASES, ids=[" ".join(case) for case in CASES])
def case(request, folder):
    """A table of a period: its rows as released, its paths, and its columns as the data package declares them."""
    table, period = request.param
    at = folder / table / period
    package = json.loads((at / "datapackage.json").read_text(encoding="utf-8"))
    fields = [
        resource["schema"]["fields"] for resource in package["resources"] if resource["format"] != "html"
    ]
    assert fields[0] == fields[1]
    kinds = {field["name"]: field["type"] for field in fields[0]}
    return _product()[table, period][0].rows, at / f"{table}.csv", at / f"{table}.parquet", kinds


def test_there_are_the_folders_that_were_asked_for():
    """Four tables, in their kinds of period; some rows withheld, some not."""
    statuses = {row[-1] for shown, _ in _product().values() for row in shown.rows}

    assert set(CASES) == set(_product())
    assert {"published", "suppressed"} == statuses


def test_duckdb_reads_the_figures(case):
    """From the Parquet file as it is, and from the CSV with the declared types."""
    rows, as_csv, as_parquet, kinds = case
    types = {name: TYPES[kind] for name, kind in kinds.items()}
    with duckdb.connect() as connection:
        parquet = connection.read_parquet(str(as_parquet)).fetchall()
        text = connection.read_csv(str(as_csv), dtype=types, header=True).fetchall()

    assert list(rows) == parquet
    assert list(rows) == text


def test_polars_reads_the_figures(case):
    """The same, without a hint for Parquet."""
    rows, as_csv, as_parquet, kinds = case
    schema = {name: FRAMES[kind] for name, kind in kinds.items()}

    assert list(rows) == pl.read_parquet(as_parquet).rows()
    assert list(rows) == pl.read_csv(as_csv, schema=schema).rows()


def test_pandas_reads_the_figures(case):
    """With nullable whole numbers, so that what is withheld stays empty and nothing turns into a fraction."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    rows, as_csv, as_parquet, kinds = case
    types = {"string": "string", "integer": "Int64", "number": "Float64"}
    dtype = {name: types[kind] for name, kind in kinds.items()}
    for frame in (pandas.read_csv(as_csv, dtype=dtype), pandas.read_parquet(as_parquet).astype(dtype)):
        found = [tuple(None if v is pandas.NA else v for v in row) for row in frame.itertuples(index=False)]
        assert list(rows) == found


def test_readers_that_guess_get_the_same_figures(case):
    """Without declared types, figures are the same too, and a day is a date where a reader looks for dates."""
    rows, as_csv, _, kinds = case
    figures = [name for name, kind in kinds.items() if kind != "string"]
    places = [list(kinds).index(name) for name in figures]
    expected = [tuple(row[place] for place in places) for row in rows]
    with duckdb.connect() as connection:
        guessed = connection.read_csv(str(as_csv)).select(*["period", *figures]).fetchall()
    period = rows[0][0]
    is_day = period.count("-") == 2

    assert expected == [row[1:] for row in guessed]
    assert {date.fromisoformat(period) if is_day else period} == {row[0] for row in guessed}
    assert expected == pl.read_csv(as_csv, infer_schema_length=None).select(figures).rows()


def test_the_period_of_a_day_is_a_date_by_the_package(case, folder):
    """The package says the first and the last day as dates; for a day, both are the period's code."""
    _, as_csv, _, _ = case
    package = json.loads((as_csv.parent / "datapackage.json").read_text(encoding="utf-8"))
    told = package["usage_stats"]["period"]
    days = date.fromisoformat(told["first_day"]), date.fromisoformat(told["last_day"])
    code = as_csv.parent.name

    assert days[0] <= days[1]
    assert ("day" == told["kind"]) == (days[0].isoformat() == days[1].isoformat() == code)


def test_the_csv_is_safe_to_open(case):
    """UTF-8 without a byte order mark, and no cell that a spreadsheet would execute."""
    _, as_csv, _, kinds = case
    content = as_csv.read_bytes()
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))

    assert not content.startswith(b"\xef\xbb\xbf")
    assert list(kinds) == rows[0]
    assert [] == [cell for row in rows for cell in row if cell.startswith(EXECUTED)]


@pytest.mark.parametrize("sign", [*EXECUTED, "\n", '"', ","])
@pytest.mark.parametrize("where", ["component", "sub_component", "customer_group"])
def test_no_name_can_become_a_formula(sign, where):
    """Names come from the settings; one that a spreadsheet would execute is refused there."""
    name = f"{sign}1+1"
    rule = {"name": name, "paths": ["/x"]}
    settings = {
        "component": {"components": [rule]},
        "sub_component": {"components": [{"name": "a", "paths": ["/x"], "sub_components": [rule]}]},
        "customer_group": {"customer_groups": {"accounts": "/groups", "names": [name]}},
    }[where]
    with pytest.raises(ValidationError):
        type(config_with({}))(site="s", **settings)
