"""Invented hits of an invented site, as the columns that stages after the parser read."""

import hashlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from usage_stats.accesslog.columns import columns_of_hits
from usage_stats.accesslog.hit import Hit
from usage_stats.config import Component, SubComponent
from usage_stats.deidentify.generalise import PathClassifier

BERLIN = ZoneInfo("Europe/Berlin")
FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
CHROME = (
    b"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
CURL = b"curl/8.0"
NOON = int(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp())  # Wednesday of 2026-W10
DAY = 86_400
COMPONENTS = (
    Component(name="news", paths=("/news/**",)),
    Component(
        name="shop",
        paths=("/shop/**",),
        sub_components=(SubComponent(name="basket", paths=("/shop/basket",)),),
    ),
)
CLASSIFY = PathClassifier(COMPONENTS, ("css", "txt"))


def hit(**changes):
    """A page view, changed."""
    fields = {
        "at": NOON,
        "address": b"192.0.2.7",
        "account": None,
        "cookie": None,
        "agent": FIREFOX,
        "method": b"GET",
        "target": b"/news/a",
        "status": 200,
        "referrer": None,
        "vhost": None,
    }
    return Hit(**{**fields, **changes})


def columns(*hits, seed=7):
    """Hits as columns."""
    return columns_of_hits(hits, seed)


def key_of(kind, window):
    """A key per window that all of one site share."""
    return hashlib.sha256(f"{kind} {window}".encode()).digest()


def at(text):
    """Seconds of a moment."""
    return int(datetime.fromisoformat(text).timestamp())
