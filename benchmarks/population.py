"""A seed → the fixed tables that generated traffic draws from: addresses, user agents, pages, assets, referrers.

Belongs here: who and what exists on the made-up site. Does not: when who asks for what.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.site import SECTIONS

__all__ = ["Population", "draw_ranks", "population"]

VISITORS = 200_000
ROBOTS = 3_000
AGENTS = 5_000
PAGES = 50_000
ASSETS = 2_000
_ORIGIN = "https://www.example.org"

_PLATFORMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "X11; CrOS x86_64 14541.0.0",
    "Linux; Android 13; SM-S918B",
    "Linux; Android 14; Pixel 8",
    "Linux; Android 10; K",
    "Linux; Android 12; moto g(60)",
)
_ROBOT_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "Mozilla/5.0 (compatible; DotBot/1.2; +https://opensiteexplorer.org/dotbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "python-requests/2.31.0",
    "curl/8.5.0",
    "Go-http-client/2.0",
    "Wget/1.21.4",
    "Scrapy/2.11.0 (+https://scrapy.org)",
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
)
_ELSEWHERE = (
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://t.co/Ab3dE5",
    "https://www.reddit.com/r/example/",
    "https://news.ycombinator.com/item?id=4711",
)


@dataclass(frozen=True, slots=True)
class Population:
    """Tables of strings; clients are visitors first, then robots."""

    host: pl.Series  # one per client
    agent_of: np.ndarray[tuple[int], np.dtype[np.int64]]  # client → row of agent
    agent: pl.Series
    path: pl.Series  # pages first, then assets
    query: pl.Series  # row 0 is empty
    referrer: pl.Series  # row 0 is "-"; then elsewhere; then one per page


def population(seed: int) -> Population:
    """Make the tables of one seed."""
    rng = np.random.default_rng([seed, 1])
    robot_versions = [f"{a}{tail}" for a in _ROBOT_AGENTS for tail in ("", " (1)", " (2)")]
    people, machines = _browsers(), robot_versions
    agent_of = np.concatenate(
        [
            draw_ranks(rng, len(people), VISITORS, 0.9),
            len(people) + draw_ranks(rng, len(machines), ROBOTS, 1.0),
        ]
    )
    pages = _pages()
    return Population(
        host=_hosts(rng, VISITORS + ROBOTS),
        agent_of=agent_of,
        agent=pl.Series(people + machines),
        path=pl.Series(pages + [f"/static/{k % 20}/asset{k}.{_kind(k)}" for k in range(ASSETS)]),
        query=pl.Series(["", *_queries()]),
        referrer=pl.Series(["-", *_ELSEWHERE, *(_ORIGIN + page for page in pages)]),
    )


def draw_ranks(
    rng: np.random.Generator, size: int, count: int, exponent: float
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Draw `count` ranks below `size`, rank r with a weight of 1 / (r + 1) ** exponent (Zipf)."""
    shares = np.cumsum(1.0 / np.arange(1, size + 1) ** exponent)
    ranks = np.searchsorted(shares, rng.random(count) * shares[-1], side="right")
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]] = np.minimum(ranks, size - 1).astype(np.int64)
    return numbers


def _hosts(rng: np.random.Generator, count: int) -> pl.Series:
    """Addresses, a fifth of them IPv6, of networks for documentation and everywhere else."""
    parts = rng.integers(1, 255, size=(count, 4))
    groups = rng.integers(0, 65536, size=(count, 6))
    is_six = rng.random(count) < 0.2
    rows = zip(is_six.tolist(), parts.tolist(), groups.tolist(), strict=True)
    return pl.Series(
        [
            "2001:db8:" + ":".join(f"{g:x}" for g in six) if s else ".".join(map(str, four))
            for s, four, six in rows
        ]
    )


def _browsers() -> list[str]:
    chromes = (
        f"Mozilla/5.0 ({platform}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{major}.0.{build}.{patch} Safari/537.36"
        for build, patch in ((0, 0), (6261, 94), (6367, 201), (6478, 127), (5735, 60), (6099, 109))
        for major in range(90, 142)
        for platform in _PLATFORMS
    )
    foxes = (
        f"Mozilla/5.0 ({platform}; rv:{major}.0) Gecko/20100101 Firefox/{major}.{minor}"
        for minor in range(3)
        for major in range(78, 141)
        for platform in _PLATFORMS[:4]
    )
    safaris = (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS {major}_{minor} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        f"Version/{major}.{minor} Mobile/{build} Safari/604.1"
        for build in (
            "15E148",
            "16A366",
            "17A577",
            "18B92",
            "19C56",
            "20D47",
            "21E219",
            "22F76",
            "23A5",
            "24B8",
        )
        for major in range(11, 27)
        for minor in range(12)
    )
    known = [agent for trio in zip(chromes, foxes, safaris, strict=False) for agent in trio]
    rest = [agent for made in (chromes, safaris) for agent in made]
    return (known + rest)[:AGENTS]


def _pages() -> list[str]:
    """Page p lies in section p modulo 50: every section has a share of every rank."""
    ends = ("", ".html", "/", "/index.php")
    return [
        f"/{SECTIONS[p % len(SECTIONS)]}/{'' if p % 3 else f'area-{p % 8}/'}topic-{p}{ends[p % 4]}"
        for p in range(PAGES)
    ]


def _kind(number: int) -> str:
    return ("css", "js", "png", "jpg", "svg", "woff2", "webp", "ico")[number % 8]


def _queries() -> list[str]:
    words = ("red", "blue", "large+shoes", "caf%C3%A9", "used%20books", "news", "how+to")
    return [f"?page={n}" for n in range(1, 60)] + [
        f"?q={word}&utm_source={source}&sort={n}"
        for word in words
        for source in ("newsletter", "ad", "social")
        for n in range(10)
    ]
