"""Lines that come too late, too early or from the future: counted as such, and of no effect."""

from datetime import timedelta

from usage_stats.flow.status import status_of


def test_a_line_that_comes_after_the_seal_changes_no_figure(site, views, noon):
    """It is counted as late; what was released stays, byte for byte."""
    site.log("1.log", views(noon(1)))
    site.run(noon(4))
    before = site.releases()
    site.log("2.log", views(noon(1) + timedelta(hours=1), 20, first=100))
    second = site.run(noon(4))

    assert before
    assert {"late": 20} == second.ingested.outcomes
    assert before == site.releases()
    assert 20 == status_of(site.workspace, noon(4))["lines"]["late"]


def test_a_late_line_of_a_week_and_month_not_yet_over_does_not_reach_them_either(site, views, noon):
    """The day is sealed for its week and its month too: they are made of the same lines."""
    site.log("1.log", views(noon(1)))
    late = site.copy(site.root.with_name("late"))
    late.run(noon(4))
    late.log("more.log", views(noon(1) + timedelta(hours=1), 50, first=500))
    for each in (site, late):
        for number in range(2, 31):
            each.log(f"{number}.log", views(noon(number), 15 + number))
        each.run(noon(30) + timedelta(30))

    assert any("2026-04/" in name for name in site.releases())
    assert site.releases() == late.releases()


def test_a_line_before_the_seal_counts(site, views, noon):
    """Within the grace time, a log that comes a day later is as good as one in time."""
    twin = site.copy(site.root.with_name("twin"))
    twin.log("all.log", views(noon(1)) + views(noon(1), 5, first=100))
    twin.run(noon(4))
    site.log("1.log", views(noon(1)))
    site.run(noon(2))
    site.log("2.log", views(noon(1), 5, first=100))
    site.run(noon(4))

    assert twin.releases()
    assert twin.releases() == site.releases()


def test_a_line_from_the_future_opens_no_day(site, views, noon):
    """A wrong clock: the line is counted as such, and no day waits for its grace time."""
    site.log("1.log", views(noon(1)) + views(noon(25), 7, first=100))
    result = site.run(noon(4))

    assert {"page_views": 15, "in_the_future": 7} == result.ingested.outcomes
    assert {"2026-04-01"} == {name.split("/")[2] for name in site.releases()}


def test_a_line_before_the_first_day_is_counted_as_such(site, views, noon):
    """Nothing before it is measured or released."""
    site.configure(first_day="2026-04-02")
    site.log("1.log", views(noon(1), 7) + views(noon(2)))
    result = site.run(noon(6))

    assert {"before_first_day": 7, "page_views": 15} == result.ingested.outcomes
    assert {"2026-04-02"} == {name.split("/")[2] for name in site.releases()}


def test_no_later_day_is_sealed_than_a_run_is_told_to(site, views, noon):
    """Days outside `first` to `last` stay open and take lines still."""
    site.log("1.log", views(noon(1)) + views(noon(2)) + views(noon(3)))
    sealed = site.run(noon(20), first=noon(2).date(), last=noon(2).date()).sealed
    site.log("2.log", views(noon(1), 4, first=100))
    second = site.run(noon(20))

    assert [noon(2).date()] == sealed
    assert {"page_views": 4} == second.ingested.outcomes
    assert [noon(1).date(), noon(3).date()] == second.sealed


def test_a_gap_holds_back_the_week_and_an_accepted_one_is_marked(site, views, noon):
    """Six days of seven: waiting, nothing but the days; accepting, the week as incomplete, with its gap named."""
    for number in (6, 7, 8, 9, 11, 12):
        site.log(f"{number}.log", views(noon(number)))
    accepting = site.copy(site.root.with_name("accepting"))
    accepting.configure = type(site).configure.__get__(accepting)
    accepting.configure(gaps="accept")
    site.run(noon(20))
    accepting.run(noon(20))
    name = "acme/components/2026-W15"

    assert [] == [n for n in site.releases() if n.startswith(name)]
    assert b"incomplete" in accepting.releases()[f"{name}/components.csv"]
    assert b'"2026-04-10"' in accepting.releases()[f"{name}/datapackage.json"]


def test_a_line_of_a_closed_window_can_only_be_late(site, views, noon):
    """Its keys are destroyed: the same visitors, read again from another file, are late, on a day that was sealed and
    on one that never had a line; no key is made anew, and nothing that was released changes.
    """
    site.configure(gaps="accept")
    site.log("1.log", views(noon(7)) + views(noon(9)))
    site.run(noon(30) + timedelta(30))
    before, keys = site.releases(), site.root / "restricted" / "keys" / "small"
    ledger = (site.root / "restricted" / "ledgers" / "keys.jsonl").read_bytes()
    site.log("again.log", views(noon(7) + timedelta(minutes=1), 15) + views(noon(20), 15))
    second = site.run(noon(30) + timedelta(31))

    assert {"2026-W15", "2026-04"} <= {name.split("/")[2] for name in before}
    assert {"late": 30} == second.ingested.outcomes
    assert before == site.releases()
    assert ledger == (site.root / "restricted" / "ledgers" / "keys.jsonl").read_bytes()
    assert [] == [*keys.glob("week/*.key"), *keys.glob("month/*.key")]
