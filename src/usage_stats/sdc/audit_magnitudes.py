"""Published sums of a magnitude → how far each withheld one can be worked out.

Belongs here: the attacker's linear programs over real numbers. Does not: knowing levels or truth, choosing.
A reader is taken to know no relation between a magnitude and the counts but the least that each cell holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from usage_stats.errors import InputError
from usage_stats.sdc.linear import Points
from usage_stats.sdc.parts import parts_of
from usage_stats.sdc.relations import Floats, Ints, Mask, Sums

__all__ = ["Met", "SumsAudit", "SumsView", "audit_magnitude"]

# Up to so many unknowns that hang together, every interval is worked out; beyond, until it says little enough.
MAX_EXACT = 1_500
_LARGEST = 1e4  # programs are scaled so that no figure is larger: the solver's tolerance is absolute
_ROUNDING = 1e-9  # of the figures in a sum, which it may miss being zero by
# What no sum of published figures reaches stands for "without end"; other cells of the same move may get there first.
_ENDLESS = 2.0
_CEILING = 1_000.0

Met = Callable[[int, float, float], bool]  # a cell, the low and the high of what is seen of its interval


@dataclass(frozen=True)
class SumsView:
    """What a reader has of a magnitude.

    Attributes:
        values: of each cell; whatever stands at a withheld one is not looked at.
        withheld: the cells without a value.
        floor: of a withheld cell, what it is at least.
        sums: how the cells hang together.
    """

    values: Floats
    withheld: Mask
    floor: Floats
    sums: Sums


@dataclass(frozen=True)
class SumsAudit:
    """The interval of each withheld cell, in the order of `cells`; no end above is infinity.

    Attributes:
        cells: the withheld ones.
        low, high: how far a reader can think the sum down and up.
        exposed: whether that says too much.
    """

    cells: Ints
    low: Floats
    high: Floats
    exposed: Mask


def audit_magnitude(view: SumsView, met: Met) -> SumsAudit:
    """Attack every withheld sum.

    Args:
        view: what the reader has.
        met: whether an interval says little enough; a wider one must then do so too.

    Raises:
        InputError: the published sums contradict one another.
        SolverError: a linear program was not solved; that is no pass.
    """
    missing, is_open = _open(view)
    sums = view.sums.restricted(view.withheld)
    cells = np.flatnonzero(view.withheld)
    low, high = np.full(len(cells), np.inf), np.full(len(cells), -np.inf)
    known = 1 + float(np.abs(view.values[~view.withheld]).sum()) + float(view.floor[view.withheld].sum())
    for part in parts_of(sums, view.withheld):
        ceiling = _CEILING * known
        _attack(part, sums, missing[is_open], view.floor[cells[part]], ceiling, (low, high), cells, met)
    high[high > _ENDLESS * known] = np.inf
    exposed = [not met(int(c), float(low[i]), float(high[i])) for i, c in enumerate(cells)]
    return SumsAudit(cells, low, high, np.array(exposed, dtype=bool))


def _open(view: SumsView) -> tuple[Floats, Mask]:
    """What the withheld cells of each sum must add up to, and which sums have any."""
    rows = np.repeat(np.arange(len(view.sums)), np.diff(view.sums.start))
    hidden = view.withheld[view.sums.cells]
    known = np.where(hidden, 0.0, view.values[view.sums.cells] * view.sums.value)
    missing: Floats = -np.bincount(rows, weights=known, minlength=len(view.sums)).astype(float)
    size = np.bincount(rows, weights=np.abs(known), minlength=len(view.sums))
    is_open = np.bincount(rows, weights=hidden, minlength=len(view.sums)) > 0
    wrong = ~is_open & (np.abs(missing) > _ROUNDING * np.maximum(size, 1.0))
    if wrong.any():
        raise InputError(f"{int(wrong.sum())} sum(s) of a published magnitude do not add up")
    return missing, is_open


def _attack(
    part: Ints,
    sums: Sums,
    missing: Floats,
    floor: Floats,
    ceiling: float,
    ends: tuple[Floats, Floats],
    cells: Ints,
    met: Met,
) -> None:
    """Work out the intervals of cells that hang together; they are numbered among the withheld ones."""
    low, high = ends
    mine = np.zeros(len(cells), dtype=bool)
    mine[part] = True
    of_part = np.flatnonzero(mine[sums.cells[sums.start[:-1]]]) if len(sums) else np.zeros(0, dtype=np.int64)
    scale = (
        max(float(np.abs(missing[of_part]).max(initial=0.0)), float(floor.max(initial=0.0)), 1e-9) / _LARGEST
    )
    points = Points(
        sums.restricted(mine), missing[of_part] / scale, floor / scale, np.full(len(part), ceiling / scale)
    )
    for at, cell in enumerate(part.tolist()):
        if len(part) > MAX_EXACT and met(int(cells[cell]), float(low[cell]), float(high[cell])):
            continue
        for direction in (-1, 1):
            point = points.extreme(at, direction) * scale
            low[part], high[part] = np.minimum(low[part], point), np.maximum(high[part], point)
