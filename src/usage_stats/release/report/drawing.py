"""The SVG that the chart library wrote → the same drawing as part of a page: named, bare, with hatching.

Belongs here: what a drawing says to those who cannot see it, and what is taken out. Does not: drawing (charts).
"""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree import ElementTree as ET

from usage_stats.errors import InternalError

__all__ = ["HATCHED", "Caption", "cleaned"]

HATCHED = "#abcdef"  # the library knows no patterns: it draws this colour, which nothing else has
_SVG = "http://www.w3.org/2000/svg"
# What shapes, places and colours a drawing. Everything else (roles, labels, classes) is dropped: the drawing is one
# image with a name, and its figures stand in the table beside it.
_KEPT = frozenset(
    (
        *("d", "transform", "fill", "stroke", "stroke-width", "stroke-opacity", "fill-opacity"),
        *("x", "y", "x1", "x2", "y1", "y2", "width", "height", "font-size", "font-weight", "text-anchor"),
        *("stroke-miterlimit", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
    )
)
_DECIMALS = re.compile(r"-?\d+\.\d{3,}")
_TAGS = frozenset({"g", "path", "rect", "line", "text", "tspan"})


class Caption(NamedTuple):
    """How a drawing is told: an identifier within its page, its title, and a sentence on what it shows."""

    id: str
    title: str
    description: str


def cleaned(svg: str, caption: Caption, total: tuple[int, int] | None = None) -> str:
    """The drawing with its title and description and nothing that is not drawn.

    Raises:
        InternalError: the library wrote something that this does not know.
    """
    drawn = ET.fromstring(svg)  # noqa: S314 written by the library a moment ago
    width, height = total or (round(float(drawn.attrib["width"])), round(float(drawn.attrib["height"])))
    root = ET.Element(
        "svg",
        {
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-labelledby": f"{caption.id}-title {caption.id}-text",
        },
    )
    ET.SubElement(root, "title", {"id": f"{caption.id}-title"}).text = caption.title
    ET.SubElement(root, "desc", {"id": f"{caption.id}-text"}).text = caption.description
    if HATCHED in svg:
        root.append(_hatching(f"{caption.id}-withheld"))
    for child in drawn:
        root.extend(_bare(child, f"url(#{caption.id}-withheld)"))
    return ET.tostring(root, encoding="unicode")


def _hatching(name: str) -> ET.Element:
    """Stripes, seen in print and without colours too."""
    top = ET.Element("defs")
    size = {"width": "6", "height": "6", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    pattern = ET.SubElement(top, "pattern", {"id": name, **size})
    ET.SubElement(pattern, "rect", {"width": "6", "height": "6", "fill": "#f5f7fa"})
    ET.SubElement(pattern, "rect", {"width": "2", "height": "6", "fill": "#9aa5b1"})
    return top


def _bare(element: ET.Element, hatching: str) -> list[ET.Element]:
    """The element with what it is drawn by, or nothing where nothing is drawn."""
    tag = element.tag.removeprefix(f"{{{_SVG}}}")
    if tag in {"title", "desc", "defs", "style"}:
        return []
    if tag not in _TAGS:
        raise InternalError(f"a chart has an element {tag!r} that no page may hold: this is a bug")
    kept = {name: _written(value, hatching) for name, value in element.attrib.items() if name in _KEPT}
    bare = ET.Element(tag, kept)
    bare.text = element.text
    for child in element:
        bare.extend(_bare(child, hatching))
    is_empty = not len(bare) and not (bare.text or "").strip() and tag in {"g", "text"}
    return [] if is_empty or _is_invisible(kept) else [bare]


def _written(value: str, hatching: str) -> str:
    """An attribute; places to a hundredth of a pixel, beyond which processors differ."""
    return (
        hatching
        if value == HATCHED
        else _DECIMALS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
    )


def _is_invisible(kept: dict[str, str]) -> bool:
    """A path without colour, or a group's background."""
    return "d" in kept and kept.get("fill", "none") in {"none", "transparent"} and "stroke" not in kept
