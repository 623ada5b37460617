"""Who stands behind the proxies: as far to the left as somebody we trust vouches for, and no further."""

import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.columns import columns_of_hits
from usage_stats.accesslog.forwarded import Proxies, client_behind
from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary

OURS = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "2001:db8:ffff::/48"))
EDGE, INNER, EDGE6 = b"10.0.0.1", b"10.9.9.9", b"2001:db8:ffff::1"
CLIENT, OTHER = b"203.0.113.9", b"198.51.100.4"
SEED = 7


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (CLIENT, b"", CLIENT),
        (EDGE, b"", EDGE),  # the proxy's own request
        (CLIENT, OTHER, CLIENT),  # nobody of ours: the chain is the client's own words
        (EDGE, CLIENT, CLIENT),
        (EDGE, CLIENT + b", " + INNER, CLIENT),
        (EDGE, OTHER + b", " + CLIENT + b", " + INNER, CLIENT),  # what the client wrote in front
        (EDGE, OTHER + b"," + CLIENT, CLIENT),
        (EDGE, INNER + b", " + CLIENT, CLIENT),  # a client that names our own proxy
        (EDGE, INNER + b", " + EDGE, INNER),  # all are ours: it began at the leftmost
        (EDGE, CLIENT + b":4711", CLIENT),
        (EDGE, b"[2001:db8::7]:443", b"2001:db8::7"),
        (EDGE, b' "[2001:db8::7]" ', b"2001:db8::7"),
        (EDGE6, b"2001:db8::7", b"2001:db8::7"),
        (b"::ffff:10.0.0.1", CLIENT, CLIENT),  # an IPv4 address in IPv6 clothes
        (EDGE, b"unknown", EDGE),
        (EDGE, CLIENT + b", unknown", EDGE),  # the chain is broken: nobody vouches for what is left of it
        (EDGE, CLIENT + b", ," + INNER, INNER),
        (EDGE, b",,,", EDGE),
        (b"host.example", CLIENT, b"host.example"),
        (EDGE, b"\xff\x00'\"; --", EDGE),
    ],
)
def test_the_chain_is_read_from_the_right(peer, forwarded, client):
    """Link by link, for as long as the one that wrote it is a proxy of ours."""

    assert client == client_behind(peer, forwarded, OURS)


LINKS = st.sampled_from([EDGE, INNER, EDGE6, CLIENT, OTHER, b"2001:db8::7", b"unknown", b"", b"10.0.0.256"])


@given(
    theirs=st.lists(LINKS | st.binary(max_size=9), max_size=5),
    ours=st.lists(st.sampled_from([EDGE, INNER]), max_size=3),
)
def test_nothing_that_a_client_writes_makes_it_another(theirs, ours):
    """Whatever stands in the header that it sent: the proxies append what they saw, and that decides."""
    chain = b", ".join([*theirs, CLIENT, *ours])

    assert CLIENT == client_behind(EDGE, chain, OURS)


def _hits(rows):
    return [
        Hit(1, peer, None, None, b"Firefox", b"GET", b"/", 200, None, None, forwarded=chain)
        for peer, chain in rows
    ]


def _read(columns):
    """Per row the address's hash and value."""
    rows = np.arange(len(columns))
    return list(zip(columns.hashes[0].tolist(), columns.values(0, rows), strict=True))


@settings(deadline=None)  # the first call loads what was compiled
@given(
    batches=st.lists(
        st.lists(
            st.tuples(LINKS.filter(len), st.none() | st.lists(LINKS, min_size=1, max_size=4).map(b", ".join)),
            min_size=1,
            max_size=8,
        ),
        max_size=4,
    )
)
@pytest.mark.parametrize("make", [PlainVocabulary, CompiledVocabulary])
def test_hits_behind_proxies_are_those_of_their_clients(make, batches):
    """Address by address as if the client had come without a proxy, in one batch or the next; so are the hashes by
    which visitors are told apart.
    """
    proxies = Proxies(OURS, SEED, make)
    for rows in batches:
        clients = [(client_behind(peer, chain or b"", OURS), chain) for peer, chain in rows]
        found = proxies.look_behind(columns_of_hits(_hits(rows), SEED))

        assert _read(columns_of_hits(_hits(clients), SEED)) == _read(found)
        assert [b"Firefox"] * len(rows) == found.values(1, np.arange(len(rows)))
