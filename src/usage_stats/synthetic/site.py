"""Nothing → the catalogue of an invented site: its components, their pages, how popular each is.

Belongs here: which paths exist and which component each belongs to, as the site's makers know it.
Does not: the rules of `usage_stats.yaml`, which must find the same; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from usage_stats.config import OTHER, TOTAL
from usage_stats.synthetic.draw import Floats, Ints, nested, zipf

__all__ = ["HOST", "OFFICE", "PRIVATE_SUB_COMPONENT", "RARE", "Leaf", "Site", "make_site"]

HOST = "https://www.example.org"
RARE = "investors"  # a handful of visitors a day
OFFICE = "suppliers"  # visited from one company only
PRIVATE_SUB_COMPONENT = ("support", "data-requests")  # one to three persons a week
PAGE_ZIPF = 0.9  # web page popularity is near 1/rank; a little flatter keeps the tail alive

WORDS = (  # noqa: SIM905 as a list it would take 83 lines
    "amber anchor atlas autumn basil birch breeze bridge canvas cedar cinder citrus clover cobalt comet "
    "copper coral cotton crystal delta ember fable falcon fern flint forest garnet ginger glacier harbor "
    "hazel indigo iris island ivory jasper juniper lagoon lantern laurel lemon linen lotus maple marble "
    "meadow mint mosaic nectar north oak oasis olive onyx opal orchid pebble pepper pine plum prairie "
    "quartz raven reef ridge river saffron sage sierra silver sparrow spruce summit thistle timber topaz "
    "tulip velvet violet walnut willow winter zephyr"
).split()


class Leaf(NamedTuple):
    """The smallest category of the site, its share of all page views and its share in its component."""

    component: str
    sub_component: str
    popularity: float
    inner: float
    templates: tuple[str, ...]


# {slug} is two words, {number} a number; "*N" before a template makes N pages of it. The shares are
# tuned for 800 visitors a day: the least popular ordinary leaf still sees twenty of them.
LEAVES = (
    Leaf("home", TOTAL, 5, 1, ("/", "/index.html")),
    Leaf("news", TOTAL, 24, 1, ("/news", "*150 /news/2026/{slug}", "*20 /news/archive/{number}.html")),
    Leaf("shop", "catalogue", 12, 12, ("*60 /shop/catalogue/{slug}", "*180 /shop/products/{slug}")),
    Leaf("shop", "reviews", 4, 4, ("*90 /shop/products/{slug}/reviews",)),
    Leaf("shop", "basket", 4, 4, ("/shop/basket", "/shop/basket/items", "/shop/basket/saved")),
    Leaf(
        "shop", "checkout", 3, 3, ("/shop/checkout/address", "/shop/checkout/payment", "/shop/checkout/done")
    ),
    Leaf("shop", OTHER, 2, 2, ("/shop", "/shop/gift-cards", "*6 /shop/outlet/{slug}")),
    Leaf("docs", "guides", 6, 6, ("*60 /docs/guides/{slug}.html",)),
    Leaf("docs", "reference", 6, 6, ("*140 /docs/reference/v2.1/{slug}", "*20 /manual/{slug}")),
    Leaf("docs", "tutorials", 4, 4, ("*40 /docs/tutorials/{slug}/part-{number}",)),
    Leaf("docs", OTHER, 2, 2, ("/docs", "/docs/", "/docs/changelog")),
    Leaf("blog", "engineering", 4, 4, ("*50 /blog/engineering/{slug}",)),
    Leaf("blog", "design", 3, 3, ("*40 /blog/design/{slug}",)),
    Leaf("blog", "company", 3, 3, ("*30 /blog/company/{slug}",)),
    Leaf("blog", OTHER, 2, 2, ("/blog", "*8 /blog/authors/{slug}")),
    Leaf("community", "events", 3, 3, ("*30 /community/events/{slug}",)),
    Leaf("community", "forum", 6, 6, ("*120 /community/forum/{slug}/t{number}", "*30 /community/t/{number}")),
    Leaf("community", OTHER, 2, 2, ("/community", "/community/rules")),
    Leaf("account", "profile", 2, 2, ("/account/profile", "/account/profile/edit")),
    Leaf("account", "orders", 3, 3, ("/account/orders", "*80 /account/orders/{number}")),
    Leaf("account", "settings", 2, 2, ("/account/settings", "/account/settings/privacy")),
    Leaf("account", OTHER, 2, 2, ("/account", "/account/login", "/account/logout")),
    Leaf("support", "contact", 3, 3, ("/support/contact", "/support/contact/phone")),
    Leaf("support", "returns", 2.5, 3, ("/support/returns", "/support/returns/label")),
    Leaf(*PRIVATE_SUB_COMPONENT, 0, 0, ("/support/data-requests", "/support/data-requests/erasure")),
    Leaf("support", OTHER, 3, 3, ("/support", "*25 /support/faq/{slug}")),
    Leaf("jobs", TOTAL, 3, 1, ("/jobs", "*25 /jobs/{slug}", "*5 /company/careers/{slug}")),
    Leaf(RARE, TOTAL, 0, 1, ("/investors", "*10 /investors/reports/{slug}")),
    Leaf(OFFICE, TOTAL, 0, 1, ("/suppliers", "*15 /suppliers/tenders/{number}")),
    Leaf(
        OTHER,
        TOTAL,
        3,
        1,
        (
            "/imprint",
            "/privacy",
            "/search",
            "/blogroll",
            "/news-archive",
            "*12 /landing/{slug}",
            "/about/team",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Site:
    """The catalogue: pages are ordered by leaf, leaves by component, so that draws are one search."""

    components: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    paths: tuple[str, ...]
    leaf_of_path: Ints
    page_edges: Floats
    leaf_edges: Floats
    popularity: Floats

    def component_popularity(self) -> Floats:
        """Share of page views of each component, in the order of `components`."""
        of_leaf = [self.components.index(leaf.component) for leaf in self.leaves]
        sums: Floats = np.bincount(of_leaf, weights=self.popularity).astype(np.float64)
        return sums

    def leaf(self, component: str, sub_component: str = TOTAL) -> int:
        """Position of a leaf."""
        names = [(leaf.component, leaf.sub_component) for leaf in self.leaves]
        return names.index((component, sub_component))


def make_site() -> Site:
    """Lay out the catalogue; the same every time."""
    pages = [list(_pages(leaf)) for leaf in LEAVES]
    components = tuple(dict.fromkeys(leaf.component for leaf in LEAVES))
    of_leaf = np.array([components.index(leaf.component) for leaf in LEAVES], dtype=np.int64)
    leaf_of_path = np.repeat(np.arange(len(LEAVES)), [len(p) for p in pages]).astype(np.int64)
    return Site(
        components=components,
        leaves=LEAVES,
        paths=tuple(path for group in pages for path in group),
        leaf_of_path=leaf_of_path,
        page_edges=nested(leaf_of_path, np.concatenate([zipf(len(p), PAGE_ZIPF) for p in pages])),
        leaf_edges=nested(of_leaf, np.array([leaf.inner for leaf in LEAVES], dtype=np.float64)),
        popularity=np.array([leaf.popularity for leaf in LEAVES], dtype=np.float64),
    )


def _pages(leaf: Leaf) -> Iterator[str]:
    for template in leaf.templates:
        count, _, path = template.rpartition(" ")
        for number in range(int(count.removeprefix("*") or 1)):
            yield path.format(slug=_slug(number), number=10_000 + number)


def _slug(number: int) -> str:
    """Two words; each pair of `divmod` gives another slug, up to the square of the vocabulary."""
    first, second = divmod(number * 37, len(WORDS))  # 37: neighbours in popularity look unalike
    return f"{WORDS[second]}-{WORDS[(first * 11 + second + 1) % len(WORDS)]}"
