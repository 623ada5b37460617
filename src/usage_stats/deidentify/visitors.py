"""Page requests of people → who visited on which day, under the pseudonyms of that day's week and month.

Belongs here: the choice of the identifier a visitor is told apart by, and the pseudonyms made of it.
Does not: what was visited, or the files that events go to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.lines import Int64, UInt64
from usage_stats.accesslog.vocabulary import Table, Vocabulary, mixed
from usage_stats.deidentify.exclusion import NOBODY, Exclusions
from usage_stats.deidentify.pseudonym import Pseudonymiser, account_identity, cookie_identity, split_address
from usage_stats.deidentify.windows import KeyOf, open_window
from usage_stats.periods import month, week

__all__ = ["BASES", "KeyOf", "Visitors", "are_excluded"]

BASES = ("account", "cookie", "address")  # in the order in which they are preferred
_ADDRESS, _AGENT, _ACCOUNT, _COOKIE = (
    SLOTS.index(name) for name in ("address", "agent", "account", "cookie")
)
_MOST_VISITORS = 1 << 19  # visitor-days remembered: some 100 bytes each
_OF_ACCOUNT, _OF_COOKIE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)  # any two odd numbers


@dataclass(frozen=True, slots=True)
class _Windows:
    """The pseudonymisers of the week and the month that a day lies in."""

    week: Pseudonymiser
    month: Pseudonymiser


class Visitors:
    """Numbers visitor-days: an identity with its address on one day. Keeps hashes and pseudonyms, in
    memory only; never an identity.

    `day` (proleptic ordinal) and `basis` (place in `BASES`) are tables by that number.
    """

    def __init__(
        self, key_of: KeyOf, make: Callable[[], Vocabulary], exclusions: Exclusions = NOBODY
    ) -> None:
        self._key_of = key_of
        self._exclusions = exclusions
        self._make = make
        self._windows = cache(self._open_windows)  # per instance: keys must not outlive it
        self.forget()

    def forget(self) -> None:
        """Begin anew: all of it is a cache."""
        self._days, self._spans = self._make(), self._make()
        self.day, self.basis = Table(np.int32), Table(np.int8)
        self._span_of = Table(np.int64)
        self._is_left_out = Table(np.bool_)
        self._pseudonyms = [Table(np.uint64) for _ in range(4)]

    def __len__(self) -> int:
        return len(self._days)

    @property
    def is_full(self) -> bool:
        return len(self) > _MOST_VISITORS

    def pseudonyms(self, numbers: Int64) -> list[UInt64]:
        """Of visitors by their numbers: person, network under the week's key; person, network under the month's."""
        spans = self._span_of[numbers]
        return [table[spans] for table in self._pseudonyms]

    def are_left_out(self, numbers: Int64) -> np.ndarray:
        """Whether visitors, by their numbers, are among the exclusions: they have no pseudonyms."""
        found: np.ndarray = self._is_left_out[self._span_of[numbers]]
        return found

    def number(self, columns: Columns, rows: Int64, days: np.ndarray) -> Int64:
        """The number of the visitor-day of each of some rows; `days` are proleptic ordinals, per row of `rows`."""
        identity = _identity_hashes(columns, rows)
        codes, unseen = self._days.look_up(mixed(identity, days))
        if len(unseen):
            starts = _span_starts(days[unseen])
            spans, new = self._spans.look_up(mixed(identity[unseen], starts))
            self._name(columns, rows[unseen[new]], starts[new])
            self._span_of.extend(spans)
            self.day.extend(days[unseen])
            self.basis.extend(_bases(columns, rows[unseen]))
        return codes

    def _name(self, columns: Columns, rows: Int64, starts: np.ndarray) -> None:
        """Make the pseudonyms of new visitors, in the order of their rows; of who is left out, none."""
        made = np.zeros((4, len(rows)), np.uint64)
        is_left_out = are_excluded(columns, rows, self._exclusions)
        self._is_left_out.extend(is_left_out)
        for start in np.unique(starts).tolist():
            within = (starts == start) & ~is_left_out
            if not within.any():
                continue
            made[:, within] = self._pseudonymise(columns, rows[within], start)
        for table, values in zip(self._pseudonyms, made, strict=True):
            table.extend(values)

    def _pseudonymise(self, columns: Columns, rows: Int64, start: int) -> tuple[UInt64, ...]:
        """Persons and networks under the key of the week, and of the month, that a span of days lies in."""
        windows = self._windows(start)
        identities, networks = _identities(columns, rows)
        week, month = windows.week, windows.month
        return week.of(identities), week.of(networks), month.of(identities), month.of(networks)

    def _open_windows(self, start: int) -> _Windows:
        first = date.fromordinal(start)
        return _Windows(open_window(self._key_of, week(first)), open_window(self._key_of, month(first)))


def are_excluded(columns: Columns, rows: Int64, exclusions: Exclusions) -> np.ndarray:
    """Whether the visitor of each of some rows is among the exclusions."""
    found = np.zeros(len(rows), np.bool_)
    if len(exclusions):
        found[:] = exclusions.excluded(_identities(columns, rows)[0])
    return found


def _identity_hashes(columns: Columns, rows: Int64) -> UInt64:
    """A hash of what tells the visitor apart together with the address, for the network hangs on that."""
    hashes = columns.hashes[:, rows]
    anonymous = mixed(hashes[_ADDRESS], hashes[_AGENT])
    known = np.where(hashes[_ACCOUNT] != 0, hashes[_ACCOUNT] ^ _OF_ACCOUNT, hashes[_COOKIE] ^ _OF_COOKIE)
    is_known = (hashes[_ACCOUNT] | hashes[_COOKIE]) != 0
    found: UInt64 = np.where(is_known, mixed(known, hashes[_ADDRESS]), anonymous)
    return found


def _span_starts(days: np.ndarray) -> np.ndarray:
    """The first day of the span in which neither week nor month changes, per day (proleptic ordinals)."""
    distinct, places = np.unique(days, return_inverse=True)
    firsts = [
        max(week(d).first, month(d).first).toordinal() for d in map(date.fromordinal, distinct.tolist())
    ]
    return np.array(firsts, np.int64)[places]


def _bases(columns: Columns, rows: Int64) -> np.ndarray:
    hashes = columns.hashes[:, rows]
    return np.where(hashes[_ACCOUNT] != 0, 0, np.where(hashes[_COOKIE] != 0, 1, 2))


def _identities(columns: Columns, rows: Int64) -> tuple[list[bytes], list[bytes]]:
    """By what each visitor is told apart (account, else cookie, else address and user agent), and the network."""
    addresses = [split_address(address) for address in columns.values(_ADDRESS, rows)]
    identities = [address for address, _ in addresses]
    _replace(identities, columns, rows, _AGENT, lambda place, agent: identities[place] + agent)
    _replace(identities, columns, rows, _COOKIE, lambda _, cookie: cookie_identity(cookie))
    _replace(identities, columns, rows, _ACCOUNT, lambda _, account: account_identity(account))
    return identities, [network for _, network in addresses]


def _replace(
    identities: list[bytes], columns: Columns, rows: Int64, slot: int, made: Callable[[int, bytes], bytes]
) -> None:
    """Where a row has a value in a slot, put what is made of it."""
    present = np.flatnonzero(columns.hashes[slot, rows])
    for place, value in zip(present.tolist(), columns.values(slot, rows[present]), strict=True):
        identities[place] = made(place, value)
