"""Invented page views of one day, as the models read them."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from usage_stats.dimensions import EVENT_ATTRIBUTES
from usage_stats.measure.usage import usage_of_day
from usage_stats.robot_settings import RobotSettings
from usage_stats.schemas import PAGE_VIEWS, VISITORS
from usage_stats.sqlmodel import Database

UTC_ZONE = ZoneInfo("UTC")
DAY = date(2026, 3, 29)  # 23 hours long in Berlin; the models see instants, not clocks
MIDNIGHT = datetime(2026, 3, 28, 23, tzinfo=UTC)
CATEGORIES = [  # the categories of the invented site
    ("_T", "_T"),
    ("shop", "_T"),
    ("shop", "basket"),
    ("shop", "(other)"),
    ("news", "_T"),
    ("(other)", "_T"),
]
PLACES = [("shop", "basket"), ("shop", "(other)"), ("news", None), ("(other)", None)]


def event(second, person=1, *, network=1, place=("news", None), basis="cookie", day=DAY):
    """One page view, so many seconds after midnight."""
    at = MIDNIGHT + timedelta(days=(day - DAY).days, seconds=second)
    return {
        "viewed_at": at,
        "event_date": day,
        "person": person,
        "network": network,
        "identity_basis": basis,
        "component": place[0],
        "sub_component": place[1],
    }


def of_month(pseudonym):
    """The month's pseudonym of whoever has this one in the week: nobody else's, and in another order."""
    return (pseudonym * 0x9E3779B97F4A7C15 + 12345) % 2**64


def page_views(rows):
    """What is kept of page views, and what they say beside when and where."""
    table = pa.Table.from_pylist([{name: row[name] for name in PAGE_VIEWS.names} for row in rows], PAGE_VIEWS)
    for name in EVENT_ATTRIBUTES:
        if rows and name in rows[0]:
            said = pa.array([row[name] for row in rows], pa.string())
            table = table.append_column(name, said.dictionary_encode())
    return table


def visitors(rows, *, requests=None):
    """What is kept of who made them, each with an asset beside; `requests` for robots.txt, by person."""
    requests = Counter(requests)
    views = Counter((row["person"], row["network"], row["identity_basis"]) for row in rows)
    for person, number in requests.items():
        views.setdefault((person, person, "address"), 0)
        assert number
    return pa.Table.from_pylist(
        [
            {
                "person": person,
                "network": network,
                "month_person": of_month(person),
                "month_network": of_month(network),
                "identity_basis": basis,
                "requests": number + 1 + requests[person],
                "page_views": number,
                "assets": 1,
                "errors": 0,
                "asks_robots_txt": requests[person],
            }
            for (person, network, basis), number in views.items()
        ],
        VISITORS,
    )


def usage(rows, cube, *, of=DAY, requests=None, robots=None, **options):
    """A day's usage from its page views."""
    with Database() as database:
        return usage_of_day(
            of,
            page_views(rows),
            visitors(rows, requests=requests),
            cube,
            robots or RobotSettings(),
            database=database,
            **options,
        )


def random_rows(seed, *, day=DAY, number=400, people=25):
    """Page views with pauses around half an hour, many of them in the same second."""
    rng = random.Random(seed)
    rows = []
    for person in range(people):
        second = rng.randrange(3600)
        for _ in range(rng.randrange(2 * number // people)):
            place = rng.choice(PLACES)
            network = rng.choice([person % 7, person % 5 + 2**63])  # pseudonyms fill 64 bits
            rows.append(
                event(
                    second, person + 2**64 - 50, network=network, place=place, day=day, basis=_basis(person)
                )
            )
            second += rng.choice([0, 0, 1, 60, 1799, 1800, 1801, 2400])
    kept = [row for row in rows if row["viewed_at"] < MIDNIGHT + timedelta(days=(day - DAY).days, hours=23)]
    rng.shuffle(kept)
    return kept


def _basis(person):
    return ("account", "cookie", "address")[person % 3]


def spots(row):
    """The categories that a page view counts in: its place, the place's whole, the site."""
    component, sub = row["component"], row["sub_component"]
    return [("_T", "_T"), (component, "_T"), *([(component, sub)] if sub else [])]
