"""Hits → what each page view says beside when and where: codes of the attributes that some table asks for.

Belongs here: which value of a hit decides which attribute, once per distinct value. Does not: how one value is judged
(referrer, browser, country, customer_groups), or what a visit's attribute is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.lines import Int64
from usage_stats.accesslog.vocabulary import Verdicts, Vocabulary
from usage_stats.deidentify import browser
from usage_stats.deidentify.referrer import ReferrerClassifier
from usage_stats.dimensions import DEVICES, EVENT_ATTRIBUTES, NO_GROUP, OTHER
from usage_stats.errors import InternalError
from usage_stats.table_settings import event_codes

__all__ = ["Attributes", "Codes", "Lists"]

Codes = NDArray[np.int16]
_SLOT_OF = {
    "referrer": "referrer",
    "browser": "agent",
    "device": "agent",
    "country": "address",
    "customer_group": "account",
}


@dataclass(frozen=True, slots=True)
class Lists:
    """By what attributes are told, where that hangs on the settings. Holds identified data: its text shows nothing.

    Attributes:
        hosts: the site's own.
        country_of: an address → its country, one of `COUNTRIES`. countries: those that are told apart; none: all.
        group_of: an account → its group, one of `groups`, or `(none)`.
    """

    hosts: tuple[str, ...] = ()
    country_of: Callable[[bytes | None], str] | None = field(default=None, repr=False)
    countries: tuple[str, ...] = ()
    group_of: Callable[[bytes], str] | None = field(default=None, repr=False)
    groups: tuple[str, ...] = ()


class Attributes:
    """Gives page views their codes; remembers what it thought of each distinct value, by its hash.

    `names`: the attributes, in the order of `EVENT_ATTRIBUTES`; `codes`: all that each may have, by its name.

    Raises:
        InternalError: what an attribute is told by is not among `lists`.
    """

    def __init__(self, names: Collection[str], lists: Lists, make: Callable[[], Vocabulary]) -> None:
        self.names = tuple(name for name in EVENT_ATTRIBUTES if name in names)
        self.codes = {name: event_codes(name, lists.countries, lists.groups) for name in self.names}
        self._verdicts = {_SLOT_OF[name]: _verdicts(_SLOT_OF[name], lists, make) for name in self.names}
        self._code_of = {name: _codes_by_verdict(name, len(self.codes[name])) for name in self.names}

    @property
    def wanted(self) -> frozenset[str]:
        """What must be kept of a line for them, of the values that are kept only if wanted."""
        return frozenset({"referrer"} & set(self.names))

    def of(self, columns: Columns, rows: Int64) -> Codes:
        """Per row of `rows` and attribute the place of its code in `codes`."""
        verdicts = {slot: judged.of(columns, rows) for slot, judged in self._verdicts.items()}
        found: Codes = np.empty((len(rows), len(self.names)), np.int16)
        for place, name in enumerate(self.names):
            found[:, place] = self._code_of[name][verdicts[_SLOT_OF[name]]]
        return found


def _verdicts(slot: str, lists: Lists, make: Callable[[], Vocabulary]) -> Verdicts:
    """The judge of a slot's values. Where there is no value, it says what it says of nothing."""
    judge = {"referrer": _referrer, "agent": _agent, "address": _country, "account": _group}[slot](lists)
    return Verdicts(SLOTS.index(slot), judge=judge, make=make, absent=judge(None), dtype=np.int16)


def _referrer(lists: Lists) -> Callable[[bytes | None], int]:
    classify = ReferrerClassifier(lists.hosts).classify
    codes = event_codes("referrer")
    return lambda referrer: codes.index(classify(referrer))


def _agent(_: Lists) -> Callable[[bytes | None], int]:
    """Family and device at once: one reading of the agent tells both."""
    classify = browser.BrowserClassifier().classify
    return lambda agent: browser.BROWSERS.index(classify(agent))


def _country(lists: Lists) -> Callable[[bytes | None], int]:
    if lists.country_of is None:
        raise InternalError("countries without a table of them: this is a bug")
    country_of = lists.country_of
    codes = {code: place for place, code in enumerate(event_codes("country", lists.countries))}
    return lambda address: codes[country if (country := country_of(address)) in codes else OTHER]


def _group(lists: Lists) -> Callable[[bytes | None], int]:
    if lists.group_of is None:
        raise InternalError("groups of customers without a list of them: this is a bug")
    group_of = lists.group_of
    codes = event_codes("customer_group", groups=lists.groups)
    return lambda account: codes.index(NO_GROUP if account is None else group_of(account))


def _codes_by_verdict(name: str, count: int) -> Codes:
    """The code for each verdict: `BROWSERS` has every device of the first family, then of the next."""
    if name == "browser":
        return np.repeat(np.arange(count, dtype=np.int16), len(DEVICES))
    return np.tile(np.arange(count, dtype=np.int16), len(browser.FAMILIES) if name == "device" else 1)
