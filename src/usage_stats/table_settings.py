"""`tables:` and `customer_groups:` of the settings → validated, frozen choices of what is published.

Belongs here: the shape of a table, and what may stand together in one. Does not: which rows a table then has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from usage_stats.component_settings import check_unique
from usage_stats.dimensions import COMPONENT, DIMENSIONS, NO_GROUP, OTHER, SUB_COMPONENT
from usage_stats.periods import PeriodKind

__all__ = ["CustomerGroups", "Published", "Table", "event_codes"]

# What a row may say: measures that are counted and protected, and ratios of those of them that are published.
Published = Literal["visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit"]
DimensionName = Literal[
    "component",
    "sub_component",
    "hour",
    "weekday",
    "referrer",
    "browser",
    "device",
    "country",
    "customer_group",
    "entry_component",
    "exit_component",
    "visit_depth",
    "visit_duration",
    "visitor_type",
    "visit_frequency",
]
# Three ways to cut the same people leave few in a cell, and rows beyond reading.
_MOST_DIMENSIONS = 3
_GROUP = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]


class Table(BaseModel):
    """A table to publish: its dimensions, the kinds of period it comes in, its figures, and who may have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: tuple[DimensionName, ...] = ("component", "sub_component")
    periods: tuple[PeriodKind, ...] = ()
    measures: tuple[Published, ...] = Field(default=("visitors", "visits", "page_views"), min_length=1)
    audience: Literal["partners", "analysts"] = "partners"

    @model_validator(mode="before")
    @classmethod
    def _all_periods(cls, data: object) -> object:
        """Without `periods`, every kind that all the dimensions make sense for."""
        if not isinstance(data, dict) or data.get("periods") is not None:
            return data
        named = data.get("dimensions") or ()
        known = [DIMENSIONS[name] for name in named if isinstance(name, str) and name in DIMENSIONS]
        kinds = [
            kind for kind in ("day", "week", "month") if all(kind in dimension.periods for dimension in known)
        ]
        return {**data, "periods": kinds}

    @field_validator("dimensions")
    @classmethod
    def _fit_together(cls, value: tuple[DimensionName, ...]) -> tuple[DimensionName, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a dimension is named twice")
        if SUB_COMPONENT in value and COMPONENT not in value:
            raise ValueError("sub_component needs component beside it")
        if len(set(value) - {SUB_COMPONENT}) > _MOST_DIMENSIONS:
            raise ValueError(
                f"at most {_MOST_DIMENSIONS} beside sub_component: cells of more hold too few people"
            )
        if len({"weekday", "visitor_type", "visit_frequency"}.intersection(value)) > 1:
            raise ValueError("of weekday, visitor_type and visit_frequency a table has one")
        if "customer_group" in value and not {"weekday", "visitor_type", "visit_frequency"}.isdisjoint(value):
            raise ValueError("customer_group goes with neither weekday, visitor_type nor visit_frequency")
        return value

    @model_validator(mode="after")
    def _periods_make_sense(self) -> Table:
        if not self.periods:
            raise ValueError(f"no kind of period suits {', '.join(self.dimensions)} together")
        for name in self.dimensions:
            allowed = DIMENSIONS[name].periods
            wrong = [kind for kind in self.periods if kind not in allowed]
            if wrong:
                raise ValueError(f"{name} comes by {', '.join(allowed)}, not by {', '.join(wrong)}")
        return self


class CustomerGroups(BaseModel):
    """Which account belongs to which group of customers: a private file of `account,group` rows, and the groups'
    names. Names stand here because a group that appeared only when someone came would tell that someone came.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: str
    names: tuple[_GROUP, ...] = Field(min_length=1)

    @field_validator("names")
    @classmethod
    def _names_are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_unique("names", value)
        return value


def event_codes(name: str, countries: Sequence[str] = (), groups: Sequence[str] = ()) -> tuple[str, ...]:
    """Every code that page views may have of an attribute; the last says the least.

    Args:
        name: of the attribute, one of `EVENT_ATTRIBUTES`.
        countries: those that are told apart, all others being `(other)`; none: all are.
        groups: the names of the groups of customers.
    """
    if name == "customer_group":
        return (*groups, NO_GROUP)
    if name == "country" and countries:
        return (*countries, OTHER)
    return DIMENSIONS[name].codes
