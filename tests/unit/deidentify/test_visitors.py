"""Who is told apart from whom, and under which pseudonyms."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_hits import CHROME, DAY, FIREFOX, NOON, columns, hit, key_of

from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary
from usage_stats.deidentify import visitors as visitors_module
from usage_stats.deidentify.pseudonym import Pseudonymiser, account_identity, address_identity, split_address
from usage_stats.deidentify.visitors import BASES, Visitors
from usage_stats.errors import InternalError

NAMES = ("person", "network", "month_person", "month_network")
PLAIN_AND_COMPILED = pytest.mark.parametrize("make", [PlainVocabulary, CompiledVocabulary])


def _day_of(one):
    return datetime.fromtimestamp(one.at, UTC).toordinal()


def _numbers(visitors, *hits):
    days = np.array([_day_of(one) for one in hits], np.int64)
    return visitors.number(columns(*hits), np.arange(len(hits)), days)


def _named(*hits, make=PlainVocabulary, keys=key_of):
    """Each hit's pseudonyms and basis, all of them asked for at once."""
    visitors = Visitors(keys, make)
    numbers = _numbers(visitors, *hits)
    rows = zip(
        *(p.tolist() for p in visitors.pseudonyms(numbers)), visitors.basis[numbers].tolist(), strict=True
    )
    return [{**dict(zip(NAMES, row, strict=False)), "basis": BASES[row[-1]]} for row in rows]


def _persons(*hits, kind="week"):
    name = "person" if kind == "week" else "month_person"
    return [row[name] for row in _named(*hits)]


@pytest.mark.parametrize(
    ("account", "cookie", "basis", "identity"),
    [
        (b"ada", b"c1", "account", b"aada"),
        (b"ada", None, "account", b"aada"),
        (None, b"c1", "cookie", b"cc1"),
        (None, None, "address", b"4" + bytes([192, 0, 2, 7]) + FIREFOX),
    ],
)
def test_the_account_then_the_cookie_then_the_address(account, cookie, basis, identity):
    """A visitor is told apart by the strongest identifier there is; the pseudonyms are its keyed hashes."""
    (row,) = _named(hit(account=account, cookie=cookie))
    week, month = (
        Pseudonymiser(key_of(kind, window), f"{kind}/{window}")
        for kind, window in (("week", "2026-W10"), ("month", "2026-03"))
    )
    network = split_address(b"192.0.2.7")[1]

    expected = [int(w.of([i])[0]) for w in (week, month) for i in (identity, network)]

    assert expected == [row[name] for name in NAMES]
    assert basis == row["basis"]


def test_an_account_is_one_person_everywhere():
    """Cookie, address and browser do not matter once there is an account."""
    hits = [
        hit(account=b"ada"),
        hit(account=b"ada", cookie=b"x", address=b"2001:db8::1", agent=CHROME),
        hit(account=b"ada", cookie=b"y", address=b"192.0.2.3", agent=None),
    ]

    assert 1 == len(set(_persons(*hits)))
    assert 2 == len({row["network"] for row in _named(*hits)})


def test_a_cookie_is_one_person_whatever_the_browser_says():
    """Address and user agent do not matter once there is a cookie."""
    hits = [hit(cookie=b"x"), hit(cookie=b"x", agent=CHROME), hit(cookie=b"x", address=b"2001:db8::1")]

    assert 1 == len(set(_persons(*hits)))


def test_different_identifiers_are_different_persons():
    """The same spelling as account or cookie, another browser, another address: each is someone else."""
    hits = [
        hit(account=b"ada"),
        hit(cookie=b"ada"),
        hit(),
        hit(agent=CHROME),
        hit(agent=None),
        hit(address=b"192.0.2.8"),
        hit(account=b"Ada"),
        hit(address=b"ada"),
    ]

    assert len(hits) == len(set(_persons(*hits)))


def test_spellings_of_one_address_are_one_person():
    """What is hashed is the address, not its text: case, zeros and clothes do not matter."""
    hits = [hit(address=a) for a in (b"2001:db8::1", b"2001:DB8:0::1", b"2001:db8::ffff:1")]

    assert 1 == len(set(_persons(*hits)))


def test_networks_are_told_apart_from_persons():
    """Two people behind one /24 share the network's pseudonym, which nobody has as a person."""
    rows = _named(hit(cookie=b"a"), hit(cookie=b"b", address=b"192.0.2.200"))
    persons, networks = ({row[name] for row in rows} for name in ("person", "network"))

    assert (2, 1) == (len(persons), len(networks))
    assert set() == persons & networks


@pytest.mark.parametrize(
    ("kind", "times", "is_same"),
    [
        ("week", ("2026-03-02", "2026-03-08"), True),  # Monday to Sunday
        ("week", ("2026-03-08", "2026-03-09"), False),
        ("week", ("2026-12-31", "2027-01-03"), True),  # week 53
        ("week", ("2026-03-30", "2026-04-01"), True),  # one week, two months
        ("month", ("2026-03-01", "2026-03-31"), True),
        ("month", ("2026-03-31", "2026-04-01"), False),
        ("month", ("2026-03-08", "2026-03-09"), True),  # one month, two weeks
        ("month", ("2026-12-31", "2027-01-01"), False),
    ],
)
def test_a_person_keeps_a_pseudonym_within_a_window_and_not_beyond(kind, times, is_same):
    """Within a window the days of one person belong together; beyond it there is a new name."""
    hits = [hit(cookie=b"a", at=int(datetime.fromisoformat(f"{t}T12:00+00:00").timestamp())) for t in times]

    assert is_same == (1 == len(set(_persons(*hits, kind=kind))))


def test_windows_share_no_pseudonym():
    """Over months of the same people, no number of one window turns up in another, of either kind."""
    people = [b"%d" % n for n in range(20)]
    hits = [hit(cookie=p, at=NOON + 7 * DAY * w) for w in range(12) for p in people]
    windows = {}
    for one, row in zip(hits, _named(*hits), strict=True):
        of = date.fromordinal(_day_of(one))
        week, month = tuple(of.isocalendar()[:2]), (of.year, of.month)
        windows.setdefault(("week", week), set()).update((row["person"], row["network"]))
        windows.setdefault(("month", month), set()).update((row["month_person"], row["month_network"]))
    found = Counter(pseudonym for names in windows.values() for pseudonym in names)

    assert {1} == set(found.values())
    assert 12 + 3 == len(windows)


HITS = st.builds(
    hit,
    at=st.integers(-20, 40).map(lambda n: NOON + n * DAY),
    address=st.sampled_from([b"192.0.2.7", b"192.0.2.8", b"2001:db8::1", b"host.example"]),
    account=st.none() | st.sampled_from([b"ada", b"bob"]),
    cookie=st.none() | st.sampled_from([b"ada", b"x"]),
    agent=st.sampled_from([None, b"", FIREFOX]),
)


def _identity(one):
    """What tells a visitor apart, in plain words; the address beside it, for the network hangs on that."""
    if one.account is not None:
        return ("account", one.account, one.address)
    if one.cookie is not None:
        return ("cookie", one.cookie, one.address)
    return ("address", one.agent, one.address)


@PLAIN_AND_COMPILED
@settings(deadline=None, max_examples=60)
@given(batches=st.lists(st.lists(HITS, max_size=10), min_size=1, max_size=4))
def test_each_identity_with_its_address_has_one_number_a_day(make, batches):
    """Numbers count up from 0 in the order of first sight, over all batches; day and basis stand beside them."""
    visitors, seen = Visitors(key_of, make), {}
    for batch in batches:
        numbers = _numbers(visitors, *batch)
        expected = [seen.setdefault((_identity(one), _day_of(one)), len(seen)) for one in batch]

        assert expected == numbers.tolist()
        assert [_day_of(one) for one in batch] == visitors.day[numbers].tolist()
        assert [_identity(one)[0] for one in batch] == [BASES[b] for b in visitors.basis[numbers]]
    assert len(seen) == len(visitors)


@settings(deadline=None, max_examples=60)
@given(hits=st.lists(HITS, min_size=1, max_size=20))
def test_pseudonyms_are_those_of_each_hit_alone(hits):
    """Who came before, in one batch or another, compiled or not, bears on nobody's name."""
    alone = [_named(one)[0] for one in hits]

    assert alone == _named(*hits) == _named(*hits, make=CompiledVocabulary)


def test_forgetting_changes_no_name():
    """All that is remembered is a cache."""
    visitors = Visitors(key_of, PlainVocabulary)
    hits = [hit(cookie=b"a"), hit(), hit(account=b"b", at=NOON + 30 * DAY)]
    before = [p.tolist() for p in visitors.pseudonyms(_numbers(visitors, *hits))]
    visitors.forget()

    assert 0 == len(visitors)
    assert before == [p.tolist() for p in visitors.pseudonyms(_numbers(visitors, *hits))]


def test_memory_is_full_beyond_a_number_of_visitor_days(monkeypatch):
    """Whoever holds it forgets then; a day more of the same person is one more."""
    monkeypatch.setattr(visitors_module, "_MOST_VISITORS", 2)
    visitors = Visitors(key_of, PlainVocabulary)
    found = []
    for n in (0, 0, 1, 2):
        _numbers(visitors, hit(at=NOON + n * DAY))
        found.append(visitors.is_full)

    assert [False, False, False, True] == found


def test_a_key_is_asked_for_once_per_window():
    """Not for each line: and none is asked for of a window in which nobody came."""
    asked = []

    def keys(kind, window):
        asked.append((kind, window))
        return key_of(kind, window)

    hits = [hit(cookie=b"%d" % (n % 7), at=NOON + n * DAY) for n in range(5)]
    _named(*hits, keys=keys)

    assert sorted([("week", "2026-W10"), ("month", "2026-03")]) == sorted(set(asked))
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("sealed", ["week", "month"])
def test_a_hit_of_a_sealed_window_is_a_bug(sealed):
    """A day that takes events without a key for them is a contradiction: it stops, and names the window only."""
    with pytest.raises(InternalError, match="2026-W10" if sealed == "week" else "2026-03") as caught:
        _named(hit(cookie=b"canary"), keys=lambda kind, w: None if kind == sealed else key_of(kind, w))

    assert "canary" not in str(caught.value)


def test_nobody_is_no_visitor():
    """No rows: no numbers, no keys."""
    visitors = Visitors(lambda *_: None, PlainVocabulary)
    numbers = visitors.number(columns(hit()), np.empty(0, np.int64), np.empty(0, np.int64))

    assert ([], 0) == (numbers.tolist(), len(visitors))


def test_an_agent_is_not_the_end_of_an_address():
    """Address and user agent are kept apart before they are hashed: no two pairs are spelt alike."""
    hits = [
        hit(address=b"host.ab", agent=b"c"),
        hit(address=b"host.a", agent=b"bc"),
        hit(address=b"host.abc", agent=None),
    ]

    assert 3 == len(set(_persons(*hits)))
    assert account_identity(b"x") != address_identity(b"x")


def test_each_span_of_days_has_its_own_window():
    """A week of two months: the week's names go on, the month's begin anew, in one batch or in two."""
    start = datetime(2026, 3, 30, 12, tzinfo=UTC)
    hits = [hit(cookie=b"a", at=int((start + timedelta(n)).timestamp())) for n in range(7)]
    rows = _named(*hits)

    assert (1, 2) == tuple(len({row[name] for row in rows}) for name in ("person", "month_person"))
