"""A log's first lines → the named format that fits most of them, or a refusal that says what it is.

Belongs here: the choice between formats, and the look of files that are no access logs.
Does not: counting a whole log (inspect).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from usage_stats.accesslog.formats import NAMED_FORMATS, LogFormat
from usage_stats.accesslog.parse import Hit, LineParser, is_network_address
from usage_stats.accesslog.read import read_lines
from usage_stats.errors import InputError

__all__ = ["Recognition", "empty_log", "recognise"]

SAMPLED_LINES: Final = 2000  # a few hundred kB: enough to outvote a burst of junk, read in no time
_MINIMUM_SHARE = 0.5  # a log of which most lines fit nothing is no log of that format

_REMEDY = "paste the server's LogFormat (Apache) or log_format (nginx) into `format:` if it is one"
_LOOKS = (
    (
        "an Apache error log",
        re.compile(rb"\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] "),
    ),
    ("an nginx error log", re.compile(rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[[a-z]+\] ")),
    ("syslog", re.compile(rb"(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [^ ]+ |<\d{1,3}>1 \d{4}-")),
    ("JSON lines", re.compile(rb"[ \t]*[\[{][ \t]*[\"{]")),
)
_W3C_DIRECTIVE = re.compile(rb"#(?:Fields|Version|Software): ?")


@dataclass(frozen=True, slots=True)
class Recognition:
    """The format of a log, and how many of the lines looked at it parses."""

    format: LogFormat
    matched: int
    sampled: int

    @property
    def share(self) -> float:
        """Matched lines / sampled lines, 0 to 1."""
        return self.matched / self.sampled


def recognise(path: Path) -> Recognition:
    """Find the named format that parses most of the first 2,000 lines; comments and blanks do not count.

    Raises:
        InputError: the log cannot be read, is empty, or most of its lines fit no named format.
    """
    sample, has_lines, is_w3c = _sample(path)
    if not sample:
        raise _nothing_to_see(path) if has_lines else empty_log(path)
    best = max((_trial(log_format, sample) for log_format in NAMED_FORMATS), key=lambda trial: trial[0])
    (matched, _), log_format = best
    if matched < _MINIMUM_SHARE * len(sample):
        raise InputError(
            f"{path}: no access log of a known format{_looks_like(sample, is_w3c=is_w3c)}; {matched} of "
            f"{len(sample)} lines fit the nearest format ({log_format.name}); {_REMEDY}"
        )
    return Recognition(log_format, matched, len(sample))


def empty_log(path: Path) -> InputError:
    """The refusal of a file without a byte."""
    return InputError(f"{path}: is empty; check that the server writes to it and that the copy is complete")


def _nothing_to_see(path: Path) -> InputError:
    return InputError(f"{path}: holds only comments and blank lines; check that the copy is complete")


def _sample(path: Path) -> tuple[list[bytes], bool, bool]:
    """The first lines that could be hits; whether there are lines at all; whether a W3C header was met."""
    has_lines = is_w3c = False

    def candidates() -> Iterable[bytes]:
        nonlocal has_lines, is_w3c
        for line in read_lines(path):
            has_lines = True
            is_w3c = is_w3c or _W3C_DIRECTIVE.match(line) is not None
            if line.strip() and not line.startswith(b"#"):
                yield line

    return list(islice(candidates(), SAMPLED_LINES)), has_lines, is_w3c


def _trial(log_format: LogFormat, sample: list[bytes]) -> tuple[tuple[int, int], LogFormat]:
    """How many lines a format parses, and how many values it gives a meaning they cannot have (negative)."""
    parser = LineParser(log_format)
    fits = log_format.regex.fullmatch
    matches = [(line, match) for line in sample if (match := fits(line))]
    hits = sum(isinstance(parser.parse(line), Hit) for line, _ in matches)
    if "forwarded" not in log_format.groups:
        return (hits, 0), log_format
    # A cookie in the last place looks like a forwarded chain without any address in it.
    group = log_format.groups.index("forwarded") + 1
    return (hits, -sum(not _is_chain(match[group]) for _, match in matches)), log_format


def _is_chain(forwarded: bytes) -> bool:
    """A chain of client addresses as proxies write it; one address among what a client forged will do."""
    members = [member.strip() for member in forwarded.split(b",")]
    return forwarded in {b"-", b""} or any(m == b"unknown" or is_network_address(m) for m in members)


def _looks_like(sample: list[bytes], *, is_w3c: bool) -> str:
    if is_w3c:
        return ", it looks like a W3C extended log (IIS, CloudFront)"
    for look, pattern in _LOOKS:
        if sum(pattern.match(line) is not None for line in sample) * 2 >= len(sample):
            return f", it looks like {look}"
    return ""
