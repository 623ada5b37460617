"""Sums that stay zero, bounds and prices → moves of cells; the only module here that knows HiGHS.

Belongs here: the solver, its options and its statuses. Does not: what a move means.
Whatever is not proven is no answer: a status other than the wanted one is None or a SolverError, as stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import highspy
import numpy as np

from usage_stats.errors import InputError, SolverError
from usage_stats.sdc.relations import Floats, Ints, Sums

__all__ = ["TOLERANCE", "Covering", "Cut", "Moves", "Points", "Ways", "is_whole"]

_DEAR = 0.5  # half of what withholding the cheapest cell costs
TOLERANCE = 1e-6  # HiGHS' own feasibility tolerance is 1e-7


def is_whole(point: Floats) -> bool:
    """Whether all numbers are whole, as far as the solver can tell."""
    return bool(np.all(np.abs(point - np.round(point)) <= TOLERANCE))


def _model(**options: Any) -> Any:
    # The public class prints a banner before it can be told to be silent; its base does not.
    model = highspy._core._Highs()  # noqa: SLF001 see above
    settings = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": 0.0, **options}
    for option, value in settings.items():
        model.setOptionValue(option, value)
    return model


def _program(cost: Floats, low: Floats, high: Floats, sums: Sums, row: tuple[Floats, Floats]) -> Any:
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(cost), len(sums)
    program.col_cost_, program.col_lower_, program.col_upper_ = cost, low, high
    program.row_lower_, program.row_upper_ = row
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = sums.start.astype(np.int32)
    program.a_matrix_.index_ = sums.cells.astype(np.int32)
    program.a_matrix_.value_ = sums.value
    return program


class Cut(NamedTuple):
    """The choice of these columns, each counted by its coefficient, comes to at least so much."""

    cells: Ints
    coefficients: Floats
    at_least: float

    def is_broken(self, chosen: Floats, by: float) -> bool:
        """Whether a choice, of columns in part as well, falls short."""
        return float(self.coefficients @ chosen[self.cells]) < self.at_least - by


class Moves:
    """Moves of `size` cells that keep all sums; asks for the cheapest that takes one cell a given way up or down."""

    def __init__(self, sums: Sums, size: int) -> None:
        self._size = size
        self._columns = np.arange(2 * size, dtype=np.int32)
        self._model = _model(presolve="off")
        doubled = Sums(
            2 * sums.start,
            np.stack([sums.cells, sums.cells + size], axis=1).ravel(),
            np.stack([sums.value, -sums.value], axis=1).ravel(),
        )
        zeros = np.zeros(2 * size)
        still = np.zeros(len(sums))
        self._model.passModel(_program(zeros, zeros, zeros, doubled, (still, still)))

    def cheapest(
        self, price: Floats, up: Floats, down: Floats, cell: int, amount: float, *, tries: int | None = None
    ) -> Floats | None:
        """A move that takes the cell by `amount`, at about the least sum of price times way; None if none was found.

        Args:
            price: of one step of each cell.
            up: how far each cell can rise.
            down: how far each cell can fall.
            cell: the one to take.
            amount: how far; below zero means down.
            tries: how often to ask again at slightly other prices while some cells go broken steps, which are no
                move then; not given, they will do.
        """
        low = np.zeros(2 * self._size)
        high = np.concatenate([up, down])
        there, back = (cell, cell + self._size) if amount > 0 else (cell + self._size, cell)
        low[there] = high[there] = abs(amount)
        high[back] = 0.0
        self._model.changeColsBounds(2 * self._size, self._columns, low, high)
        found = self._priced(price)
        for attempt in range(tries or 0):
            if found is None or is_whole(found):
                break
            if attempt == 0:  # of the cells that this way has chosen, and those that cost nothing
                stay = np.tile((found == 0) & (price >= _DEAR), 2)
                self._model.changeColsBounds(2 * self._size, self._columns, low, np.where(stay, 0.0, high))
            found = self._priced(price * np.random.default_rng(attempt).uniform(1.0, 3.0, self._size))
        if found is None or tries is None:
            return found
        return np.round(found) if is_whole(found) else None

    def _priced(self, price: Floats) -> Floats | None:
        self._model.changeColsCost(2 * self._size, self._columns, np.concatenate([price, price]))
        return self._solved()

    def _solved(self) -> Floats | None:
        self._model.setBasis()  # nothing moves: the fewest steps away from a short move
        self._model.run()
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        point = np.array(self._model.getSolution().col_value)
        move: Floats = point[: self._size] - point[self._size :]
        return np.round(move, 6)


class Points:
    """Points that give each sum its value, within bounds; asks how far one cell can go."""

    def __init__(self, sums: Sums, value: Floats, low: Floats, high: Floats) -> None:
        self._size = len(low)
        self._columns = np.arange(self._size, dtype=np.int32)
        self._model = _model(presolve="off")
        self._model.passModel(_program(np.zeros(self._size), low, high, sums, (value, value)))

    def extreme(self, cell: int, direction: int, *, whole: bool = False) -> Floats:
        """A point that takes the cell as far as it goes (direction +1 or -1), among whole numbers if so asked.

        Raises:
            SolverError: no optimum was proven.
        """
        self._model.changeColCost(cell, float(-direction))
        try:
            return self._whole() if whole else self._solved()
        finally:
            self._model.changeColCost(cell, 0.0)

    def reasons(self) -> Floats:
        """What each sum had to do with the last answer that was not asked in whole numbers: zero is nothing."""
        return np.array(self._model.getSolution().row_dual)

    def _whole(self) -> Floats:
        kinds = highspy.HighsVarType
        self._model.changeColsIntegrality(self._size, self._columns, np.full(self._size, kinds.kInteger))
        self._model.setOptionValue("presolve", "on")
        try:
            return np.round(self._solved())
        finally:
            self._model.setOptionValue("presolve", "off")
            self._model.changeColsIntegrality(
                self._size, self._columns, np.full(self._size, kinds.kContinuous)
            )

    def _solved(self) -> Floats:
        self._model.run()
        status = self._model.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise InputError(
                "the published figures contradict one another: no table of whole numbers has them all"
            )
        if status != highspy.HighsModelStatus.kOptimal:
            raise SolverError(
                f"a linear program of {self._size} unknowns ended as {status.name}, not as solved: that is no pass"
            )
        return np.array(self._model.getSolution().col_value)


class Ways:
    """Moves between given bounds that keep all sums: how far does one cell go, and what would let it go further?"""

    def __init__(self, sums: Sums, size: int) -> None:
        self._size = size
        self._columns = np.arange(size, dtype=np.int32)
        self._model = _model(presolve="off")
        zeros, still = np.zeros(size), np.zeros(len(sums))
        self._low, self._high = zeros, zeros
        self._model.passModel(_program(zeros, zeros, zeros, sums, (still, still)))

    def bounded(self, low: Floats, high: Floats) -> None:
        """From now on, cells move between these bounds."""
        self._low, self._high = low, high
        self._model.changeColsBounds(self._size, self._columns, low, high)

    def furthest(self, cell: int, direction: int, at_most: float) -> tuple[Floats, Floats] | None:
        """The move that takes a cell as far as it goes, and the price of each cell's bounds; None if not solved.

        The prices p hold for any bounds: the cell goes no further than the sum of p times the bound that p's sign
        names (plus: upper).
        """
        self._model.changeColBounds(cell, -at_most, at_most)
        self._model.changeColCost(cell, float(-direction))
        self._model.setBasis()  # the corner of another cell's way is a bad place to start from
        self._model.run()
        solved = self._model.getModelStatus() == highspy.HighsModelStatus.kOptimal
        solution = self._model.getSolution()
        self._model.changeColCost(cell, 0.0)
        self._model.changeColBounds(cell, self._low[cell], self._high[cell])
        return (np.array(solution.col_value), -np.array(solution.col_dual)) if solved else None


class Covering:
    """Choose some of many at the least weight, so that each cut holds."""

    def __init__(self, weight: Floats, always: Ints, never: Ints) -> None:
        self._size = len(weight)
        self._columns = np.arange(self._size, dtype=np.int32)
        self._model = _model()
        none = Sums(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
        low, high = np.zeros(self._size), np.ones(self._size)
        low[always], high[never] = 1.0, 0.0
        self._model.passModel(_program(weight, low, high, none, (np.zeros(0), np.zeros(0))))

    def demand(self, cuts: Sequence[Cut]) -> None:
        """Add conditions."""
        if not cuts:
            return
        lengths = [len(cells) for cells, _, _ in cuts]
        self._model.addRows(
            len(cuts),
            np.array([at_least for _, _, at_least in cuts]),
            np.full(len(cuts), highspy.kHighsInf),
            sum(lengths),
            np.concatenate([[0], np.cumsum(lengths[:-1])]).astype(np.int32),
            np.concatenate([cells for cells, _, _ in cuts]).astype(np.int32),
            np.concatenate([coefficients for _, coefficients, _ in cuts]),
        )

    def shared(self, seconds: float) -> tuple[Floats, float] | None:
        """The best choice if things could be chosen in part, and its weight; None if there was no time for it."""
        self._limit(seconds)
        self._model.run()
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        weight = float(self._model.getInfo().objective_function_value)
        return np.array(self._model.getSolution().col_value), weight

    def _limit(self, seconds: float) -> None:
        self._model.setOptionValue("time_limit", self._model.getRunTime() + seconds)

    def chosen(self, seconds: float, gap: float) -> tuple[Floats | None, float]:
        """The best choice found in the time, and the weight below which there is none."""
        kinds = highspy.HighsVarType
        self._model.changeColsIntegrality(self._size, self._columns, np.full(self._size, kinds.kInteger))
        self._limit(seconds)
        self._model.setOptionValue("mip_rel_gap", gap)
        try:
            self._model.run()
            info = self._model.getInfo()
            found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
            point = np.round(np.array(self._model.getSolution().col_value)) if found else None
            bound = float(info.mip_dual_bound)
            return point, bound if np.isfinite(bound) else 0.0
        finally:
            self._model.changeColsIntegrality(
                self._size, self._columns, np.full(self._size, kinds.kContinuous)
            )
            self._model.setOptionValue("time_limit", float("inf"))
