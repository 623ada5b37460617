"""A whole log → counts of its lines: parsed, rejected by reason, span of time, robots, clients.

Belongs here: the accounting of one file. It keeps client addresses while it counts, and gives out numbers.
Does not: writing anything, or choosing which agents are robots (the caller's `is_robot`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from usage_stats.accesslog.formats import LogFormat
from usage_stats.accesslog.parse import Hit, LineParser
from usage_stats.accesslog.read import OnBytes, read_lines
from usage_stats.accesslog.recognise import empty_log, recognise
from usage_stats.errors import InternalError

__all__ = ["Inspection", "inspect_log"]

IsRobot = Callable[[bytes | None], bool]
_REMEMBERED_AGENTS = 1 << 16  # a site meets some thousands of agents; forged ones must not fill the memory
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Counts of one log; `lines` is always `parsed` + `rejected`, times are ISO 8601 in UTC.

    `robots` counts parsed lines, `clients` distinct client addresses, `identity_basis` parsed lines by
    what their visitor would be told apart by.
    """

    file: str
    format: str
    lines: int
    parsed: int
    rejected: int
    reasons: dict[str, int]
    first_at: str | None
    last_at: str | None
    robots: int
    clients: int
    identity_basis: dict[str, int]

    def __post_init__(self) -> None:
        if self.lines != self.parsed + self.rejected or self.rejected != sum(self.reasons.values()):
            raise InternalError(
                f"{self.file}: {self.lines} lines, but {self.parsed} parsed and {self.rejected} rejected"
            )

    def to_json(self) -> dict[str, Any]:
        """Give the counts under their names, in the order of `inspect --json`."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Tally:
    """What is known of the lines read so far."""

    is_robot: IsRobot
    lines: int = 0
    parsed: int = 0
    first_at: int | None = None
    last_at: int | None = None
    robots: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    clients: set[bytes] = field(default_factory=set)
    basis: Counter[str] = field(default_factory=Counter)
    _verdicts: dict[bytes | None, bool] = field(default_factory=dict)

    def add(self, hit: Hit) -> None:
        self.parsed += 1
        self.first_at = hit.at if self.first_at is None else min(self.first_at, hit.at)
        self.last_at = hit.at if self.last_at is None else max(self.last_at, hit.at)
        self.clients.add(hit.address)
        self.basis[_basis_of(hit)] += 1
        self.robots += self._is_robot(hit.agent)

    def _is_robot(self, agent: bytes | None) -> bool:
        """Ask about each agent once: the list holds hundreds of patterns."""
        verdict = self._verdicts.get(agent)
        if verdict is None:
            if len(self._verdicts) >= _REMEMBERED_AGENTS:
                self._verdicts.clear()
            verdict = self._verdicts[agent] = self.is_robot(agent)
        return verdict


def inspect_log(
    path: Path,
    *,
    log_format: LogFormat | None,
    is_robot: IsRobot,
    cookie: str | None = None,
    account: str | None = "user",
    on_bytes: OnBytes | None = None,
) -> Inspection:
    """Read a log once, to its end, and count; without a format the log's own is recognised first.

    Raises:
        InputError: no such log, an empty one, no access log, or compressed data cut off or damaged.
    """
    log_format = log_format or recognise(path).format
    parse = LineParser(log_format, cookie=cookie, account=account).parse
    tally = _Tally(is_robot)
    for line in read_lines(path, on_bytes=on_bytes):
        tally.lines += 1
        hit = parse(line)
        if isinstance(hit, Hit):
            tally.add(hit)
        else:
            tally.reasons[hit] += 1
    if tally.lines == 0:
        raise empty_log(path)
    return _inspection(path, log_format, tally)


def _inspection(path: Path, log_format: LogFormat, tally: _Tally) -> Inspection:
    return Inspection(
        file=str(path),
        format=log_format.name,
        lines=tally.lines,
        parsed=tally.parsed,
        rejected=sum(tally.reasons.values()),
        reasons=dict(sorted(tally.reasons.items())),
        first_at=_iso(tally.first_at),
        last_at=_iso(tally.last_at),
        robots=tally.robots,
        clients=len(tally.clients),
        identity_basis={name: tally.basis[name] for name in ("account", "cookie", "address")},
    )


def _basis_of(hit: Hit) -> str:
    if hit.account is not None:
        return "account"
    return "address" if hit.cookie is None else "cookie"


def _iso(at: int | None) -> str | None:
    # Not fromtimestamp, which refuses years that a line may claim on some platforms.
    return None if at is None else (_EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")
