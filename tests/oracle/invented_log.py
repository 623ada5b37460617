"""A case and a seed → the lines of a small log in which days, pauses and clocks are where mistakes are made.

Belongs here: invented people and what they ask for. Does not: counting them.
"""

import random
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Case(NamedTuple):
    """A reporting time zone, and the days around which people come."""

    zone: str
    first: date
    days: int

    @property
    def clock(self):
        return ZoneInfo(self.zone)


CASES = (
    Case("Europe/Berlin", date(2024, 3, 29), 5),  # 31 March has 23 hours; Good Friday to Tuesday
    Case("Europe/Berlin", date(2024, 10, 24), 6),  # 27 October has 25 hours
    Case("Europe/Berlin", date(2020, 12, 27), 9),  # a Sunday, then all of ISO week 53, then a Monday
    Case("Asia/Kolkata", date(2024, 2, 26), 8),  # 29 February; half an hour beside the others
    Case("America/St_Johns", date(2024, 3, 8), 4),  # 10 March has 23 hours
    Case("America/St_Johns", date(2024, 11, 1), 4),  # 3 November has 25 hours; behind UTC by three and a half
    Case("UTC", date(2023, 12, 30), 3),  # over the end of a year, a month and a week
    Case("Pacific/Auckland", date(2024, 9, 28), 1),  # one day
)

COMPONENTS = [
    {"name": "home", "paths": ["/", "/index.html"]},
    {
        "name": "docs",
        "paths": ["/docs/**", "/manual/*"],
        "sub_components": [
            {"name": "guides", "paths": ["/docs/guides/**"]},
            {"name": "reference", "paths": ["/docs/reference/**", "/manual/*"]},
        ],
    },
    {"name": "news", "paths": ["/news/**"]},
    {"name": "Shop 2", "paths": ["/shop/*/offer"]},
]
# The same, with a part of a part.
DEEP_COMPONENTS = [
    COMPONENTS[0],
    {
        **COMPONENTS[1],
        "sub_components": [
            {
                "name": "guides",
                "paths": ["/docs/guides/**"],
                "sub_components": [
                    {"name": "install", "paths": ["/docs/guides/install", "/docs/guides/install/*"]},
                    {"name": "upgrade", "paths": ["/docs/guides/up*"]},
                ],
            },
            COMPONENTS[1]["sub_components"][1],
        ],
    },
    *COMPONENTS[2:],
]
HOSTS = ["example.org", "*.example.org"]
# Addresses of these networks: all of them public ones, for others have no country.
COUNTRIES = {
    "5.9.0.0/16": "DE",
    "8.8.0.0/16": "US",
    "81.2.64.0/18": "GB",
    "2a00:1450::/32": "DE",
    "2c0f:f248::/32": "KE",
}
GROUPS = {b"ada": "gold", b"bob": "gold", b"cy": "silver", b"di": "silver"}

_PATHS = (
    *(
        "/",
        "/index.html?from=mail&to=me",
        "/docs",
        "/docs/guides/",
        "/docs/guides/install",
        "/docs/guides/upper",
    ),
    *(
        "/docs/guides/install/linux",
        "/docs/reference/a/b;v=2",
        "/manual/x",
        "/manual/x/y",
        "/news",
        "/newsletter",
    ),
    *(
        "/news/2024/%61",
        "/shop/a/offer",
        "/shop/a/b/offer",
        "//docs//guides",
        "/about",
        "/DOCS",
        "/index.HTML",
    ),
)
_NO_VIEWS = (
    *('"GET /style.css HTTP/1.1" 200', '"GET /docs/guide.PDF HTTP/1.1" 200', '"POST /docs HTTP/1.1" 200'),
    *(
        '"HEAD / HTTP/1.1" 200',
        '"GET /docs HTTP/1.1" 404',
        '"GET /news HTTP/1.1" 302',
        '"-" 408',
        '"GET" 400',
    ),
    *('"GET http://elsewhere.example/ HTTP/1.1" 200', '"GET /healthz HTTP/1.1" 200'),
)
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
        " Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0"
        " Chrome/121.0.0.0 Mobile Safari/537.36"
    ),
)
_ROBOTS = ("curl/8.5.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "-", "")
_REFERRERS = (
    *("-", "", "https://www.example.org/docs", "https://blog.example.org:8443/", "https://www.google.co.uk/"),
    *("https://t.co/abc", "https://mail.google.com/", "https://elsewhere.example/a?b", "no url", "-"),
    *("android-app://com.google.android.gm/", "https://de.search.yahoo.com/", "HTTPS://DuckDuckGo.com"),
)
_PAUSES = (0, 0, 1, 5, 9, 10, 50, 60, 120, 180, 590, 600, 1799, 1800, 1801, 2400, 9000, 30_000)
_OFFSETS = (0, 60, 120, 330, -210, -150, 765, 840, -720)  # minutes east of UTC


class Person(NamedTuple):
    """What their lines may say; the account or cookie is `-` now and then."""

    account: str
    cookie: str
    addresses: tuple
    agent: str
    is_rash: bool


def drawn_log(case, people, seed):
    """The bytes of a log; no two lines are the same, for each tells another number of bytes sent."""
    rng = random.Random(seed)
    lines = [line for n in range(people) for line in _of_person(rng, case, _person(rng, n))]
    if rng.random() < 0.5:
        rng.shuffle(lines)
    numbered = (line.replace("SIZE", str(1000 + n)) for n, line in enumerate(lines))
    return "".join(f"{line}\n" for line in numbered).encode()


def _person(rng, number):
    kind = rng.choice(["account", "cookie", "cookie", "address", "address", "address", "both", "robot"])
    hosts = (rng.choice(_NETWORKS)(rng) for _ in range(rng.choice([1, 1, 2])))
    return Person(
        rng.choice([*(name.decode() for name in GROUPS), f"user {number}"])
        if kind in {"account", "both"}
        else "-",
        f"c{number}" if kind in {"cookie", "both"} else "-",
        tuple(hosts),
        rng.choice(_ROBOTS) if kind == "robot" else rng.choice(_AGENTS),
        rng.random() < 0.15,
    )


def _of_ipv4(rng):
    return f"{rng.choice(['5.9.1', '5.9.2', '8.8.4', '81.2.69', '9.9.9'])}.{rng.randrange(1, 6)}"


def _of_ipv6(rng):
    head = rng.choice(["2a00:1450:1:1", "2a00:1450:1:2", "2c0f:f248:1:1", "2001:470:1:1"])
    return f"{head}::{rng.randrange(1, 3):x}"


_NETWORKS = (
    _of_ipv4,
    _of_ipv4,
    _of_ipv4,
    _of_ipv6,
    lambda rng: f"::ffff:5.9.1.{rng.randrange(1, 4)}",
    lambda rng: f"PC{rng.randrange(1, 4)}.{rng.choice(['office', 'home'])}.example.net",
)


def _of_person(rng, case, person):
    for _ in range(rng.choice([1, 1, 2, 3, 5])):
        at = _start(rng, case)
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 6, 12, 25])):
            yield _line(rng, person, at)
            at += rng.choice(_PAUSES)
    if person.is_rash:
        at = _start(rng, case) // 60 * 60
        number = rng.choice([60, 61])  # page views in one minute of the clock
        yield from (
            _line(rng, person, at + n % 60, request='"GET /news HTTP/1.1" 200') for n in range(number)
        )
    if rng.random() < 0.03:
        yield _line(rng, person, _start(rng, case), request='"GET /robots.txt HTTP/1.1" 404')


def _start(rng, case):
    """Often around a midnight or a change of the clock."""
    day = datetime.combine(case.first + timedelta(rng.randrange(case.days)), datetime.min.time(), case.clock)
    second = rng.choice([-600, 0, 3 * 3600, rng.randrange(86_400), rng.randrange(86_400), 86_000])
    return int(day.astimezone(UTC).timestamp()) + second + rng.randrange(600)


def _line(rng, person, at, *, request=None):
    east = rng.choice(_OFFSETS)
    local = datetime.fromtimestamp(at, UTC) + timedelta(minutes=east)
    sign, (hours, minutes) = "-" if east < 0 else "+", divmod(abs(east), 60)
    if request is None:
        view = f'"GET {rng.choice(_PATHS)} HTTP/1.1" {rng.choice([200, 200, 200, 206, 304])}'
        request = rng.choice(_NO_VIEWS) if rng.random() < 0.15 else view
    account = person.account if rng.random() < 0.9 else "-"
    cookie = person.cookie if rng.random() < 0.95 else "-"
    return (
        f"{rng.choice(person.addresses)} - {account} [{local:%d/%b/%Y:%H:%M:%S} {sign}{hours:02}{minutes:02}] "
        f'{request} SIZE "{rng.choice(_REFERRERS)}" "{person.agent}" "{cookie}"'
    )


def country_of(request):
    """The country of the invented table that a request's address lies in."""
    try:
        address = ip_address(request.address.decode())
    except ValueError:
        return "unknown"
    address = getattr(address, "ipv4_mapped", None) or address
    return next((code for network, code in COUNTRIES.items() if address in ip_network(network)), "unknown")


def group_of(request):
    """The customer group of the account that a request was made with."""
    return GROUPS.get(request.account, "(none)")


def write_lists(root):
    """The table of countries and the list of accounts, as an operator would have them; the settings that name them."""
    rows = "".join(f"{network},{country}\n" for network, country in COUNTRIES.items())
    (root / "countries.csv").write_text(rows, encoding="utf-8")
    accounts = root / "groups.csv"
    accounts.touch(mode=0o600)
    accounts.write_text(
        "".join(f"{name.decode()},{group}\n" for name, group in GROUPS.items()), encoding="utf-8"
    )
    groups = {"accounts": "groups.csv", "names": sorted(set(GROUPS.values()))}
    return {"country_table": "countries.csv", "customer_groups": groups}
