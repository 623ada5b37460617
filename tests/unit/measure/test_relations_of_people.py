"""Whatever people do on a site: every relation, and every pair of nested cells, is true of who did it."""

import random
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

import pytest

from usage_stats.config import OTHER, TOTAL, Config
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.cube import Cube, by_of
from usage_stats.measure.folding import folded, stored_as
from usage_stats.measure.nesting import nested_pairs, nested_tails
from usage_stats.measure.relations import (
    MEASURES,
    CellKey,
    constraints,
    overlaps_within,
    relations_between,
)
from usage_stats.measure.table_spec import breakdowns_of, codes_of, cube_of, further_categories
from usage_stats.periods import parse_period, periods_of, week

FIRST = date(2026, 2, 23)  # a Monday: five whole weeks, the whole of March and the end of February
DAYS = [FIRST + timedelta(n) for n in range(37)]
PART = {"paths": ["/a"]}
COMPONENTS = [
    {
        "name": "shop",
        "paths": ["/s"],
        "sub_components": [
            {
                "name": "guides",
                **PART,
                "sub_components": [{"name": "install", **PART}, {"name": "use", **PART}],
            },
            {"name": "basket", **PART},
        ],
    },
    {"name": "news", **PART},
]
TABLES = {
    "components": {"dimensions": ["component", "sub_component"]},
    "hours": {"dimensions": ["component", "hour"], "periods": ["day"]},
    "countries": {"dimensions": ["component", "sub_component", "country"]},
    "devices": {"dimensions": ["country", "device"]},
    "weekdays": {"dimensions": ["component", "weekday"]},
    "country_weekdays": {"dimensions": ["weekday", "country"]},
    "types": {"dimensions": ["component", "visitor_type"]},
    "depth": {"dimensions": ["component", "visit_depth"]},
    "frequency": {"dimensions": ["component", "country", "visit_frequency"]},
}
CONFIG = Config(
    site="s", components=COMPONENTS, tables=TABLES, country_table="c.mmdb", countries=["DE", "FR"]
)
CODES = codes_of(CONFIG)
FOLDED = {"visit_depth": ("1", "2", "3 or more"), "visit_frequency": ("1", "2", "3 to 4", "5 or more")}
LEAVES = [("shop", "guides/install"), ("shop", "guides/(other)"), ("shop", "basket"), ("shop", OTHER)]
LEAVES += [("news", TOTAL), (OTHER, TOTAL)]


class View(NamedTuple):
    """A page view, with what is said of its visit."""

    person: int
    of: date
    visit: int
    place: tuple[str, str]
    by: dict[str, str]


def _views(seed, *, people=30):
    """What people with habits of their own view."""
    rng, found, visits = random.Random(seed), [], 0
    for person in range(people):
        for of in rng.sample(DAYS, rng.choice([1, 2, 3, 12])):
            for _ in range(rng.choice([1, 1, 2, 3])):
                visits += 1
                number = rng.choice([1, 1, 2, 3, 7])
                of_visit = {
                    "country": rng.choice(["DE", "DE", "FR", "(other)"]),
                    "device": rng.choice(["phone", "desktop"]),
                    "visit_depth": "3 or more" if number > 2 else str(number),
                }
                for _ in range(number):
                    by = {**of_visit, "hour": rng.choice(["00", "09", "23"]), "weekday": str(of.isoweekday())}
                    found.append(View(person, of, visits, rng.choice(LEAVES), by))
    return _with_types(found)


def _with_types(views):
    """Whether each visitor was on the site earlier in the week."""
    seen = {(v.person, v.of) for v in views}
    for view in views:
        earlier = [week(view.of).first + timedelta(n) for n in range(view.of.weekday())]
        returns = any((view.person, of) in seen for of in earlier)
        view.by["visitor_type"] = "returning" if returns else "new"
    return views


def _lies_in(place, component):
    name, path = component
    return name in {TOTAL, place[0]} and (
        path == TOTAL or path == place[1] or place[1].startswith(f"{path}/")
    )


def _in_cell(views, key):
    """The page views of a cell, by the definition of each dimension."""
    period, by = parse_period(key.period), by_of(key.category)
    often = by.pop("visit_frequency", None)
    found = [
        v
        for v in views
        if period.first <= v.of <= period.last
        and _lies_in(v.place, key.category[:2])
        and by.items() <= v.by.items()
    ]
    if often is None:
        return found
    visits = {}
    for view in found:
        visits.setdefault(view.person, set()).add(view.visit)
    return [v for v in found if _bin(len(visits[v.person])) in stored_as("visit_frequency", often)]


def _bin(number):
    ends = DIMENSIONS["visit_frequency"].bins
    return DIMENSIONS["visit_frequency"].codes[max(n for n, end in enumerate(ends) if number >= end)]


def _cube(kind):
    tree = Cube(cube_of(CONFIG).parts_of, cube_of(CONFIG).periods)
    plain = Cube(tree.parts_of, tree.periods, further_categories(tree, breakdowns_of(CONFIG, kind), CODES))
    return folded(plain, FOLDED)


CUBES = {kind: _cube(kind) for kind in ("day", "week", "month")}


@pytest.fixture(scope="module")
def periods():
    """Days, weeks and months of all the days; the months lack some."""
    return {p: CUBES[p.kind] for p in periods_of(DAYS, ("day", "week", "month"))}


@pytest.fixture(scope="module", params=range(3))
def people(request, periods):
    """The page views of every cell."""
    views = _views(request.param)
    keys = [CellKey(p.code, *category) for p, cube in periods.items() for category in cube.categories]
    by_period = {p.code: [v for v in views if p.first <= v.of <= p.last] for p in periods}
    return {key: _in_cell(by_period[key.period], key) for key in keys}


def _figures(views):
    return {
        "visitors": len({v.person for v in views}),
        "visits": len({v.visit for v in views}),
        "page_views": len(views),
    }


def _guessed(people, periods):
    visitors = {key: _figures(views)["visitors"] for key, views in people.items()}
    return {k: n for p, cube in periods.items() for k, n in overlaps_within(p, cube, visitors).items()}


@pytest.mark.parametrize("missing", [(), ("2026-03-04", "2026-03-15")], ids=["all days", "two not released"])
def test_every_relation_is_true(people, periods, missing):
    """Parts and wholes along components, days, weekdays, codes and bins: each constraint holds."""
    before = frozenset(date(2026, 2, n) for n in range(1, 23))  # nothing was measured yet
    some = {p: cube for p, cube in periods.items() if p.code not in missing}
    found = relations_between(some, empty_days=before, overlaps=_guessed(people, periods))
    figures = {key: _figures(views) for key, views in people.items()}
    wrong = [
        constraint
        for constraint in constraints(found, figures)
        if not constraint.low
        <= sum(factor * figures[v.cell][v.measure] for v, factor in constraint.terms)
        <= constraint.high
    ]

    assert [] == wrong[:3]
    assert {"category", "period", "first_day", "weekday", "country", "visit_frequency"} <= {
        r.dimension for r in found
    }
    assert set(MEASURES) == set(next(iter(figures.values())))


def test_every_part_of_a_relation_lies_in_its_whole(people, periods):
    """As sets of page views: and complete parts leave none out."""
    before = frozenset(date(2026, 2, n) for n in range(1, 23))
    for relation in relations_between(periods, empty_days=before):
        whole = {id(v) for v in people[relation.whole]}
        parts = [{id(v) for v in people[part]} for part in relation.parts]

        assert all(part <= whole for part in parts), relation
        if relation.complete:
            assert whole == set().union(*parts), relation


def test_every_pair_is_nested(people, periods):
    """Whoever is in the part is in the whole."""
    for period, cube in periods.items():
        for part, whole in nested_pairs(cube, period, periods):
            assert _persons(people[part]) <= _persons(people[whole]), (part, whole)


def test_every_pair_of_tails_is_nested(people, periods):
    """Who came so often to a part, or in a week, came as often to the whole: in its month, and on the whole site."""
    found = [pair for p, cube in periods.items() for pair in nested_tails(cube, p, periods)]
    kinds = {(len(part.period), len(whole.period)) for part, whole in found}

    assert all(_persons(people[part]) <= _persons(people[whole]) for part, whole in found)
    assert {(8, 8), (7, 7), (8, 7)} == kinds, "within weeks, within months, and weeks within months"


def _persons(views):
    return {v.person for v in views}


def _is_surely_inside(part, whole):
    """By what the dimensions mean: the same codes or more, in the same component or deeper, in time and in space."""
    inner, outer = parse_period(part.period), parse_period(whole.period)
    mine, its = by_of(part.category), by_of(whole.category)
    if inner.kind == "day":
        mine["weekday"] = str(inner.first.isoweekday())
    if "visit_frequency" in its:
        return part == whole
    in_space = _lies_in(part.category[:2], whole.category[:2])
    return outer.covers(inner) and in_space and its.items() <= mine.items()


def test_no_nested_pair_is_forgotten(periods):
    """A part with a code, a component or a day of its own is in every whole that lacks it."""
    of = next(p for p in periods if p.kind == "week")
    for period in (of, next(p for p in periods if p.code == "2026-03")):
        inside = {p: cube for p, cube in periods.items() if period.covers(p) and p.first.day in {2, 3}}
        cells = [
            CellKey(p.code, *c)
            for p, cube in {**inside, period: CUBES[period.kind]}.items()
            for c in cube.categories
        ]
        wholes = [key for key in cells if key.period == period.code]
        expected = {
            pair for pair in product(cells, wholes) if pair[0] != pair[1] and _is_surely_inside(*pair)
        }

        assert expected == set(nested_pairs(CUBES[period.kind], period, inside))
