"""Invented persons and what they did → the confidential cells of any period, and what is then published.

Everything is counted on sets of persons, by brute force. `publish_all` runs the package's own protection over
the periods in the order in which they end, as the main job does.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import NamedTuple

from usage_stats.config import OTHER, TOTAL, Thresholds
from usage_stats.flow.released import ReleasedViews
from usage_stats.measure.cells import Counts
from usage_stats.measure.cube import Cube
from usage_stats.measure.nesting import nested_pairs
from usage_stats.measure.relations import CellKey, relations
from usage_stats.periods import parse_period, periods_of
from usage_stats.protect.protect import protect_period


class View(NamedTuple):
    """Page views of one visit in one place."""

    person: str
    network: str
    day: date
    visit: int
    component: str
    sub_component: str | None
    page_views: int


def cube_with(subs, kinds=("day", "week", "month")):
    """The cube of some components, each with its sub-components (a component without has none)."""
    tree = [((TOTAL, TOTAL), tuple((name, TOTAL) for name in subs))]
    tree += [((name, TOTAL), tuple((name, s) for s in inside)) for name, inside in subs.items() if inside]
    return Cube(parts_of=tuple(tree), periods=kinds)


class Site:
    """What happened on an invented site."""

    def __init__(self, views):
        self.views = list(views)

    def cells(self, cube, period):
        return {CellKey(period.code, *c): self.counts(CellKey(period.code, *c)) for c in cube.categories}

    def counts(self, key):
        seen = self._seen([key])
        return Counts(
            visitors=len({v.person for v in seen}),
            visits=len({(v.person, v.day, v.visit) for v in seen}),
            page_views=sum(v.page_views for v in seen),
            networks=len({v.network for v in seen}),
        )

    def behind(self, keys):
        """Distinct persons and networks over all the cells: what `Crowd.behind` promises."""
        seen = self._seen(keys)
        return len({v.person for v in seen}), len({v.network for v in seen})

    def _seen(self, keys):
        wanted = [(set(parse_period(k[0]).days), k[1], k[2]) for k in keys]
        return [v for v in self.views if any(_is_in(v, *w) for w in wanted)]


def _is_in(view, days, component, sub):
    in_place = component == TOTAL or (component == view.component and sub in {TOTAL, view.sub_component})
    return in_place and view.day in days


class Outcome(NamedTuple):
    """What is published in the end, each cell's status, and what was known when each period was published."""

    figures: dict
    statuses: dict
    known_then: dict


class _Told(NamedTuple):
    """As much of a release as the horizon of later periods looks at."""

    figures: dict
    overlaps: dict

    def view(self):
        return self.figures


def publish_all(site, cube, days, thresholds):
    """Protect every period that lies within the days, in order, each beside what was published before."""
    views, told = ReleasedViews(None, {}), Outcome({}, {}, {})
    for period in periods_of(days, cube.periods):
        if set(period.days) <= set(days):
            table = protect_one(site, cube, period, views.around(period), thresholds)
            views.add(period, _Told(table.view(), {}), "")
            told.figures.update(table.view())
            told.statuses.update(table.statuses)
            told.known_then[period.code] = {**table.context, **table.view()}
    return told


def protect_one(site, cube, period, around, thresholds):
    """Protect one period beside earlier ones."""
    return protect_period(
        site.cells(cube, period),
        history={key: known for view in around.values() for key, known in view.items()},
        relations=relations(cube, [period, *around]),
        pairs=nested_pairs(cube, period, dict.fromkeys(around, cube)),
        crowd=site,
        thresholds=thresholds,
    )


def days_from(first, number):
    """So many days from a first one."""
    return [first + timedelta(n) for n in range(number)]


def random_site(seed, cube, days, *, persons, busy=0.5, networks=6):
    """Persons who come on some days and see one or two places; some places are seldom seen, others never."""
    rng = random.Random(seed)
    leaves = [c for c in cube.categories if not any(c in cube.ancestors(x) for x in cube.categories)]
    weights = [rng.choice([0, 0.05, 0.3, 1, 3]) for _ in leaves]
    if not any(weights):
        weights[0] = 1
    found = []
    for number in range(persons):
        network, favour = f"n{rng.randrange(networks)}", rng.random() * 2 * busy
        for day in days:
            for visit in range((rng.random() < favour) + (rng.random() < favour / 4)):
                for component, sub in set(rng.choices(leaves, weights, k=rng.choice([1, 1, 2]))):
                    place = (component, None if sub == TOTAL else sub)
                    found.append(View(f"p{number}", network, day, visit, *place, rng.randint(1, 4)))
    return Site(found)


# Three components, one of them with two sub-components: the smallest tree in which everything can go wrong.
PLACES = {"shop": ("basket", OTHER), "news": (), OTHER: ()}
SMALL = Thresholds(minimum_persons=5, minimum_networks=1, protection_share=0.1)
STRICT = Thresholds(minimum_persons=5, minimum_networks=3, protection_share=0.1)
