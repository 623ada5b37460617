"""A table's specification, in YAML → its dimensions' hierarchies, its columns and its rules.

Belongs here: what may be written in a specification. Does not: cells, and what the rules mean (primary).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic
import yaml

from usage_stats.errors import ConfigError
from usage_stats.sdc.dimension import Edges
from usage_stats.sdc.hierarchy_files import read_hierarchy

__all__ = ["Rules", "TableSpec", "Zeros", "read_table_spec"]

# free: an empty cell is published, unless withholding it protects others; known: always published, and a reader
# knows that no withheld cell is empty; sensitive: never published.
Zeros = Literal["free", "known", "sensitive"]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class DimensionSpec(_Strict):
    """Hierarchy files of a dimension, beside the specification; none for a flat one."""

    hierarchies: tuple[str, ...] = ()


class Dominance(_Strict):
    """Sensitive if the `n` largest contributions make up more than `k` percent."""

    n: int = pydantic.Field(ge=1)
    k: float = pydantic.Field(gt=0, le=100)


class Magnitude(_Strict):
    """A column of sums, with columns of the largest contributions to each cell, the largest first.

    Attributes:
        largest: those columns.
        publish: whether the sums are published beside the counts; else they only decide what is sensitive.
        p_percent: instead of the rules', for this magnitude.
        at_least: what each person contributes for sure, as every reader knows.
    """

    largest: tuple[str, ...] = ()
    publish: bool = False
    p_percent: float | None = pydantic.Field(default=None, gt=0, le=100)
    at_least: float = pydantic.Field(default=0, ge=0)


class Rules(_Strict):
    """What makes a cell sensitive."""

    minimum_persons: int = pydantic.Field(default=10, ge=2)
    minimum_networks: int | None = pydantic.Field(default=None, ge=2)
    dominance: Dominance | None = None
    p_percent: float | None = pydantic.Field(default=None, gt=0, le=100)
    homogeneity: tuple[str, ...] = ()
    protect_percent: float = pydantic.Field(default=10, gt=0, le=50)


class TableSpec(_Strict):
    """What `protect` and `audit` are told about a table."""

    dimensions: dict[str, DimensionSpec] = pydantic.Field(min_length=1)
    frequency: str = "freq"
    networks: str | None = None
    magnitudes: dict[str, Magnitude] = {}
    rules: Rules = Rules()
    zeros: Zeros = "free"
    contributors: Literal["one", "none"] = (
        "one"  # who else reads: one who knows that their own cell is not empty
    )
    minimise: Literal["information", "cells", "persons"] = "information"
    rests: bool = (
        False  # whether withheld parts of a published whole are told together, in a row of their own
    )
    edges: dict[str, tuple[Edges, ...]] = pydantic.Field(default={}, exclude=True)

    @property
    def published(self) -> tuple[str, ...]:
        """The magnitudes whose sums are published."""
        return tuple(name for name, magnitude in self.magnitudes.items() if magnitude.publish)

    def p_percent(self, magnitude: str) -> float | None:
        """The percentage within which nobody may place the largest contribution to a sum of this magnitude."""
        return self.magnitudes[magnitude].p_percent or self.rules.p_percent


def read_table_spec(path: Path) -> TableSpec:
    """Read a specification and the hierarchies that it names.

    Raises:
        ConfigError: a file is missing or unreadable, a key is misspelt, a rule lacks its column.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read as a table's specification") from None
    except yaml.YAMLError:
        raise ConfigError(f"{path} is no YAML; see docs/protect-your-own-table.md for an example") from None
    if not isinstance(raw, dict) or "edges" in raw:
        raise ConfigError(f"{path}: expected keys such as dimensions, frequency, rules")
    raw["dimensions"] = {name: given or {} for name, given in (raw.get("dimensions") or {}).items()}
    try:
        spec = TableSpec.model_validate(raw)
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise ConfigError(f"{path}: {faults}") from None
    _check_columns(path, spec)
    edges = {
        name: tuple(read_hierarchy(path.parent / file) for file in given.hierarchies)
        for name, given in spec.dimensions.items()
    }
    return TableSpec.model_validate(raw | {"edges": edges})


def _check_columns(path: Path, spec: TableSpec) -> None:
    rules = spec.rules
    if rules.minimum_networks and not spec.networks:
        raise ConfigError(f"{path}: minimum_networks needs the column of networks: networks: COLUMN")
    deepest = max((len(m.largest) for m in spec.magnitudes.values()), default=0)
    by_share = rules.p_percent or any(m.p_percent for m in spec.magnitudes.values())
    needed = max(rules.dominance.n if rules.dominance else 0, 2 if by_share else 0)
    if needed and (not spec.magnitudes or any(len(m.largest) < needed for m in spec.magnitudes.values())):
        raise ConfigError(
            f"{path}: the rules need the {needed} largest contributions of every magnitude; found {deepest} column(s): "
            "magnitudes: {COLUMN: {largest: [COLUMN, ...]}}"
        )
    _check_published(path, spec)
    if unknown := set(rules.homogeneity) - set(spec.dimensions):
        raise ConfigError(f"{path}: homogeneity names {min(unknown)!r}, which is no dimension")


_TAKEN = ("status", "rules", "feasible_low", "feasible_high", "exact", "exposed")


def _check_published(path: Path, spec: TableSpec) -> None:
    """A published sum above zero says that somebody is there: a count must not leave that open."""
    if not spec.published:
        return
    if spec.zeros != "known":
        raise ConfigError(
            f"{path}: magnitudes are published only with zeros: known, for a sum above zero tells that a cell is not "
            "empty; set zeros: known, or do not publish them"
        )
    if taken := {*spec.dimensions, spec.frequency, *_TAKEN} & set(spec.published):
        raise ConfigError(f"{path}: no magnitude can be published as {min(taken)!r}, a column of its own")
