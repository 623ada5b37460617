"""The log files as text → counted again in plain Python, with nothing of the generator's.

Belongs here: a second reading of the definitions, from the lines themselves.
Does not: the generator's entities, or the pipeline's code.
"""

import gzip
import ipaddress
import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from crawleruseragents import is_crawler

from usage_stats.config import DEFAULT_ASSETS, load_config

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"
QUOTED = r'"((?:[^"\\]|\\.)*)"'
LINE = re.compile(rf"(\S+) \S+ (\S+) \[([^]]+)\] {QUOTED} (\d{{3}}) (?:\d+|-) {QUOTED} {QUOTED} {QUOTED}")
HTTP = re.compile(r"([A-Z]+) (\S+) HTTP/\d\.\d")
MEASURES = ("visitors", "visits", "page_views", "networks")


class View(NamedTuple):
    """A page view as read off its line."""

    identity: tuple[str, ...]
    at: datetime
    component: str
    sub_component: str
    network: str


def _glob(pattern):
    """A path pattern of the configuration as a regular expression."""
    whole_rest = pattern.endswith("/**")
    text = re.escape(pattern.removesuffix("/**")).replace(r"\*", "[^/]+")
    return re.compile(text + ("(?:/.*)?" if whole_rest else ""))


def _first(rules, path):
    return next((r.name for r in rules if any(_glob(p).fullmatch(path) for p in r.paths)), "(other)")


def _category(config, path):
    component = _first(config.components, path)
    subs = next((c.sub_components for c in config.components if c.name == component), ())
    return component, _first(subs, path) if subs else "_T"


def _network(address):
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((address, 24 if ip.version == 4 else 48), strict=False))


def _identity(address, account, agent, cookie):
    if account != "-":
        return ("account", account)
    if cookie != "-":
        return ("cookie", cookie)
    is_ipv4 = ipaddress.ip_address(address).version == 4
    host = address if is_ipv4 else str(ipaddress.ip_network((address, 64), strict=False))
    return ("address", host, agent)


def _fields(raw):
    """The fields of a readable line, or None."""
    try:
        found = LINE.fullmatch(raw.decode("ascii"))
        return found and (datetime.strptime(found[3], "%d/%b/%Y:%H:%M:%S %z"), found.groups())
    except ValueError:  # no text, or no such day
        return None


def _is_page(path):
    name = path.rsplit("/", 1)[-1]
    return "." not in name or name.rsplit(".", 1)[1].lower() not in DEFAULT_ASSETS


class Recount:
    """All files read line by line."""

    def __init__(self, files):
        self.lines, self.parsed, self.robots, self.malformed = Counter(), Counter(), 0, 0
        self.views, self._robot, self._category = [], {"": True, "-": True}, {}
        self.config = load_config(SAMPLE)
        for file in files:
            for raw in gzip.decompress(file.read_bytes()).removesuffix(b"\n").split(b"\n"):
                self._line(file.name, raw)

    def _line(self, name, raw):
        self.lines[name] += 1
        fields = _fields(raw)
        if fields is None:
            return
        self.parsed[name] += 1
        at, (address, account, _, request, status, _, agent, cookie) = fields
        if agent not in self._robot:
            self._robot[agent] = is_crawler(agent) or "bot" in agent.lower()
        http = HTTP.fullmatch(request)
        self.robots += self._robot[agent]
        self.malformed += http is None
        if http and http[1] == "GET" and not self._robot[agent] and re.fullmatch("2..|304", status):
            path = http[2].partition("?")[0]
            if _is_page(path):
                category = self._category.setdefault(path, None) or _category(self.config, path)
                self._category[path] = category
                who = _identity(address, account, agent, cookie)
                self.views.append(View(who, at, *category, _network(address)))


def _numbered_visits(views):
    """Each page view with the visit it belongs to."""
    by_identity = defaultdict(list)
    for view in views:
        by_identity[view.identity].append(view)
    for identity, own in by_identity.items():
        own.sort(key=lambda v: v.at)
        number = 0
        yield own[0], (identity, 0)
        for before, view in pairwise(own):
            if (view.at - before.at).total_seconds() > 1800 or view.at.date() != before.at.date():
                number += 1
            yield view, (identity, number)


def _figures(views):
    """Period, component, sub-component → visitors, visits, page views, networks."""
    seen = defaultdict(lambda: (set(), set(), Counter(), set()))
    for view, visit in _numbered_visits(views):
        year, week, _ = view.at.date().isocalendar()
        periods = {f"{view.at:%Y-%m-%d}", f"{year}-W{week:02}", f"{view.at:%Y-%m}"}
        categories = {("_T", "_T"), (view.component, "_T"), (view.component, view.sub_component)}
        for key in ((p, *c) for p in periods for c in categories):
            visitors, visits, page_views, networks = seen[key]
            visitors.add(view.identity)
            visits.add(visit)
            page_views["n"] += 1
            networks.add(view.network)
    return {k: (len(a), len(b), c["n"], len(d)) for k, (a, b, c, d) in seen.items()}


@pytest.fixture(scope="module")
def recount(generated):
    """The lines of the sample, counted again."""
    return Recount(generated.files)


@pytest.fixture(scope="module")
def truth(generated):
    """The figures beside the sample."""
    return pl.read_parquet(generated.directory / "truth" / "figures.parquet")


@pytest.fixture(scope="module")
def counts(generated):
    """The counts of lines beside the sample."""
    return json.loads((generated.directory / "truth" / "lines.json").read_text())


def test_every_figure_can_be_counted_from_the_lines(recount, truth):
    """Each figure of the truth is what the definitions give on the raw lines; the rest are zeros."""
    stated = {
        row[:3]: row[3:] for row in truth.select("period", "component", "sub_component", *MEASURES).rows()
    }
    found = _figures(recount.views)
    counted = {key: found.get(key, (0, 0, 0, 0)) for key in stated | found}
    wrong = {key: (counted[key], stated.get(key)) for key in counted if counted[key] != stated.get(key)}

    assert not wrong


def test_every_configured_category_has_a_row_in_every_period(truth):
    """Zeros are stated: each of the periods touched has the total and all categories of the settings."""
    config = load_config(SAMPLE)
    categories = {("_T", "_T"), ("(other)", "_T")}
    for component in config.components:
        subs = [s.name for s in component.sub_components]
        categories |= {(component.name, name) for name in ["_T", *subs, *(["(other)"] if subs else [])]}
    days = [f"2026-03-{d}" for d in range(25, 32)] + [f"2026-04-0{d}" for d in range(1, 4)]
    periods = {*(("day", d) for d in days), ("week", "2026-W13"), ("week", "2026-W14")}
    periods |= {("month", "2026-03"), ("month", "2026-04")}
    expected = {(kind, p, *c) for kind, p in periods for c in categories}
    rows = truth.select("period_kind", "period", "component", "sub_component").rows()

    assert expected == set(rows)
    assert len(expected) == len(rows)


def test_lines_are_parsed_or_rejected_and_none_is_lost(recount, counts):
    """Lines by file are the readable and the unreadable ones, as the raw bytes have them."""
    by_file = {
        name: {"lines": n, "parsed": recount.parsed[name], "rejected": n - recount.parsed[name]}
        for name, n in recount.lines.items()
    }

    assert by_file == counts["by_file"]
    assert counts["lines"] == counts["parsed"] + counts["rejected"] == sum(recount.lines.values())


def test_robots_page_views_and_malformed_requests_are_counted(recount, counts):
    """Robots are known by their agent alone; a malformed request is a readable line."""
    expected = (recount.robots, len(recount.views), recount.malformed)

    assert expected == (counts["robots"], counts["page_views"], counts["malformed_requests"])
    assert min(expected) > 0


def test_each_page_belongs_to_the_component_its_makers_think(recount):
    """The rules of the settings and the site's catalogue agree on every page."""
    from usage_stats.synthetic.site import make_site  # noqa: PLC0415 everything else here must not know it

    site = make_site()
    known = {p: site.leaves[leaf][:2] for p, leaf in zip(site.paths, site.leaf_of_path, strict=True)}

    assert known == {path: _category(recount.config, path) for path in known}


def test_all_bases_of_identity_occur(recount):
    """Accounts, cookies, IPv4 and IPv6 hosts all have page views."""
    kinds = {v.identity[0] for v in recount.views}
    versions = {ipaddress.ip_network(v.network).version for v in recount.views if v.identity[0] == "address"}

    assert ({"account", "cookie", "address"}, {4, 6}) == (kinds, versions)


def test_visits_meet_the_gap_at_its_edge(recount):
    """Gaps of exactly 1,800 and 1,801 seconds occur, so that an off-by-one shows."""
    by_identity = defaultdict(list)
    for view in recount.views:
        by_identity[view.identity].append(view.at)
    gaps = {int((b - a).total_seconds()) for own in by_identity.values() for a, b in pairwise(sorted(own))}

    assert {1800, 1801} <= gaps


def test_page_views_of_one_visitor_run_past_midnight(recount):
    """Some visitors are there on both sides of midnight, minutes apart, so that the cut shows."""
    by_identity = defaultdict(list)
    for view in recount.views:
        by_identity[view.identity].append(view.at)
    steps = [step for own in by_identity.values() for step in pairwise(sorted(own))]

    assert any((b - a).total_seconds() <= 1800 and a.date() != b.date() for a, b in steps)


def test_an_ipv6_visitor_keeps_one_identity_over_changing_addresses(generated):
    """Privacy addresses change inside their /64."""
    hosts = defaultdict(set)
    for file in generated.files:
        for raw in gzip.decompress(file.read_bytes()).split(b"\n"):
            fields = _fields(raw)
            if fields and ":" in fields[1][0] and fields[1][7] == "-" and not is_crawler(fields[1][6]):
                address = fields[1][0]
                hosts[ipaddress.ip_network((address, 64), strict=False), fields[1][6]].add(address)

    assert max(len(addresses) for addresses in hosts.values()) > 1
