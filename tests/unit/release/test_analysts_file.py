import subprocess
import sys

import duckdb
import pytest

from usage_stats.config import Table
from usage_stats.release.analysts_file import build_analysts_file
from usage_stats.sqlmodel import load_model

TABLES = {"components": Table(), "parts": Table(dimensions=("component",), periods=("day", "week"))}
# Prints visitors of the whole site as an open reader sees them, before and after it is told to go on.
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
sql = "select visitors from components where component = '_T'"
print(connection.sql(sql).fetchall()[0][0], flush=True)
sys.stdin.readline()
print(connection.sql(sql).fetchall()[0][0], flush=True)
"""


@pytest.fixture
def path(tmp_path):
    """Where the file is built."""
    return tmp_path / "warehouse" / "usage_stats.duckdb"


@pytest.fixture
def build(path, release):
    """Builds the file, of one release and two tables unless told otherwise."""

    def build(releases=None, tables=None):
        build_analysts_file(path, [release] if releases is None else releases, tables or TABLES)
        return path

    return build


def _ask(path, sql):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def test_a_table_holds_the_released_rows(build, release):
    """Every released row is there, as released, with its period's kind and first day; withheld is null."""
    found = _ask(
        build(),
        "select period, component, sub_component, visitors, visits, page_views, status from components",
    )

    assert sorted(release.rows, key=str) == sorted(found, key=str)


def test_a_table_of_fewer_dimensions_is_the_cut(build, release):
    """The narrower table has the rows of whole components only."""
    assert len(release.cut(TABLES["parts"]).rows) == _ask(build(), "select count(*) from parts")[0][0]


def test_a_table_has_its_periods_only(build):
    """A period of a kind that a table does not have is not in it, and the table keeps its columns."""
    path = build(tables={"monthly": Table(periods=("month",))})

    assert [] == _ask(path, "from monthly")
    assert "BIGINT" == _ask(path, "select typeof(any_value(visitors)) from monthly")[0][0]


def test_every_table_and_column_explains_itself(build):
    """Comments stand on every table and every column, the catalogue's own included."""
    path = build()
    tables = _ask(path, "select schema_name, table_name from duckdb_tables() where comment is null")
    columns = _ask(
        path,
        "select table_name, column_name from duckdb_columns() where not internal and comment is null "
        "and schema_name = 'main'",
    )

    assert ([], []) == (tables, columns)


def test_comments_are_those_of_the_model(build):
    """A comment says the meaning and the unit that the SQL model's header says."""
    model = load_model("warehouse.figures")
    expected = {c.name: f"{c.meaning} [{c.unit}]" for c in model.columns}
    found = _ask(
        build(),
        "select column_name, comment from duckdb_columns() where table_name = 'components' and schema_name = 'main'",
    )

    assert expected == dict(found)


def test_the_catalogue_lists_every_table_and_column(build):
    """What a person can query is listed where they look for it."""
    path = build()
    listed = {(t, c) for t, c in _ask(path, "select table_name, column_name from catalog.columns")}
    there = _ask(
        path,
        "select table_name, column_name from duckdb_columns() where not internal and schema_name = 'main'",
    )

    assert set(TABLES) == {t for (t,) in _ask(path, "select table_name from catalog.tables")}
    assert set(there) == listed


def test_the_catalogue_says_what_may_be_added_up(build):
    """Visitors over nothing, visits over periods, page views over both."""
    found = dict(
        _ask(
            build(), "select column_name, additive_over from catalog.columns where table_name = 'components'"
        )
    )

    assert ("", "period") == (found["visitors"], found["visits"])
    assert {"period", "component", "sub_component"} == set(found["page_views"].split(", "))


def test_the_catalogue_lists_the_periods(build, release_with, facts):
    """Each period with its state, its thresholds and the policy versions it rests on."""
    gap = release_with(facts=facts(days_without_lines=("2026-03-02",)))
    row = _ask(
        build([gap]),
        "select period, state, days_without_lines, minimum_persons, policy_versions from catalog.periods",
    )

    assert [("2026-03-02", "incomplete", 1, 10, "2025-09, 2026-04")] == row


@pytest.mark.parametrize("name", ["select", "content", "catalog", "a-b", "order", "main"])
def test_any_slug_can_be_a_table(build, name):
    """Names that the configuration allows are names the database takes."""
    assert 7 == _ask(build(tables={name: Table()}), f'from "{name}" select count(*)')[0][0]


def test_a_file_without_releases_can_be_read(build):
    """Before the first release the tables are there, and empty."""
    path = build([])

    assert [(0,)] == _ask(path, "select count(*) from components")
    assert [(0,)] == _ask(path, "select count(*) from catalog.periods")


def test_nothing_but_released_figures_is_in_the_file(build):
    """The file holds no table beyond the published ones and the catalogue, no view, and no count withheld."""
    path = build()
    tables = _ask(path, "select schema_name || '.' || table_name from duckdb_tables()")
    views = _ask(path, "select view_name from duckdb_views() where not internal")
    values = {value for (name,) in tables for row in _ask(path, f"from {name}") for value in row}

    assert {"main.components", "main.parts", "catalog.tables", "catalog.columns", "catalog.periods"} == {
        name for (name,) in tables
    }
    assert [] == views
    assert set() == values & {2098, 2295, 3991, 599}


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

    assert [(7,)] == _ask(build(), "select count(*) from components")


def test_a_reader_keeps_what_it_opened(build, path, release_with):
    """A connection opened before the swap reads the old figures on; one opened after reads the new."""
    build()
    command = [sys.executable, "-c", READER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        before = int(reader.stdout.readline())
        build([release_with(counts={("_T", "_T"): (4200, 4700, 9000, 900)})])
        after = int(reader.communicate("\n")[0])

    assert (4000, 4000) == (before, after)
    assert [(4200,)] == _ask(path, "select visitors from components where component = '_T'")
