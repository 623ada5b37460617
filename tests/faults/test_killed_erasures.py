"""An erasure is killed at each step it takes: the old files or the new ones, and a repeat or the next run ends it."""

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from usage_stats.deidentify.pseudonym import Pseudonymiser, account_identity
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

DRIVER = Path(__file__).with_name("erase_driver.py")
NOW, LATER = "2026-04-04T12:00:00+00:00", "2026-06-20T12:00:00+00:00"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def _log(day, accounts):
    return "".join(
        f'10.{n}.1.7 - {account} [{day:02}/Apr/2026:10:00:{n:02} +0000] "GET / HTTP/1.1" 200 5 "-" "{AGENT}"\n'
        for n, account in enumerate([*["-"] * 15, *accounts])
    )


def _workspace(root, days):
    (root / "logs").mkdir(parents=True)
    components = [{"name": "home", "paths": ["/"]}]
    settings = {"site": "killed", "components": components, "partners": [{"id": "acme"}], "gaps": "accept"}
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    for day, accounts in days.items():
        (root / "logs" / f"{day}.log").write_text(_log(day, accounts))
    return root


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Day 1 is sealed and out, day 3 is not; zoe was there on both."""
    root = _workspace(tmp_path_factory.mktemp("erased") / "template", {1: ["zoe"], 3: ["zoe"]})
    run(open_workspace(root), datetime.fromisoformat(NOW), Silent())
    return root


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What is released of logs that lack her lines of day 3."""
    root = _workspace(tmp_path_factory.mktemp("expected") / "template", {1: ["zoe"], 3: []})
    run(open_workspace(root), datetime.fromisoformat(LATER), Silent())
    top = root / "releases"
    files = [p for p in top.rglob("*") if p.is_file()]
    return {p.relative_to(top).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def called(template):
    """Zoe's pseudonyms."""
    keys = template / "restricted" / "keys" / "killed"
    windows = (("week", "2026-W14"), ("month", "2026-04"))
    return {
        Pseudonymiser((keys / kind / f"{code}.key").read_bytes(), f"{kind}/{code}")
        .of([account_identity(b"zoe")])
        .tolist()[0]
        for kind, code in windows
    }


def _stories(template, scratch, moments):
    done = subprocess.run(
        [
            sys.executable,
            str(DRIVER),
            str(template),
            str(scratch),
            NOW,
            LATER,
            "account zoe",
            json.dumps(moments),
        ],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def undisturbed(template, tmp_path_factory):
    """The erasure that nothing happens to, and the names of its moments."""
    story = _stories(template, tmp_path_factory.mktemp("undisturbed"), [0])[0]
    assert story["code"] == 0, story["told"]
    return story | {"moments": json.loads(story["told"])}


def _check(undisturbed, called, stories):
    for story in stories:
        moment = story["moment"]
        where = f"killed at {moment}: {undisturbed['moments'][moment - 1] if moment else ''}: {story}"
        left = called & set(story["killed"])
        assert story["committed"] or left == called, f"{where}: half of the old is gone"
        assert story.get("again", 0) == story["next"] == story["last"] == 0, where
        assert set() == called & set(story["pseudonyms"]), f"{where}: she is still there"
        assert [] == story["partial"], where
        assert undisturbed["releases"] == story["releases"], where


def _last_of_each(names):
    return sorted({name.split()[0]: n for n, name in enumerate(names, start=1)}.values())


def test_a_killed_erasure_is_all_or_nothing(undisturbed, called, template, tmp_path):
    """Killed at the last moment of each kind: before the commit, every row is where it was; after it, the next
    command, whatever it is, ends it; and all later figures are the undisturbed erasure's.
    """
    kinds = {name.split()[0] for name in undisturbed["moments"]}
    assert {"rows", "write", "half", "fsync", "rename"} <= kinds
    _check(undisturbed, called, [undisturbed])
    _check(undisturbed, called, _stories(template, tmp_path, _last_of_each(undisturbed["moments"])))


def test_the_figures_are_those_of_a_world_without_her_open_day(undisturbed, expected):
    """Releases of the undisturbed story are those of logs without her lines of the day that was not sealed."""
    assert expected == undisturbed["releases"]


@pytest.mark.slow
def test_an_erasure_killed_at_any_moment_is_all_or_nothing(undisturbed, called, template, tmp_path):
    """The same for every moment there is."""
    _check(undisturbed, called, _stories(template, tmp_path, list(range(1, len(undisturbed["moments"]) + 1))))
