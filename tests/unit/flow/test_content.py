"""Which files are looked at, and that each line of them counts once by the whole journey."""

import gzip
import json
import os
from datetime import timedelta

import pytest

from usage_stats.config import Source
from usage_stats.errors import InputError
from usage_stats.flow import ingest as ingest_module
from usage_stats.flow.content import Unchanged, find_logs

WEB = Source(name="web")
LONG_AGO = 1_000_000_000  # seconds; a file that changed then is not being written now


def test_hidden_files_and_folders_are_no_logs(tmp_path):
    """A pattern takes files only, each once, in order."""
    (tmp_path / "logs" / "b").mkdir(parents=True)
    for name in (".hidden", "z.log", "a.log"):
        (tmp_path / "logs" / name).touch()
    found = find_logs(tmp_path, Source(logs=("logs/*", "logs/z*")))

    assert ["a.log", "z.log"] == [path.name for path in found]


def test_a_pattern_without_files_is_told(tmp_path):
    """Which pattern, of which source, and where it was looked for."""
    with pytest.raises(InputError, match=r"source web: no file fits elsewhere/\*\.log \(looked in "):
        find_logs(tmp_path, Source(logs=("elsewhere/*.log",)))


def test_patterns_may_be_absolute_and_deep(tmp_path):
    """`**` is any folders; a pattern that begins with / is not of the workspace."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("one.log", "a/two.log", "a/b/three.log"):
        (tmp_path / name).touch()
    found = find_logs(tmp_path / "a", Source(logs=(f"{tmp_path}/**/*.log",)))

    assert ["one.log", "three.log", "two.log"] == sorted(path.name for path in found)


# ---------------------------------------------------------------- files that did not change since they were read


@pytest.fixture
def read_before(site, views, noon):
    """A workspace whose ledger knows a line, and a log that was written long ago."""
    site.log("a.log", views(noon(1)))
    site.run(noon(1))
    path = site.root / "logs" / "b.log"
    _write(path, b"one\n")
    return site, path


def _write(path, content, *, at=LONG_AGO):
    path.write_bytes(content)
    os.utime(path, (at, at))


def _remembering(site, *paths, source=WEB):
    """What a run hands on to the next after it read files to their end."""
    unchanged = Unchanged(site.workspace)
    for path in paths:
        unchanged.add(source, path, Unchanged.stamp(path))
    unchanged.keep([(source, path) for path in paths])
    return Unchanged(site.workspace)


def test_a_file_that_was_read_and_did_not_change_is_passed_over(read_before):
    """By the next run, too; a file that was never read is not."""
    site, path = read_before
    other = path.with_name("c.log")
    _write(other, b"one\n")
    unchanged = _remembering(site, path)

    assert (True, False) == (unchanged.covers(WEB, path), unchanged.covers(WEB, other))


@pytest.mark.parametrize(
    "change", ["longer", "shorter", "same length", "same length and time", "replaced", "touched"]
)
def test_a_file_that_changed_is_looked_at_again(read_before, change):
    """However little of it changed: its size, its times, or which file it is."""
    site, path = read_before
    unchanged = _remembering(site, path)
    if change == "replaced":
        other = path.with_name("other")
        _write(other, b"one\n")
        other.replace(path)
    elif change == "touched":
        os.utime(path, (LONG_AGO, LONG_AGO + 1))
    else:
        content = {"longer": b"one\ntwo\n", "shorter": b"one"}.get(change, b"two\n")
        _write(path, content, at=LONG_AGO + (change != "same length and time"))

    assert not unchanged.covers(WEB, path)


def test_what_one_source_read_is_unread_for_another(read_before):
    """Sources that are named apart count apart."""
    site, path = read_before

    assert not _remembering(site, path).covers(Source(name="other"), path)


@pytest.mark.parametrize(("age", "is_remembered"), [(0.5, False), (1.9, False), (2.1, True), (100, True)])
def test_a_file_that_changed_just_now_is_looked_at_again(read_before, monkeypatch, age, is_remembered):
    """It may be written once more within the tick of its clock, and no time would tell."""
    site, path = read_before
    monkeypatch.setattr("usage_stats.flow.content.time.time", lambda: path.stat().st_mtime + age)

    assert is_remembered == _remembering(site, path).covers(WEB, path)


def test_files_that_went_away_are_forgotten(read_before):
    """A name that comes again later is read again, and the list does not grow for ever."""
    site, path = read_before
    _remembering(site, path)
    unchanged = Unchanged(site.workspace)
    unchanged.keep([])

    assert {} == json.loads((site.root / "restricted" / "read_files.json").read_bytes())["seen"]
    assert not Unchanged(site.workspace).covers(WEB, path)


def test_without_the_ledgers_word_nothing_was_read(read_before):
    """The list is a shortcut: a workspace whose ledger is empty reads everything."""
    site, path = read_before
    _remembering(site, path)
    for file in (site.root / "restricted" / "ledgers").glob("ingest*"):
        file.unlink()

    assert [] == site.workspace.ingested.entries()
    assert not Unchanged(site.workspace).covers(WEB, path)


def test_the_list_is_for_its_owner_only_and_holds_no_line(read_before):
    """Names, sizes and times."""
    site, path = read_before
    _remembering(site, path)
    stored = site.root / "restricted" / "read_files.json"

    assert 0o600 == stored.stat().st_mode & 0o777
    assert {f"web {path}": Unchanged.stamp(path)} == json.loads(stored.read_bytes())["seen"]


def test_an_unchanged_log_is_not_opened_again(site, views, noon, monkeypatch):
    """Years of old logs cost a run nothing; what was added is read all the same."""
    for day in (1, 2):
        site.log(f"{day}.log", views(noon(day)))
        os.utime(site.root / "logs" / f"{day}.log", (LONG_AGO, LONG_AGO))
    site.run(noon(2))
    opened, look_at = [], ingest_module.look_at  # the one place where a log is opened first
    monkeypatch.setattr(
        ingest_module, "look_at", lambda source, log: opened.append(log.path.name) or look_at(source, log)
    )
    site.log("2.log", views(noon(2)) + views(noon(2), 3, first=50))
    second = site.run(noon(2))

    assert ["2.log"] == opened
    assert (3, 15 + 15 + 3) == (second.ingested.lines, _page_views(site))


# ---------------------------------------------------------------- every line counts once, by the whole journey


def _page_views(site):
    return sum(outcomes.get("page_views", 0) for outcomes in site.outcomes())


def test_two_logs_of_equal_length_are_each_read_once(site, views, noon):
    """Two different files may happen to be equally long: the second run reads neither of them again."""
    site.log("a.log", views(noon(1)))
    site.log("b.log", views(noon(2)))
    site.run(noon(2))
    second = site.run(noon(2))

    assert 0 == second.ingested.lines
    assert 30 == _page_views(site)


def test_growth_of_two_logs_of_equal_length_is_read_once(site, views, noon):
    """The same, when both have grown: only what was added is new."""
    for name, day in (("a.log", 1), ("b.log", 2)):
        site.log(name, views(noon(day)))
    site.run(noon(2))
    for name, day in (("a.log", 1), ("b.log", 2)):
        site.log(name, views(noon(day)) + views(noon(day) + timedelta(hours=1), 2))
    second = site.run(noon(2))

    assert 4 == second.ingested.lines
    assert 34 == _page_views(site)


def test_two_identical_lines_in_one_log_both_count(site, views, noon):
    """They are two requests; only a second copy of a whole content is none."""
    site.log("a.log", views(noon(1)) * 2)
    site.log("b.log", views(noon(1)) * 2)
    site.run(noon(1))

    assert 30 == _page_views(site)


def test_a_line_cut_while_it_was_written_counts_once_it_is_whole(site, views, noon):
    """It is rejected first and read again: parsed + rejected = lines in each run, and 15 page views in all."""
    content = views(noon(1))
    site.log("a.log", content[:-60])
    site.run(noon(1))
    site.log("a.log", content)
    site.run(noon(1))

    assert [14, 1] == [outcomes["page_views"] for outcomes in site.outcomes()]


def test_a_whole_line_whose_newline_comes_later_counts_once(site, views, noon):
    """It was counted without its newline; the newline brings no line."""
    content = views(noon(1))
    site.log("a.log", content[:-1])
    site.run(noon(1))
    site.log("a.log", content + views(noon(1), 3, first=50))
    site.run(noon(1))

    assert [15, 3] == [outcomes["page_views"] for outcomes in site.outcomes()]


def test_rotation_loses_and_doubles_nothing(site, views, noon):
    """Read, grown, renamed, compressed, and a new file in its place: each line counts once."""
    site.log("access.log", views(noon(1)))
    site.run(noon(1))
    whole = views(noon(1)) + views(noon(1) + timedelta(hours=1), 4)
    site.log("access.log.1.gz", gzip.compress(whole))
    site.log("access.log", views(noon(2), 7))
    site.run(noon(2))
    site.run(noon(2))

    assert 15 + 4 + 7 == _page_views(site)


def test_a_log_and_its_earlier_copy_found_together_count_once(site, views, noon):
    """Overlap within one run, the longer file first by name."""
    half = views(noon(1))
    site.log("access.log", half + views(noon(1) + timedelta(hours=1), 4))
    site.log("backup.log", half)
    site.run(noon(1))

    assert 15 + 4 == _page_views(site)


def test_logs_joined_into_one_after_they_were_read_hold_nothing_new(site, views, noon):
    """Overlap: a.log and b.log were read; all.log holds both."""
    site.log("a.log", views(noon(1)))
    site.log("b.log", views(noon(2), 8))
    site.run(noon(2))
    site.log("all.log", views(noon(1)) + views(noon(2), 8))
    site.run(noon(2))

    assert 15 + 8 == _page_views(site)
