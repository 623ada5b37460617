"""A release ↔ its record: the bytes that the ledger vouches for, from which every copy is made.

Belongs here: writing down and reading back what a reader gets, and which cells are sensitive: a record stays in the
restricted store. Does not: confidential counts; a record has none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from usage_stats.config import Thresholds
from usage_stats.errors import LedgerError
from usage_stats.ledger import canonical_json
from usage_stats.measure.relations import CellKey
from usage_stats.periods import parse_period
from usage_stats.release.gate import Facts, Release, Row

__all__ = ["digest_of", "from_record", "sensitive_cells", "to_record", "vouched"]


def to_record(release: Release, sensitive: Iterable[CellKey]) -> bytes:
    """The one text of a release, with the cells withheld for themselves: later releases must protect them."""
    facts = dataclasses.asdict(release.facts) | {"thresholds": release.facts.thresholds.model_dump()}
    data = {
        "period": release.period.code,
        "rows": release.rows,
        "facts": facts,
        "sensitive": sorted(sensitive),
        "overlaps": sorted([*whole, along, number] for (whole, along), number in release.overlaps.items()),
    }
    return (canonical_json(data) + "\n").encode()


def digest_of(record: bytes) -> str:
    """What the ledger keeps of a record."""
    return hashlib.sha256(record).hexdigest()


def from_record(path: Path, digest: str) -> Release:
    """Read a release back; only what passed the gate has a digest in the ledger.

    Raises:
        LedgerError: the record is missing or not what the ledger vouches for.
    """
    data = vouched(path, digest)
    rows = tuple(_row(row) for row in data["rows"])
    overlaps = {(CellKey(*place), along): number for *place, along, number in data.get("overlaps", ())}
    return Release(parse_period(data["period"]), rows, _facts(data["facts"]), overlaps)


def _row(row: list[Any]) -> Row:
    """A row as recorded; records from before tables broke figures down further have no such column."""
    whole = row if len(row) == _WIDTH else [*row[:3], "", *row[3:]]
    return tuple(whole)


def sensitive_cells(path: Path, digest: str) -> frozenset[CellKey]:
    """The cells of a recorded release that were withheld for themselves.

    Raises:
        LedgerError: as `from_record`.
    """
    return frozenset(CellKey(*key) for key in vouched(path, digest)["sensitive"])


def vouched(path: Path, digest: str) -> dict[str, Any]:
    """What a record says, if it is the one with this digest.

    Raises:
        LedgerError: it is missing, or another.
    """
    try:
        record = path.read_bytes()
    except OSError:
        raise LedgerError(f"{path}: {_LOST}") from None
    if digest_of(record) != digest:
        raise LedgerError(f"{path}: was changed after its release; {_LOST}")
    content: dict[str, Any] = json.loads(record)
    return content


def _facts(data: dict[str, Any]) -> Facts:
    tuples = {key: tuple(data[key]) for key in ("policy_versions", "days_without_lines")}
    return Facts(**{**data, **tuples, "thresholds": Thresholds(**data["thresholds"])})


_WIDTH = 8
_LOST = (
    "the release ledger vouches for a record that is not there. Later figures cannot be checked against it, so "
    "nothing is released: restore restricted/ from its backup"
)
