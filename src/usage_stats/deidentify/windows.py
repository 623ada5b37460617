"""A window and the keys → the pseudonymiser of all that is told apart in it."""

from __future__ import annotations

from collections.abc import Callable

from usage_stats.deidentify.pseudonym import Pseudonymiser
from usage_stats.errors import InternalError
from usage_stats.periods import Period, WindowKind

__all__ = ["KeyOf", "open_window"]

KeyOf = Callable[[WindowKind, str], bytes | None]


def open_window(key_of: KeyOf, window: Period) -> Pseudonymiser:
    """The pseudonymiser of a week or month.

    Raises:
        InternalError: its key is destroyed, so nothing can be of it any more.
    """
    if window.kind == "day":
        raise InternalError("a day has no key of its own: this is a bug")
    key = key_of(window.kind, window.code)
    if key is None:
        raise InternalError(
            f"the {window.kind} {window.code} is sealed but its days take events: this is a bug"
        )
    return Pseudonymiser(key, f"{window.kind}/{window.code}")
