"""Number of lines, days and a seed → an access log of made-up traffic, fast, in order of time.

Belongs here: who asks for what when, and writing it down. Does not: the tables drawn from (population),
odd lines (odd_lines), or the sample workspace's traffic with known truth (usage_stats.synthetic).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.layouts import LAYOUTS, Layout
from benchmarks.odd_lines import ODD_KINDS
from benchmarks.population import PAGES, ROBOTS, VISITORS, Population, draw_ranks, population
from benchmarks.site import FIRST_DAY, SECTIONS

__all__ = ["Written", "generate"]

_SECONDS = 86_400
_BATCH = 250_000  # lines held as strings at once: about 300 MB of columns
_ODD_SHARE = 0.01
# Share of visits by hour, as sites for people have it: a trough at four, a peak in the evening.
_HOURS = np.array(
    [3, 2, 1.4, 1, 1, 1.2, 2, 3.4, 5, 6, 6.4, 6.4, 6, 6.2, 6.4, 6.4, 6.2, 6, 6.2, 6.6, 7, 6.6, 5.4, 4.2]
)

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Written:
    """What a generated log holds: its line feeds, bytes, and odd lines by kind."""

    lines: int
    bytes: int
    odd: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Requests:
    """One day's requests in order of time: rows of the population's tables."""

    second: Numbers
    client: Numbers
    path: Numbers
    referrer: Numbers


def generate(
    path: Path, lines: int, days: int, *, hard: bool = False, seed: int = 1, layout: str = "combined"
) -> Written:
    """Write a log of exactly `lines` request lines (and the layout's header) over `days` days from FIRST_DAY.

    hard: half the addresses are random and a third of the paths unique, so that nothing repeats.
    """
    form = LAYOUTS[layout]
    made = population(seed)
    odd: dict[str, int] = {}
    with path.open("wb") as file:
        file.write(form.header(FIRST_DAY))
        for day, count in enumerate(_split(lines, days)):
            rng = np.random.default_rng([seed, 2, day])
            for chunk in _chunks(_day(rng, count)):
                columns = _columns(rng, made, chunk, FIRST_DAY + timedelta(days=day), form, hard=hard)
                file.writelines(_with_odd_lines(rng, form.lines(columns), odd))
        size = file.tell()
    return Written(lines + form.header(FIRST_DAY).count(b"\n"), size, odd)


def _split(lines: int, days: int) -> list[int]:
    return [lines * (day + 1) // days - lines * day // days for day in range(days)]


def _day(rng: np.random.Generator, count: int) -> _Requests:
    """Exactly `count` requests of one day: four fifths people with a page's assets, the rest robots."""
    people = _people(rng, int(count * 0.84) + 200)
    robots = _robots(rng, int(count * 0.2) + 200)
    both = [np.concatenate(pair) for pair in zip(people, robots, strict=True)]
    inside = np.flatnonzero(both[0] < _SECONDS)
    kept = np.sort(rng.permutation(inside)[:count])
    order = kept[np.argsort(both[0][kept], kind="stable")]
    if len(order) < count:
        order = np.sort(rng.choice(order, count))
        order = order[np.argsort(both[0][order], kind="stable")]
    return _Requests(*(column[order] for column in both))


def _people(rng: np.random.Generator, count: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    visits = count // 9 + 1  # 5.2 pages a visit, 0.85 assets a page, and some visits run past midnight
    pages = rng.geometric(1 / 5.2, visits)
    visit = np.repeat(np.arange(visits), pages)
    gaps = rng.exponential(70, len(visit)).astype(np.int64) + 1
    first = np.concatenate([[0], np.cumsum(pages)[:-1]])
    passed = np.cumsum(gaps)
    second = _starts(rng, visits)[visit] + passed - passed[first][visit]
    client = (VISITORS * rng.random(visits) ** 1.6).astype(np.int64)[visit]
    page = _stay_in_section(rng, visit, draw_ranks(rng, PAGES, len(visit), 1.0))
    referrer = np.where(rng.random(len(visit)) < 0.45, 0, 7 + np.roll(page, 1))
    referrer[first] = rng.integers(0, 7, visits)
    return _with_assets(rng, second, client, page, referrer)


def _stay_in_section(rng: np.random.Generator, visit: Numbers, page: Numbers) -> Numbers:
    """Half of a visit's pages lie in the section it is about."""
    sections = len(SECTIONS)
    about = draw_ranks(rng, sections, int(visit[-1]) + 1, 0.6)[visit]
    moved = np.minimum(page - page % sections + about, PAGES - 1)
    return np.where(rng.random(len(page)) < 0.5, moved, page)


def _with_assets(
    rng: np.random.Generator, second: Numbers, client: Numbers, page: Numbers, referrer: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    of = np.repeat(np.arange(len(page)), rng.poisson(0.85, len(page)))
    asset = PAGES + draw_ranks(rng, 2_000, len(of), 1.0)
    return (
        np.concatenate([second, second[of] + rng.integers(0, 3, len(of))]),
        np.concatenate([client, client[of]]),
        np.concatenate([page, asset]),
        np.concatenate([referrer, 7 + page[of]]),
    )


def _robots(rng: np.random.Generator, count: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    client = VISITORS + draw_ranks(rng, ROBOTS, count, 0.7)
    page = rng.integers(0, PAGES, count)
    return _starts(rng, count), client, page, np.zeros(count, np.int64)


def _starts(rng: np.random.Generator, count: int) -> Numbers:
    hour = rng.choice(24, count, p=_HOURS / _HOURS.sum())
    return (hour * 3600 + rng.integers(0, 3600, count)).astype(np.int64)


def _chunks(requests: _Requests) -> Iterator[_Requests]:
    columns = (requests.second, requests.client, requests.path, requests.referrer)
    for start in range(0, len(requests.second), _BATCH):
        yield _Requests(*(column[start : start + _BATCH] for column in columns))


def _columns(
    rng: np.random.Generator,
    made: Population,
    requests: _Requests,
    day: datetime,
    form: Layout,
    *,
    hard: bool,
) -> dict[str, Any]:
    """The strings of each field, one row per line, as Polars columns."""
    count = len(requests.second)
    is_page = requests.path < PAGES
    query = np.where(is_page & (rng.random(count) < 0.08), rng.integers(1, len(made.query), count), 0)
    columns = {
        "host": made.host[requests.client],
        "user": _drawn(rng, count, ("-", "jdoe", "m.smith"), (0.98, 0.01, 0.01)),
        "time": pl.Series(form.times(day))[requests.second],
        "method": _drawn(rng, count, ("GET", "POST", "HEAD"), (0.965, 0.025, 0.01)),
        "path": made.path[requests.path],
        "query": made.query[query],
        "protocol": _drawn(rng, count, ("HTTP/1.1", "HTTP/2.0", "HTTP/1.0"), (0.6, 0.39, 0.01)),
        "status": _drawn(
            rng, count, ("200", "304", "404", "301", "302", "500"), (0.92, 0.03, 0.025, 0.012, 0.01, 0.003)
        ),
        "size": pl.Series(rng.integers(120, 250_000, count)).cast(pl.String),
        "referrer": form.plain(made.referrer)[requests.referrer],
        "agent": form.plain(made.agent)[made.agent_of[requests.client]],
    }
    return _hard(rng, columns, count) if hard else columns


def _hard(rng: np.random.Generator, columns: dict[str, Any], count: int) -> dict[str, Any]:
    numbers = pl.Series([str(n) for n in range(256)])
    four = [numbers[rng.integers(0, 256, count)].alias(str(n)) for n in range(4)]
    host = pl.select(pl.concat_str(four, separator=".")).to_series()
    unique = pl.Series(rng.integers(0, 2**62, count)).cast(pl.String)
    section = pl.Series([f"/{name}/item-" for name in SECTIONS])[rng.integers(0, len(SECTIONS), count)]
    random_host, unique_path = pl.Series(rng.random(count) < 0.5), pl.Series(rng.random(count) < 1 / 3)
    return columns | {
        "host": host.zip_with(random_host, columns["host"]),
        "path": (section + unique).zip_with(unique_path, columns["path"]),
    }


def _drawn(
    rng: np.random.Generator, count: int, values: tuple[str, ...], shares: tuple[float, ...]
) -> pl.Series:
    return pl.Series(values)[np.searchsorted(np.cumsum(shares)[:-1], rng.random(count), side="right")]


def _with_odd_lines(
    rng: np.random.Generator, lines: pl.Series, odd: dict[str, int]
) -> Iterator[bytes | memoryview]:
    """The lines as bytes, each ended by a line feed, one in a hundred replaced by an odd one."""
    array = lines.to_arrow().cast("large_string")
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    whole, position = memoryview(data), int(ends[0])
    kinds = list(ODD_KINDS)
    for row in np.flatnonzero(rng.random(len(array)) < _ODD_SHARE).tolist():
        start, end = int(ends[row]), int(ends[row + 1])
        kind = kinds[rng.integers(0, len(kinds))]
        yield whole[position:start]
        yield ODD_KINDS[kind](bytes(whole[start : end - 1])) + b"\n"
        odd[kind] = odd.get(kind, 0) + 1
        position = end
    yield whole[position : int(ends[-1])]


def main() -> None:
    """`python -m benchmarks.logs LOG LINES DAYS`: write one log."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.logs", description="Write a log of made-up traffic."
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("lines", type=int)
    parser.add_argument("days", type=int)
    parser.add_argument(
        "--hard", action="store_true", help="half the addresses random, a third of the paths unique"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="combined")
    options = parser.parse_args()
    generate(
        options.log,
        options.lines,
        options.days,
        hard=options.hard,
        seed=options.seed,
        layout=options.layout,
    )


if __name__ == "__main__":
    main()
