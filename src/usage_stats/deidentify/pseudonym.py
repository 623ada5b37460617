"""A linkage key and an identifier → a pseudonym that nobody can turn back or recompute without the key.

Belongs here: the keyed hash and what goes into it. Does not: where keys live, which identifier is used.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable

import numpy as np

from usage_stats.accesslog.lines import UInt64

__all__ = [
    "Pseudonymiser",
    "account_identity",
    "address_identity",
    "cookie_identity",
    "recipient_identity",
    "split_address",
]

# 64 bits: with a million persons in a window, two share a pseudonym with probability 3e-8 (n² / 2^65).
_PSEUDONYM_BYTES = 8
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in IPv6 clothes: RFC 4291, section 2.5.5.2


class Pseudonymiser:
    """Keyed BLAKE2b under one window's key, cut to 64 bits, for one domain.

    Source: RFC 7693, sections 2.5 and 3.3 (keyed mode: a MAC by itself); docs/adr/0005 says why not HMAC-SHA-256.
    """

    def __init__(self, key: bytes, domain: str) -> None:
        # The domain's length in front: no domain and identity spell another pair.
        self._keyed = hashlib.blake2b(_sized(domain.encode()), key=key, digest_size=_PSEUDONYM_BYTES)

    def of(self, identities: Iterable[bytes]) -> UInt64:
        """The pseudonym of each identity, as an unsigned number."""
        digests = []
        for identity in identities:
            keyed = self._keyed.copy()
            keyed.update(identity)
            digests.append(keyed.digest())
        return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)

    def __repr__(self) -> str:
        return "Pseudonymiser(...)"  # the state holds the key


# An identity begins with a letter that says what it is, so that an account and a cookie of the same spelling never
# meet; before anything else follows, each part has a fixed or a stated length.


def account_identity(account: bytes) -> bytes:
    """The identity of who is logged in."""
    return b"a" + account


def cookie_identity(cookie: bytes) -> bytes:
    """The identity of a browser that keeps a cookie."""
    return b"c" + cookie


def recipient_identity(recipient: bytes) -> bytes:
    """The identity of whom an e-mail was sent to: never one of a visitor, whatever either is called."""
    return b"r" + recipient


def address_identity(address: bytes, agent: bytes = b"") -> bytes:
    """The identity of an address with a user agent: what is left where there is neither account nor cookie."""
    return split_address(address)[0] + agent


def split_address(address: bytes) -> tuple[bytes, bytes]:
    """What of an address tells visitors apart, and the network it lies in.

    All of an IPv4 address and its /24; of an IPv6 one the /64, for a host may change the lower half at will
    (RFC 8981), and the /48: the usual sizes of one site's allocation. Of a host name all of it, and its last
    two labels: all hosts of one company are one network.
    """
    packed = _packed(address)
    if packed is None:
        name = address.lower()
        return b"n" + _sized(name), b"N" + b".".join(name.strip(b".").split(b".")[-2:])
    if len(packed) == 4:
        return b"4" + packed, b"F" + packed[:3]
    return b"6" + packed[:8], b"S" + packed[:6]


def _packed(address: bytes) -> bytes | None:
    """Four bytes of an IPv4 address, also of a mapped one, or the sixteen of an IPv6 one; None of a name."""
    text = address.decode("latin-1")
    try:
        if ":" not in text:
            return socket.inet_pton(socket.AF_INET, text)
        packed = socket.inet_pton(socket.AF_INET6, text.partition("%")[0].strip("[]"))
    except (OSError, ValueError):
        return None  # a host name: the server was told to look names up
    return packed[12:] if packed.startswith(_MAPPED) else packed


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part
