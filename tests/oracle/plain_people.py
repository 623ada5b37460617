"""Requests → page views of people: who made each, in which visit, and what the visit was.

Belongs here: robots, identities, days and visits, as README, PRIVACY.md and the settings' comments define them.
Does not: tables (plain_count), or anything of the pipeline; of what is shipped with it, two lists are read as data.
"""

import ast
import json
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from re import compile as pattern
from typing import NamedTuple

from plain_lines import address_of
from plain_paths import is_asset, path_of, place_of
from plain_referrer import referrer_class

SRC = Path(__file__).resolve().parents[2] / "src" / "usage_stats" / "deidentify"
PAUSE = 1800  # seconds; a longer one ends a visit
FASTEST = 60  # page views in a minute of the clock
HEALTH_AGENTS = (
    *("elb-healthchecker", "amazon-route53-health-check-service", "kube-probe", "googlehc"),
    *("edge health probe", "load balancer agent", "consul health check", "envoy/hc", "healthcheck/"),
)
HEALTH_PATHS = {b"/healthz", b"/livez", b"/readyz", b"/healthcheck", b"/health-check", b"/_health"}


class View(NamedTuple):
    """A page view of a person: when by the reporting zone's clock, from which network, where, in which visit.

    `place` leads from the component down; `visit` is the person's number of it on that day; `attributes`: dimension →
    code of what is the visit's or the visitor's on that day; `seconds` and `pages`: how long the visit took and how
    many page views it has.
    """

    person: tuple
    network: tuple
    local: datetime
    place: tuple
    visit: tuple
    pages: int
    seconds: int
    attributes: dict


@cache
def _robot_patterns():
    """The public list as it is installed, and the rules of this project's own, read off the file as text."""
    listed = json.loads(files("crawleruseragents").joinpath("crawler-user-agents.json").read_text("utf-8"))
    tree = ast.parse((SRC / "robots.py").read_text(encoding="utf-8"))
    named = {ast.unparse(n.targets[0]): n.value for n in ast.walk(tree) if isinstance(n, ast.Assign)}
    own = ast.literal_eval(named["_OWN_RULES"])
    return (
        [pattern(entry["pattern"]) for entry in listed],
        [pattern(rule) for rules in own.values() for rule in rules.split()],
    )


@cache
def is_robot(agent):
    """Whether a user agent names a program; a log without user agents (None) tells nothing."""
    if agent is None:
        return False
    text = agent.decode("utf-8", "replace").strip()
    lower = text.lower()
    listed, own = _robot_patterns()
    return (
        text in {"", "-"}
        or any(part in lower for part in HEALTH_AGENTS)
        or any(rule.search(text) for rule in listed)
        or any(rule.search(lower) for rule in own)
    )


def person_of(request):
    """The account, else the cookie, else the address (of IPv6 the upper half) with the user agent."""
    if request.account is not None:
        return "account", request.account
    if request.cookie is not None:
        return "cookie", request.cookie
    address = address_of(request.address)
    if address is None:
        return "name", request.address.lower(), request.agent or b""
    return "address", address.packed[:8], request.agent or b""


def network_of(request):
    """An IPv4 address's /24, an IPv6 one's /48, a host name's last two labels."""
    address = address_of(request.address)
    if address is None:
        return "name", tuple(request.address.lower().strip(b".").split(b".")[-2:])
    return address.version, address.packed[: 3 if address.version == 4 else 6]


def views_of(requests, *, settings, zone, first_day=None, more=None):
    """Page views of people, in no order.

    Args:
        requests: those of the log.
        settings: what the settings file says: `components`, `hosts`.
        zone: the reporting time zone.
        first_day: nothing before it is measured.
        more: dimension → function of a request, for codes that need data which only the pipeline has.
    """
    days = defaultdict(list)  # (day, person) → its requests with their local time and path
    for request in requests:
        local = datetime.fromtimestamp(request.at, UTC).astimezone(zone)
        path = path_of(request.target)
        if is_robot(request.agent) or path in HEALTH_PATHS or (first_day and local.date() < first_day):
            continue
        days[local.date(), person_of(request)].append((request, local, path))
    asks = {
        "referrer": lambda request: referrer_class(request.referrer, tuple(settings.get("hosts", ())))
    } | (more or {})
    seen = {
        key: viewed
        for key, asked in days.items()
        if (viewed := _pages(asked, settings.get("components", ())))
    }
    return [view for key in seen for view in _views_of_day(*key, seen, asks)]


def _pages(asked, components):
    """What a person viewed on a day; nothing if they behave like a robot: asks for robots.txt, or is too fast."""
    pages = [
        (request, local, place_of(components, path))
        for request, local, path in asked
        if _is_page(request, path)
    ]
    minutes = defaultdict(int)
    for request, _, _ in pages:
        minutes[request.at // 60] += 1
    is_program = (
        any(path == b"/robots.txt" for _, _, path in asked) or max(minutes.values(), default=0) > FASTEST
    )
    return [] if is_program else pages


def _is_page(request, path):
    answered = 200 <= request.status < 300 or request.status == 304
    return request.method == b"GET" and answered and path is not None and not is_asset(path)


def _views_of_day(day, person, seen, asks):
    monday = day - timedelta(day.weekday())
    earlier = [monday + timedelta(n) for n in range(day.weekday())]
    kind = "returning" if any((other, person) in seen for other in earlier) else "new"
    for number, visit in enumerate(_visits(seen[day, person])):
        attributes = {"visitor_type": kind} | _of_visit(visit, asks)
        seconds = visit[-1][0].at - visit[0][0].at
        for request, local, place in visit:
            yield View(
                person,
                network_of(request),
                local,
                place,
                (day, person, number),
                len(visit),
                seconds,
                attributes,
            )


def _visits(pages):
    """Page views by time, cut where a pause is longer than half an hour."""
    pages = sorted(pages, key=lambda page: page[0].at)
    times = [page[0].at for page in pages]
    cuts = [n for n in range(1, len(pages)) if times[n] - times[n - 1] > PAUSE]
    return [pages[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(pages)], strict=True)]


def _of_visit(visit, asks):
    """Codes of a visit: by its first second's page views, and the last second's; the bytewise smallest of several."""
    first = [page for page in visit if page[0].at == visit[0][0].at]
    last = [page for page in visit if page[0].at == visit[-1][0].at]
    found = {name: min((ask(page[0]) for page in first), key=str.encode) for name, ask in asks.items()}
    found["entry_component"] = min((page[2][0] for page in first), key=str.encode)
    found["exit_component"] = min((page[2][0] for page in last), key=str.encode)
    return found


def bin_of(value, lower_ends):
    """The place of the bin that a number lies in."""
    return bisect_right(lower_ends, value) - 1
