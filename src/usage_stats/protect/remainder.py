"""What a reader knows → the differences that can be formed of it, and the cells each difference is about.

A known whole less its known parts is a figure about the unknown parts taken together. It was never printed, but it
is as good as published, and obeys the same rules.

Belongs here: which page views can be worked out exactly, and what subtraction leaves. Does not: judging it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from usage_stats.measure.relation_index import RelationIndex
from usage_stats.measure.relations import CellKey, Relation

__all__ = ["remainders", "unknown_cells"]

# In which order a withheld part is taken apart into its own parts: each order can leave another difference.
_ORDERS: tuple[tuple[str, ...], ...] = (
    ("category",),
    ("period",),
    ("category", "period"),
    ("period", "category"),
)


def unknown_cells(index: RelationIndex, hidden: Collection[CellKey]) -> set[CellKey]:
    """The hidden cells whose page views a reader cannot add up or subtract exactly."""
    unknown, waiting = set(hidden), [r for r in index.of(hidden) if r.complete]
    while waiting:
        found = {left[0] for r in waiting if len(left := _unknown_of(r, unknown)) == 1}
        unknown -= found
        waiting = [r for r in index.of(found) if r.complete]
    return unknown


def _unknown_of(relation: Relation, unknown: Collection[CellKey]) -> list[CellKey]:
    return [key for key in (relation.whole, *relation.parts) if key in unknown]


def remainders(
    index: RelationIndex, unknown: Collection[CellKey], incomplete: Iterable[Relation] = ()
) -> Iterator[tuple[Relation, frozenset[CellKey]]]:
    """Each relation of a known whole with the cells that its known parts, and theirs, leave unknown.

    Args:
        index: the relations.
        unknown: the cells that are not known.
        incomplete: relations that leave something out whatever is known.
    """
    for relation in dict.fromkeys([*index.of(unknown), *incomplete]):
        if relation.whole in unknown:
            continue
        left_out = [*(part for part in relation.parts if part in unknown), *relation.rest]
        for left in {_taken_apart(left_out, order, index, unknown) for order in _ORDERS} - {frozenset()}:
            yield relation, left


def _taken_apart(
    keys: Collection[CellKey], order: Sequence[str], index: RelationIndex, unknown: Collection[CellKey]
) -> frozenset[CellKey]:
    left = frozenset(keys)
    for dimension in order:
        left = frozenset(x for key in left for x in _unknown_within(key, dimension, index, unknown))
    return left


def _unknown_within(
    key: CellKey, dimension: str, index: RelationIndex, unknown: Collection[CellKey]
) -> Iterator[CellKey]:
    """The finest unknown cells of an unknown cell along one dimension; itself if it has no parts there."""
    found = (r for r in index.taking_apart(key) if r.dimension == dimension and r.complete)
    relation = next(found, None)
    if relation is None:
        yield key
        return
    for part in relation.parts:
        if part in unknown:
            yield from _unknown_within(part, dimension, index, unknown)
