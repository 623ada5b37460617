"""What a reader knows → the differences that can be formed of it, and the cells each difference is about.

A known whole less its known parts is a figure about the unknown parts taken together. It was never printed, but it
is as good as published, and obeys the same rules.

Belongs here: which page views can be worked out exactly, and what subtraction leaves. Does not: judging it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from usage_stats.measure.relations import CellKey, Relation

__all__ = ["known_cells", "remainders"]

_ByWhole = Mapping[CellKey, Sequence[Relation]]
# In which order a withheld part is taken apart into its own parts: each order can leave another difference.
_ORDERS: tuple[tuple[str, ...], ...] = (
    ("category",),
    ("period",),
    ("category", "period"),
    ("period", "category"),
)


def known_cells(relations: Sequence[Relation], published: Collection[CellKey]) -> set[CellKey]:
    """The cells whose page views a reader has or can add up or subtract exactly."""
    known = set(published)
    open_relations = [r for r in relations if r.complete]
    while True:
        found = set()
        for relation in open_relations:
            unknown = [key for key in (relation.whole, *relation.parts) if key not in known]
            if len(unknown) == 1:
                found.add(unknown[0])
        if not found:
            return known
        known |= found


def remainders(
    relations: Sequence[Relation], known: Collection[CellKey]
) -> Iterator[tuple[Relation, frozenset[CellKey]]]:
    """Each relation of a known whole with the cells that its known parts, and theirs, leave unknown."""
    by_whole: dict[CellKey, list[Relation]] = defaultdict(list)
    for relation in relations:
        by_whole[relation.whole].append(relation)
    for relation in relations:
        if relation.whole not in known:
            continue
        unknown = [*(part for part in relation.parts if part not in known), *relation.rest]
        for left in {_taken_apart(unknown, order, by_whole, known) for order in _ORDERS} - {frozenset()}:
            yield relation, left


def _taken_apart(
    keys: Collection[CellKey], order: Sequence[str], by_whole: _ByWhole, known: Collection[CellKey]
) -> frozenset[CellKey]:
    left = frozenset(keys)
    for dimension in order:
        left = frozenset(x for key in left for x in _unknown_within(key, dimension, by_whole, known))
    return left


def _unknown_within(
    key: CellKey, dimension: str, by_whole: _ByWhole, known: Collection[CellKey]
) -> Iterator[CellKey]:
    """The finest unknown cells of an unknown cell along one dimension; itself if it has no parts there."""
    relation = next((r for r in by_whole.get(key, ()) if r.dimension == dimension and r.complete), None)
    if relation is None:
        yield key
        return
    for part in relation.parts:
        if part not in known:
            yield from _unknown_within(part, dimension, by_whole, known)
