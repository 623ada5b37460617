"""A time as JSON, W3C and delimited logs write it → UTC seconds since 1970.

Belongs here: telling CLF, ISO 8601 and epochs apart by their looks. Does not: strftime layouts (timestamps).
"""

from __future__ import annotations

import math

from usage_stats.accesslog.timestamps import CLF, LAST_SECOND, TimeReader, time_layout

__all__ = ["InstantReader"]

# An epoch's unit shows in its size: from 1e11 on it is milliseconds (as seconds that were the year 5138),
# from 1e14 on microseconds, from 1e17 on nanoseconds. Each unit so covers 1973 to 5138.
_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))
_LONGEST = 40  # bytes: 2015-05-17T10:05:03.123456789+02:00 has 35


class InstantReader:
    """Reads CLF with or without brackets, ISO 8601, and epochs in s, ms, µs or ns, also fractional.

    An ISO time without an offset is one only where a time zone is given: it is taken for that zone's.
    """

    __slots__ = ("_clf", "_iso", "_plain")

    def __init__(self, zone: str = "") -> None:
        self._clf = TimeReader(time_layout(CLF)).read
        self._iso = TimeReader(time_layout("%Y-%m-%dT%H:%M:%S%z")).read
        self._plain = TimeReader(time_layout("%Y-%m-%dT%H:%M:%S", zone=zone)).read if zone else None

    def read(self, time: bytes | float | None) -> int | None:
        """UTC seconds since 1970, fractions cut off; None for what tells no instant."""
        if isinstance(time, bytes):
            return self._read_text(time)
        return None if time is None else _of_epoch(time)

    def _read_text(self, text: bytes) -> int | None:
        if text[:1] == b"[" and text[-1:] == b"]":
            text = text[1:-1]
        if len(text) > _LONGEST:
            return None
        if text[4:5] == b"-" and text[10:11] in {b"T", b" "}:
            return self._read_iso(text)
        if text[2:3] == b"/":
            return self._clf(text) if _is_second(text[18:20]) else None
        return _of_digits(text)

    def _read_iso(self, text: bytes) -> int | None:
        if not _is_second(text[17:19]):
            return None
        rest = text[19:]
        if rest[:1] in {b".", b","}:
            digits = rest[1:]
            rest = digits.lstrip(b"0123456789")
            if len(rest) == len(digits):
                return None
        rest = rest.lstrip(b" ")
        if not rest:
            return None if self._plain is None else self._plain(text[:10] + b"T" + text[11:19])
        # PostgreSQL and others write the hours of an offset alone.
        offset = rest + b"00" if len(rest) == 3 else rest
        return self._iso(text[:10] + b"T" + text[11:19] + offset)


def _is_second(digits: bytes) -> bool:
    return digits.isdigit() and len(digits) == 2 and digits < b"60"


def _of_digits(text: bytes) -> int | None:
    whole, dot, fraction = text.partition(b".")
    if not whole.isdigit() or len(whole) > 20 or (dot and not fraction.isdigit()):
        return None
    return _of_epoch(int(whole))


def _of_epoch(number: float) -> int | None:
    if (isinstance(number, float) and not math.isfinite(number)) or number < 0:
        return None
    for limit, per_second in _UNITS:
        if number < limit:
            second = int(number) // per_second
            return second if second <= LAST_SECOND else None
    return None
