"""A cell's counts → whether publishing it would say something about too few.

Belongs here: sensitivity rules, one class each. Does not: what else must be withheld to protect a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from usage_stats.config import Thresholds
from usage_stats.measure.cells import Counts
from usage_stats.measure.relations import CellKey

__all__ = ["DominanceShare", "MinimumNetworks", "MinimumPersons", "Rule", "primary_cells", "rules_of"]


@dataclass(frozen=True, slots=True)
class MinimumPersons:
    """A figure rests on at least this many persons; hits do not count, one robot makes thousands."""

    minimum: int

    def allows(self, persons: int, networks: int) -> bool:  # noqa: ARG002 all rules share one signature
        return persons >= self.minimum


@dataclass(frozen=True, slots=True)
class MinimumNetworks:
    """A figure comes from at least this many networks: fewer are one household or one company."""

    minimum: int

    def allows(self, persons: int, networks: int) -> bool:  # noqa: ARG002 all rules share one signature
        return networks >= self.minimum


@dataclass(frozen=True, slots=True)
class DominanceShare:
    """No person makes more than this share of a cell's page views, where that is counted: figures of a group of
    customers would be those of one of them. The (n, k) rule of statistical offices, for n = 1.

    Source: Hundepool et al., Statistical Disclosure Control (2012), section 4.2.1.
    """

    share: float

    def allows(self, persons: int, networks: int) -> bool:  # noqa: ARG002 persons alone tell nothing of shares
        return True

    def allows_counts(self, counts: Counts) -> bool:
        """Whether the largest contribution is small enough."""
        return counts.largest <= self.share * counts.page_views


Rule = MinimumPersons | MinimumNetworks | DominanceShare


def rules_of(thresholds: Thresholds) -> tuple[Rule, ...]:
    """The rules that the configured thresholds stand for."""
    return (
        MinimumPersons(thresholds.minimum_persons),
        MinimumNetworks(thresholds.minimum_networks),
        DominanceShare(thresholds.dominance_share),
    )


def primary_cells(cells: Mapping[CellKey, Counts], rules: Iterable[Rule]) -> dict[CellKey, tuple[str, ...]]:
    """Each sensitive cell with the names of the rules it breaks. An empty cell is about nobody."""
    rules = tuple(rules)
    broken = {
        key: tuple(type(rule).__name__ for rule in rules if not _allows(rule, counts))
        for key, counts in cells.items()
        if counts.visitors > 0
    }
    return {key: names for key, names in broken.items() if names}


def _allows(rule: Rule, counts: Counts) -> bool:
    if isinstance(rule, DominanceShare):
        return rule.allows_counts(counts)
    return rule.allows(counts.visitors, counts.networks)
