"""A generator and weights → many random draws at once.

Belongs here: the two ways in which everything else of this package draws.
Does not: what is drawn, or with which weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats", "Ints", "Weights", "choose", "choose_within", "nested", "zipf"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Weights = Sequence[float] | Floats


def choose(rng: np.random.Generator, weights: Weights, size: int) -> Ints:
    """Draw `size` positions with probabilities proportional to the weights."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    found: Ints = np.searchsorted(edges, rng.random(size) * edges[-1], side="right").astype(np.int64)
    return found


def zipf(count: int, exponent: float) -> Floats:
    """Weights 1, 1/2^s, 1/3^s, …: the few popular things and the long tail of a web site."""
    weights: Floats = 1.0 / np.arange(1, count + 1, dtype=np.float64) ** exponent
    return weights


def nested(groups: Ints, weights: Floats) -> Floats:
    """Upper edges for `choose_within`: the items of group g share the interval (g, g + 1].

    The groups must be sorted and each must hold some weight.
    """
    sums = np.bincount(groups, weights=weights)
    running = np.cumsum(weights / sums[groups])
    edges: Floats = np.round(running, 9)  # group borders become whole numbers again
    return edges


def choose_within(rng: np.random.Generator, edges: Floats, groups: Ints) -> Ints:
    """Draw one item of each given group; `edges` is what `nested` returned."""
    spots = groups + rng.random(len(groups)) * (1 - 1e-6)  # never rounds up into the next group
    found: Ints = np.searchsorted(edges, spots, side="right").astype(np.int64)
    return found
