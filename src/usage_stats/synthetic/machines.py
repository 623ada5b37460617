"""A number of requests → what no person asks for: robots, mail programs, broken clients.

Belongs here: crawlers, monitoring, scripts, opened e-mails, requests that are no HTTP.
Does not: people, and lines that cannot be read at all.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from usage_stats.synthetic.agents import MAIL_AGENTS, ROBOTS
from usage_stats.synthetic.clock import Span
from usage_stats.synthetic.draw import Ints, choose
from usage_stats.synthetic.people import IPV6
from usage_stats.synthetic.requests import ABSENT, address_text, gather, request_frame, request_lines, sizes
from usage_stats.synthetic.site import Site
from usage_stats.synthetic.traffic import ASSETS

__all__ = ["broken_requests", "mail_opens", "robot_requests"]

# What robots ask for besides pages: rules and maps for them, and holes they look for.
ROBOT_TARGETS = ("/robots.txt", "/sitemap.xml", "/feed.xml", *ASSETS[:6])
PROBES = ("/wp-login.php", "/.env", "/.git/config", "/xmlrpc.php", "/admin/", "/cgi-bin/test", "/phpmyadmin/")
TARGET_SHARES = (0.70, 0.20, 0.10)  # pages (as often as people ask for none), files, probes
ROBOT_STATUSES = (200, 304, 301, 500)
ROBOT_STATUS_SHARES = (0.90, 0.05, 0.04, 0.01)
CAMPAIGNS = ("spring-sale", "news-march", "events-digest", "product-update")
# An interrupted TLS handshake as Apache escapes it, a connection without a request, an empty line.
BROKEN = ("\\x16\\x03\\x01\\x02", ABSENT, "", "\\x03\\x00\\x00/*\\xe0")
BROKEN_STATUSES = (400, 408, 400, 400)


def robot_requests(rng: np.random.Generator, span: Span, site: Site, count: int) -> pl.DataFrame:
    """Requests at any hour, also for pages that hardly any person sees."""
    robot = choose(rng, [r.share for r in ROBOTS], count)
    kind = choose(rng, TARGET_SHARES, count)
    first_of_kind = np.array([0, len(site.paths), len(site.paths) + len(ROBOT_TARGETS)])
    kinds = np.array([len(site.paths), len(ROBOT_TARGETS), len(PROBES)])
    target = first_of_kind[kind] + (rng.random(count) * kinds[kind]).astype(np.int64)
    status = np.where(kind == 2, 404, np.array(ROBOT_STATUSES)[choose(rng, ROBOT_STATUS_SHARES, count)])
    method = pl.Series(np.where(rng.random(count) < 0.05, "HEAD", "GET"))
    targets = gather([*site.paths, *ROBOT_TARGETS, *PROBES], target)
    frame = pl.DataFrame(
        {
            "at": _any_time(rng, span, count),
            "address": address_text(_fleet_addresses(rng, robot), np.full((count, 4), 0x1234)),
            "request": request_lines(rng, method, targets),
            "status": status,
            "size": sizes(rng, status),
            "agent": gather([r.agent for r in ROBOTS], robot),
        }
    )
    return request_frame(frame.with_columns(is_robot=pl.lit(value=True)))


def mail_opens(rng: np.random.Generator, span: Span, count: int) -> pl.DataFrame:
    """Opened e-mails: requests for a one-pixel image with the campaign and the reader's token."""
    agent = choose(rng, [a.share for a in MAIL_AGENTS], count)
    texts = pl.DataFrame(
        {
            "campaign": gather(CAMPAIGNS, rng.integers(0, len(CAMPAIGNS), count)),
            "token": rng.integers(10**14, 10**15, count),
        }
    )
    target = texts.select(pl.format("/e/open.gif?c={}&r={}", "campaign", "token"))[:, 0]
    keys = 0x0AC00000 + rng.integers(0, 1 << 18, count)  # 10.192.0.0/14, unlike any visitor's address
    frame = pl.DataFrame(
        {
            "at": _any_time(rng, span, count),
            "address": address_text(keys, np.full((count, 4), 1)),
            "request": request_lines(rng, pl.repeat("GET", count, eager=True), target),
            "size": pl.repeat("43", count, eager=True),  # bytes of the smallest GIF
            "agent": gather([a.agent for a in MAIL_AGENTS], agent),
            "is_robot": np.array([a.is_robot for a in MAIL_AGENTS])[agent],
        }
    )
    return request_frame(frame)


def broken_requests(rng: np.random.Generator, span: Span, count: int) -> pl.DataFrame:
    """Readable lines about unreadable requests; without an agent, so robots by definition."""
    kind = choose(rng, (4, 4, 1, 1), count)
    keys = 0xC6120000 + rng.integers(0, 1 << 12, count)
    frame = pl.DataFrame(
        {
            "at": _any_time(rng, span, count),
            "address": address_text(keys, np.full((count, 4), 1)),
            "request": gather(BROKEN, kind),
            "status": np.array(BROKEN_STATUSES)[kind],
            "agent": pl.repeat(ABSENT, count, eager=True),
        }
    )
    return request_frame(frame.with_columns(is_robot=pl.lit(value=True), is_malformed=pl.lit(value=True)))


def _any_time(rng: np.random.Generator, span: Span, count: int) -> Ints:
    return rng.integers(span.midnights[0], span.midnights[-1], count, dtype=np.int64)


def _fleet_addresses(rng: np.random.Generator, robot: Ints) -> Ints:
    """Each robot comes from thirty addresses of a network of its own; every fourth also uses IPv6."""
    host = rng.integers(1, 31, len(robot))
    ipv4 = 0xC6128000 + robot * 256 + host  # 198.18.128.0 and up
    ipv6 = IPV6 + ((0xF000 + robot) << 16) + host
    return np.where((robot % 4 == 0) & (host % 3 == 0), ipv6, ipv4)
