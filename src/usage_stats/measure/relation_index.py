"""Relations → the same, by the cells that stand in them.

Belongs here: looking relations up. Does not: stating them (relations), reasoning about them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from usage_stats.measure.relations import CellKey, Relation

__all__ = ["RelationIndex"]


class RelationIndex:
    """Relations in the order in which they were stated, by their cells and by their wholes."""

    def __init__(self, relations: Sequence[Relation]) -> None:
        self.relations = relations
        self._of: dict[CellKey, list[int]] = defaultdict(list)
        self._by_whole: dict[CellKey, list[Relation]] = defaultdict(list)
        self._beside: dict[CellKey, frozenset[CellKey]] = {}
        for number, relation in enumerate(relations):
            self._by_whole[relation.whole].append(relation)
            for key in (relation.whole, *relation.parts):
                self._of[key].append(number)

    def of(self, keys: Iterable[CellKey]) -> list[Relation]:
        """The relations that one of the cells stands in, each once."""
        numbers = sorted({number for key in keys for number in self._of.get(key, ())})
        return [self.relations[number] for number in numbers]

    def taking_apart(self, whole: CellKey) -> Sequence[Relation]:
        """The relations of which a cell is the whole."""
        return self._by_whole.get(whole, ())

    def beside(self, key: CellKey) -> frozenset[CellKey]:
        """The cells that share a relation with a cell, itself among them."""
        if key not in self._beside:
            self._beside[key] = frozenset(k for r in self.of([key]) for k in (r.whole, *r.parts))
        return self._beside[key]

    def connected(self, hidden: Collection[CellKey]) -> Iterator[list[CellKey]]:
        """Hidden cells in groups that no relation joins, in the order of their first cells."""
        unseen = dict.fromkeys(sorted(hidden))
        while unseen:
            first = next(iter(unseen))
            group, waiting = {first}, [first]
            del unseen[first]
            while waiting:
                for key in self.beside(waiting.pop()) & unseen.keys():
                    del unseen[key]
                    group.add(key)
                    waiting.append(key)
            yield sorted(group)
