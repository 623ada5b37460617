"""A large day's page views → the rows of `usage.component_day` and `usage.network_day`, by sorting arrays.

The SQL models say what is counted; this counts the same, and halves the cost of a large day
(tests/sql/test_usage_of_day.py holds the two together).

Belongs here: visits, page views and who made them, per person and category. Does not: pseudonyms of other windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from usage_stats.config import OTHER, TOTAL
from usage_stats.measure.table_spec import Category, Cube

__all__ = ["count_networks", "count_persons", "place"]

_LONGEST_DAY = 1 << 17  # seconds, more than the 25 hours on which clocks are set back
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


def place(page_views: pa.Table, cube: Cube) -> tuple[Ints, Ints]:
    """Per page view the places in `cube.categories` of its component and of its sub-component (-1: it has none).

    Rules may have changed since the line was read: what the cube does not know goes to `(other)`.
    """
    component, sub = (_dictionary(page_views[name]) for name in ("component", "sub_component"))
    codes = _codes(component) * (len(sub.dictionary) + 1) + _codes(sub) + 1
    distinct, places = np.unique(codes, return_inverse=True)
    names = [*sub.dictionary.to_pylist(), None]
    whole = component.dictionary.to_pylist()
    found = [_places(cube, whole[c // len(names)], names[c % len(names) - 1]) for c in distinct.tolist()]
    of_component, of_sub = np.array(found, np.int64).reshape(-1, 2).T
    return of_component[places], of_sub[places]


def count_persons(
    of: date, page_views: pa.Table, placed: tuple[Ints, Ints], categories: Sequence[Category], gap: timedelta
) -> pa.Table:
    """The rows of `usage.component_day`, by person."""
    persons, who = _numbered(page_views["person"].to_numpy())
    at = page_views["viewed_at"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy()
    order = np.argsort(who * _LONGEST_DAY + at - at.min()) if len(at) else np.empty(0, np.int64)
    who, at, component, sub = who[order], at[order], placed[0][order], placed[1][order]
    opens = np.ones(len(at), np.bool_)
    opens[1:] = (who[1:] != who[:-1]) | (at[1:] - at[:-1] > gap.total_seconds())
    visit: Ints = np.cumsum(opens).astype(np.int64)
    has_sub = sub >= 0
    everywhere = np.zeros(len(who), np.int64)  # the total is the first category
    parts = [
        _spots(who, everywhere, visit),
        _spots(who, component, visit),
        _spots(who[has_sub], sub[has_sub], visit[has_sub]),
    ]
    who, category, visits, views = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(who, kind="stable")
    return pa.table(
        {
            "person": persons[who[order]],
            **_described(of, category[order], categories),
            "visits": visits[order],
            "page_views": views[order],
        }
    )


def count_networks(
    of: date, page_views: pa.Table, placed: tuple[Ints, Ints], categories: Sequence[Category]
) -> pa.Table:
    """The rows of `usage.network_day`, by network."""
    networks, which = _numbered(page_views["network"].to_numpy())
    component, sub = placed
    size = len(categories)
    keys = [which * size, which * size + component, (which * size + sub)[sub >= 0]]
    distinct = np.sort(np.concatenate([_distinct(key) for key in keys]))
    return pa.table({"network": networks[distinct // size], **_described(of, distinct % size, categories)})


def _places(cube: Cube, component: str, sub: str | None) -> tuple[int, int]:
    categories = cube.categories
    whole = (component if (component, TOTAL) in categories else OTHER, TOTAL)
    part = (whole[0], sub if (whole[0], sub) in categories else OTHER)
    return categories.index(whole), categories.index(part) if part in categories else -1


def _spots(who: Ints, category: Ints, visit: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Per person and category: visits that touched it, and page views. `visit` ascends with `who`."""
    if not len(who):
        return who, category, visit, visit
    width = int(category.max()) + 1
    key = who * width + category
    order = np.argsort(key, kind="stable")
    key, visit = key[order], visit[order]
    is_first = _changes(key)
    touches = is_first.copy()
    touches[1:] |= visit[1:] != visit[:-1]
    starts = np.flatnonzero(is_first)
    visits = np.add.reduceat(touches.astype(np.int64), starts)
    views = np.diff(np.append(starts, len(key)))
    return key[starts] // width, key[starts] % width, visits, views


def _described(of: date, category: Ints, categories: Sequence[Category]) -> dict[str, pa.Array]:
    """The day and the names of categories by their places."""
    places = pa.array(category.astype(np.int32))
    names = [pa.array(column, pa.string()) for column in zip(*categories, strict=True)]
    component, sub = (pa.DictionaryArray.from_arrays(places, column) for column in names)
    return {
        "event_date": pa.repeat(pa.scalar(of, pa.date32()), len(category)),
        "component": _once(component),
        "sub_component": _once(sub),
    }


def _once(words: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same words with each only once in the dictionary."""
    distinct = words.dictionary.unique()
    renamed = pc.index_in(words.dictionary, distinct)
    return pa.DictionaryArray.from_arrays(renamed.take(words.indices), distinct)


def _numbered(values: np.ndarray) -> tuple[np.ndarray, Ints]:
    """The distinct values in order, and the number of each value among them. np.unique, which hashes, is slower."""
    order = np.argsort(values)
    ordered = values[order]
    is_first = _changes(ordered)
    numbers = np.empty(len(values), np.int64)
    numbers[order] = np.cumsum(is_first) - 1
    return ordered[is_first], numbers


def _distinct(values: Ints) -> Ints:
    ordered: Ints = np.sort(values)
    distinct: Ints = ordered[_changes(ordered)]
    return distinct


def _changes(ordered: np.ndarray) -> np.ndarray:
    """Where a value is another than the one before."""
    changes = np.ones(len(ordered), np.bool_)
    changes[1:] = ordered[1:] != ordered[:-1]
    return changes


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return column.unify_dictionaries().combine_chunks()


def _codes(words: pa.DictionaryArray) -> Ints:
    """The place of each word, -1 for none."""
    return np.asarray(words.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
