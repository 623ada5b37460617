"""`usage_stats.yaml` → validated, frozen settings; and how any settings file is read.

Belongs here: the shape of the configuration, its defaults with their reasons, its error messages.
Does not: reading logs, or any decision taken from these settings.
"""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    ValidationError,
    field_validator,
    model_validator,
)

from usage_stats.component_settings import Component, SubComponent, check_names, check_unique
from usage_stats.dimensions import COUNTRIES, EVENT_ATTRIBUTES, OTHER, TOTAL
from usage_stats.email_settings import EmailSettings
from usage_stats.errors import ConfigError
from usage_stats.exclusion_settings import ExclusionSettings
from usage_stats.generalisation_settings import HostPattern, QueryKey, check_rules
from usage_stats.partner_settings import Partner, Slug, Thresholds, strictest
from usage_stats.retention_settings import RetentionSettings
from usage_stats.robot_settings import RobotSettings
from usage_stats.table_settings import CustomerGroups, Table

__all__ = [
    "OPENS_TABLE",
    "OTHER",
    "TOTAL",
    "Component",
    "Config",
    "Partner",
    "Settings",
    "Source",
    "SubComponent",
    "Table",
    "Thresholds",
    "check_config",
    "check_unique",
    "load_config",
    "load_settings",
]

OPENS_TABLE = "email_opens"  # of opened e-mails, in the analysts' file


class Settings(BaseModel):
    """Part of a settings file: never changed once read; a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_Model = TypeVar("_Model", bound=Settings)


class Source(Settings):
    """Where one server's log files lie, how they are written, and which fields identify a visitor."""

    name: Slug = "web"
    logs: tuple[str, ...] = ("logs/*",)
    # auto, a format's name, a pasted LogFormat / log_format / `#Fields:` line, or a map (json, columns, ltsv …).
    format: str | dict[str, Any] = Field(default="auto", union_mode="left_to_right")
    account: str | None = "user"
    cookie: str | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()


# Requests for these are parts of a page, downloads or machine feeds, never a page someone views.
_ASSETS = """
7z apk atom avi avif bmp bz2 cjs class css csv deb dmg doc docx eot exe flv gif gz ico iso jar jpeg jpg js json
jsonld m3u8 m4a m4s m4v map mid midi mjs mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv opus otf pdf png ppt pptx psd
rar rdf rpm rss rtf svg svgz swf tar tgz tif tiff ts ttf txt wasm wav webm webmanifest webp wma wmv woff woff2 xls
xlsx xml xsl xz zip
"""
DEFAULT_ASSETS = tuple(_ASSETS.split())


class Config(Settings):
    """One workspace's settings; every key is documented in the starter file that `init` writes."""

    site: Slug
    time_zone: str = "UTC"
    first_day: date | None = None
    sources: tuple[Source, ...] = (Source(),)
    components: tuple[Component, ...] = ()
    asset_extensions: tuple[str, ...] = DEFAULT_ASSETS
    hosts: tuple[HostPattern, ...] = ()
    query_keys: tuple[QueryKey, ...] = ()
    country_table: str | None = None
    countries: tuple[str, ...] = ()
    customer_groups: CustomerGroups | None = None
    tables: dict[Slug, Table] = Field(default_factory=lambda: {"components": Table()})
    partners: tuple[Partner, ...] = ()
    thresholds: Thresholds = Thresholds()
    robots: RobotSettings = RobotSettings()
    exclusions: ExclusionSettings = ExclusionSettings()
    email: EmailSettings = EmailSettings()
    retention: RetentionSettings = RetentionSettings()
    seal_after_days: int = Field(default=2, ge=1, le=31)
    gaps: Literal["wait", "accept"] = "wait"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), n=1)
            hint = f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin or UTC"
            raise ValueError(f"is no IANA time zone{hint}")
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> Config:
        check_unique("sources", [s.name for s in self.sources])
        check_names(self.components)
        check_unique("partners", [p.id for p in self.partners])
        check_rules(self.components, self.query_keys)
        return self

    @model_validator(mode="after")
    def _tables_have_what_they_need(self) -> Config:
        needed = {"country": "country_table", "customer_group": "customer_groups"}
        for name, table in self.tables.items():
            for dimension in table.dimensions:
                if dimension in needed and not getattr(self, needed[dimension]):
                    raise ValueError(
                        f"tables.{name}: {dimension} needs {needed[dimension]}, which is not set"
                    )
        check_unique("countries", self.countries)
        unknown = sorted(set(self.countries) - set(COUNTRIES))
        if unknown:
            raise ValueError(f"countries: {', '.join(unknown)}: no code of ISO 3166-1, such as DE")
        return self

    @model_validator(mode="after")
    def _partners_name_tables(self) -> Config:
        for partner in self.partners:
            for table in partner.tables:
                if table not in self.tables:
                    known = ", ".join(sorted(self.tables)) or "none"
                    raise ValueError(f"partner {partner.id}: no table {table}; tables are: {known}")
                if self.tables[table].audience == "analysts":
                    raise ValueError(
                        f"partner {partner.id}: table {table} is for analysts only (its audience)"
                    )
        return self

    @model_validator(mode="after")
    def _opens_have_their_table(self) -> Config:
        if self.email.opens and OPENS_TABLE in self.tables:
            raise ValueError(
                f"tables: {OPENS_TABLE} is the analysts' table of opened e-mails; choose another name"
            )
        return self

    @property
    def event_attributes(self) -> tuple[str, ...]:
        """What events must say beside when and where, for some table asks for it; of `EVENT_ATTRIBUTES`."""
        named = {dimension for table in self.tables.values() for dimension in table.dimensions}
        return tuple(name for name in EVENT_ATTRIBUTES if name in named)

    @property
    def strictest_thresholds(self) -> Thresholds:
        """Those that every figure is held to: of the workspace and of all partners, the strictest."""
        return strictest([self.thresholds, *(p.thresholds for p in self.partners if p.thresholds)])

    @property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self.time_zone)


def load_config(workspace: Path) -> Config:
    """Read and check `usage_stats.yaml` of a workspace.

    Raises:
        ConfigError: no such file, no YAML, or a key or value that is not allowed.
    """
    return load_settings(
        workspace / "usage_stats.yaml", Config, "run `usage-stats init DIR` to make a workspace"
    )


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: the plain loader would drop the first silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 the base class's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load_settings(path: Path, model: type[_Model], remedy: str) -> _Model:
    """Read and check a settings file.

    Raises:
        ConfigError: no such file (the message ends with the remedy), no YAML, or a key or value not allowed.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; {remedy}")
    try:
        data = yaml.load(path.read_bytes(), Loader=_StrictLoader)  # noqa: S506 a SafeLoader, only stricter
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: no valid YAML: {_where(error)}") from None
    except (ValueError, TypeError):  # the loader's own, for 2026-02-30 or a list as a key
        raise ConfigError(
            f"{path}: no valid YAML: a date or number that does not exist, or no plain key"
        ) from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds no settings; {remedy}")
    return _validated(data, model, str(path))


def check_config(data: object, where: str) -> Config:
    """Check settings that are not in a file yet.

    Raises:
        ConfigError: a key or value is not allowed; the message begins with `where`.
    """
    return _validated(data, Config, where)


def _validated(data: object, model: type[_Model], where: str) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = "\n".join(f"  - {_explain(model, p)}" for p in error.errors())
        raise ConfigError(f"{where}: not understood:\n{problems}") from None


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "cannot be read"
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)


def _explain(model: type[BaseModel], problem: Any) -> str:
    """One validation problem as a sentence: where, what, and the allowed keys for a misspelt one."""
    place = ".".join(str(p) for p in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{place or 'file'}: {problem['msg'].removeprefix('Value error, ')}"
    owner = _model_at(model, problem["loc"][:-1])
    allowed = sorted(owner.model_fields) if owner else []
    near = difflib.get_close_matches(str(problem["loc"][-1]), allowed, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{place}: no such key; {hint}allowed: {', '.join(allowed)}"


def _model_at(annotation: Any, loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The settings class that a place in the file belongs to; steps into lists and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            return annotation
        field = annotation.model_fields.get(str(loc[0]))
        return _model_at(field.annotation, loc[1:]) if field else None
    inside = {tuple: 0, dict: 1}.get(get_origin(annotation))
    if inside is None or not loc:
        return None
    return _model_at(get_args(annotation)[inside], loc[1:])  # past the index, or the name chosen by the user
