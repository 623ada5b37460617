"""What a ledger names would survive a power cut: it is on the disk before the entry is."""

import os
from pathlib import Path

from usage_stats.flow.ingest import event_files


def test_events_are_on_the_disk_before_the_entry_that_names_them(site, views, noon, monkeypatch):
    """File and folder, each before the ledger that makes them count."""
    synced, fsync = [], os.fsync

    def recorded(number):
        synced.append(Path(f"/proc/self/fd/{number}").readlink())  # inodes are used again
        fsync(number)

    monkeypatch.setattr(os, "fsync", recorded)
    site.log("access.log", views(noon(2)))
    site.run(noon(2))
    files = [
        f for table in ("page_views", "visitors") for f in event_files(site.workspace, table, noon(2).date())
    ]
    ledger = synced.index(site.workspace.restricted / "ledgers" / "ingest.jsonl")

    assert len(files) == 2
    assert all(synced.index(path) < ledger for path in files)
    assert all(synced.index(path.parent) < ledger for path in files)
