"""Released folders → all their cells in one view per site, as partners have it who lay their folders side by side.

Belongs here: which rows of several folders are one cell, and how the cells of all hang together. Does not: what can be
worked out of them (pooled).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from usage_stats.measure.cube import Category, cube_from
from usage_stats.measure.relations import CellKey, Relation, relations_between
from usage_stats.periods import Period, parse_period
from usage_stats.release.folders import Figures, Folder, place_of

__all__ = ["Disagreement", "Pool", "pools_of"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A cell of which two folders say different things: one withholds what the other shows, or figures differ."""

    key: CellKey
    first: Folder
    other: Folder
    is_withheld_in_one: bool

    def __str__(self) -> str:
        what = (
            "withheld in one and published in the other"
            if self.is_withheld_in_one
            else "of different figures"
        )
        return f"{place_of(self.key)}: {what} of {self.first.path} and {self.other.path}"


@dataclass(slots=True)
class Pool:
    """The cells of one site: what is known of each, the folder that first told it, and where folders disagree."""

    site: str
    folders: list[Folder] = field(default_factory=list)
    cells: dict[CellKey, Figures] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)
    _told_by: dict[CellKey, Folder] = field(default_factory=dict)

    def add(self, folder: Folder) -> None:
        """Lay a folder beside the others."""
        self.folders.append(folder)
        for key, figures in folder.cells.items():
            if key not in self.cells:
                self.cells[key], self._told_by[key] = figures, folder
                continue
            known = self.cells[key]
            if (known is None) != (figures is None) or not _agree(known, figures):
                withheld = known is None or figures is None
                self.disagreements.append(Disagreement(key, self._told_by[key], folder, withheld))
            self.cells[key] = _joined(known, figures)

    def relations(self) -> list[Relation]:
        """How the cells hang together, within periods and between them; days without lines count as empty."""
        empty = frozenset(d for folder in self.folders for d in folder.package.facts.days_without_lines)
        found: dict[Period, list[Category]] = {}
        for key in self.cells:
            found.setdefault(parse_period(key.period), []).append(key.category)
        cubes = {period: cube_from(some, [period.kind]) for period, some in found.items()}
        return relations_between(cubes, empty_days=empty)


def _agree(known: Figures, figures: Figures) -> bool:
    """Whether two rows of a cell say the same of every figure that both show."""
    return all(
        a == b for a, b in zip(known or (), figures or (), strict=False) if a is not None and b is not None
    )


def _joined(known: Figures, figures: Figures) -> Figures:
    """What both together show: tables may have different figures of a cell."""
    if known is None or figures is None:
        return known if figures is None else figures
    return tuple(b if a is None else a for a, b in zip(known, figures, strict=True))


def pools_of(folders: Iterable[Folder]) -> list[Pool]:
    """The folders by site: persons of two sites have nothing to do with each other."""
    pools: dict[str, Pool] = {}
    for folder in folders:
        if folder.package.is_withdrawn:  # it has no figures, and says nothing of its period
            continue
        pools.setdefault(folder.package.site, Pool(folder.package.site)).add(folder)
    return list(pools.values())
