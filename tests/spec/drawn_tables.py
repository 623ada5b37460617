"""A table drawn in a test → cells, protected with the package's own functions, and the statuses drawn back.

A drawing has one row per place (a component, or component/sub-component) and one column per day. What stands
in it are persons by number: `1-12` are twelve persons, `1-3,7` are four, `-` is nobody. The same number is the
same person. Unless a drawing says otherwise, each person makes one visit per day and place, views TEN pages in
it and has a network of their own. Totals are never drawn: they follow.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from usage_stats.config import TOTAL, Thresholds
from usage_stats.measure.cells import Counts
from usage_stats.measure.cube import Cube
from usage_stats.measure.nesting import nested_pairs
from usage_stats.measure.relations import CellKey, relations
from usage_stats.periods import parse_period, periods_of
from usage_stats.protect.protect import protect_period

FIVE = Thresholds(minimum_persons=5, minimum_networks=1, protection_share=0.1)
TEN = 10


class Drawing(NamedTuple):
    """Who was where on which day; answers as `Crowd` does, from sets of persons."""

    persons: dict[tuple[date, tuple[str, str]], frozenset[int]]
    cube: Cube
    days: tuple[date, ...]
    networks: dict[int, str]
    views: dict[tuple[date, tuple[str, str]], int]

    def behind(self, keys):
        """Distinct persons and networks behind the cells together."""
        found = frozenset().union(*(who for who, _ in self._inside(keys)))
        return len(found), len({self.networks.get(person, person) for person in found})

    def counts(self, key):
        inside = list(self._inside([key]))
        persons, networks = self.behind([key])
        by_day = {(spot[0], person) for who, spot in inside for person in who}
        views = sum(self.views.get(spot, TEN * len(who)) for who, spot in inside)
        return Counts(visitors=persons, visits=len(by_day), page_views=views, networks=networks)

    def _inside(self, keys):
        spots = {spot for key in keys for spot in self.persons if _holds(self.cube, key, spot)}
        return [(self.persons[spot], spot) for spot in spots]

    def cells(self, period):
        keys = [CellKey(period.code, *category) for category in self.cube.categories]
        return {key: self.counts(key) for key in keys}


def _holds(cube, key, spot):
    day, place = spot
    category = (key[1], key[2])
    return day in parse_period(key[0]).days and category in {place, *cube.ancestors(place)}


def draw(text, *, kinds=("day", "week", "month"), networks=None, views=None):
    """Read a drawing; `networks` says of which network persons are, `views` overrides page views of a spot."""
    header, *rows = [line.split() for line in text.strip().splitlines()]
    days = tuple(date.fromisoformat(code) for code in header[1:])
    places = [_place(row[0]) for row in rows]
    persons = {
        (day, place): _persons(drawn)
        for place, row in zip(places, rows, strict=True)
        for day, drawn in zip(days, row[1:], strict=True)
    }
    spots = {(date.fromisoformat(day), _place(place)): n for (day, place), n in (views or {}).items()}
    return Drawing(persons, _cube(places, kinds), days, networks or {}, spots)


def _place(text):
    component, _, sub = text.partition("/")
    return component, sub or TOTAL


def _persons(drawn):
    if drawn == "-":
        return frozenset()
    spans = [part.split("-") for part in drawn.split(",")]
    return frozenset(n for span in spans for n in range(int(span[0]), int(span[-1]) + 1))


def _cube(places, kinds):
    components = dict.fromkeys((component, TOTAL) for component, _ in places)
    tree = [((TOTAL, TOTAL), tuple(components))]
    for component in components:
        subs = tuple(p for p in places if p[0] == component[0] and p[1] != TOTAL)
        tree += [(component, subs)] if subs else []
    return Cube(parts_of=tuple(tree), periods=kinds)


def protect_all(drawing, thresholds=FIVE, *, upto=None):
    """The protected table of every period that lies within the drawing, in the order in which they end."""
    tables, released = {}, {}
    for period in periods_of(drawing.days, drawing.cube.periods):
        if set(period.days) <= set(drawing.days):
            around = [] if period.kind == "day" else list(released)
            tables[period.code] = released[period] = protect_period(
                drawing.cells(period),
                history={k: v for p in around for k, v in released[p].view().items()},
                relations=relations(drawing.cube, [period, *around]),
                pairs=nested_pairs(drawing.cube, period, dict.fromkeys(around, drawing.cube)),
                crowd=drawing,
                thresholds=thresholds,
            )
        if period.code == upto:
            break
    return tables


def statuses(drawing, period, thresholds=FIVE):
    """The statuses of one period by place, as they are drawn."""
    table = protect_all(drawing, thresholds, upto=period)[period]
    return {_name(key): status for key, status in table.statuses.items()}


def _name(key):
    return key.component if key.sub_component == TOTAL else f"{key.component}/{key.sub_component}"


def by_period(drawing, place, thresholds=FIVE):
    """The statuses of one place by period."""
    wanted = _place(place)
    return {c: t.statuses[CellKey(c, *wanted)] for c, t in protect_all(drawing, thresholds).items()}
