"""A workspace, a deed and moments → copies of the workspace as they are left by the deed, killed at each moment.

Run as a process of its own, as `tests/faults/crash_driver.py` is, whose moments it shares:

    python canary_driver.py FAULTS TEMPLATE SCRATCH NOW run|erase|purge

The first copy lives on undisturbed, and tells the names of its moments; then one is killed at the middle one of each
kind. Keys that are drawn are appended to SCRATCH/keys.
"""

import json
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from effects import Effects

from usage_stats.deidentify import key_file
from usage_stats.flow.erase import execute_erasure, plan_erasure
from usage_stats.flow.purge import execute_purge, plan_purge
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace


def _erase(root, now):
    text = (root.parent.parent / "given").read_bytes()
    execute_erasure(
        open_workspace(root), text, now, digest=plan_erasure(open_workspace(root), text, now).digest
    )


def _purge(root, now):
    execute_purge(open_workspace(root), now, digest=plan_purge(open_workspace(root), now).digest)


_DEEDS = {
    "run": lambda root, now: run(open_workspace(root), now, Silent()),
    "erase": _erase,
    "purge": _purge,
}


def _tell_keys(place):
    draw = key_file.secrets.token_bytes

    def telling(size):
        key = draw(size)
        with place.open("a") as file:
            file.write(key.hex() + "\n")
        return key

    key_file.secrets = type("Secrets", (), {"token_bytes": staticmethod(telling)})


def _in_child(act, root, fatal, report):
    child = os.fork()
    if child == 0:
        effects = Effects(root, fatal)
        effects.watch()
        code = 1
        try:
            act()
            report.write_text(json.dumps(effects.names))
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    """Let the deed be done and killed."""
    template, scratch, now, deed = Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:]
    _tell_keys(scratch / "keys")
    report = scratch / "report"

    def once(name, fatal):
        root = scratch / "left" / name
        shutil.copytree(template, root)
        return _in_child(lambda: _DEEDS[deed](root, datetime.fromisoformat(now)), root, fatal, report)

    codes = [once("undisturbed", 0)]
    names = [name.split()[0] for name in json.loads(report.read_text())]
    for name in dict.fromkeys(names):
        places = [number for number, other in enumerate(names, start=1) if other == name]
        codes.append(once(name, places[len(places) // 2]))
    print(json.dumps(codes))  # noqa: T201 the answer


if __name__ == "__main__":
    main()
