import subprocess
import sys
from datetime import date
from functools import cache

import duckdb
import pytest
from site_with_tables import config_with, page_views, releases_of

from usage_stats.config import Table
from usage_stats.errors import SchemaError
from usage_stats.periods import month
from usage_stats.release import analysts_views
from usage_stats.release.analysts_file import build_analysts_file
from usage_stats.release.opens import ReleasedOpens
from usage_stats.release.table_cut import cut
from usage_stats.sqlmodel import load_model

TABLES = {
    "components": {},
    "hours": {"dimensions": ["hour", "weekday"], "periods": ["month"], "audience": "analysts"},
    "by-device": {
        "dimensions": ["component", "device"],
        "periods": ["week"],
        "measures": ["visitors", "reach"],
    },
}
OPENS = ReleasedOpens(
    month(date(2026, 3, 1)),
    (("sale", "direct", 40, 55, "published"), ("sale", "unknown", None, None, "suppressed")),
    10,
    "1",
)
# Prints page views of the whole site as an open reader sees them, before and after it is told to go on.
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
sql = "select page_views from components where component = '_T' and period = '2026-03'"
print(connection.sql(sql).fetchall()[0][0], flush=True)
sys.stdin.readline()
print(connection.sql(sql).fetchall()[0][0], flush=True)
"""


@cache
def _views():
    return page_views()


@cache
def _releases():
    return tuple(releases_of(config_with(TABLES), _views()))


@pytest.fixture
def path(tmp_path):
    """Where the file is built."""
    return tmp_path / "warehouse" / "usage_stats.duckdb"


@pytest.fixture
def build(path):
    """Builds the file, of three tables unless told otherwise."""

    def build(releases=None, tables=None, **options):
        shown = config_with(TABLES).tables if tables is None else tables
        build_analysts_file(path, _releases() if releases is None else releases, shown, **options)
        return path

    return build


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A file with all there is, to ask only."""
    path = tmp_path_factory.mktemp("full") / "usage_stats.duckdb"
    build_analysts_file(path, _releases(), config_with(TABLES).tables, opens=[OPENS])
    return path


def _ask(path, sql):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_holds_the_released_rows(full, name):
    """Every row of every period, as partners would get it, with the kind, first and last day of its period."""
    table = config_with(TABLES).tables[name]
    cuts = [(r.period, cut(r, name, table)) for r in _releases() if r.period.kind in table.periods]
    expected = [(row[0], p.kind, p.first, p.last, *row[1:]) for p, shown in cuts for row in shown.rows]

    assert sorted(expected, key=str) == sorted(_ask(full, f'from "{name}"'), key=str)


def test_dates_are_dates(full):
    """Days of periods are dates that a chart or a calendar takes; the period itself is a code."""
    types = dict(
        _ask(full, "select column_name, data_type from duckdb_columns() where table_name = 'by-device'")
    )

    assert ("VARCHAR", "DATE", "DATE") == tuple(types[n] for n in ("period", "first_date", "last_date"))
    assert ("BIGINT", "DOUBLE") == (types["visitors"], types["reach"])


@pytest.mark.parametrize("name", ["components", "hours", '"by-device"', "email_opens"])
def test_rows_are_in_order_of_time_and_of_their_codes(full, name):
    """Whatever order releases come in, the same rows stand in the same order."""
    rows = _ask(full, f"from {name}")
    codes = {"components": 2, "hours": 2, '"by-device"': 2, "email_opens": 2}[name]

    assert sorted(rows, key=lambda r: (r[2], r[1], r[0], r[4 : 4 + codes])) == rows


def _content(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        named = "select schema_name || '.\"' || table_name || '\"' from duckdb_tables() order by 1"
        tables = [name for (name,) in connection.execute(named).fetchall()]
        about = [
            "select schema_name, table_name, sql, comment from duckdb_tables()",
            "select view_name, sql, comment from duckdb_views() where not internal",
            "select table_name, column_name, data_type, comment from duckdb_columns() where not internal",
            "select function_name, macro_definition, comment from duckdb_functions() where not internal",
        ]
        return [connection.execute(sql).fetchall() for sql in [*about, *(f"from {t}" for t in tables)]]


def test_the_content_hangs_on_the_releases_alone(build):
    """Built again from the same releases in another order, everything in it is the same, comments and all."""
    first = _content(build())

    assert first == _content(build(reversed(_releases())))


def test_a_table_has_its_periods_only(build):
    """A period of a kind that a table does not have is not in it, and the table keeps its columns."""
    days = [r for r in _releases() if r.period.kind == "day"]
    path = build(days, {"monthly": Table(periods=("month",))})

    assert [] == _ask(path, "from monthly")
    assert "BIGINT" == _ask(path, "select typeof(any_value(visitors)) from monthly")[0][0]


def test_every_table_and_column_explains_itself(full):
    """Comments stand on every table, view, macro and column, the catalogue's own included."""
    uncommented = [
        *_ask(full, "select table_name from duckdb_tables() where comment is null"),
        *_ask(full, "select view_name from duckdb_views() where not internal and comment is null"),
        *_ask(full, "select function_name from duckdb_functions() where not internal and comment is null"),
        *_ask(
            full,
            "select table_name, column_name from duckdb_columns() where not internal and comment is null",
        ),
    ]

    assert [] == uncommented
    assert 4 == len(_ask(full, "select 1 from duckdb_views() where not internal"))


def test_comments_are_those_of_the_model(full):
    """A comment says the meaning and the unit that the SQL model's header says."""
    model = load_model("warehouse.email_opens")
    expected = {c.name: f"{c.meaning} [{c.unit}]" for c in model.columns}
    found = _ask(full, "select column_name, comment from duckdb_columns() where table_name = 'email_opens'")

    assert expected == dict(found)


def test_the_catalogue_lists_every_table_view_and_column(full):
    """What a person can query is listed where they look for it."""
    listed = set(_ask(full, "select table_name, column_name from catalog.columns"))
    there = _ask(
        full,
        "select case schema_name when 'main' then table_name else schema_name || '.' || table_name end, column_name "
        "from duckdb_columns() where not internal and schema_name <> 'catalog'",
    )

    assert set(there) == listed
    assert {t for t, _ in there} == {t for (t,) in _ask(full, "select table_name from catalog.tables")}


def test_the_catalogue_says_what_may_be_added_up(full):
    """Visitors over nothing, visits over periods, page views over both; of codes and of opens nothing is said to."""
    found = {
        (table, column): over
        for table, column, over in _ask(
            full, "select table_name, column_name, additive_over from catalog.columns"
        )
    }

    assert ("", "period") == (found["components", "visitors"], found["components", "visits"])
    assert "period, component, sub_component" == found["components", "page_views"]
    assert "period, hour, weekday" == found["hours", "page_views"]
    assert "period, weekday" == found["hours", "visits"]
    assert (None, "", "") == (
        found["components", "period"],
        found["by-device", "reach"],
        found["email_opens", "opens"],
    )


def test_the_catalogue_lists_the_periods(build):
    """Each period with its state, completeness, thresholds and the policy versions it rests on; and what is missing."""
    config = config_with({"components": {"periods": ["day"]}})
    releases = releases_of(config, _views(), without={"2026-03-03"}, gaps={"2026-03-04": 1})
    few = [r for r in releases if "2026-03-02" <= r.period.code <= "2026-03-04"]
    found = _ask(
        build(few, config.tables),
        "select period, state, days, days_without_lines, completeness, minimum_persons, minimum_networks, "
        "protection_share, policy_versions from catalog.periods",
    )

    assert [
        ("2026-03-02", "released", 1, 0, 1.0, 10, 3, 0.1, "1"),
        ("2026-03-03", "not released", 1, *[None] * 6),
        ("2026-03-04", "incomplete", 1, 1, 0.0, 10, 3, 0.1, "1"),
    ] == found


def test_the_catalogue_tells_periods_from_before_a_table_was_asked_for(build):
    """They are not in the table, and both the table and the period say how many are missing."""
    config = config_with(TABLES)
    releases = releases_of(config, _views(), shown_from=date(2026, 4, 1))
    path = build(releases, config.tables)
    tables = _ask(
        path, "select table_name, periods, periods_missing from catalog.tables where kind = 'table'"
    )
    periods = dict(
        _ask(path, "select period, tables_missing from catalog.periods where period_kind <> 'day'")
    )

    assert [("components", 78, 0), ("hours", 1, 1), ("by-device", 3, 6)] == tables
    assert (1, 0, 1, 0) == tuple(periods[p] for p in ("2026-03", "2026-04", "2026-W14", "2026-W15"))
    assert ["2026-04"] == [p for (p,) in _ask(path, "select distinct period from hours")]


@pytest.mark.parametrize(
    "name", ["select", "content", "catalog", "views", "a-b", "order", "main", "hour_by_weekday"]
)
def test_any_slug_can_be_a_table(build, name):
    """Names that the configuration allows are names the database takes."""
    path = build(tables={name: Table()})

    assert 0 < _ask(path, f'from "{name}" select count(*)')[0][0]
    assert 0 < _ask(path, "from views.latest_month_by_component select count(*)")[0][0]


@pytest.mark.parametrize("view", ["site_by_period", "latest_month_by_component", "change_on_previous_period"])
def test_a_view_says_the_same_on_any_table_that_has_what_it_needs(build, full, view):
    """What else a table breaks down is taken at its total: the figures are the released ones, each once."""
    wide = {"wide": {"dimensions": ["device", "sub_component", "component"], "periods": ["week", "month"]}}
    config = config_with(wide)
    path = build(releases_of(config, _views()), config.tables)
    kinds = "where period_kind <> 'day'" if view != "latest_month_by_component" else ""

    assert _ask(full, f"from views.{view} {kinds}") == _ask(path, f"from views.{view}")
    assert _ask(path, f"from views.{view}")


@pytest.mark.parametrize(
    ("tables", "views"),
    [
        ({"devices": {"dimensions": ["device"]}}, {"site_by_period"}),
        ({"parts": {"periods": ["week"]}}, {"site_by_period", "change_on_previous_period"}),
        ({"hours": {"dimensions": ["hour", "weekday"], "measures": ["page_views"]}}, {"hour_by_weekday"}),
        ({"hours": {"dimensions": ["hour"]}}, {"site_by_period"}),
        ({"components": {"measures": ["reach"]}}, set()),
    ],
)
def test_there_are_the_views_that_the_tables_allow_for(build, tables, views):
    """A view that no table has the columns for is not there, rather than empty or wrong."""
    config = config_with(tables)
    path = build([], config.tables)

    assert views == {v for (v,) in _ask(path, "select view_name from duckdb_views() where not internal")}


def test_a_file_without_releases_can_be_read(build):
    """Before the first release tables and views are there, and empty."""
    path = build([], opens=[])
    names = _ask(path, "select table_name from catalog.tables")

    assert 8 == len(names)
    assert [(0,)] == _ask(path, "select count(*) from components")
    assert [(0,)] == _ask(path, "select count(*) from views.latest_month_by_component")
    assert [(0,)] == _ask(path, "select count(*) from catalog.periods")
    assert [(None,)] == _ask(path, "select checked_sum(c, 'visits') from components as c")


def test_nothing_but_released_figures_is_in_the_file(full):
    """The file holds no table beyond the published ones and the catalogue; and no row of too few persons."""
    tables = {n for (n,) in _ask(full, "select schema_name || '.' || table_name from duckdb_tables()")}
    least = _ask(full, "select min(visitors) from components where visitors > 0")

    assert {f"main.{name}" for name in (*TABLES, "email_opens")} | {
        "catalog.tables",
        "catalog.columns",
        "catalog.periods",
    } == tables
    assert least[0][0] >= 10
    assert [] == _ask(full, "from components where status = 'suppressed' and visitors is not null")


def test_the_file_tells_nothing_of_where_it_was_made(full):
    """No path and no name of the half-built file is in views, macros or comments."""
    assert "partial" not in repr(_content(full))
    assert str(full.parent) not in repr(_content(full))


def test_the_file_is_for_reading(build):
    """Nobody writes into it by accident, and no half-built file stays beside it."""
    path = build()

    assert 0o444 == path.stat().st_mode & 0o777
    assert [path] == list(path.parent.iterdir())


def test_duckdb_1_5_can_read_it(build, tmp_path):
    """The storage version is the older one, which the engine in use would not choose by itself."""
    sql = "select tags['storage_version'] from duckdb_databases() where not internal"
    with duckdb.connect(str(tmp_path / "default.duckdb")) as connection:
        connection.execute("create table t as select 1 as a")
    default = _ask(tmp_path / "default.duckdb", sql)[0][0]

    assert _ask(build(), sql)[0][0].startswith("v1.5.0")
    assert duckdb.__version__ < "2" or not default.startswith("v1.5")


def test_a_leftover_of_a_crash_is_overwritten(build, path):
    """A half-written file of a dead attempt does not stop the next."""
    path.parent.mkdir()
    (path.parent / f".{path.name}.partial").write_bytes(b"half a file")

    assert 0 < _ask(build(), "select count(*) from components")[0][0]


def test_a_reader_keeps_what_it_opened(build, path):
    """A connection opened before the swap reads the old figures on; one opened after reads the new."""
    config = config_with({"components": {"periods": ["month"]}})
    build(releases_of(config, _views()), config.tables)
    (old,) = _ask(path, "select page_views from components where component = '_T' and period = '2026-03'")[0]
    command = [sys.executable, "-c", READER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        before = int(reader.stdout.readline())
        build(releases_of(config, page_views(seed=1)), config.tables)
        after = int(reader.communicate("\n")[0])

    assert (old, old) == (before, after)
    assert [(old,)] != _ask(
        path, "select page_views from components where component = '_T' and period = '2026-03'"
    )


def test_a_view_that_breaks_its_header_stops_the_build(build, path, monkeypatch):
    """What a view shows is held to what its model promises before the file is swapped in; the old file stays."""
    build()
    before, once = path.read_bytes(), analysts_views._source  # noqa: SLF001 to break it
    monkeypatch.setattr(analysts_views, "_source", lambda *of: f"{once(*of)} union all {once(*of)}")
    with pytest.raises(SchemaError, match="rows share a key"):
        build()

    assert before == path.read_bytes()
