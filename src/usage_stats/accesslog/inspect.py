"""A whole log → counts of its lines: parsed, rejected by reason, span of time, robots, clients.

Belongs here: the accounting of one log. It keeps client addresses while it counts, and gives out numbers.
Does not: writing anything, choosing a format (recognise), or which agents are robots (the caller's).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from usage_stats.accesslog.formats import NAMED_FORMATS
from usage_stats.accesslog.hit import Hit, LogFormat
from usage_stats.accesslog.read import Break, Log, OnBytes
from usage_stats.accesslog.recognise import Recognition, empty_log, recognise
from usage_stats.accesslog.suggest import SUGGESTING_LINES, Suggestion, suggest_source
from usage_stats.errors import InputError, InternalError

__all__ = ["MAX_REJECTS", "Inspection", "inspect_log"]

RobotClass = Callable[[bytes | None], str | None]
MAX_REJECTS: Final = 10_000  # line numbers told: enough to find what is wrong, bounded for a log of junk
FIRST_OF_A_REASON: Final = 20  # told of each reason however late it comes up
_REMEMBERED_AGENTS = 1 << 16  # a site meets some thousands of agents; forged ones must not fill the memory
# Rejected lines that are tried against every other format; beyond, only against those that have fitted one.
_TRIED_REJECTS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED = frozenset({"blank", "directive"})  # lines that are meant to be no requests


@dataclass(frozen=True, slots=True)
class Inspection:
    """Counts of one log; `lines` is always `parsed` + `rejected`, times are ISO 8601 in UTC.

    `robots` counts parsed lines, `robot_classes` the same by class; `clients` distinct client addresses;
    `identity_basis` parsed lines by what their visitor would be told apart by; `other_formats` rejected
    lines that fit another named format; `broken` says where compressed data end too early; `rejects` are
    line numbers from 1 with their reasons: the first 20 of each reason and the first 10,000 in all.
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
    robot_classes: dict[str, int] = field(default_factory=dict)
    other_formats: dict[str, int] = field(default_factory=dict)
    broken: str | None = None
    recognition: Recognition | None = None
    suggestion: Suggestion | None = None
    rejects: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        if self.lines != self.parsed + self.rejected or self.rejected != sum(self.reasons.values()):
            raise InternalError(
                f"{self.file}: {self.lines} lines, but {self.parsed} parsed and {self.rejected} rejected"
            )
        if self.robots != sum(self.robot_classes.values()):
            raise InternalError(f"{self.file}: {self.robots} robots, and other numbers by class")

    def to_json(self, *, rejects: bool = False) -> dict[str, Any]:
        """Give the counts under their names, in the order of `inspect --json`; line numbers only if asked for."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        del plain["rejects"]
        plain["recognition"] = _as_json(self.recognition) if self.recognition else None
        plain["suggestion"] = self.suggestion.source if self.suggestion else None
        if rejects:
            plain["rejects"] = [list(pair) for pair in sorted(self.rejects)[:MAX_REJECTS]]
        return plain


def _as_json(found: Recognition) -> dict[str, Any]:
    name, lines = found.next_best or (None, 0)
    return {
        "sureness": found.sureness,
        "lines": found.sampled,
        "fit": found.matched,
        "next_best": name,
        "next_best_fit": lines,
        "inferred": found.is_inferred,
    }


@dataclass(slots=True)
class _Tally:
    """What is known of the lines read so far."""

    robot_class: RobotClass
    others: _OtherFormats
    lines: int = 0
    first_at: int | None = None
    last_at: int | None = None
    parsed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    robots: Counter[str] = field(default_factory=Counter)
    clients: set[bytes] = field(default_factory=set)
    basis: Counter[str] = field(default_factory=Counter)
    rejects: list[tuple[int, str]] = field(default_factory=list)
    broken: Break | None = None
    _classes: dict[bytes | None, str | None] = field(default_factory=dict)

    def add(self, hit: Hit) -> None:
        self.lines += 1
        self.parsed += 1
        self.first_at = hit.at if self.first_at is None else min(self.first_at, hit.at)
        self.last_at = hit.at if self.last_at is None else max(self.last_at, hit.at)
        self.clients.add(hit.address)
        self.basis[_basis_of(hit)] += 1
        name = self._class_of(hit.agent)
        if name is not None:
            self.robots[name] += 1

    def reject(self, reason: str, line: bytes) -> None:
        self.lines += 1
        self.reasons[reason] += 1
        if len(self.rejects) < MAX_REJECTS or self.reasons[reason] <= FIRST_OF_A_REASON:
            self.rejects.append((self.lines, reason))
        self.others.try_line(reason, line)

    def _class_of(self, agent: bytes | None) -> str | None:
        """Ask about each agent once: the list holds hundreds of patterns."""
        if agent not in self._classes:
            if len(self._classes) >= _REMEMBERED_AGENTS:
                self._classes.clear()
            self._classes[agent] = self.robot_class(agent)
        return self._classes[agent]


class _OtherFormats:
    """Counts rejected lines that another named format would have parsed, each under one format."""

    def __init__(self, log_format: LogFormat) -> None:
        self.counts: Counter[str] = Counter()
        self._parsers = [(f.name, f.parser().parse) for f in NAMED_FORMATS if f.name != log_format.name]
        self._tried = 0

    def try_line(self, reason: str, line: bytes) -> None:
        if reason in {"blank", "cut_off"}:
            return
        if self._tried == _TRIED_REJECTS:
            self._parsers = [parser for parser in self._parsers if self.counts[parser[0]]]
        self._tried += 1
        # Comments too: the header of a W3C log is what makes its parser fit.
        fitting = [name for name, parse in self._parsers if isinstance(parse(line), Hit)]
        if fitting and reason not in _EXPECTED:
            self.counts[fitting[0]] += 1


def inspect_log(
    log: Path | Log,
    *,
    log_format: LogFormat | None,
    robot_class: RobotClass,
    cookie: str | None = None,
    account: str | None = "user",
    on_bytes: OnBytes | None = None,
) -> Inspection:
    """Read a log once, to its end, and count; without a format the log's own is recognised first.

    Compressed data that break off or are damaged count as far as their lines are complete; `broken` then
    says so, and a last line cut by the break is rejected as `cut_off`.

    Raises:
        InputError: no such log, an empty one, or no access log.
    """
    log = Log(log) if isinstance(log, Path) else log
    found = None if log_format else recognise(log)
    log_format = found.format if found else log_format
    if log_format is None:
        raise InternalError(f"{log.name}: recognised without a format")
    suggestion = _suggestion(log, found) if found else None  # by the head, before the log is read
    tally = _Tally(robot_class, _OtherFormats(log_format))
    _count(log, log_format.parser(cookie=cookie, account=account).parse, tally, on_bytes)
    if tally.lines == 0:
        raise InputError(tally.broken) if tally.broken else empty_log(log.name)
    return _inspection(log, log_format, tally, found, suggestion)


def _suggestion(log: Log, found: Recognition) -> Suggestion:
    path = None if log.path is None else str(log.path.resolve())
    return suggest_source(found.format, found.setting, log.head(SUGGESTING_LINES), path=path)


def _count(log: Log, parse: Callable[[bytes], Hit | str], tally: _Tally, on_bytes: OnBytes | None) -> None:
    def on_break(message: Break) -> None:
        tally.broken = message

    for line in log.lines(on_bytes=on_bytes, on_break=on_break):
        hit = parse(line)
        if isinstance(hit, Hit):
            tally.add(hit)
        else:
            tally.reject(hit, line)
    if tally.broken is not None and not tally.broken.ends_line:
        tally.reject("cut_off", b"")  # the beginning of a line: what it would have said is not known


def _inspection(
    log: Log,
    log_format: LogFormat,
    tally: _Tally,
    found: Recognition | None,
    suggestion: Suggestion | None,
) -> Inspection:
    return Inspection(
        file=log.name,
        format=log_format.name,
        lines=tally.lines,
        parsed=tally.parsed,
        rejected=sum(tally.reasons.values()),
        reasons=_sorted(tally.reasons),
        first_at=_iso(tally.first_at),
        last_at=_iso(tally.last_at),
        robots=tally.robots.total(),
        clients=len(tally.clients),
        identity_basis={name: tally.basis[name] for name in ("account", "cookie", "address")},
        robot_classes=_sorted(tally.robots),
        other_formats=_sorted(tally.others.counts),
        broken=None if tally.broken is None else str(tally.broken),
        recognition=found,
        suggestion=suggestion,
        rejects=tuple(tally.rejects),
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _basis_of(hit: Hit) -> str:
    if hit.account is not None:
        return "account"
    return "address" if hit.cookie is None else "cookie"


def _iso(at: int | None) -> str | None:
    # Not fromtimestamp, which refuses years that a line may claim on some platforms.
    return None if at is None else (_EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")
