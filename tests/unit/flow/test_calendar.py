"""Which days take lines, which are sealed, which periods are released, and when."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from usage_stats.config import Config
from usage_stats.flow.calendar import Calendar
from usage_stats.periods import day, month, week

BERLIN = ZoneInfo("Europe/Berlin")
APRIL = [date(2026, 4, n) for n in range(1, 31)]


def _calendar(now, *, lines=(), sealed=(), empty=(), closed=(), more_sources=(), **settings):
    """A calendar of one source with lines on some days; `more_sources` are the days of others."""
    sources = [{"name": f"s{n}"} for n in range(1 + len(more_sources))]
    config = Config.model_validate(
        {"site": "s", "time_zone": "Europe/Berlin", "sources": sources, **settings}
    )
    return Calendar(
        config=config,
        now=now,
        lines={f"s{n}": frozenset(days) for n, days in enumerate([lines, *more_sources])},
        sealed=dict.fromkeys(sealed, False) | dict.fromkeys(empty, True),
        rules=dict.fromkeys([*sealed, *empty], "the same"),
        closed=frozenset(closed),
    )


def _berlin(*when):
    return datetime(*when, tzinfo=BERLIN)


# ---------------------------------------------------------------- the grace time, and the clocks' change


@pytest.mark.parametrize(
    ("of", "over_at"),
    [
        (
            date(2026, 4, 10),
            datetime(2026, 4, 12, 22, tzinfo=UTC),
        ),  # midnight in Berlin is 22:00 UTC in summer
        (date(2026, 1, 10), datetime(2026, 1, 12, 23, tzinfo=UTC)),  # and 23:00 in winter
        (date(2026, 3, 28), datetime(2026, 3, 30, 22, tzinfo=UTC)),  # the change lies in the grace time
        (date(2026, 10, 24), datetime(2026, 10, 26, 23, tzinfo=UTC)),
    ],
)
def test_a_day_is_sealed_two_local_days_after_its_midnight(of, over_at):
    """Not a second before, whatever the length of the days between."""
    before, after = (_calendar(t, lines=[of]) for t in (over_at - timedelta(seconds=1), over_at))

    assert ([], [of]) == (before.due_days(), after.due_days())


def test_the_grace_time_is_a_setting():
    """Five days: sealed on the sixth."""
    of = date(2026, 4, 10)
    moments = [_berlin(2026, 4, n) for n in (15, 16)]

    assert [[], [of]] == [_calendar(now, lines=[of], seal_after_days=5).due_days() for now in moments]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "UTC"])
def test_days_end_at_midnight_of_the_reporting_zone(zone):
    """From UTC-11 to UTC+14."""
    of = date(2026, 4, 10)
    over_at = datetime(2026, 4, 13, tzinfo=ZoneInfo(zone))
    found = [
        _calendar(t.astimezone(UTC), lines=[of], time_zone=zone).due_days()
        for t in (over_at - timedelta(seconds=1), over_at)
    ]

    assert [[], [of]] == found


# ---------------------------------------------------------------- which days take lines


def test_a_sealed_day_takes_no_line_any_more():
    """It came late: counted as such, and changes nothing."""
    calendar = _calendar(_berlin(2026, 4, 20), lines=APRIL[:3], sealed=APRIL[:1])

    assert ["late", None] == [calendar.gate(d) for d in APRIL[:2]]


@pytest.mark.parametrize("window", ["2026-W15", "2026-04"])
def test_a_day_of_a_closed_window_takes_no_line(window):
    """Its key is gone: the line's visitor could not be told apart."""
    calendar = _calendar(_berlin(2026, 6, 1), closed=[window])

    assert "late" == calendar.gate(date(2026, 4, 8))


def test_a_day_before_the_first_takes_no_line():
    """Nothing before the configured first day is measured."""
    calendar = _calendar(_berlin(2026, 4, 20), first_day=date(2026, 4, 5))

    assert ["before_first_day", None] == [calendar.gate(date(2026, 4, n)) for n in (4, 5)]


def test_a_day_after_tomorrow_takes_no_line():
    """A server's clock may be ahead by some hours, not by days; tomorrow is the reporting zone's."""
    calendar = _calendar(datetime(2026, 4, 19, 22, 30, tzinfo=UTC))  # 00:30 on the 20th in Berlin

    assert [None, None, "in_the_future"] == [calendar.gate(date(2026, 4, n)) for n in (20, 21, 22)]


# ---------------------------------------------------------------- gaps


def test_a_gap_is_waited_for():
    """A day without a line is not sealed, nor the periods it lies in; the other days are."""
    lines = [d for d in APRIL if d.day != 9]
    calendar = _calendar(_berlin(2026, 6, 1), lines=lines)

    assert lines == calendar.due_days()


def test_an_accepted_gap_is_sealed_as_empty():
    """Only between days with lines: before the first and after the last nothing is known to be missing."""
    lines = [date(2026, 4, n) for n in (5, 6, 8)]
    calendar = _calendar(_berlin(2026, 6, 1), lines=lines, gaps="accept")

    assert [date(2026, 4, n) for n in (5, 6, 7, 8)] == calendar.due_days()


def test_a_day_waits_for_every_source():
    """One server's log of the day is missing: its figures would be too low."""
    both = _calendar(_berlin(2026, 6, 1), lines=APRIL, more_sources=[APRIL[:2]])

    assert APRIL[:2] == both.due_days()


def test_a_day_that_one_of_two_sources_lacks_is_sealed_where_gaps_are_accepted():
    """The operator said so."""
    calendar = _calendar(_berlin(2026, 6, 1), lines=APRIL[:3], more_sources=[APRIL[:2]], gaps="accept")

    assert APRIL[:3] == calendar.due_days()


@pytest.mark.parametrize(
    ("sealed", "is_ready"), [(range(6, 13), True), (range(6, 12), False), (range(7, 13), False)]
)
def test_a_week_is_ready_once_all_its_days_are_sealed(sealed, is_ready):
    """Monday to Sunday, 6 to 12 April 2026."""
    calendar = _calendar(_berlin(2026, 6, 1), sealed=[date(2026, 4, n) for n in sealed])

    assert is_ready == calendar.is_ready(week(date(2026, 4, 8)))


def test_a_week_with_an_accepted_gap_is_ready_once_it_is_over():
    """Sealed days and missing ones together; a week without any sealed day is none."""
    sunday = [date(2026, 4, 5)]
    early, late = (
        _calendar(t, sealed=sunday, gaps="accept") for t in (_berlin(2026, 4, 7, 23), _berlin(2026, 4, 8))
    )

    assert (False, True) == (early.is_ready(week(sunday[0])), late.is_ready(week(sunday[0])))
    assert not late.is_ready(week(date(2026, 3, 20)))


def test_a_month_is_not_ready_with_a_day_missing():
    """Thirty days, whatever the weeks say."""
    whole, lacking = (_calendar(_berlin(2026, 6, 1), sealed=days) for days in (APRIL, APRIL[1:]))

    assert (True, False) == (whole.is_ready(month(APRIL[0])), lacking.is_ready(month(APRIL[0])))


def test_a_period_counted_under_two_sets_of_rules_is_never_ready():
    """Its figures would mean two things."""
    calendar = _calendar(_berlin(2026, 6, 1), sealed=APRIL)
    calendar.rules[APRIL[10]] = "others"

    assert (False, True) == (calendar.is_ready(month(APRIL[0])), calendar.is_ready(day(APRIL[10])))


@pytest.mark.parametrize("gaps", ["wait", "accept"])
def test_a_window_is_finished_when_nothing_more_can_come_of_it(gaps):
    """All its days that count are sealed, or it is over and gaps are accepted; not before its grace time ends."""
    in_week = [date(2026, 4, n) for n in range(6, 13)]
    whole = _calendar(_berlin(2026, 6, 1), sealed=in_week, gaps=gaps)
    lacking = _calendar(_berlin(2026, 6, 1), sealed=in_week[:-1], gaps=gaps)
    early = _calendar(_berlin(2026, 4, 14), sealed=in_week, gaps=gaps)
    window = week(in_week[0])

    assert (True, gaps == "accept", False) == tuple(c.is_finished(window) for c in (whole, lacking, early))


def test_a_window_that_began_before_the_first_day_is_finished_by_the_days_that_count():
    """Its key must not live on because of days that will never have lines."""
    counted = [date(2026, 4, n) for n in (10, 11, 12)]
    calendar = _calendar(_berlin(2026, 6, 1), sealed=counted, first_day=counted[0])

    assert calendar.is_finished(week(counted[0]))


def test_days_without_a_line_are_told():
    """Sealed empty, or never sealed: both are missing from the period's figures."""
    calendar = _calendar(
        _berlin(2026, 6, 1), sealed=[date(2026, 4, 6)], empty=[date(2026, 4, 7)], gaps="accept"
    )

    assert tuple(date(2026, 4, n) for n in range(7, 13)) == calendar.empty_days(week(date(2026, 4, 6)))
