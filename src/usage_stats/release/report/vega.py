"""A chart in the words of Vega-Lite → the text of an SVG drawing, without script, fonts or references.

Nothing in a drawing is placed by the width of a name: widths depend on the fonts of a machine, and the same figures are
to give the same bytes everywhere. So axes have fixed room, and names are cut by their number of signs.

Belongs here: the look that all charts share, and the one place that knows the library. Does not: single charts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from usage_stats.release.report.drawing import Caption, cleaned

__all__ = ["ACCENT", "INK", "LOOK", "PALE", "WIDTH", "drawn", "numbers"]

WIDTH = 360  # pixels: as wide as a phone, so that its letters are as large as they are meant
INK, MUTED, LINE, ACCENT, PALE = "#1f2933", "#52606d", "#d9e2ec", "#0b6170", "#eef2f6"
_FONT = "Liberation Sans"  # comes with the library; the page puts its own in its place, of the same widths
_THIN = "\N{NARROW NO-BREAK SPACE}"
_NUMBER = f"replace(format(datum.value, ','), /,/g, '{_THIN}')"
_VEGA_LITE = "6.1"  # of those that the library brings; named, so that a newer library draws the same
LOOK: Mapping[str, Any] = {
    "font": _FONT,
    "background": None,
    "view": {"stroke": None},
    "text": {"fontSize": 12, "color": INK},
    "axis": {
        "labelColor": MUTED,
        "labelFontSize": 11,
        "gridColor": LINE,
        "domainColor": "#9fb3c8",
        "ticks": False,
        "labelPadding": 5,
        "title": None,
    },
}


def numbers(*, whole: bool = True) -> dict[str, Any]:
    """An axis of figures, from 0 upwards, with room for seven digits."""
    said = _NUMBER if whole else "format(datum.value, '.2~f')"
    return {"tickCount": 3, "minExtent": 42, "maxExtent": 42, "domain": False, "labelExpr": said}


def drawn(
    spec: dict[str, Any],
    caption: Caption,
    *,
    padding: tuple[int, int, int, int],
    total: tuple[int, int] | None = None,
) -> str:
    """The drawing.

    Args:
        spec: of the plot.
        caption: how it is told.
        padding: the room around the plot, left, top, right and bottom, in pixels.
        total: width and height, where the plot is made of several.
    """
    import vl_convert  # noqa: PLC0415 half a second for its engine, when something is drawn

    left, top, right, bottom = padding
    whole = {
        **spec,
        "config": dict(LOOK),
        "autosize": {"type": "none"},
        "padding": {"left": left, "top": top, "right": right, "bottom": bottom},
    }
    svg: str = vl_convert.vegalite_to_svg(whole, vl_version=_VEGA_LITE, allowed_base_urls=[])
    return cleaned(svg, caption, total)
