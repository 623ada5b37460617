"""Categories of periods → which cells' persons are surely among another's.

Belongs here: pairs of a part and its whole, within a period and across periods. Does not: comparing their figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from usage_stats.dimensions import bin_bounds
from usage_stats.measure.cube import Category, Cube, by_of, cell_of, wholes_of
from usage_stats.measure.relations import OF_A_PERIOD, CellKey
from usage_stats.periods import Period

__all__ = ["nested_pairs", "nested_tails"]


def nested_pairs(cube: Cube, period: Period, earlier: Mapping[Period, Cube]) -> list[tuple[CellKey, CellKey]]:
    """(part, whole) for each cell of the period and every cell whose persons are surely among its own.

    Args:
        cube: the period's categories.
        period: the new one.
        earlier: other periods with theirs, which may tell apart what the new one does not.
    """
    inside = {p: its for p, its in earlier.items() if period.covers(p) and p != period}
    pairs = [
        (CellKey(period.code, *category), CellKey(period.code, *whole))
        for category in cube.categories
        for whole in cube.ancestors(category)
    ]
    known = frozenset(cube.categories)
    found: dict[tuple[Category, str | None], list[CellKey]] = {}
    for part, its in inside.items():
        weekday = str(part.first.isoweekday()) if part.kind == "day" else None
        for category in its.categories:
            if (category, weekday) not in found:
                wholes = dict.fromkeys(w for w in _wholes(category, weekday) if w in known)
                found[category, weekday] = [CellKey(period.code, *whole) for whole in wholes]
            pairs += [(CellKey(part.code, *category), whole) for whole in found[category, weekday]]
    return pairs


def nested_tails(cube: Cube, period: Period, earlier: Mapping[Period, Cube]) -> list[tuple[CellKey, CellKey]]:
    """(part, whole) of the highest bins of how often people came: who came so often to a part of the site, or in a
    part of the time, came as often to the whole. Arguments as of `nested_pairs`.
    """
    if "visit_frequency" not in cube.codes:
        return []
    top, known = _top(cube), frozenset(cube.categories)
    inside = {p: its for p, its in earlier.items() if period.covers(p) and "visit_frequency" in its.codes}
    pairs = []
    for part, its in {**inside, period: cube}.items():
        if _least(_top(its)) < _least(top):
            continue
        for category in its.further:
            by = by_of(category)
            if by.pop("visit_frequency", None) == _top(its):
                wholes = dict.fromkeys(
                    cell_of(w, by_of(w) | {"visit_frequency": top}) for w in _less(category, by)
                )
                pairs += [
                    (CellKey(part.code, *category), CellKey(period.code, *w)) for w in wholes if w in known
                ]
    return [(part, whole) for part, whole in pairs if part != whole]


def _top(cube: Cube) -> str:
    return max(cube.codes["visit_frequency"], key=_least)


def _least(code: str) -> int:
    return bin_bounds("visit_frequency", code)[0]


def _wholes(category: Category, weekday: str | None) -> Iterator[Category]:
    """What a category of a smaller period lies in: itself, and whatever tells less apart; a day lies in its weekday."""
    by = {name: code for name, code in by_of(category).items() if name not in OF_A_PERIOD}
    return _less(category, by | ({"weekday": weekday} if weekday else {}))


def _less(category: Category, by: Mapping[str, str]) -> Iterator[Category]:
    """The category with these codes, and all that tell less apart: fewer of the codes, a component further out."""
    for component in (category, *wholes_of(category)):
        for number in range(len(by) + 1):
            for names in combinations(by, number):
                yield cell_of(component, {name: by[name] for name in names})
