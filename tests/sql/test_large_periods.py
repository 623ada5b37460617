"""Cells of large periods, counted by arrays, against the model that defines them."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_events import CATEGORIES, DAY

from usage_stats.errors import SchemaError
from usage_stats.flow import workspace
from usage_stats.flow.workspace import write_restricted
from usage_stats.measure import cell_counting, cells
from usage_stats.measure.cells import UsageFiles, basis_counts, period_cells
from usage_stats.measure.cube import cube_from
from usage_stats.measure.relations import CellKey
from usage_stats.periods import day, month, week
from usage_stats.sqlmodel import Database

CUBE = cube_from(CATEGORIES, ("day",))
# What the cube does not know counts nowhere: names of its own in another pair, and names of others.
PLACES = [*CATEGORIES, ("news", "basket"), ("former", "_T"), ("shop", "former part")]
DAYS = [DAY + timedelta(n) for n in range(-8, 4)]  # of two months and three weeks
PSEUDONYMS = st.sampled_from([0, 1, 2**62, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1])
COUNTS = st.tuples(st.integers(1, 60), st.integers(0, 2**31)).map(
    lambda c: (c[0], sum(c))
)  # visits, page views
BASES = ("account", "address", "cookie")
WORD = pa.dictionary(pa.int32(), pa.string())
IN_ONE_DAY = st.tuples(PSEUDONYMS, st.sampled_from(PLACES))
USAGE = st.dictionaries(
    st.sampled_from(DAYS),
    st.tuples(st.dictionaries(IN_ONE_DAY, COUNTS), st.sets(IN_ONE_DAY), st.sampled_from([pa.string(), WORD])),
    min_size=1,
)


def _table(key, rows, of, word, counts=()):
    """Usage rows of a day: (pseudonym, place), and what was counted of each."""
    columns = {
        key: pa.array([pseudonym for pseudonym, _ in rows], pa.uint64()),
        "event_date": pa.array([of] * len(rows), pa.date32()),
        "component": pa.array([place[0] for _, place in rows], pa.string()).cast(word),
        "sub_component": pa.array([place[1] for _, place in rows], pa.string()).cast(word),
        "further": pa.array([""] * len(rows), pa.string()).cast(word),
    }
    if key == "person":
        columns["visits"] = pa.array([visits for visits, _ in counts], pa.int64())
        columns["page_views"] = pa.array([page_views for _, page_views in counts], pa.int64())
        bases = [
            BASES[(pseudonym + visits) % 3] for (pseudonym, _), (visits, _) in zip(rows, counts, strict=True)
        ]
        columns["identity_basis"] = pa.array(bases, pa.string()).cast(word)
    return pa.table(columns)


def _write(folder, usage):
    """The files of each day, as sealing writes them."""
    files = {"person": [], "network": []}
    for of, (persons, networks, word) in usage.items():
        tables = {
            "person": _table("person", sorted(persons), of, word, [persons[key] for key in sorted(persons)]),
            "network": _table("network", sorted(networks), of, word),
        }
        for key, table in tables.items():
            files[key].append(Path(folder) / f"{of}-{key}.parquet")
            write_restricted(table, files[key][-1])
    return UsageFiles(tuple(files["person"]), tuple(files["network"]))


@pytest.fixture(scope="module")
def database():
    """One for all examples."""
    with Database() as opened:
        yield opened


@settings(deadline=None, max_examples=40)  # files take their time on a busy machine
@given(usage=USAGE, at_once=st.sampled_from([3, 8_000_000]), together=st.sampled_from([1, 2, 1 << 17]))
def test_arrays_and_the_model_count_the_same_cells(database, usage, at_once, together):
    """Whatever days, people, places and counts: a period's size decides how it is counted, and nothing else."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "_ROWS_TOGETHER", together)
        files = _write(folder, usage)
        patch.setattr(cell_counting, "_AT_ONCE", at_once)
        for period in (day(DAY), week(DAY), month(DAY)):
            patch.setattr(cells, "LARGE_PERIOD", 10**9)
            by_model = period_cells(CUBE, period, files, database=database)
            patch.setattr(cells, "LARGE_PERIOD", 0)

            assert by_model == period_cells(CUBE, period, files, database=None)


@settings(deadline=None, max_examples=25)  # the same
@given(usage=USAGE, together=st.sampled_from([1, 2, 1 << 17]))
def test_arrays_and_the_model_count_the_same_bases(database, usage, together):
    """Each person once for each basis, on whatever days and in however many row groups they were."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "_ROWS_TOGETHER", together)
        files = _write(folder, usage)
        for period in (day(DAY), week(DAY), month(DAY)):
            patch.setattr(cells, "LARGE_PERIOD", 10**9)
            by_model = basis_counts(period, files, database=database)
            patch.setattr(cells, "LARGE_PERIOD", 0)

            assert by_model == basis_counts(period, files)


@pytest.mark.usefixtures("_always_large")
def test_of_a_sorted_file_a_slice_reads_its_own_groups(tmp_path, monkeypatch):
    """Each row group once or twice, not once per slice: the cost of a month grows with its rows, not faster."""
    monkeypatch.setattr(workspace, "_ROWS_TOGETHER", 4)
    monkeypatch.setattr(cell_counting, "_AT_ONCE", 10)
    persons = {((2**64 - 1) // 99 * n, ("news", "_T")): (1, 2) for n in range(100)}
    files = _write(tmp_path, {DAY: (persons, set(), WORD)})
    read = []
    whole = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_groups",
        lambda self, groups, *a, **k: read.extend(groups) or whole(self, groups, *a, **k),
    )

    assert 100 == period_cells(CUBE, day(DAY), files)[CellKey(DAY.isoformat(), "news", "_T")].visitors
    assert set(range(25)) == set(read)
    assert len(read) <= 2 * 25


@pytest.fixture
def _always_large(monkeypatch):
    monkeypatch.setattr(cells, "LARGE_PERIOD", 0)


@pytest.mark.usefixtures("_always_large")
def test_a_large_period_needs_no_database(tmp_path, monkeypatch):
    """What is counted by arrays opens none: an open one costs more than a day's cells."""
    files = _write(tmp_path, {DAY: ({(1, ("news", "_T")): (1, 2)}, set(), WORD)})
    monkeypatch.setattr(cells, "run_model", None)

    assert 1 == period_cells(CUBE, day(DAY), files)[CellKey(DAY.isoformat(), "news", "_T")].visitors


@pytest.mark.usefixtures("_always_large")
@pytest.mark.parametrize("counts", [(3, 2), (0, 2), (0, 0)])
def test_counts_that_contradict_each_other_are_refused(tmp_path, counts):
    """More visits than page views, or visitors than visits: as the model refuses them, without a word about any row."""
    files = _write(tmp_path, {DAY: ({(1, ("news", "_T")): counts}, set(), WORD)})

    with pytest.raises(SchemaError, match="cells of 2026-03-29: counts contradict each other"):
        period_cells(CUBE, day(DAY), files)


@pytest.mark.usefixtures("_always_large")
@pytest.mark.parametrize("column", ["person", "visits", "event_date"])
def test_a_row_without_a_value_is_refused(tmp_path, column):
    """Pseudonyms with a gap among them would be rounded: neighbours would become one person."""
    files = _write(tmp_path, {DAY: ({(n, ("news", "_T")): (1, 2) for n in range(3)}, set(), WORD)})
    table = pq.read_table(files.component_day[0])
    place = table.column_names.index(column)
    values = pa.array([None, *table[column].to_pylist()[1:]], table.schema.field(column).type)
    write_restricted(table.set_column(place, column, values), files.component_day[0])

    with pytest.raises(SchemaError, match="1 usage rows lack a value"):
        period_cells(CUBE, day(DAY), files)
