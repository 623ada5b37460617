"""Dimensions → every cell of the table by its number, and every sum that ties cells together.

Belongs here: the statement of relations that the choice and the audit share. Does not: values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from usage_stats.sdc.dimension import Dimension

__all__ = ["Floats", "Ints", "Layout", "Mask", "Sums", "SumsByCell", "sums_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_Values = TypeVar("_Values", Ints, Floats)


class Sums(NamedTuple):
    """Sums that are zero, in compressed rows: row r is cells/value[start[r] : start[r + 1]].

    The first entry of a row is the whole (-1), the others are its parts (+1).
    """

    start: Ints
    cells: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.start) - 1

    def restricted(self, to: Mask) -> Sums:
        """The same sums of some cells only; the others do not move. Rows that lose all cells go."""
        kept = to[self.cells]
        row = np.repeat(np.arange(len(self)), np.diff(self.start))[kept]
        counts = np.bincount(row, minlength=len(self))
        numbers = np.cumsum(to) - 1
        start = np.concatenate([[0], np.cumsum(counts[counts > 0])])
        return Sums(start, numbers[self.cells[kept]], self.value[kept])

    def residues(self, values: Floats) -> Floats:
        """By how much each sum misses zero."""
        products = values[self.cells] * self.value
        return np.add.reduceat(products, self.start[:-1]) if len(self) else np.zeros(0)


class SumsByCell:
    """The sums, found by the cells in them: what a move of a few cells does to all sums is a matter of these few."""

    def __init__(self, sums: Sums, size: int) -> None:
        """Turn `sums` of `size` cells round."""
        order = np.argsort(sums.cells, kind="stable")
        self._row = np.repeat(np.arange(len(sums)), np.diff(sums.start))[order]
        self._value = sums.value[order]
        self._start = np.searchsorted(sums.cells[order], np.arange(size + 1))

    def are_kept(self, cells: Ints, steps: Ints) -> bool:
        """Whether every sum stays zero when these cells, each once, go these steps and no other does."""
        first, count = self._start[cells], self._start[cells + 1] - self._start[cells]
        entries = np.arange(int(count.sum())) + np.repeat(first - np.cumsum(count) + count, count)
        _, at = np.unique(self._row[entries], return_inverse=True)
        return not np.bincount(at, weights=self._value[entries] * np.repeat(steps, count)).any()


@dataclass(frozen=True)
class Layout:
    """All combinations of the dimensions' nodes; a cell's number counts them with the last dimension fastest."""

    dimensions: tuple[Dimension, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(d.codes) for d in self.dimensions)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def codes(self, cell: int) -> tuple[str, ...]:
        """The codes of a cell, in the order of the dimensions."""
        at = np.unravel_index(cell, self.shape)
        return tuple(d.codes[int(i)] for d, i in zip(self.dimensions, at, strict=True))

    @cached_property
    def detail(self) -> Ints:
        """In how many dimensions each cell is not the total."""
        above: Ints = np.sum(np.indices(self.shape).reshape(len(self.shape), -1) > 0, axis=0)
        return above

    @cached_property
    def inner(self) -> Ints:
        """The cells that sum nothing."""
        leaves = [np.arange(1, 1 + d.leaf_count) for d in self.dimensions]
        grid: Ints = np.ravel_multi_index(np.ix_(*leaves), self.shape).ravel().astype(np.int64)
        return grid

    def with_margins(self, inner: _Values) -> _Values:
        """Values of the inner cells → values of all cells, by adding."""
        full = np.zeros_like(inner, shape=self.size)
        full[self.inner] = inner
        return self._folded(full, np.add)

    def with_largest(self, inner: _Values) -> _Values:
        """The same by taking the largest part: what is at least in a whole where parts may overlap."""
        full = np.zeros_like(inner, shape=self.size)
        full[self.inner] = inner
        return self._folded(full, np.maximum)

    def _folded(self, full: _Values, how: np.ufunc) -> _Values:
        grid = full.reshape(self.shape)
        for axis, dimension in enumerate(self.dimensions):
            lines = np.moveaxis(grid, axis, 0)
            for whole, parts in dimension.bottom_up:
                lines[whole] = how.reduce(lines[list(parts)], axis=0)
        return full


def sums_of(shape: Sequence[int], families: Sequence[Sequence[tuple[int, tuple[int, ...]]]]) -> Sums:
    """Every sum along every dimension, once for each combination of the others."""
    cells = np.arange(prod(shape)).reshape(shape)
    blocks = [
        np.stack([np.take(cells, node, axis).ravel() for node in (whole, *parts)], axis=1)
        for axis, of_dimension in enumerate(families)
        for whole, parts in of_dimension
    ]
    lengths = np.concatenate([np.full(len(block), block.shape[1]) for block in blocks])
    start = np.concatenate([[0], np.cumsum(lengths)])
    value = np.ones(int(start[-1]))
    value[start[:-1]] = -1.0
    return Sums(start, np.concatenate([block.ravel() for block in blocks]), value)
