"""Page views of people → what a table must say of a period, by sets: the oracle that tables are held against.

A cell is named by its coordinates: the pairs (dimension, code) of all dimensions that are not at their total. So the
row (_T, search) of a table by component and referrer, and the row search of one by referrer alone, are one cell.

Belongs here: definitions, each once, as plainly as it can be said. Does not: anything of the pipeline, or haste.
"""

from collections import defaultdict
from datetime import date
from itertools import product
from typing import NamedTuple

from plain_people import bin_of

TOTAL = "_T"
# Of what is told in bins: each bin's lower end, and the words for an end.
_COUNTS = ((1, 2, 3, 5, 10, 20), ("1", "2", "3", "5", "10", "20"))
BINNED = {
    "visit_depth": _COUNTS,
    "visit_frequency": _COUNTS,
    "visit_duration": ((0, 10, 60, 180, 600, 1800), ("0 s", "10 s", "1 min", "3 min", "10 min", "30 min")),
}
FIXED = {
    "hour": tuple(f"{hour:02}" for hour in range(24)),
    "weekday": tuple("1234567"),
    "referrer": ("direct", "internal", "search", "social", "mail", "other site"),
    "browser": ("Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera", "other"),
    "device": ("desktop", "phone", "tablet", "tv or console", "other"),
    "visitor_type": ("new", "returning"),
}
PLACES = ("component", "sub_component")
# Of cells about persons by when or how often they came, networks are counted low: of a person's networks of one day,
# one counts. Too few withholds too much; too many would give people away.
COUNTED_LOW = {"visitor_type", "visit_frequency"}
PERIODS = {
    "day": lambda day: day.isoformat(),
    "week": lambda day: "{}-W{:02}".format(*day.isocalendar()),
    "month": lambda day: f"{day:%Y-%m}",
}


class Figures(NamedTuple):
    """What is known of a cell, the networks too, which no table shows."""

    visitors: int
    visits: int
    page_views: int
    networks: int


def cells(views, dimensions, kinds=("day", "week", "month")):
    """(period, coordinates) → figures of every cell that anybody was in, margins included.

    Of bins, all that neighbours may make together are there ("5 or more"): a table shows some of them.
    """
    found = defaultdict(list)
    others = [name for name in dimensions if name not in {*PLACES, "visit_frequency"}]
    for view in views:
        choices = [_places(view, dimensions), *([(), *_codes(view, name)] for name in others)]
        coordinates = [frozenset(sum(chosen, ())) for chosen in product(*choices)]
        for kind in kinds:
            period = PERIODS[kind](view.local.date())
            for place in coordinates:
                found[period, place].append(view)
    if "visit_frequency" in dimensions:
        found = found | _by_frequency(found)
    return {key: _figures(of_cell) for key, of_cell in found.items()}


def _figures(views):
    return Figures(
        len({view.person for view in views}),
        len({view.visit for view in views}),
        len(views),
        len({view.network for view in views}),
    )


def _places(view, dimensions):
    """The site, the component, and with sub-components every part of it that the page lies in."""
    if "component" not in dimensions:
        return [()]
    component, *below = view.place
    found = [(), (("component", component),)]
    if "sub_component" in dimensions:
        paths = ["/".join(below[:depth]) for depth in range(1, len(below) + 1)]
        found += [(("component", component), ("sub_component", path)) for path in paths]
    return found


def _codes(view, name):
    """A page view's codes of a dimension, each as a pair of coordinates."""
    if name == "hour":
        codes = {f"{view.local.hour:02}"}
    elif name == "weekday":
        codes = {str(view.local.isoweekday())}
    elif name in BINNED:
        codes = bins_of(name, view.pages if name == "visit_depth" else view.seconds)
    else:
        codes = {view.attributes[name]}
    return [((name, code),) for code in sorted(codes)]


def bins_of(name, value):
    """Every bin that a number lies in: its own, and each that neighbours make together."""
    ends, _ = BINNED[name]
    place = bin_of(value, ends)
    return {code for code, (low, high) in named_bins(name).items() if low <= place <= high}


def named_bins(name):
    """Each bin that there may be of a dimension, folded ones too: its code → its first and last place."""
    ends, _ = BINNED[name]
    places = range(len(ends))
    return {_bin_code(name, low, high): (low, high) for low in places for high in places[low:]}


def _bin_code(name, low, high):
    ends, words = BINNED[name]
    if high == len(ends) - 1:
        return f"{words[low]} or more"
    if name == "visit_duration":
        return f"{words[low]} to {words[high + 1]}" if low else f"under {words[high + 1]}"
    most = ends[high + 1] - 1
    return words[low] if most == ends[low] else f"{words[low]} to {most}"


def _by_frequency(found):
    """Each cell's page views by how many visits to it their visitors made in the period."""
    parted = defaultdict(list)
    for (period, coordinates), views in found.items():
        visits = defaultdict(set)
        for view in views:
            visits[view.person].add(view.visit)
        for view in views:
            for code in bins_of("visit_frequency", len(visits[view.person])):
                parted[period, coordinates | {("visit_frequency", code)}].append(view)
    return parted


def starts_before(period, day):
    """Whether a day, week or month begins before a day."""
    if "W" in period:
        return date.fromisocalendar(int(period[:4]), int(period[6:]), 1) < day
    return date.fromisoformat(period if len(period) == 10 else f"{period}-01") < day


def is_told_right(place, told, true):
    """Whether four counts are those of a cell; of its networks, none that is not there."""
    low = any(name in COUNTED_LOW for name, _ in place[1])
    networks = 0 < told[3] <= true[3] if low and true[3] else told[3] == true[3]
    return networks and tuple(told[:3]) == tuple(true[:3])
