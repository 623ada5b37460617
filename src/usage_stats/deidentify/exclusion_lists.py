"""The operator's lists and wishes → whose requests are dropped before anything is derived of them.

Belongs here: reading the lists, and which of a hit's values is on one. Does not: hits as a whole (outcome), erasure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from usage_stats.deidentify.generalise import path_rule
from usage_stats.deidentify.private_list import BLANKS, read_private
from usage_stats.exclusion_settings import ExclusionSettings

__all__ = ["EXCLUDED", "NOBODY", "ExclusionLists", "load_exclusion_lists"]

# Why a request is not counted, in the order in which reasons go before each other.
EXCLUDED = ("child_directed", "under_13", "opted_out", "gpc", "dnt")

Values = frozenset[bytes]


@dataclass(frozen=True, slots=True)
class ExclusionLists:
    """What is on the lists. Identified data: memory only, and its text shows nothing.

    `is_child_directed` tells a decoded path; `signals` are those of `gpc` and `dnt` that are honoured.
    """

    is_child_directed: Callable[[bytes], object]
    under_13_accounts: Values
    opt_out_accounts: Values
    opt_out_cookies: Values
    signals: frozenset[str]

    def __repr__(self) -> str:
        return "ExclusionLists(...)"

    def of_account(self, account: bytes) -> str | None:
        """Why an account's requests are dropped, if they are."""
        if account in self.under_13_accounts:
            return "under_13"
        return "opted_out" if account in self.opt_out_accounts else None

    def of_cookie(self, cookie: bytes) -> str | None:
        """Why a browser's requests are dropped, if they are."""
        return "opted_out" if cookie in self.opt_out_cookies else None


NOBODY = ExclusionLists(lambda _: False, frozenset(), frozenset(), frozenset(), frozenset())


def load_exclusion_lists(settings: ExclusionSettings, workspace: Path) -> ExclusionLists:
    """Read the lists as they are now.

    Raises:
        ConfigError: a list is missing, cannot be read, or is open to everybody: a run without it would count people
            who must not be counted.
    """
    return ExclusionLists(
        is_child_directed=path_rule(settings.child_directed),
        under_13_accounts=_values(workspace, "under_13_accounts", settings.under_13_accounts),
        opt_out_accounts=_values(workspace, "opt_out_accounts", settings.opt_out_accounts),
        opt_out_cookies=_values(workspace, "opt_out_cookies", settings.opt_out_cookies),
        signals=frozenset(settings.signals),
    )


def _values(workspace: Path, key: str, name: str | None) -> Values:
    if name is None:
        return frozenset()
    remedy = "Put the list there (an empty file, if it holds nobody), or take the key out"
    lines = read_private(workspace / name, f"exclusions: {key}", remedy).split(b"\n")
    return frozenset(value for line in lines if (value := line.strip(BLANKS)))
