"""`hosts:`, `query_keys:` and `country_table:` of the settings → validated, frozen choices of what is told apart.

Belongs here: the shapes of these settings, and how a pattern may name a query. Does not: any rule about a log line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from pydantic import Field

__all__ = ["HostPattern", "PatternParts", "QueryKey", "check_rules", "parts_of_pattern", "plain_part"]

# A host, or `*.` and a domain; an address too. No scheme, no path: `https://example.org/` would match nothing.
HostPattern = Annotated[str, Field(pattern=r"^(\*\.)?[\w\[](?:[\w.:-]*[\w\]])?\.?$", max_length=260)]
# What a server reads as one key: nothing that separates, begins or encodes one.
QueryKey = Annotated[str, Field(pattern=r"^[^\s&=;#?%+*]+$", max_length=64)]


class PatternParts(NamedTuple):
    """A pattern of a component: the pattern of its path, and the pairs that the query must hold."""

    path: str
    query: tuple[tuple[bytes, bytes], ...] = ()


def parts_of_pattern(pattern: str) -> PatternParts:
    """`/index.php?page=news` as its path and what it asks of the query, read as a request's query is.

    Raises:
        ValueError: a part of the query is no `key=value`, or its value has a wildcard.
    """
    path, has_query, query = pattern.partition("?")
    if not has_query:
        return PatternParts(path)
    pairs = [pair.partition("=") for pair in query.split("&")]
    if not all(key and sign for key, sign, _ in pairs):
        raise ValueError(f"{pattern}: what follows the ? is key=value, or several joined by &")
    if any("*" in value for _, _, value in pairs):
        raise ValueError(
            f"{pattern}: a value is written out; no * stands for others: a query may be about a person"
        )
    return PatternParts(path, tuple((plain_part(key), plain_part(value)) for key, _, value in pairs))


def plain_part(text: str | bytes) -> bytes:
    """A key or value of a query as forms mean it: `+` is a blank, and what is encoded is read once."""
    raw = text.encode() if isinstance(text, str) else text
    return unquote_to_bytes(raw.replace(b"+", b" "))


class _Part(Protocol):
    @property
    def paths(self) -> Sequence[str]: ...

    @property
    def sub_components(self) -> Sequence[_Part]: ...


def check_rules(components: Iterable[_Part], query_keys: Collection[str]) -> None:
    """Refuse patterns that ask for what is dropped before anything is compared: they would never fit.

    Raises:
        ValueError: a pattern's query cannot be read, or names a key that is not among `query_keys`.
    """
    allowed = {key.encode() for key in query_keys}
    for part in components:
        for pattern in part.paths:
            _check_pattern(pattern, allowed)
        check_rules(part.sub_components, query_keys)


def _check_pattern(pattern: str, allowed: set[bytes]) -> None:
    missing = {key for key, _ in parts_of_pattern(pattern).query} - allowed
    if missing:
        named = ", ".join(sorted(key.decode("utf-8", "replace") for key in missing))
        raise ValueError(
            f"{pattern}: asks for {named}; list it under query_keys, for all other keys are dropped"
        )
