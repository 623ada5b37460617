"""A directory and a seed → log files in it, with the true figures beside them.

Belongs here: how much of everything there is, and writing files.
Does not: what a visit, a line or a figure is.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from usage_stats.errors import ConfigError
from usage_stats.synthetic.agents import browser_agents
from usage_stats.synthetic.clock import Span, make_span
from usage_stats.synthetic.lines import log_bytes, spoilt_requests, written_order
from usage_stats.synthetic.machines import broken_requests, mail_opens, robot_requests
from usage_stats.synthetic.people import OFFICE_SIZE, make_people
from usage_stats.synthetic.site import Site, make_site
from usage_stats.synthetic.traffic import LINES_PER_VISIT, people_requests
from usage_stats.synthetic.truth import figures, line_counts
from usage_stats.synthetic.visits import make_visits

__all__ = ["TIME_ZONE", "GeneratedLogs", "generate"]

TIME_ZONE = "Europe/Berlin"
SPOILT_SHARE = 0.002
BROKEN_SHARE = 0.001
MAIL_SHARE = 0.006
PEOPLE_SHARE = 0.841  # aimed at; robots make the rest, some 15 %
MOST_PEOPLE_SHARE = 0.90  # a small sample may draw many long visits: robots keep their place
LINES_PER_PERSON = 40  # people invented: 12,500 at half a million lines, some 800 of them a day
GZIP_LEVEL = 4  # a third faster than the default 6 for files 7 % larger
FEWEST_LINES_PER_DAY = 100  # fewer make no site: the special visits alone would be more


@dataclass(frozen=True, slots=True)
class GeneratedLogs:
    """What `generate` wrote: the log files in order of their days, and how many lines they hold."""

    directory: Path
    files: tuple[Path, ...]
    lines: int
    days: int


def generate(
    directory: Path,
    *,
    seed: int = 20260301,
    first_day: date = date(2026, 3, 1),
    days: int = 61,
    lines: int = 500_000,
    on_day: Callable[[date], None] | None = None,
) -> GeneratedLogs:
    """Write `logs/access-YYYY-MM-DD.log.gz` for each day, `truth/figures.parquet`, `truth/lines.json`.

    The same arguments and versions of numpy, polars and zlib give the same bytes. Exactly `lines`
    lines are written. `on_day` is called after each day's file. truth.py defines the figures.

    Raises:
        ConfigError: no days, too few lines, or logs of other days in the way of a true count.
    """
    _check(directory, first_day, days, lines)
    span, site = make_span(first_day, days, ZoneInfo(TIME_ZONE)), make_site()
    requests = _requests(seed, span, site, lines)
    files = tuple(_log_file(directory, day) for day in span.dates())
    for folder in ("logs", "truth"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    for number, (day, path) in enumerate(zip(span.dates(), files, strict=True)):
        _write(path, _compressed(requests.filter(pl.col("day") == number)))
        if on_day:
            on_day(day)
    _write_truth(directory / "truth", requests, span, site, files)
    return GeneratedLogs(directory, files, len(requests), days)


def _requests(seed: int, span: Span, site: Site, lines: int) -> pl.DataFrame:
    """Everything the servers will log, in the order of the lines; each part has its own random stream."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(8)]
    spoilt, broken, mail = (round(lines * share) for share in (SPOILT_SHARE, BROKEN_SHARE, MAIL_SHARE))
    people = make_people(streams[0], max(lines // LINES_PER_PERSON, 4 * OFFICE_SIZE), len(browser_agents()))
    visits = make_visits(streams[1], span, people, site, int(lines * PEOPLE_SHARE / LINES_PER_VISIT))
    by_people = people_requests(streams[2], visits, people, site)
    by_people = _at_most(streams[3], _inside(by_people, span), int(lines * MOST_PEOPLE_SHARE))
    robots = lines - len(by_people) - spoilt - broken - mail
    readable = pl.concat(
        [
            by_people,
            robot_requests(streams[4], span, site, robots),
            mail_opens(streams[5], span, mail),
            broken_requests(streams[5], span, broken),
        ]
    )
    return written_order(
        streams[7], pl.concat([readable, spoilt_requests(streams[6], readable, spoilt)]), span
    )


def _inside(requests: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Visits of the last evening run on past the span: what they did there is in nobody's log."""
    return requests.filter(pl.col("at").is_between(span.midnights[0], span.midnights[-1], closed="left"))


def _at_most(rng: np.random.Generator, requests: pl.DataFrame, most: int) -> pl.DataFrame:
    """Leave out single requests by chance, as if they had never been made."""
    if len(requests) <= most:
        return requests
    return requests[np.sort(rng.permutation(len(requests))[:most])]


def _check(directory: Path, first_day: date, days: int, lines: int) -> None:
    if days < 1:
        raise ConfigError(f"days: {days} is too few; give 1 or more")
    if lines < days * FEWEST_LINES_PER_DAY:
        raise ConfigError(
            f"lines: {lines} is too few; give {days * FEWEST_LINES_PER_DAY} or more for {days} days"
        )
    ours = {_log_file(directory, date.fromordinal(first_day.toordinal() + n)) for n in range(days)}
    strangers = sorted(path.name for path in set((directory / "logs").glob("*.log.gz")) - ours)
    if strangers:
        others = f"{len(strangers)} logs of other days, the first is {strangers[0]}"
        raise ConfigError(f"{directory / 'logs'}: holds {others}; remove them or choose another directory")


def _log_file(directory: Path, day: date) -> Path:
    return directory / "logs" / f"access-{day.isoformat()}.log.gz"


def _compressed(requests: pl.DataFrame) -> bytes:
    """No name and no time in the header: the same lines give the same bytes."""
    return gzip.compress(log_bytes(requests) if len(requests) else b"", GZIP_LEVEL, mtime=0)


def _write_truth(
    folder: Path, requests: pl.DataFrame, span: Span, site: Site, files: tuple[Path, ...]
) -> None:
    table = io.BytesIO()
    figures(requests, span, site).write_parquet(table)
    _write(folder / "figures.parquet", table.getvalue())
    counts = line_counts(requests, {day: path.name for day, path in enumerate(files)})
    _write(folder / "lines.json", (json.dumps(counts, indent=2) + "\n").encode())


def _write(path: Path, content: bytes) -> None:
    """A reader sees the whole file or none."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)  # atomic within a directory
