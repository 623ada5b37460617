"""`policy.yaml` → the versions of the privacy policy, and which of them allow what on which days.

Belongs here: the shape of the policy, and its answer for days and a use. Does not: acting on the answer, or
remembering what the policy said before (flow/policy_ledger).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from usage_stats.config import Settings, check_unique, load_settings
from usage_stats.ledger import canonical_json

__all__ = ["Policy", "PolicyVersion", "Refusal", "Use", "load_policy"]

Use = Literal["internal_aggregate", "partner_aggregate", "email_measurement", "list_comparison"]
_LONGEST_SENTENCE = 1000  # it is printed in one line with what it forbids


class PolicyVersion(Settings):
    """A version of the privacy policy, the day it came into force, and what it lets usage data do.

    `sentences` quotes, for any use, allowed or not, the sentence of the policy that this rests on.
    """

    version: str
    effective: date
    uses: tuple[Use, ...]
    sentences: dict[Use, str] = Field(default_factory=dict)

    @field_validator("sentences")
    @classmethod
    def _one_line_each(cls, value: dict[Use, str]) -> dict[Use, str]:
        """Sentences without the line breaks of the file: how it is folded says nothing."""
        lines = {use: " ".join(sentence.split()) for use, sentence in value.items()}
        for use, line in lines.items():
            if not line or not line.isprintable() or len(line) > _LONGEST_SENTENCE:
                raise ValueError(
                    f"{use}: must be a sentence of at most {_LONGEST_SENTENCE} printable characters"
                )
        return lines

    @property
    def content(self) -> dict[str, Any]:
        """What the version says, in one form: the order of uses and the folding of sentences are no content."""
        return {
            "version": self.version,
            "effective": self.effective.isoformat(),
            "uses": sorted(set(self.uses)),
            "sentences": dict(self.sentences),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the content's canonical JSON."""
        return hashlib.sha256(canonical_json(self.content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why figures are not released for a use: the first day whose version in force does not allow it, or is missing."""

    use: Use
    day: date
    version: str | None
    sentence: str | None

    @property
    def reason(self) -> str:
        """The refusal without the day: the same for all periods that one version forbids."""
        if self.version is None:
            return f"no version was in force, so nothing allows {self.use}"
        quoted = f': "{self.sentence}"' if self.sentence else ""
        return f"version {self.version} does not allow {self.use}{quoted}"

    def __str__(self) -> str:
        if self.version is None:
            return (
                f"policy.yaml: no version is in force on {self.day}, so nothing allows {self.use}; figures that rest "
                "on that day are not released for it"
            )
        quoted = f' ("{self.sentence}")' if self.sentence else ""
        return (
            f"policy.yaml: version {self.version}, in force on {self.day}, does not allow {self.use}{quoted}; figures "
            "that rest on that day are not released for it"
        )


class Policy(Settings):
    """All versions of the policy; the one in force when data is collected governs its use."""

    versions: tuple[PolicyVersion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_version_a_day(self) -> Policy:
        check_unique("versions", [v.version for v in self.versions])
        check_unique("effective dates", [v.effective.isoformat() for v in self.versions])
        return self

    def in_force(self, day: date) -> PolicyVersion | None:
        """Return the version in force on a day, or None before the first."""
        past = [v for v in self.versions if v.effective <= day]
        return max(past, key=lambda v: v.effective) if past else None

    def on(self, days: Sequence[date]) -> dict[str, PolicyVersion]:
        """The versions in force on some days by name, in the order of the days; days before the first have none."""
        found = (self.in_force(day) for day in days)
        return {version.version: version for version in found if version}

    def refusal(self, days: Sequence[date], use: Use) -> Refusal | None:
        """Why figures over these days may not be put to a use; None if every day's version allows it."""
        for day in days:
            version = self.in_force(day)
            if version is None:
                return Refusal(use, day, None, None)
            if use not in version.uses:
                return Refusal(use, day, version.version, version.sentences.get(use))
        return None


def load_policy(workspace: Path) -> Policy:
    """Read and check `policy.yaml` of a workspace.

    Raises:
        ConfigError: no such file, no YAML, or a key or value that is not allowed.
    """
    return load_settings(
        workspace / "policy.yaml", Policy, "run `usage-stats init DIR` to see a starter policy"
    )
