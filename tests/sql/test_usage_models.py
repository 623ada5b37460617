"""event.visited, usage.component_day and usage.network_day against plain Python."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from invented_events import DAY, UTC_ZONE, event, page_views, random_rows, spots

from usage_stats.errors import SchemaError
from usage_stats.measure.counting import count_by_models
from usage_stats.measure.cube import Cube
from usage_stats.measure.visited import visited_by_model
from usage_stats.sqlmodel import Database, run_model

HALF_AN_HOUR = 1800
CUBE = Cube(
    parts_of=(
        (("_T", "_T"), (("shop", "_T"), ("news", "_T"), ("(other)", "_T"))),
        (("shop", "_T"), (("shop", "basket"), ("shop", "(other)"))),
    ),
    periods=("day",),
)


def _visited(rows, database, *, excluded=()):
    """Run event.visited; `excluded` are persons."""
    left_out = pa.chunked_array([pa.array(excluded, pa.uint64())])
    return visited_by_model(page_views(rows), left_out, CUBE, UTC_ZONE, database)


def _usage(rows):
    buckets = dict.fromkeys(("week", "month"), np.zeros(len(rows), np.uint16))
    with Database() as database:
        return count_by_models(DAY, _visited(rows, database), CUBE, buckets=buckets, database=database)


def _component_day(rows):
    return {
        (r["person"], r["event_date"], r["component"], r["sub_component"]): (r["visits"], r["page_views"])
        for r in _usage(rows)[0].to_pylist()
    }


def _visits_of_site(rows):
    return {person: visits for (person, _, c, _), (visits, _) in _component_day(rows).items() if c == "_T"}


def _counted(rows):
    """The same by hand: number the visits of each person, then collect them by spot."""
    visits, views = defaultdict(set), defaultdict(int)
    for (person, day), mine in _by(rows, "person", "event_date").items():
        mine.sort(key=lambda row: row["viewed_at"])
        opens = [0, *(b["viewed_at"] - a["viewed_at"] > timedelta(minutes=30) for a, b in pairwise(mine))]
        for index, row in enumerate(mine):
            for spot in spots(row):
                visits[person, day, *spot].add(sum(opens[: index + 1]))
                views[person, day, *spot] += 1
    return {key: (len(visits[key]), views[key]) for key in views}


def _by(rows, *names):
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


@pytest.mark.parametrize("seed", range(6))
def test_usage_is_what_counting_by_hand_gives(seed):
    """One row per person, day and place, totals included: visits by pauses, page views by number."""
    rows = random_rows(seed)

    assert _counted(rows) == _component_day(rows)


@pytest.mark.parametrize(("pause", "visits"), [(0, 1), (1, 1), (1799, 1), (1800, 1), (1801, 2), (7200, 2)])
def test_visit_ends_after_more_than_thirty_minutes(pause, visits):
    """A pause of exactly half an hour is still the same visit; one second more is not."""
    rows = [event(100), event(100 + pause)]

    assert {1: visits} == _visits_of_site(rows)


def test_many_short_pauses_are_one_visit_however_long():
    """A visit has no greatest length: each pause counts from the page view before."""
    rows = [event(n * HALF_AN_HOUR) for n in range(20)]

    assert {1: 1} == _visits_of_site(rows)


def test_page_views_of_one_second_are_one_visit_in_any_order():
    """Ties after a long pause open one visit, not one each, wherever they were."""
    places = [("news", None), ("shop", "basket"), ("(other)", None)]
    rows = [event(0), *(event(5000, place=place) for place in places)]
    found = [_component_day(rows[::step]) for step in (1, -1)]

    assert found[0] == found[1] == _counted(rows)
    assert {1: 2} == _visits_of_site(rows)


def test_visit_is_counted_in_every_place_it_touches():
    """Visits do not add up over places: one visit to two places is one visit of the site."""
    rows = [
        event(0, place=("news", None)),
        event(10, place=("shop", "basket")),
        event(20, place=("news", None)),
    ]
    found = {key[2:]: value for key, value in _component_day(rows).items()}

    expected = {
        ("_T", "_T"): (1, 3),
        ("news", "_T"): (1, 2),
        ("shop", "_T"): (1, 1),
        ("shop", "basket"): (1, 1),
    }

    assert expected == found


def test_pause_elsewhere_on_the_site_is_no_pause():
    """Half an hour of news between two looks at the shop is one visit of the shop, too."""
    seconds = {"news": [900, 1800, 2700, 3600], "shop": [0, 4000]}
    rows = [event(s, place=(name, None)) for name, marks in seconds.items() for s in marks]
    found = {key[2]: value[0] for key, value in _component_day(rows).items()}

    assert {"_T": 1, "news": 1, "shop": 1} == found


def test_persons_do_not_prolong_each_others_visits():
    """Pauses are counted per person."""
    rows = [event(0, 1), event(1700, 2), event(3400, 1), event(3450, 2)]

    assert {1: 2, 2: 1} == _visits_of_site(rows)


def test_component_without_sub_components_has_its_total_only():
    """No row stands for "no sub-component": the component's row is the total."""
    found = {key[2:] for key in _component_day([event(0)])}

    assert {("_T", "_T"), ("news", "_T")} == found


@pytest.mark.parametrize("seed", range(3))
def test_networks_of_a_day_are_what_counting_by_hand_gives(seed):
    """One row per network, day and place, totals included; nothing tells which person it was."""
    rows = random_rows(seed)
    table = _usage(rows)[1]

    expected = {(row["network"], DAY, *spot, "") for row in rows for spot in spots(row)}

    assert expected == {tuple(row.values()) for row in table.to_pylist()}
    assert len(expected) == table.num_rows
    assert "person" not in table.column_names


def _places(rows, *, excluded=()):
    """(person, component, sub_component) of each page view, as the models have them."""
    with Database() as database:
        visited = _visited(rows, database, excluded=excluded)
    places = [CUBE.components[place] for place in visited.codes["component"].tolist()]
    return sorted((person, *place) for person, place in zip(visited.person.tolist(), places, strict=True))


def test_events_of_places_no_longer_known_are_counted_as_other():
    """Rules may change between reading and sealing: nothing is lost, nothing gets a row of its own."""
    asked = [
        (("shop", "basket"), ("shop", "basket")),
        (("shop", "former part"), ("shop", "(other)")),
        (("shop", None), ("shop", "(other)")),
        (("news", "former part"), ("news", "_T")),
        (("former", "part"), ("(other)", "_T")),
        (("(other)", None), ("(other)", "_T")),
    ]
    rows = [event(n, n, place=read) for n, (read, _) in enumerate(asked)]

    assert [(n, *place) for n, (_, place) in enumerate(asked)] == _places(rows)


@pytest.mark.parametrize("seed", range(2))
def test_placing_changes_nothing_but_places_that_are_not_known(seed):
    """Every page view stays one row, of the same person and place."""
    rows = random_rows(seed)

    assert sorted((r["person"], r["component"], r["sub_component"] or "_T") for r in rows) == _places(rows)


@pytest.mark.parametrize("excluded", [[], [2**64 - 50], [2**64 - 50, 2**64 - 41, 7]])
def test_page_views_of_the_excluded_are_left_out_and_no_others(excluded):
    """Who is a robot views no page; the sharpest neighbours in 64 bits are other people."""
    rows = random_rows(4)
    expected = sorted(r["person"] for r in rows if r["person"] not in excluded)

    assert expected == [person for person, *_ in _places(rows, excluded=excluded)]


def test_a_missing_gap_is_an_error_of_ours():
    """The model takes its pause as a parameter; without one it does not run."""
    nobody = pa.table({"person": pa.array([], pa.uint64())})
    with pytest.raises(SchemaError, match=r"event\.visited"):
        run_model("event.visited", {"event.page_view": page_views([event(0)]), "event.excluded": nobody})
