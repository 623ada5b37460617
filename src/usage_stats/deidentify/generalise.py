"""User agents → robot or not; URL paths → page or asset, component and sub-component: classes, never values.

Belongs here: every rule by which a value of a log line becomes one of a few known words; default deny.
Does not: identifiers and pseudonyms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import unquote_to_bytes

import crawleruseragents

from usage_stats.config import OTHER, Component

__all__ = ["PathClass", "PathClassifier", "classify_target", "is_robot", "robot_list_version"]

_OWN_ROBOT_RULES = 2  # raise when _ROBOT changes: counts move with it
# What the public list misses, tried on real logs: nameless agents, libraries, generic words for programs, and
# whoever leaves a web or mail address to complain to. "cubot" is a maker of telephones.
_ROBOT = re.compile(
    r"(?<!cu)bot(?![a-z])|robot|crawl|spider|slurp|sucker|scanner|monitor|fetcher|feedparser|feedburner|"
    r"tiny tiny rss|rss reader|libwww|libcurl|^wget|^curl|^java/|^python|^php|^ruby|^perl|^go-http|^okhttp|"
    r"^apache-httpclient|http-?client|headless|https?://|\w@\w|libfetch|http_request|distilator|^chef client|portscout|"
    r"link validator|robosourcer|daumoa|debian apt-http|nuclei|zgrab|masscan|^mozilla/[45]\.0$",
    re.IGNORECASE,
)


def is_robot(agent: bytes | None) -> bool:
    """Whether a user agent names a program rather than a person's browser.

    An agent that the log format does not record (None) says nothing and is no robot; an empty one
    or "-" is: browsers always name themselves.
    """
    if agent is None:
        return False
    text = agent.decode("utf-8", "replace").strip()
    if text in {"", "-"}:
        return True
    return bool(_ROBOT.search(text)) or crawleruseragents.is_crawler(text)


def robot_list_version() -> str:
    """Which lists decided, for the record of each release: figures move with them."""
    return f"crawler-user-agents {version('crawler-user-agents')}, own rules {_OWN_ROBOT_RULES}"


@dataclass(frozen=True, slots=True)
class PathClass:
    """What a path is: a page of a component, or an asset. `sub_component` is None where none are defined."""

    is_asset: bool
    component: str
    sub_component: str | None


def classify_target(target: bytes) -> bytes | None:
    """The path of a request target, decoded, without query, fragment and parameters; None if it is no path.

    `GET http://elsewhere/ HTTP/1.1` asks for another site's page through us and is none of ours.
    """
    if not target.startswith(b"/"):
        return None
    path = re.split(rb"[?#;]", target, maxsplit=1)[0]
    return re.sub(rb"/{2,}", b"/", unquote_to_bytes(path))


class PathClassifier:
    """The configured URL rules; what none of them names goes to `(other)`."""

    def __init__(self, components: Sequence[Component], asset_extensions: Sequence[str]) -> None:
        self._assets = {extension.lower().encode() for extension in asset_extensions}
        self._rules = [
            (
                c.name,
                _any_of(c.paths),
                [(s.name, _any_of(s.paths)) for s in c.sub_components],
            )
            for c in components
        ]

    def __call__(self, path: bytes) -> PathClass:
        """Classify a decoded path by the first rule that fits."""
        is_asset = _extension(path) in self._assets
        for name, fits, subs in self._rules:
            if fits.fullmatch(path):
                return PathClass(is_asset, name, _first(path, subs))
        return PathClass(is_asset, OTHER, None)


def _first(path: bytes, subs: list[tuple[str, re.Pattern[bytes]]]) -> str | None:
    if not subs:
        return None
    return next((name for name, fits in subs if fits.fullmatch(path)), OTHER)


def _extension(path: bytes) -> bytes:
    stem, dot, extension = path.rpartition(b"/")[2].rpartition(b".")
    return extension.lower() if dot and stem else (extension.lower() if dot else b"")


def _any_of(patterns: Sequence[str]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(_as_regex(p) for p in patterns), re.DOTALL)


def _as_regex(pattern: str) -> bytes:
    """A path pattern as a regular expression: `**` is any rest, `*` anything within one segment."""
    if pattern.endswith("/**"):
        return _as_regex(pattern[:-3]) + rb"(?:/.*)?"
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": b".*", "*": b"[^/]*"}
    return b"".join(wild.get(part, re.escape(part.encode())) for part in parts)
