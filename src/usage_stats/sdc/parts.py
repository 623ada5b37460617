"""Sums over cells → the cells in parts that have nothing to do with one another.

Belongs here: connected components. Does not: what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from usage_stats.sdc.relations import Ints, Mask, Sums

__all__ = ["parts_of"]


def parts_of(sums: Sums, of: Mask) -> Iterator[Ints]:
    """Yield the parts, each as sorted numbers; `sums` counts only the cells that `of` marks."""
    size = int(np.count_nonzero(of))
    label = np.arange(size)
    while len(sums):
        least = np.minimum.reduceat(label[sums.cells], sums.start[:-1])
        before = label.copy()
        np.minimum.at(label, sums.cells, np.repeat(least, np.diff(sums.start)))
        label = label[label]  # shortcuts: a label is itself a cell
        if np.array_equal(before, label):
            break
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    yield from (np.sort(part) for part in np.split(order, cuts) if len(part))
