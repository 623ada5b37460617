"""A strftime layout → a byte pattern for the regex, and a reader from matching bytes to UTC seconds.

Belongs here: how servers write the time of a request, and the calendar check.
Does not: reporting time zones, days or weeks (those are decided after the hit).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from usage_stats.errors import ConfigError

__all__ = ["CLF", "EPOCH_MSEC", "ISO_8601", "LAST_SECOND", "TimeLayout", "TimeReader", "time_layout"]

CLF = "%d/%b/%Y:%H:%M:%S %z"  # Apache's %t between its brackets, nginx's $time_local
ISO_8601 = "%Y-%m-%dT%H:%M:%S%N%z"  # nginx's $time_iso8601; load balancers add a fraction
EPOCH_MSEC = "%s.%f"  # nginx's $msec

# One strftime code → the group its digits are read by (None: not needed) and the bytes it may be.
# Not strftime's: %N an optional fraction, %f a fraction's digits, %Q and %q milli- and microseconds.
_CODES: dict[str, tuple[str | None, bytes]] = {
    "A": (None, rb"[A-Z][a-z]{5,8}"),
    "B": ("month_name", rb"[A-Z][a-z]{2,8}"),
    "H": ("hour", rb"\d\d"),
    "I": ("hour_of_half", rb"\d\d"),
    "M": ("minute", rb"[0-5]\d"),
    "N": (None, rb"(?:[.,]\d{1,9})?"),
    "Q": ("epoch_msec", rb"\d{1,14}"),
    "S": ("second", rb"[0-5]\d"),
    "Y": ("year", rb"\d{4}"),
    "Z": ("zone", rb"(?:UTC|GMT|Z)"),
    "a": (None, rb"[A-Z][a-z]{2}"),
    "b": ("month_name", rb"[A-Z][a-z]{2}"),
    "d": ("day", rb"\d\d"),
    "e": ("day", rb"[ \d]\d"),
    "f": (None, rb"\d{1,9}"),
    "h": ("month_name", rb"[A-Z][a-z]{2}"),
    "j": (None, rb"\d{3}"),
    "m": ("month", rb"\d\d"),
    "p": ("half", rb"[AP]M"),
    "q": ("epoch_usec", rb"\d{1,17}"),
    "s": ("epoch", rb"\d{1,11}"),
    "y": ("year_of_century", rb"\d\d"),
    "z": ("offset", rb"(?:[+-]\d\d:?\d\d|Z)"),
}
_SHORTHANDS = {"%D": "%m/%d/%y", "%F": "%Y-%m-%d", "%R": "%H:%M", "%T": "%H:%M:%S"}
_WIDTHS = {
    "H": 2,
    "I": 2,
    "M": 2,
    "S": 2,
    "Y": 4,
    "a": 3,
    "b": 3,
    "d": 2,
    "e": 2,
    "h": 3,
    "j": 3,
    "m": 2,
    "y": 2,
}
_MONTHS = {
    name[:length]: number
    for number, name in enumerate(
        (
            *(b"January", b"February", b"March", b"April", b"May", b"June"),
            *(b"July", b"August", b"September", b"October", b"November", b"December"),
        ),
        start=1,
    )
    for length in (3, len(name))  # %b and %B
}
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# The calendar's ends in UTC: 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. An offset may lead beyond them.
_FIRST_SECOND = -62_135_596_800
LAST_SECOND = 253_402_300_799
_FARTHEST_ZONE_MINUTES = 14 * 60  # Kiribati's UTC+14, the farthest in the IANA database
_CACHED_MINUTES = 4096  # a merged log interleaves a few minutes; almost three days of them stay bounded


@dataclass(frozen=True, slots=True)
class TimeLayout:
    """How one format writes the time.

    `pattern` has no groups, `detail` names them; `seconds_at` is the offset of the two digits of the
    second where all before them has a fixed width, else None. `zone` names the IANA time zone of a time
    that is written without its offset; `has_fraction` tells that a fraction may follow the second at once.
    """

    layout: str
    pattern: bytes
    detail: re.Pattern[bytes]
    seconds_at: int | None
    zone: str = ""
    has_fraction: bool = False


def time_layout(layout: str, *, zone: str = "") -> TimeLayout:
    """Compile a strftime layout; `zone` is the IANA time zone of times written without an offset.

    Raises:
        ConfigError: a code that is not known, or a layout from which no instant can be told.
    """
    for short, full in _SHORTHANDS.items():
        layout = layout.replace(short, full)
    parts = re.findall(r"%.?|[^%]+", layout, re.DOTALL)
    plain = b"".join(_pattern(part) for part in parts)
    detail = re.compile(_with_groups(parts))
    groups = set(detail.groupindex)
    _refuse_vague(layout, groups | ({"zone"} if zone else set()))
    is_local = not groups & {"offset", "zone", "epoch", "epoch_msec", "epoch_usec"}
    has_fraction = "%S%N" in "".join(parts)
    return TimeLayout(layout, plain, detail, _seconds_at(parts), zone if is_local else "", has_fraction)


def _pattern(part: str) -> bytes:
    if part[0] != "%" or part == "%%":
        return re.escape(part.replace("%%", "%").encode())
    if part[1:] not in _CODES:
        raise ConfigError(
            f"the log format's time has the unknown code {part}; known: {' '.join('%' + c for c in _CODES)}"
        )
    return _CODES[part[1:]][1]


def _with_groups(parts: list[str]) -> bytes:
    """The pattern with each named part in a group; a part given twice is read where it comes first."""
    seen: set[str] = set()
    pattern = b""
    for part in parts:
        group = _CODES[part[1:]][0] if part[1:] in _CODES and part[0] == "%" else None
        named = group is not None and group not in seen
        pattern += b"(?P<%b>%b)" % (str(group).encode(), _pattern(part)) if named else _pattern(part)
        seen.add(str(group))
    return pattern


def _refuse_vague(layout: str, groups: set[str]) -> None:
    if groups & {"epoch", "epoch_msec", "epoch_usec"}:
        return
    needed = (
        {"year", "year_of_century"},
        {"month", "month_name"},
        {"day"},
        {"hour", "hour_of_half"},
        {"minute"},
        {"offset", "zone"},
    )
    if not all(groups & one_of for one_of in needed) or ("hour_of_half" in groups and "half" not in groups):
        raise ConfigError(
            f"the log format's time {layout} does not tell an instant: it needs year, month, day, hour, "
            "minute and the offset from UTC (%z), or `time_zone:` beside `template:`"
        )


def _seconds_at(parts: list[str]) -> int | None:
    offset = 0
    for part in parts:
        if part == "%S":
            return offset
        width = _WIDTHS.get(part[1:]) if part[0] == "%" else len(part.encode())
        if width is None:
            return None
        offset += width
    return None


class TimeReader:
    """Bytes that fit a layout → UTC seconds since 1970; remembers the minutes it has met."""

    __slots__ = ("_detail", "_has_fraction", "_minutes", "_seconds_at", "_zone")

    def __init__(self, layout: TimeLayout) -> None:
        self._detail = layout.detail
        self._seconds_at = layout.seconds_at
        self._has_fraction = layout.has_fraction
        self._zone = ZoneInfo(layout.zone) if layout.zone not in {"", "UTC"} else None
        self._minutes: dict[bytes, int] = {}

    def read(self, text: bytes) -> int | None:
        """Return UTC seconds since 1970, or None for a time that no calendar has."""
        at = self._seconds_at
        if at is None:
            return self._convert(text)
        rest = text[at + 2 :]
        if self._has_fraction and rest[:1] in {b".", b","}:
            rest = rest[1:].lstrip(b"0123456789")  # or each fraction would be a minute of its own
        minute = text[:at] + rest
        start = self._minutes.get(minute)
        if start is None:
            start = self._convert(text[:at] + b"00" + rest)
            if start is None:
                return None
            if len(self._minutes) >= _CACHED_MINUTES:
                self._minutes.clear()
            self._minutes[minute] = start
        return start + int(text[at : at + 2])

    def _convert(self, text: bytes) -> int | None:
        match = self._detail.fullmatch(text)
        if match is None:
            return None
        parts = match.groupdict()
        for unit, per_second in (("epoch", 1), ("epoch_msec", 1000), ("epoch_usec", 1_000_000)):
            if unit in parts:
                return int(parts[unit]) // per_second
        day = _day(parts)
        minute = _minute_of_day(parts)
        offset = _offset_minutes(parts.get("offset") or b"Z")
        if day is None or minute is None or offset is None:
            return None
        second = (day * 1440 + minute - offset) * 60 + int(parts.get("second") or 0)
        if self._zone is not None:
            second -= _offset_seconds(self._zone, second)
        return second if _FIRST_SECOND <= second <= LAST_SECOND - 59 else None


def _day(parts: dict[str, bytes]) -> int | None:
    """Days since 1970-01-01, or None where the calendar has no such day."""
    month = _MONTHS.get(parts["month_name"], 0) if "month_name" in parts else int(parts["month"])
    # POSIX strptime: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068.
    year = int(parts["year"]) if "year" in parts else (int(parts["year_of_century"]) - 69) % 100 + 1969
    try:
        return date(year, month, int(parts["day"])).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        return None


def _minute_of_day(parts: dict[str, bytes]) -> int | None:
    """Minutes since midnight by a clock of 24 hours (0 to 23) or of two halves (12, 1 to 11)."""
    if "hour" in parts:
        hour = int(parts["hour"])
        is_real = hour < 24
    else:
        shown = int(parts["hour_of_half"])
        hour = shown % 12 + (12 if parts["half"] == b"PM" else 0)
        is_real = 1 <= shown <= 12
    return hour * 60 + int(parts["minute"]) if is_real else None


def _offset_minutes(text: bytes) -> int | None:
    """Minutes east of UTC: `+0130`, `-03:00` or `Z`; None beyond the farthest zone."""
    if text == b"Z":
        return 0
    digits = text[1:].replace(b":", b"")
    hours, minutes = int(digits[:2]), int(digits[2:])
    offset = hours * 60 + minutes
    if minutes >= 60 or offset > _FARTHEST_ZONE_MINUTES:
        return None
    return -offset if text[:1] == b"-" else offset


def _offset_seconds(zone: ZoneInfo, local_second: int) -> int:
    """How far the zone is east of UTC at a local time; the earlier of the two where the clock is put back."""
    day, second = divmod(min(max(local_second, _FIRST_SECOND), LAST_SECOND), 86400)
    start = date.fromordinal(day + _EPOCH_ORDINAL)
    local = datetime(
        start.year, start.month, start.day, second // 3600, second // 60 % 60, second % 60, tzinfo=zone
    )
    offset = local.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
