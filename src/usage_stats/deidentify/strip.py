"""Hits → page-view events without identifiers, and a count of what became of every other hit.

Belongs here: the order in which a hit is judged, and the choice of the identifier it is counted by.
Does not: files, keys' whereabouts, the calendar's meaning of late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from usage_stats.accesslog.parse import Hit
from usage_stats.deidentify.generalise import PathClass, PathClassifier, classify_target, is_robot
from usage_stats.deidentify.pseudonym import address_identity, network_of, pseudonym
from usage_stats.errors import InternalError
from usage_stats.periods import WindowKind, month, week
from usage_stats.schemas import EVENTS, empty

__all__ = ["DayGate", "Stripped", "Stripper"]

DayGate = Callable[[date], str | None]  # a day → None if it takes events, else why not: late, future …
KeyOf = Callable[[WindowKind, str], bytes | None]

_WINDOWS = {"week": week, "month": month}
# A day changes at a quarter of an hour in every time zone in use, so a quarter's first second decides.
_QUARTER = 900
_LAST_SECOND = 253_370_764_799  # the end of the year 9998: later ones have no local date in every zone


@dataclass(slots=True)
class _Columns:
    """Events of one window kind, column by column."""

    viewed_at: list[int] = field(default_factory=list)
    event_date: list[date] = field(default_factory=list)
    person: list[int] = field(default_factory=list)
    network: list[int] = field(default_factory=list)
    identity_basis: list[str] = field(default_factory=list)
    component: list[str] = field(default_factory=list)
    sub_component: list[str | None] = field(default_factory=list)

    def frame(self) -> pl.DataFrame:
        types = empty(EVENTS).schema
        columns = {name: getattr(self, name) for name in types}
        return pl.DataFrame(columns | {"viewed_at": [s * 1000 for s in self.viewed_at]}, schema=types)


@dataclass(frozen=True, slots=True)
class Stripped:
    """What became of some hits.

    `events` has per window kind one row per page view: viewed_at (UTC), event_date (reporting zone), person
    and network (64-bit pseudonyms of that day's window), identity_basis, component, sub_component (null where
    the component defines none). `outcomes` counts every hit once; `lines_by_day` counts
    those of open days per local day: a line dated 2099 opens no day.
    """

    events: dict[WindowKind, pl.DataFrame]
    outcomes: Counter[str]
    lines_by_day: Counter[date]


class Stripper:
    """Turns hits into events; keeps each distinct value's verdict in memory only, and forgets it with itself."""

    def __init__(self, classify: PathClassifier, key_of: KeyOf, gate: DayGate, *, zone: ZoneInfo) -> None:
        self._classify = classify
        self._key_of = key_of
        self._gate = gate
        self._zone = zone
        self._robots: dict[bytes | None, bool] = {}
        self._addresses: dict[bytes, tuple[bytes, bytes]] = {}
        self._paths: dict[bytes, PathClass | None] = {}
        self._dates: dict[int, date] = {}
        self._windows: dict[tuple[WindowKind, date], str] = {}
        self._keys: dict[tuple[WindowKind, str], bytes] = {}
        self._gates: dict[date, str | None] = {}
        self._pseudonyms: dict[tuple[WindowKind, str, tuple[bytes, ...]], int] = {}
        self._outcomes: Counter[str] = Counter()
        self._lines_by_day: Counter[date] = Counter()
        self._columns: dict[WindowKind, _Columns] = {"week": _Columns(), "month": _Columns()}

    def take(self, hits: Iterable[Hit]) -> None:
        """Judge each hit: counted under `outcomes`, and kept as an event if it is a page view."""
        for hit in hits:
            day = self._day(hit.at)
            closed = self._gated(day)
            outcome = closed or self._outcome(hit)
            self._outcomes[outcome] += 1
            if closed is None:
                self._lines_by_day[day] += 1
            if outcome == "page_views":
                self._keep(hit, day)

    def __len__(self) -> int:
        """How many events are waiting."""
        return len(self._columns["week"].viewed_at)

    def drain(self) -> Stripped:
        """Hand over what is waiting, and start anew; verdicts on distinct values are kept."""
        frames = {kind: columns.frame() for kind, columns in self._columns.items()}
        stripped = Stripped(frames, self._outcomes, self._lines_by_day)
        self._columns = {"week": _Columns(), "month": _Columns()}
        self._outcomes, self._lines_by_day = Counter(), Counter()
        return stripped

    def _outcome(self, hit: Hit) -> str:
        """Why a hit is no page view, or `page_views`."""
        if hit.method is None or hit.target is None:
            return "malformed_requests"
        if self._is_robot(hit.agent):
            return "robots"
        if hit.method != b"GET":
            return "other_methods"
        if not (200 <= hit.status < 300 or hit.status == 304):
            return "unsuccessful"
        path = self._path(hit.target)
        if path is None:
            return "foreign_targets"
        return "assets" if path.is_asset else "page_views"

    def _keep(self, hit: Hit, day: date) -> None:
        path = self._path(hit.target or b"")
        if path is None:
            return
        address, network = self._address(hit.address)
        basis, identity = _identity(hit, address)
        for kind, columns in self._columns.items():
            window = self._window(kind, day)
            columns.viewed_at.append(hit.at)
            columns.event_date.append(day)
            columns.person.append(self._pseudonym(kind, window, (basis.encode(), *identity)))
            columns.network.append(self._pseudonym(kind, window, (b"network", network)))
            columns.identity_basis.append(basis)
            columns.component.append(path.component)
            columns.sub_component.append(path.sub_component)

    def _pseudonym(self, kind: WindowKind, window: str, parts: tuple[bytes, ...]) -> int:
        known = self._pseudonyms.get((kind, window, parts))
        if known is None:
            known = pseudonym(self._key(kind, window), f"{kind}/{window}", *parts)
            self._pseudonyms[kind, window, parts] = known
        return known

    def _window(self, kind: WindowKind, day: date) -> str:
        known = self._windows.get((kind, day))
        if known is None:
            known = self._windows[kind, day] = _WINDOWS[kind](day).code
        return known

    def _key(self, kind: WindowKind, window: str) -> bytes:
        known = self._keys.get((kind, window)) or self._key_of(kind, window)
        if known is None:
            raise InternalError(f"the {kind} {window} is sealed but its days take events: this is a bug")
        self._keys[kind, window] = known
        return known

    def _address(self, address: bytes) -> tuple[bytes, bytes]:
        """What of the address tells visitors apart, and the network it lies in."""
        known = self._addresses.get(address)
        if known is None:
            known = self._addresses[address] = (address_identity(address), network_of(address))
        return known

    def _day(self, at: int) -> date:
        at = min(max(at, 0), _LAST_SECOND)
        quarter = at // _QUARTER
        known = self._dates.get(quarter)
        if known is None:
            known = datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(self._zone).date()
            self._dates[quarter] = known
        return known

    def _gated(self, day: date) -> str | None:
        if day not in self._gates:
            self._gates[day] = self._gate(day)
        return self._gates[day]

    def _is_robot(self, agent: bytes | None) -> bool:
        known = self._robots.get(agent)
        if known is None:
            known = self._robots[agent] = is_robot(agent)
        return known

    def _path(self, target: bytes) -> PathClass | None:
        target = target.partition(b"?")[0]
        if target not in self._paths:
            path = classify_target(target)
            self._paths[target] = None if path is None else self._classify(path)
        return self._paths[target]


def _identity(hit: Hit, address: bytes) -> tuple[str, tuple[bytes, ...]]:
    """By what the visitor is told apart: the account, else the cookie, else address and user agent."""
    if hit.account is not None:
        return "account", (hit.account,)
    if hit.cookie is not None:
        return "cookie", (hit.cookie,)
    return "address", (address, hit.agent or b"")
