"""Every real log of a format that is known, in one run: each line counted once, whichever way the lines are read."""

import bz2
import gzip
import json
import lzma
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from usage_stats.accesslog.inspect import inspect_log
from usage_stats.errors import InputError
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.status import status_of
from usage_stats.flow.workspace import open_workspace

LOGS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "logs"
NOW = datetime(2026, 6, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs are kept beside the project, in ../shared/data"
)

OPENERS = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress, b"\xfd7": lzma.decompress}


def _is_taken(path):
    """Whether a run takes the file in: its format is known, and most of its lines fit."""
    try:
        found = inspect_log(path, log_format=None, robot_class=lambda _: None)
    except InputError:
        return False
    odd = found.reasons.get("blank", 0) + found.reasons.get("directive", 0)
    return (found.rejected - odd) * 2 <= found.lines - odd


def _paths():
    """Without the one large log, which has tests of its own; a file that is there twice is read once."""
    found = {}
    for path in sorted(p for p in LOGS.rglob("*") if p.is_file() and 0 < p.stat().st_size < 1_000_000):
        if _is_taken(path):
            found.setdefault(path.read_bytes(), path)
    return list(found.values())


def _lines(path):
    """By newline bytes, and nothing else."""
    content = path.read_bytes()
    content = OPENERS.get(content[:2], bytes)(content)
    return content.count(b"\n") + (not content.endswith(b"\n"))


def _ran(root, paths):
    """One run over all of them, a source each."""
    root.mkdir()
    sources = [{"name": f"log{n}", "logs": [str(path.resolve())]} for n, path in enumerate(paths)]
    settings = {"site": "all", "sources": sources, "components": [{"name": "home", "paths": ["/"]}]}
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    versions = [{"version": "1", "effective": "1990-01-01", "uses": ["internal_aggregate"]}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    workspace = open_workspace(root)
    result = run(workspace, NOW, Silent())
    kept = ("format", "lines", "parsed", "rejected", "outcomes", "lines_by_day")
    entries = {e["source"]: {name: e[name] for name in kept} for e in workspace.ingested.entries()}
    return SimpleNamespace(result=result.ingested, entries=entries, status=status_of(workspace, NOW)["lines"])


@pytest.fixture(scope="module")
def paths():
    """The logs of known formats."""
    return _paths()


@pytest.fixture(scope="module")
def plain(paths, tmp_path_factory):
    """All of them, read line by line."""
    return _ran(tmp_path_factory.mktemp("all") / "workspace", paths)


def test_there_is_something_to_say(paths, plain):
    """Many files in many formats, packed ones among them."""
    formats = {entry["format"] for entry in plain.entries.values()}

    assert len(paths) > 60
    assert {"combined", "common", "w3c", "cloudfront", "caddy", "nginx_json", "alb", "haproxy"} <= formats
    assert any(path.read_bytes().startswith(b"\x1f\x8b") for path in paths)


def test_every_line_of_every_log_is_accounted_for(paths, plain):
    """Per file and in all: parsed + rejected are as many as there are lines, and each parsed line has one outcome."""
    expected = {f"log{n}": _lines(path) for n, path in enumerate(paths)}
    entries = plain.entries.values()

    assert expected == {source: entry["lines"] for source, entry in plain.entries.items()}
    assert [] == [e for e in entries if e["lines"] != e["parsed"] + sum(e["rejected"].values())]
    assert [] == [e for e in entries if e["parsed"] != sum(e["outcomes"].values())]
    assert [] == [e for e in entries if e["parsed"] != sum(e["lines_by_day"].values())]
    assert sum(expected.values()) == plain.result.lines == plain.status["lines"]


def test_sums_over_files_are_those_of_the_files(plain):
    """What the run and the status say of all logs are the sums of what is recorded of each."""
    rejected = sum((Counter(e["rejected"]) for e in plain.entries.values()), Counter())
    outcomes = sum((Counter(e["outcomes"]) for e in plain.entries.values()), Counter())

    assert rejected == plain.result.rejected == plain.status["rejected"]
    assert outcomes == plain.result.outcomes == plain.status["outcomes"]


def test_compiled_code_reads_every_log_alike(paths, plain, tmp_path, monkeypatch):
    """The way for large logs gives the same account of each file, of whatever format."""
    monkeypatch.setattr("usage_stats.flow.ingest._is_large", lambda _: True)
    monkeypatch.setattr("usage_stats.measure.usage.LARGE_DAY", 0)
    compiled = _ran(tmp_path / "workspace", paths)

    assert plain.entries == compiled.entries
