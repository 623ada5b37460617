"""`components:` of the settings → the parts of a site, a tree of any depth, and the paths that belong to each.

Belongs here: the shape of these rules. Does not: matching a path (deidentify/generalise).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BELOW", "Component", "SubComponent", "all_parts", "check_names", "check_unique"]

BELOW = "/"  # between the names of a part and of its part; no name holds one

# A category is printed in a partner's file: a printable word or two that no spreadsheet executes.
Category = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
PathPattern = Annotated[str, Field(pattern=r"^/")]


class SubComponent(BaseModel):
    """A named part of a component and the URL paths that belong to it; it may have parts of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Category
    paths: tuple[PathPattern, ...] = Field(min_length=1)
    sub_components: tuple[SubComponent, ...] = ()


class Component(SubComponent):
    """A named part of the site and the URL paths that belong to it; the first rule that fits wins."""


def all_parts(parts: Iterable[SubComponent]) -> Iterator[SubComponent]:
    """Each of some parts and all below it, at any depth."""
    for part in parts:
        yield part
        yield from all_parts(part.sub_components)


def check_names(components: Sequence[SubComponent], where: str = "components") -> None:
    """Raise ValueError, as validators do, if two parts of one whole share a name."""
    check_unique(where, [c.name for c in components])
    for component in components:
        check_names(component.sub_components, f"sub_components of {component.name}")


def check_unique(what: str, names: Sequence[str]) -> None:
    """Raise ValueError, as validators do, if a name appears twice."""
    doubled = sorted({n for n in names if list(names).count(n) > 1})
    if doubled:
        raise ValueError(f"{what}: {', '.join(doubled)} appears twice; names must be unique")
