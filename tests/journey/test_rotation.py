"""Whatever becomes of a log's files between runs: each line counts once, and the same figures leave the house."""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import sys
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import zstandard

from usage_stats.errors import ConfigError
from usage_stats.flow import ingest
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
DAYS = (6, 7, 8, 9)  # Monday to Thursday, April 2026
LONG_AGO = 1_600_000_000  # a time stamp of files: old enough for the shortcut that passes over unchanged ones
LATER = datetime(2026, 6, 20, 12, tzinfo=UTC)  # everything is over, with week, month and grace


def _noon(day):
    """At noon of the 9th, the 6th is sealed and nothing else."""
    return datetime(2026, 4, day, 12, tzinfo=UTC)


def _lines_of(day, rng):
    """Some seventy lines of a day's first ten hours: page views, an asset, a robot, doubled lines, odd ones."""
    lines = []
    for n in range(60):
        when = f"{day:02}/Apr/2026:{n // 6:02}:{n % 6 * 10:02}:{rng.randrange(60):02} +0000"
        path = rng.choice(["/", "/", "/news/", "/news/today", "/logo.png"])
        agent = "Googlebot/2.1" if n % 13 == 5 else AGENT
        who = f"10.{n % 17}.{n % 19}.7"
        lines.append(f'{who} - - [{when}] "GET {path} HTTP/1.1" 200 5 "-" "{agent}"\n'.encode())
        if n % 11 == 3:
            lines.append(lines[-1])
        if n % 20 == 7:
            lines.append([b"\n", b"\x16\x03\x01 no request\n", b"- - -\n"][n // 20])
    return lines


def _whole_log():
    rng = random.Random(20260406)
    return [_lines_of(day, rng) for day in DAYS]


MONDAY, TUESDAY, WEDNESDAY, THURSDAY = _whole_log()
LOG = [*MONDAY, *TUESDAY, *WEDNESDAY, *THURSDAY]
N = len(MONDAY)  # lines of a day: as many in each


class Site:
    """A workspace whose logs, settings and clock a test sets."""

    def __init__(self, root, *, log_format="combined", **settings):
        self.root = root
        (root / "logs").mkdir(parents=True)
        components = [{"name": "home", "paths": ["/"]}, {"name": "news", "paths": ["/news/**"]}]
        base = {"site": "rotated", "components": components, "partners": [{"id": "acme"}], "gaps": "accept"}
        # Trying all formats takes as long as all else; W3C logs are recognised.
        base["sources"] = [{"name": "web", "format": log_format}]
        (root / "usage_stats.yaml").write_text(json.dumps(base | settings))
        uses = ["internal_aggregate", "partner_aggregate"]
        versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
        (root / "policy.yaml").write_text(json.dumps({"versions": versions}))

    def put(self, name, content):
        """Write a log file: lines, or bytes as they are."""
        path = self.root / "logs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else b"".join(content))
        os.utime(path, (LONG_AGO, LONG_AGO))

    def move(self, name, to):
        (self.root / "logs" / name).rename(self.root / "logs" / to)

    def remove(self, name):
        (self.root / "logs" / name).unlink()

    def run(self, now):
        return run(open_workspace(self.root), now, Silent())

    def forget_the_shortcut(self):
        (self.root / "restricted" / "read_files.json").unlink(missing_ok=True)

    def releases(self):
        top = self.root / "releases"
        return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}

    def totals(self):
        """All that the ledger says of lines, over all runs."""
        entries = open_workspace(self.root).ingested.entries()
        sums = Counter()
        for entry in entries:
            for part in ("lines", "parsed"):
                sums[part] += entry[part]
            for part in ("rejected", "outcomes", "lines_by_day"):
                sums.update({(part, name): n for name, n in entry[part].items()})
        return {what: n for what, n in sums.items() if n}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """One run over the whole log in one file."""
    site = Site(tmp_path_factory.mktemp("reference") / "site")
    site.put("access.log", LOG)
    site.run(LATER)
    assert len(LOG) == site.totals()["lines"]
    assert 6 == len({name.rpartition("/")[0] for name in site.releases()}), "four days, a week, a month"
    return SimpleNamespace(releases=site.releases(), totals=site.totals())


# ---------------------------------------------------------------- what becomes of the files: `yield` is a run


def _gz(lines):
    return gzip.compress(b"".join(lines), mtime=0)


def _renamed(site):
    site.put("access.log", LOG[: N + 9])
    yield _noon(7)
    site.move("access.log", "access.log.1")
    site.put("access.log", LOG[N + 9 :])


def _renamed_and_grown_before(site):
    site.put("access.log", LOG[: N + 9])
    yield _noon(7)
    site.put("access.log.1", LOG[: 2 * N])
    site.put("access.log", LOG[2 * N :])


def _packed_when_rotated(site):
    site.put("access.log", LOG[: N + 9])
    yield _noon(7)
    site.remove("access.log")
    site.put("access.log.1.gz", _gz(LOG[: 2 * N]))
    site.put("access.log", LOG[2 * N : 3 * N])
    yield _noon(8)
    site.move("access.log.1.gz", "access.log.2.gz")
    site.put("access.log.1.gz", _gz(LOG[2 * N : 3 * N + 5]))
    site.put("access.log", LOG[3 * N + 5 :])


def _copied_and_truncated(site):
    site.put("access.log", LOG[: N + 9])
    yield _noon(7)
    site.put("access.log.1", LOG[: N + 30])
    site.put("access.log", LOG[N + 30 : N + 50])
    yield _noon(7)
    site.put("access.log", LOG[N + 30 :])


def _copied_but_not_yet_truncated(site):
    site.put("access.log", LOG[: 2 * N])
    yield _noon(7)
    site.put("access.log.1", LOG[: 2 * N])
    yield _noon(7)
    site.put("access.log", LOG[2 * N :])


def _grown_line_by_line_over_days(site):
    for lines in (1, 2, 5, 40, N, N + 1, 2 * N - 1, 2 * N, 3 * N + 20, len(LOG)):
        site.put("access.log", LOG[:lines])
        yield _noon(6 + (lines - 1) // N)


def _torn_while_it_was_written(site):
    whole = b"".join(LOG)
    for lines, part in ((50, 0.3), (N + 2, 0.999), (2 * N + 7, 0.9), (3 * N, 0.01)):
        torn = LOG[lines][: max(1, int(len(LOG[lines]) * part))]
        site.put("access.log", b"".join(LOG[:lines]) + torn)
        yield _noon(6 + lines // N)
    site.put("access.log", whole)


def _torn_and_completed_where_it_was_rotated_to(site):
    site.put("access.log", b"".join(LOG[: N + 9]) + LOG[N + 9][:31])
    yield _noon(7)
    site.put("access.log.1.gz", _gz(LOG[: N + 10]))
    site.put("access.log", LOG[N + 10 :])


def _packed_anew_in_every_way(site):
    content = b"".join(LOG)
    ways = [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress]
    site.put("access.log", content[: len(content) // 2])
    yield _noon(9)
    for number, pack in enumerate(ways):
        site.put("access.log", pack(content))
        site.put(f"copy.{number}", pack(b"".join(LOG[: 50 * number])))
        yield _noon(9)


def _joined_from_rotated_files(site):
    for number, day in enumerate((MONDAY, TUESDAY, WEDNESDAY)):
        site.put(f"access.log.{number}", day)
    yield _noon(8)
    for number in range(3):
        site.remove(f"access.log.{number}")
    site.put("all.log", LOG)


def _joined_as_members_of_one_gzip(site):
    site.put("1.gz", _gz(MONDAY))
    site.put("2.gz", _gz(TUESDAY))
    yield _noon(7)
    site.put("all.gz", _gz(MONDAY) + _gz(TUESDAY) + _gz(WEDNESDAY))
    site.put("4.log", THURSDAY)


def _overlapping(site):
    site.put("a.log", LOG[: N + 40])
    site.put("b.log", LOG[N + 20 : 2 * N])
    yield _noon(8)
    site.put("c.log", LOG[2 * N - 4 : 3 * N + 4])
    site.put("d.log", LOG[3 * N :])
    site.put("e.log", LOG[N // 2 : 3 * N + 30])


def _newest_read_first(site):
    site.put("1.log", THURSDAY)
    site.put("2.log", TUESDAY)
    yield _noon(9)
    site.put("3.log", MONDAY + TUESDAY)
    site.put("4.log", TUESDAY + WEDNESDAY + THURSDAY)


def _found_under_two_paths(site):
    site.put("a.log", LOG[: 2 * N])
    logs = site.root / "logs"
    (logs / "b.log").symlink_to(logs / "a.log")
    (logs / "c.log").hardlink_to(logs / "a.log")
    yield _noon(8)
    (logs / "c.log").unlink()
    site.put("a.log", LOG)


def _one_file_a_day_deleted_when_old(site):
    for number, day in enumerate((MONDAY, TUESDAY, WEDNESDAY, THURSDAY)):
        site.put(f"access-{number}.log", day)
        if number > 1:
            site.remove(f"access-{number - 2}.log")
        yield _noon(6 + number)


def _grown_after_its_first_day_was_sealed(site):
    site.put("access.log", LOG[: 3 * N + 3])
    yield _noon(9)
    site.put("access.log", LOG[: 3 * N + 30])
    yield _noon(9)
    site.put("access.log", LOG)


def _packed_anew_after_all_was_sealed(site):
    site.put("access.log", LOG[: 2 * N])
    yield _noon(8)
    site.put("access.log", LOG)
    yield LATER
    site.remove("access.log")
    site.put("old.gz", _gz(LOG))
    site.put("old.xz", lzma.compress(b"".join(LOG)))


def _rotated_files_joined_after_the_first_was_sealed(site):
    site.put("1.log", MONDAY)
    site.put("2.log", TUESDAY)
    yield _noon(9)
    site.put("12.gz", _gz(MONDAY + TUESDAY))
    yield _noon(9)
    site.put("1234.gz", _gz(LOG))


def _cut_off_and_replaced_by_the_whole(site):
    site.put("access.log.1.gz", _gz(LOG[: 3 * N])[: 3 * len(_gz(LOG[: 3 * N])) // 5])
    yield _noon(9)
    site.put("access.log.1.gz", _gz(LOG[: 3 * N]))
    site.put("access.log", THURSDAY)


def _packed_while_the_file_is_still_there(site):
    packed = _gz(LOG[: 2 * N])
    site.put("access.log.1", LOG[: 2 * N])
    site.put("access.log.1.gz", packed[: len(packed) // 2])
    yield _noon(8)
    site.remove("access.log.1")
    site.put("access.log.1.gz", packed)
    site.put("access.log", LOG[2 * N :])


def _copied_while_the_file_is_still_there(site):
    site.put("access.log", LOG[: 2 * N])
    site.put("access.log.1", b"".join(LOG)[: len(b"".join(MONDAY)) + 100])
    yield _noon(8)
    site.put("access.log.1", LOG[: 2 * N])
    site.put("access.log", LOG[2 * N :])


def _grown_by_nothing_but_odd_lines(site):
    odd = next(n for n in range(N + 5, 2 * N) if LOG[n] == b"- - -\n" or LOG[n].startswith(b"\x16"))
    site.put("access.log", LOG[:odd])
    yield _noon(7)
    site.put("access.log", LOG[: odd + 1])
    yield _noon(7)
    site.put("access.log", LOG[: odd + 20])
    yield _noon(7)
    site.put("access.log", LOG)


def _sealed_without_its_last_newline(site):
    site.put("1.log", b"".join(MONDAY).removesuffix(b"\n"))
    yield _noon(9)
    site.put("1.gz", _gz(LOG[: 2 * N]))
    site.remove("1.log")
    site.put("2.log", LOG[2 * N :])


SCENARIOS = (
    _renamed,
    _renamed_and_grown_before,
    _packed_when_rotated,
    _copied_and_truncated,
    _copied_but_not_yet_truncated,
    _grown_line_by_line_over_days,
    _torn_while_it_was_written,
    _torn_and_completed_where_it_was_rotated_to,
    _packed_anew_in_every_way,
    _joined_from_rotated_files,
    _joined_as_members_of_one_gzip,
    _overlapping,
    _newest_read_first,
    _found_under_two_paths,
    _one_file_a_day_deleted_when_old,
    _grown_after_its_first_day_was_sealed,
    _packed_anew_after_all_was_sealed,
    _rotated_files_joined_after_the_first_was_sealed,
    _cut_off_and_replaced_by_the_whole,
    _packed_while_the_file_is_still_there,
    _copied_while_the_file_is_still_there,
    _grown_by_nothing_but_odd_lines,
    _sealed_without_its_last_newline,
)


def _three_times_more(site, now, *, has_overlaps):
    """Again as it is, again with every file read anew, again under other names: nothing changes.

    When all is sealed, a file that overlaps others may count as late; nothing else may count, and no figure changes.
    """
    releases, totals, outcomes = site.releases(), site.totals(), Counter()
    assert 0 == site.run(now).ingested.lines
    site.forget_the_shortcut()
    outcomes += site.run(now).ingested.outcomes
    for path in sorted((site.root / "logs").iterdir()):
        path.rename(path.with_name(f"old-{path.name}"))
    outcomes += site.run(now).ingested.outcomes

    assert releases == site.releases()
    assert set() == set(outcomes) - {"late"}
    if not has_overlaps:
        assert totals == site.totals()


def _play(site, scenario):
    for now in scenario(site):
        site.run(now)
        again = site.run(now).ingested.lines
        site.forget_the_shortcut()

        assert [0, 0] == [again, site.run(now).ingested.lines]
    site.run(LATER)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__[1:])
def test_files_come_and_go_and_each_line_counts_once(tmp_path, expected, scenario):
    """The releases are those of one run over the whole log, byte for byte; so are the sums of the ledger."""
    site = Site(tmp_path / "site")
    _play(site, scenario)

    assert expected.totals == site.totals()
    assert expected.releases == site.releases()
    _three_times_more(site, LATER, has_overlaps=scenario in {_overlapping, _packed_anew_in_every_way})


@pytest.mark.parametrize(
    "scenario",
    [_packed_when_rotated, _torn_while_it_was_written, _overlapping, _cut_off_and_replaced_by_the_whole],
    ids=lambda scenario: scenario.__name__[1:],
)
def test_the_compiled_path_counts_each_line_once_too(tmp_path, expected, scenario, monkeypatch):
    """Large logs take another way to the same figures."""
    monkeypatch.setattr(ingest, "_is_large", lambda _: True)
    site = Site(tmp_path / "site")
    _play(site, scenario)

    assert expected.totals == site.totals()
    assert expected.releases == site.releases()
    _three_times_more(site, LATER, has_overlaps=scenario in {_overlapping, _packed_anew_in_every_way})


@pytest.mark.parametrize(
    "scenario", [_overlapping, _packed_anew_in_every_way], ids=lambda scenario: scenario.__name__[1:]
)
def test_overlapping_files_are_known_after_sealing_too(tmp_path, expected, scenario):
    """Windows and beginnings of a sealed log, read before and _renamed since: nothing of them is late."""
    site = Site(tmp_path / "site")
    _play(site, scenario)
    site.forget_the_shortcut()
    site.run(LATER)

    assert expected.totals == site.totals()


# ---------------------------------------------------------------- logs whose header changes

_HEADER = (
    "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: {}\r\n#Fields: {}\r\n"
)
_SHORT = "date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)"
_LONG = "date time s-sitename c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken cs(User-Agent)"


def _w3c(day, first, last, fields=None):
    """Lines of a W3C log; with a header where fields are named anew."""
    is_long = day > 7
    agent = AGENT.replace(" ", "+")
    lines = [_HEADER.format(f"2026-04-{day:02} 00:00:0{first % 10}", fields)] if fields else []
    for n in range(first, last):
        page = "/news/" if n % 3 else "/"
        when = f"2026-04-{day:02} {n // 6:02}:{n % 6 * 10:02}:00"
        cells = (
            f"{when} W3SVC1 10.{n % 17}.{n % 19}.7 GET {page} - 200 15 {agent}"
            if is_long
            else f"{when} 10.{n % 17}.{n % 19}.7 GET {page} 200 {agent}"
        )
        lines.append(f"{cells}\r\n")
    return "".join(lines).encode()


_W3C_DAYS = [
    _w3c(6, 0, 60, _SHORT),
    _w3c(7, 0, 60, _SHORT),
    _w3c(8, 0, 60, _LONG),
    _w3c(9, 0, 60, _LONG),
]


def _w3c_grown(site):
    whole = b"".join(_W3C_DAYS)
    for day in range(1, 4):
        site.put("ex.log", whole[: len(b"".join(_W3C_DAYS[:day])) + 90 * day])
        yield _noon(6 + day)
    site.put("ex.log", whole)


def _w3c_a_file_a_day_then_joined(site):
    for number, day in enumerate(_W3C_DAYS):
        site.put(f"ex{number}.log", day)
        yield _noon(6 + number)
    site.put("all.log", b"".join(_W3C_DAYS))


def _w3c_joined_where_one_file_had_grown(site):
    """What is new stands between known lines, under the header that stands before it."""
    site.put("ex1.log", _W3C_DAYS[0] + b"".join(_W3C_DAYS[1].splitlines(keepends=True)[:40]))
    site.put("ex2.log", _W3C_DAYS[2])
    yield _noon(8)
    site.put("all.log", b"".join(_W3C_DAYS[:3]))
    site.put("ex4.log", _W3C_DAYS[3])


def _w3c_sealed_and_grown(site):
    site.put("ex.log", b"".join(_W3C_DAYS[:1]))
    yield _noon(9)
    site.put("ex.log", b"".join(_W3C_DAYS[:2]) + _W3C_DAYS[2][:2000])
    yield _noon(9)
    site.put("ex.log", b"".join(_W3C_DAYS))


@pytest.fixture(scope="module")
def expected_of_w3c(tmp_path_factory):
    """One run over the whole W3C log in one file."""
    site = Site(tmp_path_factory.mktemp("reference") / "site", log_format="auto")
    site.put("ex.log", b"".join(_W3C_DAYS))
    site.run(LATER)
    assert 240 == site.totals()["parsed"]
    assert 6 == len({name.rpartition("/")[0] for name in site.releases()})
    return SimpleNamespace(releases=site.releases(), totals=site.totals())


@pytest.mark.parametrize("is_large", [False, True], ids=["", "compiled"])
@pytest.mark.parametrize(
    "scenario",
    [_w3c_grown, _w3c_a_file_a_day_then_joined, _w3c_joined_where_one_file_had_grown, _w3c_sealed_and_grown],
    ids=lambda scenario: scenario.__name__[1:],
)
def test_a_header_means_the_lines_behind_it(tmp_path, expected_of_w3c, scenario, is_large, monkeypatch):
    """Lines are new, the `#Fields:` that they stand under was read before, and the next ones are other fields."""
    monkeypatch.setattr(ingest, "_is_large", lambda _: is_large)
    site = Site(tmp_path / "site", log_format="auto")
    _play(site, scenario)

    assert expected_of_w3c.totals == site.totals()
    assert expected_of_w3c.releases == site.releases()


# ---------------------------------------------------------------- several sources, and standard input


def test_sources_with_equal_files_count_both(tmp_path):
    """Two servers may write the same bytes: known lines are known of one source."""
    sources = [{"name": "one", "logs": ["logs/1/*"]}, {"name": "two", "logs": ["logs/2/*"]}]
    site = Site(tmp_path / "site", sources=sources)
    for name in ("1/a.log", "2/a.log"):
        site.put(name, LOG)
    first = site.run(LATER).ingested.lines
    site.forget_the_shortcut()

    assert [2 * len(LOG), 0] == [first, site.run(LATER).ingested.lines]


def test_a_file_of_two_sources_is_refused(tmp_path):
    """It would count twice: nothing is read, and both names are told."""
    sources = [{"name": "one", "logs": ["logs/*"]}, {"name": "two", "logs": ["logs/b*"]}]
    site = Site(tmp_path / "site", sources=sources)
    site.put("a.log", MONDAY)
    (site.root / "logs" / "b.log").hardlink_to(site.root / "logs" / "a.log")
    with pytest.raises(ConfigError, match=r"belongs to the sources one and two") as refused:
        site.run(LATER)

    assert 10 == refused.value.exit_code
    assert {} == site.totals()


@pytest.fixture
def piped(monkeypatch):
    """Read a content on standard input as a source's log; return how many lines count."""

    def read(site, content, now):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        workspace = open_workspace(site.root)
        with workspace.lock():
            return ingest.ingest(workspace, now, Silent(), standard_input="web").lines

    return read


def test_standard_input_counts_each_line_once(tmp_path, expected, piped):
    """Piped twice, packed or not, and as a file at last: nothing new."""
    site = Site(tmp_path / "site", sources=[{"name": "web", "logs": []}])
    content = b"".join(LOG)
    counts = [piped(site, c, _noon(9)) for c in (b"".join(LOG[:N]), content, gzip.compress(content), content)]
    site.run(LATER)

    assert [N, len(LOG) - N, 0, 0] == counts
    assert expected.totals == site.totals()
    assert expected.releases == site.releases()


def test_standard_input_changes_no_figure_after_sealing(tmp_path, expected, piped):
    """What comes through a pipe again once its days are sealed is late: it cannot be read twice to be known."""
    site = Site(tmp_path / "site", sources=[{"name": "web", "logs": []}])
    content = b"".join(LOG)
    piped(site, content, _noon(9))
    site.run(LATER)

    before = site.releases()
    for again in (content, gzip.compress(content)):
        piped(site, again, LATER)

    assert expected.releases == before == site.releases()
