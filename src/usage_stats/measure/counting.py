"""Page views with visits and codes → how often each person, and each network, was in each category.

What is to lie together is packed into one whole number, the most important part first: a plain sort of numbers is
several times as fast as any other. Sixty-three bits hold it for 70 million persons in a million categories. Small days
are counted by the SQL models, which say what is counted (tests/sql/test_large_days.py holds the two together).

Belongs here: which categories a page view counts in, visits and page views per person and category. Does not: what a
visit is (visited), pseudonyms of other windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from usage_stats.errors import InternalError
from usage_stats.measure.arrays import Ints, changes, distinct, numbered, runs, sorted_words
from usage_stats.measure.cube import Category, Cube, by_of, cell_of, wholes_of, written
from usage_stats.measure.visited import Visited
from usage_stats.periods import WindowKind
from usage_stats.sqlmodel import Database, run_model

__all__ = ["NETWORK_BUCKETS", "Buckets", "count_by_arrays", "count_by_models"]

# Where a table asks for persons by how often they came, their networks are told apart by so many buckets: enough for
# every threshold, and too few to know a network by.
NETWORK_BUCKETS = 1 << 16
Buckets = np.ndarray[tuple[int], np.dtype[np.uint16]]
_MOST = 1 << 63


def count_by_models(
    of: date, visited: Visited, cube: Cube, *, buckets: Mapping[WindowKind, Buckets], database: Database
) -> tuple[pa.Table, pa.Table]:
    """The rows of `usage.component_day` and `usage.network_day`, by the models."""
    rows, places = _rows_and_places(visited, cube)
    counted = {
        "person": visited.person[rows],
        "network": visited.network[rows],
        "visit_number": visited.visit[rows],
        **{f"{window}_bucket": bucket[rows] for window, bucket in buckets.items()},
        **_named(places, cube.categories),
    }
    parameters = {"event_date": of}
    inputs = {"event.counted": pa.table(counted)}
    persons, networks = (
        run_model(f"usage.{name}", inputs, parameters=parameters, database=database)
        for name in ("component_day", "network_day")
    )
    return persons, networks


def count_by_arrays(
    of: date, visited: Visited, cube: Cube, *, buckets: Mapping[WindowKind, Buckets]
) -> tuple[pa.Table, pa.Table]:
    """The same rows by sorting arrays, those of one person in the order of `cube.categories`."""
    rows, places = _rows_and_places(visited, cube)
    return _persons(of, visited, rows, places, cube, buckets), _networks(of, visited, rows, places, cube)


def _persons(
    of: date, visited: Visited, rows: Ints, places: Ints, cube: Cube, buckets: Mapping[WindowKind, Buckets]
) -> pa.Table:
    size, categories = len(cube.categories), cube.categories
    persons, person = numbered(visited.person)
    visits = int(visited.visit.max(initial=0)) + 1
    if len(persons) * size * visits >= _MOST:
        raise InternalError(
            "more persons, categories and visits in a day than numbers can tell: this is a bug"
        )
    touches = np.sort((person[rows] * size + places) * visits + visited.visit[rows])
    starts, page_views = runs(touches // visits)
    _, visits_there = runs(touches[changes(touches)] // visits)
    spots = touches[starts] // visits
    return pa.table(
        {
            "person": persons[spots // size],
            "event_date": pa.repeat(pa.scalar(of, pa.date32()), len(spots)),
            **_named(spots % size, categories),
            **{f"{w}_bucket": _smallest(b, person * size, rows, places) for w, b in buckets.items()},
            "visits": visits_there,
            "page_views": page_views,
        }
    )


def _smallest(bucket: Buckets, person: Ints, rows: Ints, places: Ints) -> pa.Array:
    """The smallest bucket of a person's networks in each category, in the order of both."""
    packed = np.sort((person[rows] + places) * NETWORK_BUCKETS + bucket[rows])
    return pa.array((packed[changes(packed // NETWORK_BUCKETS)] % NETWORK_BUCKETS).astype(np.uint16))


def _networks(of: date, visited: Visited, rows: Ints, places: Ints, cube: Cube) -> pa.Table:
    size = len(cube.categories)
    networks, network = numbered(visited.network)
    spots = distinct(network[rows] * size + places)
    return pa.table(
        {
            "network": networks[spots // size],
            "event_date": pa.repeat(pa.scalar(of, pa.date32()), len(spots)),
            **_named(spots % size, cube.categories),
        }
    )


def _rows_and_places(visited: Visited, cube: Cube) -> tuple[Ints, Ints]:
    """Each page view once per category that it counts in: its row, and the category's place."""
    rows, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]  # a day may hold nothing
    for found in _places_by_dimensions(visited, cube):
        for column in found.T:  # at most as many as components lie in one another
            counts = np.flatnonzero(column >= 0)
            rows.append(counts)
            places.append(column[counts])
    return np.concatenate(rows), np.concatenate(places)


def _places_by_dimensions(
    visited: Visited, cube: Cube
) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    """For each set of further dimensions, and for none, the places of categories that each page view counts in."""
    places = {category: n for n, category in enumerate(cube.categories)}
    known = cube.codes
    for names in dict.fromkeys(tuple(by_of(category)) for category in cube.categories):
        sizes = [len(cube.components), *(len(known[name]) for name in names)]
        columns = [visited.codes[name] for name in ("component", *names)]
        packed = np.ravel_multi_index(tuple(columns), sizes) if len(columns[0]) else np.zeros(0, np.int64)
        combinations, number = np.unique(packed, return_inverse=True)
        chosen = np.array(np.unravel_index(combinations, sizes)).T.tolist()
        found = [
            [
                places[c]
                for c in _counting_in(cube.components[component], _by(names, rest, known))
                if c in places
            ]
            for component, *rest in chosen
        ]
        yield _padded(found)[number]


def _by(names: Sequence[str], chosen: Sequence[int], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: known[name][place] for name, place in zip(names, chosen, strict=True)}


def _counting_in(component: Category, by: Mapping[str, str]) -> Iterator[Category]:
    """The category of a component and further codes, and those of the wholes that the component lies in."""
    for whole in (component, *wholes_of(component)):
        yield cell_of(whole, by)


def _padded(lists: Sequence[Sequence[int]]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Lists of different lengths as a matrix; -1 where one is short."""
    matrix = np.full((len(lists), max(map(len, lists), default=0)), -1)
    for row, some in zip(matrix, lists, strict=True):
        row[: len(some)] = some
    return matrix


def _named(places: Ints, categories: Sequence[Category]) -> dict[str, pa.Array]:
    """The names of categories by their places."""
    taken = pa.array(places.astype(np.int32))
    columns = zip(*map(written, categories), strict=True)
    names = ("component", "sub_component", "further")
    return {
        name: sorted_words(pa.DictionaryArray.from_arrays(taken, pa.array(column, pa.string())))
        for name, column in zip(names, columns, strict=True)
    }
