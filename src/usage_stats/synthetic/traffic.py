"""Visits → the requests of people: pages, and the files that pages are made of.

Belongs here: what happens inside a visit.
Does not: when visits begin, robots, log lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from usage_stats.synthetic.agents import browser_agents
from usage_stats.synthetic.draw import Bools, Ints, choose, choose_within
from usage_stats.synthetic.people import IPV6, NOBODY, People, identities, networks
from usage_stats.synthetic.requests import (
    ABSENT,
    address_text,
    gather,
    hexadecimal,
    query_strings,
    request_frame,
    request_lines,
    sizes,
)
from usage_stats.synthetic.site import HOST, Site
from usage_stats.synthetic.visits import Visits

__all__ = ["ASSETS", "LINES_PER_VISIT", "people_requests"]

PAGES_GEOMETRIC = 0.24  # pages in a visit: geometric, on average 4.2
MAX_PAGES = 40
ASSETS_PER_PAGE = 1.05  # beyond those in the browser's cache; makes some 40 % of all lines
LINES_PER_VISIT = 8.1  # measured with the numbers above
STAY_SHARE = 0.7  # of the page requests stay in the component the visit is for
DWELL_MEDIAN_LOG = 3.5  # 33 seconds on a page
DWELL_SIGMA = 1.3
PAUSE_SHARE = 0.03  # of the gaps are pauses around or beyond the end of a visit
VISIT_END = (1_799, 1_800, 1_801)  # seconds: the last that continues a visit, and its neighbours
QUERY_SHARE = 0.05
STATUSES = (200, 304, 404, 301, 302, 500, 206)
STATUS_SHARES = (0.885, 0.055, 0.020, 0.020, 0.012, 0.005, 0.003)
ASSET_STATUS_SHARES = (0.74, 0.24, 0.01, 0.0, 0.0, 0.001, 0.009)
METHODS = ("GET", "POST", "HEAD")
METHOD_SHARES = (0.965, 0.030, 0.005)
ASSETS = (
    "/static/css/main.3f9a1c.css",
    "/static/js/app.81be02.js",
    "/static/img/logo.svg",
    "/favicon.ico",
    "/static/fonts/text-regular.woff2",
    "/static/img/hero.jpg",
    "/static/js/vendor.c0ffee.js",
    "/static/css/print.77d0.css",
    *(f"/static/img/photo-{n:03d}.{('jpg', 'png', 'webp')[n % 3]}" for n in range(60)),
    "/static/docs/manual.pdf",
    "/api/menu.json",
)
ARRIVALS = (
    ABSENT,
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://www.ecosia.org/",
    "https://t.co/",
    "https://www.linkedin.com/",
    "https://old.reddit.com/r/synthetic/",
    "https://mastodon.example/@someone/1139",
    'https://search.example/?q=\\"two+words\\"',  # Apache escapes a quote like this
    "https://partner.example/page?id=77",
)
ARRIVAL_SHARES = (40, 34, 6, 4, 2, 3, 3, 2, 2, 1, 3)


class Pages(NamedTuple):
    """The page requests before they are written: one entry each, ordered by visit and time."""

    visit: Ints
    position: Ints
    at: Ints
    page: Ints


def people_requests(rng: np.random.Generator, visits: Visits, people: People, site: Site) -> pl.DataFrame:
    """All requests of all visits, pages and assets, with the true identity of each (one row each)."""
    clients = _clients(rng, visits, people)
    pages = _pages(rng, visits, site)
    written = _written_pages(rng, pages, clients, site)
    return pl.concat([written, _assets(rng, pages, written, site)])


def _clients(rng: np.random.Generator, visits: Visits, people: People) -> pl.DataFrame:
    """What the server sees of the visitor: one row per visit."""
    person, count = visits.person, len(visits.person)
    keys = people.addresses[person, rng.choice(3, count, p=(0.65, 0.25, 0.10))]
    # Two in three IPv6 hosts take a new address inside their /64 for each visit.
    changing = np.where(rng.random(count) < 2 / 3, rng.integers(1, 0xFFFF, count), 1)
    host = np.stack([person % 0xFFFF + 1, changing, keys % 0xFFF1 + 1, changing % 251 + 1], axis=1)
    accounts = np.where(visits.is_logged_in, people.accounts[person], NOBODY)
    cookies, agents = people.cookies[person], people.agents[person]
    return pl.DataFrame(
        {
            "address": address_text(keys, np.where((keys >= IPV6)[:, None], host, 1)),
            "agent": gather(browser_agents(), agents),
            "account": _texts(accounts, pl.concat_str(pl.lit("member"), pl.col("number"))),
            "cookie": _cookie_texts(cookies, people.cookie_groups[person]),
            "identity": identities(accounts, cookies, keys, agents),
            "network": networks(keys),
        }
    )


def _texts(numbers: Ints, text: pl.Expr) -> pl.Series:
    frame = pl.DataFrame({"number": numbers})
    return frame.select(pl.when(pl.col("number") == NOBODY).then(pl.lit(ABSENT)).otherwise(text))[:, 0]


def _cookie_texts(cookies: Ints, groups: Ints) -> pl.Series:
    """Twenty hexadecimal digits each: 80 random bits never meet by chance."""
    parts = {f"group{n}": hexadecimal(groups[:, n], 4) for n in range(groups.shape[1])}
    frame = pl.DataFrame({"number": cookies, **parts})
    whole = pl.concat_str(*parts)
    return frame.select(pl.when(pl.col("number") == NOBODY).then(pl.lit(ABSENT)).otherwise(whole))[:, 0]


def _pages(rng: np.random.Generator, visits: Visits, site: Site) -> Pages:
    counts = np.minimum(rng.geometric(PAGES_GEOMETRIC, len(visits.start)), MAX_PAGES)
    visit = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    position = np.arange(len(visit)) - first[visit]
    gap = np.where(position == 0, 0, _gaps(rng, len(visit)))
    elapsed = np.cumsum(gap)
    at = visits.start[visit] + elapsed - elapsed[first][visit]
    return Pages(
        visit, position, at, choose_within(rng, site.page_edges, _leaves(rng, visits, visit, position, site))
    )


def _gaps(rng: np.random.Generator, count: int) -> Ints:
    reading = rng.lognormal(DWELL_MEDIAN_LOG, DWELL_SIGMA, count).clip(1, 1_790).astype(np.int64)
    at_the_end = np.array(VISIT_END)[rng.integers(0, len(VISIT_END), count)]
    pause = np.where(rng.random(count) < 0.5, at_the_end, rng.integers(1_500, 7_200, count))
    return np.where(rng.random(count) < PAUSE_SHARE, pause, reading)


def _leaves(rng: np.random.Generator, visits: Visits, visit: Ints, position: Ints, site: Site) -> Ints:
    inside = choose_within(rng, site.leaf_edges, visits.component[visit])
    anywhere = choose(rng, site.popularity, len(visit))
    leaf = np.where(rng.random(len(visit)) < STAY_SHARE, inside, anywhere)
    first_leaf = visits.first_leaf[visit]
    return np.where((position == 0) & (first_leaf != NOBODY), first_leaf, leaf)


def _written_pages(rng: np.random.Generator, pages: Pages, clients: pl.DataFrame, site: Site) -> pl.DataFrame:
    count = len(pages.at)
    status = np.array(STATUSES)[choose(rng, STATUS_SHARES, count)]
    method = choose(rng, METHOD_SHARES, count)
    answered: Bools = (status // 100 == 2) | (status == 304)
    targets = gather(site.paths, pages.page) + query_strings(rng, count, QUERY_SHARE)
    own = pl.DataFrame(
        {
            "at": pages.at,
            "request": request_lines(rng, gather(METHODS, method), targets),
            "status": status,
            "size": sizes(rng, status),
            "referrer": _referrers(rng, pages, site),
            "leaf": site.leaf_of_path[pages.page],
            "is_page_view": answered & (method == METHODS.index("GET")),
        }
    )
    return request_frame(pl.concat([own, clients[pages.visit]], how="horizontal"))


def _referrers(rng: np.random.Generator, pages: Pages, site: Site) -> pl.Series:
    """The page before; for the first page of a visit where the visitor came from."""
    pool = [*ARRIVALS, *(HOST + path for path in site.paths)]
    before = np.roll(pages.page, 1) + len(ARRIVALS)
    arrival = choose(rng, ARRIVAL_SHARES, len(pages.at))
    return gather(pool, np.where(pages.position == 0, arrival, before))


def _assets(rng: np.random.Generator, pages: Pages, written: pl.DataFrame, site: Site) -> pl.DataFrame:
    """The files a browser fetches for the pages it got, within two seconds of each."""
    counts = np.where(written["is_page_view"].to_numpy(), rng.poisson(ASSETS_PER_PAGE, len(written)), 0)
    row = np.repeat(np.arange(len(written)), counts)
    count = len(row)
    status = np.array(STATUSES)[choose(rng, ASSET_STATUS_SHARES, count)]
    weights = 1 / (1 + np.arange(len(ASSETS)))
    targets = gather(ASSETS, choose(rng, weights, count))
    own = pl.DataFrame(
        {
            "at": pages.at[row] + rng.integers(0, 3, count),
            "request": request_lines(rng, pl.repeat(METHODS[0], count, eager=True), targets),
            "status": status,
            "size": sizes(rng, status),
            "referrer": HOST + gather(site.paths, pages.page[row]),
        }
    )
    client = written[row].select("address", "agent", "account", "cookie", "identity", "network")
    return request_frame(pl.concat([own, client], how="horizontal"))
