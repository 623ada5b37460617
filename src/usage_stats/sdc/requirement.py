"""What must stay in doubt of a withheld count, stated once for the choice and for the audit.

Belongs here: the sentence that docs/adr/0016 proves things about. Does not: finding out how far a count can go.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Requirement"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """The reader's interval of a withheld count is `persons` wide and reaches `persons`.

    A cell that is surely about that many is nobody's secret, unless it is known to be sensitive for another reason.

    Attributes:
        persons: the minimum persons of the table.
        least: the smallest count a reader takes a withheld cell for: 1 where all empty cells are published.
    """

    persons: int
    least: int = 0

    def is_wide(self, low: float, high: float) -> bool:
        return high >= self.persons and high - low >= self.persons

    def is_met(self, low: float, high: float, *, sensitive: bool) -> bool:
        """Whether low..high says little enough."""
        return self.is_wide(low, high) or (not sensitive and low >= self.persons)

    def is_doubtful(self, count: float) -> bool:
        """Whether a count that may be published could, once withheld, pass for one that may not.

        From twice the minimum on, whatever interval reaches below the minimum is wide.
        """
        return count < 2 * self.persons - 1

    def missing(self, count: float, low: float, high: float) -> float:
        """How much further up than the count a point must be, if the points known so far reach from low to high."""
        return 0 if self.is_wide(low, high) else max(self.persons - count, self.persons - (count - low))
