"""What is kept of hits, and how they are counted: on which day, and without whom."""

import gc
import io
from collections import Counter
from datetime import UTC, date, datetime
from types import FunctionType, ModuleType
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invented_hits import BERLIN, CLASSIFY, CURL, DAY, FIREFOX, NOON, at, columns, hit, key_of

from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary
from usage_stats.deidentify import visitors as visitors_module
from usage_stats.deidentify.exclusion_lists import NOBODY
from usage_stats.deidentify.outcome import OUTCOMES, Judge
from usage_stats.deidentify.robots import Robots
from usage_stats.deidentify.strip import Stripper
from usage_stats.deidentify.visitors import Visitors
from usage_stats.errors import InternalError
from usage_stats.schemas import PAGE_VIEWS, VISITORS

ROBOTS = Robots()  # takes a while to make; it is asked only
COUNTS = ("requests", "page_views", "assets", "errors", "asks_robots_txt")
CANARIES = {
    "address": b"198.51.100.77",
    "account": b"canary-account",
    "cookie": b"canary-cookie",
    "agent": FIREFOX + b" canary-agent/1",
    "target": b"/news/canary-path?canary-query=canary@example.org",
    "referrer": b"http://canary-referrer.example/",
    "vhost": b"canary-vhost.example",
}


def _open(_day):
    return None


def _stripper(*, keys=key_of, gate=_open, zone=BERLIN, make=PlainVocabulary):
    return Stripper(Judge(CLASSIFY, ROBOTS, NOBODY, make), Visitors(keys, make), gate, zone=zone)


def _strip(*hits, **options):
    stripper = _stripper(**options)
    stripper.take(columns(*hits))
    return stripper.drain()


def _views(*drained):
    """All page views of some drains, each with its day."""
    return [row | {"day": d.day} for s in drained for d in s.days for row in d.page_views.to_pylist()]


def _visitors(*drained):
    return [row | {"day": d.day} for s in drained for d in s.days for row in d.visitors.to_pylist()]


HITS = st.builds(
    hit,
    at=st.integers(NOON - 40 * DAY, NOON + 40 * DAY) | st.integers(-(10**12), 10**12),
    address=st.sampled_from([b"192.0.2.7", b"2001:db8::1", b"host.example"]) | st.binary(max_size=9),
    account=st.none() | st.binary(min_size=1, max_size=4),
    cookie=st.none() | st.binary(min_size=1, max_size=4),
    agent=st.sampled_from([None, b"", FIREFOX, CURL]),
    method=st.sampled_from([b"GET", b"POST", None]),
    target=st.sampled_from([b"/", b"/shop", b"/shop/basket", b"/a.css", b"/robots.txt", b"*", None])
    | st.binary(max_size=9),
    status=st.integers(100, 599),
)


def _of_2026(of):
    return None if of.year == 2026 else "late"


@settings(deadline=None, max_examples=80)  # tables take their time on a busy machine
@given(batches=st.lists(st.lists(HITS, max_size=10), max_size=4), is_drained_between=st.booleans())
def test_every_hit_is_counted_once(batches, is_drained_between):
    """Outcomes add up to the hits, page views to the events, lines of open days to what is not late."""
    stripper, drained = _stripper(gate=_of_2026), []
    for batch in batches:
        stripper.take(columns(*batch))
        drained += [stripper.drain()] if is_drained_between else []
    drained.append(stripper.drain())
    outcomes = sum((d.outcomes for d in drained), Counter())
    hits = sum(map(len, batches))

    assert hits == outcomes.total()
    assert (
        outcomes["page_views"] == len(_views(*drained)) == sum(v["page_views"] for v in _visitors(*drained))
    )
    assert hits - outcomes["late"] == sum(d.lines_by_day.total() for d in drained)
    assert set(OUTCOMES) >= set(outcomes)


def _conduct_by_hand(hits):
    """Per visitor's address, account, cookie, agent and day: requests, page views, assets, errors, robots.txt."""
    found = {}
    for one in hits:
        if one.target is None or ROBOTS.is_robot(one.agent):
            continue
        path, is_answer = one.target.partition(b"?")[0], one.method == b"GET" and one.status in {200, 304}
        who = (
            ("account", one.account)
            if one.account
            else ("cookie", one.cookie)
            if one.cookie
            else ("address", one.agent)
        )
        counts = found.setdefault((*who, one.address, one.at // DAY), [0] * 5)
        is_asset = path.endswith((b".css", b".txt"))
        is_view = is_answer and path[:1] == b"/" and not is_asset
        flags = (True, is_view, is_answer and is_asset, one.status >= 400, path == b"/robots.txt")
        for place, holds in enumerate(flags):
            counts[place] += holds
    return sorted((who, *counts) for (who, *_), counts in found.items())


CONDUCT = st.builds(
    hit,
    at=st.integers(0, 3).map(lambda n: NOON + n * DAY // 2),
    address=st.sampled_from([b"192.0.2.7", b"192.0.2.8"]),
    account=st.sampled_from([None, None, b"ada"]),
    cookie=st.sampled_from([None, None, b"x", b"y"]),
    agent=st.sampled_from([None, FIREFOX, CURL]),
    method=st.sampled_from([b"GET", b"GET", b"HEAD"]),
    target=st.sampled_from([b"/", b"/a.css", b"/a.css?x", b"/robots.txt", b"*", None]),
    status=st.sampled_from([200, 200, 304, 302, 399, 400, 404, 500]),
)


@settings(deadline=None, max_examples=80)
@given(hits=st.lists(CONDUCT, max_size=25))
def test_conduct_is_what_counting_by_hand_gives(hits):
    """One row per visitor, address and day of people: all requests, the page views, assets and failures among them."""
    found = _visitors(_strip(*hits, zone=ZoneInfo("UTC")))

    assert _conduct_by_hand(hits) == sorted(
        (v["identity_basis"], *(v[name] for name in COUNTS)) for v in found
    )


@settings(deadline=None, max_examples=40)
@given(hits=st.lists(HITS | CONDUCT, max_size=24), size=st.integers(1, 8))
def test_batches_and_vocabularies_change_nothing(hits, size):
    """In one go or in pieces, compiled or not: the same rows, day by day."""
    whole = _strip(*hits, gate=_of_2026)
    pieces = _stripper(gate=_of_2026, make=CompiledVocabulary)
    for start in range(0, len(hits), size):
        pieces.take(columns(*hits[start : start + size]))
    found = pieces.drain()

    assert (whole.outcomes, whole.lines_by_day) == (found.outcomes, found.lines_by_day)
    assert [d.day for d in whole.days] == [d.day for d in found.days]
    assert _views(whole) == _views(found)
    assert sorted(map(str, _visitors(whole))) == sorted(map(str, _visitors(found)))


def test_a_persons_page_views_and_conduct_bear_the_same_name():
    """Page views are told under the week's names, of which the visitors' rows say who they are in the month."""
    hits = [hit(cookie=b"%d" % (n % 3), address=b"192.0.%d.1" % (n % 5)) for n in range(15)]
    stripped = _strip(*hits)

    names = [
        {(row["person"], row["network"]) for row in rows} for rows in (_views(stripped), _visitors(stripped))
    ]

    assert 15 == len(names[0])
    assert names[0] == names[1]


def test_files_and_runs_agree_within_a_window():
    """A person in two files of a week, read in two runs, is one person."""
    stripper = _stripper()
    drained = []
    for n in range(2):
        stripper.take(columns(hit(cookie=b"a", at=NOON + n * DAY), seed=n))
        drained.append(stripper.drain())
    drained.append(_strip(hit(cookie=b"a", at=NOON + 2 * DAY)))

    for name in ("person", "month_person", "network", "month_network"):
        assert 1 == len({row[name] for row in _visitors(*drained)})


def test_a_full_memory_changes_no_event(monkeypatch):
    """What was remembered of visitors is forgotten between drains, never within one."""
    hits = [hit(cookie=b"%d" % (n % 3), at=NOON + n * DAY) for n in range(9)]
    expected = _views(_strip(*hits))
    monkeypatch.setattr(visitors_module, "_MOST_VISITORS", 1)
    stripper, found = _stripper(), []
    for one in hits:
        stripper.take(columns(one))
        found += _views(stripper.drain())

    assert expected == found


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-28T22:59:59+00:00", "2026-03-28"),
        ("2026-03-28T23:00:00+00:00", "2026-03-29"),  # midnight in winter time
        ("2026-03-29T01:00:00+00:00", "2026-03-29"),  # the clock jumps from 2 to 3
        ("2026-03-29T21:59:59+00:00", "2026-03-29"),
        ("2026-03-29T22:00:00+00:00", "2026-03-30"),  # midnight in summer time: 23 hours
        ("2026-10-24T22:00:00+00:00", "2026-10-25"),
        ("2026-10-25T22:59:59+00:00", "2026-10-25"),  # 25 hours
        ("2026-10-25T23:00:00+00:00", "2026-10-26"),
    ],
)
def test_days_end_at_midnight_of_the_reporting_zone(moment, day):
    """A hit belongs to the day that the clock on the wall shows, also when clocks change."""
    stripped = _strip(hit(at=at(moment)))

    assert [date.fromisoformat(day)] == [d.day for d in stripped.days]
    assert {date.fromisoformat(day): 1} == dict(stripped.lines_by_day)


@settings(deadline=None, max_examples=200)
@given(
    day=st.dates(date(1980, 1, 2), date(2090, 1, 1)),
    seconds=st.integers(-4000, 4000),
    name=st.sampled_from(
        [
            "UTC",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "America/St_Johns",
            "Pacific/Apia",
            "America/Sao_Paulo",
        ]
    ),
)
@example(day=date(2026, 4, 6), seconds=-1, name="Asia/Kathmandu")
@example(day=date(2026, 4, 6), seconds=0, name="Asia/Kathmandu")
def test_a_day_is_the_zones_own(day, seconds, name):
    """In every zone, also around its midnight, the day is the local date of that very second."""
    zone = ZoneInfo(name)
    moment = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) + seconds
    expected = datetime.fromtimestamp(moment, zone).date()

    assert [expected] == list(_strip(hit(at=moment), zone=zone).lines_by_day)


@settings(deadline=None, max_examples=100)
@given(
    moments=st.lists(
        st.integers(NOON - 3 * DAY, NOON + 3 * DAY) | st.integers(0, 4 * 10**9), min_size=1, max_size=30
    )
)
def test_each_line_is_counted_on_its_own_day(moments):
    """Near together or decades apart, in any order: each hit's day is its own."""
    expected = Counter(datetime.fromtimestamp(moment, BERLIN).date() for moment in moments)

    assert expected == _strip(*(hit(at=moment) for moment in moments)).lines_by_day


@pytest.mark.parametrize(
    "moment", ["1970-01-01T00:00:00+00:00", "2099-06-01T12:00:00+00:00", "9999-12-31T23:59:59+00:00"]
)
def test_an_impossible_year_opens_no_day(moment):
    """A line of a day that takes none is counted under its reason, and leaves no event, no day and no key."""
    asked = []

    def gate(of):
        return "in_the_future" if of.year > 2026 else "before_first_day" if of.year < 2026 else None

    stripped = _strip(hit(at=at(moment)), gate=gate, keys=lambda *w: asked.append(w))

    assert 1 == stripped.outcomes["in_the_future"] + stripped.outcomes["before_first_day"]
    assert ((), [], []) == (stripped.days, list(stripped.lines_by_day), asked)


@pytest.mark.parametrize("moment", [-(10**12), -1, 253_402_300_799, 253_402_300_800, 10**12])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Niue"])
def test_no_time_raises(moment, zone):
    """Seconds that no calendar has end at the calendar's ends, where no day is open."""
    days = []
    _strip(hit(at=moment), zone=ZoneInfo(zone), gate=lambda of: days.append(of) or "late")

    assert 1 == len(days)
    assert all(of.year in {1969, 1970, 9998, 9999} for of in days)


def test_the_gate_is_asked_once_per_day():
    """Of millions of lines of one day, the calendar decides once."""
    days = []
    stripper = _stripper(gate=days.append)
    for _ in range(3):
        stripper.take(columns(*(hit(at=NOON + n * 60) for n in range(50)), hit(at=NOON + DAY)))

    assert [date(2026, 3, 4), date(2026, 3, 5)] == days


def test_a_page_view_of_a_sealed_window_is_a_bug():
    """A day that takes events without a key for them is a contradiction: it stops, and names the window only."""
    with pytest.raises(InternalError, match="2026-W10") as caught:
        _strip(hit(cookie=b"canary"), keys=lambda *_: None)

    assert "canary" not in str(caught.value)


def test_events_have_their_shape():
    """Columns, order and types are fixed, whether there is a page view, or conduct alone."""
    for one in (hit(), hit(status=404)):
        (of_day,) = _strip(one).days

        assert (PAGE_VIEWS, VISITORS) == (of_day.page_views.schema, of_day.visitors.schema)
        assert 1 == of_day.visitors.num_rows


def test_no_hits_are_no_days():
    """Nothing taken, or robots alone: nothing is kept."""

    assert ((), ()) == (_strip().days, _strip(hit(agent=CURL), hit(method=None, target=None)).days)


def test_an_event_says_when_and_where():
    """The second of the hit in UTC, the component, and the part of it where it has parts."""
    targets = [b"/shop/basket", b"/shop", b"/news/a", b"/x"]
    events = _views(_strip(*(hit(target=target) for target in targets)))

    expected = [("shop", "basket"), ("shop", "(other)"), ("news", None), ("(other)", None)]

    assert expected == [(e["component"], e["sub_component"]) for e in events]
    assert datetime.fromtimestamp(NOON, UTC) == events[0]["viewed_at"]


def test_each_day_has_its_own_events():
    """Hits of several days come apart, days in order, whatever the order of the lines."""
    hits = [hit(at=NOON + n * DAY, status=200 if n % 2 else 404) for n in (4, 1, 0, 1, 3)]
    days = _strip(*hits).days

    expected = [("2026-03-04", 0, 1), ("2026-03-05", 2, 1), ("2026-03-07", 1, 1), ("2026-03-08", 0, 1)]

    assert expected == [(d.day.isoformat(), len(d.page_views), len(d.visitors)) for d in days]


def test_what_waits_are_the_hits_of_people():
    """So that a caller can write before too many wait: robots and closed days take no memory."""
    stripper = _stripper(gate=lambda of: "late" if of.day == 5 else None)
    stripper.take(columns(hit(), hit(status=404), hit(agent=CURL), hit(at=NOON + DAY)))

    assert 2 == len(stripper)


def test_draining_starts_anew():
    """What was handed over is not handed over again."""
    stripper = _stripper()
    stripper.take(columns(hit()))
    stripper.drain()
    again = stripper.drain()

    assert ((), 0, 0, 0) == (again.days, again.outcomes.total(), again.lines_by_day.total(), len(stripper))


def test_what_was_handed_over_does_not_change():
    """Hits taken later are not added to an earlier drain."""
    stripper = _stripper()
    stripper.take(columns(hit()))
    first = stripper.drain()
    stripper.take(columns(hit(), hit()))

    assert (1, 1, 1) == (len(_views(first)), first.outcomes["page_views"], first.lines_by_day.total())


@pytest.mark.parametrize(
    "left_out", [(), ("account",), ("account", "cookie")], ids=["account", "cookie", "address"]
)
def test_nothing_identifying_leaves(left_out):
    """Neither the tables, byte for byte, nor any text of the objects hold anything of the line."""
    stripper = _stripper()
    taken = columns(hit(**{name: value for name, value in CANARIES.items() if name not in left_out}))
    stripper.take(taken)
    waiting = repr(stripper) + repr(taken) + str(stripper._kept)  # noqa: SLF001 what a debugger would show
    stripped = stripper.drain()
    shown = (waiting + repr(stripper) + repr(stripped)).encode()
    stored = b"".join(_bytes(table) for d in stripped.days for table in (d.page_views, d.visitors))

    assert 1 == stripped.outcomes["page_views"]
    assert [] == [w for w in _forms() if w in shown or w in stored]


@pytest.mark.parametrize("make", [PlainVocabulary, CompiledVocabulary])
def test_no_identity_stays_in_memory(make):
    """Between batches only hashes, verdicts and pseudonyms are remembered: no text or number of the line itself."""
    stripper = _stripper(make=make)
    for left_out in ((), ("account",), ("account", "cookie")):
        stripper.take(columns(hit(**{n: v for n, v in CANARIES.items() if n not in left_out})))
        stripper.drain()
    held = b"\n".join(_held_by(stripper))

    assert b"news" in held, "the walk sees what is held"
    assert [] == [w for w in _forms() if w in held]


def _held_by(*roots):
    """Every text and bytes that can be reached from some objects; of code, only what it closes over."""
    seen, todo = set(), list(roots)
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type | ModuleType) or type(one).__module__.startswith("numba"):
            continue
        seen.add(id(one))
        if isinstance(one, bytes | str):
            yield one if isinstance(one, bytes) else one.encode()
        elif hasattr(one, "tobytes"):
            yield one.tobytes()
        if isinstance(one, FunctionType):
            todo += [cell.cell_contents for cell in one.__closure__ or ()]
        else:
            todo += gc.get_referents(one)


def _forms():
    """What of the canaries must not turn up: their words, and the address as text, number and in reverse."""
    return [
        b"canary",
        b"198.51",
        bytes([198, 51, 100, 77]),
        bytes([77, 100, 51, 198]),
        b"Firefox",
        b"example",
        b"c633644d",
    ]


def _bytes(table):
    stream, parquet = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table, parquet, compression="none")
    return stream.getvalue() + parquet.getvalue()
