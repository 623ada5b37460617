"""Workspaces made from the sample's settings, and what they release."""

import shutil
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import planted
import pytest
from byte_search import files_below, found_in
from prepared import days_of_march, sample_march

from usage_stats.deidentify import key_file
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace
from usage_stats.synthetic.generate import generate

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
BERLIN = ZoneInfo("Europe/Berlin")


def settings_into(root, *, grace=2):
    """The sample's own settings, but for where the logs lie (variants have other names than `*.log.gz`) and,
    where a test wants it, for the days of grace before anything is sealed.
    """
    root.mkdir(parents=True, exist_ok=True)
    text = (SAMPLE / "usage_stats.yaml").read_text(encoding="utf-8")
    assert '["logs/*.log.gz"]' in text
    assert "seal_after_days: 2" in text
    text = text.replace("logs/*.log.gz", "logs/*").replace("seal_after_days: 2", f"seal_after_days: {grace}")
    (root / "usage_stats.yaml").write_text(text, encoding="utf-8")
    shutil.copy(SAMPLE / "policy.yaml", root)
    (root / "logs").mkdir(exist_ok=True)
    return root


def run_at(root, now):
    """One run of the main job at a moment of our choosing."""
    return run(open_workspace(root), now, Silent())


def tree(root):
    """Every file below a directory: relative path → bytes."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def long_after(day):
    """A moment at which everything up to the day is over, with its week, its month and the grace time."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=BERLIN) + timedelta(60)


def _made(root, *, first_day, days, lines):
    generate(root, first_day=first_day, days=days, lines=lines)
    settings_into(root)
    last_day = first_day + timedelta(days - 1)
    result = run_at(root, long_after(last_day))
    return SimpleNamespace(
        root=root,
        logs=sorted((root / "logs").iterdir()),
        span=[first_day + timedelta(n) for n in range(days)],
        result=result,
        releases=tree(root / "releases"),
    )


@pytest.fixture(scope="session")
def march(tmp_path_factory):
    """March 2026 and the week after it: five whole weeks, a month, the change to summer time. Not to be changed."""
    root = sample_march(tmp_path_factory)
    return SimpleNamespace(
        root=root,
        logs=sorted((root / "logs").iterdir()),
        span=days_of_march(),
        releases=tree(root / "releases"),
    )


@pytest.fixture(scope="session")
def ten_days(tmp_path_factory):
    """The ten days around the end of March, with 25,000 lines: a whole week over the end of the month."""
    return _made(tmp_path_factory.mktemp("ten_days"), first_day=date(2026, 3, 27), days=10, lines=25_000)


def force_the_ways_for_large_logs(monkeypatch):
    """Small logs are read by compiled code and their days counted in arrays, as large ones are."""
    monkeypatch.setattr("usage_stats.flow.ingest._is_large", lambda _: True)
    monkeypatch.setattr("usage_stats.measure.usage.LARGE_DAY", 0)


@pytest.fixture
def journey():
    """The steps that tests of journeys share."""
    return SimpleNamespace(
        berlin=BERLIN,
        settings_into=settings_into,
        run_at=run_at,
        tree=tree,
        long_after=long_after,
        made=_made,
        force_the_ways_for_large_logs=force_the_ways_for_large_logs,
    )


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A workspace full of planted values, beside it a private place for temporary files; every key ever drawn is
    told. `leaks` lists which value or key is where it must not be: anything below `tmp_path` is searched, but the
    logs and the operator's lists, and what was said.
    """
    made, draw = [], key_file.secrets.token_bytes
    monkeypatch.setattr(
        key_file, "secrets", SimpleNamespace(token_bytes=lambda n: made.append(draw(n)) or made[-1])
    )
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    root = planted.write_workspace(tmp_path / "workspace", tmp_path / "lists")

    def leaks(*said, also_given=()):
        given = [root / "logs", tmp_path / "lists", *also_given]
        values = found_in(planted.canaries(), files_below(tmp_path, but=given), *said)
        keys = planted.key_needles(made)
        store = root / "restricted" / "keys"
        return values + found_in(keys, files_below(tmp_path, but=[*given, store]), *said)

    return SimpleNamespace(root=root, keys=made, leaks=leaks)
