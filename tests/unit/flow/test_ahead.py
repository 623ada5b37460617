"""Work done ahead in threads, handed over in order."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.flow.ahead import ahead


@given(pauses=st.lists(st.integers(0, 2), max_size=12), threads=st.integers(1, 4))
def test_results_come_in_the_order_of_their_items(pauses, threads):
    """However long the work on each takes, and however many threads do it."""

    def work(item):
        time.sleep(item[1] / 1000)
        return item

    items = list(enumerate(pauses))

    assert items == list(ahead(iter(items), work, threads))


def test_little_is_taken_ahead():
    """A log of any length is held in memory by some batches only."""
    taken = []
    results = ahead((taken.append(n) or n for n in range(100)), lambda n: n, threads=3)
    got = [next(results) for _ in range(10)]
    time.sleep(0.05)

    assert list(range(10)) == got
    assert len(taken) <= 10 + 2 * 3


def test_items_are_taken_by_one_thread_at_a_time():
    """A reader has one place in its file."""
    inside, most = [], []

    def items():
        for n in range(50):
            inside.append(n)
            time.sleep(0.0005)
            most.append(len(inside))
            inside.pop()
            yield n

    assert list(range(50)) == list(ahead(items(), lambda n: n, threads=4))
    assert {1} == set(most)


@pytest.mark.parametrize("where", ["item", "work"])
def test_an_error_comes_in_the_place_of_its_result(where):
    """What was before it is handed over, and no thread is left behind."""

    def items():
        for n in range(9):
            if where == "item" and n == 5:
                raise KeyError(n)
            yield n

    def work(n):
        if where == "work" and n == 5:
            raise KeyError(n)
        return n

    got = []
    with pytest.raises(KeyError):  # noqa: PT012 what came before it counts
        for result in ahead(items(), work, threads=1):
            got.append(result)  # noqa: PERF402 what came before the error counts

    assert list(range(5)) == got


def test_who_needs_no_more_leaves_no_thread_behind():
    """A run that stops in the middle of a log ends."""
    before = threading.active_count()
    results = ahead(iter(range(1000)), lambda n: n, threads=3)
    got = next(results)
    results.close()

    assert (0, before) == (got, threading.active_count())
