"""The release ledger and the folders it tells of → what a partner had received when a folder was written.

A page that is lost is written again as it was: what came after it into the ledger is not looked at.

Belongs here: which earlier files a page may rest on, held to their digests. Does not: writing folders (deliver).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from usage_stats.errors import LedgerError
from usage_stats.flow.editions import Place
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period, parse_period
from usage_stats.release.report.earlier import Earlier, last_period, only_whole, periods_back, read_earlier

__all__ = ["Received"]


class Received:
    """What was delivered, in the ledger's order, with the digests of the files."""

    def __init__(self, workspace: Workspace) -> None:
        self._releases = workspace.releases
        self._files: dict[Place, Mapping[str, str]] = {}
        self._order: dict[Place, int] = {}
        self._wholes: dict[Place, Earlier | None] = {}
        for entry in workspace.released.entries():
            if entry["event"] == "delivered":
                self.add(
                    Place(entry["partner"], entry["table"], parse_period(entry["period"])), entry["files"]
                )

    def add(self, to: Place, files: Mapping[str, str]) -> None:
        """Remember a folder that was delivered just now."""
        self._files[to] = files
        self._wholes.pop(to, None)  # of the edition before
        self._order.setdefault(to, len(self._order))

    def before(self, to: Place) -> list[Earlier]:
        """What the partner had of the table, of periods of the same kind, when this folder was written: all rows of the
        last one, the whole site's of those before.

        Raises:
            LedgerError: a file is not what was delivered.
        """
        own = self._order.get(to, len(self._order))
        places = (Place(to.partner, to.table, p) for p in periods_back(to.period)[:-1])
        received = [p for p in places if self._order.get(p, own) < own]
        return list(self._rows(received, last_period(to.period)))

    def _rows(self, received: list[Place], last: Period) -> Iterator[Earlier]:
        for place in received:
            if place not in self._wholes:
                self._wholes[place] = only_whole(self._read(place))
            found = self._read(place) if place.period == last else self._wholes[place]
            if found:
                yield found

    def _read(self, place: Place) -> Earlier | None:
        """The rows as they were delivered; None where the folder is gone, or its partner has no CSV files."""
        name = f"{place.table}.csv"
        file = self._releases / place.partner / place.table / place.period.code / name
        if name not in self._files[place] or not file.is_file():
            return None
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != self._files[place][name]:
            raise LedgerError(
                f"{file}: was changed after its delivery; restore it, or delete the whole folder: the next run writes "
                "it again as it was"
            )
        return read_earlier(place.period, content)
