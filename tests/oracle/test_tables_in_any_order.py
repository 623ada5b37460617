"""The same lines, however they come: every byte that many tables release is the same."""

import gzip
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from figures_told import make_workspace, run_at, tree
from invented_log import COMPONENTS, HOSTS, Case, drawn_log
from plain_count import cells
from plain_lines import requests_of

CASE = Case("Europe/Berlin", date(2024, 3, 25), 9)  # a whole week, the change of the clock, a month's end
TABLES = {
    "components": {"dimensions": ["component", "sub_component"], "periods": ["day", "week"]},
    "ways": {"dimensions": ["referrer"], "periods": ["week"]},
    "doors": {"dimensions": ["entry_component"], "periods": ["week"]},
    "depth": {"dimensions": ["visit_depth"], "periods": ["week"]},
    "kinds": {"dimensions": ["visitor_type"], "periods": ["day"]},
    "frequency": {"dimensions": ["visit_frequency"], "periods": ["week"]},
}
SETTINGS = {
    "components": COMPONENTS,
    "hosts": HOSTS,
    "time_zone": CASE.zone,
    "thresholds": {"minimum_persons": 5, "minimum_networks": 1},
    "seal_after_days": 31,  # nothing is sealed while lines still come
}
SOON, LATE = datetime(2024, 4, 3, 12, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lines():
    """Of a small site, in the order of time; no two are the same. Of half as many people, so much more is withheld
    that each release takes twice the time.
    """
    found = drawn_log(CASE, 500, 5).splitlines(keepends=True)
    return sorted((line for line in found if requests_of(line)), key=lambda line: requests_of(line)[0].at)


@pytest.fixture(scope="module")
def expected(lines, tmp_path_factory):
    """What is released of one file with all the lines."""
    return _released(tmp_path_factory.mktemp("plain") / "w", {"a.log": b"".join(lines)})


def _released(root, logs):
    make_workspace(root, logs, tables=TABLES, **SETTINGS)
    run_at(root, LATE)
    return tree(root / "releases")


def test_there_is_something_to_release(expected):
    """Every table has figures, and some that are withheld."""
    for name in TABLES:
        texts = [content for path, content in expected.items() if path.endswith(f"/{name}.csv")]

        assert b"published" in b"".join(texts)
    assert any(b"suppressed" in content for content in expected.values())


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_order_of_lines_changes_nothing(lines, expected, tmp_path, seed):
    """Shuffled within the file: what happens in one second has no order."""
    mixed = random.Random(seed).sample(lines, len(lines))

    assert expected == _released(tmp_path / "w", {"a.log": b"".join(mixed)})


def test_how_lines_are_cut_into_files_changes_nothing(lines, expected, tmp_path):
    """Some files of some lines each, under names in another order."""
    rng = random.Random(3)
    cuts = sorted(rng.sample(range(1, len(lines)), 5))
    pieces = [b"".join(lines[begin:end]) for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]
    names = rng.sample("fedcba", 6)

    assert expected == _released(tmp_path / "w", {f"{n}.log": p for n, p in zip(names, pieces, strict=True)})


def test_packed_pieces_cut_anywhere_are_the_whole(lines, expected, tmp_path):
    """Members of one gzip file that begin and end in the middle of a line."""
    content, rng = b"".join(lines), random.Random(4)
    cuts = sorted(rng.sample(range(1, len(content)), 7))
    members = [content[begin:end] for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]
    packed = b"".join(gzip.compress(member, 1) for member in members)

    assert expected == _released(tmp_path / "w", {"a.log.gz": packed})


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.slow)])
def test_a_log_that_grew_anywhere_is_the_whole(lines, expected, tmp_path, seed):
    """Read when it ended in the middle of a line, read again when it is whole; and once more."""
    content = b"".join(lines)
    make_workspace(tmp_path / "w", {}, tables=TABLES, **SETTINGS)
    for size in (*sorted(random.Random(seed).sample(range(1000, len(content)), 2)), len(content)):
        (tmp_path / "w" / "logs" / "a.log").write_bytes(content[:size])
        run_at(tmp_path / "w", SOON)
    for _ in range(2):
        run_at(tmp_path / "w", LATE)

        assert expected == tree(tmp_path / "w" / "releases")


def test_days_may_come_in_any_order(lines, expected, tmp_path):
    """A file a day, the last ones first, with a run after each."""
    days = {}
    for line in lines:
        days.setdefault(_day(line), []).append(line)
    make_workspace(tmp_path / "w", {}, tables=TABLES, **SETTINGS)
    for day in random.Random(7).sample(sorted(days), len(days)):
        (tmp_path / "w" / "logs" / f"{day}.log").write_bytes(b"".join(days[day]))
        run_at(tmp_path / "w", SOON)
    run_at(tmp_path / "w", LATE)

    assert len(days) >= CASE.days
    assert expected == tree(tmp_path / "w" / "releases")


def _day(line):
    return datetime.fromtimestamp(requests_of(line)[0].at, UTC).astimezone(CASE.clock).date()


def test_a_run_every_night_releases_the_same(lines, expected, tmp_path):
    """Sealed day by day, each week when it is over: what was told early is what is told late."""
    root = tmp_path / "w"
    make_workspace(root, {}, tables=TABLES, **{**SETTINGS, "seal_after_days": 1})
    for day in sorted({_day(line) for line in lines}):
        content = b"".join(line for line in lines if _day(line) == day)
        (root / "logs" / f"{day}.log").write_bytes(content)
        run_at(
            root, datetime.combine(day + timedelta(1), datetime.min.time(), CASE.clock) + timedelta(hours=4)
        )
    run_at(root, LATE)

    assert expected == tree(root / "releases")


def test_ties_matter_to_the_oracle(lines):
    """The log has visits that begin with several page views in one second: without them the order proves little."""
    seconds = [(requests_of(line)[0].at, line.split(b" ")[0]) for line in lines]

    assert len(seconds) - len(set(seconds)) > 50
    assert cells([], ["component"]) == {}
