"""Identities to be left out → keyed hashes that recognise them again, and nothing else.

Belongs here: who is left out, how that is kept, when an entry ends. Does not: leaving anybody out (visitors).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from usage_stats.errors import LedgerError
from usage_stats.ledger import canonical_json

__all__ = ["NOBODY", "Exclusions"]

# 128 bits: among 2^40 visitors and a million entries, somebody is left out by mistake with probability 3e-21.
_HASH_BYTES = 16
_FOR_EVER: tuple[str, ...] = ()


class Exclusions:
    """Keyed hashes of identities, each with the windows at whose end it is forgotten (none: it is kept).

    An address passes on to other people, so its entry ends when the windows in which it was erased are closed.
    """

    def __init__(self, key: bytes, entries: Mapping[str, Sequence[str]]) -> None:
        self._key = key
        self._entries = {hash_: tuple(windows) for hash_, windows in entries.items()}
        self._hashes = frozenset(map(bytes.fromhex, self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return "Exclusions(...)"  # it holds a key

    @property
    def kept_for_ever(self) -> int:
        """How many entries have no end."""
        return sum(not windows for windows in self._entries.values())

    def covers(self, identity: bytes) -> bool:
        """Whether who bears this identity is left out."""
        return bool(self._hashes) and self._hash(identity) in self._hashes

    def excluded(self, identities: Sequence[bytes]) -> list[bool]:
        """The same of many; nothing is hashed while nobody is left out."""
        if not self._hashes:
            return [False] * len(identities)
        return [self._hash(identity) in self._hashes for identity in identities]

    def adding(self, identities: Mapping[bytes, Collection[str]]) -> Exclusions:
        """These identities too, each until all of its windows are closed; without windows, for ever."""
        entries = dict(self._entries)
        for identity, windows in identities.items():
            hash_ = self._hash(identity).hex()
            is_for_ever = not windows or entries.get(hash_) == _FOR_EVER
            entries[hash_] = _FOR_EVER if is_for_ever else tuple(sorted({*windows, *entries.get(hash_, ())}))
        return Exclusions(self._key, entries)

    def without_ended(self, closed: Collection[str]) -> Exclusions:
        """Only the entries that last: with no end, or with a window that is not closed yet."""
        lasting = {h: w for h, w in self._entries.items() if not w or set(w) - set(closed)}
        return Exclusions(self._key, lasting)

    def to_bytes(self) -> bytes:
        """As they are kept in a file, with a keyed checksum."""
        entries = {hash_: list(windows) for hash_, windows in self._entries.items()}
        return canonical_json({"entries": entries, "checksum": self._checksum(entries)}).encode()

    @classmethod
    def load(cls, path: Path, key: bytes, *, kept_for_ever: int) -> Exclusions:
        """Read the file back.

        Args:
            path: the file.
            key: the key it was made with.
            kept_for_ever: how many entries without an end it must hold, as a ledger says.

        Raises:
            LedgerError: it is missing, was changed, or lacks entries: someone would be counted who must not be.
        """
        try:
            stored = json.loads(path.read_bytes())
            entries, checksum = stored["entries"], stored["checksum"]
            found = cls(key, entries)
            is_whole = hmac.compare_digest(checksum, found._checksum(entries))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise LedgerError(f"{path}: {_LOST}") from None
        if not is_whole or found.kept_for_ever != kept_for_ever:
            raise LedgerError(f"{path}: {_LOST}")
        return found

    def _hash(self, identity: bytes) -> bytes:
        return hashlib.blake2b(identity, key=self._key, digest_size=_HASH_BYTES, person=b"excluded").digest()

    def _checksum(self, entries: object) -> str:
        text = canonical_json(entries).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=_HASH_BYTES, person=b"checksum").hexdigest()


NOBODY = Exclusions(b"", {})  # before anybody was erased there is no key, and nothing to recognise

_LOST = (
    "says who is left out; it is missing, damaged or older than the ledger of erasures. Nothing is read without "
    "it, for people who were erased would count again: restore restricted/ from its backup"
)
