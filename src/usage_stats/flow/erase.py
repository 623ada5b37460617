"""Identifiers of people → no trace of them in what is held, and nothing counted of them from then on.

Days that are not sealed lose their rows. In sealed days, whose figures are out or fixed, their pseudonyms become
random numbers: counts stay exact, and no key leads there any more. docs/adr/0013 argues it.

Belongs here: the plan, its digest, carrying it out. Does not: moving files into place (staged), words.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from usage_stats.accesslog.lines import UInt64
from usage_stats.deidentify.exclusion import Exclusions
from usage_stats.deidentify.identifiers import Identifier, counts_by_kind, parse_identifiers
from usage_stats.deidentify.pseudonym import Pseudonymiser
from usage_stats.durable import write_atomically
from usage_stats.errors import InputError
from usage_stats.flow.hold import hold
from usage_stats.flow.leftovers import discard_leftovers
from usage_stats.flow.seal import open_event_files, sealed_usage
from usage_stats.flow.staged import commit_staged, staged_path
from usage_stats.flow.workspace import Workspace, write_restricted
from usage_stats.ledger import canonical_json
from usage_stats.periods import Period, WindowKind, month, week

__all__ = ["ErasurePlan", "Receipt", "execute_erasure", "forget_ended_exclusions", "plan_erasure"]

_PERSONS = "component_day.parquet"  # the usage rows of persons; those beside it are of networks
_OPENS, _OPEN_USAGE = "email_opens-", "email_open.parquet"  # rows of recipients, who are no visitors
_WINDOWS: tuple[WindowKind, ...] = ("week", "month")


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What an erasure does, whoever is named: the same files are written anew whether they hold a person or not.

    `events`: files of days that are not sealed; `usage`: of sealed days in open windows; `opens`: of opened e-mails,
    of both; `windows`: those after which addresses are no longer left out; `digest`: of all this and the
    identifiers, under a key.
    """

    identifiers: tuple[Identifier, ...] = field(repr=False)
    events: tuple[str, ...]
    usage: tuple[str, ...]
    opens: tuple[str, ...]
    windows: tuple[str, ...]
    digest: str

    @property
    def open_days(self) -> list[str]:
        """Days whose rows are removed."""
        return _days(self.events)

    @property
    def sealed_days(self) -> list[str]:
        """Days in which pseudonyms are replaced."""
        return _days(self.usage)

    @property
    def counts(self) -> dict[str, int]:
        """How many identifiers of each kind."""
        return counts_by_kind(self.identifiers)

    def to_json(self) -> dict[str, Any]:
        """The same whoever is named."""
        days = {"days_removed": self.open_days, "days_replaced": self.sealed_days}
        until = {"addresses_until_closed": list(self.windows)} if self.counts["address"] else {}
        return {"identifiers": self.counts, **days, **until, "digest": self.digest, "executed": False}


@dataclass(frozen=True, slots=True)
class Receipt:
    """That an erasure was carried out: its number, the moment, how many identifiers of which kind."""

    number: str
    at: str
    counts: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Number, moment, counts, and that it is done."""
        done = {"traces_gone": True, "excluded": True, "executed": True}
        return {"receipt": self.number, "at": self.at, "identifiers": self.counts, **done}


def plan_erasure(workspace: Workspace, given: bytes, now: datetime) -> ErasurePlan:
    """What an erasure would do; nothing is changed.

    Args:
        workspace: where.
        given: the text with the identifiers, see `parse_identifiers`.
        now: the time.

    Raises:
        InputError: the text is not understood.
        ConfigError: a run is at work.
    """
    identifiers = parse_identifiers(given)
    with hold(workspace):
        return _plan(workspace, identifiers, now)


def execute_erasure(workspace: Workspace, given: bytes, now: datetime, *, digest: str) -> Receipt:
    """Carry out what a plan with this digest said, wholly or not at all; killed half-way, the next command ends it.

    Raises:
        InputError: the text is not understood, or the plan would be another by now; nothing was done.
        ConfigError: a run is at work.
    """
    identifiers = parse_identifiers(given)
    with hold(workspace):
        plan = _plan(workspace, identifiers, now)
        if not hmac.compare_digest(plan.digest.encode(), digest.strip().encode()):
            raise InputError(
                "--execute: these identifiers and the workspace as it is now have another digest; nothing was erased. "
                "Run `usage-stats erase` without --execute, read what it says, and give the digest it prints"
            )
        return _execute(workspace, plan, now)


def forget_ended_exclusions(workspace: Workspace) -> None:
    """Drop the addresses that were left out until windows that are closed by now; the lock must be held."""
    excluded = workspace.exclusions()
    lasting = excluded.without_ended(workspace.keys.destroyed())
    if len(lasting) < len(excluded):
        write_atomically(workspace.exclusions_path, lasting.to_bytes(), mode=0o600)


def _plan(workspace: Workspace, identifiers: tuple[Identifier, ...], now: datetime) -> ErasurePlan:
    workspace.keys.at(now)
    today = now.astimezone(workspace.config.zone).date()
    events, folders = open_event_files(workspace), [folder for *_, folder in sealed_usage(workspace)]
    opens = [path for path in events if path.name.startswith(_OPENS)]
    opens += [folder / _OPEN_USAGE for folder in folders if (folder / _OPEN_USAGE).exists()]
    parts: dict[str, Any] = {
        "events": tuple(_name(workspace, path) for path in events if path not in opens),
        "usage": tuple(_name(workspace, folder / _PERSONS) for folder in folders),
        "opens": tuple(_name(workspace, path) for path in opens),
        "windows": tuple(sorted(workspace.keys.in_use(_WINDOWS) | {week(today).code, month(today).code})),
    }
    state = {
        **parts,
        "identifiers": [[i.kind, i.identity.hex()] for i in identifiers],
        "receipts": len(workspace.erasures.entries()),
    }
    # Under a key: an account's name could be guessed from a plain digest, and this one is shown.
    digest = hashlib.blake2b(
        canonical_json(state).encode(), key=workspace.content_key, digest_size=16, person=b"erasure"
    )
    return ErasurePlan(identifiers=identifiers, **parts, digest=digest.hexdigest())


def _execute(workspace: Workspace, plan: ErasurePlan, now: datetime) -> Receipt:
    discard_leftovers(workspace)  # a crash may have left rows of anybody in files that no ledger names
    receipt = Receipt(
        number=f"{now.astimezone(UTC):%Y%m%d}-{secrets.token_hex(4)}",
        at=now.astimezone(UTC).isoformat(timespec="seconds"),
        counts=plan.counts,
    )
    identities = [identifier.identity for identifier in plan.identifiers]
    _stage_without(workspace, receipt, plan.events, identities, kind="week", column="person")
    # Figures of opens are of months, and recorded when they are out: rows may go whether their day is sealed or not.
    _stage_without(workspace, receipt, plan.opens, identities, kind="month", column="recipient")
    _stage_usage(workspace, receipt, plan.usage, identities)
    excluded = _excluded(workspace).adding(
        {i.identity: plan.windows if i.kind == "address" else () for i in plan.identifiers}
    )
    place = staged_path(workspace.restricted, receipt.number, workspace.exclusions_path.name)
    write_atomically(place, excluded.to_bytes(), mode=0o600)
    entry = {"receipt": receipt.number, "at": receipt.at, "identifiers": receipt.counts}
    commit_staged(workspace.restricted, workspace.erasures, entry | {"kept_for_ever": excluded.kept_for_ever})
    return receipt


def _excluded(workspace: Workspace) -> Exclusions:
    if workspace.erasures.entries():
        return workspace.exclusions()
    return Exclusions(workspace.exclusion_key, {})


def _stage_without(
    workspace: Workspace,
    receipt: Receipt,
    names: Iterable[str],
    identities: Sequence[bytes],
    *,
    kind: WindowKind,
    column: str,
) -> None:
    """Every file anew, without the rows of these persons: which files held any is told by none."""
    for window, of_window in _by_window(names, kind):
        erased = pa.array(_pseudonyms(workspace, window, identities))
        for name in of_window:
            rows = pq.ParquetFile(workspace.restricted / name).read()
            kept = rows.filter(pc.invert(pc.is_in(rows[column], erased)))
            _stage(workspace, receipt, name, _with_own_words(kept))


def _stage_usage(
    workspace: Workspace, receipt: Receipt, names: Sequence[str], identities: Sequence[bytes]
) -> None:
    """Every usage file of persons anew, under random numbers for these persons: the same in all days of one window."""
    for kind in _WINDOWS:
        of_kind = [name for name in names if name.startswith(f"usage/{kind}/")]
        for window, of_window in _by_window(of_kind, kind):
            old = _pseudonyms(workspace, window, identities)
            new = np.frombuffer(secrets.token_bytes(8 * len(old)), np.uint64)
            for name in of_window:
                rows = pq.ParquetFile(workspace.restricted / name).read()
                _stage(workspace, receipt, name, _renamed(rows, old, new))


def _by_window(names: Iterable[str], kind: WindowKind) -> Iterable[tuple[Period, list[str]]]:
    grouped: dict[Period, list[str]] = defaultdict(list)
    for name in names:
        of = date.fromisoformat(_day(name))
        grouped[week(of) if kind == "week" else month(of)].append(name)
    return grouped.items()


def _pseudonyms(workspace: Workspace, window: Period, identities: Sequence[bytes]) -> UInt64:
    key = workspace.keys.key(window.kind, window.code)
    if key is None:  # a closed window's rows are left over, and gone already
        return np.empty(0, np.uint64)
    return Pseudonymiser(key, f"{window.kind}/{window.code}").of(identities)


def _renamed(rows: pa.Table, old: UInt64, new: UInt64) -> pa.Table:
    """The rows under other pseudonyms, in the order of those: nothing tells which were renamed."""
    person = rows["person"].to_numpy().copy()
    order = np.argsort(old)
    places = np.minimum(np.searchsorted(old, person, sorter=order), len(old) - 1)
    found = old[order][places] == person if len(old) else np.zeros(len(person), np.bool_)
    person[found] = new[order][places[found]]
    renamed = rows.set_column(rows.column_names.index("person"), rows.schema.field("person"), [person])
    return renamed.take(pc.sort_indices(renamed["person"]))


def _with_own_words(rows: pa.Table) -> pa.Table:
    """Dictionaries of the words that are left, not of those removed."""
    for place, column in enumerate(rows.schema):
        if pa.types.is_dictionary(column.type):
            words = pc.dictionary_encode(rows[column.name].cast(column.type.value_type))
            rows = rows.set_column(place, column, words)
    return rows


def _stage(workspace: Workspace, receipt: Receipt, name: str, rows: pa.Table) -> None:
    write_restricted(rows, staged_path(workspace.restricted, receipt.number, name))


def _name(workspace: Workspace, path: Path) -> str:
    return str(path.relative_to(workspace.restricted))


def _day(name: str) -> str:
    return next(part.removeprefix("day=") for part in name.split("/") if part.startswith("day="))


def _days(names: Iterable[str]) -> list[str]:
    return sorted({_day(name) for name in names})
