"""What a table tells of parts → a chart: a list of bars, columns, or a heat map.

Belongs here: their look. Does not: which figures are shown (sections).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from usage_stats.release.report.drawing import HATCHED, Caption
from usage_stats.release.report.vega import ACCENT, PALE, WIDTH, drawn, numbers

__all__ = ["Bar", "Square", "bars", "columns", "heat_map"]

_LONGEST = 34  # signs of a name beside its figure


class Bar(NamedTuple):
    """A part and its figure, with the text beside it; a withheld one has no value."""

    label: str
    value: float | None
    text: str


class Square(NamedTuple):
    """A field of a heat map; a withheld one has no value."""

    column: str
    row: str
    value: float | None


_STEP = 36  # of a list: the name and its figure, and the bar below them


def bars(items: Sequence[Bar], caption: Caption) -> str:
    """A list of bars, each below its name and figure, in the order given."""
    most = max((item.value or 0 for item in items), default=0) or 1
    values = [
        {
            "n": n,
            "label": _cut(item.label),
            "text": item.text,
            "v": most if item.value is None else item.value,
            "shown": item.value is not None,
        }
        for n, item in enumerate(items)
    ]
    y = {"field": "n", "type": "ordinal", "axis": None, "scale": {"padding": 0}}
    x = {"field": "v", "type": "quantitative", "axis": None, "scale": {"domain": [0, most], "nice": False}}
    bar = {"type": "bar", "height": 8, "yOffset": 8}
    above = {"type": "text", "dy": -6, "baseline": "middle"}
    left, right = {"value": 0}, {"value": WIDTH - 2}
    layers = [
        {"mark": {**bar, "color": PALE}, "encoding": {"y": y, "x": {"value": 0}, "x2": right}},
        _only("datum.shown", {**bar, "color": ACCENT}, {"y": y, "x": x}),
        _only("!datum.shown", {**bar, "color": HATCHED}, {"y": y, "x": x}),
        {"mark": {**above, "align": "left"}, "encoding": {"y": y, "x": left, "text": {"field": "label"}}},
        {"mark": {**above, "align": "right"}, "encoding": {"y": y, "x": right, "text": {"field": "text"}}},
    ]
    size = {"width": WIDTH - 2, "height": _STEP * len(items)}
    return drawn({**size, "data": {"values": values}, "layer": layers}, caption, padding=(1, 1, 1, 1))


def _only(condition: str, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    """A layer of the rows that meet a condition."""
    return {"transform": [{"filter": condition}], "mark": mark, "encoding": encoding}


def columns(items: Sequence[Bar], caption: Caption) -> str:
    """Columns in a row, for codes that follow each other; their names below, every third where there are many."""
    every = 3 if len(items) > 12 else 1  # beyond, a name has less than 30 pixels
    values = [
        {"n": n, "label": item.label, "v": item.value or 0, "shown": item.value is not None}
        for n, item in enumerate(items)
    ]
    names = [item.label for item in items]
    x = {
        "field": "label",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": names, "paddingInner": 0.25},
        "axis": {"labelAngle": 0, "values": names[::every], "grid": False},
    }
    y = {"field": "v", "type": "quantitative", "axis": numbers(), "scale": {"zero": True}}
    layers = [
        _only("datum.shown", {"type": "bar", "color": ACCENT}, {"x": x, "y": y}),
        _only(
            "!datum.shown",
            {"type": "bar", "color": HATCHED},
            {"x": x, "y": {"value": 0}, "y2": {"value": 150}},
        ),
    ]
    size = {"width": WIDTH - 54, "height": 150}
    return drawn({**size, "data": {"values": values}, "layer": layers}, caption, padding=(48, 10, 6, 22))


def heat_map(squares: Sequence[Square], caption: Caption) -> str:
    """A field for each hour and weekday, the darker the more; weekdays beside each other, hours downwards."""
    values = [{"c": s.column, "r": s.row, "v": s.value or 0, "shown": s.value is not None} for s in squares]
    across, down = list(dict.fromkeys(s.column for s in squares)), list(dict.fromkeys(s.row for s in squares))
    place = _place(across, down)
    color = {
        "field": "v",
        "type": "quantitative",
        "legend": None,
        "scale": {
            "domain": [0, max((s.value or 0 for s in squares), default=0) or 1],
            "range": ["#e6f2f2", "#0a4450"],
            "interpolate": "lab",
        },
    }
    layers = [
        _only("datum.shown", {"type": "rect"}, {**place, "color": color}),
        _only("!datum.shown", {"type": "rect", "color": HATCHED}, place),
    ]
    size = {"width": WIDTH - 50, "height": 16 * len(down)}
    return drawn({**size, "data": {"values": values}, "layer": layers}, caption, padding=(46, 22, 4, 4))


def _place(across: list[str], down: list[str]) -> dict[str, Any]:
    """Where a field lies: its column and row, named above and on the left."""
    return {
        "x": {
            "field": "c",
            "type": "ordinal",
            "scale": {"domain": across, "padding": 0.04},
            "axis": {"orient": "top", "labelAngle": 0, "domain": False},
        },
        "y": {
            "field": "r",
            "type": "ordinal",
            "scale": {"domain": down, "padding": 0.06},
            "axis": {"domain": False, "minExtent": 40, "maxExtent": 40},
        },
    }


def _cut(label: str) -> str:
    """A name that fits beside its figure: so many signs of middling width, whatever fonts there are."""
    room = _LONGEST - 1.0
    for n, sign in enumerate(label):
        room -= _width(sign)
        if room < 0 and n < len(label) - 1:
            return f"{label[:n]}…"
    return label


def _width(sign: str) -> float:
    """Of a sign, against a middling one."""
    if unicodedata.east_asian_width(sign) in {"W", "F"}:
        return 1.8
    return 1.5 if sign in _WIDE else 1.2 if sign.isupper() else 1.0


_WIDE = frozenset("MWmw@%")
