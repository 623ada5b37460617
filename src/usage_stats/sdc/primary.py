"""All cells with their contributors → the sensitive ones, each with the rules that it breaks.

Belongs here: the rules. Does not: what else must be withheld.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from usage_stats.sdc.cells import Cells
from usage_stats.sdc.relations import Floats, Layout, Mask
from usage_stats.sdc.table_spec import TableSpec

__all__ = ["sensitive_cells"]


def sensitive_cells(cells: Cells, spec: TableSpec) -> Mapping[str, Mask]:
    """Each rule in force with the cells that break it. An empty cell is about nobody, unless zeros are sensitive."""
    rules, some = spec.rules, cells.counts > 0
    broken = {"minimum_persons": some & (cells.counts < rules.minimum_persons)}
    if spec.zeros == "sensitive":
        broken["zeros"] = ~some
    if rules.minimum_networks and cells.networks is not None:
        broken["minimum_networks"] = some & (cells.networks < rules.minimum_networks)
    if rules.dominance:
        n, share = rules.dominance.n, rules.dominance.k / 100
        parts = [_dominated(cells.magnitudes[m], cells.largest[m], n, share) for m in cells.magnitudes]
        broken["dominance"] = some & np.logical_or.reduce(parts)
    percents = {m: percent for m in cells.magnitudes if (percent := spec.p_percent(m))}
    if percents:
        parts = [_estimable(cells.magnitudes[m], cells.largest[m], p / 100) for m, p in percents.items()]
        broken["p_percent"] = some & np.logical_or.reduce(parts)
    for name in rules.homogeneity:
        broken[f"homogeneity of {name}"] = _homogeneous(cells, name)
    return broken


def _dominated(total: Floats, largest: Floats, n: int, share: float) -> Mask:
    dominated: Mask = (total > 0) & (largest[:, :n].sum(axis=1) > share * total)
    return dominated


def _estimable(total: Floats, largest: Floats, share: float) -> Mask:
    """Whether the second largest contributor, who knows its own part, knows the largest within that share."""
    rest = total - largest[:, 0] - largest[:, 1]
    return (total > 0) & (rest < share * largest[:, 0])


def _homogeneous(cells: Cells, name: str) -> Mask:
    """Cells that hold everyone of the whole they are part of: whoever is in the whole did this."""
    layout: Layout = cells.layout
    axis = [d.name for d in layout.dimensions].index(name)
    counts = np.moveaxis(cells.counts.reshape(layout.shape), axis, 0)
    found = np.zeros_like(counts, dtype=bool)
    for whole, parts in layout.dimensions[axis].families:
        if len(parts) > 1:
            for part in parts:
                found[part] |= (counts[part] == counts[whole]) & (counts[whole] > 0)
    same: Mask = np.moveaxis(found, 0, axis).ravel()
    return same
