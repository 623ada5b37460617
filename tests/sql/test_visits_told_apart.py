"""What is said of a whole visit, by event.visited and by arrays, against plain Python."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invented_events import MIDNIGHT, event, page_views

from usage_stats.config import Config
from usage_stats.dimensions import DIMENSIONS, EVENT_ATTRIBUTES
from usage_stats.measure.table_spec import codes_of, cube_of
from usage_stats.measure.visited import visited_by_arrays, visited_by_model
from usage_stats.sqlmodel import Database

NAMES = ("hour", *EVENT_ATTRIBUTES, "entry_component", "exit_component", "visit_depth", "visit_duration")
COMPONENTS = [
    {
        "name": "shop",
        "paths": ["/s"],
        "sub_components": [
            {"name": "guides", "paths": ["/g"], "sub_components": [{"name": "install", "paths": ["/i"]}]}
        ],
    },
    {"name": "news", "paths": ["/n"]},
    {"name": "News 24", "paths": ["/m"]},  # before "news" by its bytes, after it by the settings
]
CONFIG = Config(
    site="s",
    components=COMPONENTS,
    tables={name.replace("_", "-"): {"dimensions": [name]} for name in NAMES},
    country_table="c.mmdb",
    countries=["FR", "DE"],  # not in the order of their spelling
    customer_groups={"accounts": "a.csv", "names": ["silver", "gold"]},
)
CUBE, CODES = cube_of(CONFIG), codes_of(CONFIG)
NOBODY = pa.chunked_array([pa.array([], pa.uint64())])
PLACES = [
    ("shop", "guides/install"),
    ("shop", "former"),
    ("news", None),
    ("News 24", None),
    ("(other)", None),
]
SPOKEN = {  # what page views say, former codes and none among them
    "referrer": ["search", "direct", "internal", None],
    "browser": ["Safari", "Chrome", "former"],
    "device": ["phone", "desktop", None],
    "country": ["FR", "DE", "AT", "unknown", None],
    "customer_group": ["silver", "gold", "(none)", "former"],
}
SECONDS = st.one_of(
    st.sampled_from([0, 9, 10, 59, 60, 180, 600, 1799, 1800, 1801, 3600, 3601]), st.integers(0, 82_799)
)


def _row(second, person=1, place=PLACES[2], **said):
    return event(second, person, place=place) | dict.fromkeys(SPOKEN) | said


ROWS = st.lists(
    st.builds(
        _row,
        SECONDS,
        st.sampled_from([0, 7, 2**64 - 1]),
        st.sampled_from(PLACES),
        **{name: st.sampled_from(words) for name, words in SPOKEN.items()},
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def database():
    """One for all examples."""
    with Database() as opened:
        yield opened


def _told(visited):
    """Per page view: person, component, and its code of every dimension."""
    places = [CUBE.components[place] for place in visited.codes["component"].tolist()]
    codes = {name: [CODES[name][n] for n in visited.codes[name].tolist()] for name in NAMES}
    return sorted(zip(visited.person.tolist(), places, *(codes[name] for name in NAMES), strict=True))


def _by_hand(rows, zone):
    """The same from the definitions: visits by pauses, codes by the first second's smallest spelling."""
    return sorted(
        (row["person"], _component(row), _hour(row, zone), *(said[name] for name in NAMES[1:]))
        for visit in _visits(rows)
        for said in [_said(visit)]
        for row in visit
    )


def _visits(rows):
    visits = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["viewed_at"]):
        mine = visits[row["person"]]
        if not mine or row["viewed_at"] - mine[-1][-1]["viewed_at"] > timedelta(minutes=30):
            mine.append([])
        mine[-1].append(row)
    return [visit for mine in visits.values() for visit in mine]


def _said(visit):
    moments = [row["viewed_at"] for row in visit]
    first = [row for row in visit if row["viewed_at"] == min(moments)]
    last = [row for row in visit if row["viewed_at"] == max(moments)]
    lasted = int((max(moments) - min(moments)).total_seconds())
    said = {name: _smallest(_code(name, row[name]) for row in first) for name in SPOKEN}
    return said | {
        "entry_component": _smallest(row["component"] for row in first),
        "exit_component": _smallest(row["component"] for row in last),
        "visit_depth": _bin("visit_depth", len(visit)),
        "visit_duration": _bin("visit_duration", lasted),
    }


def _smallest(words):
    return min(words, key=str.encode)


def _code(name, word):
    if word in CODES[name]:
        return word
    return "(other)" if name == "country" and word else CODES[name][-1]


def _bin(name, value):
    return [
        code for code, low in zip(DIMENSIONS[name].codes, DIMENSIONS[name].bins, strict=True) if low <= value
    ][-1]


def _hour(row, zone):
    return f"{row['viewed_at'].astimezone(zone).hour:02}"


def _component(row):
    known = {("shop", "guides/install"), ("news", None), ("News 24", None), ("(other)", None)}
    component, sub = row["component"], row["sub_component"]
    return (component, sub or "_T") if (component, sub) in known else (component, "(other)")


ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe")]


@settings(deadline=None, max_examples=60)  # models take their time on a busy machine
@given(rows=ROWS, zone=st.sampled_from(ZONES))
@example(  # nothing hangs on the order of lines: within one second, each attribute's smallest by itself
    rows=[
        _row(0, place=("news", None), device="phone", country="DE"),
        _row(0, place=("News 24", None), device="desktop", country="FR"),
    ],
    zone=ZONES[0],
)
def test_visits_are_told_apart_as_by_hand(database, rows, zone):
    """Whatever pauses, ties, places and words: the model and the arrays say of each visit what its definition says."""
    table, expected = page_views(rows), _by_hand(rows, zone)

    assert expected == _told(visited_by_model(table, NOBODY, CUBE, zone, database))
    assert expected == _told(visited_by_arrays(table, NOBODY, CUBE, zone))


@pytest.mark.parametrize("seed", range(3))
def test_no_code_hangs_on_the_order_of_lines(database, seed):
    """Lines in another order, the same visits."""
    rng = random.Random(seed)
    rows = [
        _row(
            rng.choice([0, 0, 5, 4000]),
            n % 3,
            rng.choice(PLACES),
            **{k: rng.choice(w) for k, w in SPOKEN.items()},
        )
        for n in range(40)
    ]
    tables = [page_views(rng.sample(rows, len(rows))) for _ in range(3)]
    found = [_told(visited_by_arrays(table, NOBODY, CUBE, ZONES[0])) for table in tables]
    found += [_told(visited_by_model(table, NOBODY, CUBE, ZONES[0], database)) for table in tables]

    assert [found[0]] * 6 == found


@pytest.mark.parametrize(
    ("seconds", "depth", "duration"),
    [
        ([0], "1", "under 10 s"),
        ([0, 9], "2", "under 10 s"),
        ([0, 10], "2", "10 s to 1 min"),
        ([0, 30, 60], "3 to 4", "1 min to 3 min"),
        ([0, 60, 120, 180], "3 to 4", "3 min to 10 min"),
        ([0, 100, 200, 300, 600], "5 to 9", "10 min to 30 min"),
        ([n * 180 for n in range(11)], "10 to 19", "30 min or more"),
        ([n * 1800 for n in range(20)], "20 or more", "30 min or more"),
    ],
)
def test_depth_and_duration_are_the_bins_of_the_whole_visit(seconds, depth, duration):
    """A bin begins with its lower end: exactly ten seconds are no longer under ten."""
    told = _told(visited_by_arrays(page_views([_row(s) for s in seconds]), NOBODY, CUBE, ZONES[0]))

    assert {(depth, duration)} == {row[-2:] for row in told}


def test_depth_is_of_the_whole_site_and_ends_are_of_the_whole_visit():
    """All page views of a visit say the same, in whichever component they are."""
    rows = [_row(0, place=("shop", "guides/install")), _row(9, place=("(other)", None)), _row(99)]
    told = _told(visited_by_arrays(page_views(rows), NOBODY, CUBE, ZONES[0]))

    assert {("shop", "news", "3 to 4", "1 min to 3 min")} == {row[-4:] for row in told}


def test_an_hour_that_comes_twice_is_one_code():
    """Clocks are set back: both hours of two o'clock are 02; on a day on which they are set on, no view is."""
    autumn, of = datetime(2026, 10, 24, 22, tzinfo=UTC), date(2026, 10, 25)
    moments = [autumn + timedelta(minutes=15 * n) for n in range(25 * 4)]
    rows = [_row(0, n) | {"viewed_at": at, "event_date": of} for n, at in enumerate(moments)]
    found = _told(visited_by_arrays(page_views(rows), NOBODY, CUBE, ZoneInfo("Europe/Berlin")))
    hours = [row[2] for row in found]
    in_spring = [_row(900 * n, n) for n in range(23 * 4)]  # the 29th of March, from MIDNIGHT
    spring = _told(visited_by_arrays(page_views(in_spring), NOBODY, CUBE, ZoneInfo("Europe/Berlin")))

    assert (8, {4, 8}) == (hours.count("02"), {hours.count(f"{h:02}") for h in range(24)})
    assert {f"{h:02}" for h in range(24)} - {"02"} == {row[2] for row in spring}
    assert MIDNIGHT.astimezone(ZoneInfo("Europe/Berlin")).hour == 0
