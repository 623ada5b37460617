"""A number of rows and a series of tables → the usage files of a month, as sealing leaves them, and its settings.

`python -m benchmarks.usage_rows DIRECTORY ROWS SERIES`: a process of its own, see site.

Belongs here: made-up usage rows, straight from random numbers. Does not: counting them (month_job).
"""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.counted_site import MEASURED_DAY, write_settings
from usage_stats.config import load_config
from usage_stats.flow.workspace import write_restricted
from usage_stats.measure.counting import NETWORK_BUCKETS
from usage_stats.measure.cube import Cube, by_of, cell_of, wholes_of, written
from usage_stats.measure.table_spec import cube_of, needs_buckets
from usage_stats.periods import month

__all__: list[str] = []

_PATTERNS = 400  # different visits: which component, referrer and entry
_COMES_ON = 0.2  # of days, a visitor: six a month
_BASES = ("account", "address", "cookie")
_Array = np.ndarray[Any, Any]


def main(directory: str, rows: str, series: str) -> None:
    """Write `component_day` and `network_day` of each day of the measured day's month."""
    root = Path(directory)
    write_settings(root, series, MEASURED_DAY.replace(day=1))
    config, rng = load_config(root), np.random.default_rng(1)
    cube, days = cube_of(config), month(MEASURED_DAY).days
    buckets = NETWORK_BUCKETS if needs_buckets(config) else 1
    patterns = _patterns(rng, cube)
    per_visit = float(np.mean([len(places) for places in patterns]))
    each_day = int(rows) / len(days) / per_visit  # persons of a day
    persons = np.sort(rng.integers(0, 2**64, int(each_day / _COMES_ON), np.uint64, endpoint=False))
    networks = persons[:: len(persons) // max(1, len(persons) // 3) or 1]  # a third as many
    for of in days:
        for table, pool in (("component_day", persons), ("network_day", networks)):
            who = pool[rng.random(len(pool)) < _COMES_ON]
            usage = _usage(rng, of, table, who, cube, patterns, buckets)
            write_restricted(usage, root / f"{of}-{table}.parquet")


def _patterns(rng: np.random.Generator, cube: Cube) -> list[list[int]]:
    """Of some visits, the places of the categories they count in; inner components come by popularity."""
    places = {category: n for n, category in enumerate(cube.categories)}
    inner = [c for c in cube.components if not any(c == whole for whole, _ in cube.parts_of)]
    found = []
    for _ in range(_PATTERNS):
        component = inner[min(int(rng.zipf(1.4)) - 1, len(inner) - 1)]
        by = {name: str(rng.choice(codes)) for name, codes in cube.codes.items()}
        named = {tuple(sorted(by_of(category))) for category in cube.further} | {()}
        counts = [
            cell_of(whole, {name: by[name] for name in names})
            for whole in (component, *wholes_of(component))
            for names in sorted(named)
        ]
        found.append([places[category] for category in counts if category in places])
    return found


def _usage(
    rng: np.random.Generator,
    of: date,
    table: str,
    who: _Array,
    cube: Cube,
    patterns: Sequence[Sequence[int]],
    buckets: int,
) -> pa.Table:
    """Rows of one day, in order of the pseudonyms."""
    lengths = np.array([len(places) for places in patterns])
    starts, flat = np.cumsum(lengths) - lengths, np.concatenate([np.array(places) for places in patterns])
    drawn = rng.integers(0, len(patterns), len(who))
    counts = lengths[drawn]
    row = np.arange(counts.sum())
    first = np.cumsum(counts) - counts
    places = flat[row + np.repeat(starts[drawn] - first, counts)].astype(np.int32)
    columns: dict[str, Any] = {
        "person" if table == "component_day" else "network": np.repeat(who, counts),
        "event_date": pa.repeat(pa.scalar(of, pa.date32()), len(row)),
    }
    names = zip(*map(written, cube.categories), strict=True)
    for name, words in zip(("component", "sub_component", "further"), names, strict=True):
        columns[name] = _words(places, words)
    if table == "component_day":
        visits = rng.geometric(0.8, len(who))
        columns["network_bucket"] = np.repeat(rng.integers(0, buckets, len(who)).astype(np.uint16), counts)
        columns["visits"] = np.repeat(visits, counts)
        columns["page_views"] = np.repeat(visits * rng.integers(1, 6, len(who)), counts)
        columns["identity_basis"] = _words(np.repeat((who % np.uint64(3)).astype(np.int32), counts), _BASES)
    return pa.table(columns)


def _words(places: _Array, words: Sequence[str]) -> pa.DictionaryArray:
    distinct = sorted(set(words))
    known = {word: n for n, word in enumerate(distinct)}
    renamed = np.array([known[word] for word in words], np.int32)[places]
    return pa.DictionaryArray.from_arrays(pa.array(renamed), pa.array(distinct))


if __name__ == "__main__":
    main(*sys.argv[1:])
