"""Hits as columns: the same facts, with values hashed and left where they are."""

import numpy as np
import xxhash
from hypothesis import example, given
from hypothesis import strategies as st

from usage_stats.accesslog.columns import SLOTS, columns_of_hits
from usage_stats.accesslog.hit import Hit

VALUE = st.none() | st.binary(max_size=12)
HITS = st.builds(
    Hit,
    at=st.integers(-(2**62), 2**62),
    address=st.binary(max_size=12),
    account=VALUE,
    cookie=VALUE,
    agent=VALUE,
    method=st.sampled_from([b"GET", b"get", b"POST", None]),
    target=VALUE | st.sampled_from([b"/a?b?c", b"?", b"/a#?"]),
    status=st.integers(100, 599),
    referrer=VALUE,
    vhost=VALUE,
    forwarded=VALUE,
    gpc=st.booleans(),
    dnt=st.booleans(),
)


def _values(hit):
    """What is kept of a hit, by slot."""
    path, _, query = (None, b"", b"") if hit.target is None else hit.target.partition(b"?")
    return {
        "address": hit.address,
        "agent": hit.agent,
        "path": path,
        "account": hit.account,
        "cookie": hit.cookie,
        "forwarded": hit.forwarded,
        "gpc": b"1" if hit.gpc else None,
        "dnt": b"1" if hit.dnt else None,
        "query": None if query in {b"", b"-"} else query,
        "referrer": hit.referrer,
    }


@given(hits=st.lists(HITS, max_size=8), seed=st.integers(0, 2**64 - 1))
def test_columns_say_what_the_hits_say(hits, seed):
    """Time, status and whether it is GET as they are; of each value its hash, 0 where there is none."""
    columns = columns_of_hits(hits, seed)
    hashes = [
        [xxhash.xxh64_intdigest(_values(h)[s], seed) if _values(h)[s] is not None else 0 for h in hits]
        for s in SLOTS
    ]

    assert [(h.at, h.status, h.method == b"GET") for h in hits] == list(
        zip(columns.at.tolist(), columns.status.tolist(), columns.is_get.tolist(), strict=True)
    )
    assert hashes == columns.hashes.tolist()
    assert len(hits) == len(columns)


@given(hits=st.lists(HITS, min_size=1, max_size=8), data=st.data())
def test_values_are_given_by_slot_and_row(hits, data):
    """Any rows in any order, as the server wrote them."""
    columns = columns_of_hits(hits, 1)
    for slot, name in enumerate(SLOTS):
        able = [row for row, hit in enumerate(hits) if _values(hit)[name] is not None]
        rows = data.draw(st.lists(st.sampled_from(able), max_size=6)) if able else []

        assert [_values(hits[row])[name] for row in rows] == columns.values(slot, np.array(rows, np.int64))


@given(target=st.binary(max_size=8))
@example(target=b"/a?canary")
@example(target=b"?")
def test_nothing_of_a_query_is_in_a_path(target):
    """A path ends at the first question mark, and only there."""
    hit = Hit(0, b"a", None, None, None, b"GET", target, 200, None, None)

    assert [target.partition(b"?")[0]] == columns_of_hits([hit], 1).values(
        SLOTS.index("path"), np.zeros(1, np.int64)
    )


def test_columns_show_nothing_of_a_line():
    """What a debugger prints is their number."""
    hit = Hit(0, b"canary", b"canary", b"canary", b"canary", b"GET", b"/canary", 200, b"canary", b"canary")
    columns = columns_of_hits([hit], 1)

    assert "Columns(1 hits)" == repr(columns) == str(columns)


def test_an_empty_value_is_not_the_absence_of_one():
    """Whatever the seed makes of it: hash 0 means that there is none."""
    hit = Hit(0, b"", b"", None, None, b"GET", b"", 200, None, None)
    hashes = columns_of_hits([hit], 3).hashes[:, 0].tolist()

    assert [True, False, True, True, *[False] * 6] == [value != 0 for value in hashes]
