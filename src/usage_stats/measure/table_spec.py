"""The configuration → the cube of all categories and periods, of which every table is a cut.

Belongs here: which rows there are. Rows never depend on the data: a row that appears only when someone was there would
tell that someone was. (Bins are folded, by `folding`, which tells no more than that a bin holds too few.) Does not:
figures, how categories nest (cube).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from usage_stats.config import OTHER, TOTAL, Component, Config, SubComponent, Table
from usage_stats.dimensions import COMPONENT, DIMENSIONS, EVENT_ATTRIBUTES, SUB_COMPONENT
from usage_stats.measure.cube import Branch, Category, Cube, cell_of
from usage_stats.periods import PeriodKind
from usage_stats.table_settings import event_codes

__all__ = [
    "DERIVED",
    "PERSONS",
    "Breakdown",
    "breakdown_of",
    "breakdowns_of",
    "codes_of",
    "cube_of",
    "further_categories",
    "needs_buckets",
    "stored_codes",
]

# What is not a property of a page view or visit, and is told apart when a period's usage rows are counted.
DERIVED = ("weekday", "visitor_type", "visit_frequency")
_OF_PERSONS = frozenset({"visitor_type", "visit_frequency"})
PERSONS = "persons"


class Breakdown(NamedTuple):
    """What a table breaks down beyond components: `depth` 0 is the whole site, 1 components, 2 all their parts."""

    depth: int
    dimensions: tuple[str, ...]

    @property
    def stored(self) -> Breakdown:
        """What of it usage rows tell."""
        return Breakdown(self.depth, tuple(name for name in self.dimensions if name not in DERIVED))

    def code_with(self, codes: Mapping[str, Sequence[str]]) -> str:
        """How the ledger of sealed days names it: another name if it has other codes."""
        told = repr([(name, codes[name]) for name in self.dimensions]).encode()
        return f"{self.depth}:{','.join(self.dimensions)}:{hashlib.sha256(told).hexdigest()[:8]}"

    def is_told_by(self, known: Collection[str], codes: Mapping[str, Sequence[str]]) -> bool:
        """Whether usage rows that tell what is known (`stored_codes`) tell this."""
        stored = self.stored
        return (
            (not stored.dimensions or stored.code_with(codes) in known)
            and (_OF_PERSONS.isdisjoint(self.dimensions) or PERSONS in known)
            and all(_is_told(name, known) for name in stored.dimensions if name in EVENT_ATTRIBUTES)
        )


def _is_told(attribute: str, known: Collection[str]) -> bool:
    """Whether events told an attribute by one version of what decides it, throughout."""
    return any(one.startswith(f"{attribute}@") for one in known)


def cube_of(config: Config) -> Cube:
    """The cube that usage rows are counted by: all that the configured tables tell apart, derived codes left out."""
    stored = dict.fromkeys(b.stored for b in breakdowns_of(config) if b.stored.dimensions)
    tree = _tree(config.components)
    kinds: tuple[PeriodKind, ...] = ("day", "week", "month")
    wanted = {kind for table in config.tables.values() for kind in table.periods}
    further = further_categories(Cube(tree, ()), stored, codes_of(config))
    return Cube(parts_of=tree, periods=tuple(k for k in kinds if k in wanted), further=further)


def breakdowns_of(config: Config, kind: PeriodKind | None = None) -> tuple[Breakdown, ...]:
    """What the tables break down beyond components; those that come by a kind of period."""
    tables = [t for t in config.tables.values() if kind is None or kind in t.periods]
    return tuple(dict.fromkeys(b for t in tables if (b := breakdown_of(t)).dimensions))


def breakdown_of(table: Table) -> Breakdown:
    """What a table breaks down beyond components."""
    depth = 2 if SUB_COMPONENT in table.dimensions else int(COMPONENT in table.dimensions)
    further = {*table.dimensions} - {COMPONENT, SUB_COMPONENT}
    return Breakdown(depth, tuple(name for name in DIMENSIONS if name in further))


def stored_codes(config: Config) -> frozenset[str]:
    """What usage rows counted now can tell beyond components, by names that change with the codes.

    A period shows a table only if every day of it could: `persons` are networks by person, which some tables need.
    """
    codes = codes_of(config)
    stored = {b.stored for b in breakdowns_of(config)}
    named = {b.code_with(codes) for b in stored if b.dimensions}
    return frozenset(named | ({PERSONS} if needs_buckets(config) else set()))


def needs_buckets(config: Config) -> bool:
    """Whether some table is about persons by how often or when they came: their networks must be told apart too."""
    return any(not _OF_PERSONS.isdisjoint(b.dimensions) for b in breakdowns_of(config))


def codes_of(config: Config) -> dict[str, tuple[str, ...]]:
    """The codes of each further dimension; the last is for what none of them names."""
    codes = {name: dimension.codes for name, dimension in DIMENSIONS.items() if dimension.codes}
    tops = (*(c.name for c in config.components), OTHER)
    groups = config.customer_groups.names if config.customer_groups else ()
    codes |= {name: event_codes(name, config.countries, groups) for name in EVENT_ATTRIBUTES}
    return codes | {"entry_component": tops, "exit_component": tops}


def further_categories(
    cube: Cube, breakdowns: Iterable[Breakdown], codes: Mapping[str, Sequence[str]]
) -> tuple[Category, ...]:
    """The categories of breakdowns with their totals, those of plain components left out; each once."""
    found = (c for b in breakdowns for c in _cells(cube, b, codes))
    return tuple(dict.fromkeys(c for c in found if len(c) > 2))


def _cells(cube: Cube, breakdown: Breakdown, codes: Mapping[str, Sequence[str]]) -> Iterator[Category]:
    components = [c for c in cube.components if _depth(c) <= breakdown.depth]
    choices = [(TOTAL, *codes[name]) for name in breakdown.dimensions]
    for component, chosen in product(components, product(*choices)):
        by = {name: code for name, code in zip(breakdown.dimensions, chosen, strict=True) if code != TOTAL}
        yield cell_of(component, by)


def _depth(component: Category) -> int:
    return 0 if component[0] == TOTAL else 1 + (component[1] != TOTAL)


def _tree(components: Sequence[Component]) -> tuple[Branch, ...]:
    names = [*(c.name for c in components), OTHER]
    tree: list[Branch] = [((TOTAL, TOTAL), tuple((n, TOTAL) for n in names))]
    for component in components:
        tree += _branches(component.name, "", component.sub_components)
    return tuple(tree)


def _branches(component: str, path: str, parts: Sequence[SubComponent]) -> list[Branch]:
    """A whole with its parts, and theirs."""
    if not parts:
        return []
    inside = f"{path}/" if path else ""
    names = [*(p.name for p in parts), OTHER]
    found: list[Branch] = [((component, path or TOTAL), tuple((component, inside + n) for n in names))]
    for part in parts:
        found += _branches(component, inside + part.name, part.sub_components)
    return found
