"""What went wrong, as a class with an exit code → a message a person can act on.

Belongs here: every error that may leave a public function.
Does not: error texts that carry a value read from a log. A message says what, where (path, line
number, table, cell code), what is allowed and what to do, never whose line it was.
"""

from __future__ import annotations

import traceback

__all__ = [
    "AuditFailed",
    "ConfigError",
    "DifferencingFailed",
    "InputError",
    "InternalError",
    "LedgerError",
    "PolicyViolation",
    "SchemaError",
    "SolverError",
    "UsageStatsError",
    "without_values",
]


class UsageStatsError(Exception):
    """Base of all errors meant for the user; shown as one message, without a traceback."""

    exit_code = 1


class ConfigError(UsageStatsError):
    """The workspace or its configuration is wrong: a misspelt key, a bad time zone, no such file."""

    exit_code = 10


class InputError(UsageStatsError):
    """A log cannot be read as what it claims to be: missing, empty, truncated, no access log."""

    exit_code = 11


class SchemaError(UsageStatsError):
    """A frame or a SQL model breaks its declared shape."""

    exit_code = 12


class PolicyViolation(UsageStatsError):
    """A use that the privacy policy in force does not allow."""

    exit_code = 13


class AuditFailed(UsageStatsError):
    """The attacker could narrow a withheld figure: nothing is released."""

    exit_code = 14


class DifferencingFailed(UsageStatsError):
    """Two figures side by side would single out fewer than the minimum persons."""

    exit_code = 15


class SolverError(UsageStatsError):
    """A linear program ended neither solved nor proven: treated as a failed check."""

    exit_code = 16


class LedgerError(UsageStatsError):
    """A ledger or a key file is missing, damaged or contradicts what lies on disk."""

    exit_code = 17


class InternalError(AssertionError):
    """A broken invariant of ours: this is a bug, please report it."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h


def without_values(error: Exception) -> InternalError:
    """An unforeseen error as its class and the places it passed, without its text: that may quote a log line."""
    places = " < ".join(
        f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})"
        for frame in reversed(traceback.extract_tb(error.__traceback__)[-4:])
    )
    return InternalError(
        f"{type(error).__name__} in {places}: this is a bug, please report it with this line"
    )
