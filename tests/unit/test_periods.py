from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.errors import InternalError
from usage_stats.periods import WINDOW_OF, day, month, parse_period, periods_of, week

DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 20))
BERLIN = ZoneInfo("Europe/Berlin")


def _hours(of, zone):
    """From midnight to midnight, by the instants at which the days end."""
    return (
        day(of).ends_at(zone).astimezone(UTC) - day(of - timedelta(1)).ends_at(zone).astimezone(UTC)
    ) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("of", "code"),
    [
        ("2020-12-31", "2020-W53"),
        ("2021-01-03", "2020-W53"),
        ("2021-01-04", "2021-W01"),
        ("2018-12-31", "2019-W01"),
        ("2022-01-01", "2021-W52"),
        ("2026-12-31", "2026-W53"),
        ("2027-01-03", "2026-W53"),
        ("2026-11-21", "2026-W47"),
    ],
)
def test_weeks_are_iso_weeks(of, code):
    """A week belongs to the year that has its Thursday."""
    assert code == week(date.fromisoformat(of)).code


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("2024-02", "2024-02-29"),
        ("2026-02", "2026-02-28"),
        ("2000-02", "2000-02-29"),
        ("2100-02", "2100-02-28"),
        ("2026-12", "2026-12-31"),
        ("2026-04", "2026-04-30"),
    ],
)
def test_months_end_when_the_calendar_says(code, last):
    """Leap years by the rule of the century too."""
    assert date.fromisoformat(last) == parse_period(code).last


@given(of=DAYS)
def test_a_week_is_monday_to_sunday(of):
    """Seven days, the first a Monday, one of them the day asked for."""
    found = week(of)

    assert (7, 0) == (len(found.days), found.first.weekday())
    assert of in found.days


@given(of=DAYS)
def test_every_day_lies_in_exactly_one_week_and_one_month(of):
    """The days of a day's week have that same week, and its neighbours outside have another; months alike."""
    for of_day in (week, month):
        found = of_day(of)
        assert {found} == {of_day(d) for d in found.days}
        assert found not in {of_day(found.first - timedelta(1)), of_day(found.last + timedelta(1))}


@given(of=DAYS)
def test_a_month_is_all_days_of_its_number(of):
    """A month holds the days with its year and month, every one of them."""
    found = month(of)
    around = [found.first + timedelta(n) for n in range(-40, 40)]

    assert [d for d in around if (d.year, d.month) == (of.year, of.month)] == list(found.days)


@given(of=DAYS)
def test_a_code_gives_its_period_back(of):
    """What is published as a code can be read back."""
    assert [day(of), week(of), month(of)] == [parse_period(p(of).code) for p in (day, week, month)]


@pytest.mark.parametrize(
    "code", ["", "2026", "2026-W5", "2026-1-1", "2026-03-02 ", "26-03-02", "2026-W12-1", "march"]
)
def test_other_codes_are_refused(code):
    """A code that no period has is a bug of ours."""
    with pytest.raises(InternalError, match="bug"):
        parse_period(code)


@pytest.mark.parametrize("code", ["2026-02-30", "2026-13", "2026-00", "2025-W53", "2026-W00", "2026-W54"])
def test_codes_of_no_calendar_are_refused_alike(code):
    """A code that only looks like one is refused with the same error."""
    with pytest.raises(InternalError, match="bug"):
        parse_period(code)


@pytest.mark.parametrize(
    ("of", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-28", 24), ("2026-06-01", 24)]
)
def test_days_of_changing_clocks(of, hours):
    """The day on which summer time begins has 23 hours, the one on which it ends 25."""
    assert hours == _hours(date.fromisoformat(of), BERLIN)


@pytest.mark.parametrize(
    ("zone", "of", "hours"),
    [
        ("America/Sao_Paulo", "2018-11-04", 23),  # the clock skips midnight itself
        ("America/Sao_Paulo", "2018-02-17", 25),  # and has 23:00 twice
        ("America/Havana", "2024-11-03", 25),  # has midnight twice
        ("Australia/Lord_Howe", "2026-04-05", 24.5),  # changes by half an hour
        ("Asia/Kathmandu", "2026-04-05", 24),
    ],
)
def test_days_of_odd_zones(zone, of, hours):
    """Wherever the clock changes, no second is lost between two days or in both."""
    assert hours == _hours(date.fromisoformat(of), ZoneInfo(zone))


@settings(deadline=None)
@given(
    of=st.dates(date(1975, 1, 1), date(2037, 12, 31)),
    name=st.sampled_from(
        [
            "Europe/Berlin",
            "America/Sao_Paulo",
            "America/Havana",
            "Asia/Beirut",
            "Pacific/Apia",
            "Asia/Kolkata",
            "UTC",
        ]
    ),
)
def test_a_period_ends_at_the_first_instant_of_the_next(of, name):
    """One second before the end it is still the last day there, at the end no longer."""
    zone = ZoneInfo(name)
    for period in (day(of), week(of), month(of)):
        end = period.ends_at(zone).astimezone(UTC)
        assert (end - timedelta(seconds=1)).astimezone(zone).date() <= period.last
        assert period.last < end.astimezone(zone).date()


def test_the_end_is_an_instant():
    """A period's end can be compared with the time anywhere."""
    assert datetime(2026, 3, 29, 22, tzinfo=UTC) == day(date(2026, 3, 29)).ends_at(BERLIN)


@given(days=st.lists(DAYS, max_size=20))
def test_periods_of_days_are_each_there_once(days):
    """Every period that has one of the days, once, and no other; parts stand before wholes."""
    found = periods_of(days, ("day", "week", "month"))

    assert {p(d) for d in days for p in (day, week, month)} == set(found)
    assert len(set(found)) == len(found)
    assert all(not found[j].covers(found[i]) for i in range(len(found)) for j in range(i))


def test_only_the_kinds_asked_for():
    """A site that publishes months only has no days."""
    assert ["2026-03"] == [p.code for p in periods_of([date(2026, 3, 2), date(2026, 3, 9)], ("month",))]


@given(first=DAYS, second=DAYS)
def test_covering_is_containing_every_day(first, second):
    """One period covers another if all its days are among its own."""
    for outer in (week(first), month(first)):
        for inner in (day(second), week(second), month(second)):
            assert set(inner.days).issubset(outer.days) == outer.covers(inner)


def test_a_day_borrows_the_week():
    """No window is longer than a month, and none but the week's tells a day's visitors apart."""
    assert {"day": "week", "week": "week", "month": "month"} == WINDOW_OF
