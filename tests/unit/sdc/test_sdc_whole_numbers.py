"""Intervals are those of whole numbers where linear programs would make them wider."""

import numpy as np

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.relations import Layout, sums_of
from usage_stats.sdc.requirement import Requirement

# Of a, b and c, any two and a third leaf are 1 together: at most one of the three is 1, though halves would make 1.5.
TRIPLES = {"ab": "abd", "bc": "bce", "ac": "acf"}


def _hierarchies():
    """Two such sets of leaves; one hierarchy per pair, and one that puts both sets' a, b and c together."""
    leaves = [f"{letter}{i}" for i in (1, 2) for letter in "abcdef"]
    for pair, three in TRIPLES.items():
        of_pair = {f"{letter}{i}": f"{pair}{i}" for i in (1, 2) for letter in three}
        yield [(of_pair.get(leaf, f"beside {pair}"), leaf) for leaf in leaves]
    yield [("abc" if leaf[0] in "abc" else "def", leaf) for leaf in leaves]


def test_counts_are_whole():
    """Six leaves are 2 at most, for each three of them are 1 at most; broken numbers would say 3."""
    dimension = dimension_of("leaf", list(_hierarchies()), [])
    layout = Layout((dimension,))
    ones = {"a1", "e1", "a2", "e2"}
    counts = layout.with_margins(np.array([int(code in ones) for code in dimension.codes[1:13]]))
    published = [f"{pair}{i}" for pair in TRIPLES for i in (1, 2)]
    withheld = ~np.isin(np.array(dimension.codes), published)
    sums = sums_of(layout.shape, [dimension.families])
    report = audit(View(counts, withheld, np.zeros(layout.size, dtype=bool), sums), Requirement(3))
    at = int(np.flatnonzero(report.cells == dimension.positions["abc"])[0])

    assert (0, 2) == (report.low[at], report.high[at])
