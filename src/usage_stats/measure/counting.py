"""A large day's page views → the rows of `usage.component_day` and `usage.network_day`, by sorting arrays.

The SQL models say what is counted; this counts the same at a fraction of the cost (tests/sql/test_usage_of_day.py
holds the two together). What is to lie together is packed into one whole number, the most important part first: a
plain sort of numbers is several times as fast as any other. Sixty-three bits hold it for 70 million persons in a
million categories.

Belongs here: visits, page views and who made them, per person and category. Does not: pseudonyms of other windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from usage_stats.config import OTHER, TOTAL
from usage_stats.measure.arrays import (
    Ints,
    changes,
    codes,
    distinct,
    numbered,
    runs,
    seconds,
    sorted_words,
    words,
)
from usage_stats.measure.table_spec import Category, Cube

__all__ = ["count_networks", "count_persons", "place"]

_SECONDS = 1 << 17  # more than the 25 hours of a day on which clocks are set back


def place(page_views: pa.Table, cube: Cube) -> Ints:
    """Per page view the innermost category that it counts in, by its place in `cube.categories`.

    Rules may have changed since the line was read: what the cube does not know goes to `(other)`.
    """
    component, sub = (words(page_views[name]) for name in ("component", "sub_component"))
    parts = [*sub.dictionary.to_pylist(), None]  # the last stands for none, whose code is -1
    pairs = codes(component) * len(parts) + codes(sub) % len(parts)
    categories = cube.categories
    innermost: Ints = np.full(len(component.dictionary) * len(parts), -1)
    for pair in np.flatnonzero(np.bincount(pairs)).tolist():
        name = component.dictionary[pair // len(parts)].as_py()
        innermost[pair] = categories.index(_innermost(categories, name, parts[pair % len(parts)]))
    places: Ints = innermost[pairs]
    return places


def count_persons(
    of: date, page_views: pa.Table, places: Ints, categories: Sequence[Category], gap: timedelta
) -> pa.Table:
    """The rows of `usage.component_day`, by person."""
    size = len(categories)
    persons, person = numbered(page_views["person"].to_numpy())
    at = seconds(page_views["viewed_at"])
    second = at - (at.min() if len(at) else 0)
    in_order = np.sort((person * _SECONDS + second) * size + places)
    person, second, places = in_order // (size * _SECONDS), in_order // size % _SECONDS, in_order % size
    visit = _visits(person, second, gap)
    touches = np.sort(_in_each_category(person * (size * _SECONDS) + visit, places, categories, _SECONDS))
    starts, page_views_there = runs(touches // _SECONDS)
    _, visits_there = runs(touches[changes(touches)] // _SECONDS)
    spots = touches[starts] // _SECONDS
    return pa.table(
        {
            "person": persons[spots // size],
            **_described(of, spots % size, categories),
            "visits": visits_there,
            "page_views": page_views_there,
        }
    )


def count_networks(of: date, page_views: pa.Table, places: Ints, categories: Sequence[Category]) -> pa.Table:
    """The rows of `usage.network_day`, by network."""
    size = len(categories)
    networks, network = numbered(page_views["network"].to_numpy())
    spots = distinct(_in_each_category(network * size, places, categories, 1))
    return pa.table({"network": networks[spots // size], **_described(of, spots % size, categories)})


def _innermost(categories: Sequence[Category], component: str, sub: str | None) -> Category:
    whole = (component if (component, TOTAL) in categories else OTHER, TOTAL)
    candidates = [(whole[0], name) for name in (sub, OTHER) if name]
    return next((category for category in candidates if category in categories), whole)


def _visits(person: Ints, second: Ints, gap: timedelta) -> Ints:
    """Per page view, in order, the second in which its visit opened: it tells the visits of a person apart."""
    opens = changes(person)
    opens[1:] |= second[1:] - second[:-1] > gap.total_seconds()
    opened: Ints = second[opens][np.cumsum(opens) - 1]
    return opened


def _in_each_category(numbers: Ints, places: Ints, categories: Sequence[Category], step: int) -> Ints:
    """Each page view's number once per category that it counts in, plus `step` for each category passed over: in the
    total, which is the first category, in its component, and in its sub-component if it has one.
    """
    whole = np.array([categories.index((component, TOTAL)) for component, _ in categories])[places]
    is_part = whole != places
    return np.concatenate([numbers, numbers + whole * step, (numbers + places * step)[is_part]])


def _described(of: date, category: Ints, categories: Sequence[Category]) -> dict[str, pa.Array]:
    """The day and the names of categories by their places."""
    places = pa.array(category.astype(np.int32))
    names = [pa.array(column, pa.string()) for column in zip(*categories, strict=True)]
    component, sub = (sorted_words(pa.DictionaryArray.from_arrays(places, column)) for column in names)
    return {
        "event_date": pa.repeat(pa.scalar(of, pa.date32()), len(category)),
        "component": component,
        "sub_component": sub,
    }
