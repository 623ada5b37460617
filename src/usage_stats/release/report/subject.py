"""A table of one period and what came before it → its figures of the whole site, and how they changed.

Belongs here: finding rows and figures, and what may be compared. Does not: charts and tables of parts (sections).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS, MEASURES
from usage_stats.periods import Period, day
from usage_stats.release.report import words
from usage_stats.release.report.earlier import Earlier, Row, last_period, whole
from usage_stats.release.table_cut import Column, Cut

__all__ = ["WITHHELD", "Cell", "Headline", "Subject", "headlines"]

WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as text; `kind` is `figure`, `withheld`, `none` (a ratio of nothing) or `words`."""

    text: str
    kind: str = "figure"


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure of the whole site: its name and unit, and how it differs from earlier periods, in words."""

    name: str
    unit: str
    cell: Cell
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about: a table of a period, its rows by column, and the periods that came before."""

    shown: Cut
    period: Period
    rows: tuple[Row, ...]
    earlier: tuple[Earlier, ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The table's dimensions, components first."""
        return tuple(name for name in self.shown.key if name in DIMENSIONS)

    @property
    def figures(self) -> tuple[Column, ...]:
        """The columns of figures, as the table has them."""
        return tuple(column for column in self.shown.columns if column.additive_over is not None)

    @property
    def lead(self) -> Column:
        """What parts are ranked by: visitors, or the first figure there is."""
        return next((column for column in self.figures if column.name == "visitors"), self.figures[0])

    @property
    def counts(self) -> tuple[Column, ...]:
        """The columns that a trend shows: counts, or ratios where there are no counts."""
        return tuple(c for c in self.figures if c.name in MEASURES) or self.figures[:3]

    @property
    def whole(self) -> Row:
        """The row of the whole site."""
        found = whole(self.rows)
        return found if found is not None else {}

    def along(self, *names: str) -> list[Row]:
        """The rows that break the whole down along these dimensions and no other, in the table's order."""
        others = [name for name in self.dimensions if name not in names]
        return [
            row
            for row in self.rows
            if all(row[name] != TOTAL for name in names) and all(row[name] == TOTAL for name in others)
        ]

    def before(self, period: Period) -> Earlier | None:
        """What was delivered of an earlier period."""
        return next((e for e in self.earlier if e.period == period), None)

    def cell(self, row: Row, name: str) -> Cell:
        """A figure of a row, as it is written."""
        value = row.get(name)
        if isinstance(value, int | float):
            return Cell(words.figure(name, value))
        of_whole = name == "reach" and self.whole.get("status") == "suppressed"
        return (
            Cell(WITHHELD, WITHHELD)
            if row.get("status") == "suppressed" or of_whole
            else Cell("none", "none")
        )


def headlines(subject: Subject) -> tuple[tuple[Headline, ...], tuple[str, ...]]:
    """The figures of the whole site with their change, and sentences where there is none to tell."""
    references = list(_references(subject.period))
    told, notes = [], []
    for period, name in references:
        note = _why_not(subject, period, name)
        notes += [note] if note else []
        told += [] if note else [(period, name)]
    row = subject.whole
    found = [
        Headline(
            words.measure_words(c.name),
            c.unit or "",
            subject.cell(row, c.name),
            tuple(_changes(subject, c, told)),
        )
        for c in subject.figures
        if c.name != "reach" or len(subject.figures) == 1  # of the whole site, it is all of it
    ]
    return tuple(found), tuple(notes)


def _references(period: Period) -> Iterable[tuple[Period, str]]:
    """What a period is compared with: the last one, and for a day the same weekday before."""
    yield last_period(period), words.period_before(period.kind)
    if period.kind == "day":
        yield day(period.first - timedelta(7)), "a week before"


def _why_not(subject: Subject, reference: Period, name: str) -> str | None:
    """Why nothing is compared with a period, if so."""
    before = subject.before(reference)
    then = whole(before.rows) if before else None
    if then is None:
        return f"There are no figures of {name} to compare with."
    if subject.whole["status"] == "suppressed":
        return None
    if then["status"] == "suppressed":
        return f"The figures of {name} are withheld, so no change is told."
    if "incomplete" in {then["status"], subject.whole["status"]}:
        return f"Days of the log are missing here or in {name}: the two are not compared."
    return None


def _changes(
    subject: Subject, column: Column, told: Sequence[tuple[Period, str]]
) -> Iterable[tuple[str, str]]:
    """(how it changed, on what), where both are figures."""
    now = subject.whole.get(column.name)
    for period, name in told:
        before = subject.before(period)
        then = (whole(before.rows) or {}).get(column.name) if before else None
        if isinstance(now, int | float) and isinstance(then, int | float):
            yield words.change(now, then), f"on {name}"
