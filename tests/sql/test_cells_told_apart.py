"""Cells along further dimensions, and the crowds behind them, against plain Python over the page views themselves."""

import random
from collections import defaultdict
from dataclasses import astuple
from datetime import date, timedelta

import pytest
from invented_events import UTC_ZONE, event, page_views, usage

from usage_stats.config import Config
from usage_stats.dimensions import DIMENSIONS
from usage_stats.flow.workspace import write_restricted
from usage_stats.measure import cells as cells_module
from usage_stats.measure.cells import UsageFiles, period_cells
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.cube import Cube, by_of, without
from usage_stats.measure.folding import folded, stored_as, stored_categories
from usage_stats.measure.relations import CellKey
from usage_stats.measure.table_spec import breakdowns_of, codes_of, cube_of, further_categories
from usage_stats.measure.visited import visited_by_arrays
from usage_stats.periods import day, month, parse_period, week
from usage_stats.robot_settings import RobotSettings

MONDAY = date(2026, 3, 23)
DAYS = [MONDAY + timedelta(n) for n in range(10)]  # a week and three days, of two months
COMPONENTS = [
    {
        "name": "shop",
        "paths": ["/s"],
        "sub_components": [
            {"name": "guides", "paths": ["/g"], "sub_components": [{"name": "install", "paths": ["/i"]}]}
        ],
    },
    {"name": "news", "paths": ["/n"]},
]
TABLES = {
    "a": {"dimensions": ["component", "country", "weekday"]},
    "b": {"dimensions": ["component", "sub_component", "visit_frequency"]},
    "c": {"dimensions": ["country", "visit_frequency"]},
    "d": {"dimensions": ["component", "country", "visitor_type"]},
    "e": {"dimensions": ["component", "visit_depth"]},
    "f": {"dimensions": ["visit_depth", "visit_duration"]},
    "g": {"dimensions": ["visit_depth", "weekday"]},
    "h": {"dimensions": ["visit_depth", "visitor_type"]},
    "i": {"dimensions": ["visit_depth", "visit_frequency"]},
}
CONFIG = Config(
    site="s", components=COMPONENTS, tables=TABLES, country_table="c.mmdb", countries=["FR", "DE"]
)
STORED = cube_of(CONFIG)
FOLDED = {
    "visit_depth": ("1", "2", "3 or more"),
    "visit_duration": ("under 1 min", "1 min or more"),
    "visit_frequency": ("1", "2", "3 to 4", "5 or more"),
}
PLACES = [("shop", "guides/install"), ("shop", "guides/(other)"), ("shop", "(other)"), ("news", None)]
ROBOTS = RobotSettings(maximum_rate=10**6, without_assets_from=10**6, error_share_from=10**6)
BUCKETS = 1 << 16
PERIODS = [day(DAYS[0]), day(DAYS[3]), day(DAYS[8]), week(MONDAY), week(DAYS[8]), month(MONDAY)]


def _cube(kind, codes=FOLDED):
    plain = Cube(STORED.parts_of, ())
    further = further_categories(plain, breakdowns_of(CONFIG, kind), codes_of(CONFIG))
    return folded(Cube(STORED.parts_of, (), further), codes)


def _rows(of, rng):
    rows = []
    for person in rng.sample(range(14), 8):
        for _ in range(rng.choice([1, 1, 2, 4])):
            start, said = rng.randrange(80_000), {"country": rng.choice(["FR", "DE", None])}
            networks = [person % 4, person % 3 + BUCKETS, 2**64 - 1]
            for n in range(rng.choice([1, 1, 2, 4])):
                place = rng.choice(PLACES)
                rows.append(
                    event(start + 40 * n, person, network=rng.choice(networks), place=place, day=of) | said
                )
    return rows


@pytest.fixture(scope="module", params=range(2))
def site(request, tmp_path_factory):
    """Page views with their visits and codes, and the usage files made of them."""
    rng, root, views, paths = random.Random(request.param), tmp_path_factory.mktemp("usage"), [], {}
    for of in DAYS:
        rows = _rows(of, rng)
        views += _told(of, rows)
        of_week = usage(rows, STORED, of=of, robots=ROBOTS, with_buckets=True).by_window["week"]
        for table in ("component_day", "network_day"):
            paths[table, of] = root / f"{of}-{table}.parquet"
            write_restricted(getattr(of_week, table), paths[table, of])
    return views, paths


def _told(of, rows):
    visited = visited_by_arrays(page_views(rows), _nobody(), STORED, UTC_ZONE)
    for n, place in enumerate(visited.codes["component"].tolist()):
        names = [name for name in visited.codes if name != "component"]
        by = {name: STORED.codes[name][visited.codes[name][n]] for name in names}
        visit = (of, int(visited.visit[n]))
        yield {
            "person": int(visited.person[n]),
            "network": int(visited.network[n]),
            "visit": visit,
            "of": of,
            "place": STORED.components[place],
            "by": by | {"weekday": str(of.isoweekday())},
        }


def _nobody():
    return page_views([])["person"]


def _files(site, period):
    _, paths = site
    since = [of for of in DAYS if week(period.first).first <= of < period.first]
    of_period = [of for of in DAYS if period.first <= of <= period.last]
    persons, networks = (
        tuple(paths[table, of] for of in of_period) for table in ("component_day", "network_day")
    )
    return UsageFiles(persons, networks, tuple(paths["component_day", of] for of in since))


def _is_in(view, category):
    """Whether a page view counts in a stored category, derived codes aside."""
    (component, path), (name, part) = view["place"], category[:2]
    inside = name in {"_T", component} and (part in {"_T", path} or path.startswith(f"{part}/"))
    return inside and by_of(category).items() <= view["by"].items()


def _views_of(views, period, category):
    """The page views of a published category, by the definitions; the person's code where it is about persons."""
    by = by_of(category)
    base = without(without(category, "visitor_type"), "visit_frequency")
    within = [v for v in views if period.first <= v["of"] <= period.last]
    found = [v for v in within if any(_is_in(v, stored) for stored in stored_categories(base))]
    if "visitor_type" in by:
        first = week(period.first).first
        before = {v["person"] for v in views if first <= v["of"] < period.first}
        return [v for v in found if (v["person"] in before) == (by["visitor_type"] == "returning")]
    if "visit_frequency" in by:
        visits = defaultdict(set)
        for v in found:
            visits[v["person"]].add(v["visit"])
        often = stored_as("visit_frequency", by["visit_frequency"])
        return [v for v in found if _bin(len(visits[v["person"]])) in often]
    return found


def _bin(visits):
    ends = DIMENSIONS["visit_frequency"].bins
    return DIMENSIONS["visit_frequency"].codes[max(n for n, low in enumerate(ends) if low <= visits)]


def _buckets(views, category):
    """The least bucket of each person's networks, by day and stored category: as much as is kept of them."""
    base, least = without(without(category, "visitor_type"), "visit_frequency"), {}
    for v in views:
        for stored in stored_categories(without(base, "weekday")):
            if _is_in(v, stored):
                key = (v["person"], v["of"], stored)
                least[key] = min(least.get(key, BUCKETS), v["network"] % BUCKETS)
    return set(least.values())


def _networks(views, category):
    if not {"visitor_type", "visit_frequency"}.isdisjoint(by_of(category)):
        return _buckets(views, category)
    return {v["network"] for v in views}


def _figures(views, category):
    persons, visits = ({(v[name], v["person"]) for v in views} for name in ("person", "visit"))
    return len(persons), len(visits), len(views), len(_networks(views, category))


@pytest.mark.parametrize("limit", [0, 10**9], ids=["arrays", "models"])
@pytest.mark.parametrize("period", PERIODS, ids=lambda p: p.code)
def test_cells_are_what_their_dimensions_say(site, period, limit, monkeypatch):
    """Each cell of each kind of period: weekdays, new and returning, how often, folded bins; zeros included."""
    monkeypatch.setattr(cells_module, "LARGE_PERIOD", limit)
    cube = _cube(period.kind)
    found = period_cells(cube, period, _files(site, period))
    expected = {}
    for category in cube.categories:
        views = _views_of(site[0], period, category)
        expected[CellKey(period.code, *category)] = _figures(views, category)

    assert expected == {key: astuple(counts)[:4] for key, counts in found.items()}
    told = {name for c in cube.categories for name in by_of(c)}
    assert ({"visitor_type"} if period.kind == "day" else {"weekday", "visit_frequency"}) <= told


@pytest.mark.parametrize("period", PERIODS, ids=lambda p: p.code)
def test_unfolded_bins_are_counted_too(site, period):
    """Every stored code by itself."""
    cube = _cube(period.kind, {})
    found = period_cells(cube, period, _files(site, period))
    expected = {CellKey(period.code, *c): _figures(_views_of(site[0], period, c), c) for c in cube.categories}

    assert expected == {key: astuple(counts)[:4] for key, counts in found.items()}


@pytest.mark.parametrize("period", PERIODS, ids=lambda p: p.code)
def test_crowds_are_unions_over_cells_of_any_kind(site, period):
    """Persons once, whatever their cells; of networks no more than is kept where a cell is about persons."""
    cube, crowd, rng = _cube(period.kind), Crowd(_files(site, period)), random.Random(period.code)
    for _ in range(60):
        chosen = rng.sample(cube.categories, rng.choice([1, 2, 3]))
        views = {c: _views_of(site[0], parse_period(period.code), c) for c in chosen}
        persons = {v["person"] for some in views.values() for v in some}
        of_persons = any(not {"visitor_type", "visit_frequency"}.isdisjoint(by_of(c)) for c in chosen)
        count = _buckets if of_persons else _networks
        networks = set().union(*(count(some, c) for c, some in views.items()))

        assert (len(persons), len(networks)) == crowd.behind(CellKey(period.code, *c) for c in chosen)


def test_the_days_of_a_week_are_new_to_each_visitor_once(site):
    """Whoever is new on a day was not there before in the week: the sum over its days is the week's visitors."""
    new = ("_T", "_T", "visitor_type=new")
    days = [day(of) for of in DAYS[:7]]
    found = [period_cells(_cube("day"), of, _files(site, of))[CellKey(of.code, *new)] for of in days]
    whole = period_cells(_cube("week"), week(MONDAY), _files(site, week(MONDAY)))
    visitors = whole[CellKey(week(MONDAY).code, "_T", "_T")].visitors

    assert visitors == sum(counts.visitors for counts in found)
