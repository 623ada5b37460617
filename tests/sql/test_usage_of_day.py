"""A day's events → its usage under both windows, against plain Python."""

from collections import Counter, defaultdict
from itertools import pairwise

import pyarrow as pa
import pytest
from invented_events import CATEGORIES, DAY, event, of_month, page_views, random_rows, spots, usage, visitors

from usage_stats.measure import usage as usage_module
from usage_stats.measure.conduct import RULES
from usage_stats.measure.cube import cube_from
from usage_stats.measure.usage import usage_of_day
from usage_stats.robot_settings import Behaviour, RobotSettings
from usage_stats.sqlmodel import Database

CUBE = cube_from(CATEGORIES, ("day",))
KEYS = {"component_day": "person", "network_day": "network"}


@pytest.fixture(params=["models", "arrays"], autouse=True)
def _counted_by(request, monkeypatch):
    """Each law holds for the models, and for the arrays that large days are sorted in."""
    monkeypatch.setattr(usage_module, "LARGE_DAY", 1 if request.param == "arrays" else 10**9)


TABLES = pytest.mark.parametrize("table", KEYS)


def _rows(tables, table, *, renamed=lambda pseudonym: pseudonym):
    """Rows as plain values, with each pseudonym renamed."""
    found = getattr(tables, table).to_pylist()
    return [row | {KEYS[table]: renamed(row[KEYS[table]])} for row in found]


def _views(tables):
    """Page views of the site, by person."""
    found = tables.component_day.to_pylist()
    return {row["person"]: row["page_views"] for row in found if row["component"] == "_T"}


def test_page_views_and_bases_are_what_counting_by_hand_gives():
    """Each person's page views in each place, and what the pseudonym rests on, in every row."""
    rows = random_rows(11)
    by_hand, basis = Counter(), {}
    for row in rows:
        by_hand.update((row["person"], *spot) for spot in spots(row))
        basis[row["person"]] = row["identity_basis"]
    found = usage(rows, CUBE).by_window["week"].component_day.to_pylist()

    assert by_hand == {(r["person"], r["component"], r["sub_component"]): r["page_views"] for r in found}
    assert basis == {r["person"]: r["identity_basis"] for r in found}


def test_networks_are_what_counting_by_hand_gives():
    """One row per network and place, none twice."""
    rows = random_rows(12)
    found = usage(rows, CUBE).by_window["week"].network_day.to_pylist()

    assert {(r["network"], *spot) for r in rows for spot in spots(r)} == {
        (r["network"], r["component"], r["sub_component"]) for r in found
    }
    assert len(found) == len({tuple(row.values()) for row in found})


@TABLES
@pytest.mark.parametrize("seed", range(3))
def test_the_months_rows_are_the_weeks_renamed(table, seed):
    """The same figures about the same people, under other names."""
    windows = usage(random_rows(seed), CUBE).by_window
    week, month = (_rows(windows["week"], table, renamed=of_month), _rows(windows["month"], table))

    assert sorted(map(str, week)) == sorted(map(str, month))
    assert windows["week"].component_day.column_names == windows["month"].component_day.column_names


@TABLES
def test_no_table_holds_pseudonyms_of_both_windows(table):
    """Week and month never meet in what is kept: neither as columns nor as values."""
    windows = usage(random_rows(5), CUBE).by_window
    week, month = ({row[KEYS[table]] for row in _rows(tables, table)} for tables in windows.values())

    assert set() == week & month
    assert [] == [
        n for tables in windows.values() for n in getattr(tables, table).column_names if "month" in n
    ]


@TABLES
@pytest.mark.parametrize("window", ["week", "month"])
def test_the_order_of_rows_is_that_of_the_windows_own_names(table, window):
    """The order of one window's rows says nothing of the other's: by its names, then the same places for everybody."""
    found = _rows(usage(random_rows(6), CUBE).by_window[window], table)
    names = [row[KEYS[table]] for row in found]
    places = [(row["component"], row["sub_component"]) for row in found]
    before = {pair for n, pair in enumerate(pairwise(places)) if names[n] == names[n + 1]}

    assert sorted(names) == names
    assert [] == [pair for pair in before if pair[::-1] in before]


@TABLES
@pytest.mark.parametrize("window", ["week", "month"])
def test_the_order_of_events_changes_no_row_and_no_place_of_a_row(table, window):
    """Running a day again changes no byte, whatever order its events come in."""
    rows = random_rows(3)
    once, again = (getattr(usage(order, CUBE).by_window[window], table) for order in (rows, rows[::-1]))

    assert once.equals(again)


def test_several_batches_of_one_visitor_are_one_visitor():
    """A day is read in pieces: its visitors come once per piece, and count once."""
    rows = random_rows(7)
    halves = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    of_parts = (pa.concat_tables(make(half) for half in halves) for make in (page_views, visitors))
    with Database() as database:
        found = usage_of_day(DAY, *of_parts, CUBE, RobotSettings(), database=database)
    whole = usage(rows, CUBE)

    assert [True] * 4 == [
        getattr(whole.by_window[window], table).equals(getattr(found.by_window[window], table))
        for window in ("week", "month")
        for table in KEYS
    ]


@pytest.mark.parametrize("window", ["week", "month"])
def test_who_behaves_like_a_robot_is_in_no_row(window):
    """Whoever asked for robots.txt is left out under either name, with the networks that nobody else came from."""
    rows = [
        event(1, 1, network=10),
        event(2, 2, network=20),
        event(3, 3, network=20),
        event(4, 3, network=30),
    ]
    asked = Counter({1: 1, 3: 2})
    name = of_month if window == "month" else int
    found = usage(rows, CUBE, requests=asked).by_window[window]

    assert {name(2): 1} == _views(found)
    assert {name(20)} == {row["network"] for row in found.network_day.to_pylist()}


def test_who_only_looks_like_a_robot_stays():
    """A rule that is set to count leaves everybody in, and is told all the same."""
    behaviour = Behaviour(**dict.fromkeys(RULES, "count"))
    found = usage(
        [event(1, 1), event(2, 2)], CUBE, requests=Counter({1: 1}), robots=RobotSettings(behaviour=behaviour)
    )

    assert {1: 1, 2: 1} == _views(found.by_window["week"])
    assert dict.fromkeys(RULES, 0) | {"asks_for_robots_txt": 1} == found.flagged


def test_the_rate_is_that_of_the_days_page_views():
    """Sixty-one pages in a minute of the clock: out; the same spread over two minutes: in."""
    rows = [event(n % 60, 1) for n in range(61)] + [event(2 * n, 2) for n in range(61)]
    found = usage(rows, CUBE)

    assert {2: 61} == _views(found.by_window["week"])
    assert dict.fromkeys(RULES, 0) | {"rate": 1} == found.flagged


def test_a_robot_that_viewed_no_page_is_flagged_and_leaves_no_row():
    """Conduct is judged by requests of every kind."""
    found = usage([event(1, 1)], CUBE, requests=Counter({9: 1}))

    assert {1: 1} == _views(found.by_window["week"])
    assert 1 == found.flagged["asks_for_robots_txt"]


@pytest.mark.parametrize("window", ["week", "month"])
def test_no_page_views_are_no_usage(window):
    """An empty day has no rows, and the columns of any other."""
    empty, some = (usage(rows, CUBE).by_window[window] for rows in ([], [event(0)]))

    assert (0, 0) == (empty.component_day.num_rows, empty.network_day.num_rows)
    assert (some.component_day.column_names, some.network_day.column_names) == (
        empty.component_day.column_names,
        empty.network_day.column_names,
    )


def test_a_day_of_robots_alone_is_no_usage():
    """Page views there are, and nobody's."""
    windows = usage([event(0), event(9)], CUBE, requests=Counter({1: 1})).by_window

    assert [0] * 4 == [getattr(tables, name).num_rows for tables in windows.values() for name in KEYS]


@TABLES
@pytest.mark.parametrize("seed", range(3))
def test_models_and_arrays_give_the_same_rows(table, seed, monkeypatch):
    """A day's size decides how it is counted, and nothing else."""
    rows, found = random_rows(seed + 20, number=900, people=40), []
    for limit in (1, 10**9):
        monkeypatch.setattr(usage_module, "LARGE_DAY", limit)
        found.append(_rows(usage(rows, CUBE).by_window["week"], table))

    assert sorted(map(str, found[0])) == sorted(map(str, found[1]))


def test_visits_of_a_person_are_counted_across_networks():
    """Who changes networks in the middle of a visit is one visitor with one visit."""
    rows = [event(0, 1, network=10), event(60, 1, network=20)]
    found = usage(rows, CUBE).by_window["week"].component_day.to_pylist()

    assert {(1, 1, 2)} == {(r["person"], r["visits"], r["page_views"]) for r in found}


def test_persons_of_one_day_are_judged_apart():
    """Many readers of one network are no robot together."""
    views = defaultdict(int)
    rows = [event(n % 60, n, network=5) for n in range(300)]
    for row in rows:
        views[row["person"]] += 1

    assert views == _views(usage(rows, CUBE).by_window["week"])
