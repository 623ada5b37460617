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
    "attributes_version",
    "load_classification",
    "rules_of",
    "versions_of_day",
]

_AND = "+"  # between a day's rules; no digest holds one
_NOT_ASKED = "-"  # stands beside the version of page views that lack what is asked for by now


@dataclass(frozen=True, slots=True)
class Classification:
    """By what page views are told apart beside paths, and a digest of that: empty where nothing of the sort is used."""

    lists: Lists
    version: str


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
    return Classification(lists, attributes_version(config, table=table, groups=listed))


def attributes_version(config: Config, *, table: Sequence[str] | None, groups: str | None) -> str:
    """A short digest of all that decides what an event says beside which rule of a path fits; empty if nothing does.

    Args:
        config: the settings.
        table: of countries: its name and day, and a digest of it, if it is used.
        groups: a digest of the list of accounts, if it is used; it must be made under a key.
    """
    names = config.event_attributes
    said: dict[str, Any] = {"attributes": names} if names else {}
    if "referrer" in names:
        said["referrer"] = [referrer_list_version(), sorted(set(config.hosts))]
    if "browser" in names or "device" in names:
        said["browser"] = browser_list_version()
    if table is not None:
        said["country"] = [*table, sorted(set(config.countries))]
    if groups is not None and config.customer_groups:
        said["customer_group"] = [groups, sorted(config.customer_groups.names)]
    if config.query_keys:
        said["query_keys"] = sorted(set(config.query_keys))
    if any(part.sub_components for component in config.components for part in component.sub_components):
        said["components"] = _names(config.components)
    return hashlib.blake2b(canonical_json(said).encode(), digest_size=8).hexdigest() if said else ""


def versions_of_day(
    entries: Iterable[Mapping[str, Any]], of: date, attributes: Collection[str]
) -> frozenset[str]:
    """By which versions the page views of a day were told apart; of a day that has none, those of its lines.

    Args:
        entries: of the ledger of what was read.
        of: the day.
        attributes: that are asked for now. Page views that were read without one of them say nothing of it, and are
            another version of themselves: no table may show them as if they did.
    """
    prefix = f"events/day={of}/page_views-"
    with_lines = [entry for entry in entries if of.isoformat() in entry["lines_by_day"]]
    with_events = [e for e in with_lines if any(name.startswith(prefix) for name in e["events"])]
    versions = {entry.get("classification", "") for entry in with_events or with_lines}
    if any(set(attributes) - set(entry.get("attributes", ())) for entry in with_events):
        versions.add(_NOT_ASKED)
    return frozenset(versions)


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
