"""Distinct values get small numbers, plain and compiled alike, and are judged once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.accesslog import vocabulary as vocabulary_module
from usage_stats.accesslog.columns import SLOTS, columns_of_hits
from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary, Table, Verdicts

PLAIN_AND_COMPILED = pytest.mark.parametrize("make", [PlainVocabulary, CompiledVocabulary])
# Few distinct ones, the ends of the range, and many whose low bits are the same.
HASHES = (
    st.sampled_from([0, 1, 2, 2**63, 2**64 - 1])
    | st.integers(0, 2**64 - 1)
    | st.integers(0, 40).map(lambda n: n << 52)
)
BATCHES = st.lists(st.lists(HASHES, max_size=12), max_size=5)
AGENT = SLOTS.index("agent")


def _look_up(vocabulary, hashes):
    codes, unseen = vocabulary.look_up(np.array(hashes, np.uint64))
    return codes.tolist(), unseen.tolist()


def _by_hand(batches):
    """Codes and first sights of each batch, one hash after the other."""
    known = {0: -1}
    for hashes in batches:
        unseen = []
        for row, value in enumerate(hashes):
            if value not in known:
                known[value] = len(known) - 1
                unseen.append(row)
        yield [known[value] for value in hashes], unseen


@PLAIN_AND_COMPILED
@settings(deadline=None, max_examples=200)
@given(batches=BATCHES)
def test_distinct_hashes_are_numbered_in_the_order_of_first_sight(make, batches):
    """0, 1, 2 … over all batches; the rows of first sight are told; hash 0 is no value and has no number."""
    vocabulary = make()
    found = [_look_up(vocabulary, batch) for batch in batches]

    assert list(_by_hand(batches)) == found
    assert len({value for batch in batches for value in batch} - {0}) == len(vocabulary)


def test_plain_and_compiled_agree_on_large_vocabularies():
    """Hundreds of thousands of values, some of them again and again, in batches of every size."""
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2**64, 150_000, np.uint64)
    plain, compiled = PlainVocabulary(), CompiledVocabulary()
    for size in (1, 5_000, 3, 200_000, 100_000):
        hashes = values[rng.integers(0, len(values), size)]
        expected, found = plain.look_up(hashes), compiled.look_up(hashes)

        assert [part.tolist() for part in expected] == [part.tolist() for part in found]
    assert len(plain) == len(compiled) > 100_000


def test_values_that_meet_in_every_low_bit_are_told_apart():
    """The worst that hashes can do to a table with places by their low bits: it is slow, and right."""
    hashes = [n << 40 for n in range(1, 3000)]
    vocabulary = CompiledVocabulary()

    assert (list(range(2999)), list(range(2999))) == _look_up(vocabulary, hashes)
    assert (list(range(2999)), []) == _look_up(vocabulary, hashes)


@PLAIN_AND_COMPILED
def test_rows_of_a_larger_array_are_looked_up_as_any_others(make):
    """A view with steps is no other input."""
    hashes = np.arange(1, 21, dtype=np.uint64).reshape(4, 5).T
    codes, unseen = make().look_up(hashes[1])

    assert ([0, 1, 2, 3], [0, 1, 2, 3]) == (codes.tolist(), unseen.tolist())


@settings(max_examples=100)
@given(parts=st.lists(st.lists(st.integers(-9, 9), max_size=3000), max_size=4), absent=st.integers(-3, 3))
def test_a_table_grows_and_keeps_a_place_for_no_value(parts, absent):
    """Each number under its code, in the order in which they came; -1 finds what stands for none."""
    table, numbers = Table(np.int32, absent=absent), [n for part in parts for n in part]
    for part in parts:
        table.extend(part)

        assert absent == table[np.array([-1])][0]
    codes = np.arange(-1, len(numbers))

    assert [absent, *numbers] == table[codes].tolist()
    assert numbers == table.values.tolist()


@pytest.mark.parametrize("count", [4094, 4095, 4096, 4097, 8191])
def test_a_table_that_is_exactly_full_still_has_its_place_for_none(count):
    """The last place is never given to a value."""
    table = Table(np.int64, absent=7)
    table.extend([1] * count)

    assert (7, 1) == (table[np.array([-1])][0], table[np.array([count - 1])][0])


def _columns(*agents):
    return columns_of_hits([Hit(0, b"a", None, None, g, b"GET", b"/", 200, None, None) for g in agents], 5)


@pytest.fixture
def counted():
    """A judge that gives a value's length, and the values that it was asked about."""
    asked = []

    def judge(value):
        asked.append(value)
        return len(value)

    return judge, asked


@PLAIN_AND_COMPILED
def test_each_distinct_value_is_judged_once(make, counted):
    """However often it comes, in one batch or several; what is absent is not judged."""
    judge, asked = counted
    verdicts = Verdicts(AGENT, judge=judge, make=make, absent=-9)
    found = [
        verdicts.of(_columns(*batch)).tolist() for batch in ([b"a", b"bb", None, b"a"], [b"bb", b"", None])
    ]

    assert [[1, 2, -9, 1], [2, 0, -9]] == found
    assert [b"a", b"bb", b""] == asked


@PLAIN_AND_COMPILED
def test_forgetting_changes_no_verdict(make, counted, monkeypatch):
    """Beyond a number of distinct values all are forgotten, and judged anew when they come again."""
    monkeypatch.setattr(vocabulary_module, "_MOST_VALUES", 2)
    judge, asked = counted
    verdicts = Verdicts(AGENT, judge=judge, make=make)
    batches = [[b"a" * n for n in range(5)], [b"aa", None], [b"a" * 7, b"aa"]]

    assert [[0, 1, 2, 3, 4], [2, 0], [7, 2]] == [verdicts.of(_columns(*batch)).tolist() for batch in batches]
    assert 5 + 1 + 1 == len(asked)


@PLAIN_AND_COMPILED
@settings(deadline=None, max_examples=50)
@given(batches=st.lists(st.lists(st.none() | st.binary(max_size=2), min_size=1, max_size=8), max_size=5))
def test_a_verdict_is_that_of_the_value_alone(make, batches):
    """Whatever was judged before, and wherever it stands."""
    verdicts = Verdicts(AGENT, judge=lambda value: sum(value) + len(value), make=make, absent=-1)

    assert [[-1 if v is None else sum(v) + len(v) for v in batch] for batch in batches] == [
        verdicts.of(_columns(*batch)).tolist() for batch in batches
    ]
