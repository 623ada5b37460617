"""The `retention:` section of the settings → validated, frozen choices: how long what waits may wait.

Belongs here: the choice, its bounds with their reasons. Does not: deleting anything.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RetentionSettings"]

# A month of 31 days, the longest grace of 31 days, and a week for runs that failed: what is regular is released
# before it is that old.
_LEAST_AGE = 31 + 31 + 7


class RetentionSettings(BaseModel):
    """How many days after its first day a week or a month may still be held unreleased; without end by default.

    Days are those of the log lines, not of their reading: of an archive that is read for the first time, whatever
    cannot be released in the same run would go at once. So an age is only set by who knows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    maximum_age_days: int | None = Field(default=None, ge=_LEAST_AGE)
