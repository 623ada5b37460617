"""Invented page views of one day, as the models read them."""

import random
from datetime import UTC, date, datetime, timedelta

import polars as pl

from usage_stats.schemas import EVENTS, empty

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


def events(rows):
    """A frame of page views."""
    return pl.DataFrame(rows, schema=empty(EVENTS).schema)


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
