"""(site, window kind, window) → the secret key of that window, made once, destroyed at its seal.

Belongs here: the life of a key on disk, and its ledger. Does not: hashing identities with it, deciding when a
window is sealed.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from usage_stats.deidentify.key_file import (
    LOST,
    check_folder,
    check_regular,
    check_value,
    key_of_file,
    wipe,
    write_new,
)
from usage_stats.durable import make_folders
from usage_stats.errors import InternalError, LedgerError
from usage_stats.ledger import Ledger

__all__ = ["KeyStore"]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger says of one key; `check` is None of a key that is not made, or was before checks were kept."""

    is_made: bool = False
    is_used: bool = False
    is_destroyed: bool = False
    check: str | None = None


class KeyStore:
    """Keys in `restricted/keys/<site>/<kind>/<window>.key` (0600), with a ledger of what became of each.

    Entries: `made`, with the check value of the key; `first_used`, written before the key is handed out for the
    first time (mostly in the breath in which it was made; later, if a crash came between); `destroyed`. Each
    says when, by the clock of the run: see `at`. `adopted` stands for both of the first two where a key is older
    than check values.
    """

    def __init__(self, directory: Path, ledger: Ledger, *, site: str) -> None:
        self._top = directory
        self._ledger = ledger
        self._site = site
        self._now: datetime | None = None
        self._state: dict[tuple[str, str], _Known] = {}
        for entry in ledger.entries():
            if entry["site"] == site:
                self._follow(entry)

    def __repr__(self) -> str:
        return f"KeyStore(site={self._site!r})"

    def at(self, now: datetime) -> None:
        """Tell the store the time of the run: entries written from now on carry it."""
        self._now = now

    def key(self, kind: str, window: str) -> bytes | None:
        """Return the window's key, making it on first use; None once it was destroyed.

        Raises:
            LedgerError: the ledger knows the key but its file is missing, open to others, damaged or another
                window's. No new key is made then: it would count the same people twice.
        """
        known = self._known(kind, window)
        if known.is_destroyed:
            return None
        if not known.is_made:
            self._make(kind, window)
        elif known.check is None:
            self._adopt(kind, window)
        key = self._read(kind, window)  # also one just made: what lies on the disk is what is used
        if not self._known(kind, window).is_used:
            self._record(kind, window, "first_used")
        return key

    def is_known(self, kind: str, window: str) -> bool:
        """Whether the ledger ever heard of the key."""
        return (kind, window) in self._state

    def destroy(self, kind: str, window: str) -> None:
        """Overwrite and remove a window's key; from then on its pseudonyms lead nowhere.

        The ledger comes first: a crash in between must not leave a key of zeros in use.
        """
        if not self._known(kind, window).is_destroyed:
            self._record(kind, window, "destroyed")
        wipe(self.path(kind, window))

    def wipe_destroyed(self) -> None:
        """Finish what a crash left: a key that the ledger calls destroyed is on no disk."""
        for (kind, window), known in self._state.items():
            if known.is_destroyed:
                wipe(self.path(kind, window))

    def destroyed(self) -> frozenset[str]:
        """The codes of the windows whose key is gone for good."""
        return frozenset(window for (_, window), known in self._state.items() if known.is_destroyed)

    def in_use(self, kinds: Collection[str]) -> frozenset[str]:
        """The codes of the windows of some kinds whose key was made and not destroyed."""
        return frozenset(window for kind, window in self._in_use() if kind in kinds)

    def leftovers(self) -> list[Path]:
        """Key files that nothing rests on: destroyed by the ledger's word, or never known to it."""
        needed = {self.path(*place) for place in self._in_use()}
        return sorted(set((self._top / self._site).glob("*/*.key")) - needed)

    def wipe_leftovers(self) -> None:
        """Overwrite and remove them."""
        for path in self.leftovers():
            wipe(path)

    def _in_use(self) -> list[tuple[str, str]]:
        return [place for place, known in self._state.items() if known.is_made and not known.is_destroyed]

    def _known(self, kind: str, window: str) -> _Known:
        return self._state.get((kind, window), _Known())

    def _make(self, kind: str, window: str) -> None:
        path = self.path(kind, window)
        self._make_folders(kind)
        if os.path.lexists(path):
            check_regular(path)
            path.unlink()  # left by a crash before the ledger knew it: nothing rests on it
        check = write_new(path, self._domain(kind, window))
        self._record(kind, window, "made", check=check)

    def _make_folders(self, kind: str) -> None:
        make_folders(self._top.parent, mode=0o700)
        for folder in self._folders(kind):
            if not os.path.lexists(folder):
                make_folders(folder, mode=0o700)
            check_folder(folder)

    def _adopt(self, kind: str, window: str) -> None:
        """Take the file of a key from before check values for what it is called: once, and then never again.

        Every read before took it so, and whether it is another's cannot be known any more, unless it is a key whose
        check value is known: that is an error. When it was first used is not known either, so it is not claimed.
        The two upper folders were left to the umask then; they are closed, as they should have been made.
        """
        for folder in self._folders(kind)[:2]:
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o700)
        path = self.path(kind, window)
        check = self._check_of_file(path, kind, window)
        self._record(kind, window, "adopted", check=check)

    def _check_of_file(self, path: Path, kind: str, window: str) -> str:
        key = self._content(path, kind)
        check, owner = check_value(key, self._domain(kind, window)), self._owner(key)
        del key  # no frame of an error holds it
        if owner:
            raise LedgerError(f"{path}: holds the key of {owner}; {LOST}")
        return check

    def _read(self, kind: str, window: str) -> bytes:
        """The key of a window, if its file holds that very key."""
        path = self.path(kind, window)
        key = self._content(path, kind)
        if check_value(key, self._domain(kind, window)) == self._known(kind, window).check:
            return key
        owner = self._owner(key)
        del key  # no frame of an error holds it
        what = f"the key of {owner}" if owner else "another key, of another site or window"
        raise LedgerError(f"{path}: holds {what}; {LOST}")

    def _owner(self, key: bytes) -> str | None:
        """Whose key this is, by the check values of this site."""
        for (kind, window), known in self._state.items():
            if known.check and check_value(key, self._domain(kind, window)) == known.check:
                return f"{kind} {window}"
        return None

    def _content(self, path: Path, kind: str) -> bytes:
        for folder in self._folders(kind):
            check_folder(folder)
        return key_of_file(path)

    def _folders(self, kind: str) -> tuple[Path, Path, Path]:
        return self._top, self._top / self._site, self._top / self._site / kind

    def _domain(self, kind: str, window: str) -> bytes:
        return (
            f"usage-stats key check/{self._site}/{kind}/{window}".encode()
        )  # names are slugs: no slash in any

    def _record(self, kind: str, window: str, event: str, **more: str) -> None:
        if self._now is None:
            raise InternalError("the key store was not told the time of the run: this is a bug")
        at = self._now.astimezone(UTC).isoformat(timespec="seconds")
        entry = {"site": self._site, "kind": kind, "window": window, "event": event, "at": at, **more}
        self._ledger.append(entry)
        self._follow(entry)

    def _follow(self, entry: dict[str, Any]) -> None:
        place = (entry["kind"], entry["window"])
        known, event = self._state.get(place, _Known()), entry["event"]
        self._state[place] = _Known(
            is_made=known.is_made or event == "made",
            is_used=known.is_used or event in {"first_used", "adopted"},
            is_destroyed=known.is_destroyed or event == "destroyed",
            check=entry.get("check", known.check),
        )

    def path(self, kind: str, window: str) -> Path:
        """Where a window's key lies, if there is one."""
        return self._folders(kind)[2] / f"{window}.key"
