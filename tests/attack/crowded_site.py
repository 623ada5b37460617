"""A seed → three months of invented people's page views, as log lines and as they were, and a workspace for them.

Belongs here: who came when and from where, and who stands behind a set of published cells. Does not: attacking, and
anything of the package: people are counted here one by one.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from attacker import TOTAL, dates
from pooled_attacker import OF_ONE_CELL, OF_ONE_DAY

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# path → (component, sub-component), and how much it is asked for: much, some, hardly ever, never.
PLACES = {
    "/": ("home", None),
    "/shop/list/a": ("shop", "list"),
    "/shop/basket/x": ("shop", "basket"),
    "/shop/other": ("shop", "(other)"),
    "/docs/a": ("docs", None),
    "/press/kit": ("press", None),
    "/x": ("(other)", None),
    "/desk/a": ("desk", None),  # of one office alone, whose people come from one network
}
WEIGHTS = (30, 14, 1, 3, 12, 0.4, 2, 0)
OFFICE = 0
REFERRERS = {"-": "direct", "https://www.google.com/": "search", "https://t.co/a": "social"}
COMPONENTS = [
    {"name": "home", "paths": ["/"]},
    {
        "name": "shop",
        "paths": ["/shop/**"],
        "sub_components": [
            {"name": "list", "paths": ["/shop/list/**"]},
            {"name": "basket", "paths": ["/shop/basket/**"]},
        ],
    },
    {"name": "docs", "paths": ["/docs/**"]},
    {"name": "press", "paths": ["/press/**"]},
    {"name": "desk", "paths": ["/desk/**"]},
]
TABLES = {
    "components": {"dimensions": ["component", "sub_component"]},
    "hours": {"dimensions": ["hour", "weekday"], "periods": ["month"]},
    "ways": {"dimensions": ["component", "referrer"], "periods": ["week", "month"]},
    "doors": {"dimensions": ["entry_component"], "periods": ["day", "week", "month"]},
    "how_often": {"dimensions": ["visit_frequency"], "periods": ["week", "month"]},
    "newcomers": {"dimensions": ["visitor_type"], "periods": ["day"]},
}
# Three partners who each have something that the others lack, and all have the weeks of components.
PARTNERS = [
    {"id": "alpha", "tables": ["components", "newcomers", "doors"]},
    {"id": "beta", "tables": ["components", "ways", "how_often"], "periods": ["week", "month"]},
    {"id": "gamma", "tables": ["components", "hours", "doors", "how_often"], "periods": ["week", "month"]},
]
PERSONS, NETWORKS, SHARE = 5, 2, 0.1
USES = ["internal_aggregate", "partner_aggregate"]


class View(NamedTuple):
    """One page view: whose, when, where; and the visit's number on that day, its referrer and first component."""

    person: int
    network: int
    at: datetime
    path: str
    visit: int
    referrer: str
    entry: str

    @property
    def day(self):
        return self.at.date()


def people_of(seed, first, days, *, people=220):
    """All page views. Few come often, many now and then; an office shares a network; some places are seldom seen."""
    rng = random.Random(seed)
    views = []
    for person in range(people):
        network = rng.randrange(1, people // 3) if rng.random() < 0.9 else OFFICE
        habit, taste = rng.choice([0.02, 0.1, 0.3, 0.7]), [w * rng.choice([0.3, 1, 3]) for w in WEIGHTS]
        taste[-1] = 40 if network == OFFICE else 0
        for number in range(days):
            for visit in range((rng.random() < habit) + (rng.random() < habit / 5)):
                day = datetime.combine(first + timedelta(number), time(), UTC)
                views += _visit(rng, person, network, day, visit, taste)
    return views


def _visit(rng, person, network, day, visit, taste):
    """In the morning or in the evening, hours apart from the other one; never over midnight."""
    at = day + timedelta(hours=rng.choice([8, 9, 9, 10]) + 9 * visit, minutes=rng.randrange(50))
    referrer = rng.choice(["-", "-", "https://www.google.com/", "https://t.co/a"])
    paths = rng.choices(list(PLACES), taste, k=rng.choice([1, 1, 2, 3, 5]))
    return [
        View(
            person, network, at + timedelta(minutes=n), path, visit, REFERRERS[referrer], PLACES[paths[0]][0]
        )
        for n, path in enumerate(paths)
    ]


def few_with_much(first, days):
    """Everybody is in one place; a few of them view many pages in two more, so that no interval is narrow there."""
    views = []
    for number in range(days):
        day = datetime.combine(first + timedelta(number), time(9), UTC)
        for person in range(40):
            paths = ["/shop/list/a"] * 2 + (["/docs/a", "/press/kit"] * 15 if person < PERSONS - 1 else [])
            views += [
                View(person, person + 1, day + timedelta(minutes=n), path, 0, "direct", "shop")
                for n, path in enumerate(paths)
            ]
    return views


def lines_of(views):
    """Their log, in the order of time; a cookie tells a person."""
    said = {word: text for text, word in REFERRERS.items()}
    return "".join(
        f"10.{v.network // 200}.{v.network % 200}.7 - - [{v.at:%d/%b/%Y:%H:%M:%S} +0000] "
        f'"GET {v.path} HTTP/1.1" 200 5 "{said[v.referrer]}" "{AGENT}" "c{v.person}"\n'
        for v in sorted(views, key=lambda v: (v.at, v.person))
    ).encode()


def write_workspace(root, *, tables=tuple(TABLES), **settings):
    """Settings for such logs, with some of the tables."""
    (root / "logs").mkdir(parents=True)
    shown = {name: TABLES[name] for name in tables}
    partners = [{**p, "tables": [name for name in p["tables"] if name in shown]} for p in PARTNERS]
    base = {
        "site": "crowded",
        "sources": [{"name": "web", "format": "combined_cookie", "cookie": "visitor"}],
        "components": COMPONENTS,
        "tables": shown,
        "partners": [p for p in partners if p["tables"]],
        "thresholds": {"minimum_persons": PERSONS, "minimum_networks": NETWORKS, "protection_share": SHARE},
    }
    (root / "usage_stats.yaml").write_text(json.dumps(base | settings))
    versions = [{"version": "1", "effective": "2010-01-01", "uses": USES}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


class Behind:
    """Who stands behind published cells, by looking at every page view."""

    def __init__(self, views):
        self._of_day = defaultdict(list)
        for view in views:
            self._of_day[view.day].append(view)
        self._known = {}

    def __call__(self, keys):
        """Distinct persons and networks over all the cells."""
        seen = [view for key in keys for view in self._in(key)]
        return len({v.person for v in seen}), len({v.network for v in seen})

    def figures(self, key):
        """What should be published of a cell: visitors, visits, page views."""
        seen = self._in(key)
        return len({v.person for v in seen}), len({(v.person, v.day, v.visit) for v in seen}), len(seen)

    def _in(self, key):
        if key not in self._known:
            self._known[key] = self._look(key)
        return self._known[key]

    def _look(self, key):
        period, component, sub, *pairs = key
        by = dict(pairs)
        often, kind = by.pop(OF_ONE_CELL, None), by.pop(OF_ONE_DAY, None)
        seen = [v for day in dates(period) for v in self._of_day[day] if _fits(v, component, sub, by)]
        if often:
            visits = Counter(person for person, _, _ in {(v.person, v.day, v.visit) for v in seen})
            seen = [v for v in seen if _is_in_bin(visits[v.person], often)]
        if kind:
            (day,) = dates(period)
            before = {v.person for n in range(day.weekday()) for v in self._of_day[day - timedelta(n + 1)]}
            seen = [v for v in seen if (v.person in before) == (kind == "returning")]
        return seen


def _is_in_bin(visits, code):
    numbers = [int(word) for word in code.split() if word.isdigit()]
    return numbers[0] <= visits and ("more" in code or visits <= numbers[-1])


def _fits(view, component, sub, by):
    place = PLACES[view.path]
    codes = {
        "hour": f"{view.at:%H}",
        "weekday": str(view.at.isoweekday()),
        "referrer": view.referrer,
        "entry_component": view.entry,
    }
    inside = component == TOTAL or (component == place[0] and sub in {TOTAL, place[1]})
    return inside and all(codes[name] == code for name, code in by.items())
