"""The same logs in two places, under two clocks, languages, masks and numbers of threads: the same bytes leave."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from usage_stats.synthetic.generate import generate

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "data" / "sample"
DRIVER = Path(__file__).with_name("identity_driver.py")
TABLES = {
    "components": {"measures": ["visitors", "visits", "page_views", "reach", "frequency"]},
    "hours": {"dimensions": ["hour", "weekday"], "periods": ["week", "month"]},
    "entries": {"dimensions": ["component", "entry_component"], "periods": ["week"]},
    "sources": {"dimensions": ["referrer", "device"], "periods": ["week", "month"]},
    "how_often": {"dimensions": ["visit_frequency"], "periods": ["week", "month"]},
    "newcomers": {"dimensions": ["visitor_type"], "periods": ["day"]},
}


class Surroundings(NamedTuple):
    """What a process finds around it; `language` is asked for where the system has it."""

    time_zone: str
    language: str
    hash_seed: int
    threads: int
    mask: int
    now: str
    size: str = "as it is"


FAR_EAST = Surroundings("Pacific/Kiritimati", "C", 1, 1, 0o077, "2026-05-20T23:59:00+14:00")
FAR_WEST = Surroundings("America/St_Johns", "de_DE.UTF-8", 2, 2, 0o002, "2026-06-11T00:01:00-02:30")
TURKISH = Surroundings("Asia/Kathmandu", "tr_TR.UTF-8", 3, 3, 0o027, "2026-05-20T12:00:00+05:45", "large")


def _variables(around):
    """The environment of a process: nothing of ours but what is set here."""
    lists = shutil.which("locale")
    known = subprocess.run([lists, "-a"], capture_output=True, text=True, check=False).stdout if lists else ""
    has = around.language.lower().replace("-", "") in known.lower().split()
    threads = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(threads, str(around.threads)),
        "LC_ALL": around.language if has or around.language == "C" else "C.UTF-8",
        "PYTHONCOERCECLOCALE": "0",  # or Python would take C for C.UTF-8, and read files as it does elsewhere
        "PYTHONUTF8": "0",
        "PYTHONHASHSEED": str(around.hash_seed),
        "TZ": around.time_zone,
    }


def _clone(root):
    """The code at a place of its own, without anything compiled."""
    for part in ("src", "sql"):
        shutil.copytree(REPOSITORY / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    return root / "src"


def _workspace(root, logs, newest_first):
    """The same logs put down in another order, so that a listing of the folder has another one too."""
    (root / "logs").mkdir(parents=True)
    for number, log in enumerate(sorted(logs, reverse=newest_first)):
        shutil.copyfile(log, root / "logs" / log.name)
        os.utime(root / "logs" / log.name, (number, number))
    settings = yaml.safe_load((SAMPLE / "usage_stats.yaml").read_text(encoding="utf-8"))
    partner = {"id": "acme-media", "tables": list(TABLES)}
    (root / "usage_stats.yaml").write_text(
        yaml.safe_dump({**settings, "tables": TABLES, "partners": [partner]}), encoding="utf-8"
    )
    shutil.copyfile(SAMPLE / "policy.yaml", root / "policy.yaml")


def _start(place, logs, around, number):
    code, root = _clone(place / "clone"), place / "data" / "site"
    _workspace(root, logs, newest_first=bool(number % 2))
    command = [sys.executable, DRIVER, root, around.now, str(around.threads), around.size]
    return subprocess.Popen(
        command,
        cwd=place,
        env={**_variables(around), "PYTHONPATH": str(code)},
        umask=around.mask,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _released(tmp_path, logs, all_around):
    """What each of the surroundings releases: relative path → bytes."""
    places = [tmp_path / "/".join(["a place"] * n) / str(n) for n, _ in enumerate(all_around, 1)]
    started = [_start(p, logs, a, n) for n, (p, a) in enumerate(zip(places, all_around, strict=True))]
    said = [process.communicate()[0] for process in started]
    assert [0] * len(started) == [process.returncode for process in started], "\n".join(said)
    assert [True] * len(places) == [str(p / "clone") in told for p, told in zip(places, said, strict=True)]
    tops = [place / "data" / "site" / "releases" for place in places]
    return [{str(p.relative_to(t)): p.read_bytes() for p in t.rglob("*") if p.is_file()} for t in tops]


def _differing(one, other):
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _kinds(released):
    """The tables and kinds of period that there are, a kind by the length of its code."""
    return {(name.split("/")[1], len(name.split("/")[2])) for name in released}


def test_two_places_release_the_same_bytes(tmp_path):
    """A week of six tables in two processes that share nothing but the logs; each has keys of its own."""
    logs = generate(tmp_path / "generated", first_day=date(2026, 3, 2), days=7, lines=9_000).files
    one, other = _released(tmp_path, logs, [FAR_EAST, FAR_WEST])

    assert {(table, 8) for table in TABLES if table != "newcomers"} | {("newcomers", 10)} <= _kinds(one)
    assert [] == _differing(one, other)


@pytest.mark.slow
def test_a_month_is_the_same_bytes_wherever_and_however_it_is_counted(tmp_path):
    """Five weeks with a whole month, the third time read and counted in the ways that large logs are."""
    logs = generate(tmp_path / "generated", first_day=date(2026, 3, 1), days=36, lines=90_000).files
    one, *others = _released(tmp_path, logs, [FAR_EAST, FAR_WEST, TURKISH])

    assert {("hours", 7), ("sources", 7), ("components", 7), ("components", 10)} <= _kinds(one)
    assert [[], []] == [_differing(one, other) for other in others]
