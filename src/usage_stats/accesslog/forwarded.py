"""Hits that came through proxies → the same hits, each from the address that the outermost trusted proxy saw.

A proxy appends the address it saw to the chain, so the chain is read from the right, and only for as long as a proxy
of ours vouches for what stands to its left: anything further left could be a client's own words.

Belongs here: chains of addresses. Does not: what an address becomes (deidentify).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

import numpy as np
import xxhash

from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.lines import Int64
from usage_stats.accesslog.values import is_network_address, without_port
from usage_stats.accesslog.vocabulary import Verdicts, Vocabulary

__all__ = ["Network", "Proxies", "client_behind"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ADDRESS, _FORWARDED = SLOTS.index("address"), SLOTS.index("forwarded")


def client_behind(peer: bytes, forwarded: bytes, trusted: Sequence[Network]) -> bytes:
    """The address furthest left that a trusted proxy vouches for.

    Args:
        peer: the address that the server saw.
        forwarded: `X-Forwarded-For` as it was logged: addresses with commas between, with a port or without.
        trusted: the networks of our own proxies.

    A link that is no address ends the chain: the proxy that passed it on stands for all behind it, who then count as
    one. If all are trusted, the request began at the leftmost.
    """
    client = peer
    for link in reversed([] if not forwarded else forwarded.split(b",")):
        if not _is_in(client, trusted):
            return client
        address = without_port(link.strip(b' "'))
        if not is_network_address(address):
            return client
        client = address
    return client


def _is_in(address: bytes, networks: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address.decode("ascii"))
    except ValueError:  # a host name, which nothing vouches for
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks if network.version == found.version)


class Proxies:
    """Tells clients behind the trusted proxies of one source; each pair of address and chain is read once.

    `seed` is of the values' hashes.
    """

    def __init__(self, trusted: Sequence[Network], seed: int, make: Callable[[], Vocabulary]) -> None:
        self._trusted = trusted

        def judge(address: bytes, forwarded: bytes) -> int:
            return xxhash.xxh64_intdigest(client_behind(address, forwarded, trusted), seed) or 1

        self._clients = Verdicts(_ADDRESS, _FORWARDED, judge=judge, make=make, dtype=np.uint64)

    def look_behind(self, columns: Columns) -> Columns:
        """The same hits with their clients' addresses."""
        rows = np.flatnonzero(columns.hashes[_FORWARDED])
        if not len(rows):
            return columns
        hashes = columns.hashes.copy()
        hashes[_ADDRESS, rows] = self._clients.of(columns, rows)

        def values(slot: int, wanted: Int64) -> list[bytes]:
            return self._behind(columns, wanted) if slot == _ADDRESS else columns.values(slot, wanted)

        return Columns(columns.at, columns.status, columns.is_get, hashes, values)

    def _behind(self, columns: Columns, rows: Int64) -> list[bytes]:
        """The clients' addresses of some hits, with a chain or without."""
        found = columns.values(_ADDRESS, rows)
        chained = np.flatnonzero(columns.hashes[_FORWARDED, rows])
        chains = columns.values(_FORWARDED, rows[chained])
        for place, chain in zip(chained.tolist(), chains, strict=True):
            found[place] = client_behind(found[place], chain, self._trusted)
        return found
