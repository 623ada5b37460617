"""A workspace and a list of moments → for each, what is left of a run killed then, and of the runs after it.

Run as a process of its own: it imports everything once and forks a child per run, before any thread is started.
A child dies by `os._exit`: no handler runs, nothing is flushed, as with `kill -9`. Moments are numbered: each
call of the functions below is two of them, just before it and just after it; for those that write bytes there
is a third, with half of them written.

    python crash_driver.py WORKSPACE SCRATCH NOW '[[3], [17, 4], ...]'

prints one JSON object per list of moments; a list of several kills one run after the other. An empty list is the
undisturbed run, and tells the names of its moments. If the workspace has a folder `then/`, it takes the place of
`logs/` before the last run: what became of the files meanwhile.
"""

import functools
import hashlib
import json
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

import usage_stats.flow.run as flow
from usage_stats.deidentify.linkage_key import KeyStore
from usage_stats.flow.reporter import Silent
from usage_stats.flow.workspace import open_workspace
from usage_stats.ledger import Ledger
from usage_stats.release.analysts_file import build_analysts_file

KILLED = 77
_MICRODATA = ("events", "fingerprints", "usage", "spill")
# Inside the restricted store, the next writer of a file replaces what a killed one left of it.
_SHOWN = ("releases", "warehouse")


class Moments:
    """Counts moments, and dies at one of them."""

    def __init__(self, fatal):
        self.fatal = fatal
        self.names = []

    def reach(self, name, last_act=None):
        self.names.append(name)
        if len(self.names) == self.fatal:
            if last_act:
                last_act()
            os._exit(KILLED)

    def watch(self, owner, name, torn=None):
        """Make each call of a function two or three moments."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def watched(*args, **options):
            self.reach(f"before {name}")
            if torn:
                self.reach(f"within {name}", lambda: torn(*args))
            result = original(*args, **options)
            self.reach(f"after {name}")
            return result

        setattr(owner, name, watched)


def _torn_line(ledger, _entry):
    path = ledger._path  # noqa: SLF001 half a line is written where the ledger would write a whole one
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b'{"entry":{"half')


def _torn_bytes(path, content):
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])


def _watch_everything(moments):
    moments.watch(os, "fsync")
    moments.watch(Path, "replace")
    moments.watch(Path, "unlink")
    moments.watch(Path, "write_bytes", _torn_bytes)
    moments.watch(shutil, "rmtree")
    moments.watch(Ledger, "append", _torn_line)
    moments.watch(KeyStore, "destroy")
    moments.watch(pq, "write_table", lambda _, path: Path(path).write_bytes(b"PAR1 half"))


def _run(root, now, fatal, report):
    """One run in a child; its end is told by the exit code, its moments or its error by a file."""
    child = os.fork()
    if child == 0:
        moments = Moments(fatal)
        _watch_everything(moments)
        try:
            flow.run(open_workspace(root), now, Silent())
        except BaseException as error:  # noqa: BLE001 whatever it is, the parent wants to know
            report.write_text(f"{type(error).__name__}: {error}")
            os._exit(1)
        with report.open("w") as file:
            json.dump(moments.names, file)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _digests(root):
    """Files below the releases and what is in them; names with a dot are unfinished, and nobody's business."""
    top = root / "releases"
    files = [p for p in top.rglob("*") if p.is_file() and ".partial" not in str(p)]
    return {str(p.relative_to(top)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def _state(root):
    ingested = open_workspace(root).ingested.entries()
    warehouse = root / "warehouse" / "usage_stats.duckdb"
    return {
        "releases": _digests(root),
        "lines": sum(entry["lines"] for entry in ingested),
        "late": sum(entry["outcomes"].get("late", 0) for entry in ingested),
        "warehouse": warehouse.is_file(),
        "keys": len(
            [p for kind in ("week", "month") for p in (root / "restricted" / "keys").glob(f"*/{kind}/*.key")]
        ),
        "microdata": len(
            [p for kind in _MICRODATA for p in (root / "restricted" / kind).rglob("*") if p.is_file()]
        ),
        "leftovers": sorted(
            str(p.relative_to(root)) for top in _SHOWN for p in (root / top).rglob(".*.partial")
        ),
    }


def _story(template, root, now, deaths):
    shutil.copytree(template, root)
    report = root.with_suffix(".report")
    seen, codes = [], []
    for fatal in deaths:
        codes.append(_run(root, now, fatal, report))
        seen.append(_digests(root))
    if (root / "then").is_dir():
        shutil.rmtree(root / "logs")
        (root / "then").rename(root / "logs")
    code = _run(root, now, 0, report)
    told = report.read_text()
    story = {"deaths": deaths, "codes": codes, "seen": seen, "code": code, **_state(root)}
    shutil.rmtree(root)
    return story | ({"moments": json.loads(told)} if code == 0 else {"error": told})


def main():
    """Tell the stories, one after the other."""
    template, scratch, now, stories = sys.argv[1:]
    for number, deaths in enumerate(json.loads(stories)):
        story = _story(Path(template), Path(scratch) / str(number), datetime.fromisoformat(now), deaths)
        sys.stdout.write(json.dumps(story) + "\n")


# Importing is all that is done before the first fork: no thread exists then that a child would miss.
assert build_analysts_file
if __name__ == "__main__":
    main()
