"""Page views of people → what a table must say of a period, by sets: the oracle that tables are held against.

A cell is named by its coordinates: the pairs (dimension, code) of all dimensions that are not at their total. So the
row (_T, search) of a table by component and referrer, and the row search of one by referrer alone, are one cell.

Belongs here: definitions, each once, as plainly as it can be said. Does not: anything of the pipeline, or haste.
"""

from collections import defaultdict
from itertools import product
from typing import NamedTuple

from plain_people import bin_of

TOTAL = "_T"
COUNT_ENDS = (1, 2, 3, 5, 10, 20)
COUNT_BINS = ("1", "2", "3 to 4", "5 to 9", "10 to 19", "20 or more")
DURATION_ENDS = (0, 10, 60, 180, 600, 1800)
DURATION_BINS = (
    *("under 10 s", "10 s to 1 min", "1 to 3 min", "3 to 10 min", "10 to 30 min", "30 min or more"),
)
DURATION_TAILS = (
    *("0 s or more", "10 s or more", "1 min or more", "3 min or more", "10 min or more", "30 min or more"),
)
COUNT_TAILS = tuple(f"{end} or more" for end in COUNT_ENDS)
BINNED = {
    "visit_depth": (COUNT_ENDS, COUNT_BINS, COUNT_TAILS),
    "visit_frequency": (COUNT_ENDS, COUNT_BINS, COUNT_TAILS),
    "visit_duration": (DURATION_ENDS, DURATION_BINS, DURATION_TAILS),
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
    """(period, coordinates) → figures of every cell that anybody was in, margins and tails of bins included.

    A tail ("5 or more") is there for every bin it may begin at: a table shows some of them.
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
    """The bin that a number lies in, and every tail."""
    ends, bins, tails = BINNED[name]
    return {bins[bin_of(value, ends)]} | {tail for tail, end in zip(tails, ends, strict=True) if value >= end}


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
