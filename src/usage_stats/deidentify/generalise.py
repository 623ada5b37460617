"""URL paths, and queries by allow-list → page or asset, component and sub-component: classes, never values.

Belongs here: every rule by which a path of a log line becomes one of a few known words; default deny.
Does not: user agents (robots.py), identifiers and pseudonyms.

Of a query, only keys that the settings list are looked at, and their values only compared with those that a rule
writes out: no value ever becomes a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from usage_stats.component_settings import BELOW, all_parts
from usage_stats.config import OTHER, Component, SubComponent
from usage_stats.generalisation_settings import PatternParts, parts_of_pattern, plain_part

__all__ = ["PathClass", "PathClassifier", "Query", "allowed_query", "classify_target", "path_rule"]

Query = Mapping[bytes, bytes]
Fits = Callable[[bytes, Query], bool]
_NO_QUERY: Query = MappingProxyType({})
_PLAIN = re.compile(
    rb"(?:/[\w.~-]+)+/?|/", re.ASCII
)  # no escapes, no query, no empty segments: the path itself


class PathClass(NamedTuple):
    """What a path is: a page of a component, or an asset.

    `sub_component` is the way down from the component, `/` between its parts, and `(other)` where none of a part's
    parts fits; None where the component has none.
    """

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


def allowed_query(target: bytes, keys: Iterable[bytes]) -> Query:
    """What the query of a request target says of some keys: key → value, decoded; all other keys are dropped.

    Pairs are parted by `&` only, as PHP, Python and browsers have it: `a=1;b=2` is one value. The order of pairs does
    not matter; `a` and `a=` are the empty value. A key given twice with different values has none: PHP would take the
    last, Java's servlets the first, others both, so no rule may rest on it.

    Source: URL standard, section 5.1 (application/x-www-form-urlencoded parsing).
    """
    wanted = frozenset(keys)
    query = target.partition(b"#")[0].partition(b"?")[2]
    if not wanted or not query:
        return _NO_QUERY
    values: dict[bytes, set[bytes]] = {}
    for pair in query.split(b"&"):
        raw_key, _, raw_value = pair.partition(b"=")
        if pair and (key := plain_part(raw_key)) in wanted:
            values.setdefault(key, set()).add(plain_part(raw_value))
    return {key: found.pop() for key, found in values.items() if len(found) == 1}


class PathClassifier:
    """The configured URL rules; what none of them names goes to `(other)`.

    With `query_keys`, a pattern's `?key=value` asks that of the query; without, a `?` in a pattern is itself.

    Raises:
        ValueError: with `query_keys`, a pattern's query cannot be read (the settings refuse such patterns before).
    """

    def __init__(
        self,
        components: Sequence[Component],
        asset_extensions: Sequence[str],
        query_keys: Sequence[str] = (),
    ) -> None:
        self.query_keys = tuple(key.encode() for key in query_keys)
        self._assets = {extension.lower().encode() for extension in asset_extensions}
        read = parts_of_pattern if query_keys else PatternParts
        rules = [(c.name, [read(p) for p in c.paths], _parts(c.sub_components, read)) for c in components]
        # By the first segment, where a rule names it: a site has many rules, of which one or two can fit a path.
        named = {
            segment for _, paths, _ in rules for p in paths if (segment := _first_segment(p)) is not None
        }
        self._rules = {
            segment: [
                (name, _any_of(fit), subs) for name, paths, subs in rules if (fit := _may_fit(paths, segment))
            ]
            for segment in (*named, None)
        }
        patterns = [read(pattern) for part in all_parts(components) for pattern in part.paths]
        asking = [PatternParts(pattern.path) for pattern in patterns if pattern.query]
        self._asks_query = _any_of(asking)

    def asks_query(self, path: bytes) -> bool:
        """Whether the class of a decoded path may hang on its query."""
        return bool(self.query_keys) and self._asks_query(path, _NO_QUERY)

    def __call__(self, path: bytes, query: Query = _NO_QUERY) -> PathClass:
        """Classify a decoded path, and what `allowed_query` left of its query, by the first rule that fits."""
        is_asset = _extension(path) in self._assets
        segment = path[1:].partition(b"/")[0]
        for name, fits, subs in self._rules[segment if segment in self._rules else None]:
            if fits(path, query):
                return PathClass(is_asset, name, _way_down(path, query, subs))
        return PathClass(is_asset, OTHER, None)


def _first_segment(pattern: PatternParts) -> bytes | None:
    """The first segment of the paths that a pattern fits, or None if it fits several."""
    segment = pattern.path[1:].partition("/")[0]
    return None if "*" in segment else segment.encode()


def _may_fit(patterns: Sequence[PatternParts], segment: bytes | None) -> list[PatternParts]:
    """The patterns that can fit a path with such a first segment (None: one that no pattern names)."""
    return [p for p in patterns if _first_segment(p) in {None, segment}]


class _Part(NamedTuple):
    """A named part of a whole, what fits it, and its own parts in their order."""

    name: str
    fits: Fits
    parts: tuple[_Part, ...]


def _parts(parts: Sequence[SubComponent], read: Callable[[str], PatternParts]) -> tuple[_Part, ...]:
    return tuple(_Part(p.name, _any_of([*map(read, p.paths)]), _parts(p.sub_components, read)) for p in parts)


def _way_down(path: bytes, query: Query, parts: tuple[_Part, ...]) -> str | None:
    """The names of the first part that fits, of its first part that fits, and so on; None where there are no parts."""
    if not parts:
        return None
    for name, fits, inner in parts:
        if fits(path, query):
            below = _way_down(path, query, inner)
            return name if below is None else f"{name}{BELOW}{below}"
    return OTHER


def _extension(path: bytes) -> bytes:
    stem, dot, extension = path.rpartition(b"/")[2].rpartition(b".")
    return extension.lower() if dot and stem else (extension.lower() if dot else b"")


def path_rule(patterns: Sequence[str]) -> Callable[[bytes], bool]:
    """Tells whether a decoded path fits one of some patterns; none fits no patterns."""
    if not patterns:
        return lambda _: False
    fits = _any_of([PatternParts(pattern) for pattern in patterns])
    return lambda path: fits(path, _NO_QUERY)


def _any_of(patterns: Sequence[PatternParts]) -> Fits:
    """Whether any of the patterns fits: those that ask nothing of the query in one expression."""
    plain = re.compile(
        b"|".join(_as_regex(p.path) for p in patterns if not p.query) or rb"(?!)", re.DOTALL
    ).fullmatch
    asking = [(re.compile(_as_regex(p.path), re.DOTALL).fullmatch, p.query) for p in patterns if p.query]
    if not asking:
        return lambda path, _: plain(path) is not None
    return lambda path, query: (
        plain(path) is not None
        or any(fits(path) and all(query.get(k) == v for k, v in pairs) for fits, pairs in asking)
    )


def _as_regex(pattern: str) -> bytes:
    """A path pattern as a regular expression: `**` is any rest, `*` anything within one segment."""
    if pattern.endswith("/**"):
        return _as_regex(pattern[:-3]) + rb"(?:/.*)?"
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": b".*", "*": b"[^/]*"}
    return b"".join(wild.get(part, re.escape(part.encode())) for part in parts)
