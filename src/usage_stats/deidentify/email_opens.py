"""Requests for a mail's images → which campaign's mail was opened, how, and by whom.

Opens are a population of their own: a recipient is no visitor, and no pseudonym of one is ever one of the other.

Belongs here: finding opens, naming campaigns, the class of an open. Does not: what is kept of it (open_events).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from usage_stats.config import OTHER
from usage_stats.deidentify.mail_agents import MAIL_AGENTS, OpenClass
from usage_stats.deidentify.robots import is_robot
from usage_stats.email_settings import EmailSettings, OpenPattern, Part, parse_open_pattern

__all__ = ["Open", "OpenMatcher", "open_class"]

Found = dict[str, bytes]  # what stands in the place of each placeholder

# Words of letters, small numbers and years, joined by hyphens: what people call campaigns, not what systems count by.
_SLUG: Final = re.compile(r"(?=.{3,40}$)[a-z]{2,14}(?:-(?:[a-z]{2,14}|\d{1,2}|(?:19|20)\d\d))*")
# In a word: no vowel, five consonants in a row, or six letters and more that are all hexadecimal: part of a code.
_CODE: Final = re.compile(r"(?:^|-)(?:[b-df-hj-np-tv-xz]+|[a-f]{6,})(?:-|$)|[b-df-hj-np-tv-xz]{5}")


@dataclass(frozen=True, slots=True)
class Open:
    """One confirmation: the word for its campaign, and whom the mail was sent to, which is never shown."""

    campaign: str
    recipient: bytes | None = field(repr=False)


class OpenMatcher:
    """The configured patterns; the first that fits wins, and a campaign without a name is `(other)`."""

    def __init__(self, settings: EmailSettings) -> None:
        self._patterns = [_Compiled(parse_open_pattern(pattern)) for pattern in settings.opens]
        self._campaigns = {name.encode(): name for name in settings.campaigns}
        self._takes_slugs = settings.unlisted == "slug"

    def __call__(self, target: bytes) -> Open | None:
        """The open that a request target (as the log has it, with its query) confirms; None if it is none."""
        if not self._patterns or not target.startswith(b"/"):
            return None
        asked = _asked(target)
        for pattern in self._patterns:
            found = pattern.match(*asked)
            if found is not None:
                recipient = found.get("recipient")
                return Open(self._word(found["campaign"], recipient), recipient)
        return None

    def asks_query(self, path: bytes) -> bool:
        """Whether the query behind a path (as the log has it) can make the target an open."""
        if not path.startswith(b"/"):
            return False
        segments, _ = _asked(path)
        return any(pattern.fits_path(segments) for pattern in self._patterns)

    def _word(self, campaign: bytes, recipient: bytes | None) -> str:
        listed = self._campaigns.get(campaign)
        if listed is not None:
            return listed
        return _slug(campaign, recipient) if self._takes_slugs else OTHER


def _slug(campaign: bytes, recipient: bytes | None) -> str:
    text = campaign.decode("ascii", "replace")
    if not _SLUG.fullmatch(text) or _CODE.search(text):
        return OTHER
    lower = (recipient or b"").lower()
    is_recipients = bool(lower) and (lower in campaign or campaign in lower)
    return OTHER if is_recipients else text


class _Compiled:
    """A pattern that is tried on decoded segments, and the raw pairs of a query."""

    def __init__(self, pattern: OpenPattern) -> None:
        self._segments = [_compiled(part) for part in pattern.segments]
        self._query = [(key.encode(), _compiled(part)) for key, part in pattern.query]

    def fits_path(self, segments: list[bytes]) -> bool:
        """Whether the path is one of the pattern, whatever the query is."""
        if len(segments) != len(self._segments):
            return False
        return all(part.fullmatch(segment) for segment, part in zip(segments, self._segments, strict=True))

    def match(self, segments: list[bytes], query: dict[bytes, bytes | None]) -> Found | None:
        if len(segments) != len(self._segments):
            return None
        values = [*segments, *(query.get(key) for key, _ in self._query)]
        parts = [*self._segments, *(part for _, part in self._query)]
        found: Found = {}
        for value, part in zip(values, parts, strict=True):
            fits = part.fullmatch(value) if value is not None else None
            if fits is None:
                return None
            found |= fits.groupdict()
        return {name: value for name, value in found.items() if value}


def _compiled(part: Part) -> re.Pattern[bytes]:
    """The part as a regular expression; a mail may have been sent with no recipient, but not with no campaign."""
    many = {"campaign": b"+", "recipient": b"*"}
    middle = b"(?P<%s>.%s)" % (part.placeholder.encode(), many[part.placeholder]) if part.placeholder else b""
    return re.compile(re.escape(part.before.encode()) + middle + re.escape(part.after.encode()), re.DOTALL)


def _asked(target: bytes) -> tuple[list[bytes], dict[bytes, bytes | None]]:
    """The decoded segments of a target's path, and its query by key; None for a key that is there twice."""
    target = target.partition(b"#")[0]
    path, _, query = target.partition(b"?")
    # As classify_target: no parameters, no empty segments. Taken apart first: %2F is no separator (RFC 3986, 2.2).
    inner = re.sub(rb"/{2,}", b"/", path.partition(b";")[0])
    segments = [unquote_to_bytes(segment) for segment in inner[1:].split(b"/")]
    values: dict[bytes, bytes | None] = {}
    for pair in query.split(b"&"):
        key, _, value = (unquote_to_bytes(side.replace(b"+", b" ")) for side in pair.partition(b"="))
        values[key] = None if key in values else value
    return segments, values


def open_class(agent: bytes | None) -> OpenClass:
    """How a mail was opened, by the user agent: one of `OPEN_CLASSES`; None is a log that records none.

    Ask once per distinct agent.
    """
    if agent is None:
        return "unknown"
    text = agent.decode("utf-8", "replace").strip().lower()
    for row in MAIL_AGENTS:
        if text == row.text if row.how == "is" else row.text in text:
            return row.open_class
    return "other_program" if is_robot(agent) else "direct"
