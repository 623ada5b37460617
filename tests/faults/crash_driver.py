"""A workspace and a list of moments → for each, what is left of a run killed then, and of the runs after it.

Run as a process of its own: it imports everything once and forks a child per run, before any thread is started.
A child dies of SIGKILL just before one of its effects on files, or half-way through a write (`effects`); a moment below
zero is a power cut there. What is left is looked at by another child, for readers start threads.

    python crash_driver.py WORKSPACE SCRATCH NOW '[[3], [17, 4], ...]' [withdraw TABLE PERIOD [COMMAND]]

prints one JSON object per list of moments; a list of several kills one run after the other. An empty list is the
undisturbed run, and tells the names of its moments. If the workspace has a folder `then/`, it takes the place of
`logs/` before the last run: what became of the files meanwhile. With `withdraw`, that is what is killed; what comes
after it is the plain run, or another command, and between the two it is asked what `status` calls unfinished.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
from datetime import datetime
from pathlib import Path

import duckdb
from effects import Effects

import usage_stats.flow.run as flow
from usage_stats.flow.erase import plan_erasure
from usage_stats.flow.purge import plan_purge
from usage_stats.flow.reporter import Silent
from usage_stats.flow.restate import Change, execute_change, plan_change
from usage_stats.flow.status import status_of
from usage_stats.flow.workspace import open_workspace
from usage_stats.release.analysts_file import build_analysts_file

KILLED = -signal.SIGKILL
_MICRODATA = ("events", "fingerprints", "usage", "spill")
_SHOWN = ("releases", "warehouse")
_NEVER_SHOWN = ".partial"  # the folder of what is not finished, below the releases


def in_child(act, report, root=None, fatal=0):
    """Do something in a child; return its exit code, and what it returned or its error as the report."""
    report.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        effects = Effects(root or report.parent, fatal)
        if root:
            effects.watch()
        try:
            result = act()
        except BaseException as error:  # noqa: BLE001 whatever it is, the parent wants to know
            report.write_text(f"{type(error).__name__}: {error}")
            os._exit(1)
        with report.open("w") as file:
            json.dump(effects.names if root else result, file)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def digests(root):
    """Files below the releases that partners may see, and what is in them."""
    top = root / "releases"
    files = [p.relative_to(top) for p in top.rglob("*") if p.is_file()]
    shown = [p for p in sorted(files) if p.parts[0] != _NEVER_SHOWN]
    return {str(p): hashlib.sha256((top / p).read_bytes()).hexdigest() for p in shown}


def _rows(root):
    """Every table and view of the analysts' file with a digest of its rows; none while there is no file."""
    path = root / "warehouse" / "usage_stats.duckdb"
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as database:
        names = database.execute(
            "select schema_name || '.' || table_name from duckdb_tables() union all "
            "select schema_name || '.' || view_name from duckdb_views() where not internal order by 1"
        ).fetchall()
        rows = {name: sorted(map(repr, database.table(name).fetchall())) for (name,) in names}
    return {name: hashlib.sha256("\n".join(found).encode()).hexdigest() for name, found in rows.items()}


def _meaning(root):
    """What the ledgers and the analysts' file say, without what is drawn by chance."""
    workspace = open_workspace(root)
    ingested = workspace.ingested.entries()
    drawn = {"check", "at"}
    keys = {json.dumps({k: v for k, v in e.items() if k not in drawn}) for e in _entries(workspace, "keys")}
    return {
        "lines": sum(entry["lines"] for entry in ingested),
        "late": sum(entry["outcomes"].get("late", 0) for entry in ingested),
        "days": workspace.sealed.entries(),
        "ledger": workspace.released.entries(),
        "policies": _entries(workspace, "policy"),
        "key_ledger": sorted(keys),
        "rows": _rows(root),
    }


def _entries(workspace, name):
    return workspace._ledger(name).entries()  # noqa: SLF001 a ledger that only its owner reads


def _state(root):
    restricted = root / "restricted"
    keys = [p for kind in ("week", "month") for p in (restricted / "keys").glob(f"*/{kind}/*.key")]
    microdata = [p for kind in _MICRODATA for p in (restricted / kind).rglob("*") if p.is_file()]
    return {
        "releases": digests(root),
        "keys": len(keys),
        "microdata": len(microdata),
        # Inside the restricted store, the next writer of a file replaces what a killed one left of it.
        "leftovers": sorted(
            str(p.relative_to(root)) for top in _SHOWN for p in (root / top).rglob("*.partial*")
        ),
    }


def _looked_at(act, report):
    code = in_child(act, report)
    told = report.read_text()
    return json.loads(told) if code == 0 else {"error": told}


def _withdraw(root, now, table, period):
    change = Change("withdrawn", table, period, "it was wrong")
    digest = plan_change(open_workspace(root), change).digest
    execute_change(open_workspace(root), change, now, digest=digest)


def _command(root, now, name):
    """What somebody does next, who thinks of something else."""
    workspace = open_workspace(root)
    if name == "purge":
        plan_purge(workspace, now)
    elif name == "erase":
        plan_erasure(workspace, b"account zoe\n", now)
    else:
        flow.run(workspace, now, Silent())


def _story(template, root, now, deaths, withdrawn=(), command="run"):
    shutil.copytree(template, root)
    report, kept = root.with_suffix(".report"), Path(f"{root}.kept")
    codes, seen, rows, left, told = [], [], [], [], ""

    def run():
        _command(root, now, "run" if not withdrawn else command)

    def withdraw():
        _withdraw(root, now, *withdrawn)

    for fatal in deaths:
        codes.append(in_child(withdraw if withdrawn else run, report, root, fatal))
        told = report.read_text() if report.exists() else ""
        shutil.rmtree(kept, ignore_errors=True)
        seen.append(digests(root))
        rows.append(_looked_at(lambda: _rows(root), report))
        if withdrawn:
            left.append(_looked_at(lambda: status_of(open_workspace(root), now)["unfinished"], report))
    if (root / "then").is_dir():
        shutil.rmtree(root / "logs")
        (root / "then").rename(root / "logs")
    code = in_child(run, report, root)
    told = told if withdrawn and code == 0 and deaths == [0] else report.read_text()
    story = {"deaths": deaths, "codes": codes, "seen": seen, "rows_seen": rows, "left": left, "code": code}
    story |= _state(root)
    story |= _looked_at(lambda: _meaning(root), report) if code == 0 else {}
    shutil.rmtree(root)
    return story | ({"moments": json.loads(told)} if code == 0 else {"error": told})


def main():
    """Tell the stories, one after the other."""
    template, scratch, now, stories, *deed = sys.argv[1:]
    for number, deaths in enumerate(json.loads(stories)):
        story = _story(
            *(Path(template), Path(scratch) / str(number), datetime.fromisoformat(now), deaths),
            *(deed[1:3], *deed[3:]),
        )
        sys.stdout.write(json.dumps(story) + "\n")


# Importing is all that is done before the first fork: no thread exists then that a child would miss.
assert build_analysts_file
if __name__ == "__main__":
    main()
