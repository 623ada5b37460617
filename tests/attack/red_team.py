"""What partners hold → which attacks on it succeed, by name.

Belongs here: the list of attacks. The figures are all that an attacker has; who stands behind a figure is asked only to
judge what the attack yields. Does not: any attack's arithmetic.
"""

from __future__ import annotations

import pooled_attacker
from attacker import VISITORS
from crowded_site import NETWORKS, PERSONS, SHARE

ATTACKS = (
    "too small",  # a published figure rests on too few persons or networks
    "complement",  # a whole less its published parts does
    "close",  # a whole has a few persons more than a part of it
    "overlap",  # a few persons are in several parts of a whole
    "bent sum",  # published parts do not come to their published whole
    "exposed",  # linear and integer programs pin a withheld figure down
    "two stories",  # a cell is withheld in one file and published, or published otherwise, in another
    "restated",  # a later release differs from an earlier one by a few persons
)


def attacks_on(figures, behind, *, differing=(), earlier=None, most_whole=150):
    """Each attack → what it yields.

    Args:
        figures: of all partners, by key.
        behind: distinct persons and networks behind cells.
        differing: keys of which two files tell different things.
        earlier: the figures of an earlier release, if anything was released twice.
        most_whole: up to how many unknowns a system is attacked in whole numbers.
    """
    found = pooled_attacker.families(figures)
    published = [key for key, known in figures.items() if known and any(known)]
    return {
        "too small": [key for key in published if _is_few(behind([key]))],
        "complement": [x for x in pooled_attacker.complements(figures, found) if _is_few(behind(x[1]))],
        "close": pooled_attacker.close_pairs(figures, PERSONS),
        "overlap": pooled_attacker.thin_overlaps(figures, PERSONS, found),
        "bent sum": pooled_attacker.bent_sums(figures, found),
        "exposed": _exposed(figures, found, most_whole),
        "two stories": list(differing),
        "restated": _restated(earlier or {}, figures),
    }


def _is_few(crowd):
    return crowd[0] < PERSONS or crowd[1] < NETWORKS


def _exposed(figures, found, most_whole):
    if pooled_attacker.bent_sums(figures, found):
        return []  # what contradicts itself has no solution
    told = pooled_attacker.exposed(figures, found, persons=PERSONS, share=SHARE, most_whole=most_whole)
    return sorted(told)


def _restated(earlier, figures):
    both = [key for key in earlier if earlier[key] and figures.get(key)]
    return [key for key in both if 0 < abs(earlier[key][VISITORS] - figures[key][VISITORS]) < PERSONS]
