"""Bars tell a person how far the work is, and how fast it was."""

import pytest
from rich.progress import Progress

from usage_stats.flow.progress import _Rate


@pytest.fixture
def clock():
    """Seconds, as the test sets them."""
    return [0.0]


def _rate(clock, steps, *, is_bytes=True):
    """What is told of a stage of so many bytes by (second, bytes), in the end."""
    progress = Progress(_Rate(), get_time=lambda: clock[0])
    task = progress.add_task("reading logs", total=sum(count for _, count in steps), is_bytes=is_bytes)
    for second, count in steps:
        clock[0] = second
        progress.advance(task, count)
    (told,) = progress.tasks
    return progress.columns[0].render(told).plain


def test_the_rate_of_a_stage_that_ended_is_that_of_all_of_it(clock):
    """Two megabytes in four seconds, whose second half came at once."""
    assert "500.0 kB/s" == _rate(clock, [(4.0, 1_000_000), (4.0001, 1_000_000)])


def test_what_counts_no_bytes_has_no_rate(clock):
    """Days and folders are not so many a second."""
    assert "" == _rate(clock, [(4.0, 7)], is_bytes=False)
