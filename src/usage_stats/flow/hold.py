"""A workspace → held for writing, with what was withdrawn and restated in its place.

A withdrawal counts from its ledger's entry on; a death after it may leave the figures where partners and analysts look.
So whoever takes the workspace next ends it, whatever they came for.

Belongs here: taking hold, ending what was entered, saying what is not ended. Does not: writing folders (deliver).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from usage_stats.flow.analysts import build_if_new, is_behind
from usage_stats.flow.editions import Editions
from usage_stats.flow.workspace import Workspace

__all__ = ["Unfinished", "finish_changes", "hold", "unfinished_changes"]


class Unfinished(NamedTuple):
    """What is shown though another edition of it is in force: a folder below `releases`, or the analysts' file."""

    place: str
    event: str  # restated, withdrawn; outdated, if it may show rows of either


@contextmanager
def hold(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace for writing, once what its ledgers say is true of its files.

    Raises:
        UsageStatsError: as `Workspace.lock` and `finish_changes`; nothing else was done then.
    """
    with workspace.lock():
        finish_changes(workspace)
        yield


def finish_changes(workspace: Workspace) -> None:
    """End every withdrawal and restatement that a death cut off. Its caller holds the workspace.

    Raises:
        LedgerError: a record is not what the ledger vouches for. ConfigError: the table is not configured any more.
    """
    if any(Editions(workspace).pending()):
        from usage_stats.flow.deliver import replace_folders  # noqa: PLC0415 half a second, when there is something

        replace_folders(workspace)
    if is_behind(workspace):
        build_if_new(workspace)


def unfinished_changes(workspace: Workspace) -> list[Unfinished]:
    """What was withdrawn or restated and is not in its place, by the ledger; empty unless a process died."""
    found = [
        Unfinished(f"{place.partner}/{place.table}/{place.period.code}", edition.event)
        for place, edition in Editions(workspace).pending()
    ]
    if is_behind(workspace):
        found.append(Unfinished("warehouse/usage_stats.duckdb", "outdated"))
    return found
