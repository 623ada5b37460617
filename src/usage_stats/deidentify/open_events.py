"""Hits that confirm opened e-mails → events: campaign, how it was opened, and the recipient's pseudonym of the month.

Belongs here: what is kept of an open until it is written. Does not: which hits are opens (outcome).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.lines import Int64
from usage_stats.accesslog.vocabulary import Verdicts, Vocabulary
from usage_stats.deidentify.email_opens import OpenMatcher, open_class
from usage_stats.deidentify.exclusion import NOBODY, Exclusions
from usage_stats.deidentify.mail_agents import OPEN_CLASSES
from usage_stats.deidentify.pseudonym import Pseudonymiser, recipient_identity
from usage_stats.deidentify.visitors import are_excluded
from usage_stats.deidentify.windows import KeyOf, open_window
from usage_stats.periods import Period, month
from usage_stats.schemas import EMAIL_OPENS

__all__ = ["OpenEvents"]

_AGENT, _PATH, _QUERY = (SLOTS.index(name) for name in ("agent", "path", "query"))


class _Kept(NamedTuple):
    """An open without anybody's name."""

    day: int
    recipient: int | None
    campaign: str
    open_class: str


class OpenEvents:
    """Gathers opens; a recipient is a pseudonym before the next lines are read.

    Who was erased is left out: as a recipient, and where the request carries their account, cookie, or address and
    agent.
    """

    def __init__(
        self,
        match: OpenMatcher,
        key_of: KeyOf,
        make: Callable[[], Vocabulary],
        exclusions: Exclusions = NOBODY,
    ) -> None:
        self._match = match
        self._exclusions = exclusions
        unknown = OPEN_CLASSES.index(open_class(None))
        self._classes = Verdicts(
            _AGENT, judge=lambda agent: OPEN_CLASSES.index(open_class(agent)), make=make, absent=unknown
        )
        self._kept: list[_Kept] = []

        @cache  # per instance: keys must not outlive it
        def pseudonymiser(window: Period) -> Pseudonymiser:
            return open_window(key_of, window)

        self._pseudonymiser = pseudonymiser

    def __len__(self) -> int:
        """How many opens are waiting."""
        return len(self._kept)

    def take(self, columns: Columns, rows: Int64, days: np.ndarray) -> None:
        """Keep some rows, which are opens; `days` are proleptic ordinals, per row of `rows`."""
        is_kept = ~are_excluded(columns, rows, self._exclusions)
        rows, days = rows[is_kept], days[is_kept]
        classes = self._classes.of(columns, rows)
        for target, day, how in zip(_targets(columns, rows), days.tolist(), classes.tolist(), strict=True):
            found = self._match(target)
            if found is not None and not self._is_erased(found.recipient):
                self._kept.append(
                    _Kept(day, self._pseudonym(day, found.recipient), found.campaign, OPEN_CLASSES[how])
                )

    def drain(self) -> dict[int, pa.Table]:
        """Hand over what is waiting, by the day. Rows are in the order of pseudonyms: that of the log is forgotten."""
        by_day: dict[int, list[_Kept]] = {}
        for kept in self._kept:
            by_day.setdefault(kept.day, []).append(kept)
        self._kept = []
        return {day: _table(opens) for day, opens in by_day.items()}

    def _is_erased(self, recipient: bytes | None) -> bool:
        return recipient is not None and self._exclusions.covers(recipient_identity(recipient))

    def _pseudonym(self, day: int, recipient: bytes | None) -> int | None:
        if recipient is None:
            return None
        window = self._pseudonymiser(month(date.fromordinal(day)))
        return int(window.of([recipient_identity(recipient)])[0])


def _targets(columns: Columns, rows: Int64) -> list[bytes]:
    """The targets of some rows, with their queries."""
    targets = columns.values(_PATH, rows)
    asked = np.flatnonzero(columns.hashes[_QUERY, rows])
    for place, query in zip(asked.tolist(), columns.values(_QUERY, rows[asked]), strict=True):
        targets[place] += b"?" + query
    return targets


def _table(opens: list[_Kept]) -> pa.Table:
    ordered = sorted(opens, key=lambda o: (o.recipient is None, o.recipient or 0, o.campaign, o.open_class))
    columns = [pa.array([getattr(o, field.name) for o in ordered], field.type) for field in EMAIL_OPENS]
    return pa.table(columns, schema=EMAIL_OPENS)
