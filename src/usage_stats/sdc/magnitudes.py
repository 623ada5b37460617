"""Cells and a specification → of each published magnitude, how far its sums must stay in doubt.

Belongs here: protection levels. Does not: finding out how far a reader gets (audit_magnitudes), choosing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from usage_stats.errors import InputError
from usage_stats.sdc.cells import Cells
from usage_stats.sdc.relations import Floats, Mask
from usage_stats.sdc.table_spec import TableSpec

__all__ = ["Levels", "levels_of", "sliding_share"]

_ROUNDING = 1e-9  # of a sum, which contributions may exceed it by


@dataclass(frozen=True)
class Levels:
    """A published magnitude of all cells.

    Attributes:
        name: its column.
        values: the sums.
        share: of a cell's sum, what must stay in doubt both ways unless the cell is surely no secret.
        further: of a sensitive cell, the protection level of its own rules; 0 elsewhere.
        floor: what a reader who knows all counts takes a sum to be at least.
    """

    name: str
    values: Floats
    share: float
    further: Floats
    floor: Floats

    @property
    def lower(self) -> Floats:
        """How far below its sum a reader must be able to think a cell; no further than any reader can."""
        level: Floats = np.minimum(self._level, self.values - self.floor)
        return level

    @property
    def upper(self) -> Floats:
        """How far above: further where not even the floor is far below, so that every interval is as wide."""
        makes_up = (self.values - self.lower) / (1 - sliding_share(self.share)) - self.values
        level: Floats = np.maximum(self._level, makes_up)
        return level

    @property
    def _level(self) -> Floats:
        level: Floats = np.maximum(self.share * self.values, self.further)
        return level


def levels_of(cells: Cells, rules: Mapping[str, Mask], spec: TableSpec) -> tuple[Levels, ...]:
    """The levels of each magnitude that is published.

    Raises:
        InputError: a sum below zero, of nobody, below its largest contributions or below what persons give for sure.
    """
    return tuple(_levels(cells, rules, spec, name) for name in spec.published)


def sliding_share(share: float) -> float:
    """The part of its upper end that an interval is wide at least, if it holds a sum with that share both ways.

    From (1 - s) a to (1 + s) a, and beyond: high - low >= 2 s / (1 + s) high, whatever a is.
    """
    return 2 * share / (1 + share)


def _levels(cells: Cells, rules: Mapping[str, Mask], spec: TableSpec, name: str) -> Levels:
    values, largest = cells.magnitudes[name], cells.largest[name]
    floor = spec.magnitudes[name].at_least * cells.counts.astype(float)
    _check(cells, name, floor)
    further = np.zeros(len(values))
    if "p_percent" in rules and (share := spec.p_percent(name)):
        level = share / 100 * largest[:, 0] - (values - largest[:, 0] - largest[:, 1])
        further = np.maximum(further, np.where(rules["p_percent"], level, 0.0))
    if "dominance" in rules and spec.rules.dominance:
        n, k = spec.rules.dominance.n, spec.rules.dominance.k
        level = largest[:, :n].sum(axis=1) * 100 / k - values
        further = np.maximum(further, np.where(rules["dominance"], level, 0.0))
    return Levels(name, values, spec.rules.protect_percent / 100, further, floor)


def _check(cells: Cells, name: str, floor: Floats) -> None:
    values, largest = cells.magnitudes[name], cells.largest[name]
    inner = cells.layout.inner
    slack = _ROUNDING * np.abs(values)
    faults = {
        "is no number of at least 0": ~(np.isfinite(values) & (values >= 0)),
        "is a sum of nobody's": (cells.counts == 0) & (values != 0),
        "is less than its largest contributions": largest.sum(axis=1) > values + slack,
        "is less than its persons contribute at least": floor > values + slack,
    }
    for fault, where in faults.items():
        if where[inner].any():
            raise InputError(
                f"column {name!r}: {int(where[inner].sum())} cell(s) hold what {fault}; it cannot be published"
            )
