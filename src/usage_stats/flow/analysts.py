"""Recorded releases → the analysts' file, built anew if what belongs into it is another than when it was built.

Belongs here: what belongs into it, whether that is news, whether it may show what was withdrawn. Does not: building it
(release/analysts_file).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from usage_stats import __version__
from usage_stats.durable import to_disk
from usage_stats.flow.editions import Editions
from usage_stats.flow.publish_opens import stored_opens
from usage_stats.flow.released import released_periods, stored_release
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period

__all__ = ["build_if_new", "is_behind"]


def build_if_new(workspace: Workspace) -> None:
    """Build the file unless it has all that was released for the house, less what was withdrawn from everybody.

    Raises:
        LedgerError: a record is not what the ledger vouches for.
    """
    policy, withdrawn = workspace.policy, Editions(workspace).withdrawn()
    released = {
        period: digest
        for period, digest in released_periods(workspace).items()
        if not policy.refusal(period.days, "internal_aggregate")
    }
    stamp = _stamp(workspace)
    opens = stored_opens(workspace)
    tables = sorted((name, table.model_dump_json()) for name, table in workspace.config.tables.items())
    wanted = f"{__version__} {tables} {sorted(released.values())}"
    wanted += "" if opens is None else f" {sorted(d for d, _ in opens)}"
    wanted += _as_stamped(withdrawn)
    if workspace.warehouse.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    releases = [stored_release(workspace, p, d) for p, d in released.items()]
    # Gone before the file is another: a stamp that outlived a killed build would vouch for rows of that one.
    stamp.unlink(missing_ok=True)
    to_disk(workspace.restricted)
    months = None if opens is None else [month for _, month in opens]
    from usage_stats.release.analysts_file import build_analysts_file  # noqa: PLC0415 the database: if it is built

    build_analysts_file(
        workspace.warehouse, releases, workspace.config.tables, opens=months, withdrawn=withdrawn
    )
    stamp.write_text(wanted)


def is_behind(workspace: Workspace) -> bool:
    """Whether the file may have rows that were withdrawn since it was built, or lack some that were restated."""
    editions, stamp = Editions(workspace), _stamp(workspace)
    if not workspace.warehouse.exists() or not editions.changes():
        return False
    return not stamp.exists() or not stamp.read_text().endswith(_as_stamped(editions.withdrawn()))


def _stamp(workspace: Workspace) -> Path:
    """Where it is written what the file was built of."""
    return workspace.restricted / "warehouse.stamp"


def _as_stamped(withdrawn: Iterable[tuple[str, Period]]) -> str:
    """The end of the stamp."""
    return f" {sorted((table, period.code) for table, period in withdrawn)}"
