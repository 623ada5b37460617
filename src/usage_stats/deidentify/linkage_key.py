"""(site, window kind, window) → the secret key of that window, made once, destroyed at its seal.

Belongs here: the life of a key on disk. Does not: hashing with it, deciding when a window is sealed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from pathlib import Path

from usage_stats.errors import LedgerError
from usage_stats.ledger import Ledger

__all__ = ["KEY_BYTES", "KeyStore"]

KEY_BYTES = 32  # 256 bits, the full strength of HMAC-SHA-256


class KeyStore:
    """Keys in `restricted/keys/<site>/<kind>/<window>.key` (0600), with a ledger of made and destroyed."""

    def __init__(self, directory: Path, ledger: Ledger, *, site: str) -> None:
        self._directory = directory / site
        self._ledger = ledger
        self._site = site
        self._state = {(e["kind"], e["window"]): e["event"] for e in ledger.entries() if e["site"] == site}

    def key(self, kind: str, window: str) -> bytes | None:
        """Return the window's key, making it on first use; None once it was destroyed.

        Raises:
            LedgerError: the ledger knows the key but its file is missing, open to others or damaged.
                No new key is made then: it would count the same people twice.
        """
        state = self._state.get((kind, window))
        if state == "destroyed":
            return None
        return self._read(kind, window) if state == "made" else self._make(kind, window)

    def destroy(self, kind: str, window: str) -> None:
        """Overwrite and remove a window's key; from then on its pseudonyms lead nowhere.

        The ledger comes first: a crash in between must not leave a key of zeros in use.
        """
        if self._state.get((kind, window)) != "destroyed":
            self._record(kind, window, "destroyed")
        self._wipe(self.path(kind, window))

    def wipe_destroyed(self) -> None:
        """Finish what a crash left: a key that the ledger calls destroyed is on no disk."""
        for (kind, window), event in self._state.items():
            if event == "destroyed":
                self._wipe(self.path(kind, window))

    @staticmethod
    def _wipe(path: Path) -> None:
        if not path.exists():
            return
        with path.open("r+b") as file:  # in place: cutting it first would leave the old blocks as they are
            file.write(bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()

    def destroyed(self) -> frozenset[str]:
        """The codes of the windows whose key is gone for good."""
        return frozenset(window for (_, window), event in self._state.items() if event == "destroyed")

    def in_use(self, kinds: Collection[str]) -> frozenset[str]:
        """The codes of the windows of some kinds whose key was made and not destroyed."""
        made = (place for place, event in self._state.items() if event == "made")
        return frozenset(window for kind, window in made if kind in kinds)

    def leftovers(self) -> list[Path]:
        """Key files that nothing rests on: destroyed by the ledger's word, or never known to it."""
        needed = {self.path(*place) for place, event in self._state.items() if event == "made"}
        return sorted(set(self._directory.glob("*/*.key")) - needed)

    def wipe_leftovers(self) -> None:
        """Overwrite and remove them."""
        for path in self.leftovers():
            self._wipe(path)

    def _make(self, kind: str, window: str) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        path = self.path(kind, window)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)  # left by a crash before the ledger knew it: nothing rests on it
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        self._record(kind, window, "made")
        return key

    def _read(self, kind: str, window: str) -> bytes:
        path = self.path(kind, window)
        try:
            mode = path.stat().st_mode & 0o077
            key = path.read_bytes()
        except OSError:
            raise LedgerError(f"{path}: {_LOST}") from None
        if mode:
            raise LedgerError(
                f"{path}: is open to others (mode {mode:o}); run `chmod 600` on it, then run again"
            )
        if len(key) != KEY_BYTES:
            raise LedgerError(f"{path}: holds {len(key)} bytes instead of {KEY_BYTES}; {_LOST}")
        return key

    def _record(self, kind: str, window: str, event: str) -> None:
        self._ledger.append({"site": self._site, "kind": kind, "window": window, "event": event})
        self._state[kind, window] = event

    def path(self, kind: str, window: str) -> Path:
        """Where a window's key lies, if there is one."""
        return self._directory / kind / f"{window}.key"


_LOST = (
    "the key ledger says that this key is in use, but it cannot be read. A new key would count the same "
    "people twice, so none is made: restore restricted/ from its backup"
)
