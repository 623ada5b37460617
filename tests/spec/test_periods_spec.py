"""Disclosure control over days, weeks and months, drawn. Five persons are the minimum.

One place only, `a`, so that the site's total and the place are one figure and all that happens is in time.
February 2027 is four weeks from Monday to Sunday; March 2027 is four such weeks and three days after them.
"""

from datetime import date, timedelta

from drawn_tables import by_period, draw

from usage_stats.config import Thresholds

MONDAY = date(2027, 2, 1)
USUAL = "101-110"  # the same ten persons on every day that is not spoken of


def _line(first, number, **special):
    """A drawing of one row: the usual persons, and other ones on special days (by the day's name `d1`, `d2`)."""
    days = [first + timedelta(n) for n in range(number)]
    drawn = [special.get(f"d{n + 1}", USUAL) for n in range(number)]
    return f"place {' '.join(d.isoformat() for d in days)}\na {' '.join(drawn)}"


def _of(drawing, *codes, thresholds=None):
    found = by_period(drawing, "a", *([thresholds] if thresholds else []))
    return [found[code] for code in codes]


def test_week_with_one_withheld_day_is_withheld():
    """The week less its six published days is the seventh: visits and page views add up over days."""
    drawing = draw(_line(MONDAY, 7, d3="1-3"))

    expected = ["safe", "primary", "safe", "secondary"]

    assert expected == _of(drawing, "2027-02-02", "2027-02-03", "2027-02-04", "2027-W05")


def test_week_with_two_withheld_days_of_enough_persons_is_published():
    """Four and four persons: the two days share 8 visits, each 1 to 7, and 80 page views."""
    drawing = draw(_line(MONDAY, 7, d3="1-4", d4="5-8"))

    expected = ["primary", "primary", "safe"]

    assert expected == _of(drawing, "2027-02-03", "2027-02-04", "2027-W05")


def test_week_with_two_withheld_days_of_the_same_few_persons_is_withheld():
    """The week less its published days would be a figure about four persons, whatever each day's share is."""
    drawing = draw(_line(MONDAY, 7, d3="1-4", d4="1-4"))

    expected = ["primary", "primary", "secondary"]

    assert expected == _of(drawing, "2027-02-03", "2027-02-04", "2027-W05")


def test_week_whose_withheld_days_would_be_nearly_known_is_withheld():
    """Two and three persons are enough together, but of 5 visits each day has 1 to 4: not wide enough."""
    drawing = draw(_line(MONDAY, 7, d3="1-2", d4="3-5"))

    expected = ["primary", "primary", "secondary"]

    assert expected == _of(drawing, "2027-02-03", "2027-02-04", "2027-W05")


def test_week_with_few_more_persons_than_one_of_its_days_is_withheld():
    """Everybody came on every day, and three more on Tuesday: week less Monday would be these three."""
    drawing = draw(_line(MONDAY, 7, d2="101-113"))

    expected = ["safe", "safe", "secondary"]

    assert expected == _of(drawing, "2027-02-01", "2027-02-02", "2027-W05")


def test_week_of_empty_days_and_one_withheld_is_withheld_too():
    """Zeros are published: a week with one day's visitors is that day."""
    drawing = draw(_line(MONDAY, 7, **{f"d{n}": "-" for n in (1, 2, 4, 5, 6, 7)}, d3="1-3"))

    expected = ["zero", "primary", "primary"]

    assert expected == _of(drawing, "2027-02-01", "2027-02-03", "2027-W05")


def test_month_with_one_withheld_week_is_withheld():
    """One day hides one week, and the week the month: month less three weeks is the fourth."""
    drawing = draw(_line(MONDAY, 28, d3="1-3"))

    expected = ["primary", "secondary", "safe", "secondary"]

    assert expected == _of(drawing, "2027-02-03", "2027-W05", "2027-W06", "2027-02")


def test_month_with_two_withheld_weeks_of_enough_persons_is_published():
    """Each of two weeks has one withheld day, of four persons each: 8 visits to be shared by the two days."""
    drawing = draw(_line(MONDAY, 28, d3="1-4", d10="5-8"))

    expected = ["secondary", "secondary", "safe"]

    assert expected == _of(drawing, "2027-W05", "2027-W06", "2027-02")


def test_month_with_one_withheld_day_beside_its_weeks_is_withheld():
    """The days around the whole weeks are parts of the month like the weeks: none may be the only one hidden."""
    drawing = draw(_line(date(2027, 3, 1), 31, d30="1-3"))

    expected = ["safe", "safe", "primary", "secondary"]

    assert expected == _of(drawing, "2027-W09", "2027-W12", "2027-03-30", "2027-03")


def test_month_with_two_withheld_days_beside_its_weeks_is_published():
    """Eight persons and 8 visits are left when weeks and published days are taken away."""
    drawing = draw(_line(date(2027, 3, 1), 31, d30="1-4", d31="5-8"))

    expected = ["primary", "primary", "safe"]

    assert expected == _of(drawing, "2027-03-30", "2027-03-31", "2027-03")


def test_month_less_published_weeks_and_days_of_withheld_weeks_is_no_figure_about_few():
    """Weeks and days may be mixed: what they leave of the month rests on enough persons, or on nobody.

    Wednesday of the first and of the second week are withheld, each with the same four persons: so are these
    weeks. The third week is published with two withheld days of other persons. Month less the third and
    fourth week less the published days of the first and second are 8 visits of the four persons.
    """
    drawing = draw(_line(MONDAY, 28, d3="1-4", d10="1-4", d17="11-14", d18="15-18", d22="101-130"))

    expected = ["secondary", "secondary", "safe", "safe", "secondary"]

    assert expected == _of(drawing, "2027-W05", "2027-W06", "2027-W07", "2027-W08", "2027-02")


def test_month_less_its_weeks_is_no_figure_about_few_where_days_are_not_published():
    """Also parts that no table shows count: the days around the weeks have a single person here.

    New persons come in the second and in the third week, so that month and week differ by many persons.
    """
    special = {"d8": "101-130", "d15": "131-160", "d29": "-", "d30": "1", "d31": "-"}
    drawing = draw(_line(date(2027, 3, 1), 31, **special), kinds=("week", "month"))

    expected = ["safe", "safe", "safe", "safe", "secondary"]

    assert expected == _of(drawing, "2027-W09", "2027-W10", "2027-W11", "2027-W12", "2027-03")


def test_month_may_be_withheld_beside_many_published_days():
    """A withheld sum may be far larger than any published figure: 27 days of 100 page views are in it."""
    drawing = draw(_line(MONDAY, 28, d3="1-3"), kinds=("day", "month"))

    expected = ["safe", "primary", "secondary"]

    assert expected == _of(drawing, "2027-02-02", "2027-02-03", "2027-02")


def test_minimum_of_networks_holds_for_weeks_as_for_days():
    """The week less its published days obeys every rule: two days of one company each leave a third withheld."""
    company = dict.fromkeys(range(1, 41), "company")
    drawing = draw(_line(MONDAY, 7, d3="1-20", d4="21-40"), networks=company)
    rules = Thresholds(minimum_persons=5, minimum_networks=3, protection_share=0.1)

    expected = ["safe", "primary", "primary", "secondary"]

    assert expected == _of(drawing, "2027-02-02", "2027-02-03", "2027-02-04", "2027-W05", thresholds=rules)
