"""URL paths → page or asset, component and sub-component: classes, never values.

Belongs here: every rule by which a path of a log line becomes one of a few known words; default deny.
Does not: user agents (robots.py), identifiers and pseudonyms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from usage_stats.config import OTHER, Component

__all__ = ["PathClass", "PathClassifier", "any_of", "classify_target"]

Fits = Callable[[bytes], re.Match[bytes] | None]
_PLAIN = re.compile(
    rb"(?:/[\w.~-]+)+/?|/", re.ASCII
)  # no escapes, no query, no empty segments: the path itself


class PathClass(NamedTuple):
    """What a path is: a page of a component, or an asset. `sub_component` is None where none are defined."""

    is_asset: bool
    component: str
    sub_component: str | None


def classify_target(target: bytes) -> bytes | None:
    """The path of a request target, decoded, without query, fragment and parameters; None if it is no path.

    `GET http://elsewhere/ HTTP/1.1` asks for another site's page through us and is none of ours.
    """
    if _PLAIN.fullmatch(target):
        return target
    if not target.startswith(b"/"):
        return None
    path = re.split(rb"[?#;]", target, maxsplit=1)[0]
    return re.sub(rb"/{2,}", b"/", unquote_to_bytes(path))


class PathClassifier:
    """The configured URL rules; what none of them names goes to `(other)`."""

    def __init__(self, components: Sequence[Component], asset_extensions: Sequence[str]) -> None:
        self._assets = {extension.lower().encode() for extension in asset_extensions}
        rules = [(c, [(s.name, any_of(s.paths)) for s in c.sub_components]) for c in components]
        # By the first segment, where a rule names it: a site has many rules, of which one or two can fit a path.
        named = {segment for c in components for p in c.paths if (segment := _first_segment(p)) is not None}
        self._rules = {
            segment: [(c.name, any_of(fit), subs) for c, subs in rules if (fit := _may_fit(c.paths, segment))]
            for segment in (*named, None)
        }

    def __call__(self, path: bytes) -> PathClass:
        """Classify a decoded path by the first rule that fits."""
        is_asset = _extension(path) in self._assets
        segment = path[1:].partition(b"/")[0]
        for name, fits, subs in self._rules[segment if segment in self._rules else None]:
            if fits(path):
                return PathClass(is_asset, name, _first(path, subs))
        return PathClass(is_asset, OTHER, None)


def _first_segment(pattern: str) -> bytes | None:
    """The first segment of the paths that a pattern fits, or None if it fits several."""
    segment = pattern[1:].partition("/")[0]
    return None if "*" in segment else segment.encode()


def _may_fit(patterns: Sequence[str], segment: bytes | None) -> list[str]:
    """The patterns that can fit a path with such a first segment (None: one that no pattern names)."""
    return [p for p in patterns if _first_segment(p) in {None, segment}]


def _first(path: bytes, subs: list[tuple[str, Fits]]) -> str | None:
    if not subs:
        return None
    return next((name for name, fits in subs if fits(path)), OTHER)


def _extension(path: bytes) -> bytes:
    stem, dot, extension = path.rpartition(b"/")[2].rpartition(b".")
    return extension.lower() if dot and stem else (extension.lower() if dot else b"")


def any_of(patterns: Sequence[str]) -> Fits:
    """Tells whether a decoded path fits one of some patterns, whole; none fits no patterns."""
    if not patterns:
        return lambda _: None
    return re.compile(b"|".join(_as_regex(p) for p in patterns), re.DOTALL).fullmatch


def _as_regex(pattern: str) -> bytes:
    """A path pattern as a regular expression: `**` is any rest, `*` anything within one segment."""
    if pattern.endswith("/**"):
        return _as_regex(pattern[:-3]) + rb"(?:/.*)?"
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": b".*", "*": b"[^/]*"}
    return b"".join(wild.get(part, re.escape(part.encode())) for part in parts)
