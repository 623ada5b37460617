"""A workspace, our list of addresses and another company's → a do-not-send list for us, and what that company may
be told.

Who is who: the sender is the house whose workspace this is. *Ours* is the list it is about to write to. *Theirs* came
from another company: people who opted out there, or people who get the same message from there. Who is on both is not
written to: they are the do-not-send list, in the sender's own spelling, for the sender alone. The other company learns
a count at most.

Belongs here: the policy, the order of checks, how often a company is answered, the ledger. Does not: reading lists
and counting (mailing).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, Literal

from usage_stats.errors import ConfigError, InputError, PolicyViolation
from usage_stats.flow.hold import hold
from usage_stats.flow.private_file import check_place, write_private
from usage_stats.flow.workspace import Workspace
from usage_stats.mailing.address_list import AddressList
from usage_stats.mailing.compare import Comparison, compare
from usage_stats.mailing.overlap_count import SMALLEST, draw_deduction, told_count
from usage_stats.periods import month

__all__ = ["AddressList", "Answer", "Compared", "compare_lists"]

Status = Literal["at_least", "withheld", "not_asked", "none_left_this_year"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner may be told: `at_least` so many are on both lists, or no number.

    Attributes:
        partner: who; None where nobody was named. status: what the answer is. count: the number, if it is one.
        day: when the lists were compared that it is about: the first time in this month.
    """

    partner: str | None
    status: Status
    count: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison may say on a screen: nothing of it depends on who is on both lists, but for the answer."""

    ours: AddressList
    theirs: AddressList
    do_not_send: Path
    answer: Answer


def compare_lists(
    workspace: Workspace,
    ours: AddressList,
    theirs: AddressList,
    *,
    do_not_send: Path,
    now: datetime,
    partner: str | None = None,
    random: Random | None = None,
) -> Compared:
    """Write the sender's do-not-send list and settle the answer to a partner, if one is named.

    The ledger comes before the file: an answer that was drawn once stands, whatever happens after.

    Raises:
        PolicyViolation: the policy in force today does not allow comparing lists.
        ConfigError: the partner is unknown, or the file would lie among the releases.
        InputError: a list cannot be read or is too small to be counted; something else is in the file's place.
    """
    with hold(workspace):
        today = now.astimezone(workspace.config.zone).date()
        version = _allowing_version(workspace, today)
        _check_partner(workspace, partner)
        _check_among(do_not_send, workspace.releases)
        comparison = compare(ours, theirs)
        minimum = workspace.config.strictest_thresholds.minimum_persons
        if partner is not None:
            _check_sizes(comparison, (ours.path, theirs.path), minimum)
        content = "".join(f"{address}\n" for address in comparison.on_both).encode()
        check_place(do_not_send, content)
        standing = _standing_answer(workspace, partner, today)
        answer = standing or _drawn_answer(
            partner, comparison, minimum, today, random or secrets.SystemRandom()
        )
        entry = _entry(comparison, answer, minimum, today, version)
        workspace.compared.append({**entry, "is_drawn": standing is None})
        write_private(do_not_send, content)
    return Compared(ours, theirs, do_not_send, answer)


def _allowing_version(workspace: Workspace, today: date) -> str:
    version = workspace.policy.in_force(today)
    if version is None:
        raise PolicyViolation(f"policy.yaml: no version is in force on {today}; no lists were compared")
    if "list_comparison" not in version.uses:
        raise PolicyViolation(
            f"policy.yaml: version {version.version}, in force on {today}, does not allow list_comparison; no lists "
            "were compared"
        )
    return version.version


def _check_partner(workspace: Workspace, partner: str | None) -> None:
    known = [p.id for p in workspace.config.partners]
    if partner is not None and partner not in known:
        raise ConfigError(
            f"--partner: is none of usage_stats.yaml's; partners are: {', '.join(known) or 'none'}. Add it there "
            "(with `tables: []` if it receives no figures)"
        )


def _check_among(path: Path, releases: Path) -> None:
    if path.resolve().is_relative_to(releases.resolve()):
        raise ConfigError(
            f"{path}: lies in the folder that partners receive; this list is for the sender alone"
        )


def _check_sizes(comparison: Comparison, paths: tuple[Path, Path], minimum: int) -> None:
    """A list of a few is a question about each of them."""
    for path, size in zip(paths, (comparison.ours, comparison.theirs), strict=True):
        if size < SMALLEST * minimum:
            raise InputError(
                f"{path}: holds fewer than {SMALLEST * minimum} different addresses ({SMALLEST} times "
                "minimum_persons): too few for a count that tells of nobody. Without --partner, the do-not-send list "
                "is written and nobody is told a count"
            )


def _standing_answer(workspace: Workspace, partner: str | None, today: date) -> Answer | None:
    """The answer that stands without looking at the lists; None if one is to be drawn.

    A partner who asks again in a month is told what it was told: an address more or less changes nothing.
    """
    if partner is None:
        return Answer(None, "not_asked")
    drawn = [e for e in workspace.compared.entries() if e["is_drawn"]]
    for e in drawn:
        if e["partner"] == partner and e["day"].startswith(month(today).code):
            return Answer(partner, e["status"], e["count"], date.fromisoformat(e["day"]))
    # Partners may pool what they are told: a year's answers together move the odds of nobody by more than e (0014).
    of_year = (e for e in drawn if e["day"].startswith(f"{today.year:04}-"))
    minima = [workspace.config.strictest_thresholds.minimum_persons, *(e["minimum_persons"] for e in of_year)]
    is_spent = sum(Fraction(1, minimum) for minimum in minima) > 1
    return Answer(partner, "none_left_this_year") if is_spent else None


def _drawn_answer(
    partner: str | None, comparison: Comparison, minimum: int, today: date, random: Random
) -> Answer:
    count = told_count(
        comparison.overlap,
        sizes=(comparison.ours, comparison.theirs),
        minimum=minimum,
        deducted=draw_deduction(minimum, random),
    )
    return Answer(partner, "withheld" if count is None else "at_least", count, today)


def _entry(comparison: Comparison, answer: Answer, minimum: int, today: date, version: str) -> dict[str, Any]:
    """What is remembered: no address, no digest of one, and sizes only roughly."""
    return {
        "event": "compared",
        "day": today.isoformat(),
        "partner": answer.partner,
        "ours": comparison.ours // minimum * minimum,
        "theirs": comparison.theirs // minimum * minimum,
        "status": answer.status,
        "count": answer.count,
        "minimum_persons": minimum,
        "policy_version": version,
    }
