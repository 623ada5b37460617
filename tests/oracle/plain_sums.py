"""Cells by their coordinates → the totals that are not the sums of their parts.

Belongs here: which figures add up along which dimension, typed out from what the words mean. Does not: counting.
"""

from collections import defaultdict

VISITORS, VISITS, PAGE_VIEWS = range(3)
# Along these, each part has page views of its own; a visit has one value of those below, a visitor of the last.
_OF_VIEWS = ("component", "sub_component", "hour")
_OF_VISITS = (
    *("weekday", "referrer", "browser", "device", "country", "customer_group"),
    *("entry_component", "exit_component", "visit_depth", "visit_duration"),
)
_OF_VISITORS = ("visitor_type", "visit_frequency")
ADDITIVE = (
    dict.fromkeys(_OF_VIEWS, (PAGE_VIEWS,))
    | dict.fromkeys(_OF_VISITS, (VISITS, PAGE_VIEWS))
    | dict.fromkeys(_OF_VISITORS, (VISITORS, VISITS, PAGE_VIEWS))
)


def broken_sums(cells):
    """(period, coordinates) of each total, the dimension and the measure whose parts do not add up to it.

    `cells`: (period, coordinates) → figures, zeros included, of whole tables: where a total has parts along a
    dimension, it has all of them.
    """
    sums = defaultdict(lambda: [0, 0, 0])
    for (period, coordinates), figures in cells.items():
        for name, _ in _parted_by(coordinates):
            whole = frozenset(pair for pair in coordinates if pair[0] != name)
            for measure in ADDITIVE[name]:
                sums[period, whole, name][measure] += figures[measure]
    return [
        (*place, measure)
        for place, found in sums.items()
        for measure in ADDITIVE[place[2]]
        if found[measure] != cells[place[:2]][measure]
    ]


def _parted_by(coordinates):
    """The pairs along which a cell is a part of the cell without it.

    A component only without its part, and that one only if it has no whole above it but the component. Whoever came
    twice to a part came perhaps more often to the whole: the frequency of a cell is a matter of its own.
    """
    names = dict(coordinates)
    for pair in coordinates:
        is_whole = pair[0] == "component" and "sub_component" in names
        is_deep = pair[0] == "sub_component" and "/" in pair[1]
        is_another = "visit_frequency" in names and pair[0] != "visit_frequency"
        if not (is_whole or is_deep or is_another):
            yield pair
