"""Files change while they are read, and what was remembered of them is lost or changed: no line is lost or doubled."""

import errno
import gzip
import json
import os
from datetime import UTC, datetime

import pytest

from usage_stats.accesslog.source import Source
from usage_stats.errors import InputError, LedgerError
from usage_stats.flow import ingest
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
NOON = datetime(2026, 4, 6, 12, tzinfo=UTC)
LONG_AGO = 1_600_000_000  # old enough for the shortcut that passes over unchanged files
MANY = 4000  # lines: 0.6 MB, which is read in three blocks
SECRET = ("10.7.", "Firefox", "/page")  # what lines say and messages must not


def _log(first, last):
    return b"".join(
        f"10.7.{n % 250}.{n // 250} - - [06/Apr/2026:{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02} +0000] "
        f'"GET /page{n} HTTP/1.1" 200 {n} "-" "{AGENT}"\n'.encode()
        for n in range(first, last)
    )


class Site:
    """A workspace whose logs a test changes, also in the middle of a run."""

    def __init__(self, root):
        self.root, self.logs = root, root / "logs"
        self.logs.mkdir(parents=True)
        (root / "usage_stats.yaml").write_text(json.dumps({"site": "changing"}))
        versions = [{"version": "1", "effective": "2010-01-01", "uses": ["internal_aggregate"]}]
        (root / "policy.yaml").write_text(json.dumps({"versions": versions}))

    def put(self, name, content):
        (self.logs / name).write_bytes(content)
        os.utime(self.logs / name, (LONG_AGO, LONG_AGO))

    def run(self, reporter=None):
        return run(open_workspace(self.root), NOON, reporter or Silent())

    @property
    def remembered(self):
        return self.root / "restricted" / "read_files.json"

    def count(self):
        """Lines and page views over all runs."""
        entries = open_workspace(self.root).ingested.entries()
        views = sum(entry["outcomes"].get("page_views", 0) for entry in entries)
        return sum(entry["lines"] for entry in entries), views


class Meanwhile(Silent):
    """Does something once, when the first bytes of a log were read."""

    def __init__(self, act):
        self._act = act
        self.is_done = False

    def advance(self, _):
        if not self.is_done:
            self.is_done = True
            self._act()


@pytest.fixture
def site(tmp_path):
    """A log of several blocks."""
    found = Site(tmp_path / "site")
    found.put("access.log", _log(0, MANY))
    return found


def _tried(site, act):
    """A run during which something happens."""
    meanwhile = Meanwhile(act)
    _run_or_stop(site, meanwhile)
    assert meanwhile.is_done


def _run_or_stop(site, reporter=None):
    """A run; if it stops, then with an error for the user that tells no value."""
    told = ""
    try:
        site.run(reporter)
    except InputError as error:
        told = str(error)
    assert [] == [word for word in SECRET if word in told]


# ---------------------------------------------------------------- while it is read


def _appended(site):
    with (site.logs / "access.log").open("ab") as file:
        file.write(_log(MANY, MANY + 30))


def _appended_in_part(site):
    with (site.logs / "access.log").open("ab") as file:
        file.write(_log(MANY, MANY + 30)[:-50])


def _rotated(site):
    (site.logs / "access.log").rename(site.logs / "access.log.1")
    site.put("access.log", _log(MANY, MANY + 30))


def _renamed_and_nothing_in_its_place(site):
    (site.logs / "access.log").rename(site.logs / "access.log.1")


def _copied_and_truncated(site):
    site.put("access.log.1", _log(0, MANY))
    os.truncate(site.logs / "access.log", 0)


def _packed_and_removed(site):
    site.put("access.log.1.gz", gzip.compress(_log(0, MANY), 1))
    (site.logs / "access.log").unlink()


def _truncated_and_grown(site):
    site.put("access.log.1", _log(0, MANY))
    os.truncate(site.logs / "access.log", 0)
    with (site.logs / "access.log").open("ab") as file:
        file.write(_log(MANY, MANY + 2000))


def _truncated_and_grown_beyond(site):
    site.put("access.log.1", _log(0, MANY))
    os.truncate(site.logs / "access.log", 0)
    with (site.logs / "access.log").open("ab") as file:
        file.write(_log(MANY, 2 * MANY + 500))


@pytest.mark.parametrize(
    ("happens", "lines"),
    [
        (_appended, MANY + 30),
        (_rotated, MANY + 30),
        (_renamed_and_nothing_in_its_place, MANY),
        (_copied_and_truncated, MANY),
        (_packed_and_removed, MANY),
        (_truncated_and_grown, MANY + 2000),
        (_truncated_and_grown_beyond, 2 * MANY + 500),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_file_that_changes_while_it_is_read_counts_each_line_once(site, happens, lines):
    """Whatever the run came to, after the next two every line that was ever written counts once."""
    _tried(site, lambda: happens(site))
    site.run()
    site.run()

    assert (lines, lines) == site.count()


def test_a_line_that_is_being_written_counts_when_it_is_whole(site):
    """The log grows while it is read, up to the middle of a line; later the rest of it comes."""
    _tried(site, lambda: _appended_in_part(site))
    site.run()
    between = site.count()
    site.put("access.log", _log(0, MANY + 30))
    site.run()

    assert (MANY + 30, MANY + 29) == between
    assert (MANY + 30, MANY + 30) == site.count()


def test_a_file_replaced_while_it_is_read_stops_the_run_with_the_reason(site):
    """Nothing of it counts, the message names the file, and the next run takes up both."""
    with pytest.raises(InputError, match=r"access\.log: was replaced while it was read") as stopped:
        site.run(Meanwhile(lambda: _rotated(site)))

    assert 11 == stopped.value.exit_code
    assert (0, 0) == site.count()


@pytest.mark.parametrize("step", ["find_logs", "look_at", "_is_large"])
def test_a_file_that_goes_away_at_any_step_is_no_bug(site, monkeypatch, step):
    """Between two looks at it, a log is renamed: an error for the user at most, and nothing is lost."""
    original = getattr(ingest, step)

    def after(*arguments):
        result = original(*arguments)
        if (site.logs / "access.log").exists():
            (site.logs / "access.log").rename(site.logs / "access.log.1")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(ingest, step, after)
        _run_or_stop(site)
    site.run()

    assert (MANY, MANY) == site.count()


def test_a_disk_that_fails_in_the_middle_loses_nothing(site, monkeypatch):
    """What was read counts; when the disk is well again, the rest is read, though the file never changed."""
    read = Source._read  # noqa: SLF001 where bytes come from the disk
    calls = []

    def failing(source):
        calls.append(source)
        if len(calls) > 3:
            raise OSError(errno.EIO, "Input/output error")
        return read(source)

    with monkeypatch.context() as patch:
        patch.setattr(Source, "_read", failing)
        _run_or_stop(site)
    assert site.count()[0] < MANY
    site.run()

    assert (MANY, MANY) == site.count()


def test_a_packed_log_in_the_making_loses_nothing(site):
    """A gzip is found again and again while it is written, the plain file beside it: each line once in the end."""
    packed = gzip.compress(_log(0, MANY), 6)
    for part in (10, len(packed) // 2, len(packed) - 4, len(packed)):
        site.put("access.log.1.gz", packed[:part])
        _run_or_stop(site)
    (site.logs / "access.log").unlink()
    site.run()

    assert (MANY, MANY) == site.count()


def test_a_packed_log_alone_in_the_making_loses_nothing(site):
    """The same where the plain file is gone."""
    (site.logs / "access.log").unlink()
    packed = gzip.compress(_log(0, MANY), 6)
    for part in (10, len(packed) // 2, len(packed) - 4, len(packed)):
        site.put("access.log.1.gz", packed[:part])
        _run_or_stop(site)

    assert (MANY, MANY) == site.count()


# ---------------------------------------------------------------- what was remembered of files


@pytest.fixture
def small(tmp_path):
    """Three hundred lines, read; then the log has grown by thirty."""
    found = Site(tmp_path / "small")
    found.put("a.log", _log(0, 200))
    found.put("b.log", _log(200, 300))
    found.run()
    found.put("b.log", _log(200, 330))
    return found


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"[]", b"null", b"7", b'{"web": 1}', b"\xff\xfe\x00", b'{"web a": [1, "x"]}'],
    ids=repr,
)
def test_a_shortcut_that_is_lost_or_garbage_loses_nothing(small, content):
    """It is but a shortcut: without it all files are read again, and each line still counts once."""
    small.remembered.unlink()
    if content is not None:
        small.remembered.write_bytes(content)
    small.run()

    assert (330, 330) == small.count()


def test_a_shortcut_older_than_the_ledger_loses_nothing(small):
    """A run was killed before it could write it down, or a backup of this one file was put back."""
    old = small.remembered.read_bytes()
    small.run()
    small.remembered.write_bytes(old)
    small.run()

    assert (330, 330) == small.count()


def test_a_shortcut_newer_than_the_ledger_loses_nothing(small):
    """The ledgers come from a backup, the shortcut does not: it says that lines were read that no ledger has."""
    ledgers = small.root / "restricted" / "ledgers"
    fingerprints = small.root / "restricted" / "fingerprints"
    saved = {path: path.read_bytes() for folder in (ledgers, fingerprints) for path in folder.iterdir()}
    small.run()
    assert (330, 330) == small.count()
    for path, content in saved.items():
        path.write_bytes(content)
    small.run()

    assert (330, 330) == small.count()


def test_a_shortcut_is_of_one_content_only(small):
    """Another file of the same size and time in its place is read: its inode and its change time are its own."""
    other = _log(500, 700)
    content = (small.logs / "a.log").read_bytes()
    other += b"\n" * (len(content) - len(other)) if len(other) < len(content) else b""
    small.put("a.log", other[: len(content)])
    lines = len(other[: len(content)].split(b"\n")) - other[: len(content)].endswith(b"\n")
    small.run()

    assert 330 + lines == small.count()[0]


@pytest.mark.parametrize("how", ["lost", "cut", "longer", "changed", "emptied"])
def test_fingerprints_that_cannot_be_trusted_stop_everything(small, how):
    """Without them lines would count twice: exit code 17 with the file's name, and nothing is read."""
    path = max((small.root / "restricted" / "fingerprints").iterdir(), key=lambda p: p.stat().st_size)
    content = path.read_bytes()
    assert 1600 == len(content)
    {
        "lost": path.unlink,
        "cut": lambda: path.write_bytes(content[:-8]),
        "longer": lambda: path.write_bytes(content + bytes(8)),
        "changed": lambda: path.write_bytes(content[:800] + bytes(8) + content[808:]),
        "emptied": lambda: path.write_bytes(b""),
    }[how]()
    with pytest.raises(LedgerError, match=path.name) as stopped:
        small.run()

    assert 17 == stopped.value.exit_code
    assert (300, 300) == small.count()


def test_a_content_key_that_is_lost_stops_everything(small):
    """Under a new one every line would be another: exit code 17, and nothing is read."""
    (small.root / "restricted" / "keys" / "changing" / "ingest" / "content.key").unlink()
    with pytest.raises(LedgerError) as stopped:
        small.run()

    assert 17 == stopped.value.exit_code
    assert (300, 300) == small.count()


def test_leftovers_of_a_killed_run_do_not_count(small):
    """Fingerprints and events that no ledger entry names are nobody's, and go."""
    for folder in ("fingerprints", "events/day=2026-04-06"):
        (small.root / "restricted" / folder / "0000.leftover").write_bytes(b"half")
    small.run()

    assert (330, 330) == small.count()
    assert [] == list((small.root / "restricted").rglob("*.leftover"))
