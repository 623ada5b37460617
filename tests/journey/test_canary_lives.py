"""Planted values and keys are searched for through all that a workspace lives through: open days, seals, deaths."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import planted
import pytest
from byte_search import files_below, found_in

REPOSITORY = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("canary_driver.py")
FAULTS = REPOSITORY / "tests" / "faults"
KILLED = -9  # SIGKILL
OPEN, LATE = datetime(2026, 4, 4, 1, tzinfo=UTC), datetime(2026, 6, 20, tzinfo=UTC)
GIVEN = "".join(
    f"account {who['account']}\ncookie {who['cookie']}\naddress {who['address']}\t{who['agent']}\n"
    for who in map(planted.person, (0, 1, 2))
)


@pytest.mark.parametrize("way", ["plain", "compiled"])
def test_no_value_and_no_key_is_left_by_open_or_closed_days(canary, journey, monkeypatch, capfd, caplog, way):
    """Three kinds of logs, proxies, lists of children and of those who opted out, lines of every badness: while days
    are open and once all is closed. The same search finds all of it in the logs.
    """
    if way == "compiled":
        journey.force_the_ways_for_large_logs(monkeypatch)
    with caplog.at_level(0):
        first = journey.run_at(canary.root, OPEN).ingested
        opened = canary.leaks()
        journey.run_at(canary.root, LATE)
    said = "\n".join([*capfd.readouterr(), caplog.text]).encode()
    fields = {what for _, what in found_in(planted.canaries(), (canary.root / "logs").iterdir())}

    assert set(planted.person(0)) <= fields
    assert {"excluded.opted_out", "excluded.under_13", "page_views"} <= set(first.outcomes)
    assert 100 < first.rejected.total()
    assert len(canary.keys) >= 3
    assert [] == opened + canary.leaks(said)


def test_keys_are_in_their_own_files(canary, journey):
    """The search for keys finds them there, while windows are open: so it would find them elsewhere."""
    journey.run_at(canary.root, OPEN)
    found = found_in(planted.key_needles(canary.keys), files_below(canary.root))

    assert {f"key {n}" for n in range(len(canary.keys))} == {what for _, what in found}
    assert {"keys"} == {Path(path).relative_to(canary.root / "restricted").parts[0] for path, _ in found}


@pytest.mark.parametrize("deed", ["run", "erase", pytest.param("purge", marks=pytest.mark.slow)])
def test_a_death_leaves_no_value_and_no_key(canary, journey, tmp_path, deed):
    """A run, an erasure and a purge are killed at a moment of each kind: what lies about then holds neither."""
    if deed != "run":
        journey.run_at(canary.root, OPEN)
    if deed == "purge":
        (canary.root / "restricted" / "usage" / "week" / "day=2026-04-01" / ".left.partial").write_bytes(b"x")
    (tmp_path / "given").write_text(GIVEN)
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(FAULTS), str(canary.root), str(tmp_path), OPEN.isoformat(), deed],
        capture_output=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    codes = json.loads(done.stdout)
    keys = tmp_path / "keys"
    made = [
        *canary.keys,
        *(bytes.fromhex(line) for line in (keys.read_text() if keys.exists() else "").split()),
    ]
    left = tmp_path / "left"
    logs = [root / "logs" for root in left.iterdir()]
    stores = [root / "restricted" / "keys" for root in left.iterdir()]
    said = (done.stdout, done.stderr)

    assert 0 == codes[0]
    assert {KILLED} == set(codes[1:])
    assert len(codes) == 1 + len([*left.iterdir()]) - 1
    assert made
    assert [] == found_in(planted.canaries(), files_below(left, but=logs), *said)
    assert [] == found_in(planted.key_needles(made), files_below(left, but=[*logs, *stores]), *said)


AUDITED = """
import pathlib, sys
told = pathlib.Path(sys.argv[2])
lines = []
def heard(event, args):
    if event in {"subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "socket.connect"}:
        lines.append(f"started {event} {args!r}")
    if event == "open" and isinstance(args[2], int) and args[2] & 3 and isinstance(args[0], (str, bytes)):
        lines.append(f"opened {args[0]!r}")
sys.addaudithook(heard)
del sys.argv[2]
from pipelines.__main__ import main
try:
    main()
finally:
    told.write_text(chr(10).join(lines))
"""


def test_dagster_keeps_no_value_and_tells_none_to_a_process(canary, tmp_path):
    """Its records, its logs, everything below its home and the temporary folder, and the arguments of processes that
    it starts (libraries ask `file` and the like about the machine); and every file that is opened for writing lies
    there or in the workspace, so that nothing is written where nobody searched.
    """
    homes = {name: tmp_path / name for name in ("DAGSTER_HOME", "HOME", "NUMBA_CACHE_DIR")}
    for home in homes.values():
        home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(canary.root), str(tmp_path / "told")],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **{name: str(home) for name, home in homes.items()},
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        check=False,
    )
    lines = (tmp_path / "told").read_text().splitlines()
    elsewhere = [line for line in lines if line.startswith("opened") and str(tmp_path) not in line]
    records = [
        path for path in files_below(homes["DAGSTER_HOME"]) if b"ASSET_MATERIALIZATION" in path.read_bytes()
    ]

    assert 0 == done.returncode, done.stderr
    assert records
    assert {"opened '/dev/null'"} >= set(elsewhere)
    assert [] == canary.leaks(done.stdout, done.stderr, "\n".join(lines).encode())
