"""A directory → a workspace: its settings, the places of its files, its ledgers, its lock.

Belongs here: which file lies where. Does not: what is written into it.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.config import Config, load_config
from usage_stats.deidentify.exclusion import NOBODY, Exclusions
from usage_stats.deidentify.linkage_key import KeyStore
from usage_stats.durable import make_folders, to_disk, write_atomically
from usage_stats.errors import ConfigError, InternalError, LedgerError
from usage_stats.flow.policy_ledger import PolicyLedger
from usage_stats.flow.staged import finish_staged
from usage_stats.ledger import Ledger, canonical_json
from usage_stats.periods import Period, parse_period
from usage_stats.policy import Policy, load_policy

__all__ = ["Workspace", "open_workspace", "write_restricted"]

# Rows of a group of a Parquet file. Large months are counted by slices of pseudonyms, of which a group holds some: a
# month of 100 million rows has 13 slices, and 25 groups a day of this size (1.5 readings of each row, not 13).
_ROWS_TOGETHER = 1 << 17


@dataclass(frozen=True)
class Workspace:
    """A workspace; `restricted/` is readable by its owner only."""

    root: Path
    config: Config
    policy: Policy

    @property
    def restricted(self) -> Path:
        return self.root / "restricted"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse" / "usage_stats.duckdb"

    @property
    def spill(self) -> Path:
        """Where the database may put what does not fit into memory: inside the restricted store."""
        return self.restricted / "spill"

    @cached_property
    def ingested(self) -> Ledger:
        """What was read of which content, and the event files made from it: the manifest of events."""
        return self._ledger("ingest")

    @cached_property
    def sealed(self) -> Ledger:
        """Which days are sealed."""
        return self._ledger("days")

    @cached_property
    def released(self) -> Ledger:
        """What left the house."""
        return self._ledger("releases")

    @cached_property
    def compared(self) -> Ledger:
        """Which lists were compared for whom, and what was answered; nothing of what is on them."""
        return self._ledger("comparisons")

    @cached_property
    def keys(self) -> KeyStore:
        """The linkage keys of this site."""
        return KeyStore(self.restricted / "keys", self._ledger("keys"), site=self.config.site)

    @cached_property
    def policies(self) -> PolicyLedger:
        """What the versions of the policy said when figures came to rest on them."""
        return PolicyLedger(self._ledger("policy"), self.policy, file=self.root / "policy.yaml")

    @cached_property
    def erasures(self) -> Ledger:
        """The receipts of erasures: when, and how many identifiers of which kind."""
        return self._ledger("erasures")

    @cached_property
    def purges(self) -> Ledger:
        """What was purged by command: counts."""
        return self._ledger("purges")

    def expired(self) -> list[Period]:
        """The weeks and months whose maximum age came before their release."""
        return [parse_period(e["period"]) for e in self.released.entries() if e["event"] == "expired"]

    def done_days(self) -> set[str]:
        """The days that take no line any more: sealed, or in an expired week or month."""
        expired = {day.isoformat() for window in self.expired() for day in window.days}
        return expired.union(entry["day"] for entry in self.sealed.entries())

    @property
    def exclusions_path(self) -> Path:
        return self.restricted / "exclusions.json"

    def exclusions(self) -> Exclusions:
        """Who is left out of what is read from now on.

        Raises:
            LedgerError: that is lost, or its key.
        """
        receipts = self.erasures.entries()
        if not receipts:
            return NOBODY
        kept_for_ever = receipts[-1]["kept_for_ever"]
        return Exclusions.load(self.exclusions_path, self.exclusion_key, kept_for_ever=kept_for_ever)

    @property
    def exclusion_key(self) -> bytes:
        """Under which the excluded are recognised; it lives as long as the workspace, and serves nothing else.

        Raises:
            LedgerError: the key is lost.
        """
        return self._lasting_key("exclusion", "visitors")

    def _ledger(self, name: str) -> Ledger:
        return Ledger(self.restricted / "ledgers" / f"{name}.jsonl")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for writing.

        Raises:
            ConfigError: another run holds it; or the site, its zone or a version of the policy that figures rest on
                was changed.
            LedgerError: the ledger of policy versions is lost.
        """
        make_folders(self.restricted, mode=0o700)
        self.restricted.chmod(0o700)  # a copy or an unpacked backup may have opened it
        with (self.restricted / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(
                    f"{self.root}: another run is at work in this workspace; wait until it ends, then run again"
                ) from None
            self._check_identity()
            self._check_policy()
            finish_staged(self.restricted, self.erasures)
            yield

    @property
    def _identity(self) -> tuple[Path, dict[str, str]]:
        mine = {"site": self.config.site, "time_zone": self.config.time_zone}
        return self.restricted / "identity.json", mine

    def remember_identity(self) -> None:
        """Keep under which site and zone the first line was read."""
        path, mine = self._identity
        if not path.exists():
            write_atomically(path, canonical_json(mine).encode(), mode=0o600)

    def _check_identity(self) -> None:
        """A renamed site or zone would begin new keys, or new days, amid those in use: people would count twice."""
        path, mine = self._identity
        first = json.loads(path.read_bytes()) if path.exists() else mine
        changed = [f"{key}: {first[key]}" for key in mine if first[key] != mine[key]]
        if changed:
            raise ConfigError(
                f"{self.root / 'usage_stats.yaml'}: this workspace began with {', '.join(changed)}; change that back, "
                "or begin a new workspace"
            )

    def _check_policy(self) -> None:
        if self.policies.is_empty and any("policy" in entry for entry in self.released.entries()):
            raise LedgerError(
                f"{self.restricted / 'ledgers'}: the ledger of policy versions is lost, but releases rest on it; "
                "restore restricted/ from its backup"
            )
        self.policies.check()

    @property
    def content_key(self) -> bytes:
        """Under which content of logs is remembered: a digest without a key could be guessed from short logs.

        Raises:
            LedgerError: the key is lost, or the ledger that should know it.
        """
        if self.ingested.entries() and not self.keys.is_known("ingest", "content"):
            raise LedgerError(
                f"{self.restricted / 'ledgers'}: logs were read, but the ledger of keys knows of none: it is lost. New "
                "keys would count the same people twice, so none are made: restore restricted/ from its backup"
            )
        return self._lasting_key("ingest", "content")

    def _lasting_key(self, kind: str, name: str) -> bytes:
        key = self.keys.key(kind, name)
        if key is None:
            raise InternalError(f"the key of {kind} is destroyed: this is a bug")
        return key


def open_workspace(root: Path) -> Workspace:
    """Read a workspace's settings.

    Raises:
        ConfigError: no workspace there, or its settings are not understood.
    """
    return Workspace(root=root.resolve(), config=load_config(root), policy=load_policy(root))


def write_restricted(table: pa.Table, path: Path) -> None:
    """Write rows of the restricted store as Parquet, to the disk: an entry of a ledger may name the file at once.

    Words are packed; pseudonyms are random and cannot be.
    """
    words = [field.name for field in table.schema if not pa.types.is_integer(field.type)]
    packing = {field.name: "lz4" if field.type != pa.uint64() else "none" for field in table.schema}
    pq.write_table(
        table,
        path,
        compression=packing,
        use_dictionary=words,
        write_statistics=False,
        row_group_size=_ROWS_TOGETHER,
    )
    to_disk(path)
    to_disk(path.parent)
