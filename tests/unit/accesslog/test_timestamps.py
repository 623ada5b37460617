from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.accesslog.timestamps import CLF, ISO_8601, TimeReader, time_layout

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def _read(layout, text):
    return TimeReader(time_layout(layout)).read(text)


@given(st.datetimes(min_value=datetime(1000, 1, 1)), OFFSETS)
def test_reads_what_the_standard_library_writes(naive, zone):
    """Any second in any zone, written as servers do, is read as the same instant."""
    moment = naive.replace(tzinfo=zone, microsecond=0)
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)

    assert expected == _read(CLF, moment.strftime("%d/%b/%Y:%H:%M:%S %z").encode())
    assert expected == _read(ISO_8601, moment.isoformat().encode())


def test_remembered_minutes_do_not_mix_offsets():
    """The same minute on the clock of two zones is two instants, whatever was read before."""
    reader = TimeReader(time_layout(CLF))
    texts = (b"25/Oct/2015:02:30:07 +0200", b"25/Oct/2015:02:30:09 +0100", b"25/Oct/2015:02:30:07 +0200")

    assert [reader.read(text) for text in texts] == [1445733007, 1445736609, 1445733007]


def test_more_minutes_than_are_remembered_are_read_right():
    """Forgetting minutes costs time, never an instant."""
    reader = TimeReader(time_layout(ISO_8601))
    start = datetime(2015, 5, 17, tzinfo=UTC)
    moments = [start + timedelta(minutes=n) for n in range(5000)]

    assert [int(m.timestamp()) for m in moments] == [reader.read(m.isoformat().encode()) for m in moments]
    assert len(reader._minutes) <= 4096  # noqa: SLF001 how much is remembered shows nowhere else


@pytest.mark.parametrize(
    "text",
    [
        b"31/Feb/2015:10:00:00 +0000",
        b"29/Feb/2015:10:00:00 +0000",
        b"00/May/2015:10:00:00 +0000",
        b"31/Apr/2015:10:00:00 +0000",
        b"17/Mai/2015:10:00:00 +0000",
        b"17/May/0000:10:00:00 +0000",
        b"17/May/2015:24:00:00 +0000",
        b"17/May/2015:10:60:00 +0000",
        b"17/May/2015:10:00:00 +1401",
        b"17/May/2015:10:00:00 +0060",
    ],
)
def test_impossible_times_are_none(text):
    """A time that no calendar and no clock has is not guessed at."""
    assert _read(CLF, text) is None


@pytest.mark.parametrize(
    ("written", "hour"),
    [(b"12 AM", 0), (b"01 AM", 1), (b"12 PM", 12), (b"11 PM", 23), (b"00 AM", None), (b"13 PM", None)],
)
def test_half_day_clock(written, hour):
    """12 AM is midnight, 12 PM is noon, and there is neither 0 nor 13."""
    read = _read("%Y-%m-%d %I %p:%M%z", b"1970-01-01 " + written + b":00Z")

    assert (None if hour is None else hour * 3600) == read


def test_leap_days_are_days():
    """29 February is real in leap years, and only there."""
    assert _read(CLF, b"29/Feb/2000:00:00:00 +0000") == 951782400
    assert _read(CLF, b"29/Feb/1900:00:00:00 +0000") is None


def test_layouts_are_case_sensitive_english():
    """%b and %B are the English names of the C locale, in full or the first three letters."""
    assert _read("%B %d %Y %R %z", b"May 01 1970 00:00 +0000") == _read("%D %R %z", b"05/01/70 00:00 +0000")
    assert _read("%B %d %Y %R %z", b"January 01 1970 00:00 +0000") == 0
    assert _read("%B %d %Y %R %z", b"Janua 01 1970 00:00 +0000") is None
