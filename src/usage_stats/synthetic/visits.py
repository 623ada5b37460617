"""A span, people and a number of visits → who comes when, for which component.

Belongs here: the rhythm of week and day, and the four kinds of special visits.
Does not: the single requests of a visit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from usage_stats.synthetic.clock import SECONDS_PER_HOUR, Span
from usage_stats.synthetic.draw import Bools, Ints, choose
from usage_stats.synthetic.people import NOBODY, OFFICE_SIZE, People
from usage_stats.synthetic.site import OFFICE, PRIVATE_SUB_COMPONENT, RARE, Site

__all__ = ["Visits", "make_visits"]

# Share of a day's visits begun in each local hour: two peaks, nights that are quiet but not empty.
HOURS = (9, 6, 4, 3, 3, 5, 12, 28, 46, 58, 62, 60, 55, 57, 58, 56, 52, 48, 50, 58, 64, 58, 38, 20)
OFFICE_HOURS = (0,) * 8 + (8, 10, 10, 9, 5, 8, 9, 9, 5) + (0,) * 7
WEEKDAYS = (1.06, 1.08, 1.06, 1.04, 0.98, 0.74, 0.82)  # Monday first
DAY_TO_DAY_SIGMA = 0.05
LATE_SHARE = 0.015  # begun in the last 25 minutes before midnight: many of them run past it
LATE_SECONDS = 1_500
CHANGE_SHARE = 0.03  # of the visits of a day with a clock change: moved to the hours around it
CHANGE_SECONDS = 2_700
LOGGED_IN_SHARE = 0.55  # of an account holder's visits

# Special visits a day at the sample's usual size. The rare component sees five persons a day: below
# ten nearly always, above it in every month. The office sends more than half of its 45 people.
RARE_PER_DAY = 5.0
OFFICE_PER_WEEKDAY = 28.0
OFFICE_PER_WEEKEND_DAY = 1.0
OFFICE_PURPOSE_SHARE = 0.8
PRIVATE_PER_WEEK = (1, 2, 3)
USUAL_VISITS_PER_DAY = 160.0  # from here on the special visits come in full, below in proportion


@dataclass(frozen=True, slots=True)
class Visits:
    """One entry per intended visit: person, start (epoch seconds), component, leaf of its first page."""

    person: Ints
    start: Ints
    component: Ints
    first_leaf: Ints
    is_logged_in: Bools


def make_visits(rng: np.random.Generator, span: Span, people: People, site: Site, count: int) -> Visits:
    """Draw some `count` visits: the special ones (rare, private, office), the rest ordinary."""
    scale = min(1.0, count / span.days / USUAL_VISITS_PER_DAY)
    parts = [
        _rare(rng, span, people, site, scale),
        _private(rng, span, people, site),
        _office(rng, span, people, site, scale),
    ]
    special = sum(len(person) for person, *_ in parts)
    parts.append(_ordinary(rng, span, people, site, max(count - special, 0)))
    person, start, component, first_leaf = (np.concatenate(column) for column in zip(*parts, strict=True))
    logged_in = (people.accounts[person] != NOBODY) & (rng.random(len(person)) < LOGGED_IN_SHARE)
    return Visits(person, start, component, first_leaf, logged_in)


Part = tuple[Ints, Ints, Ints, Ints]


def _ordinary(rng: np.random.Generator, span: Span, people: People, site: Site, count: int) -> Part:
    weekdays = np.array([day.weekday() for day in span.dates()])
    pull = np.array(WEEKDAYS)[weekdays] * rng.lognormal(0, DAY_TO_DAY_SIGMA, span.days)
    day = choose(rng, pull, count)
    start = _near_changes(rng, span, day, _late(rng, span, day, _starts(rng, span, day, HOURS)))
    home = site.leaf("home")
    first_leaf = np.where(rng.random(count) < 0.3, home, NOBODY)  # three in ten come by the front door
    component = choose(rng, site.component_popularity(), count)
    return choose(rng, people.activity, count), start, component, first_leaf


def _rare(rng: np.random.Generator, span: Span, people: People, site: Site, scale: float) -> Part:
    per_day = rng.poisson(RARE_PER_DAY * scale, span.days)
    day = np.repeat(np.arange(span.days), per_day)
    return _special(rng, span, day, people, site.components.index(RARE))


def _private(rng: np.random.Generator, span: Span, people: People, site: Site) -> Part:
    """One to three persons in each ISO week ask for their data."""
    weeks = np.array([day.isocalendar().year * 100 + day.isocalendar().week for day in span.dates()])
    days = [
        rng.choice(np.flatnonzero(weeks == w), rng.choice(PRIVATE_PER_WEEK)) for w in dict.fromkeys(weeks)
    ]
    component, leaf = PRIVATE_SUB_COMPONENT
    person, start, visited, _ = _special(
        rng, span, np.concatenate(days), people, site.components.index(component)
    )
    return person, start, visited, np.full(len(start), site.leaf(component, leaf))


def _office(rng: np.random.Generator, span: Span, people: People, site: Site, scale: float) -> Part:
    is_weekend = np.array([day.weekday() >= 5 for day in span.dates()])
    mean = np.where(is_weekend, OFFICE_PER_WEEKEND_DAY, OFFICE_PER_WEEKDAY) * scale
    day = np.repeat(np.arange(span.days), rng.poisson(mean))
    purpose = rng.random(len(day)) < OFFICE_PURPOSE_SHARE
    otherwise = choose(rng, site.component_popularity(), len(day))
    component = np.where(purpose, site.components.index(OFFICE), otherwise)
    start = _starts(rng, span, day, OFFICE_HOURS)
    person = rng.integers(0, min(OFFICE_SIZE, len(people)), len(day))
    return person, start, component, np.full(len(day), NOBODY)


def _special(rng: np.random.Generator, span: Span, day: Ints, people: People, component: int) -> Part:
    person = choose(rng, people.activity, len(day))
    start = _starts(rng, span, day, HOURS)
    return person, start, np.full(len(day), component), np.full(len(day), NOBODY)


def _starts(rng: np.random.Generator, span: Span, day: Ints, hours: tuple[int, ...]) -> Ints:
    """Instants spread over the hours; on a day of 23 hours the last ones fall to the next day."""
    second = choose(rng, hours, len(day)) * SECONDS_PER_HOUR + rng.integers(0, SECONDS_PER_HOUR, len(day))
    starts: Ints = span.midnights[day] + second
    return starts


def _late(rng: np.random.Generator, span: Span, day: Ints, start: Ints) -> Ints:
    late = span.midnights[day + 1] - 1 - rng.integers(0, LATE_SECONDS, len(day))
    return np.where(rng.random(len(day)) < LATE_SHARE, late, start)


def _near_changes(rng: np.random.Generator, span: Span, day: Ints, start: Ints) -> Ints:
    for change in span.changes():
        that_day = day == np.searchsorted(span.midnights, change, side="right") - 1
        moved = that_day & (rng.random(len(day)) < CHANGE_SHARE)
        start = np.where(moved, change + rng.integers(-CHANGE_SECONDS, CHANGE_SECONDS, len(day)), start)
    return start
