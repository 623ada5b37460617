"""Figures of the whole site over several periods → a chart of lines.

Belongs here: its look. Does not: which periods there are (sections).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from usage_stats.release.report.drawing import HATCHED, Caption
from usage_stats.release.report.vega import ACCENT, WIDTH, drawn, numbers

__all__ = ["Panel", "Point", "trend"]


class Point(NamedTuple):
    """A period: its name below the axis, the panels' values, and `shown`, `withheld`, `incomplete` or `none`."""

    label: str
    values: tuple[float | None, ...]
    state: str


class Panel(NamedTuple):
    """A measure of a trend: its name, and whether it is counted in whole numbers."""

    name: str
    is_count: bool


_HEIGHT, _BETWEEN = 96, 34  # of a measure's lines, and the room for the next one's name


def trend(panels: Sequence[Panel], points: Sequence[Point], caption: Caption) -> str:
    """A line for each measure over the same periods, one above the other; it breaks where nothing is shown."""
    values = [
        {"label": p.label, "state": p.state, **{f"v{n}": value for n, value in enumerate(p.values)}}
        for p in points
    ]
    names = [p.label for p in points]
    spec = {
        "data": {"values": values},
        "vconcat": [
            {
                "width": WIDTH - 66,
                "height": _HEIGHT,
                "layer": _layers(panel, f"v{n}", _periods(names, is_last=n == len(panels) - 1)),
            }
            for n, panel in enumerate(panels)
        ],
        "spacing": _BETWEEN,
        "bounds": "flush",
    }
    height = 26 + 22 + len(panels) * _HEIGHT + (len(panels) - 1) * _BETWEEN
    return drawn(spec, caption, padding=(48, 26, 18, 22), total=(WIDTH, height))


def _periods(names: Sequence[str], *, is_last: bool) -> dict[str, Any]:
    """The axis of periods; the lowest panel names six of them, the last among them."""
    step = -(-len(names) // 6)
    shown = names[::-1][::step][::-1]
    return {
        "field": "label",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": names, "type": "band"},
        "axis": {"labelAngle": 0, "labels": is_last, "values": shown, "grid": False, "labelOverlap": False},
    }


def _layers(panel: Panel, field: str, x: dict[str, Any]) -> list[dict[str, Any]]:
    """What is withheld as hatched fields, the line, a dot for each period, and the measure's name."""
    y = {
        "field": field,
        "type": "quantitative",
        "axis": numbers(whole=panel.is_count),
        "scale": {"zero": True},
    }
    place = {"x": {**x, "bandPosition": 0.5}, "y": y}
    at_end = f"datum.label == '{x['scale']['domain'][-1]}'"
    incomplete = "datum.state == 'incomplete'"
    dots = {
        "size": {"condition": {"test": at_end, "value": 60}, "value": 16},
        "fill": {"condition": {"test": incomplete, "value": "white"}, "value": ACCENT},
    }
    line = {"type": "line", "color": ACCENT, "strokeWidth": 2, "invalid": "break-paths-filter-domains"}
    name = {"type": "text", "text": panel.name, "align": "left", "fontWeight": "bold"}
    return [
        {
            "transform": [{"filter": "datum.state == 'withheld'"}],
            "mark": {"type": "rect", "color": HATCHED},
            "encoding": {"x": x, "y": {"value": 0}, "y2": {"value": _HEIGHT}},
        },
        {"mark": line, "encoding": place},
        {
            "transform": [{"filter": f"isValid(datum.{field})"}],
            "mark": {"type": "point", "opacity": 1, "stroke": ACCENT},
            "encoding": {**place, **dots},
        },
        {"data": {"values": [{}]}, "mark": name, "encoding": {"x": {"value": 0}, "y": {"value": -12}}},
    ]
