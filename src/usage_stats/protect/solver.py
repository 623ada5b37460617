"""Linear constraints and known values → how far each unknown can go; the only module that knows the solver.

Belongs here: HiGHS, its options and its statuses. Does not: what the unknowns mean.
Any status but a proven optimum is a SolverError: an answer that is not proven protects nobody.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import highspy
import numpy as np

from usage_stats.errors import SolverError

__all__ = ["MAX_UNKNOWNS", "System", "systems"]

# Larger systems are not solved: at 2,400 unknowns one look at all of them took minutes, at 500 a few seconds. No new
# figure that bears on one is published instead.
MAX_UNKNOWNS = 600

Row = tuple[Sequence[tuple[Any, int]], float, float]  # terms (variable, coefficient), low, high
_TOLERANCE = 1e-6  # HiGHS' own feasibility tolerance is 1e-7


def systems(rows: Sequence[Row], known: Mapping[Any, int], *, floor: int, ceiling: int) -> list[System]:
    """Put the known values in, and split what is left into parts that share no unknown.

    Args:
        rows: the constraints.
        known: values of the variables that everybody can read.
        floor: the least whole number any unknown can be.
        ceiling: a number so large that reaching it means "without bound".
    """
    reduced = [r for r in (_reduce(row, known) for row in rows) if r[0]]
    groups: dict[Any, list[Row]] = defaultdict(list)
    find = _components(reduced)
    for row in reduced:
        groups[find[row[0][0][0]]].append(row)
    return [System(group, floor=floor, ceiling=ceiling) for group in groups.values()]


def _reduce(row: Row, known: Mapping[Any, int]) -> Row:
    terms, low, high = row
    shift = sum(c * known[v] for v, c in terms if v in known)
    return [(v, c) for v, c in terms if v not in known], low - shift, high - shift


def _components(rows: Sequence[Row]) -> dict[Any, Any]:
    """For each variable the representative of its connected component (union-find)."""
    parent: dict[Any, Any] = {}

    def root(v: Any) -> Any:
        while parent.setdefault(v, v) != v:
            parent[v] = v = parent[parent[v]]
        return v

    for terms, _, _ in rows:
        first = root(terms[0][0])
        for v, _ in terms[1:]:
            parent[root(v)] = first
    return {v: root(v) for v in list(parent)}


class System:
    """Whole-number unknowns under linear constraints; asks how small and how large each can be."""

    def __init__(self, rows: Sequence[Row], *, floor: int, ceiling: int) -> None:
        self.variables: tuple[Any, ...] = tuple(dict.fromkeys(v for terms, _, _ in rows for v, _ in terms))
        self.ceiling = ceiling
        self._index: dict[Hashable, int] = {v: i for i, v in enumerate(self.variables)}
        self._highs = _load(rows, self._index, floor=floor, ceiling=ceiling)

    def bounds(self, variable: Any) -> tuple[int, int]:
        """The least and the largest whole number the variable can be, as linear programming tells."""
        low, high = self._point(variable, -1)[0], self._point(variable, 1)[0]
        return math.ceil(low - _TOLERANCE), math.floor(high + _TOLERANCE)

    def extreme(self, variable: Any, direction: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """A whole-number solution that takes the variable as far as it goes (direction +1 or -1)."""
        _, point = self._point(variable, direction)
        return np.round(point) if _is_whole(point) else self._whole_point(variable, direction)

    def _whole_point(self, variable: Any, direction: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        everyone = np.arange(len(self.variables), dtype=np.int32)
        whole = np.full(len(self.variables), highspy.HighsVarType.kInteger)
        self._highs.changeColsIntegrality(len(everyone), everyone, whole)
        try:
            return np.round(self._point(variable, direction)[1])
        finally:
            broken = np.full(len(self.variables), highspy.HighsVarType.kContinuous)
            self._highs.changeColsIntegrality(len(everyone), everyone, broken)

    def _point(
        self, variable: Any, direction: int
    ) -> tuple[float, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        column = self._index[variable]
        self._highs.changeColCost(column, float(-direction))
        self._highs.run()
        status = self._highs.getModelStatus()
        point = np.array(self._highs.getSolution().col_value)
        self._highs.changeColCost(column, 0.0)
        if status != highspy.HighsModelStatus.kOptimal:
            raise SolverError(
                f"a linear program of {len(self.variables)} unknowns ended as {status.name}, not as solved: "
                "nothing is released. If it repeats, report it with this message."
            )
        return float(point[column]), point


def _is_whole(point: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    return bool(np.all(np.abs(point - np.round(point)) <= _TOLERANCE))


def _load(rows: Sequence[Row], index: Mapping[Any, int], *, floor: int, ceiling: int) -> Any:
    # The public class prints a banner before it can be told to be silent; its base does not.
    model = highspy._core._Highs()  # noqa: SLF001 see above
    for option, value in {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": 0.0}.items():
        model.setOptionValue(option, value)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(index), len(rows)
    program.col_cost_ = np.zeros(len(index))
    program.col_lower_ = np.full(len(index), float(floor))
    program.col_upper_ = np.full(len(index), float(ceiling))
    program.row_lower_ = np.array([low for _, low, _ in rows], dtype=float)
    program.row_upper_ = np.array([high for _, _, high in rows], dtype=float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.cumsum([0, *(len(terms) for terms, _, _ in rows)]).astype(np.int32)
    program.a_matrix_.index_ = np.array([index[v] for t, _, _ in rows for v, _ in t], dtype=np.int32)
    program.a_matrix_.value_ = np.array([c for t, _, _ in rows for _, c in t], dtype=float)
    model.passModel(program)
    return model
