"""When the compiler is worth its start, and what a run says that it read."""

import gzip
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from usage_stats.errors import ConfigError, InputError
from usage_stats.flow import ingest as ingest_module
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.ingest import event_files, ingest
from usage_stats.flow.reporter import Silent

MEBIBYTE = 1 << 20
_is_large = ingest_module._is_large  # noqa: SLF001 what decides is not worth a public name


def _unread(tmp_path, *contents):
    """Logs of such content, as `_is_large` looks at them."""
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    return [SimpleNamespace(log=SimpleNamespace(path=tmp_path / str(n))) for n in range(len(contents))]


@pytest.mark.parametrize(
    ("contents", "is_large"),
    [
        ([], False),
        ([bytes(19 * MEBIBYTE)], False),
        ([bytes(20 * MEBIBYTE)], True),
        ([bytes(11 * MEBIBYTE)] * 2, True),  # together
        ([b"\x1f\x8b" + bytes(MEBIBYTE)], False),
        ([b"\x1f\x8b" + bytes(2 * MEBIBYTE)], True),
        ([b"\x28\xb5\x2f\xfd" + bytes(2 * MEBIBYTE)], True),
        ([b"BZh" + bytes(2 * MEBIBYTE)], True),
        ([b"\xfd7zXZ" + bytes(2 * MEBIBYTE)], True),
    ],
    ids=["none", "small", "large", "two", "gz small", "gz", "zstd", "bzip2", "xz"],
)
def test_the_compiler_is_for_much_to_read(tmp_path, contents, is_large):
    """Some twenty megabytes of log in all; packed ones hold about ten times what they weigh."""

    assert is_large == _is_large(_unread(tmp_path, *contents))


def test_standard_input_alone_is_not_known_to_be_large():
    """Nobody can tell beforehand."""

    assert not _is_large([SimpleNamespace(log=SimpleNamespace(path=None))])


def test_a_small_run_does_not_load_the_compiler(site, views, noon):
    """Its start is longer than such a run."""
    site.log("a.log", views(noon(1)))
    code = (
        "import sys; from usage_stats.cli import app\n"
        "try:\n    app(['run', '-w', sys.argv[1]])\nexcept SystemExit as end:\n"
        "    print(end.code, *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(site.root)], capture_output=True, text=True, check=True
    )
    exit_code, *loaded = done.stdout.splitlines()[-1].split()

    assert ("0", True, False) == (exit_code, "numpy" in loaded, "numba" in loaded)


@pytest.mark.parametrize("is_large", [False, True])
def test_a_run_accounts_for_every_line(site, views, noon, monkeypatch, is_large):
    """Files, lines, parsed and rejected by reason, outcomes; compiled or not."""
    monkeypatch.setattr(ingest_module, "_is_large", lambda _: is_large)
    site.log(
        "a.log",
        views(noon(1)) + b"\nno line of a log\n" + views(noon(1), 3, first=40).replace(b"GET", b"POST"),
    )
    site.log("b.log.gz", gzip.compress(views(noon(2), 7)))
    site.log("empty.log", b"")
    first, second = (site.run(noon(2)).ingested for _ in range(2))

    assert (3, 2, 27, 25) == (first.files, first.new_files, first.lines, first.parsed)
    assert 2 == first.rejected.total() == first.rejected["blank"] + 1
    assert Counter(page_views=22, other_methods=3) == first.outcomes
    assert (3, 0, 0, 0) == (second.files, second.new_files, second.lines, second.parsed)


@pytest.mark.parametrize("is_large", [False, True])
def test_events_of_a_day_are_in_the_files_that_the_ledger_names(site, views, noon, monkeypatch, is_large):
    """Two tables per day and file read; nothing else lies there, and each is for its owner only."""
    monkeypatch.setattr(ingest_module, "_is_large", lambda _: is_large)
    site.log("a.log", views(noon(1)) + views(noon(2)))
    workspace = site.workspace
    ingest(workspace, noon(2), Silent())
    named = {
        p
        for table in ("page_views", "visitors")
        for day in (1, 2)
        for p in event_files(workspace, table, noon(day).date())
    }

    assert 4 == len(named)
    assert named == {path for path in (site.root / "restricted" / "events").rglob("*") if path.is_file()}
    assert [] == event_files(workspace, "page_views", noon(3).date())


def test_a_source_that_nobody_configured_is_told(site, views, noon):
    """Standard input belongs to a source by its name; the message lists them."""
    site.log("a.log", views(noon(1)))
    with pytest.raises(ConfigError, match="no source is named other; sources are: web"):
        ingest(site.workspace, noon(1), Silent(), standard_input="other")


def test_empty_logs_alone_are_an_error(site, noon):
    """Somebody looks in the wrong place."""
    site.log("a.log", b"")
    with pytest.raises(InputError, match="all 1 log files are empty"):
        site.run(noon(1))


def test_a_cookie_that_no_field_holds_is_told_before_anything_is_read(site, views, noon):
    """All visitors would be told apart by less than was meant."""
    site.log("a.log", views(noon(1)))
    site.configure(sources=[{"name": "web", "cookie": "visitor"}])
    with pytest.raises(ConfigError, match="cookie visitor is in no field of format combined"):
        site.run(noon(1))

    assert [] == site.workspace.ingested.entries()


def test_the_days_of_lines_are_those_of_the_reporting_zone(site, views, noon):
    """What the calendar is told by the ledger: lines of open days, per local day and source."""
    site.configure(time_zone="Pacific/Kiritimati")  # noon UTC is 2 o'clock of the next day there
    site.log("a.log", views(noon(1)))
    ingest(site.workspace, noon(2), Silent())

    assert [{"2026-04-02": 15}] == [e["lines_by_day"] for e in site.workspace.ingested.entries()]
    assert {noon(2).date()} == set(calendar_of(site.workspace, noon(2)).lines["web"])
