"""The configuration → the cube of all categories and periods, of which every table is a cut.

One cube is protected, and tables are cut from it: two tables can then never disagree on what is withheld.

Belongs here: which rows there are. Rows never depend on the data: a row that appears only when someone was
there would tell that someone was. Does not: figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from usage_stats.config import OTHER, TOTAL, Component, Config
from usage_stats.periods import PeriodKind

__all__ = ["Category", "Cube", "cube_from", "cube_of"]

Category = tuple[str, str]  # component, sub_component


@dataclass(frozen=True, slots=True)
class Cube:
    """The categories as a tree (each whole with its parts), and the kinds of period that some table wants."""

    parts_of: tuple[tuple[Category, tuple[Category, ...]], ...]
    periods: tuple[PeriodKind, ...]

    @property
    def categories(self) -> tuple[Category, ...]:
        """Every category once, the total first, each component before its parts."""
        sub = dict(self.parts_of)
        components = sub[TOTAL, TOTAL]
        return ((TOTAL, TOTAL), *(x for c in components for x in (c, *sub.get(c, ()))))

    def ancestors(self, category: Category) -> tuple[Category, ...]:
        """The wholes a category lies in, nearest first."""
        whole = next((w for w, parts in self.parts_of if category in parts), None)
        return () if whole is None else (whole, *self.ancestors(whole))

    @property
    def digest(self) -> str:
        """Tells two sets of categories apart."""
        return hashlib.sha256(repr(self.parts_of).encode()).hexdigest()[:16]

    def frame(self) -> pa.Table:
        """The categories as a table: component, sub_component."""
        return pa.table(
            dict(zip(("component", "sub_component"), zip(*self.categories, strict=True), strict=True))
        )


def cube_of(config: Config) -> Cube:
    """The cube that the configured tables are cut from."""
    names = [*(c.name for c in config.components), OTHER]
    tree = [((TOTAL, TOTAL), tuple((n, TOTAL) for n in names))]
    tree += [((c.name, TOTAL), _parts(c)) for c in config.components if c.sub_components]
    kinds: tuple[PeriodKind, ...] = ("day", "week", "month")
    wanted = {kind for table in config.tables.values() for kind in table.periods}
    return Cube(parts_of=tuple(tree), periods=tuple(k for k in kinds if k in wanted))


def cube_from(categories: Sequence[Category], periods: Sequence[PeriodKind]) -> Cube:
    """The cube whose categories these are: what a released period was cut by, read off its rows."""
    names = dict.fromkeys(c for c, sub in categories if sub == TOTAL and c != TOTAL)
    tree = [((TOTAL, TOTAL), tuple((n, TOTAL) for n in names))]
    for name in names:
        parts = tuple(x for x in categories if x[0] == name and x[1] != TOTAL)
        tree += [((name, TOTAL), parts)] if parts else []
    return Cube(parts_of=tuple(tree), periods=tuple(periods))


def _parts(component: Component) -> tuple[Category, ...]:
    names = [*(s.name for s in component.sub_components), OTHER]
    return tuple((component.name, n) for n in names)
