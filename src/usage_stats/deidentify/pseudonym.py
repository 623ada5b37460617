"""A linkage key and an identifier → a pseudonym that nobody can turn back or recompute without the key.

Belongs here: the keyed hash and what goes into it. Does not: where keys live, which identifier is used.
"""

from __future__ import annotations

import hmac
import ipaddress

__all__ = ["address_identity", "network_of", "pseudonym"]

# 64 bits: with a million persons in a window, two share a pseudonym with probability 3e-8 (n² / 2^65).
_PSEUDONYM_BYTES = 8


def pseudonym(key: bytes, domain: str, *parts: bytes) -> int:
    """Return the HMAC-SHA-256 of the parts under the key, cut to 64 bits, as an unsigned number.

    Parts are length-prefixed and the domain is named, so that ("ab", "c") and ("a", "bc"), or an
    account and a cookie of the same spelling, never meet.

    Source: RFC 2104 (HMAC); truncation by RFC 2104 section 5.
    """
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (domain.encode(), *parts))
    return int.from_bytes(hmac.digest(key, message, "sha256")[:_PSEUDONYM_BYTES], "big")


def address_identity(address: bytes) -> bytes:
    """What of an address tells visitors apart: all of an IPv4 address, the /64 of an IPv6 one.

    A host may change the lower half of its IPv6 address at will (RFC 8981), so it identifies nobody.
    """
    return _masked(address, v4=32, v6=64)


def network_of(address: bytes) -> bytes:
    """The network an address lies in: IPv4 /24, IPv6 /48, the usual sizes of one site's allocation.

    Of a host name the last two labels: all hosts of one company are one network.
    """
    network = _masked(address, v4=24, v6=48)
    is_address = network.startswith((b"v4/", b"v6/"))
    return network if is_address else b".".join(network.strip(b".").split(b".")[-2:])


def _masked(address: bytes, *, v4: int, v6: int) -> bytes:
    text = address.decode("latin-1").partition("%")[0].strip("[]").lower()
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return text.encode("latin-1")  # a host name: the server was told to look names up
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    keep = v4 if ip.version == 4 else v6
    number = int(ip) >> (ip.max_prefixlen - keep)
    return f"v{ip.version}/{keep}:".encode() + number.to_bytes(16, "big")
