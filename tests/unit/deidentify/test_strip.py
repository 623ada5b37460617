import hashlib
import hmac
import io
import struct
from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.parse import Hit
from usage_stats.config import Component, SubComponent
from usage_stats.deidentify.generalise import PathClassifier
from usage_stats.deidentify.strip import Stripper
from usage_stats.errors import InternalError

BERLIN = ZoneInfo("Europe/Berlin")
FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
CHROME = (
    b"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
NOON = int(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp())  # Wednesday of 2026-W10
DAY = 86_400
SCHEMA = {
    "viewed_at": pl.Datetime("ms", "UTC"),
    "event_date": pl.Date,
    "person": pl.UInt64,
    "network": pl.UInt64,
    "identity_basis": pl.String,
    "component": pl.String,
    "sub_component": pl.String,
}
COMPONENTS = (
    Component(name="news", paths=("/news/**",)),
    Component(
        name="shop",
        paths=("/shop/**",),
        sub_components=(SubComponent(name="basket", paths=("/shop/basket",)),),
    ),
)
CANARIES = {
    "address": b"198.51.100.77",
    "account": b"canary-account",
    "cookie": b"canary-cookie",
    "agent": FIREFOX + b" canary-agent/1",
    "target": b"/news/canary-path?canary-query=canary@example.org",
    "referrer": b"http://canary-referrer.example/",
    "vhost": b"canary-vhost.example",
}


def _hit(**changes):
    fields = {
        "at": NOON,
        "address": b"192.0.2.7",
        "account": None,
        "cookie": None,
        "agent": FIREFOX,
        "method": b"GET",
        "target": b"/news/a",
        "status": 200,
        "referrer": None,
        "vhost": None,
    }
    return Hit(**{**fields, **changes})


def _key(kind, window):
    """A key per window that two strippers of one site share."""
    return hashlib.sha256(f"{kind} {window}".encode()).digest()


def _open(_day):
    return None


def _stripper(*, key_of=_key, gate=_open, zone=BERLIN):
    return Stripper(PathClassifier(COMPONENTS, ("css",)), key_of, gate, zone=zone)


def _strip(*hits, **options):
    stripper = _stripper(**options)
    stripper.take(hits)
    return stripper.drain()


def _persons(*hits, kind="week", **options):
    return _strip(*hits, **options).events[kind]["person"].to_list()


def _at(text):
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "page_views"),
        ({"status": 304}, "page_views"),
        ({"agent": None}, "page_views"),
        ({"target": b"/news/a.css"}, "assets"),
        ({"target": b"http://elsewhere.example/news"}, "foreign_targets"),
        ({"target": b"*"}, "foreign_targets"),
        ({"status": 404}, "unsuccessful"),
        ({"status": 301}, "unsuccessful"),
        ({"status": 199}, "unsuccessful"),
        ({"status": 300}, "unsuccessful"),
        ({"method": b"HEAD"}, "other_methods"),
        ({"method": b"get"}, "other_methods"),
        ({"agent": b"curl/8.0"}, "robots"),
        ({"agent": b"-"}, "robots"),
        ({"method": None, "target": None}, "malformed_requests"),
        # Where several reasons hold, the earlier in the order of judgement is counted.
        ({"method": None, "target": None, "agent": b"curl/8.0", "status": 400}, "malformed_requests"),
        ({"agent": b"curl/8.0", "method": b"POST", "status": 500}, "robots"),
        ({"method": b"POST", "status": 500, "target": b"*"}, "other_methods"),
        ({"status": 404, "target": b"/a.css"}, "unsuccessful"),
        ({"status": 404, "target": b"*"}, "unsuccessful"),
    ],
)
def test_a_hit_is_judged_in_order(changes, outcome):
    """Each hit has one outcome, the first reason that holds."""
    stripped = _strip(_hit(**changes))

    assert {outcome: 1} == dict(stripped.outcomes)
    assert (outcome == "page_views") == bool(len(stripped.events["week"]))


def test_a_closed_day_is_the_first_reason():
    """A line of a closed day is late, whatever else it is: nothing more is learnt of it."""
    hits = [_hit(), _hit(agent=b"curl/8.0"), _hit(method=None, target=None)]

    assert {"late": 3} == dict(_strip(*hits, gate=lambda _: "late").outcomes)


HITS = st.builds(
    _hit,
    at=st.integers(NOON - 40 * DAY, NOON + 40 * DAY) | st.integers(-(10**12), 10**12),
    address=st.sampled_from([b"192.0.2.7", b"2001:db8::1", b"host.example"]) | st.binary(max_size=9),
    account=st.none() | st.binary(min_size=1, max_size=4),
    cookie=st.none() | st.binary(min_size=1, max_size=4),
    agent=st.sampled_from([None, b"", FIREFOX, b"curl/8.0"]),
    method=st.sampled_from([b"GET", b"POST", None]),
    target=st.sampled_from([b"/", b"/shop", b"/shop/basket", b"/a.css", b"*", None]) | st.binary(max_size=9),
    status=st.integers(100, 599),
)


@settings(deadline=None)  # files and frames take their time on a busy machine
@given(hits=st.lists(HITS, max_size=30), is_drained_between=st.booleans())
def test_every_hit_is_counted_once(hits, is_drained_between):
    """Outcomes add up to the hits, page views to the events of either window, lines of open days to the rest."""
    stripper = _stripper(gate=lambda of: None if of.year == 2026 else "late")
    taken = [hits[: len(hits) // 2], hits[len(hits) // 2 :]] if is_drained_between else [hits]
    drained = []
    for part in taken:
        stripper.take(part)
        waiting = len(stripper)
        drained.append(stripper.drain())
        assert waiting == drained[-1].outcomes["page_views"]
    outcomes = sum((d.outcomes for d in drained), Counter())

    assert len(hits) == outcomes.total()
    assert outcomes["page_views"] == sum(len(d.events["week"]) for d in drained)
    assert outcomes["page_views"] == sum(len(d.events["month"]) for d in drained)
    assert len(hits) - outcomes["late"] == sum(d.lines_by_day.total() for d in drained)


@pytest.mark.parametrize(
    ("account", "cookie", "basis", "identity"),
    [
        (b"ada", b"c1", "account", [b"ada"]),
        (None, b"c1", "cookie", [b"c1"]),
        (None, None, "address", [b"v4/32:" + bytes(12) + bytes([192, 0, 2, 7]), FIREFOX]),
    ],
)
def test_the_account_then_the_cookie_then_the_address(account, cookie, basis, identity):
    """A visitor is told apart by the strongest identifier there is; the pseudonym is its keyed hash."""
    row = _strip(_hit(account=account, cookie=cookie)).events["week"].row(0, named=True)
    message = b"".join(struct.pack(">I", len(p)) + p for p in [b"week/2026-W10", basis.encode(), *identity])
    expected = hmac.new(_key("week", "2026-W10"), message, hashlib.sha256).hexdigest()[:16]

    assert (basis, int(expected, 16)) == (row["identity_basis"], row["person"])


def test_an_account_is_one_person_everywhere():
    """Cookie, address and browser do not matter once there is an account."""
    hits = [_hit(account=b"ada", cookie=c, address=a, agent=g) for c, a, g in zip(
        [None, b"x", b"y"], [b"192.0.2.1", b"2001:db8::1", b"192.0.2.3"], [FIREFOX, CHROME, None], strict=True
    )]  # fmt: skip

    assert 1 == len(set(_persons(*hits)))


def test_different_identifiers_are_different_persons():
    """The same spelling as account or cookie, another browser, another address: each is someone else."""
    hits = [
        _hit(account=b"ada"),
        _hit(cookie=b"ada"),
        _hit(),
        _hit(agent=CHROME),
        _hit(agent=None),
        _hit(address=b"192.0.2.8"),
        _hit(account=b"Ada"),
    ]

    assert len(hits) == len(set(_persons(*hits)))


def test_networks_are_told_apart_from_persons():
    """Two people behind one /24 share the network's pseudonym, which nobody has as a person."""
    events = _strip(_hit(cookie=b"a"), _hit(cookie=b"b", address=b"192.0.2.200")).events["week"]

    assert (2, 1) == (events["person"].n_unique(), events["network"].n_unique())
    assert set() == set(events["person"]) & set(events["network"])


def test_files_and_runs_agree_within_a_window():
    """A person in two files of a week, read in two runs, is one person."""
    stripper = _stripper()
    stripper.take([_hit(cookie=b"a")])
    first = stripper.drain().events
    stripper.take([_hit(cookie=b"a", at=NOON + DAY)])
    second = stripper.drain().events
    later_run = _strip(_hit(cookie=b"a", at=NOON + 2 * DAY)).events

    for kind in ("week", "month"):
        assert 1 == len({e[kind]["person"][0] for e in (first, second, later_run)})


@pytest.mark.parametrize(
    ("kind", "times", "is_same"),
    [
        ("week", ("2026-03-02T00:00:00+01:00", "2026-03-08T23:59:59+01:00"), True),  # Monday to Sunday
        ("week", ("2026-03-08T23:59:59+01:00", "2026-03-09T00:00:00+01:00"), False),
        ("week", ("2026-12-31T12:00:00+01:00", "2027-01-03T12:00:00+01:00"), True),  # week 53
        ("month", ("2026-03-01T00:00:00+01:00", "2026-03-31T23:59:59+02:00"), True),
        ("month", ("2026-03-31T23:59:59+02:00", "2026-04-01T00:00:00+02:00"), False),
        ("month", ("2026-03-31T22:30:00+00:00", "2026-04-02T00:00:00+00:00"), True),  # already April there
    ],
)
def test_a_window_ends_at_midnight_of_the_reporting_zone(kind, times, is_same):
    """Within a window a person keeps the pseudonym, beyond it there is a new one."""
    persons = _persons(*(_hit(cookie=b"a", at=_at(t)) for t in times), kind=kind)

    assert is_same == (1 == len(set(persons)))


def test_windows_share_no_pseudonym():
    """Over months of the same people, no number of one window turns up in another, of either kind."""
    people = [b"%d" % n for n in range(20)]
    hits = [_hit(cookie=p, at=NOON + 7 * DAY * w) for w in range(12) for p in people]
    events = _strip(*hits).events
    found = Counter()
    for kind, key in (
        ("week", pl.col("event_date").dt.truncate("1w")),
        ("month", pl.col("event_date").dt.truncate("1mo")),
    ):
        for _, part in events[kind].group_by(key):
            found.update(set(part["person"]) | set(part["network"]))

    assert {1} == set(found.values())


@pytest.mark.parametrize(
    ("at", "day"),
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
def test_days_end_at_midnight_of_the_reporting_zone(at, day):
    """A hit belongs to the day that the clock on the wall shows, also when clocks change."""
    stripped = _strip(_hit(at=_at(at)))

    assert [date.fromisoformat(day)] == stripped.events["week"]["event_date"].to_list()
    assert {date.fromisoformat(day): 1} == dict(stripped.lines_by_day)


@settings(deadline=None)
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
    at = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) + seconds
    expected = datetime.fromtimestamp(at, zone).date()

    assert [expected] == list(_strip(_hit(at=at), zone=zone).lines_by_day)


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:00:00+00:00", "2099-06-01T12:00:00+00:00", "9999-12-31T23:59:59+00:00"]
)
def test_an_impossible_year_opens_no_day(at):
    """A line of a day that takes none is counted under its reason, and leaves no event, no day and no key."""
    asked = []
    gate = lambda of: "in_the_future" if of.year > 2026 else "before_first_day" if of.year < 2026 else None  # noqa: E731 read in one line
    stripped = _strip(_hit(at=_at(at)), gate=gate, key_of=lambda *w: asked.append(w))

    assert (
        1
        == stripped.outcomes.total()
        == stripped.outcomes["in_the_future"] + stripped.outcomes["before_first_day"]
    )
    assert 0 == len(stripped.events["week"]) == len(stripped.events["month"])
    assert [] == list(stripped.lines_by_day)
    assert [] == asked


@pytest.mark.parametrize("at", [-(10**12), -1, 253_402_300_799, 253_402_300_800, 10**12])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Niue"])
def test_no_time_raises(at, zone):
    """Seconds that no calendar has end at the calendar's ends, where no day is open."""
    days = []
    _strip(_hit(at=at), zone=ZoneInfo(zone), gate=lambda of: days.append(of) or "closed")

    assert all(of.year in {1969, 1970, 9998, 9999} for of in days)


def test_a_page_view_of_a_sealed_window_is_a_bug():
    """A day that takes events without a key for them is a contradiction: it stops, and names the window only."""
    with pytest.raises(InternalError, match="2026-W10") as caught:
        _strip(_hit(cookie=b"canary"), key_of=lambda *_: None)

    assert "canary" not in str(caught.value)


def test_events_have_their_shape():
    """Columns, order and types are fixed, with rows or without."""
    for stripped in (_strip(), _strip(_hit())):
        for kind in ("week", "month"):
            assert SCHEMA == dict(stripped.events[kind].schema)
            assert list(SCHEMA) == stripped.events[kind].columns


def test_an_event_says_when_and_where():
    """The second of the hit in UTC, the component, and the part of it where it has parts."""
    events = _strip(_hit(target=b"/shop/basket"), _hit(target=b"/shop"), _hit(), _hit(target=b"/x")).events[
        "week"
    ]

    assert [("shop", "basket"), ("shop", "(other)"), ("news", None), ("(other)", None)] == events.select(
        "component", "sub_component"
    ).rows()
    assert datetime.fromtimestamp(NOON, UTC) == events["viewed_at"][0]


def test_draining_starts_anew():
    """What was handed over is not handed over again."""
    stripper = _stripper()
    stripper.take([_hit()])
    stripper.drain()
    again = stripper.drain()

    assert (0, 0, 0) == (len(again.events["week"]), again.outcomes.total(), again.lines_by_day.total())


def test_what_was_handed_over_does_not_change():
    """Hits taken later are not added to an earlier drain."""
    stripper = _stripper()
    stripper.take([_hit()])
    first = stripper.drain()
    stripper.take([_hit(), _hit()])

    assert (1, 1) == (len(first.events["week"]), first.outcomes["page_views"])


@pytest.mark.parametrize(
    "left_out", [(), ("account",), ("account", "cookie")], ids=["account", "cookie", "address"]
)
def test_nothing_identifying_leaves(left_out):
    """Neither the frames, byte for byte, nor any text of the objects hold anything of the line."""
    stripper = _stripper()
    stripper.take([_hit(**{name: value for name, value in CANARIES.items() if name not in left_out})])
    waiting = repr(stripper) + str(stripper._columns)  # noqa: SLF001 what a debugger would show
    stripped = stripper.drain()
    shown = (waiting + repr(stripper) + repr(stripped) + str(stripped.events)).encode()
    stored = b"".join(_bytes(frame) for frame in stripped.events.values())

    assert 1 == stripped.outcomes["page_views"]
    assert [] == [w for w in _forms() if w in shown or w in stored]


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


def _bytes(frame):
    uncompressed = io.BytesIO()
    frame.write_ipc(uncompressed, compression="uncompressed")
    parquet = io.BytesIO()
    frame.write_parquet(parquet, compression="uncompressed")
    return uncompressed.getvalue() + parquet.getvalue()
