"""A cell's counts → whether publishing it would say something about too few.

Belongs here: sensitivity rules, one class each. Does not: what else must be withheld to protect a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from usage_stats.config import Thresholds
from usage_stats.measure.cells import Counts
from usage_stats.measure.relations import CellKey

__all__ = [
    "DominanceShare",
    "MinimumNetworks",
    "MinimumPersons",
    "Rule",
    "is_enough",
    "primary_cells",
    "rules_of",
]


@dataclass(frozen=True, slots=True)
class MinimumPersons:
    """A figure rests on at least this many persons; hits do not count, one robot makes thousands."""

    minimum: int

    def allows(self, counts: Counts) -> bool:
        return counts.visitors >= self.minimum


@dataclass(frozen=True, slots=True)
class MinimumNetworks:
    """A figure comes from at least this many networks: fewer are one household or one company."""

    minimum: int

    def allows(self, counts: Counts) -> bool:
        return counts.networks >= self.minimum


@dataclass(frozen=True, slots=True)
class DominanceShare:
    """No person makes more than this share of a cell's page views, where that is counted: figures of a group of
    customers would be those of one of them. The (n, k) rule of statistical offices, for n = 1.

    Source: Hundepool et al., Statistical Disclosure Control (2012), section 4.2.1.
    """

    share: float

    def allows(self, counts: Counts) -> bool:
        return counts.largest <= self.share * counts.page_views


Rule = MinimumPersons | MinimumNetworks | DominanceShare


def rules_of(thresholds: Thresholds) -> tuple[Rule, ...]:
    """The rules that the configured thresholds stand for."""
    return (
        MinimumPersons(thresholds.minimum_persons),
        MinimumNetworks(thresholds.minimum_networks),
        DominanceShare(thresholds.dominance_share),
    )


def is_enough(persons: int, networks: int, rules: Iterable[Rule]) -> bool:
    """Whether what rests on so many persons and networks may be told; what rests on nobody may."""
    return not persons or all(rule.allows(Counts(persons, 0, 0, networks)) for rule in rules)


def primary_cells(cells: Mapping[CellKey, Counts], rules: Iterable[Rule]) -> dict[CellKey, tuple[str, ...]]:
    """Each sensitive cell with the names of the rules it breaks. An empty cell is about nobody."""
    rules = tuple(rules)
    broken = {
        key: tuple(type(rule).__name__ for rule in rules if not rule.allows(counts))
        for key, counts in cells.items()
        if counts.visitors > 0
    }
    return {key: names for key, names in broken.items() if names}
