"""Who is told how far the work is, and nobody.

Belongs here: the interface, which costs nothing to import. Does not: bars on a terminal (progress).
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Reporter", "Silent"]


class Reporter(Protocol):
    """Is told of stages of work and how far each is."""

    def start(self, stage: str, total: int, *, is_bytes: bool = False) -> None:
        """Begin a stage of so many steps, or bytes."""

    def advance(self, steps: int) -> None:
        """Some more steps are done."""


class Silent:
    """Tells nobody."""

    def start(self, stage: str, total: int, *, is_bytes: bool = False) -> None:
        """Say nothing."""

    def advance(self, steps: int) -> None:
        """Say nothing."""
