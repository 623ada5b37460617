"""Rows and unknowns → the least and the most each can be among all tables of whole numbers, by trying them.

No solver: bounds are narrowed until nothing moves, then the unknown with the fewest values left is tried value
by value. Good for tables drawn by hand or of some dozen unknowns.
"""

from __future__ import annotations

import math


class EveryTable:
    """All tables of whole numbers from 1 to `most` that obey the rows."""

    def __init__(self, rows, most):
        self._rows = rows
        self._most = most
        self.unknowns = list(dict.fromkeys(u for row in rows for u, _ in row.terms))
        self._rows_of = {u: [row for row in rows if any(u == v for v, _ in row.terms)] for u in self.unknowns}

    def interval(self, unknown):
        """(least, most); the most is `most` where nothing bounds it below that."""
        start = self._narrowed(dict.fromkeys(self.unknowns, (1, self._most)), self._rows)
        low, high = start[unknown]
        least = next(n for n in range(low, high + 1) if self._exists(start, unknown, n))
        return least, next(n for n in range(high, low - 1, -1) if self._exists(start, unknown, n))

    def _exists(self, bounds, unknown, value):
        narrowed = self._narrowed({**bounds, unknown: (value, value)}, self._rows_of[unknown])
        if narrowed is None:
            return False
        free = [u for u in self.unknowns if narrowed[u][0] < narrowed[u][1]]
        if not free:
            return True
        chosen = min(free, key=lambda u: narrowed[u][1] - narrowed[u][0])
        low, high = narrowed[chosen]
        return any(self._exists(narrowed, chosen, n) for n in range(low, high + 1))

    def _narrowed(self, bounds, rows):
        """The bounds that the rows leave, or None if there is no table."""
        bounds, waiting = dict(bounds), list(rows)
        while waiting:
            row = waiting.pop()
            for unknown, low, high in _implied(row, bounds):
                if low > high:
                    return None
                if (low, high) != bounds[unknown]:
                    bounds[unknown] = (low, high)
                    waiting += self._rows_of[unknown]
        return bounds


def _implied(row, bounds):
    """What one row says of each of its unknowns, given the bounds of the others."""
    ends = {u: sorted(c * b for b in bounds[u]) for u, c in row.terms}
    least, most = sum(e[0] for e in ends.values()), sum(e[1] for e in ends.values())
    for unknown, coefficient in row.terms:
        low = row.low - (most - ends[unknown][1])
        high = row.high - (least - ends[unknown][0])
        if coefficient < 0:
            low, high = -high, -low
        known_low, known_high = bounds[unknown]
        yield (
            unknown,
            max(known_low, low if low == -math.inf else math.ceil(low)),
            min(known_high, high if high == math.inf else math.floor(high)),
        )
