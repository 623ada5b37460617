"""The categories of a cube: all that is told apart in a period, and which are parts of which.

One cube is protected, and tables are cut from it: two tables can then never disagree on what is withheld. What a
table breaks down further shares its totals with the others: the row of all components and of Germany is one cell,
whichever table shows it.

Belongs here: categories and how they nest. Does not: which of them the settings ask for (table_spec); figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS
from usage_stats.periods import PeriodKind

__all__ = [
    "Branch",
    "Category",
    "Cube",
    "Split",
    "by_of",
    "cell_of",
    "cube_from",
    "wholes_of",
    "without",
    "written",
]

# component, sub_component; and, where figures are broken down further, by which codes: "country=DE|device=phone"
Category = tuple[str, ...]
Branch = tuple[Category, tuple[Category, ...]]


class Split(NamedTuple):
    """A whole and its parts along one dimension; `category` is that of components."""

    dimension: str
    whole: Category
    parts: tuple[Category, ...]


@dataclass(frozen=True)  # without slots: what follows from the fields is worked out once
class Cube:
    """The components as a tree (each whole with its parts), the kinds of period that some table wants, and the
    categories that tables break down further, their totals included.
    """

    parts_of: tuple[Branch, ...]
    periods: tuple[PeriodKind, ...]
    further: tuple[Category, ...] = ()

    @cached_property
    def components(self) -> tuple[Category, ...]:
        """Every component once, the total first, each before its parts."""
        sub = dict(self.parts_of)

        def within(whole: Category) -> Iterator[Category]:
            yield whole
            for part in sub.get(whole, ()):
                yield from within(part)

        return tuple(within((TOTAL, TOTAL)))

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        """Every category once, components first."""
        return (*self.components, *self.further)

    @cached_property
    def codes(self) -> Mapping[str, tuple[str, ...]]:
        """The codes told apart of each further dimension; the last is for what none of them names."""
        found: dict[str, dict[str, None]] = {}
        for category in self.further:
            for name, code in by_of(category).items():
                found.setdefault(name, {})[code] = None
        return {name: tuple(some) for name, some in found.items()}

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """Every whole that has parts, along each dimension."""
        return tuple(_splits(self))

    def ancestors(self, category: Category) -> tuple[Category, ...]:
        """The wholes a category lies in, nearest first."""
        return self._wholes.get(category, ())

    @cached_property
    def _wholes(self) -> Mapping[Category, tuple[Category, ...]]:
        above: dict[Category, list[Category]] = {}
        for _, whole, parts in self.splits:
            for part in parts:
                above.setdefault(part, []).append(whole)
        found: dict[Category, tuple[Category, ...]] = {}

        def of(category: Category) -> tuple[Category, ...]:
            if category not in found:
                wholes = above.get(category, [])
                found[category] = tuple(dict.fromkeys([*wholes, *(a for whole in wholes for a in of(whole))]))
            return found[category]

        for category in above:
            of(category)
        return found

    @property
    def digest(self) -> str:
        """Tells two trees of components apart."""
        return hashlib.sha256(repr(self.parts_of).encode()).hexdigest()[:16]

    def frame(self) -> pa.Table:
        """The categories as a table: component, sub_component, further."""
        rows = [written(category) for category in self.categories]
        return pa.table(
            dict(zip(("component", "sub_component", "further"), zip(*rows, strict=True), strict=True))
        )


def written(category: Category) -> tuple[str, str, str]:
    """Component, sub-component and by what it is broken down further, "" for not."""
    return category[0], category[1], category[2] if len(category) > 2 else ""


def by_of(category: Category) -> dict[str, str]:
    """The further dimensions of a category that are no total, with their codes."""
    by = written(category)[2]
    return dict(pair.split("=", 1) for pair in by.split("|")) if by else {}


def without(category: Category, name: str) -> Category:
    """The category at the total of one of its further dimensions."""
    return cell_of(category, {other: code for other, code in by_of(category).items() if other != name})


def cell_of(component: Category, by: Mapping[str, str]) -> Category:
    """The category of a component, broken down further by these codes."""
    named = "|".join(f"{name}={by[name]}" for name in DIMENSIONS if name in by)
    return (*component[:2], named) if named else (component[0], component[1])


def _splits(cube: Cube) -> Iterator[Split]:
    for whole, parts in cube.parts_of:
        if parts:  # a released table may be of the whole site alone, whose components are told nowhere
            yield Split("category", whole, parts)
    known = set(cube.categories)
    found: dict[tuple[str, Category], list[Category]] = {}
    for category in cube.further:
        for key in _wholes_along(category):
            found.setdefault(key, []).append(category)
    for (name, whole), some in found.items():
        if whole in known:
            yield Split(name, whole, tuple(some))


def _wholes_along(category: Category) -> Iterator[tuple[str, Category]]:
    """Along each dimension the whole that a category is a part of."""
    by = by_of(category)
    if "visit_frequency" in by:  # who came once to a part, or by phone, may have come more often to the whole
        yield "visit_frequency", without(category, "visit_frequency")
        return
    for name in by:
        yield name, without(category, name)
    whole = next(wholes_of(category), None)
    if whole is not None:
        yield "category", cell_of(whole, by)


def wholes_of(category: Category) -> Iterator[Category]:
    """The components that a category's component lies in, nearest first."""
    component, path = category[:2]
    while path != TOTAL:
        head, _, _ = path.rpartition("/")
        path = head or TOTAL
        yield component, path
    if component != TOTAL:
        yield TOTAL, TOTAL


def cube_from(categories: Iterable[Sequence[str]], periods: Sequence[PeriodKind]) -> Cube:
    """The cube whose categories these are: what a released period was cut by, read off its rows."""
    found = [tuple(c) if len(c) > 2 and c[2] else (c[0], c[1]) for c in categories]
    tree = [c for c in found if len(c) == 2]
    parts: dict[Category, list[Category]] = {(TOTAL, TOTAL): []}
    for category in tree:
        whole = next(wholes_of(category), None)
        if whole is not None:
            parts.setdefault(whole, []).append(category)
    further = tuple(c for c in found if len(c) > 2)
    return Cube(tuple((w, tuple(p)) for w, p in parts.items()), tuple(periods), further)
