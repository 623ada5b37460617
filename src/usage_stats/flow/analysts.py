"""Recorded releases → the analysts' file, built anew if what belongs into it is another than when it was built.

Belongs here: what belongs into it, and whether that is news. Does not: building it (release/analysts_file).
"""

from __future__ import annotations

from usage_stats import __version__
from usage_stats.flow.editions import Editions
from usage_stats.flow.publish_opens import stored_opens
from usage_stats.flow.released import released_periods, stored_release
from usage_stats.flow.workspace import Workspace
from usage_stats.release.analysts_file import build_analysts_file

__all__ = ["build_if_new"]


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
    stamp = workspace.restricted / "warehouse.stamp"
    opens = stored_opens(workspace)
    tables = sorted((name, table.model_dump_json()) for name, table in workspace.config.tables.items())
    wanted = f"{__version__} {tables} {sorted(released.values())}"
    wanted += "" if opens is None else f" {sorted(d for d, _ in opens)}"
    wanted += f" {sorted((table, period.code) for table, period in withdrawn)}"
    if workspace.warehouse.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    releases = [stored_release(workspace, p, d) for p, d in released.items()]
    months = None if opens is None else [month for _, month in opens]
    build_analysts_file(
        workspace.warehouse, releases, workspace.config.tables, opens=months, withdrawn=withdrawn
    )
    stamp.write_text(wanted)
