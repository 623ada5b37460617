"""What a table may be broken down by → each dimension's codes, and which measures add up along it.

Belongs here: the dimensions themselves, stated once for those who classify, count, protect and explain. Does not:
how a log line gets its code, or which tables a workspace has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from usage_stats.periods import PeriodKind

__all__ = [
    "BROWSERS",
    "COMPONENT",
    "COUNTRIES",
    "DEVICES",
    "DIMENSIONS",
    "EVENT_ATTRIBUTES",
    "MEASURES",
    "NO_GROUP",
    "OTHER",
    "REFERRERS",
    "SUB_COMPONENT",
    "TOTAL",
    "UNKNOWN_COUNTRY",
    "Dimension",
    "Measure",
    "bin_bounds",
    "bin_code",
]

Measure = Literal["visitors", "visits", "page_views"]
MEASURES: tuple[Measure, ...] = ("visitors", "visits", "page_views")

TOTAL = "_T"  # SDMX's code for a total
OTHER = "(other)"  # what no rule names: default deny
NO_GROUP = "(none)"  # whoever is logged in with no account of a group
UNKNOWN_COUNTRY = "unknown"
COMPONENT, SUB_COMPONENT = "component", "sub_component"

REFERRERS = ("direct", "internal", "search", "social", "mail", "other site")
BROWSERS = ("Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera", "other")
DEVICES = ("desktop", "phone", "tablet", "tv or console", "other")
# ISO 3166-1 alpha-2, officially assigned as of 2026: 249. The European Union, Kosovo's XK and test codes are not.
_ASSIGNED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = (*_ASSIGNED.split(), UNKNOWN_COUNTRY)

_COUNT_ENDS = tuple(map(str, (1, 2, 3, 5, 10, 20)))
_DURATION_ENDS = ("0 s", "10 s", "1 min", "3 min", "10 min", "30 min")


def bin_code(name: str, low: int, high: int) -> str:
    """The code of a dimension's bins from number `low` to number `high`, both inclusive.

    Words, not "3-4", which a spreadsheet takes for the third of April.
    """
    ends = _DURATION_ENDS if name == "visit_duration" else _COUNT_ENDS
    if high == len(ends) - 1:
        return f"{ends[low]} or more"
    if name == "visit_duration":
        return f"under {ends[high + 1]}" if low == 0 else f"{ends[low]} to {ends[high + 1]}"
    last = int(ends[high + 1]) - 1
    return ends[low] if last == int(ends[low]) else f"{ends[low]} to {last}"


def _bin_codes(name: str, number: int = 6) -> tuple[str, ...]:
    return tuple(bin_code(name, n, n) for n in range(number))


_ALL: tuple[PeriodKind, ...] = ("day", "week", "month")
_LONG: tuple[PeriodKind, ...] = ("week", "month")
_EACH = frozenset(MEASURES)
_VISITS = frozenset({"visits", "page_views"})
_VIEWS = frozenset({"page_views"})


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to break figures down.

    Attributes:
        meaning: what a code says, for readers.
        codes: its categories; none where the configuration names them.
        additive: the measures whose parts add up to the total along it.
        periods: the kinds of period it makes sense for.
        is_usually_one: whether nearly every visitor has one value in a period. A reader may then take visitors for
            additive too, and is mistaken by a few at most: that reader is reckoned with.
        bins: where the codes are bins in order, their lower ends; high bins are folded downward.
    """

    meaning: str
    additive: frozenset[str]
    codes: tuple[str, ...] = ()
    periods: tuple[PeriodKind, ...] = _ALL
    is_usually_one: bool = False
    bins: tuple[int, ...] = ()


_NAMED: dict[str, Dimension] = {
    COMPONENT: Dimension("Part of the site; _T is the whole site, (other) what no rule names.", _VIEWS),
    SUB_COMPONENT: Dimension(
        "Part of the component, deeper ones as a path (guides/install); _T is the whole component, (other) its rest.",
        _VIEWS,
    ),
    "hour": Dimension(
        "Hour of the day in which pages were viewed, 00 to 23, reporting time zone.",
        _VIEWS,
        tuple(f"{hour:02}" for hour in range(24)),
    ),
    "weekday": Dimension(
        "Day of the week, 1 (Monday) to 7 (Sunday), as ISO 8601 counts.", _VISITS, tuple("1234567"), _LONG
    ),
    "referrer": Dimension("How a visit came: by its first page view's referrer.", _VISITS, REFERRERS),
    "browser": Dimension(
        "Browser family of a visit's first page view.", _VISITS, BROWSERS, is_usually_one=True
    ),
    "device": Dimension(
        "Kind of device of a visit's first page view.", _VISITS, DEVICES, is_usually_one=True
    ),
    "country": Dimension(
        "Country of the network of a visit's first page view (ISO 3166-1 alpha-2), as the operator's table has it.",
        _VISITS,
        COUNTRIES,
        is_usually_one=True,
    ),
    "customer_group": Dimension(
        "Group of the customer account that a visit's first page view was made with; (none) without one.",
        _VISITS,
        is_usually_one=True,
    ),
    "entry_component": Dimension("Component of a visit's first page view.", _VISITS),
    "exit_component": Dimension("Component of a visit's last page view.", _VISITS),
    "visit_depth": Dimension(
        "Page views of a visit, all over the site; 1 is a single-page visit.",
        _VISITS,
        _bin_codes("visit_depth"),
        bins=(1, 2, 3, 5, 10, 20),
    ),
    "visit_duration": Dimension(
        "Time from a visit's first page view to its last; a visit of one page view lasted under 10 s.",
        _VISITS,
        _bin_codes("visit_duration"),
        bins=(0, 10, 60, 180, 600, 1800),
    ),
    "visitor_type": Dimension(
        "new: not seen before in the ISO week (nobody is recognised beyond it); returning: seen earlier in it.",
        _EACH,
        ("new", "returning"),
        ("day",),
    ),
    "visit_frequency": Dimension(
        "Visits that a visitor made in the period: the distribution of visitors by how often they came.",
        _EACH,
        _bin_codes("visit_frequency"),
        _LONG,
        bins=(1, 2, 3, 5, 10, 20),
    ),
}
DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(_NAMED)


def bin_bounds(name: str, code: str) -> tuple[int, int | None]:
    """The least and the largest value in a bin of a dimension, or in several that are one; None for no largest."""
    ends, number = DIMENSIONS[name].bins, len(DIMENSIONS[name].bins)
    low, high = next(
        (low, high)
        for low in range(number)
        for high in range(low, number)
        if bin_code(name, low, high) == code
    )
    return ends[low], None if high == number - 1 else ends[high + 1] - 1


# What an event says beside when and where: one column each, only where a table asks for it.
EVENT_ATTRIBUTES = ("referrer", "browser", "device", "country", "customer_group")
