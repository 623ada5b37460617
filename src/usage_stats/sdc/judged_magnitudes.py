"""Audited counts and a magnitude → whether its withheld sums stay in doubt as they must.

Belongs here: what is demanded of an interval, by who knows the sums and by who has only the file. Both demand it of
every withheld cell, sensitive or not, but those whose count is surely no secret: from a narrow sum, a reader would
else conclude that the cell is not sensitive, hence at least the minimum, and go on from there.
Does not: intervals (audit_magnitudes).
"""

from __future__ import annotations

import numpy as np

from usage_stats.sdc.audit import TableAudit, View
from usage_stats.sdc.audit_magnitudes import SumsAudit, SumsView, audit_magnitude
from usage_stats.sdc.magnitudes import Levels, sliding_share
from usage_stats.sdc.relations import Floats, Mask
from usage_stats.sdc.requirement import Requirement

__all__ = ["audit_file", "audit_truth", "surely_no_secret"]

_SLACK = 1e-6  # of a level: programs are solved up to a tolerance


def surely_no_secret(view: View, report: TableAudit, requirement: Requirement) -> Mask:
    """The withheld cells that are at least the minimum in all possible tables and not known to be sensitive."""
    surely = np.zeros(len(view.withheld), dtype=bool)
    surely[report.cells] = report.exact & (report.low >= requirement.persons)
    found: Mask = surely & ~view.sensitive
    return found


def audit_truth(view: View, levels: Levels, no_secret: Mask) -> SumsAudit:
    """Attack a magnitude whose sums are known to whoever asks: each is in doubt by its levels, both ways."""
    highest, lowest = levels.values + levels.upper, levels.values - levels.lower
    above, below = _SLACK * levels.upper, _SLACK * levels.lower

    def met(cell: int, low: float, high: float) -> bool:
        far = high >= highest[cell] - above[cell] and low <= lowest[cell] + below[cell]
        return bool(no_secret[cell] or far)

    return audit_magnitude(SumsView(levels.values, view.withheld, levels.floor, view.sums), met)


def audit_file(view: View, values: Floats, floor: float, share: float, no_secret: Mask) -> SumsAudit:
    """Attack a magnitude of a file: each interval is as wide as the levels make it, wherever in it the sum is.

    Args:
        view: the counts.
        values: the sums; whatever stands at a withheld one is not looked at.
        floor: what a withheld cell sums up to at least.
        share: that must stay in doubt both ways.
        no_secret: the cells of which nothing is demanded.
    """
    wide = sliding_share(share)

    def met(cell: int, low: float, high: float) -> bool:
        return bool(no_secret[cell] or high == np.inf or high - low >= wide * high * (1 - _SLACK))

    return audit_magnitude(SumsView(values, view.withheld, np.full(len(values), floor), view.sums), met)
