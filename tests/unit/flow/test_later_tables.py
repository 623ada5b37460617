"""Tables that are asked for later, and what must be known before a day can tell who is new."""

import csv
import io
from datetime import UTC, date, datetime

import pytest

from usage_stats.config import Config
from usage_stats.flow import publish as publish_module
from usage_stats.flow.calendar import Calendar
from usage_stats.flow.released import released_periods, stored_release
from usage_stats.measure.cube import by_of
from usage_stats.measure.relations import relations_between
from usage_stats.periods import day, month, week

PLAIN = {"components": {}}
BY_HOUR = {**PLAIN, "hours": {"dimensions": ["component", "hour"]}}
BY_WEEKDAY = {**PLAIN, "weekdays": {"dimensions": ["weekday"]}}
BY_TYPE = {**PLAIN, "types": {"dimensions": ["visitor_type"]}}
BY_FREQUENCY = {**PLAIN, "often": {"dimensions": ["visit_frequency"]}}


def _periods(site, table):
    """The periods of which the partner has the table."""
    return {name.split("/")[2] for name in site.releases() if name.startswith(f"acme/{table}/")}


def _rows(site, table, period):
    content = site.releases()[f"acme/{table}/{period}/{table}.csv"].decode()
    return list(csv.DictReader(io.StringIO(content, newline="")))


def _configure(site, tables, **settings):
    site.configure(tables=tables, partners=[{"id": "acme", "tables": list(tables)}], **settings)


def _days(site, views, noon, *days, **options):
    for of in days:
        site.log(f"{of}.log", views(noon(of), **options))


def _at(month_number, of):
    return datetime(2026, month_number, of, 12, tzinfo=UTC)


def _dimensions(site):
    """What the cells of each released period are broken down by."""
    workspace = site.workspace
    return {
        period.code: {
            name for key in stored_release(workspace, period, digest).view() for name in by_of(key.category)
        }
        for period, digest in released_periods(workspace).items()
    }


def test_a_table_asked_for_in_mid_month_begins_with_what_lies_after(site, views, noon):
    """Days that were counted without it cannot tell it: neither they nor their week nor their month show it; days and
    weeks that were counted with it do. The old tables go on as if nothing had been asked for.
    """
    _configure(site, PLAIN)
    _days(site, views, noon, *range(1, 9))  # the 8th is a Wednesday
    site.run(noon(11))  # sealed: days 1 to 8
    _configure(site, BY_HOUR)
    _days(site, views, noon, *range(9, 31))
    for of in (1, 2, 3):
        site.log(f"may-{of}.log", views(_at(5, of)))
    site.run(_at(5, 9))
    later = {f"2026-04-{n:02}" for n in range(9, 31)} | {f"2026-05-{n:02}" for n in (1, 2, 3)}
    before = {f"2026-04-{n:02}" for n in range(1, 9)}

    assert later | {"2026-W16", "2026-W17", "2026-W18"} == _periods(site, "hours")
    assert before | later | {"2026-04", *(f"2026-W{n}" for n in range(15, 19))} == _periods(
        site, "components"
    )
    assert {"2026-04": set(), "2026-W15": set(), "2026-W16": {"hour"}}.items() <= _dimensions(site).items()


def test_figures_of_the_old_tables_do_not_change_with_a_new_one(site, views, noon, tmp_path):
    """One workspace with the new table, its twin without: the old table's figures are the same."""
    _configure(site, PLAIN)
    _days(site, views, noon, 6, 7)
    site.run(noon(10))
    twin = site.copy(tmp_path / "twin")
    _configure(site, BY_HOUR)
    for one in (site, twin):
        _days(one, views, noon, *range(8, 13))
        one.run(noon(20))

    assert _rows(twin, "components", "2026-W15") == _rows(site, "components", "2026-W15")
    assert _periods(twin, "components") == _periods(site, "components")


def test_a_table_of_weekdays_needs_nothing_that_was_not_kept(site, views, noon):
    """Days of the week are known of every day: the running week shows it."""
    _configure(site, PLAIN)
    _days(site, views, noon, 6, 7, 8)
    site.run(noon(11))
    _configure(site, BY_WEEKDAY)
    _days(site, views, noon, *range(9, 13))
    site.run(noon(20))
    rows = _rows(site, "weekdays", "2026-W15")

    assert ["_T", *"1234567"] == [row["weekday"] for row in rows]
    assert ["15"] * 8 == [row["visitors"] for row in rows]
    assert ["105", *["15"] * 7] == [row["visits"] for row in rows]


def test_a_table_that_is_no_longer_asked_for_ends(site, views, noon):
    """What was delivered stays; later periods have it no more, and the others go on."""
    _configure(site, BY_HOUR)
    _days(site, views, noon, 6)
    site.run(noon(9))
    delivered = _periods(site, "hours")
    _configure(site, PLAIN)
    _days(site, views, noon, 7, 8)
    site.run(noon(12))

    assert {"2026-04-06"} == delivered == _periods(site, "hours")
    assert {"2026-04-06", "2026-04-07", "2026-04-08"} == _periods(site, "components")


# ---------------------------------------------------------------- who is new


def test_who_is_new_is_told_of_days_whose_week_is_known_from_its_beginning(site, views, noon):
    """On Monday all are new; on Tuesday those of Monday return, and ten more are new."""
    _configure(site, BY_TYPE)
    _days(site, views, noon, 6)
    _days(site, views, noon, 7, visitors=30)
    site.run(noon(20))
    found = {
        of: {row["visitor_type"]: row["visitors"] for row in _rows(site, "types", f"2026-04-{of:02}")}
        for of in (6, 7)
    }

    assert {"_T": "15", "new": "15", "returning": "0"} == found[6]
    assert {"_T": "30", "new": "15", "returning": "15"} == found[7]


def test_a_day_cannot_tell_who_is_new_before_the_days_before_it_are_sealed(site, views, noon):
    """A gap in the week: the day after it is released without, for its visitors may have come in the gap."""
    _configure(site, BY_TYPE)
    _days(site, views, noon, 6, 8)
    site.run(noon(20))

    assert {"2026-04-06", "2026-04-08"} == _periods(site, "components")
    assert {"2026-04-06"} == _periods(site, "types")


def test_an_accepted_gap_hides_nobody(site, views, noon):
    """Nobody was there, says the operator."""
    _configure(site, BY_TYPE, gaps="accept")
    _days(site, views, noon, 6, 8)
    site.run(noon(20))

    assert {"2026-04-06", "2026-04-08"} == _periods(site, "types")


def test_a_measurement_that_begins_in_mid_week_tells_who_is_new_since_then(site, views, noon):
    """Before the first day nobody was seen."""
    _configure(site, BY_TYPE, first_day="2026-04-08")
    _days(site, views, noon, *range(6, 10))
    site.run(noon(20))

    assert {"2026-04-08", "2026-04-09"} == _periods(site, "types")
    assert "15" == next(
        row["visitors"] for row in _rows(site, "types", "2026-04-08") if row["visitor_type"] == "new"
    )


def test_who_is_new_begins_again_with_each_week(site, views, noon):
    """Nobody is recognised from Sunday to Monday."""
    _configure(site, BY_TYPE)
    _days(site, views, noon, *range(6, 14))
    site.run(noon(20))
    new = {
        of: next(r["visitors"] for r in _rows(site, "types", f"2026-04-{of}") if r["visitor_type"] == "new")
        for of in (11, 12, 13)
    }

    assert {11: "0", 12: "0", 13: "15"} == new


def _calendar(*, sealed, lines=(), **settings):
    days = [date(2026, 4, n) for n in sealed]
    return Calendar(
        config=Config.model_validate({"site": "s", **settings}),
        now=datetime(2026, 5, 20, tzinfo=UTC),
        lines={"web": frozenset(date(2026, 4, n) for n in lines)},
        sealed=dict.fromkeys(days, False),
        rules=dict.fromkeys(days, "r"),
        closed=frozenset(),
        tells={of: frozenset({"a"} if of.day < 9 else {"a", "b"}) for of in days},
    )


@pytest.mark.parametrize(
    ("sealed", "lines", "first_day", "knows"),
    [
        ([6, 7, 8], (), None, True),
        ([6, 8], (), None, False),
        ([8], (), None, False),  # the first day there is: of those before, a log may still come
        ([8], (), "2026-04-08", True),
        ([8], (7, 8), None, False),
        ([8], (7, 8), "2026-04-08", True),
        ([5, 8], (), None, False),
        ([7, 8], (), "2026-04-01", False),
        ([6, 7, 8], (), "2026-04-01", True),
    ],
)
def test_the_week_before_a_day_is_known_if_its_days_are_sealed(sealed, lines, first_day, knows):
    """From the week's Monday on, or from the first day that was measured; Wednesday, 8 April 2026."""
    calendar = _calendar(sealed=sealed, lines=lines, first_day=first_day)

    assert knows == calendar.knows_the_window_before(date(2026, 4, 8))


def test_a_period_tells_what_all_of_its_days_tell():
    """One day without it, and the period has it not; days without lines tell everything."""
    calendar = _calendar(sealed=[6, 7, 8, 9, 10, 14])

    assert {"a"} == calendar.told_throughout(week(date(2026, 4, 6)))
    assert {"a", "b"} == calendar.told_throughout(week(date(2026, 4, 14)))
    assert {"a"} == calendar.told_throughout(month(date(2026, 4, 6)))
    assert {"a", "b"} == calendar.told_throughout(day(date(2026, 4, 9)))
    assert frozenset() == calendar.told_throughout(week(date(2026, 4, 21)))


# ---------------------------------------------------------------- bins


def test_bins_of_too_few_are_folded_in_what_partners_get(site, views, noon):
    """Thirty people come, three of them often: these are in one bin with the others, and bins of nobody stay."""
    _configure(site, {"often": BY_FREQUENCY["often"] | {"periods": ["week"]}})
    for of in range(6, 13):
        _days(site, views, noon, of, visitors=30 if of == 6 else 3)
    site.run(noon(20))
    rows = {row["visit_frequency"]: row["visitors"] for row in _rows(site, "often", "2026-W15")}

    assert {"_T": "30", "1 to 9": "30", "10 to 19": "0", "20 or more": "0"} == rows


def test_bins_of_enough_are_told_apart(site, views, noon):
    """Forty come, fifteen of them on two days and fifteen on seven: three bins of ten and more."""
    _configure(site, BY_FREQUENCY)
    for of in range(6, 13):
        _days(site, views, noon, of, visitors={6: 45, 7: 30}.get(of, 15))
    site.run(noon(20))
    rows = _rows(site, "often", "2026-W15")

    assert {
        "_T": "45",
        "1": "15",
        "2": "15",
        "3 to 4": "0",
        "5 to 9": "15",
        "10 to 19": "0",
        "20 or more": "0",
    } == {row["visit_frequency"]: row["visitors"] for row in rows}


def test_an_older_log_that_comes_later_does_not_contradict_what_was_told(site, views, noon):
    """Tuesday was sealed when nothing was known of Monday: then nobody could say who was new on it, and the week, whose
    visitors would be fewer than the new ones of its days, is released all the same.
    """
    _configure(site, BY_TYPE)
    _days(site, views, noon, 7, 8)
    site.run(noon(11))
    _days(site, views, noon, 6, 9, 10, 11, 12)
    result = site.run(noon(20))

    assert [] == result.refused
    assert "2026-W15" in _periods(site, "components")
    assert {"2026-04-06", *(f"2026-04-{n:02}" for n in range(9, 13))} == _periods(site, "types")


def test_days_that_were_never_sealed_are_known_to_hold_nothing(site, views, noon, monkeypatch):
    """Readers are told which days had no line: what the others leave of the week is nothing, and they know."""
    found = []

    def listed(*args, **options):
        found.extend(relations_between(*args, **options))
        return found

    monkeypatch.setattr(publish_module, "relations_between", listed)
    _configure(site, PLAIN, gaps="accept")
    _days(site, views, noon, *range(8, 13))
    site.run(noon(20))

    assert {True} == {r.complete for r in found if r.dimension == "period" and r.whole.period == "2026-W15"}
