"""`datapackage.json` of a released folder → what it says, in the form that readers of folders rely on.

Belongs here: the parts of the description that can be checked. Does not: the files it describes (folders).
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from usage_stats.dimensions import MEASURES
from usage_stats.errors import InputError
from usage_stats.periods import Period, PeriodKind, day, month, week

__all__ = ["Data", "Described", "Facts", "Package", "Page", "Resource", "Schema", "read_package"]

_MAKERS = {"day": day, "week": week, "month": month}
# A name, not a path: nothing outside the folder is ever opened.
_FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$")]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Described(_Read):
    """A column as the package describes it; `additive_over` is None where it is no measure."""

    name: str
    type: str
    unit: str | None = None
    additive_over: tuple[str, ...] | None = None


class Schema(_Read):
    """The columns, and those that tell rows apart."""

    fields_: tuple[Described, ...] = Field(alias="fields", min_length=1)
    primary_key: tuple[str, ...] = Field(alias="primaryKey")
    missing_values: tuple[str, ...] = Field(alias="missingValues")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.fields_)

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns of counts."""
        return tuple(name for name in self.names if name in MEASURES)


class Resource(_Read):
    """A file of the folder: its name, kind, length and digest."""

    path: _FileName
    format: Literal["csv", "parquet", "html"]
    bytes: int = Field(ge=0)
    hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _stays_inside(self) -> Resource:
        if self.path in {".", "..", "datapackage.json"} or PurePath(self.path).name != self.path:
            raise ValueError("a file has a plain name")
        return self


class Data(Resource):
    """A file with the rows of the table."""

    format: Literal["csv", "parquet"]
    schema_: Schema = Field(alias="schema")


class Page(Resource):
    """The file that is read, not reckoned with."""

    path: Literal["report.html"]
    format: Literal["html"]


class _Span(_Read):
    kind: PeriodKind
    first_day: date
    last_day: date


class _Thresholds(_Read):
    minimum_persons: int = Field(ge=1)
    protection_share: float = Field(ge=0, le=1)


class Facts(_Read):
    """What the figures rest on."""

    partner: str
    period: _Span
    status: Literal["published", "incomplete", "withdrawn"]
    days_without_lines: tuple[date, ...]
    rows: int
    rows_withheld_share: float
    thresholds: _Thresholds


class Package(_Read):
    """The description of a folder: one table of one period, as CSV, as Parquet or as both, and a page that tells it.

    Folders of before there were pages have none, nor have notices of a withdrawal.
    """

    name: str
    resources: tuple[Annotated[Data | Page, Field(discriminator="format")], ...]
    facts: Facts = Field(alias="usage_stats")

    @model_validator(mode="after")
    def _is_one_table(self) -> Package:
        formats = [r.format for r in self.resources]
        if not self.data or len(set(formats)) < len(formats):
            raise ValueError(
                "one CSV file, one Parquet file or one of each is described, and at most one page"
            )
        if any(r.path != f"{self.table}.{r.format}" for r in self.data):
            raise ValueError("files are called by their table")
        if (self.period.first, self.period.last) != (self.facts.period.first_day, self.facts.period.last_day):
            raise ValueError("the period's first and last day are not those of its kind")
        if not self.name.endswith(self._suffix):
            raise ValueError("the name does not end in the table and the period")
        return self

    @property
    def data(self) -> tuple[Data, ...]:
        """The files with the rows."""
        return tuple(r for r in self.resources if isinstance(r, Data))

    @property
    def _suffix(self) -> str:
        return f"-{self.table}-{self.period.code}".lower()

    @property
    def table(self) -> str:
        return self.main.path.removesuffix(f".{self.main.format}")

    @property
    def period(self) -> Period:
        return _MAKERS[self.facts.period.kind](self.facts.period.first_day)

    @property
    def site(self) -> str:
        """Whose figures, in lower case: what the package's name has before the table."""
        return self.name.removesuffix(self._suffix)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is a notice in the place of figures."""
        return self.facts.status == "withdrawn"

    @property
    def main(self) -> Data:
        """The file whose rows are read: the CSV, if there is one."""
        return min(self.data, key=lambda r: r.format)

    def of(self, kind: str) -> Data:
        """The data file of a kind."""
        return next(r for r in self.data if r.format == kind)


def read_package(content: bytes) -> Package:
    """What a package says.

    Raises:
        InputError: it is no package of ours; names the places that are wrong, not what stands there.
    """
    try:
        return Package.model_validate_json(content)
    except ValidationError as failed:
        found = [(".".join(map(str, e["loc"])), e["msg"]) for e in failed.errors(include_input=False)]
        what = "; ".join(dict.fromkeys(re.sub(r"^: ", "", f"{place}: {said}") for place, said in found[:3]))
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise InputError(f"is no description of a release: {what}{more}") from None
