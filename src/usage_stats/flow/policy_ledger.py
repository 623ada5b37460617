"""The policy and a ledger of what it said → proof that no version changed after figures came to rest on it.

Belongs here: remembering versions, and comparing. Does not: what a version allows (policy).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from usage_stats.errors import ConfigError
from usage_stats.ledger import Ledger
from usage_stats.policy import Policy

__all__ = ["PolicyLedger"]


class PolicyLedger:
    """Versions as they were when something came to rest on them, and up to which day that is so.

    Entries: `version`, with its content and digest; then `settled`, with the last day on which anything rests.
    Up to that day, the versions of `policy.yaml` are these, no more and no fewer.
    """

    def __init__(self, ledger: Ledger, policy: Policy, *, file: Path) -> None:
        self._ledger = ledger
        self._policy = policy
        self._file = file

    @property
    def is_empty(self) -> bool:
        return not self._ledger.entries()

    @property
    def settled(self) -> date | None:
        """The last day on which anything rests."""
        days = [e["through"] for e in self._ledger.entries() if e["event"] == "settled"]
        return date.fromisoformat(max(days)) if days else None

    def check(self) -> None:
        """Hold `policy.yaml` to what is remembered.

        Raises:
            ConfigError: a version that something rests on was changed, taken out, or put before what is settled.
        """
        now = {v.version: v for v in self._policy.versions}
        for name, entry in self._remembered().items():
            if name not in now:
                raise ConfigError(f"{self._file}: version {name} is gone{self._remedy(entry)}")
            if now[name].digest != entry["sha256"]:
                changed = [key for key, said in now[name].content.items() if said != entry[key]]
                raise ConfigError(
                    f"{self._file}: version {name} was changed ({', '.join(changed)}){self._remedy(entry)}"
                )
        self._check_new()

    def remember(self, through: date, now: datetime) -> None:
        """From now on, figures rest on every day up to this one: before they do, its versions are written down."""
        if self.settled and through <= self.settled:
            return
        at = now.astimezone(UTC).isoformat(timespec="seconds")
        known = self._remembered()
        for version in sorted(self._policy.versions, key=lambda v: v.effective):
            if version.effective <= through and version.version not in known:
                said = {**version.content, "sha256": version.digest}
                self._ledger.append({"event": "version", **said, "at": at})
        self._ledger.append({"event": "settled", "through": through.isoformat(), "at": at})

    def _check_new(self) -> None:
        """A version that is not remembered begins after what is settled, or it would judge days anew."""
        known, settled = self._remembered(), self.settled
        for version in self._policy.versions:
            if settled and version.effective <= settled and version.version not in known:
                raise ConfigError(
                    f"{self._file}: version {version.version} begins on {version.effective}, but days up to {settled} "
                    "are settled under the versions that were there; give it an `effective` date after that day"
                )

    def _remembered(self) -> dict[str, dict[str, Any]]:
        return {e["version"]: e for e in self._ledger.entries() if e["event"] == "version"}

    def _remedy(self, entry: dict[str, Any]) -> str:
        after = f" with an `effective` date after {self.settled}" if self.settled else ""
        return (
            f", but figures rest on it. It was in force from {entry['effective']} and allowed: "
            f"{', '.join(entry['uses']) or 'nothing'}. Put it back as it was, and add a new version{after} for "
            "what is to change"
        )
