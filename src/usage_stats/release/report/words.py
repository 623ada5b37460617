"""Figures, periods and names → the text that a page shows of them, the same in every locale.

Belongs here: how one value is written. Does not: which values there are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta

from usage_stats.config import TOTAL
from usage_stats.periods import Period, PeriodKind

__all__ = [
    "WEEKDAYS",
    "and_list",
    "change",
    "code_words",
    "date_words",
    "days_words",
    "dimension_words",
    "figure",
    "listed_period",
    "measure_words",
    "period_before",
    "period_words",
    "plain",
    "share",
    "short_period",
    "table_words",
]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_THIN = "\N{NARROW NO-BREAK SPACE}"  # between thousands: read alike in every country, and no line ends there
_MINUS = "\N{MINUS SIGN}"
_MEASURES = {
    "visitors": "Visitors",
    "visits": "Visits",
    "page_views": "Page views",
    "reach": "Reach",
    "frequency": "Visits per visitor",
    "page_views_per_visit": "Page views per visit",
}
_DIMENSIONS = {
    "component": "Part of the site",
    "sub_component": "Part of it",
    "hour": "Hour of the day",
    "weekday": "Day of the week",
    "referrer": "How visits came",
    "browser": "Browser",
    "device": "Kind of device",
    "country": "Country",
    "customer_group": "Group of customers",
    "entry_component": "Where visits began",
    "exit_component": "Where visits ended",
    "visit_depth": "Page views of a visit",
    "visit_duration": "Length of a visit",
    "visitor_type": "New and returning visitors",
    "visit_frequency": "How often visitors came",
}
_LEAST_CHANGE, _NO_DECIMAL = (
    0.05,
    1000,
)  # percent: less is 0.0 with one decimal; from 1 000 on, decimals say nothing
_RATIOS = frozenset({"frequency", "page_views_per_visit"})
# What steers the direction or the shape of text, or cannot be seen: shown by its number, so that no name passes for
# another. Cc control, Cf format, Zl and Zp line breaks, Co private use, Cs half a
# pair.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs"})


def plain(text: str) -> str:
    """A name as printable text: signs that cannot be seen stand there by their number."""
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _UNSEEN else c for c in text)


def figure(name: str, value: float) -> str:
    """A figure of a measure: 12 345, 38.2 %, 1.18."""
    if name == "reach":
        return share(value)
    if name in _RATIOS:
        return f"{value:.2f}"
    return _grouped(int(value))


def share(value: float) -> str:
    """A share in percent, with one decimal."""
    return f"{value * 100:.1f}{_THIN}%"


def _grouped(value: int) -> str:
    return f"{value:,}".replace(",", _THIN)


def change(now: float, before: float) -> str:
    """By how much a figure differs from an earlier one, in percent; in words where percent say nothing."""
    if now == before:
        return "unchanged"
    if not before:
        return "up from none"
    percent = (now - before) / before * 100
    if abs(percent) < _LEAST_CHANGE:
        return "nearly unchanged"
    sign = "+" if percent > 0 else _MINUS
    size = f"{abs(percent):.1f}" if abs(percent) < _NO_DECIMAL else _grouped(round(abs(percent)))
    return f"{sign}{size}{_THIN}%"


def date_words(day: date) -> str:
    """2 March 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def days_words(days: Sequence[date]) -> str:
    """3 March 2026 and 21 to 24 March 2026: days that follow each other as one span."""
    spans: list[list[date]] = []
    for one in sorted(days):
        if spans and one - spans[-1][-1] == timedelta(1):
            spans[-1].append(one)
        else:
            spans.append([one])
    return and_list([_span(s[0], s[-1]) if len(s) > 1 else date_words(s[0]) for s in spans])


def period_words(period: Period) -> str:
    """Monday, 2 March 2026; week 10 of 2026, with its days; March 2026."""
    if period.kind == "day":
        return f"{WEEKDAYS[period.first.weekday()]}, {date_words(period.first)}"
    if period.kind == "month":
        return f"{_MONTHS[period.first.month - 1]} {period.first.year}"
    year, number, _ = period.first.isocalendar()
    return f"Week {number} of {year}, {_span(period.first, period.last)}"


def _span(first: date, last: date) -> str:
    """2 to 8 March 2026, naming month and year once where they are the same."""
    if first.year != last.year:
        return f"{date_words(first)} to {date_words(last)}"
    if first.month != last.month:
        return f"{first.day} {_MONTHS[first.month - 1]} to {date_words(last)}"
    return f"{first.day} to {date_words(last)}"


def listed_period(period: Period) -> str:
    """A period as a row of a list, in one line on a phone: Mon, 2 Mar 2026; Week 10 of 2026; March 2026."""
    if period.kind == "day":
        month = _MONTHS[period.first.month - 1][:3]
        return f"{WEEKDAYS[period.first.weekday()][:3]}, {period.first.day} {month} {period.first.year}"
    return period_words(period).split(",")[0]


def short_period(period: Period) -> str:
    """What fits under an axis: 2 Mar, W10, Mar 26; one text for one period within two years."""
    short = _MONTHS[period.first.month - 1][:3]
    if period.kind == "day":
        return f"{period.first.day} {short}"
    if period.kind == "week":
        return f"W{period.code[-2:]}"
    return f"{short} {period.first.year % 100:02}"


def period_before(kind: PeriodKind) -> str:
    """What the last period of a kind is called."""
    return {"day": "the day before", "week": "the week before", "month": "the month before"}[kind]


def measure_words(name: str) -> str:
    """A column of figures, as a heading."""
    return _MEASURES[name]


def dimension_words(name: str) -> str:
    """A dimension, as a heading."""
    return _DIMENSIONS[name]


def code_words(dimension: str, code: str) -> str:
    """A code for readers: Thursday for 4, 09:00 for 09; names stay what they are."""
    if code == TOTAL:
        return "All"
    if dimension == "weekday" and code in "1234567":
        return WEEKDAYS[int(code) - 1]
    if dimension == "hour" and code.isdigit():
        return f"{code}:00"
    if dimension == "visit_frequency":
        return {"1": "Once", "2": "Twice"}.get(code, f"{plain(code)} times")
    return plain(code)


def table_words(table: str) -> str:
    """The name of a table, as a heading."""
    return table.replace("_", " ").capitalize()


def and_list(words: Sequence[str]) -> str:
    """One, two and three; nothing of nothing."""
    return "".join(words) if len(words) <= 1 else f"{', '.join(words[:-1])} and {words[-1]}"
