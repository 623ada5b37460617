"""`partners:` and `thresholds:` of the settings → validated, frozen choices: who receives what, on which terms.

Belongs here: the shape of these choices, and which thresholds hold where audiences ask for different ones. Does not:
delivering anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from usage_stats.component_settings import check_unique
from usage_stats.periods import PeriodKind

__all__ = ["Format", "Partner", "Slug", "Terms", "Thresholds", "strictest"]

# A name becomes a folder and a table name: no separators, no dots, nothing a shell would expand.
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
Format = Literal["csv", "parquet"]
PartnerUse = Literal[
    "partner_aggregate"
]  # of the uses that a policy version may allow, the one that shares figures
_LONGEST_NAME = 200  # of an agreement: it is printed in one line


class _Choices(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(_Choices):
    """How many contributors a figure needs before it may leave the house."""

    # 10: the common default of statistical offices and research gateways; 5 is the floor for release.
    minimum_persons: int = Field(default=10, ge=5)
    # 3: many cookies behind one connection are one household or one company.
    minimum_networks: int = Field(default=3, ge=1)
    # 10 % of a withheld sum must stay in doubt, the p % rule's usual p.
    protection_share: float = Field(default=0.1, ge=0, le=1)
    # Half of a customer group's page views: beyond, the group's figures are one customer's.
    dominance_share: float = Field(default=0.5, ge=0.01, le=1)


def strictest(every: Iterable[Thresholds]) -> Thresholds:
    """What satisfies all of some thresholds. One figure is made for all audiences, so the strictest of them hold."""
    found = list(every)
    return Thresholds(
        minimum_persons=max(t.minimum_persons for t in found),
        minimum_networks=max(t.minimum_networks for t in found),
        protection_share=max(t.protection_share for t in found),
        dominance_share=min(t.dominance_share for t in found),
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a partner has a folder: what the folder tells of them, and its formats."""

    formats: tuple[Format, ...] = ("csv", "parquet")
    agreement: str | None = None
    since: str | None = None
    policy_use: PartnerUse = "partner_aggregate"

    @classmethod
    def of_entry(cls, entry: dict[str, Any]) -> Terms:
        """As the ledger has them; entries from before have none."""
        return cls(**{**entry, "formats": tuple(entry["formats"])}) if entry else cls()


class Partner(_Choices):
    """Who receives which tables, for which kinds of period, in which formats, from which date on, and on what ground.

    `since`: periods that begin before it are not for this partner. `agreement`: by what name it is known, in one line.
    `policy_use`: the use that every policy version in force must allow. `thresholds`: what the agreement asks for;
    figures are the same for everybody, so the strictest of all apply to all.
    """

    id: Slug
    tables: tuple[Slug, ...] = ("components",)
    periods: tuple[PeriodKind, ...] = ("day", "week", "month")
    formats: tuple[Format, ...] = Field(default=("csv", "parquet"), min_length=1)
    since: date | None = None
    agreement: str | None = None
    policy_use: PartnerUse = "partner_aggregate"
    thresholds: Thresholds | None = None

    @field_validator("agreement")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        line = " ".join(value.split()) if value is not None else None
        if line is not None and (not line or not line.isprintable() or len(line) > _LONGEST_NAME):
            raise ValueError(f"must be a name of at most {_LONGEST_NAME} printable characters")
        return line

    @field_validator("formats")
    @classmethod
    def _formats_once(cls, value: tuple[Format, ...]) -> tuple[Format, ...]:
        check_unique("formats", value)
        return tuple(sorted(value))  # the order says nothing

    @property
    def terms(self) -> Terms:
        since = self.since.isoformat() if self.since else None
        return Terms(self.formats, self.agreement, since, self.policy_use)
