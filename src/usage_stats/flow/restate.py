"""A table, a period and a reason → folders and rows withdrawn or restated: as a plan with a digest, and done.

The ledger's entry comes first: a death after it leaves a withdrawal or restatement that the next run ends. What was
published stays in the records, and so in what later figures are protected against.

Belongs here: the plan, its digest, carrying it out. Does not: writing folders (deliver), words (restate_words).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from usage_stats.config import OPENS_TABLE
from usage_stats.errors import DifferencingFailed, InputError, InternalError
from usage_stats.flow.deliver import folder_of, replace_folders
from usage_stats.flow.editions import Editions, Place
from usage_stats.flow.hold import hold
from usage_stats.flow.publish_opens import released_opens, stored_opens
from usage_stats.flow.released import released_periods, stored_release
from usage_stats.flow.workspace import Workspace
from usage_stats.ledger import canonical_json
from usage_stats.periods import Period, parse_period
from usage_stats.release.edition import check_restatement
from usage_stats.release.folders import PACKAGE, cells_of, damaged_files, open_folder
from usage_stats.release.table_cut import cut

__all__ = ["Change", "Plan", "execute_change", "plan_change"]

_LONGEST_REASON = 300  # one sentence: it is printed in one line, in the partners' package too


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for: to withdraw or restate a table of a period, for one partner or for everybody, and why."""

    event: Literal["withdrawn", "restated"]
    table: str
    period: str
    reason: str
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen: to which folders, each with the digest of its package now; to the analysts' file; under which
    number.
    """

    change: Change
    period: Period
    number: int
    folders: Mapping[str, str]
    for_all: bool

    @property
    def digest(self) -> str:
        """Of the exact change. Nothing of it is confidential."""
        return hashlib.sha256(canonical_json(self._content).encode()).hexdigest()[:32]

    @property
    def _content(self) -> dict[str, Any]:
        change = self.change
        return {
            "event": change.event,
            "table": change.table,
            "period": self.period.code,
            "reason": change.reason,
            "number": self.number,
            "partners": dict(sorted(self.folders.items())),
            "for_all": self.for_all,
        }

    def to_json(self) -> dict[str, Any]:
        """The plan, and its digest."""
        return {**self._content, "digest": self.digest}

    def entry(self, on: str) -> dict[str, Any]:
        """As the ledger keeps it, with the digests of what it replaces."""
        return {**self._content, "on": on}


def plan_change(workspace: Workspace, change: Change) -> Plan:
    """What the change would do; nothing is changed, but a refusal for what it would tell is recorded.

    Raises:
        InputError: there is nothing of that table and period to change, or the reason is no single line.
        DifferencingFailed: a restatement would differ from what is out.
        LedgerError: what is to be restated is not what the ledger vouches for.
        ConfigError: a run is at work.
    """
    with hold(workspace):
        return _plan(workspace, change)


def execute_change(workspace: Workspace, change: Change, now: datetime, *, digest: str) -> Plan:
    """Do what a plan with this digest said: enter it, replace the folders, build the analysts' file anew.

    Raises:
        InputError: the plan would be another by now; nothing was changed. Else as `plan_change`.
    """
    from usage_stats.flow.analysts import build_if_new  # noqa: PLC0415 half a second, when something is done

    with hold(workspace):
        plan = _plan(workspace, change)
        if not hmac.compare_digest(plan.digest.encode(), digest.strip().encode()):
            raise InputError(
                "--execute: this change has another digest by now; nothing was changed. Run the command without "
                "--execute, read what it says, and give the digest it prints"
            )
        on = now.astimezone(workspace.config.zone).date().isoformat()
        workspace.released.append(plan.entry(on))
        replace_folders(workspace)
        build_if_new(workspace)
        return plan


def _plan(workspace: Workspace, change: Change) -> Plan:
    _check_reason(change.reason)
    period, editions = _period_of(workspace, change), Editions(workspace)
    places = [
        place
        for place in editions.places(change.table, period)
        if change.partner in {None, place.partner} and _is_news(editions, place, change)
    ]
    for_all = change.partner is None
    is_gone = (change.table, period) in editions.withdrawn()
    if not places and not (for_all and (change.event == "withdrawn") != is_gone):
        raise InputError(_nothing(change, period))
    if change.event == "restated":
        _check_record(workspace, change, period)
        _check_or_record(workspace, places)
    folders = {place.partner: (editions.sent(place) or {})["files"][PACKAGE] for place in places}
    return Plan(change, period, editions.next_number(change.table, period), folders, for_all)


def _check_record(workspace: Workspace, change: Change, period: Period) -> None:
    """What is about to be shown again is what the ledger vouches for: known before the entry, not after it."""
    if change.table == OPENS_TABLE:
        stored_opens(workspace)
    else:
        stored_release(workspace, period, released_periods(workspace)[period])


def _check_or_record(workspace: Workspace, places: Sequence[Place]) -> None:
    """A restatement that is refused is on record too."""
    for place in places:
        try:
            _check_same_figures(workspace, place)
        except DifferencingFailed as error:
            said = {"table": place.table, "period": place.period.code, "reason": type(error).__name__}
            workspace.released.append({"event": "restatement_refused", **said})
            raise


def _is_news(editions: Editions, place: Place, change: Change) -> bool:
    return change.event == "restated" or not editions.is_withdrawn(place)


def _check_reason(reason: str) -> None:
    if not reason.strip() or not reason.isprintable() or len(reason) > _LONGEST_REASON:
        raise InputError(
            f"--reason: must be one line of at most {_LONGEST_REASON} printable characters; partners read it, so it "
            "names nobody"
        )


def _period_of(workspace: Workspace, change: Change) -> Period:
    """The period, if the table is ours and it was released."""
    known = [*workspace.config.tables, *([OPENS_TABLE] if workspace.config.email.opens else [])]
    if change.table not in known:
        raise InputError(
            f"TABLE: is none of usage_stats.yaml's; tables are: {', '.join(sorted(known))}. One that was removed from "
            "there is put back first, as it was"
        )
    try:
        period = parse_period(change.period)
    except InternalError:
        raise InputError(
            "PERIOD: is written as 2026-11-21 (a day), 2026-W47 (an ISO week) or 2026-11 (a month)"
        ) from None
    out = released_opens(workspace) if change.table == OPENS_TABLE else released_periods(workspace)
    if period not in out:
        raise InputError(f"{change.table}, {period.code}: was not released, so there is nothing to change")
    return period


def _nothing(change: Change, period: Period) -> str:
    where = f"{change.table}, {period.code}" + (f", partner {change.partner}" if change.partner else "")
    if change.event == "withdrawn":
        return f"{where}: is withdrawn already, or was never delivered; nothing to withdraw"
    return f"{where}: was never delivered and is not withdrawn; nothing to restate"


def _check_same_figures(workspace: Workspace, place: Place) -> None:
    """What is about to be delivered beside what was: by the folder that is there, if it is whole."""
    folder = folder_of(workspace, place)
    if not (folder / PACKAGE).is_file():
        return  # lost: it is made from the record, which the ledger vouches for
    before = open_folder(folder)
    if damaged_files(before):
        raise InputError(f"{folder}: files were changed or removed; `usage-stats verify` tells which")
    release = stored_release(workspace, place.period, released_periods(workspace)[place.period])
    shown = cut(release, place.table, workspace.config.tables[place.table])
    names = [column.name for column in shown.columns]
    after = cells_of(dict(zip(names, row, strict=True)) for row in shown.rows)
    check_restatement(before.cells, after, table=place.table, period=place.period.code)
