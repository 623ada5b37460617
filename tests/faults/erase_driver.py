"""A workspace, identifiers and moments → for each moment, what is left of an erasure killed then, and after more.

Run as a process of its own, like `crash_driver`, whose moments it shares: effects on files.

    python erase_driver.py WORKSPACE SCRATCH NOW LATER IDENTIFIERS '[0, 3, ...]'

prints one JSON object per moment (0: the undisturbed erasure). After the death, one of two things is done: the
erasure is repeated (even moments), or only the next run comes (odd ones). `pseudonyms` are those left on disk.
"""

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
from crash_driver import digests, in_child

from usage_stats.flow.erase import execute_erasure, plan_erasure
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace
from usage_stats.release.analysts_file import build_analysts_file


def _erase(root, now, text):
    digest = plan_erasure(open_workspace(root), text, now).digest
    execute_erasure(open_workspace(root), text, now, digest=digest)


def _pseudonyms(root):
    """Every number of 64 bits below `restricted/`, but for unfinished files."""
    found = set()
    for path in sorted((root / "restricted").rglob("*.parquet")):
        if "staged" not in path.parts:
            rows = pq.ParquetFile(path).read()
            words = [c for c in rows.schema.names if str(rows.schema.field(c).type) == "uint64"]
            found.update(value for column in words for value in rows[column].to_pylist())
    return sorted(found)


def _story(template, root, now, later, text, moment):
    shutil.copytree(template, root)
    report = root.with_suffix(".report")
    code = in_child(lambda: _erase(root, now, text), report, root, moment)
    told = report.read_text() if report.exists() else ""
    story = {"moment": moment, "code": code, "told": told, "killed": _pseudonyms(root)}
    is_committed = bool(open_workspace(root).erasures.entries())
    if moment % 2 == 0 or not is_committed:
        story["again"] = in_child(lambda: _erase(root, now, text), report, root)
    story["next"] = in_child(lambda: run(open_workspace(root), now, Silent()), report, root)
    story["pseudonyms"] = _pseudonyms(root)
    story["partial"] = [str(p) for p in (root / "restricted").rglob("*") if "staged" in p.parts]
    story["last"] = in_child(lambda: run(open_workspace(root), later, Silent()), report, root)
    story |= {"committed": is_committed, "releases": digests(root), "end": report.read_text()[:300]}
    shutil.rmtree(root)
    return story


def main():
    """Tell the stories, one after the other."""
    template, scratch, now, later, text, moments = sys.argv[1:]
    when = (datetime.fromisoformat(now), datetime.fromisoformat(later))
    for moment in json.loads(moments):
        story = _story(Path(template), Path(scratch) / str(moment), *when, text.encode(), moment)
        sys.stdout.write(json.dumps(story) + "\n")


# Importing is all that is done before the first fork: no thread exists then that a child would miss.
assert build_analysts_file
if __name__ == "__main__":
    main()
