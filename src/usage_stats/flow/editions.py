"""The release ledger → of every delivered folder, what was delivered and which edition is in force.

Belongs here: reading back what was delivered, restated, withdrawn. Does not: deciding it (restate), writing folders
(deliver).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period, parse_period
from usage_stats.release.edition import Edition
from usage_stats.release.folders import PACKAGE

__all__ = ["Editions", "Order", "Place"]


class Place(NamedTuple):
    """A folder: whose, of which table, of which period."""

    partner: str
    table: str
    period: Period


@dataclass(frozen=True, slots=True)
class Order:
    """An entry that restates or withdraws a table of a period.

    `partners`: whose folders; `for_all`: the analysts' file too, and partners to come.
    """

    entry: dict[str, Any]

    @property
    def partners(self) -> tuple[str, ...]:
        return tuple(self.entry["partners"])

    @property
    def for_all(self) -> bool:
        return bool(self.entry["for_all"])

    @property
    def is_withdrawal(self) -> bool:
        return bool(self.entry["event"] == "withdrawn")

    def edition(self, supersedes: str) -> Edition:
        """The edition that it orders of a folder."""
        said = {key: self.entry[key] for key in ("event", "number", "reason", "on")}
        return Edition(**said, supersedes=supersedes)


class Editions:
    """What became of folders, by the ledger alone."""

    def __init__(self, workspace: Workspace) -> None:
        self._sent: dict[Place, dict[str, Any]] = {}
        self._orders: dict[tuple[str, Period], list[Order]] = {}
        for entry in workspace.released.entries():
            if entry["event"] == "delivered":
                place = Place(entry["partner"], entry["table"], parse_period(entry["period"]))
                self._sent[place] = entry
            elif entry["event"] in {"restated", "withdrawn"}:
                about = entry["table"], parse_period(entry["period"])
                self._orders.setdefault(about, []).append(Order(entry))

    def sent(self, place: Place) -> dict[str, Any] | None:
        """The entry of what lies there, as delivered last; None where nothing ever was."""
        return self._sent.get(place)

    def places(self, table: str, period: Period) -> list[Place]:
        """The folders of a table and a period that were ever delivered."""
        return [place for place in self._sent if (place.table, place.period) == (table, period)]

    def next_number(self, table: str, period: Period) -> int:
        """Of the next edition: what was delivered first is the first."""
        return 2 + len(self._orders.get((table, period), ()))

    def is_withdrawn(self, place: Place) -> bool:
        """Whether no figures belong there: it was withdrawn there or from everybody, and not restated since."""
        order = self._order(place)
        return order is not None and order.is_withdrawal

    def withdrawn(self) -> frozenset[tuple[str, Period]]:
        """Tables and periods that are withdrawn from everybody, the analysts' file too."""
        return frozenset(about for about, orders in self._orders.items() if _is_gone(orders))

    def changes(self) -> dict[Period, list[dict[str, Any]]]:
        """By period, what was restated and withdrawn, in order: table, event, number, partners, day and reason."""
        told: dict[Period, list[dict[str, Any]]] = {}
        for (table, period), orders in self._orders.items():
            for order in orders:
                said = {key: order.entry[key] for key in ("event", "number", "for_all", "on", "reason")}
                told.setdefault(period, []).append({"table": table, **said, "partners": list(order.partners)})
        return told

    def pending(self) -> Iterator[tuple[Place, Edition]]:
        """Folders that do not hold the edition that was ordered last, with that edition."""
        for place, entry in self._sent.items():
            order = self._order(place)
            if order and entry.get("edition", {}).get("number", 1) < order.entry["number"]:
                yield place, order.edition(entry["files"][PACKAGE])

    def _order(self, place: Place) -> Order | None:
        orders = self._orders.get((place.table, place.period), ())
        return next((o for o in reversed(orders) if o.for_all or place.partner in o.partners), None)


def _is_gone(orders: list[Order]) -> bool:
    last = next((order for order in reversed(orders) if order.for_all), None)
    return last is not None and last.is_withdrawal
