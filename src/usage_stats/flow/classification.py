"""The settings and the lists they name → by what page views are told apart, and a digest of all that.

Figures of one period must mean one thing. What an event says was decided when its line was read, so the ledger keeps
the digest of that time, and a day is sealed with the digests of all its events (`rules_of`).

Belongs here: what a digest covers, and when days go together. Does not: telling anything apart (deidentify).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from usage_stats.component_settings import SubComponent
from usage_stats.config import Config
from usage_stats.deidentify.attributes import Lists
from usage_stats.deidentify.browser import browser_list_version
from usage_stats.deidentify.country import CountryTable, read_country_table
from usage_stats.deidentify.customer_groups import load_customer_groups
from usage_stats.deidentify.referrer import referrer_list_version
from usage_stats.errors import InputError
from usage_stats.flow.workspace import Workspace
from usage_stats.ledger import canonical_json

__all__ = [
    "Classification",
    "are_mixed",
    "attribute_versions",
    "list_names",
    "load_classification",
    "paths_version",
    "rules_of",
    "told_apart",
    "versions_of_day",
]

_AND = "+"  # between a day's rules; no digest holds one


@dataclass(frozen=True, slots=True)
class Classification:
    """By what page views are told apart beside paths, and digests of that.

    `version`: of what decides on paths, empty where nothing of the sort is used; `attributes`: by their names.
    """

    lists: Lists
    version: str
    attributes: Mapping[str, str]


def load_classification(workspace: Workspace) -> Classification:
    """Read what the configured tables need, as it is now.

    Raises:
        ConfigError: a list is missing, or open to everybody, or a row of it is wrong.
        InputError: the table of countries is not what its name says, or was replaced meanwhile.
    """
    config, root = workspace.config, workspace.root
    used = config.event_attributes
    countries = (
        _country_table(root / config.country_table) if "country" in used and config.country_table else None
    )
    settings = config.customer_groups if "customer_group" in used else None
    accounts = load_customer_groups(settings, root) if settings else None
    lists = Lists(
        hosts=config.hosts,
        country_of=countries.table.classify if countries else None,
        countries=config.countries,
        group_of=accounts.of if accounts else None,
        groups=settings.names if settings else (),
    )
    table = (countries.table.version, countries.digest) if countries else None
    listed = accounts.digest(workspace.content_key) if accounts else None
    return Classification(
        lists, paths_version(config), attribute_versions(config, table=table, groups=listed)
    )


def paths_version(config: Config) -> str:
    """A short digest of what decides, beside which rule of a path fits, where a page view belongs; empty if nothing."""
    said: dict[str, Any] = {}
    if config.query_keys:
        said["query_keys"] = sorted(set(config.query_keys))
    if any(part.sub_components for component in config.components for part in component.sub_components):
        said["components"] = _names(config.components)
    return _short(said) if said else ""


def attribute_versions(config: Config, *, table: Sequence[str] | None, groups: str | None) -> dict[str, str]:
    """For each attribute that is asked for a short digest of what decides its codes.

    Args:
        config: the settings.
        table: of countries: its name and day, and a digest of it, if it is used.
        groups: a digest of the list of accounts, if it is used; it must be made under a key.
    """
    said: dict[str, Any] = {
        "referrer": [referrer_list_version(), sorted(set(config.hosts))],
        "browser": browser_list_version(),
        "device": browser_list_version(),
        "country": [*(table or ()), sorted(set(config.countries))],
        "customer_group": [groups, sorted(config.customer_groups.names) if config.customer_groups else []],
    }
    return {name: _short(said[name]) for name in config.event_attributes}


def list_names(config: Config) -> dict[str, str]:
    """For readers: which list decides on each attribute that is asked for."""
    named = {
        "referrer": f"own list of {referrer_list_version()}",
        "browser": browser_list_version(),
        "device": browser_list_version(),
        "country": f"table {Path(config.country_table).name}" if config.country_table else "",
        "customer_group": "list of accounts",
    }
    return {name: named[name] for name in config.event_attributes}


def _short(said: Any) -> str:
    return hashlib.blake2b(canonical_json(said).encode(), digest_size=8).hexdigest()


def versions_of_day(entries: Iterable[Mapping[str, Any]], of: date) -> frozenset[str]:
    """By which versions the paths of a day's page views were told apart; of a day that has none, those of its lines.

    Args:
        entries: of the ledger of what was read.
        of: the day.
    """
    return frozenset(entry.get("classification", "") for entry in _telling(entries, of))


def told_apart(entries: Iterable[Mapping[str, Any]], of: date, attributes: Collection[str]) -> frozenset[str]:
    """The attributes that all page views of a day tell, by one version each, as `name@version`.

    Where they tell it by several, or some do not tell it, no table may show it.
    """
    telling = _telling(entries, of)
    found = {name: {entry.get("attributes", {}).get(name) for entry in telling} for name in attributes}
    return frozenset(
        f"{name}@{version}" for name, some in found.items() if len(some) == 1 for version in some if version
    )


def _telling(entries: Iterable[Mapping[str, Any]], of: date) -> list[Mapping[str, Any]]:
    """The entries that a day's page views are of; where it has none, those of its lines."""
    prefix = f"events/day={of}/page_views-"
    with_lines = [entry for entry in entries if of.isoformat() in entry["lines_by_day"]]
    return [e for e in with_lines if any(name.startswith(prefix) for name in e["events"])] or with_lines


def rules_of(categories: str, versions: Collection[str]) -> str:
    """What a day is sealed with: the digest of its categories, and every version by which its events were told apart.

    Where none of what a version covers was ever used, it is the digest of the categories alone.
    """
    return _AND.join([categories, *sorted(versions)]) if any(versions) else categories


def are_mixed(rules: Iterable[str]) -> bool:
    """Whether figures of days with these rules would mean several things: rules differ, or those of one day do."""
    distinct = set(rules)
    return len(distinct) > 1 or any(each.count(_AND) > 1 for each in distinct)


class _Countries(NamedTuple):
    table: CountryTable
    digest: str


def _country_table(path: Path) -> _Countries:
    """The table and a digest of its file; both of one content."""
    before = _digest(path)
    table = read_country_table(path)
    digest = _digest(path)
    if before != digest:
        raise InputError(f"{path}: was replaced while it was read; run again")
    return _Countries(table, digest)


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""  # reading it says so
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from None


def _names(parts: Sequence[SubComponent]) -> list[Any]:
    return [[part.name, _names(part.sub_components)] for part in parts]
