"""Published figures → where they contradict each other, or are about too few.

Belongs here: sums, bounds, ratios and the minimum, as the statement of relations has them. Does not: the shape of files
(shape_checks), what withheld figures could be (pooled).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from usage_stats.dimensions import MEASURES, TOTAL
from usage_stats.measure.cube import by_of, cell_of, cube_from, wholes_of, without
from usage_stats.measure.relations import (
    CellKey,
    Constraint,
    Measure,
    Relation,
    Variable,
    constraints,
    relations,
)
from usage_stats.release.folders import Figures, Folder, place_of
from usage_stats.release.shape_checks import Check, at_row

__all__ = ["CHECKS_OF_FIGURES", "RATIOS", "broken_relations"]

# A ratio's dividend and divisor; that of reach is in the row of the whole site.
RATIOS: Mapping[str, tuple[Measure, Measure]] = {
    "reach": ("visitors", "visitors"),
    "frequency": ("visits", "visitors"),
    "page_views_per_visit": ("page_views", "visits"),
}
_Cells = Mapping[CellKey, Figures]


def _minimum(folder: Folder) -> Check:
    """Every published figure is about nobody, or about enough persons."""
    least = folder.package.facts.thresholds.minimum_persons
    known = {key: figures[0] for key, figures in folder.cells.items() if figures and figures[0] is not None}
    thin = [key for key, visitors in known.items() if 0 < visitors < least]
    said = tuple(f"{place_of(key)}: published, with fewer than {least} visitors" for key in thin)
    return Check("minimum", len(known), said)


def _order(folder: Folder) -> Check:
    """Every visitor makes a visit, every visit has a page view, and bins hold what their names say."""
    shown = {key: figures for key, figures in folder.cells.items() if figures}
    problems = [
        f"{place_of(key)}: {_worded(constraint)}"
        for key in shown
        for constraint in constraints([], [key])
        if _is_broken(constraint, shown)
    ]
    for key, figures in shown.items():
        known = [number for number in figures if number is not None]
        if 0 in known and any(known):
            problems.append(f"{place_of(key)}: some of its figures are zero, and some are not")
    return Check("order", len(shown), tuple(problems))


def _worded(constraint: Constraint) -> str:
    (of, _), (each, times) = constraint.terms
    bound = "at least" if constraint.low == 0 else "at most"
    many = "" if times == -1 else f"{-times} times "
    return f"{of.measure} must be {bound} {many}its {each.measure}"


def _sums(folder: Folder) -> Check:
    """Published parts come to their published whole where they may be added up, and are nowhere more than it."""
    period, cells = folder.package.period, folder.cells
    cube = cube_from([key.category for key in cells], [period.kind])
    gaps = tuple(
        f"{place_of(key)}: has no row of its total by {along}" for key, along in _without_total(cells)
    )
    if gaps:
        return Check("sums", len(cells), gaps)
    found = relations(cube, [period])
    return Check("sums", len(found) * len(MEASURES), tuple(broken_relations(found, cells)))


def _without_total(cells: _Cells) -> Iterator[tuple[CellKey, str]]:
    """The cells whose total along some dimension is no row, with that dimension."""
    for key in cells:
        by = by_of(key.category)
        wholes = {name: without(key.category, name) for name in by}
        outer = next(wholes_of(key.category), None)
        wholes |= {"component": cell_of(outer, by)} if outer else {}
        yield from ((key, name) for name, whole in wholes.items() if CellKey(key.period, *whole) not in cells)


def broken_relations(found: Iterable[Relation], cells: _Cells) -> list[str]:
    """A sentence about each relation that published figures break, whatever the withheld ones are."""
    return [
        _told(relation, constraint, cells)
        for relation in found
        for constraint in constraints([relation], [])
        if _is_broken(constraint, cells)
    ]


def _told(relation: Relation, constraint: Constraint, cells: _Cells) -> str:
    measure = constraint.terms[0][0].measure
    place, along = place_of(relation.whole), relation.dimension.replace("_", " ")
    whole = _shown(cells.get(relation.whole), measure)
    if len(constraint.terms) == 2 and len(relation.parts) > 1:  # a whole and one part
        part = constraint.terms[1][0].cell
        return (
            f"{place}: {whole} {measure}, but {_shown(cells.get(part), measure)} in its part {place_of(part)}"
        )
    parts = [figures for part in relation.parts if (figures := cells.get(part))]
    total = sum(figures[MEASURES.index(measure)] or 0 for figures in parts)
    withheld = len(relation.parts) - len(parts)
    besides = f", {withheld} more are withheld" if withheld else ""
    return f"{place}: {whole} {measure}, but {total} in its {len(parts)} published parts by {along}{besides}"


def _shown(figures: Figures, measure: str) -> str:
    value = figures[MEASURES.index(measure)] if figures else None
    return "withheld" if value is None else str(value)


def _is_broken(constraint: Constraint, cells: _Cells) -> bool:
    """Whether no whole numbers for what is not shown satisfy it; a withheld cell holds at least one of each."""
    least = most = 0.0
    for variable, coefficient in constraint.terms:
        low, high = _bounds(variable, cells)
        ends = (coefficient * low, coefficient * high)
        least, most = least + min(ends), most + max(ends)
    return least > constraint.high or most < constraint.low


def _bounds(variable: Variable, cells: _Cells) -> tuple[float, float]:
    figures = cells.get(variable.cell, ())
    if figures is None:
        return 1, math.inf
    value = figures[MEASURES.index(variable.measure)] if figures else None
    return (0, math.inf) if value is None else (value, value)


def _ratios(folder: Folder) -> Check:
    """Ratios are those of the figures beside them, to four decimals, and empty where these are."""
    named = [name for name in RATIOS if {name, *RATIOS[name]} <= set(folder.main.names)]
    everybody = _everybody(folder) if "visitors" in folder.main.names else None
    problems = [
        f"{at_row(folder, row)}: {name} is not {' by '.join(RATIOS[name])}"
        for row in folder.rows
        for name in named
        if row[name] != _ratio(row, name, everybody)
    ]
    return Check("ratios", len(named) * len(folder.rows), tuple(problems))


def _everybody(folder: Folder) -> int | None:
    """The visitors of the whole site, which every table has a row of."""
    key = CellKey(folder.package.period.code, TOTAL, TOTAL)
    figures = folder.cells.get(key)
    return figures[0] if figures else None


def _ratio(row: Mapping[str, Any], name: str, everybody: int | None) -> float | None:
    part, whole = (row[column] for column in RATIOS[name])
    whole = everybody if name == "reach" else whole
    return None if part is None or not whole else round(part / whole, 4)


CHECKS_OF_FIGURES: tuple[Callable[[Folder], Check], ...] = (_minimum, _order, _sums, _ratios)
