"""The `email:` section of the settings → validated patterns of the requests that confirm an opened e-mail.

Belongs here: what a pattern may be, the campaigns that have names.
Does not: matching requests (deidentify/email_opens).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = ["EmailSettings", "OpenPattern", "Part", "parse_open_pattern"]

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_LITERAL: Final = re.compile(
    r"[A-Za-z0-9._~-]*"
)  # what stands for itself anywhere in a URL: RFC 3986, section 2.3


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of the path or a value of the query: what stands before and after its placeholder, if it has one."""

    before: str
    placeholder: Literal["campaign", "recipient"] | None = None
    after: str = ""


@dataclass(frozen=True, slots=True)
class OpenPattern:
    """A pattern, taken apart: the segments of its path, and its query's values by their keys."""

    segments: tuple[Part, ...]
    query: tuple[tuple[str, Part], ...]


def parse_open_pattern(text: str) -> OpenPattern:
    """Take a pattern apart.

    Raises:
        ValueError: it is none, with a sentence that says what is wrong and fits behind the setting's name.
    """
    path, has_query, query = text.partition("?")
    if not path.startswith("/"):
        raise ValueError("begins with no /")
    segments = tuple(_part(segment) for segment in path[1:].split("/"))
    pairs = [pair.partition("=") for pair in query.split("&")] if has_query else []
    if any(not key or not equals or not _LITERAL.fullmatch(key) for key, equals, _ in pairs):
        raise ValueError("has a query that is not made of key=value, joined by &")
    if len({key for key, _, _ in pairs}) < len(pairs):
        raise ValueError("has a key of the query twice")
    found = OpenPattern(segments, tuple((key, _part(value)) for key, _, value in pairs))
    names = [part.placeholder for part in (*segments, *(part for _, part in found.query))]
    if names.count("campaign") != 1 or names.count("recipient") > 1:
        raise ValueError("needs {campaign} exactly once, and {recipient} at most once")
    return found


def _part(text: str) -> Part:
    names = _PLACEHOLDER.findall(text)
    literals = _PLACEHOLDER.sub("", text)
    if not _LITERAL.fullmatch(literals):
        raise ValueError("may hold letters, digits and . _ ~ - beside {campaign} and {recipient}")
    if not names:
        return Part(text)
    if (
        len(names) > 1
    ):  # of /{campaign}-{recipient}.gif, a part of the recipient could pass for one of the campaign
        raise ValueError("has two placeholders in one segment or value; put a / or a key between them")
    before, after = text.split("{" + names[0] + "}")
    if names[0] == "campaign":
        return Part(before, "campaign", after)
    if names[0] == "recipient":
        return Part(before, "recipient", after)
    raise ValueError("knows no placeholders but {campaign} and {recipient}")


def _checked(text: str) -> str:
    parse_open_pattern(text)
    return text


class EmailSettings(BaseModel):
    """Which requests confirm that an e-mail was opened, and which campaigns are called by their names.

    What `campaigns` does not list is counted as `(other)`. `unlisted: slug` also takes a name from the request if it
    is made of plain words, as `spring-sale-2026`: a person's name can look like that, so it is off by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: tuple[Annotated[str, AfterValidator(_checked)], ...] = ()
    # Printed as a category of a table: a printable word or two that no spreadsheet executes.
    campaigns: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")], ...] = ()
    unlisted: Literal["other", "slug"] = "other"

    @model_validator(mode="after")
    def _campaigns_are_unique(self) -> EmailSettings:
        if len(set(self.campaigns)) < len(self.campaigns):
            raise ValueError("campaigns: one appears twice; names must be unique")
        return self
