"""Usage and conduct of large days, counted by arrays, against the models that define them."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invented_events import CATEGORIES, DAY, event, page_views, visitors

from usage_stats.dimensions import DIMENSIONS
from usage_stats.errors import InternalError
from usage_stats.measure import usage as usage_module
from usage_stats.measure.conduct_counting import judge_day
from usage_stats.measure.cube import Cube, cube_from
from usage_stats.measure.table_spec import Breakdown, further_categories
from usage_stats.measure.usage import usage_of_day
from usage_stats.robot_settings import RobotSettings
from usage_stats.schemas import VISITORS
from usage_stats.sqlmodel import Database, run_model

CUBE = cube_from(CATEGORIES, ("day",))
CODES = {name: DIMENSIONS[name].codes for name in ("hour", "visit_depth")} | {
    "exit_component": ("shop", "news", "(other)")
}
TOLD_APART = [Breakdown(2, ("hour",)), Breakdown(1, ("exit_component", "visit_depth"))]
MORE = Cube(CUBE.parts_of, CUBE.periods, further_categories(CUBE, TOLD_APART, CODES))
KEYS = {"component_day": "person", "network_day": "network"}
# Some that the cube does not know, any more or not yet.
PLACES = [
    *[("shop", "basket"), ("shop", "(other)"), ("news", None), ("(other)", None)],
    *[("shop", None), ("shop", "former part"), ("news", "basket"), ("former", None), ("former", "part")],
]
PSEUDONYMS = st.sampled_from([0, 2**63 - 1, 2**63, 2**64 - 1])  # few, so that they meet again and again
SECONDS = st.one_of(st.sampled_from([0, 1799, 1800, 1801, 3600, 3601]), st.integers(0, 82_799))
VIEWS = st.lists(st.builds(event, SECONDS, PSEUDONYMS, network=PSEUDONYMS, place=st.sampled_from(PLACES)))
ASKED = st.dictionaries(PSEUDONYMS, st.integers(1, 3), max_size=2)  # for robots.txt: left out
ROBOTS = RobotSettings(maximum_rate=2, without_assets_from=2, error_share_from=2)
LIMITS = ("maximum_rate", "without_assets_from", "error_share_from", "maximum_error_share")
COUNT = st.integers(0, 2)
VISITOR_ROWS = st.lists(
    st.fixed_dictionaries(
        {name: PSEUDONYMS for name in VISITORS.names if VISITORS.field(name).type == "uint64"}
        | {name: COUNT for name in VISITORS.names if VISITORS.field(name).type == "int32"}
        | {"identity_basis": st.just("cookie")}
    )
)


def _visitor(person, views, assets):
    """A row of a visitor who asked for pages and what belongs to them."""
    counts = {
        "requests": views + assets,
        "page_views": views,
        "assets": assets,
        "errors": 0,
        "asks_robots_txt": 0,
    }
    names = dict.fromkeys(("person", "network", "month_person", "month_network"), person)
    return names | counts | {"identity_basis": "cookie"}


@pytest.fixture(scope="module")
def database():
    """One for all examples."""
    with Database() as opened:
        yield opened


def _usage(views, who, database, *, limit, cube=CUBE):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usage_module, "LARGE_DAY", limit)
        return usage_of_day(DAY, views, who, cube, ROBOTS, database=database)


def _in_order(table, key):
    """Rows as values, those of one pseudonym in the order of places; the pseudonyms as they lie."""
    rows = table.to_pylist()
    assert [row[key] for row in rows] == sorted(row[key] for row in rows)
    return sorted(rows, key=lambda row: (row[key], row["component"], row["sub_component"], row["further"]))


@settings(deadline=None, max_examples=50)  # models take their time on a busy machine
@given(rows=VIEWS, asked=ASKED, cube=st.sampled_from([CUBE, MORE]))
@example(rows=[event(0), event(1800), event(3601)], asked={}, cube=MORE)  # two visits: half an hour ends none
def test_arrays_and_models_give_the_same_usage(database, rows, asked, cube):
    """Whatever people, seconds and places: both windows, every column, robots left out, flags and order."""
    views, who = page_views(rows), visitors(rows, requests=asked)
    large, small = (_usage(views, who, database, limit=limit, cube=cube) for limit in (0, 10**9))

    assert small.flagged == large.flagged
    for window, tables in small.by_window.items():
        for name, key in KEYS.items():
            expected, found = (getattr(usage, name) for usage in (tables, large.by_window[window]))

            assert expected.column_names == found.column_names
            assert _in_order(expected, key) == _in_order(found, key)


@settings(deadline=None, max_examples=50)
@example(
    rows=[_visitor(1, 2, 0), _visitor(2, 1, 1), _visitor(3, 1, 1)], moments=[]
)  # two of three load assets
@given(rows=VISITOR_ROWS, moments=st.lists(st.tuples(st.integers(0, 180), st.integers(0, 1000))))
def test_arrays_and_the_model_judge_conduct_alike(database, rows, moments):
    """Whatever visitors asked for, in several rows each, and however fast they viewed pages."""
    persons = [row["person"] for row in rows]
    views = page_views([event(second, persons[n % len(persons)]) for second, n in moments if persons])
    who = pa.Table.from_pylist(rows, VISITORS)
    inputs = {"event.conduct": _dated(who), "event.page_view": _dated(views)}
    limits = {name: getattr(ROBOTS, name) for name in LIMITS}
    expected = run_model("event.conduct_day", inputs, parameters=limits, database=database)

    assert expected.to_pylist() == judge_day(DAY, who, views, ROBOTS).to_pylist()


def _dated(table):
    return table.append_column("event_date", pa.repeat(pa.scalar(DAY, pa.date32()), len(table)))


def test_page_views_of_nobody_are_an_error_of_ours():
    """Whoever is no visitor has no name in the month: refused, and not counted as one without a name."""
    who = visitors([event(0, 1), event(0, 3)])
    for limit in (0, 10**9):
        with (
            Database() as database,
            pytest.raises(InternalError, match="somebody who is no visitor") as error,
        ):
            _usage(page_views([event(0, 2)]), who, database, limit=limit)

        assert "2" not in str(error.value)
