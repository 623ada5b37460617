import pytest

from usage_stats.accesslog.parse import Hit
from usage_stats.deidentify.propose import propose_components

FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


def _hits(path, clients, **changes):
    fields = {"at": 0, "account": None, "cookie": None, "agent": FIREFOX, "method": b"GET", "status": 200}
    rest = {"referrer": None, "vhost": None, "target": path}
    return [Hit(**{**fields, **rest, "address": b"192.0.%d.7" % n, **changes}) for n in range(clients)]


def _names(hits):
    return [c.name for c in propose_components(hits, ("css",), minimum_clients=10)]


def test_segments_that_many_asked_for_are_proposed():
    """A first segment becomes a component, a second one a part of it, by popularity."""
    hits = _hits(b"/news/a", 12) + _hits(b"/shop/basket", 30) + _hits(b"/", 11)
    found = propose_components(hits, (), minimum_clients=10)

    assert ["home", "shop", "news"] == [c.name for c in found]
    assert [("/shop/**",), ("basket",)] == [found[1].paths, tuple(s.name for s in found[1].sub_components)]


def test_what_few_asked_for_is_not_proposed():
    """A path that fewer than the minimum of clients saw may be about one person; repeating does not help."""
    assert [] == _names(_hits(b"/letter-to-ada", 9) * 50)


@pytest.mark.parametrize(
    "segment",
    [
        b"5551234",
        b"user2026",
        b"ada@example.org",
        b"deadbeef01",
        b"aB3dE5fG7hJ9",
        b"%41da%40x",
        b"x" * 40,
        b"a b",
        b"=cmd",
    ],
)
def test_what_looks_like_an_identifier_is_not_proposed(segment):
    """Numbers, tokens and addresses stay out of the configuration, however many asked for them."""
    assert [] == _names(_hits(b"/" + segment, 50))


@pytest.mark.parametrize(
    "changes",
    [
        {"agent": b"curl/8.0"},
        {"status": 404},
        {"method": b"POST"},
        {"target": None},
        {"target": b"/news/a.css"},
    ],
)
def test_only_page_views_of_people_count(changes):
    """Robots, errors, forms and files propose nothing."""
    assert [] == _names(_hits(b"/news", 50, **changes))


def test_one_network_is_one_client_by_its_address():
    """Many requests of one address are one client."""
    assert [] == _names(_hits(b"/news", 50, address=b"2001:db8::1"))
