"""Usage of a day broken down further, by models and by arrays, against plain Python."""

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_events import DAY, UTC_ZONE, event, page_views, visitors

from usage_stats.config import Config
from usage_stats.measure import usage as usage_module
from usage_stats.measure.cube import by_of, written
from usage_stats.measure.table_spec import cube_of
from usage_stats.measure.usage import usage_of_day
from usage_stats.measure.visited import visited_by_arrays
from usage_stats.robot_settings import RobotSettings
from usage_stats.sqlmodel import Database

COMPONENTS = [
    {
        "name": "shop",
        "paths": ["/s"],
        "sub_components": [
            {"name": "guides", "paths": ["/g"], "sub_components": [{"name": "install", "paths": ["/i"]}]}
        ],
    },
    {"name": "news", "paths": ["/n"]},
]
TABLES = {
    "a": {"dimensions": ["component", "country", "device"]},
    "b": {"dimensions": ["component", "sub_component", "hour"]},
    "c": {"dimensions": ["visit_depth", "entry_component"]},
    "d": {"dimensions": ["component", "visit_duration", "visitor_type"]},
}
CUBE = cube_of(
    Config(site="s", components=COMPONENTS, tables=TABLES, country_table="c.mmdb", countries=["FR", "DE"])
)
PLACES = [
    ("shop", "guides/install"),
    ("shop", "guides"),
    ("shop", "former"),
    ("news", None),
    ("former", None),
]
PSEUDONYMS = st.sampled_from([0, 65_536, 65_537, 2**63, 2**64 - 1])  # two of them in one bucket with others
ROWS = st.lists(
    st.builds(
        lambda *args, network, place, **said: event(*args, network=network, place=place) | said,
        st.one_of(st.sampled_from([0, 9, 1800, 3601]), st.integers(0, 82_799)),
        PSEUDONYMS,
        network=PSEUDONYMS,
        place=st.sampled_from(PLACES),
        country=st.sampled_from(["FR", "DE", "AT", None]),
        device=st.sampled_from(["phone", "desktop"]),
    ),
    max_size=20,
)
# Nobody is a robot here.
ROBOTS = RobotSettings(maximum_rate=10**6, without_assets_from=10**6, error_share_from=10**6)


@pytest.fixture(scope="module")
def database():
    """One for all examples."""
    with Database() as opened:
        yield opened


def _counts_in(place, by):
    """The categories that a page view counts in: all that say nothing else of it."""
    component, path = place
    return [
        category
        for category in CUBE.categories
        if category[0] in {"_T", component}
        and (category[1] in {"_T", path} or path.startswith(f"{category[1]}/"))
        and by_of(category).items() <= by.items()
    ]


def _views(table):
    """Person, network, visit and categories of each page view."""
    visited = visited_by_arrays(table, pa.chunked_array([pa.array([], pa.uint64())]), CUBE, UTC_ZONE)
    names = [name for name in visited.codes if name != "component"]
    for n, place in enumerate(visited.codes["component"].tolist()):
        by = {name: CUBE.codes[name][visited.codes[name][n]] for name in names}
        who = (int(visited.person[n]), int(visited.network[n]), int(visited.visit[n]))
        yield *who, _counts_in(CUBE.components[place], by)


def _by_hand(table, buckets):
    visits, views, in_buckets, networks = defaultdict(set), defaultdict(int), defaultdict(set), set()
    for person, network, visit, categories in _views(table):
        for category in map(written, categories):
            visits[person, category].add(visit)
            views[person, category] += 1
            in_buckets[person, category].add(network % buckets)
            networks.add((network, category))
    persons = {key: (min(in_buckets[key]), len(visits[key]), views[key]) for key in views}
    return persons, networks


def _told(row):
    return row["component"], row["sub_component"], row["further"]


@settings(deadline=None, max_examples=40)  # models take their time on a busy machine
@given(rows=ROWS, with_buckets=st.booleans())
def test_usage_is_broken_down_as_by_hand(database, rows, with_buckets):
    """Each page view counts in every category that says nothing else of it: by persons, and by networks apart."""
    table = page_views(rows)
    persons, networks = _by_hand(table, 65_536 if with_buckets else 1)
    for limit in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(usage_module, "LARGE_DAY", limit)
            of_day = usage_of_day(
                *(DAY, table, visitors(rows), CUBE, ROBOTS), database=database, with_buckets=with_buckets
            )
        found = of_day.by_window["week"]
        counted = {
            (row["person"], _told(row)): (row["network_bucket"], row["visits"], row["page_views"])
            for row in found.component_day.to_pylist()
        }

        assert persons == counted
        assert len(persons) == len(found.component_day)
        assert networks == {(row["network"], _told(row)) for row in found.network_day.to_pylist()}
        assert len(networks) == len(found.network_day)


def test_nothing_tells_of_networks_by_person_where_no_table_asks(database):
    """Without such a table every bucket is the same."""
    rows = [event(n, n, network=n) | {"country": "DE", "device": "phone"} for n in range(5)]
    of_day = usage_of_day(DAY, page_views(rows), visitors(rows), CUBE, ROBOTS, database=database)

    assert {0} == set(of_day.by_window["week"].component_day["network_bucket"].to_pylist())
    assert {0} == set(of_day.by_window["month"].component_day["network_bucket"].to_pylist())
