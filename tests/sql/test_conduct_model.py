"""event.conduct_day and what the settings make of it, against plain Python."""

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyarrow.parquet as pq
import pytest

from usage_stats.measure.conduct import CONDUCT, RULES, excluded_persons
from usage_stats.robot_settings import Behaviour, RobotSettings
from usage_stats.sqlmodel import run_model

LIMITS = {"maximum_rate": 60, "without_assets_from": 10, "error_share_from": 20, "maximum_error_share": 0.5}
COUNTS = ("requests", "page_views", "assets", "errors", "asks_robots_txt")
ALL_EXCLUDE = Behaviour(
    asks_for_robots_txt="robot", rate="robot", without_assets="robot", error_share="robot"
)
DAY = date(2026, 3, 29)
NEXT_DAY = DAY + timedelta(days=1)


def _row(person=1, *, day=DAY, requests=0, page_views=0, assets=0, errors=0, asks_robots_txt=0):
    """What one batch tells of a person's day."""
    return (person, day, requests, page_views, assets, errors, asks_robots_txt)


def event(second, person=1, *, day=DAY):
    """One page view, so many seconds after midnight."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {"viewed_at": midnight + timedelta(seconds=second), "event_date": day, "person": person}


def events(rows):
    """A frame of page views."""
    schema = {"viewed_at": pl.Datetime("ms", "UTC"), "event_date": pl.Date, "person": pl.UInt64}
    return pl.DataFrame(rows, schema=schema)


def _reader(person, *, day=DAY):
    """A person as most are: two pages, some pictures."""
    return _row(person, day=day, requests=8, page_views=2, assets=6)


def _conduct(rows):
    return pl.DataFrame(rows, schema=list(pl.from_arrow(CONDUCT.empty_table()).schema.items()), orient="row")


def _flags(rows, views=(), **limits):
    """The names of the rules that are true, by person and day."""
    inputs = {"event.conduct": _conduct(rows), "event.page_view": events(list(views))}
    table = run_model("event.conduct_day", inputs, parameters=LIMITS | limits)
    return {(r["person"], r["event_date"]): {rule for rule in RULES if r[rule]} for r in table.to_pylist()}


def _by_hand(rows, views):
    """The same, counted in plain Python."""
    total, minutes = defaultdict(Counter), defaultdict(Counter)
    for person, day, *counts in rows:
        total[person, day].update(dict(zip(COUNTS, counts, strict=True)))
    for view in views:
        minutes[view["person"], view["event_date"]][view["viewed_at"].replace(second=0)] += 1
    readers = defaultdict(list)
    for (_, day), t in total.items():
        if t["page_views"]:
            readers[day].append(t["assets"] > 0)
    logged = {day: sum(have) > len(have) / 2 for day, have in readers.items()}
    found = {}
    for key in {*total, *minutes}:
        t = total.get(key, Counter())
        found[key] = {
            rule
            for rule, holds in {
                "asks_for_robots_txt": t["asks_robots_txt"] > 0,
                "without_assets": logged.get(key[1]) and t["page_views"] >= 10 and t["assets"] == 0,
                "rate": max(minutes[key].values(), default=0) > 60,
                "error_share": t["requests"] >= 20 and t["errors"] > t["requests"] / 2,
            }.items()
            if holds
        }
    return found


def _random_day(seed):
    rng = random.Random(seed)
    rows, views = [], []
    for person in range(60):
        key = person + 2**64 - 100  # pseudonyms fill 64 bits
        for _ in range(rng.randrange(1, 4)):
            pages = rng.choice([0, 0, 3, 5, 10])
            requests = pages + rng.choice([0, 5, 10, 20])
            rows.append(
                _row(
                    key,
                    day=rng.choice([DAY, NEXT_DAY]),
                    requests=requests,
                    page_views=pages,
                    assets=rng.choice([0, 0, 4]),
                    errors=rng.choice([0, requests // 2, requests]),
                    asks_robots_txt=int(rng.random() < 0.05),
                )
            )
        views += [event(rng.randrange(90), key) for _ in range(rng.choice([0, 50, 90, 130]))]
    rng.shuffle(rows)
    return rows, views


@pytest.mark.parametrize("seed", range(6))
def test_flags_are_what_counting_by_hand_gives(seed):
    """Everyone of whom conduct is known, batches added up, each rule judged alone; of others, who is flagged."""
    rows, views = _random_day(seed)
    found, by_hand = _flags(rows, views), _by_hand(rows, views)
    known = {(person, day) for person, day, *_ in rows}

    assert {key: rules for key, rules in by_hand.items() if rules} == {k: r for k, r in found.items() if r}
    assert known <= found.keys() <= by_hand.keys()
    assert set(RULES) - {"without_assets"} <= set().union(*found.values())


def test_who_asks_for_the_rules_for_robots_is_flagged():
    """Once is enough: browsers never ask."""
    rows = [_reader(1), _reader(2), _row(2, requests=1, asks_robots_txt=1)]

    assert {(1, DAY): set(), (2, DAY): {"asks_for_robots_txt"}} == _flags(rows)


@pytest.mark.parametrize(("views", "flagged"), [(60, set()), (61, {"rate"})])
def test_rate_is_the_busiest_minute_of_the_clock(views, flagged):
    """Sixty page views in a minute are still a person's, one more is not."""
    at = [event(600 + n % 60) for n in range(views)]

    assert {(1, DAY): flagged} == _flags([_reader(1)], at)


def test_many_views_spread_over_minutes_are_no_rate():
    """A long day of reading is no fault: 200 pages at one every ten seconds."""
    at = [event(600 + 10 * n) for n in range(200)]

    assert {(1, DAY): set()} == _flags([_reader(1)], at)


def test_no_rate_is_added_up_over_days_or_persons():
    """Forty views here and forty there are two readers."""
    at = [
        event(600 + n, person, day=day)
        for n in range(40)
        for person, day in [(1, DAY), (2, DAY), (1, NEXT_DAY)]
    ]

    rows = [_reader(1), _reader(2), _reader(1, day=NEXT_DAY)]

    assert {(1, DAY): set(), (2, DAY): set(), (1, NEXT_DAY): set()} == _flags(rows, at)


@pytest.mark.parametrize(("pages", "flagged"), [(9, set()), (10, {"without_assets"})])
def test_without_assets_speaks_only_from_ten_pages_on(pages, flagged):
    """Few pages may all come from a cache."""
    rows = [_reader(2), _reader(3), _row(1, requests=pages, page_views=pages)]

    assert flagged == _flags(rows)[1, DAY]


def test_without_assets_is_silent_where_the_log_carries_none():
    """Assets served by others are nobody's fault."""
    rows = [_row(person, requests=20, page_views=20) for person in range(5)]

    assert {frozenset()} == {frozenset(found) for found in _flags(rows).values()}


def test_without_assets_is_silent_where_few_readers_load_any():
    """A stray icon on this host, all else elsewhere: its readers are not robots for lacking it."""
    rows = [_row(person, requests=20, page_views=20) for person in range(5)]
    rows += [_reader(person) for person in range(5, 9)]

    assert {frozenset()} == {frozenset(found) for found in _flags(rows).values()}


def test_whether_assets_are_logged_is_judged_day_by_day():
    """The day on which assets moved elsewhere makes nobody a robot."""
    rows = [_reader(2), _reader(3), _row(1, day=NEXT_DAY, requests=20, page_views=20)]

    assert set() == _flags(rows)[1, NEXT_DAY]


@pytest.mark.parametrize(
    ("requests", "errors", "flagged"),
    [(19, 19, set()), (20, 10, set()), (20, 11, {"error_share"}), (21, 11, {"error_share"})],
)
def test_error_share_needs_many_requests_and_more_failures_than_answers(requests, errors, flagged):
    """Half in vain is still a person's; and a handful says nothing."""

    assert {(1, DAY): flagged} == _flags([_row(1, requests=requests, errors=errors)])


def test_page_views_without_conduct_are_judged_by_their_rate():
    """What one table lacks, the other still tells."""
    at = [event(600, 7)] * 61

    assert {(7, DAY): {"rate"}} == _flags([], at)


def _excluded(rows, views=(), **settings):
    return excluded_persons(_conduct(rows), events(list(views)), RobotSettings(**settings))


def _flagged_by_each():
    """Person 1 asks for robots.txt, 2 loads no assets, 3 hurries, 4 fails; 5 to 8 read."""
    rows = [
        _row(1, requests=1, asks_robots_txt=1),
        _row(2, requests=10, page_views=10),
        _row(4, requests=30, errors=29),
        *(_reader(person) for person in (3, 5, 6, 7, 8)),
    ]
    return rows, [event(600, 3)] * 61


def test_by_default_the_rules_with_proof_exclude_and_the_signs_are_counted():
    """Asking for robots.txt and an inhuman rate exclude; no assets and errors do not."""
    found = _excluded(*_flagged_by_each())

    assert [1, 3] == found.excluded["person"].to_pylist()
    assert dict.fromkeys(RULES, 1) == found.flagged


def test_every_rule_excludes_where_the_settings_say_so():
    """What is a robot is the operator's decision, rule by rule."""
    found = _excluded(*_flagged_by_each(), behaviour=ALL_EXCLUDE)

    assert [1, 2, 3, 4] == found.excluded["person"].to_pylist()


def test_no_rule_excludes_where_all_are_only_counted():
    """Counting apart changes no figure."""
    counted = Behaviour(**dict.fromkeys(RULES, "count"))
    found = _excluded(*_flagged_by_each(), behaviour=counted)

    assert 0 == found.excluded.num_rows
    assert dict.fromkeys(RULES, 1) == found.flagged


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"maximum_rate": 61}, "rate"),
        ({"without_assets_from": 11}, "without_assets"),
        ({"error_share_from": 31}, "error_share"),
        ({"maximum_error_share": 1}, "error_share"),
    ],
)
def test_limits_are_the_settings(setting, rule):
    """A higher limit lets its one visitor pass."""
    flagged = _excluded(*_flagged_by_each(), **setting).flagged

    assert dict.fromkeys(RULES, 1) | {rule: 0} == flagged


def test_an_empty_day_excludes_nobody():
    """No rows in, none out, and a count of nought for every rule."""
    found = _excluded([])

    assert (0, dict.fromkeys(RULES, 0)) == (found.excluded.num_rows, found.flagged)


def test_files_are_judged_as_frames_are(tmp_path):
    """Conduct and events come as lists of files, one per batch."""
    rows, views = _flagged_by_each()
    halves = [_conduct(rows[:4]), _conduct(rows[4:])]
    paths = [tmp_path / f"{n}.parquet" for n in range(3)]
    for path, frame in zip(paths, [*halves, events(views)], strict=True):
        pq.write_table(frame.to_arrow(), path)
    found = excluded_persons(paths[:2], paths[2:], RobotSettings())

    assert _excluded(rows, views).excluded == found.excluded
