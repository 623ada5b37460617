"""A log's first lines → the format that fits most of them and how sure that is, or a refusal that says what it is.

Belongs here: the choice between formats. Does not: the look of other files (looks), well-known field names
(infer), or counting a whole log (inspect).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from usage_stats.accesslog.formats import NAMED_FORMATS, resolve_format
from usage_stats.accesslog.hit import Hit, LogFormat
from usage_stats.accesslog.infer import infer_columns, infer_json
from usage_stats.accesslog.looks import Look, inner_lines, look_of, never_access
from usage_stats.accesslog.read import Log
from usage_stats.accesslog.values import is_network_address
from usage_stats.errors import ConfigError, InputError

__all__ = ["Recognition", "Sureness", "empty_log", "recognise"]

Sureness = Literal["sure", "likely", "unsure"]

SAMPLED_LINES: Final = 2000  # a few hundred kB: enough to outvote a burst of junk, read in no time
_LONGEST_HEAD = 64 * SAMPLED_LINES  # how far to look for a first line behind comments and blanks
_FIRST_LINES = 200  # a format that fits none of these is tried again only on lines that fit no other
_MINIMUM_SHARE = 0.5  # a log of which most lines fit nothing is no log of that format
_FEW_LINES = 10  # a handful of lines may fit a format by chance

_REMEDY = "paste the server's LogFormat (Apache) or log_format (nginx) into `format:` if it is one"


@dataclass(frozen=True, slots=True)
class Recognition:
    """The format of a log, and how many of the lines looked at it parses.

    `setting` is what to write under `format:`; `is_inferred` tells that it was made from the names of the
    log's own fields. `next_best` is the format with the next most lines and their number, None where
    nothing else was tried. `others` counts the lines that fit another named format only, by its name.
    """

    format: LogFormat
    matched: int
    sampled: int
    setting: str | Mapping[str, Any]
    is_inferred: bool = False
    next_best: tuple[str, int] | None = None
    others: Mapping[str, int] | None = None

    @property
    def share(self) -> float:
        """Matched lines / sampled lines, 0 to 1."""
        return self.matched / self.sampled

    @property
    def sureness(self) -> Sureness:
        """`sure`: nine lines in ten and no rival near; `unsure`: half of the lines or a rival as good."""
        rival = self.next_best[1] if self.next_best else 0
        if self.share < 0.75 or rival >= self.matched:
            return "unsure"
        is_clear = self.share >= 0.9 and rival * 10 <= self.matched
        return "sure" if is_clear and self.sampled >= _FEW_LINES and not self.is_inferred else "likely"


def recognise(log: Path | Log) -> Recognition:
    """Find the format that parses most of the first 2,000 lines; comments and blanks do not count.

    A log whose fields are named in it (JSON, a table with a header) need not be of a named format.

    Raises:
        InputError: the log cannot be read, is empty, or most of its lines fit no format.
    """
    log = Log(log) if isinstance(log, Path) else log
    head = _head(log)
    sample = [line for line in head if _may_be_hit(line)]
    if not sample:
        raise _nothing_to_see(log, head)
    other = never_access(head)
    if other:
        raise _refusal(log, other)
    return _of_named(head, sample) or _of_inferred(head, sample) or _refuse(log, head, sample)


def empty_log(name: str) -> InputError:
    """The refusal of a file without a byte."""
    return InputError(f"{name}: is empty; check that the server writes to it and that the copy is complete")


def _head(log: Log) -> list[bytes]:
    """The first lines; more of them where the first are all comments and blanks."""
    head = log.head(SAMPLED_LINES)
    if len(head) >= SAMPLED_LINES and not any(map(_may_be_hit, head)):
        head = log.head(_LONGEST_HEAD)
    return head


def _may_be_hit(line: bytes) -> bool:
    return line[:1] != b"#" and bool(line.strip())


def _nothing_to_see(log: Log, head: Sequence[bytes]) -> InputError:
    if not head:
        for _ in log.blocks():  # what breaks off before its first line ends says so here
            pass
        return empty_log(log.name)
    return InputError(f"{log.name}: holds only comments and blank lines; check that the copy is complete")


class _Trial:
    """One format's parser on its way through the head of a log."""

    __slots__ = ("format", "misfits", "near", "parse", "readings")

    def __init__(self, log_format: LogFormat) -> None:
        self.format = log_format
        self.parse = log_format.parser().parse
        self.readings: dict[int, tuple[object, ...]] = {}  # what the lines that fit say, by their place
        self.misfits = 0  # values that cannot mean what the format says
        self.near = 0  # lines of clients that went away: a request without the status of an answer

    def feed(self, head: Sequence[bytes], places: Iterable[int]) -> None:
        for place in places:
            hit = self.parse(head[place])
            if not isinstance(hit, Hit):
                self.near += hit == "status"
                continue
            self.readings[place] = (hit.at, hit.address, hit.method, hit.target, hit.status, hit.agent)
            # A cookie in the last place looks like a forwarded chain without any address in it.
            if hit.forwarded is not None and not _is_chain(hit.forwarded):
                self.misfits += 1

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.readings), -self.misfits


def _of_named(head: Sequence[bytes], sample: Sequence[bytes]) -> Recognition | None:
    """The named format with the most lines, if most of the sample fits it, nearly fits it, or fits a rival."""
    trials = _tried(head)
    best = max(trials, key=lambda trial: trial.rank)
    others = _lines_of_others(best, trials)
    matched = len(best.readings)
    if not matched or matched + best.near + others.total() < _MINIMUM_SHARE * len(sample):
        return None
    # Who reads the same in every line is no rival, such as the same format with one more field read over.
    rivals = [trial for trial in trials if not trial.readings or trial.readings != best.readings]
    rival = max(rivals, key=lambda trial: trial.rank, default=None)
    return Recognition(
        best.format,
        matched,
        len(sample),
        best.format.name,
        next_best=(rival.format.name, len(rival.readings)) if rival else None,
        others=dict(others),
    )


def _tried(head: Sequence[bytes]) -> list[_Trial]:
    """All named formats on the head; those without hope only on the lines that the best of them misses."""
    trials = [_Trial(log_format) for log_format in NAMED_FORMATS]
    for trial in trials:
        trial.feed(head, range(min(_FIRST_LINES, len(head))))
    rest = range(_FIRST_LINES, len(head))
    hopeful = [trial for trial in trials if trial.readings] or trials
    for trial in hopeful:
        trial.feed(head, rest)
    best = max(hopeful, key=lambda trial: trial.rank)
    missed = [place for place in rest if place not in best.readings]
    for trial in trials:
        if trial not in hopeful:
            trial.feed(head, missed)
    return trials


def _lines_of_others(best: _Trial, trials: Sequence[_Trial]) -> Counter[str]:
    """Lines that the best format rejects, each under the format that has most of them."""
    taken = set(best.readings)
    found: Counter[str] = Counter()
    for trial in sorted(trials, key=lambda trial: trial.rank, reverse=True):
        new = trial.readings.keys() - taken
        if new:
            found[trial.format.name] = len(new)
            taken |= new
    return found


def _of_inferred(head: Sequence[bytes], sample: Sequence[bytes]) -> Recognition | None:
    """A format made from the names that the log gives its fields, if most lines fit it."""
    for setting in (infer_json(sample), infer_columns(sample)):
        if setting is None:
            continue
        # Times without an offset are tried as UTC; the setting says so, for its owner to correct.
        for attempt in (setting, setting | {"time_zone": "UTC"}):
            trial = _trial_of(attempt, head)
            matched = len(trial.readings) if trial else 0
            if trial and matched and matched >= _MINIMUM_SHARE * (len(sample) - 1):  # a header is no hit
                return Recognition(trial.format, matched, len(sample), attempt, is_inferred=True)
    return None


def _trial_of(setting: Mapping[str, Any], head: Sequence[bytes]) -> _Trial | None:
    try:
        trial = _Trial(resolve_format(setting))
    except ConfigError:  # a choice of names that makes no format: as good as none
        return None
    trial.feed(head, range(len(head)))
    return trial


def _refuse(log: Log, head: Sequence[bytes], sample: Sequence[bytes]) -> NoReturn:
    """Say what the log looks like, how near the nearest format is, and the remedy."""
    best = max(_tried(head), key=lambda trial: trial.rank)
    matched = len(best.readings)
    words = f"{matched or 'none'} of {len(sample)} lines fit the nearest format ({best.format.name})"
    look = _inside(sample, look_of(head)) or Look("", _REMEDY)
    raise _refusal(log, look, also=words if matched else f"none of {len(sample)} lines fits one")


def _inside(sample: Sequence[bytes], look: Look | None) -> Look | None:
    """A look that says so where access-log lines stand behind another program's prefix."""
    inner = inner_lines(sample)
    found = _of_named(inner, inner) if inner else None
    if look is None or found is None:
        return look
    return Look(
        f"{look.what} with an access log of the format {found.format.name} inside",
        "take off what stands before each request (journalctl -o cat, rsyslog's %msg%, kubectl logs) and "
        "inspect the rest",
    )


def _refusal(log: Log, look: Look, *, also: str = "") -> InputError:
    looks = f", it looks like {look.what}" if look.what else ""
    also = f"; {also}" if also else ""
    return InputError(f"{log.name}: no access log of a known format{looks}{also}; {look.remedy}")


def _is_chain(forwarded: bytes) -> bool:
    """A chain of client addresses as proxies write it; one address among what a client forged will do."""
    members = [member.strip() for member in forwarded.split(b",")]
    return forwarded in {b"-", b""} or any(m == b"unknown" or is_network_address(m) for m in members)
