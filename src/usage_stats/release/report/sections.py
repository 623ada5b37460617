"""What a page is about → its sections: a trend, a section for each way the table breaks the site down.

Belongs here: which charts and tables a page has, in which order, with which sentences. Does not: their look (charts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from usage_stats.config import TOTAL
from usage_stats.dimensions import COMPONENT, DIMENSIONS, SUB_COMPONENT
from usage_stats.release.report import charts, words
from usage_stats.release.report.drawing import Caption
from usage_stats.release.report.earlier import Row, last_period, periods_back, whole
from usage_stats.release.report.subject import WITHHELD, Cell, Subject
from usage_stats.release.report.trend import Panel, Point, trend

__all__ = ["Grid", "Section", "sections"]

_MOST_BARS = 15  # a list longer than a phone's screen is read in the table
_MOST_ROWS = 250  # beyond, a page is slow to scroll: the data files have all rows
_IN_ORDER = frozenset({"hour", "weekday", *(name for name, d in DIMENSIONS.items() if d.bins)})
_PAIR = ("hour", "weekday")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of a page: its caption, headings, and rows of what they are about and cells.

    A part of a part is named by its path; the last name of it is what is seen, as deep as the path is long.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: `svg` is a drawing of our own making, `grid` has the figures it shows."""

    id: str
    title: str
    sentence: str
    svg: str
    grid: Grid
    notes: tuple[str, ...] = ()


def sections(subject: Subject) -> list[Section]:
    """The sections of a page, the trend first."""
    return [*_trend(subject), *_pair(subject), *_parts(subject)]


def _trend(subject: Subject) -> Iterator[Section]:
    """The whole site over the periods that the partner has, with gaps where there are none; nothing of one alone."""
    told = {e.period: whole(e.rows) for e in subject.earlier}
    told[subject.period] = subject.whole
    periods = [p for p in periods_back(subject.period) if p.first >= min(e.first for e in told)]
    if len(periods) < 2:  # one point is no trend
        return
    names = [c.name for c in subject.counts]
    points = [_point(words.short_period(p), told.get(p), names) for p in periods]
    panels = [Panel(words.measure_words(c.name), c.kind == "integer") for c in subject.counts]
    title = f"{words.and_list([p.name for p in panels])} of the whole site, by {subject.period.kind}"
    rows = tuple(
        ((words.listed_period(p),), _cells_of(subject, told.get(p), names)) for p in reversed(periods)
    )
    headings = (subject.period.kind.capitalize(), *(p.name for p in panels), "Status")
    yield Section(
        "trend",
        "Trend",
        f"The whole site over {len(periods)} {subject.period.kind}s.",
        trend(panels, points, Caption("trend", title, "The same figures are in the table below.")),
        Grid(title, headings, rows),
        tuple(_notes_of_trend(points)),
    )


def _point(label: str, row: Row | None, names: Sequence[str]) -> Point:
    if row is None:
        return Point(label, (None,) * len(names), "none")
    states = {"suppressed": "withheld", "incomplete": "incomplete"}
    return Point(label, tuple(_number(row, n) for n in names), states.get(str(row["status"]), "shown"))


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return value if isinstance(value, int | float) else None


def _cells_of(subject: Subject, row: Row | None, names: Sequence[str]) -> tuple[Cell, ...]:
    if row is None:
        return (*(Cell("none", "none") for _ in names), Cell("not delivered", "words"))
    return (*(subject.cell(row, name) for name in names), Cell(_STATUS[str(row["status"])], "words"))


_STATUS = {"published": "published", "suppressed": WITHHELD, "incomplete": "incomplete"}


def _notes_of_trend(points: Sequence[Point]) -> Iterator[str]:
    states = {p.state for p in points}
    if "withheld" in states:
        yield "Hatched: withheld, not zero."
    if "incomplete" in states:
        yield "Hollow points: days of the log are missing, so the figures are too low."
    if "none" in states:
        yield "Where the line breaks, no figures were delivered."


def _pair(subject: Subject) -> Iterator[Section]:
    """Hours by weekdays, where the table has both."""
    if not set(_PAIR) <= set(subject.dimensions):
        return
    column = next((c for c in subject.figures if c.name == "page_views"), subject.lead)
    found = subject.along(*_PAIR)
    cells = {(str(row["hour"]), str(row["weekday"])): row for row in found}
    hours, weekdays = sorted({h for h, _ in cells}), sorted({d for _, d in cells})
    name = words.measure_words(column.name)
    title = f"{name} by hour of the day and day of the week"
    squares = [
        charts.Square(
            words.code_words("weekday", d)[:3], words.code_words("hour", h), _number(cells[h, d], column.name)
        )
        for h in hours
        for d in weekdays
    ]
    rows = tuple(
        ((words.code_words("hour", h),), tuple(subject.cell(cells[h, d], column.name) for d in weekdays))
        for h in hours
    )
    headings = ("Hour", *(words.code_words("weekday", d) for d in weekdays))
    yield Section(
        "hours",
        "Hours and weekdays",
        _busiest(found, column.name, name),
        charts.heat_map(
            squares, Caption("hours", title, "The darker, the more. The figures are in the table below.")
        ),
        Grid(title, headings, rows),
        _notes_of_parts(found),
    )


def _busiest(rows: Sequence[Row], name: str, said: str) -> str:
    shown = [row for row in rows if _number(row, name) is not None]
    if not shown:
        return "Every hour is withheld."
    most = max(shown, key=lambda row: _number(row, name) or 0)
    when = (
        f"{words.code_words('weekday', str(most['weekday']))}, {words.code_words('hour', str(most['hour']))}"
    )
    return f"Most {said.lower()}{_of_shown(rows)}: {when}, {words.figure(name, _number(most, name) or 0)}."


def _of_shown(rows: Sequence[Row]) -> str:
    """What a superlative is of: of what is withheld, nobody can tell."""
    return " of what is shown" if any(row["status"] == "suppressed" for row in rows) else ""


def _notes_of_parts(rows: Sequence[Row], drawn: int | None = None) -> tuple[str, ...]:
    """How many parts are withheld, and how that is drawn; of a list, only the first are drawn."""
    hidden = [row["status"] == "suppressed" for row in rows]
    if not any(hidden):
        return ()
    how = "Hatched: withheld, not zero" if any(hidden[:drawn]) else "Withheld, not zero"
    return (f"{how} ({sum(hidden)} of {len(rows)}).",)


def _parts(subject: Subject) -> Iterator[Section]:
    """A section for each dimension of the table by itself."""
    for name in subject.dimensions:
        rows = subject.along(name) if name != SUB_COMPONENT else []
        if rows:
            yield _part(subject, name, rows)


def _part(subject: Subject, name: str, rows: list[Row]) -> Section:
    ordered = rows if name in _IN_ORDER else _ranked(subject, rows)
    lead = words.measure_words(subject.lead.name)
    title = f"{lead} by {words.dimension_words(name).lower()}"
    is_reach = name == COMPONENT and any(c.name == "reach" for c in subject.figures)
    slug, grid = name.replace("_", "-"), _grid(subject, name, ordered, title)
    drawn = len(rows) if name == "hour" else _MOST_BARS
    return Section(
        slug,
        "Reach by part of the site" if is_reach else words.dimension_words(name),
        _first(subject, name, ordered),
        _chart(subject, name, ordered, Caption(f"by-{slug}", title, _READ)),
        Grid(grid.caption, grid.headings, grid.rows[:_MOST_ROWS]),
        (*_notes_of_parts(ordered, drawn), *_more(len(rows), drawn, len(grid.rows))),
    )


_READ = "The same figures are in the table below."


def _ranked(subject: Subject, rows: list[Row]) -> list[Row]:
    """The most first; what is withheld last, in the table's order."""
    name = subject.lead.name
    return sorted(rows, key=lambda row: (_number(row, name) is None, -(_number(row, name) or 0)))


def _first(subject: Subject, name: str, rows: Sequence[Row]) -> str:
    """A sentence on the part with most."""
    lead = subject.lead.name
    shown = [row for row in rows if _number(row, lead)]
    said = words.measure_words(lead).lower()
    if not shown:
        return "Nothing is shown here: all of it is withheld, or nobody came."
    most = max(shown, key=lambda row: _number(row, lead) or 0)
    code = words.code_words(name, str(most[name]))
    return f"Most {said}{_of_shown(rows)}: {code}, {words.figure(lead, _number(most, lead) or 0)}."


def _more(parts: int, drawn: int, rows: int) -> Iterator[str]:
    """What is not on the page."""
    if parts > drawn:
        yield f"The chart has the first {drawn} of {parts}; the table has more."
    if rows > _MOST_ROWS:
        yield f"The table has the first {_MOST_ROWS} of {rows} rows; the data files have all."


def _chart(subject: Subject, name: str, rows: Sequence[Row], caption: Caption) -> str:
    lead = subject.lead.name
    items = [
        charts.Bar(words.code_words(name, str(row[name])), _number(row, lead), _beside(subject, row))
        for row in rows
    ]
    return charts.columns(items, caption) if name == "hour" else charts.bars(items[:_MOST_BARS], caption)


def _beside(subject: Subject, row: Row) -> str:
    """What stands beside a bar: the figure, and the reach if the table has it."""
    told = subject.cell(row, subject.lead.name).text
    reach = _number(row, "reach")
    return told if reach is None or subject.lead.name == "reach" else f"{told} · {words.share(reach)}"


def _grid(subject: Subject, name: str, rows: Sequence[Row], title: str) -> Grid:
    """The rows with all figures; below a component, its parts."""
    figures = [c.name for c in subject.figures]
    before = _last_rows(subject)
    below = _sub_rows(subject) if name == COMPONENT else {}
    found = []
    for row in rows:
        for part in (row, *below.get(str(row[name]), ())):
            change = [_change(subject, part, before)] if before else []
            found.append((_path(part, name), (*(subject.cell(part, figure) for figure in figures), *change)))
    lead = words.measure_words(subject.lead.name).lower()
    last = [f"Change of {lead} on {words.period_before(subject.period.kind)}"] if before else []
    headings = (words.dimension_words(name), *(words.measure_words(f) for f in figures), *last)
    return Grid(title, headings, tuple(found))


def _path(row: Row, name: str) -> tuple[str, ...]:
    """What a row of a table is about: its part, or the path to a part of it."""
    below = str(row.get(SUB_COMPONENT, TOTAL))
    steps = below.split("/") if name == COMPONENT and below != TOTAL else ()
    return (words.code_words(name, str(row[name])), *(words.plain(step) for step in steps))


def _sub_rows(subject: Subject) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    if SUB_COMPONENT in subject.dimensions:
        for row in subject.along(COMPONENT, SUB_COMPONENT):
            found.setdefault(str(row[COMPONENT]), []).append(row)
    return found


def _last_rows(subject: Subject) -> dict[tuple[Any, ...], Row]:
    """The rows of the last period by their codes."""
    last = subject.before(last_period(subject.period))
    return {tuple(row.get(n) for n in subject.dimensions): row for row in last.rows} if last else {}


def _change(subject: Subject, row: Row, before: Mapping[tuple[Any, ...], Row]) -> Cell:
    """How the leading figure of a part changed on the last period; words where that is not told."""
    then = before.get(tuple(row[n] for n in subject.dimensions))
    if row["status"] == "suppressed" or (then is not None and then["status"] == "suppressed"):
        return Cell("not told", WITHHELD)
    if then is None or "incomplete" in {then["status"], row["status"]}:
        return Cell("not compared", "none")
    now, was = _number(row, subject.lead.name), _number(then, subject.lead.name)
    return Cell("not compared", "none") if now is None or was is None else Cell(words.change(now, was))
