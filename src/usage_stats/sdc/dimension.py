"""Hierarchies as (parent, child) pairs → a dimension: its nodes, its leaves and what adds up to what.

Belongs here: what a sound hierarchy is. Does not: files (hierarchy_files), cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from usage_stats.errors import ConfigError

__all__ = ["TOTAL", "Dimension", "Edges", "dimension_of"]

TOTAL = "_T"  # SDMX's code of a total

Edges = Sequence[tuple[str, str]]  # (parent, child)


@dataclass(frozen=True)
class Dimension:
    """A classification with its total.

    Attributes:
        name: the column.
        codes: the nodes of all hierarchies; the first is the total, then leaves in their order, then the rest.
        leaf_count: codes[1 : 1 + leaf_count] are the leaves.
        families: (node, the nodes that add up to it), by position in `codes`.
    """

    name: str
    codes: tuple[str, ...]
    leaf_count: int
    families: tuple[tuple[int, tuple[int, ...]], ...]

    @cached_property
    def positions(self) -> dict[str, int]:
        return {code: i for i, code in enumerate(self.codes)}

    @cached_property
    def leaves_below(self) -> npt.NDArray[np.bool_]:
        """Nodes by leaves: which leaves a node sums."""
        below = np.zeros((len(self.codes), self.leaf_count), dtype=bool)
        below[np.arange(1, 1 + self.leaf_count), np.arange(self.leaf_count)] = True
        for whole, parts in self.bottom_up:
            below[whole] |= below[list(parts)].any(axis=0)
        return below

    @cached_property
    def bottom_up(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """The families so that parts come before their whole."""
        done = set(range(1, 1 + self.leaf_count))
        waiting, ordered = list(self.families), []
        while waiting:
            ready = [f for f in waiting if done.issuperset(f[1])]
            ordered += ready
            done |= {whole for whole, _ in ready}
            waiting = [f for f in waiting if f not in ready]
        return tuple(ordered)


def dimension_of(name: str, hierarchies: Sequence[Edges], found: Sequence[str]) -> Dimension:
    """Put hierarchies that share their leaves together; without any, the dimension is flat.

    Args:
        name: the column.
        hierarchies: pairs of parent and child each; nodes without a parent are summed by the total.
        found: the codes that the cells use.

    Raises:
        ConfigError: a circle, a node with two parents, different leaves, a code that no hierarchy knows.
    """
    if TOTAL in found:
        raise ConfigError(
            f"column {name}: a cell is at the total ({TOTAL}); give inner cells only, totals are added"
        )
    if not hierarchies:
        leaves = tuple(sorted(set(found)))
        return Dimension(name, (TOTAL, *leaves), len(leaves), ((0, tuple(range(1, 1 + len(leaves)))),))
    trees = [_tree(name, edges) for edges in hierarchies]
    leaves = _common_leaves(name, trees)
    if unknown := set(found) - set(leaves):
        raise ConfigError(
            f"column {name}: the cells use {len(unknown)} code(s) that are no leaf of its hierarchies, such as "
            f"{min(unknown)!r}; add them to the hierarchy files"
        )
    return _joined(name, leaves, trees)


_Tree = Mapping[str, tuple[str, ...]]  # each inner node with its children, the total included


def _tree(name: str, edges: Edges) -> _Tree:
    parent: dict[str, str] = {}
    for whole, part in edges:
        if parent.setdefault(part, whole) != whole:
            raise ConfigError(f"column {name}: {part!r} is below both {parent[part]!r} and {whole!r}")
        if part == TOTAL:
            raise ConfigError(f"column {name}: the total {TOTAL} is below {whole!r}")
    for node in parent:
        _climb(name, node, parent)
    children: dict[str, list[str]] = {TOTAL: []}
    for part, whole in parent.items():
        children.setdefault(whole, []).append(part)
    children[TOTAL] += [node for node in children if node != TOTAL and node not in parent]
    return {whole: tuple(parts) for whole, parts in children.items()}


def _climb(name: str, node: str, parent: Mapping[str, str]) -> None:
    seen = [node]
    while (up := parent.get(seen[-1])) is not None:
        if up in seen:
            raise ConfigError(f"column {name}: {node!r} is above itself: {' below '.join([*seen, up])}")
        seen.append(up)


def _common_leaves(name: str, trees: Sequence[_Tree]) -> tuple[str, ...]:
    leaves = [tuple(c for parts in tree.values() for c in parts if c not in tree) for tree in trees]
    for other in leaves[1:]:
        if alone := set(leaves[0]) ^ set(other):
            raise ConfigError(
                f"column {name}: {min(alone)!r} is a leaf of one hierarchy and not of another; hierarchies of one "
                "dimension share all their leaves"
            )
    return leaves[0]


def _joined(name: str, leaves: tuple[str, ...], trees: Sequence[_Tree]) -> Dimension:
    nodes = dict.fromkeys(node for tree in trees for node in tree if node != TOTAL)
    codes = (TOTAL, *leaves, *nodes)
    at = {code: i for i, code in enumerate(codes)}
    families = {
        (at[whole], tuple(sorted(at[c] for c in parts))) for tree in trees for whole, parts in tree.items()
    }
    joined = Dimension(name, codes, len(leaves), tuple(sorted(families)))
    _check_sums(joined)
    return joined


def _check_sums(dimension: Dimension) -> None:
    """A node that two hierarchies name sums the same leaves in both."""
    for whole, parts in dimension.families:
        below = dimension.leaves_below
        if not np.array_equal(below[whole], below[list(parts)].any(axis=0)):
            raise ConfigError(
                f"column {dimension.name}: {dimension.codes[whole]!r} sums other leaves in another hierarchy"
            )
