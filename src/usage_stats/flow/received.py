"""The release ledger and the folders it tells of → what a partner had received when a folder was written.

A page that is lost is written again as it was: what came after it into the ledger is not looked at.

Belongs here: which earlier files a page may rest on, held to their digests. Does not: writing folders (deliver).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from usage_stats.errors import LedgerError
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period, parse_period
from usage_stats.release.report.earlier import Earlier, last_period, only_whole, periods_back, read_earlier

__all__ = ["Address", "Received"]


class Address(NamedTuple):
    """Where a folder belongs: to whom, of which table and period."""

    partner: str
    table: str
    period: Period


class Received:
    """What was delivered, in the ledger's order, with the digests of the files."""

    def __init__(self, workspace: Workspace) -> None:
        self._releases = workspace.releases
        self._files: dict[Address, Mapping[str, str]] = {}
        self._order: dict[Address, int] = {}
        self._wholes: dict[Address, Earlier | None] = {}
        for entry in workspace.released.entries():
            if entry["event"] == "delivered":
                self.add(
                    Address(entry["partner"], entry["table"], parse_period(entry["period"])), entry["files"]
                )

    def add(self, to: Address, files: Mapping[str, str]) -> None:
        """Remember a folder that was delivered just now."""
        self._files[to] = files
        self._order.setdefault(to, len(self._order))

    def of(self, to: Address) -> Mapping[str, str] | None:
        """The digests of a folder's files by name; None where it was never delivered."""
        return self._files.get(to)

    def before(self, to: Address) -> list[Earlier]:
        """What the partner had of the table, of periods of the same kind, when this folder was written: all rows of the
        last one, the whole site's of those before.

        Raises:
            LedgerError: a file is not what was delivered.
        """
        own = self._order.get(to, len(self._order))
        addresses = (Address(to.partner, to.table, p) for p in periods_back(to.period)[:-1])
        received = [a for a in addresses if self._order.get(a, own) < own]
        return list(self._rows(received, last_period(to.period)))

    def _rows(self, received: list[Address], last: Period) -> Iterator[Earlier]:
        for address in received:
            if address not in self._wholes:
                self._wholes[address] = only_whole(self._read(address))
            found = self._read(address) if address.period == last else self._wholes[address]
            if found:
                yield found

    def _read(self, address: Address) -> Earlier | None:
        """The rows as they were delivered; None where the folder is gone."""
        name = f"{address.table}.csv"
        file = self._releases / address.partner / address.table / address.period.code / name
        if not file.is_file():
            return None
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != self._files[address][name]:
            raise LedgerError(
                f"{file}: was changed after its delivery; restore it, or delete the whole folder: the next run writes "
                "it again as it was"
            )
        return read_earlier(address.period, content)
