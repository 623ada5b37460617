"""The configured logs → those that may hold new lines, each with its source and how it is written.

Belongs here: what is decided of a log by its beginning. Does not: its lines (reading).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from usage_stats.accesslog.formats import has_cookie, resolve_format
from usage_stats.accesslog.hit import LogFormat
from usage_stats.accesslog.read import Log
from usage_stats.accesslog.recognise import recognise
from usage_stats.config import Source
from usage_stats.errors import ConfigError
from usage_stats.flow.content import Unchanged
from usage_stats.flow.workspace import Workspace

__all__ = ["Unread", "look_at", "refuse_shared", "source_named"]


@dataclass(frozen=True, slots=True)
class Unread:
    """A log that may hold new lines, whose they are, and how they are written."""

    source: Source
    log: Log
    log_format: LogFormat


def look_at(source: Source, log: Log) -> Unread | None:
    """A log by its beginning: how it is written, and whether it holds anything."""
    if log.path is None:
        return Unread(source, log, _format(source, log)) if log.head(1) else None
    with log:  # opened again when it is read: there may be more logs than a process may hold open
        return Unread(source, Log(log.path), _format(source, log)) if log.head(1) else None


def _format(source: Source, log: Log) -> LogFormat:
    log_format = _recognised(source, log) if source.format == "auto" else resolve_format(source.format)
    if source.cookie and not has_cookie(log_format, source.cookie):
        raise ConfigError(
            f"source {source.name}: cookie {source.cookie} is in no field of format {log_format.name} ({log.name}); "
            f"its fields are: {', '.join(log_format.fields)}. Correct `cookie:`, or name the format that has it"
        )
    if source.trusted_proxies and "forwarded" not in log_format.fields:
        raise ConfigError(
            f"source {source.name}: trusted_proxies are given, but format {log_format.name} ({log.name}) has no "
            "X-Forwarded-For: everybody behind a proxy would be one visitor. Log the header (README: behind proxies)"
        )
    return log_format


def _recognised(source: Source, log: Log) -> LogFormat:
    found = recognise(log)
    if found.is_inferred:  # by the names of its fields: good enough to look at a log, not to count by
        raise ConfigError(
            f"source {source.name}: {log.name} is in no named format, but its fields have names that can be read. "
            f"Look at what `usage-stats inspect {log.name}` suggests, and put it under `format:`"
        )
    return found.format


def source_named(workspace: Workspace, name: str) -> Source:
    """The configured source of a name.

    Raises:
        ConfigError: there is none.
    """
    for source in workspace.config.sources:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in workspace.config.sources)
    raise ConfigError(f"no source is named {name}; sources are: {known}")


def refuse_shared(found: Sequence[tuple[Source, Path]]) -> None:
    """Sources that are named apart count apart: a file must belong to one of them."""
    owners: dict[tuple[int, int], str] = {}
    for source, path in found:
        device, inode, *_ = Unchanged.stamp(path)
        owner = owners.setdefault((device, inode), source.name)
        if owner != source.name:
            raise ConfigError(
                f"{path}: belongs to the sources {owner} and {source.name} and would count twice; "
                "correct `logs:` of one of them in usage_stats.yaml"
            )
