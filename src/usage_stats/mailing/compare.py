"""Two lists of addresses → those of the first that are on the second, as the first spells them, and counts.

Belongs here: the comparison, on digests under a key that lives as long as the comparison. Does not: what may be
told to whom (overlap_count, flow/compare_lists).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from usage_stats.mailing.address_list import AddressList

__all__ = ["Comparison", "compare"]

_KEY_BYTES: Final = 32  # 256 bits
# 128 bits: among ten million addresses on each side, two share a digest with a probability below 1e-24.
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """What the sender may know.

    Attributes:
        ours, theirs: distinct addresses on each list. overlap: on both.
        on_both: addresses on both lists in each spelling that our list has, in its order.
    """

    ours: int
    theirs: int
    overlap: int
    on_both: tuple[str, ...]


def compare(ours: AddressList, theirs: AddressList) -> Comparison:
    """Read both lists to their ends and compare them as sets.

    Of theirs, only digests are held; of ours, digests and the addresses that are on both. The key is made here and
    never leaves: digests of two comparisons have nothing in common.

    Raises:
        InputError: one of them cannot be read as a list of addresses.
    """
    keyed = hashlib.blake2b(key=secrets.token_bytes(_KEY_BYTES), digest_size=_DIGEST_BYTES)

    def digest(key: str) -> bytes:
        hashed = keyed.copy()
        hashed.update(key.encode())
        return hashed.digest()

    on_theirs = {digest(address.key) for address in theirs.addresses()}
    on_ours: set[bytes] = set()
    on_both: dict[str, None] = {}
    for address in ours.addresses():
        known = digest(address.key)
        on_ours.add(known)
        if known in on_theirs:
            on_both[address.written] = None
    return Comparison(len(on_ours), len(on_theirs), len(on_ours & on_theirs), tuple(on_both))
