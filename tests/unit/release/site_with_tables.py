"""Page views of people who never were → the releases of a small site with several tables, counted one by one.

Nothing is protected as the real job does it: rows about fewer than ten persons are withheld, that is all. Counting is
the plainest there is, so that what is read from files can be held against it.
"""

import random
from collections import defaultdict
from datetime import date, timedelta
from itertools import product

from usage_stats.config import TOTAL, Config, Thresholds
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.cube import Cube, by_of, written
from usage_stats.measure.table_spec import breakdowns_of, codes_of, cube_of, further_categories
from usage_stats.periods import periods_of
from usage_stats.release.gate import Facts, Release

FIRST, LAST = date(2026, 2, 23), date(2026, 4, 30)  # two whole months, ten weeks but for the last one's end
COMPONENTS = [
    {"name": "home", "paths": ["/"]},
    {
        "name": "docs",
        "paths": ["/docs/**"],
        "sub_components": [
            {
                "name": "guides",
                "paths": ["/docs/guides/**"],
                "sub_components": [{"name": "install", "paths": ["/docs/guides/install/**"]}],
            },
            {"name": "reference", "paths": ["/docs/reference/**"]},
        ],
    },
    {"name": "jobs", "paths": ["/jobs"]},
]
# (component, path of its part): how often it is viewed
PLACES = {
    ("home", TOTAL): 40,
    ("docs", "guides/install"): 25,
    ("docs", "guides/(other)"): 10,
    ("docs", "reference"): 10,
    ("docs", "(other)"): 8,
    ("jobs", TOTAL): 1,  # hardly anybody: withheld
    ("(other)", TOTAL): 6,
}
WITH_PARTS = {"docs": [("guides",), ("reference",), ("(other)",)]}


def config_with(tables, **settings):
    """The site's settings."""
    return Config(site="invented", components=COMPONENTS, tables=tables, **settings)


def page_views(seed=20260223):
    """Every page view: when, by whom, in which visit, where, and the codes of the visit."""
    draw, found = random.Random(seed), []
    people = [(f"p{n}", draw.choice(["desktop", "phone"]), draw.random() ** 2) for n in range(420)]
    day, visit = FIRST, 0
    while day <= LAST:
        for who, device, keen in people:
            for _ in range((draw.random() < 0.05 + 0.3 * keen) + (draw.random() < 0.05)):
                visit += 1
                found += _visit(draw, (who, day, visit, device))
        day += timedelta(1)
    return found


def _visit(draw, of):
    who, day, visit, device = of
    number = draw.choice([1, 1, 2, 3, 6, 12])
    places = draw.choices(list(PLACES), weights=list(PLACES.values()), k=number)
    hour = draw.randrange(8, 22)
    codes = {
        "device": device,
        "referrer": draw.choice(["direct", "search", "search", "social"]),
        "entry_component": places[0][0],
        "visit_depth": _bin("visit_depth", number),
        "visit_duration": _bin("visit_duration", (number - 1) * 37),
    }
    when = {"day": day, "hour": f"{hour:02}", "weekday": str(day.isoweekday())}
    return [
        {"visitor": who, "visit": visit, "component": c, "sub_component": s, **when, **codes}
        for c, s in places
    ]


def _bin(name, number):
    """The code of the bin that a number is in."""
    bins, codes = DIMENSIONS[name].bins, DIMENSIONS[name].codes
    return max((low, code) for low, code in zip(bins, codes, strict=True) if low <= number)[1]


def releases_of(config, views, *, without=(), gaps=None, shown_from=None):
    """A release of each whole period, but those left out.

    `gaps`: period code → how many of its days have no log lines. `shown_from`: the day from which on figures are broken
    down beyond components.

    """
    cube = cube_of(config)
    days = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
    whole = [p for p in periods_of(days, cube.periods) if p.first >= FIRST and p.last <= LAST]
    plain = Cube(cube.parts_of, cube.periods)
    releases = []
    for period in whole:
        if period.code in without:
            continue
        shown = breakdowns_of(config, period.kind) if not shown_from or period.first >= shown_from else ()
        categories = (*plain.components, *further_categories(plain, shown, codes_of(config)))
        mine = [view for view in views if period.first <= view["day"] <= period.last]
        missing = tuple(d.isoformat() for d in period.days[: (gaps or {}).get(period.code, 0)])
        releases.append(_release(config, period, categories, _with_persons_codes(period, mine), missing))
    return releases


def _with_persons_codes(period, views):
    """Page views with how often their visitor came in the period, and whether it came before in the week."""
    visits, first = defaultdict(set), {}
    for view in views:
        visits[view["visitor"]].add(view["visit"])
        key = view["visitor"], view["day"].isocalendar()[:2]
        first[key] = min(first.get(key, view["day"]), view["day"])
    return [
        view
        | {
            "visit_frequency": _bin("visit_frequency", len(visits[view["visitor"]])),
            "visitor_type": "new" if int(view["visitor"][1:]) % 3 else "returning",
        }
        for view in views
    ]


def _release(config, period, categories, views, missing):
    cells = defaultdict(lambda: (set(), set(), []))
    dimensions = {tuple(by_of(category)) for category in categories}
    for view in views:
        for place, names in product(_places(view), dimensions):
            by = "|".join(f"{name}={view[name]}" for name in names)
            persons, visits, all_views = cells[*place, by]
            persons.add(view["visitor"])
            visits.add(view["visit"])
            all_views.append(view)
    minimum = config.thresholds.minimum_persons
    rows = []
    for category in categories:
        figures = tuple(map(len, cells[written(category)]))
        hidden = 0 < figures[0] < minimum
        told = "incomplete" if missing else "published"
        shown = ((None,) * 3, "suppressed") if hidden else (figures, told)
        rows.append((period.code, *written(category), *shown[0], shown[1]))
    facts = Facts(
        site=config.site,
        time_zone="Europe/Berlin",
        thresholds=Thresholds(),
        policy_versions=("1",),
        identity_basis_shares=None,
        robot_lists="list 1",
        software="usage-stats 0",
        days_without_lines=missing,
    )
    return Release(period, tuple(rows), facts)


def _places(view):
    """The site, the component, and each part of it that the page view is in."""
    component, path = view["component"], view["sub_component"]
    yield TOTAL, TOTAL
    yield component, TOTAL
    steps = path.split("/") if path != TOTAL else []
    for depth in range(1, len(steps) + 1):
        yield component, "/".join(steps[:depth])
