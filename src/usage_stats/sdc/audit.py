"""What a reader gets → how far each withheld count can be worked out, and whether that is too far.

Belongs here: the attacker's judgement, from published counts, relations and rules. Does not: knowing why a cell
was withheld, or choosing anything. Proofs may be handed in; they are checked, not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from usage_stats.errors import InputError
from usage_stats.sdc.linear import TOLERANCE, Points, is_whole
from usage_stats.sdc.parts import parts_of
from usage_stats.sdc.relations import Floats, Ints, Mask, Sums, SumsByCell
from usage_stats.sdc.requirement import Requirement

__all__ = ["TableAudit", "View", "audit"]

# Up to so many unknowns that hang together, every interval is exact; beyond, it is found until it is wide enough.
MAX_EXACT = 1_500


@dataclass(frozen=True)
class View:
    """What a reader has of a table.

    Attributes:
        counts: of each cell; whatever stands at a withheld one is not looked at.
        withheld: the cells without a count.
        sensitive: those among them that are known to need protection whatever their size; of none, if unknown.
        sums: how the cells hang together.
    """

    counts: Ints
    withheld: Mask
    sensitive: Mask
    sums: Sums


@dataclass(frozen=True)
class TableAudit:
    """The interval of each withheld cell, in the order of `cells`.

    Attributes:
        cells: the withheld ones.
        low, high: how far an attacker can think the count down and up. -1 as high: without end.
        exact: whether the interval is the attacker's; else it is a part of it, and wide enough.
        exposed: whether it says too much.
        reasons: of an exposed cell, the sums (by row) that pin it down.
    """

    cells: Ints
    low: Ints
    high: Ints
    exact: Mask
    exposed: Mask
    reasons: Mapping[int, tuple[int, ...]]

    @property
    def passed(self) -> bool:
        return not self.exposed.any()


def audit(
    view: View,
    requirement: Requirement,
    *,
    claims: Sequence[tuple[Ints, Ints]] = (),
    truth: Ints | None = None,
    least: Ints | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> TableAudit:
    """Attack every withheld cell.

    Args:
        view: what the reader has.
        requirement: what must stay in doubt.
        claims: moves (cells, steps) away from the truth that are claimed to fit all that is published.
        truth: all counts, if whoever asks has them; with it, claimed moves can be checked.
        least: of each cell, what a reader knows it to be at least; else the requirement says it of all.
        on_step: told how many cells are done.

    Raises:
        InputError: the published counts contradict one another.
        SolverError: a linear program was not solved; that is no pass.
    """
    open_sums, missing, rows = _open(view)
    known = np.full(len(view.counts), requirement.least, dtype=np.int64) if least is None else least
    attack = _Attack(view, requirement, known)
    if truth is not None:
        attack.see_moves(truth, claims)
    for part in parts_of(open_sums, view.withheld):
        attack.on(part, open_sums, missing, rows)
        on_step(len(part))
    return attack.report()


def _open(view: View) -> tuple[Sums, Floats, Ints]:
    """The sums with something withheld, of withheld cells only, what these must add up to, and their rows."""
    rows = np.repeat(np.arange(len(view.sums)), np.diff(view.sums.start))
    known = np.where(view.withheld[view.sums.cells], 0.0, view.counts[view.sums.cells] * view.sums.value)
    missing = -np.bincount(rows, weights=known, minlength=len(view.sums))
    is_open = np.bincount(rows, weights=view.withheld[view.sums.cells], minlength=len(view.sums)) > 0
    if np.any(missing[~is_open] != 0):
        raise InputError(
            f"{int(np.count_nonzero(missing[~is_open]))} sum(s) of published cells do not add up: this is no table of "
            "its specification"
        )
    return view.sums.restricted(view.withheld), missing[is_open].astype(float), np.flatnonzero(is_open)


class _Attack:
    """The widest points seen of each cell, and bounds that are proven."""

    def __init__(self, view: View, requirement: Requirement, least: Ints) -> None:
        self._view, self._requirement, self._least = view, requirement, least
        self._cells = np.flatnonzero(view.withheld)
        size = len(self._cells)
        self._sensitive = view.sensitive[self._cells]
        self._ceiling = 1_000 + 2 * int(
            view.counts[~view.withheld].sum()
        )  # beyond every sum of what is known
        self._low, self._high = np.full(size, np.inf), np.full(size, -np.inf)
        self._exact = np.zeros(size, dtype=bool)
        self._reasons: dict[int, tuple[int, ...]] = {}

    def see_moves(self, truth: Ints, moves: Iterable[tuple[Ints, Ints]]) -> None:
        """Take note of claimed moves that hold what they claim; others are passed over."""
        if not _fits(self._view, truth, self._least):
            return
        low, high = truth.astype(float), truth.astype(float)
        sums = SumsByCell(self._view.sums, len(truth))
        for cells, steps in moves:
            if _keeps_all(self._view, sums, truth, self._least, cells, steps):
                low[cells] = np.minimum(low[cells], truth[cells] + steps)
                high[cells] = np.maximum(high[cells], truth[cells] + steps)
        self._low, self._high = low[self._cells], high[self._cells]

    def on(self, part: Ints, sums: Sums, missing: Floats, rows: Ints) -> None:
        """Attack cells that hang together. They are numbered among the withheld ones."""
        exact = len(part) <= MAX_EXACT
        if not exact and all(self._is_met(int(c)) for c in part):
            return
        mine = np.zeros(len(self._cells), dtype=bool)
        mine[part] = True
        of_part = np.flatnonzero(mine[sums.cells[sums.start[:-1]]]) if len(sums) else np.array([], dtype=int)
        least = self._least[self._cells[part]].astype(float)
        points = Points(
            sums.restricted(mine), missing[of_part], least, np.full(len(part), float(self._ceiling))
        )
        for at, cell in enumerate(part.tolist()):
            if exact or not self._is_met(cell):
                told = self._attack(points, part, at)
                if not (self._is_met(cell) or self._is_surely_met(cell)):
                    self._reasons[int(self._cells[cell])] = tuple(rows[of_part[told]].tolist())

    def _attack(self, points: Points, part: Ints, at: int) -> Ints:
        """Find both ends of a cell's interval, in whole numbers; return the sums that had to do with it."""
        cell = int(part[at])
        ends, told = [], np.zeros(0, dtype=np.int64)
        for direction in (-1, 1):
            found = points.extreme(at, direction)
            told = np.union1d(told, np.flatnonzero(np.abs(points.reasons()) > TOLERANCE))
            if not is_whole(found):
                bound = float(np.floor(direction * found[at] + TOLERANCE)) * direction
                seen = self._low[cell] if direction < 0 else self._high[cell]
                found = found if seen == bound else points.extreme(at, direction, whole=True)
            if is_whole(found):
                self._see(part, np.round(found))
            ends.append(float(np.floor(direction * found[at] + TOLERANCE)) * direction)
        self._low[cell], self._high[cell] = ends
        self._exact[cell] = True
        return told

    def _see(self, part: Ints, point: Floats) -> None:
        self._low[part] = np.minimum(self._low[part], point)
        self._high[part] = np.maximum(self._high[part], point)

    def _is_met(self, cell: int) -> bool:
        """Whether the points seen settle it: they lie far apart, or one is so high that any low one would."""
        low, high = float(self._low[cell]), float(self._high[cell])
        surely = not self._sensitive[cell] and not self._requirement.is_doubtful(high)
        return surely or self._requirement.is_wide(low, high)

    def _is_surely_met(self, cell: int) -> bool:
        low, high = float(self._low[cell]), float(self._high[cell])
        sensitive = bool(self._sensitive[cell])
        return bool(self._exact[cell]) and self._requirement.is_met(low, high, sensitive=sensitive)

    def report(self) -> TableAudit:
        met = [self._is_met(cell) or self._is_surely_met(cell) for cell in range(len(self._cells))]
        endless = self._high >= self._ceiling
        return TableAudit(
            self._cells,
            self._low.astype(np.int64),
            np.where(endless, -1, self._high).astype(np.int64),
            self._exact,
            ~np.array(met, dtype=bool),
            self._reasons,
        )


def _fits(view: View, truth: Ints, least: Ints) -> bool:
    return bool(
        np.array_equal(truth[~view.withheld], view.counts[~view.withheld])
        and (truth >= least)[view.withheld].all()
    )


def _keeps_all(view: View, sums: SumsByCell, truth: Ints, least: Ints, cells: Ints, steps: Ints) -> bool:
    """Whether a move is of whole steps of withheld cells, each once, none below the least, and keeps all sums."""
    return bool(
        len(np.unique(cells)) == len(cells)
        and view.withheld[cells].all()
        and (truth[cells] + steps >= least[cells]).all()
        and np.array_equal(steps, np.round(steps))
        and sums.are_kept(cells, steps)
    )
