"""A day's page views → the same with their visits, and the code of each in every dimension asked for.

Belongs here: which component a page view belongs to, where a visit begins, and what is said of the whole of it. Does
not: which categories it counts in (counting), pseudonyms of other windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from usage_stats.config import OTHER, TOTAL
from usage_stats.dimensions import DIMENSIONS, EVENT_ATTRIBUTES
from usage_stats.measure.arrays import Ints, Pseudonyms, changes, codes, seconds, words
from usage_stats.measure.cube import Category, Cube
from usage_stats.sqlmodel import Database, run_model

__all__ = ["VISIT_GAP", "Visited", "visited_by_arrays", "visited_by_model"]

# The customary pause that ends a visit, in log analysis since the 1990s and in the peers read.
VISIT_GAP = timedelta(minutes=30)
_QUARTER = 900  # every time zone in use is set by quarters of an hour
_MEASURED = {"visit_depth": "visit_page_views", "visit_duration": "visit_seconds"}
_ENDS = ("entry_component", "exit_component")


@dataclass(frozen=True, slots=True)
class Visited:
    """Page views, a row each: by whom, from which network, in which of their visits, and their codes.

    `codes`: by dimension the place among `Cube.codes`; that of `component` is among `cube.components`, the innermost.
    """

    person: Pseudonyms
    network: Pseudonyms
    visit: Ints
    codes: Mapping[str, Ints]


def visited_by_model(
    page_views: pa.Table, excluded: pa.ChunkedArray, cube: Cube, zone: ZoneInfo, database: Database
) -> Visited:
    """By the SQL model, which says what a visit is.

    Args:
        page_views: a day's, in the shape of `schemas`; what rules do not know any more counts as `(other)`.
        excluded: the persons who are left out.
        cube: what is told apart.
        zone: of the hours.
        database: where to run the model.
    """
    inputs = {
        "event.page_view": _spelt(page_views, cube, zone),
        "event.excluded": pa.table({"person": excluded}),
    }
    rows = run_model("event.visited", inputs, parameters={"visit_gap": VISIT_GAP}, database=database)
    places = {component: n for n, component in enumerate(cube.components)}
    pairs = zip(rows["component"].to_pylist(), rows["sub_component"].to_pylist(), strict=True)
    found: dict[str, Ints] = {"component": np.array([places[pair] for pair in pairs], np.int64)}
    for name, known in cube.codes.items():
        if name in _MEASURED:
            found[name] = _bins(name, rows[_MEASURED[name]].to_numpy())
        else:
            found[name] = _places(words(rows[name].cast(pa.dictionary(pa.int32(), pa.string()))), known)
    person, network = rows["person"].to_numpy(), rows["network"].to_numpy()
    return Visited(person, network, rows["visit_number"].to_numpy(), found)


def visited_by_arrays(page_views: pa.Table, excluded: pa.ChunkedArray, cube: Cube, zone: ZoneInfo) -> Visited:
    """The same by sorting arrays, at a fraction of the cost (tests/sql/test_large_days.py holds the two together)."""
    if len(excluded):
        page_views = page_views.filter(pc.invert(pc.is_in(page_views["person"], excluded)))
    person, at = page_views["person"].to_numpy(), seconds(page_views["viewed_at"])
    order = np.lexsort((at, person))
    visits = _Visits.of(person[order], at[order])
    found = {name: codes[order] for name, codes in _codes_of_views(page_views, cube, zone).items()}
    network = page_views["network"].to_numpy()[order]
    return Visited(person[order], network, visits.number, visits.told(found, cube))


@dataclass(frozen=True, slots=True)
class _Visits:
    """Visits of page views in order of person and time.

    Attributes:
        number: per page view, that of its visit. starts, lengths: per visit, its page views.
        at: per page view, in seconds.
    """

    number: Ints
    starts: Ints
    lengths: Ints
    at: Ints

    @classmethod
    def of(cls, person: Pseudonyms, at: Ints) -> _Visits:
        opens = changes(person)
        opens[1:] |= at[1:] - at[:-1] > VISIT_GAP.total_seconds()
        starts = np.flatnonzero(opens)
        return cls(np.cumsum(opens) - 1, starts, np.diff(starts, append=len(at)), at)

    def told(self, codes: Mapping[str, Ints], cube: Cube) -> dict[str, Ints]:
        """The codes that are asked for, those of visits being the same for all of a visit's page views."""
        asked = cube.codes
        first, last = self.at[self.starts], self.at[self.starts + self.lengths - 1]
        is_first, is_last = self.at == first[self.number], self.at == last[self.number]
        tops = _tops(cube)
        found = {name: codes[name] for name in ("component", "hour") if name in codes}
        for name, known in asked.items():
            if name in EVENT_ATTRIBUTES:
                found[name] = self._smallest(codes[name], is_first, known)
            elif name in _ENDS:
                where = is_first if name == "entry_component" else is_last
                found[name] = self._smallest(tops[codes["component"]], where, known)
            elif name in _MEASURED:
                values = self.lengths if name == "visit_depth" else last - first
                found[name] = _bins(name, values)[self.number]
        return found

    def _smallest(self, codes: Ints, counts: np.ndarray[Any, Any], known: Sequence[str]) -> Ints:
        """Per page view, the code of the smallest spelling among those of its visit that count."""
        by_spelling = np.array(sorted(range(len(known)), key=lambda n: known[n].encode()), np.int64)
        rank = np.argsort(by_spelling)
        smallest = np.minimum.reduceat(np.where(counts, rank[codes], len(known)), self.starts)
        found: Ints = by_spelling[smallest][self.number]
        return found


def _codes_of_views(page_views: pa.Table, cube: Cube, zone: ZoneInfo) -> dict[str, Ints]:
    """What is said of each page view by itself."""
    asked = cube.codes
    found = {"component": _innermost_places(page_views, cube)}
    if "hour" in asked:
        found["hour"] = _hours(seconds(page_views["viewed_at"]), zone)
    for name in EVENT_ATTRIBUTES:
        if name in asked:
            found[name] = _attribute(page_views, name, asked[name])
    return found


def _spelt(page_views: pa.Table, cube: Cube, zone: ZoneInfo) -> pa.Table:
    """Page views as the model reads them: codes in words, "" where nobody asks."""
    found, asked = _codes_of_views(page_views, cube, zone), cube.codes
    components = zip(*cube.components, strict=True)
    columns = {name: page_views[name] for name in ("viewed_at", "person", "network")}
    for name, known in zip(("component", "sub_component"), components, strict=True):
        columns[name] = pa.array(known, pa.string()).take(pa.array(found["component"]))
    for name in ("hour", *EVENT_ATTRIBUTES):
        known = pa.array(asked.get(name, ("",)), pa.string())
        columns[name] = known.take(pa.array(found.get(name, np.zeros(len(page_views), np.int64))))
    return pa.table(columns)


def _innermost_places(page_views: pa.Table, cube: Cube) -> Ints:
    """Per page view the innermost component that it counts in, by its place in `cube.components`."""
    component, sub = (words(page_views[name]) for name in ("component", "sub_component"))
    parts = [*sub.dictionary.to_pylist(), None]  # the last stands for none, whose code is -1
    pairs = codes(component) * len(parts) + codes(sub) % len(parts)
    places = {c: n for n, c in enumerate(cube.components)}
    wholes = {whole for whole, _ in cube.parts_of}
    innermost: Ints = np.full(len(component.dictionary) * len(parts), -1)
    for pair in np.flatnonzero(np.bincount(pairs)).tolist():
        name = component.dictionary[pair // len(parts)].as_py()
        candidates = _candidates(name, parts[pair % len(parts)])
        innermost[pair] = next(places[c] for c in candidates if c in places and c not in wholes)
    found: Ints = innermost[pairs]
    return found


def _candidates(component: str, path: str | None) -> Iterator[Category]:
    """Where a page view may belong, the best first: rules may have changed since the line was read."""
    yield component, path or TOTAL
    while path:
        yield component, f"{path}/{OTHER}"
        path = path.rpartition("/")[0]
    yield component, OTHER
    yield component, TOTAL
    yield OTHER, TOTAL


def _tops(cube: Cube) -> Ints:
    """For each component of the cube, the place of its top one among those of `entry_component`."""
    known = {name: n for n, name in enumerate(dict.fromkeys(c for c, _ in cube.components if c != TOTAL))}
    return np.array([known.get(component, -1) for component, _ in cube.components], np.int64)


def _hours(at: Ints, zone: ZoneInfo) -> Ints:
    """The hour of the clock at each second; on a day on which clocks are set back, one of them is two hours long."""
    quarters, place = np.unique(at // _QUARTER, return_inverse=True)
    hours = [datetime.fromtimestamp(q * _QUARTER, UTC).astimezone(zone).hour for q in quarters.tolist()]
    found: Ints = np.array(hours, np.int64)[place]
    return found


def _attribute(page_views: pa.Table, name: str, known: Sequence[str]) -> Ints:
    if name not in page_views.column_names:
        return np.full(len(page_views), len(known) - 1)
    return _places(words(page_views[name]), known)


def _places(column: pa.DictionaryArray, known: Sequence[str]) -> Ints:
    """The place of each row's code among the known ones; of any other that of `(other)`, the last for none."""
    places = {code: n for n, code in enumerate(known)}
    last = len(known) - 1
    other = places.get(OTHER, last)  # the settings may have named more codes when the line was read
    of_word = [*(places.get(word, other) for word in column.dictionary.to_pylist()), last]
    found: Ints = np.array(of_word, np.int64)[codes(column)]
    return found


def _bins(name: str, values: Ints) -> Ints:
    """The place of each value's bin."""
    found: Ints = np.searchsorted(np.array(DIMENSIONS[name].bins), values, side="right") - 1
    return found
