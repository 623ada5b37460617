"""Entries → an append-only file of JSON lines, each chained to the one before by SHA-256.

Belongs here: appending durably, reading back, noticing damage. Does not: what an entry means.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from usage_stats.durable import make_folders, to_disk, write_whole
from usage_stats.errors import LedgerError

__all__ = ["Ledger", "canonical_json"]

_GENESIS = "0" * 64


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


class Ledger:
    """An append-only file; `append` returns only when the entry is on disk.

    A line cut off by a crash was never committed and is dropped; any other damage is an error.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: list[tuple[dict[str, Any], str]] | None = None

    def entries(self) -> list[dict[str, Any]]:
        """All committed entries, oldest first.

        Raises:
            LedgerError: a line was changed, removed or inserted.
        """
        return [entry for entry, _ in self._chain()]

    def append(self, entry: dict[str, Any]) -> None:
        """Add an entry durably (write, flush, fsync; the first one with the file's name)."""
        chain = self._chain()
        digest = _link(chain[-1][1] if chain else _GENESIS, entry)
        make_folders(self._path.parent, mode=0o700)
        self._drop_torn_tail()
        is_first = not self._path.exists()
        with self._path.open("ab") as file:
            file.write((canonical_json({"entry": entry, "sha256": digest}) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        if is_first:
            to_disk(self._path.parent)
        chain.append((entry, digest))
        self._keep_head(len(chain), digest)

    def _chain(self) -> list[tuple[dict[str, Any], str]]:
        """Entries with their digests, verified once: writers hold the workspace's lock."""
        if self._known is None:
            chain = self._verified()
            self._check_head(chain)
            self._known = chain
        return self._known

    @property
    def _head_path(self) -> Path:
        return self._path.with_suffix(".head")

    def _keep_head(self, length: int, digest: str) -> None:
        """Beside the ledger, how far it went: a chain alone cannot tell that its end is gone.

        Its bytes are on the disk before its name is: a power cut leaves the head of before, or this one.
        """
        beside = self._head_path.with_suffix(".head.partial")
        write_whole(beside, canonical_json({"length": length, "sha256": digest}).encode())
        beside.replace(self._head_path)

    def _check_head(self, chain: list[tuple[dict[str, Any], str]]) -> None:
        if not self._head_path.exists():
            return
        head = json.loads(self._head_path.read_bytes())
        # A crash between entry and head leaves the ledger one ahead; it is never behind.
        if len(chain) < head["length"] or chain[head["length"] - 1][1] != head["sha256"]:
            raise LedgerError(
                f"{self._path}: holds {len(chain)} entries, but had {head['length']}: its end is missing or it was "
                "replaced. Nothing is released on a ledger that cannot be trusted; restore it from a backup."
            )

    def _committed(self) -> bytes:
        data = self._path.read_bytes() if self._path.exists() else b""
        return data[: data.rfind(b"\n") + 1]

    def _verified(self) -> list[tuple[dict[str, Any], str]]:
        chain: list[tuple[dict[str, Any], str]] = []
        previous = _GENESIS
        for number, line in enumerate(self._committed().splitlines(), start=1):
            entry, digest = self._read(line, number)
            if digest != _link(previous, entry):
                raise self._damaged(number)
            chain.append((entry, digest))
            previous = digest
        return chain

    def _read(self, line: bytes, number: int) -> tuple[dict[str, Any], str]:
        try:
            record = json.loads(line)
            return record["entry"], record["sha256"]
        except (ValueError, KeyError, TypeError):
            raise self._damaged(number) from None

    def _damaged(self, number: int) -> LedgerError:
        return LedgerError(
            f"{self._path}: line {number} does not follow from the line before it: the ledger was changed or "
            "cut. Nothing is released on a ledger that cannot be trusted; restore it from a backup."
        )

    def _drop_torn_tail(self) -> None:
        committed = len(self._committed())
        if self._path.exists() and self._path.stat().st_size > committed:
            with self._path.open("r+b") as file:
                file.truncate(committed)


def _link(previous: str, entry: dict[str, Any]) -> str:
    return hashlib.sha256(f"{previous}{canonical_json(entry)}".encode()).hexdigest()
