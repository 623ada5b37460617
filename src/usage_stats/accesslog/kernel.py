"""Lines in a byte buffer → columns of a hit's parts, by compiled loops: the fast path.

A line that is not plainly what the program expects is declined, never rejected: the exact parser decides.
What is accepted here, the exact parser reads the same way (tests/unit/accesslog/test_fast.py).

Belongs here: loops over bytes, compiled when first called. Does not: formats (program), reasons, meanings.
Importing this module imports the compiler (0.4 s): callers do so for large logs only.
"""

import numpy as np
from numba import njit, uint64

from usage_stats.accesslog.hit import MAX_LINE_BYTES

__all__ = [
    "count_newlines",
    "find_newlines",
    "fingerprints",
    "look_up",
    "parse_fields",
    "parse_objects",
    "xxh64",
]

# Without numba's counting of references, which takes as long as the work: no array is made or kept here. And without
# Python's rules for division by zero, which nothing here divides by.
_OPTIONS = {"_nrt": False, "error_model": "numpy"}
_compiled = njit(forceinline=True, **_OPTIONS)
_inlined = njit(inline="always", **_OPTIONS)
_entry = njit(cache=True, nogil=True, **_OPTIONS)  # called from Python

# What a program's step does; program.py writes them.
LITERAL, VALUE, QUOTED, REQUEST, STATUS, SIZE, HOST, TIME, METHOD, PATH = range(10)
# The values that are kept of a line, by their place in the columns; from OPTIONAL on, `-` means none.
ADDRESS, AGENT, TARGET, ACCOUNT, COOKIE, FORWARDED, GPC, DNT, QUERY, REFERRER = range(10)
OPTIONAL = ACCOUNT
WITH_QUERY = 1  # the layout of a target whose query is kept too
# How a time is written.
CLF, ISO, EPOCH, DATE, CLOCK, WHOLE_EPOCH, SPLIT_EPOCH = range(7)

_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9  # XXH64's primes
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_ONES, _TOPS = 0x0101010101010101, 0x8080808080808080  # a bit in each byte of a word
_NONE = -(1 << 62)  # no time
_LONGEST_NUMBER = 40  # digits: Python refuses integers of more than 4300
_MONTHS = np.array(
    [int.from_bytes(name, "big") for name in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()],
    np.uint64,
)


@_inlined
def _word(data, at):
    """Eight bytes, little end first; the compiler makes one load of it."""
    word = uint64(0)
    for k in range(8):
        word |= uint64(data[at + uint64(k)]) << uint64(8 * k)
    return word


@_inlined
def _half(data, at):
    half = uint64(0)
    for k in range(4):
        half |= uint64(data[at + uint64(k)]) << uint64(8 * k)
    return half


@_inlined
def _rotated(x, bits):
    return (x << uint64(bits)) | (x >> uint64(64 - bits))


@_inlined
def _round(lane, word):
    return _rotated(lane + word * uint64(_P2), 31) * uint64(_P1)


@_inlined
def _stripes(data, at, end, seed):
    """The four lanes over whole stripes of 32 bytes, merged; and where they end."""
    a, b = seed + uint64(_P1) + uint64(_P2), seed + uint64(_P2)
    c, d = seed, seed - uint64(_P1)
    while at + uint64(32) <= end:
        a = _round(a, _word(data, at))
        b = _round(b, _word(data, at + uint64(8)))
        c = _round(c, _word(data, at + uint64(16)))
        d = _round(d, _word(data, at + uint64(24)))
        at += uint64(32)
    merged = _rotated(a, 1) + _rotated(b, 7) + _rotated(c, 12) + _rotated(d, 18)
    for lane in (a, b, c, d):
        merged = (merged ^ _round(uint64(0), lane)) * uint64(_P1) + uint64(_P4)
    return merged, at


@_inlined
def _avalanche(x):
    x = (x ^ (x >> uint64(33))) * uint64(_P2)
    x = (x ^ (x >> uint64(29))) * uint64(_P3)
    return x ^ (x >> uint64(32))


@_compiled
def xxh64(data, start, end, seed):
    """XXH64 of data[start:end], as the library xxhash computes it.

    Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
    """
    at, end = uint64(start), uint64(end)
    length = end - at
    if length >= uint64(32):
        state, at = _stripes(data, at, end, seed)
    else:
        state = seed + uint64(_P5)
    state += length
    while at + uint64(8) <= end:
        state = _rotated(state ^ _round(uint64(0), _word(data, at)), 27) * uint64(_P1) + uint64(_P4)
        at += uint64(8)
    if at + uint64(4) <= end:
        state = _rotated(state ^ (_half(data, at) * uint64(_P1)), 23) * uint64(_P2) + uint64(_P3)
        at += uint64(4)
    while at < end:
        state = _rotated(state ^ (uint64(data[at]) * uint64(_P5)), 11) * uint64(_P1)
        at += uint64(1)
    return _avalanche(state)


@_entry
def count_newlines(data):
    """How many bytes are newlines."""
    count = 0
    for k in range(data.size):
        count += data[k] == 10
    return count


@_entry
def find_newlines(data, out):
    """Where newlines are, into `out` (int64, as many as there are). Reads up to seven bytes behind the data."""
    end, count = uint64(data.size), 0
    at = _find(data, uint64(0), end, 10, 10)
    while at < end:
        out[count] = at
        count += 1
        at = _find(data, at + uint64(1), end, 10, 10)


@_entry
def fingerprints(data, starts, ends, seed, out):
    """XXH64 of each line into `out` (uint64, one per line)."""
    for i in range(starts.size):
        out[i] = xxh64(data, starts[i], ends[i], seed)


@_inlined
def _digits(data, at, count):
    """So many digits as a number, or -1."""
    number = 0
    for k in range(count):
        digit = data[at + uint64(k)] - 48
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
    return number


@_compiled
def _month(data, at):
    name = (
        (uint64(data[at]) << uint64(16))
        | (uint64(data[at + uint64(1)]) << uint64(8))
        | uint64(data[at + uint64(2)])
    )
    for k in range(12):
        if name == _MONTHS[k]:
            return k + 1
    return 0


@_compiled
def _day_number(year, month, day):
    """Days since 1970-01-01 by the Gregorian calendar; _NONE where it has no such day.

    Source: the civil-from-days arithmetic of eras of 400 years that begin in March, as in the C++ library's chrono.
    """
    if (
        month < 1 or month > 12 or year < 2 or year > 9998 or day < 1
    ):  # in the years beside, UTC's may be another
        return _NONE
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 31 - (month - 1) % 7 % 2 if month != 2 else 28 + is_leap
    if day > longest:
        return _NONE
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@_inlined
def _clock(data, at):
    """Seconds of `HH:MM:SS`, or _NONE."""
    hour, minute = _digits(data, at, 2), _digits(data, at + uint64(3), 2)
    second = _digits(data, at + uint64(6), 2)
    if data[at + uint64(2)] != 58 or data[at + uint64(5)] != 58:  # :
        return _NONE
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return _NONE
    return hour * 3600 + minute * 60 + second


@_inlined
def _zone(data, at, gap):
    """Seconds east of UTC of `+HHMM` (gap 0) or `+HH:MM` (gap 1), or _NONE."""
    hours, minutes = _digits(data, at + uint64(1), 2), _digits(data, at + uint64(3 + gap), 2)
    sign = data[at]
    if hours < 0 or minutes < 0 or minutes > 59 or hours * 60 + minutes > 14 * 60:
        return _NONE
    if sign != 43 and sign != 45:  # + -
        return _NONE
    east = hours * 3600 + minutes * 60
    return east if sign == 43 else -east


@_compiled
def _clf_time(data, at):
    """UTC seconds of `17/May/2015:10:05:03 +0200`, or _NONE."""
    if (
        data[at + uint64(2)] != 47
        or data[at + uint64(6)] != 47
        or data[at + uint64(11)] != 58
        or data[at + uint64(20)] != 32
    ):
        return _NONE
    day = _day_number(_digits(data, at + uint64(7), 4), _month(data, at + uint64(3)), _digits(data, at, 2))
    clock, east = _clock(data, at + uint64(12)), _zone(data, at + uint64(21), 0)
    if day == _NONE or clock == _NONE or east == _NONE:
        return _NONE
    return day * 86400 + clock - east


@_compiled
def _iso_day(data, at):
    """Days since 1970 of `2015-05-17`, or _NONE."""
    if data[at + uint64(4)] != 45 or data[at + uint64(7)] != 45:  # -
        return _NONE
    return _day_number(
        _digits(data, at, 4), _digits(data, at + uint64(5), 2), _digits(data, at + uint64(8), 2)
    )


@_compiled
def _iso_time(data, at, end):
    """UTC seconds of `2015-05-17T10:05:03+02:00`, with Z or a fraction too, or _NONE."""
    if end < at + uint64(20) or data[at + uint64(10)] != 84:  # T
        return _NONE
    day, clock = _iso_day(data, at), _clock(data, at + uint64(11))
    zone = at + uint64(19)
    if data[zone] == 46:  # . and one to nine digits
        zone += uint64(1)
        while zone < end and 48 <= data[zone] <= 57:
            zone += uint64(1)
        if zone == at + uint64(20) or zone > at + uint64(29) or zone == end:
            return _NONE
    if data[zone] == 90 and zone + uint64(1) == end:  # Z
        east = 0
    elif zone + uint64(6) == end and data[zone + uint64(3)] == 58:
        east = _zone(data, zone, 1)
    elif zone + uint64(5) == end:
        east = _zone(data, zone, 0)
    else:
        return _NONE
    if day == _NONE or clock == _NONE or east == _NONE:
        return _NONE
    return day * 86400 + clock - east


@_compiled
def _epoch_time(data, at, end):
    """Seconds of `1431857103` or `1431857103.125`, or _NONE."""
    seconds, first = 0, at
    while at < end and 48 <= data[at] <= 57:
        seconds = seconds * 10 + (data[at] - 48)
        at += uint64(1)
    if at == first or at - first > uint64(11):
        return _NONE
    if at < end:
        if data[at] != 46 or end - at > uint64(10) or end - at < uint64(2):
            return _NONE
        at += uint64(1)
        while at < end and 48 <= data[at] <= 57:
            at += uint64(1)
    return seconds if at == end else _NONE


@_compiled
def _time(data, at, end, layout):
    """UTC seconds (of DATE: of its midnight; of CLOCK: since midnight) of data[at:end], or _NONE."""
    length = end - at
    if layout == CLF:
        return _clf_time(data, at) if length == uint64(26) else _NONE
    if layout == ISO:
        return _iso_time(data, at, end)
    if layout == EPOCH:  # a JSON number: read as a double, which 15 digits pass through unchanged
        return _epoch_time(data, at, end) if length <= uint64(16) else _NONE
    if layout == WHOLE_EPOCH or layout == SPLIT_EPOCH:
        has_fraction = _find(data, at, end, 46, 46) < end
        return _epoch_time(data, at, end) if has_fraction == (layout == SPLIT_EPOCH) else _NONE
    if layout == DATE:
        day = _iso_day(data, at) if length == uint64(10) else _NONE
        return day * 86400 if day != _NONE else _NONE
    return _clock(data, at) if length == uint64(8) else _NONE


@_compiled
def _path_end(data, at, end):
    """Where the target of `METHOD target HTTP/1.1` begins and ends; (0, 0) if the request is not plain."""
    first = at
    while at < end and 65 <= data[at] <= 90:
        at += uint64(1)
    if at == first or at == end or data[at] != 32:
        return uint64(0), uint64(0)
    at += uint64(1)
    tail = end - uint64(9)  # " HTTP/1.1"
    if end < at + uint64(10) or data[at] == 32:
        return uint64(0), uint64(0)
    # " HTTP/" and "." as one number, its two digits left out.
    is_http = _word(data, tail) & uint64(0xFF00FFFFFFFFFFFF) == uint64(0x2E002F5054544820)
    major, minor = data[tail + uint64(6)], data[tail + uint64(8)]
    if not is_http or major < 48 or major > 57 or minor < 48 or minor > 57:
        return uint64(0), uint64(0)
    return at, tail


@_inlined
def _zero_bytes(word):
    """The top bit of each byte of the word that is zero; exact up to the lowest one.

    Source: the classic "determine if a word has a zero byte" of Alan Mycroft, 1987.
    """
    return (word - uint64(_ONES)) & ~word & uint64(_TOPS)


@_inlined
def _find(data, at, end, one, other):
    """Where the first of two bytes is, eight at a time, or the end."""
    ones, others = uint64(one) * uint64(_ONES), uint64(other) * uint64(_ONES)
    while at < end:
        word = _word(data, at)
        found = _zero_bytes(word ^ ones) | _zero_bytes(word ^ others)
        if found:
            below = ((found & (~found + uint64(1))) - uint64(1)) & uint64(_ONES)
            at += ((below * uint64(_ONES)) >> uint64(56)) - uint64(1)
            return min(at, end)
        at += uint64(8)
    return end


@_inlined
def _closing_quote(data, at, end):
    """Where the quoted text ends; the end itself if it does not, or holds an escape."""
    at = _find(data, at, end, 34, 92)
    return at if at < end and data[at] == 34 else end


@_inlined
def _is_literal(data, at, end, literals, first, length):
    if at + uint64(length) > end:
        return False
    for k in range(length):
        if data[at + uint64(k)] != literals[first + k]:
            return False
    return True


@_compiled
def _is_host(data, at, end):
    """Whether a value is a name of letters, digits, dots and hyphens, with its port or without."""
    first = at
    while at < end and (48 <= data[at] <= 57 or 97 <= data[at] | 32 <= 122 or 45 <= data[at] <= 46):
        at += uint64(1)
    if at == first or at == end or data[at] != 58:  # :
        return at == end and at > first
    port = at + uint64(1)
    return port < end <= port + uint64(5) and _digits(data, port, end - port) >= 0


@_compiled
def _is_ipv4(data, at, end):
    """Whether a value is four numbers up to 255 without needless zeros, as inet_pton would have them."""
    for part in range(4):
        first, number = at, 0
        while at < end and at < first + uint64(3) and 48 <= data[at] <= 57:
            number = number * 10 + data[at] - 48
            at += uint64(1)
        is_number = first < at and number <= 255 and (data[first] != 48 or at == first + uint64(1))
        if not is_number or (part < 3 and (at == end or data[at] != 46)):
            return False
        at += uint64(part < 3)
    return at == end


@_compiled
def _is_typed(data, at, end, kind):
    """Whether a value is a status of three digits, a size, or a host."""
    if kind == STATUS:
        return end == at + uint64(3) and 49 <= data[at] <= 53 and _digits(data, at + uint64(1), 2) >= 0
    if kind == HOST:
        return _is_host(data, at, end)
    is_dash = end == at + uint64(1) and data[at] == 45
    while at < end and 48 <= data[at] <= 57:
        at += uint64(1)
    return is_dash or at == end


@_inlined
def _keep(data, start, end, slot, i, seed, places, lengths, hashes):
    """A value's place and hash; of an account and what follows it, `-` or nothing is none."""
    length = end - start
    if slot >= OPTIONAL and (length == uint64(0) or (length == uint64(1) and data[start] == 45)):
        return
    places[slot, i], lengths[slot, i] = start, length
    hashes[slot, i] = max(xxh64(data, start, end, seed), uint64(1))


@_inlined
def _keep_target(data, at, end, layout, i, seed, places, lengths, hashes):
    """A request's target up to its query; and its query, where that is wanted."""
    query = _find(data, at, end, 63, 63)
    _keep(data, at, query, TARGET, i, seed, places, lengths, hashes)
    if layout == WITH_QUERY and query < end:
        _keep(data, query + uint64(1), end, QUERY, i, seed, places, lengths, hashes)


@_compiled
def _is_method(data, at, end):
    """Whether all bytes are capital letters."""
    first = at
    while at < end and 65 <= data[at] <= 90:
        at += uint64(1)
    return at == end and at > first


@_inlined
def _is_get(data, at, end):
    return (
        end - at == uint64(3) and data[at] == 71 and data[at + uint64(1)] == 69 and data[at + uint64(2)] == 84
    )


@_compiled
def _read_value(data, at, end, kind, slot, layout, i, seed, row, places, lengths, hashes):
    """Read one value into the row's columns: its seconds if it is a time, else 0; _NONE if it is not plain."""
    _, status, is_get, is_ipv4 = row
    if kind == TIME:
        return _time(data, at, end, layout)
    if kind == REQUEST:
        target, tail = _path_end(data, at, end)
        if tail == uint64(0):
            return _NONE
        is_get[i] = _is_get(data, at, target - uint64(1))
        _keep_target(data, target, tail, layout, i, seed, places, lengths, hashes)
    elif kind == METHOD:
        if not _is_method(data, at, end):
            return _NONE
        is_get[i] = _is_get(data, at, end)
    elif kind == PATH:
        if at == end or data[at] == 45:
            return _NONE
        _keep_target(data, at, end, layout, i, seed, places, lengths, hashes)
    elif kind == STATUS or kind == SIZE or kind == HOST:
        if not _is_typed(data, at, end, kind):
            return _NONE
        if kind == STATUS:
            status[i] = _digits(data, at, 3)
    elif slot >= 0:
        _keep(data, at, end, slot, i, seed, places, lengths, hashes)
        if slot == ADDRESS:
            is_ipv4[i] = _is_ipv4(data, at, end)
    return 0


@_compiled
def _read_line(data, at, end, i, steps, literals, seed, row, places, lengths, hashes):
    """Walk one line through the program; whether it fits to its end."""
    if at == end or data[at] == 35 or end - at > uint64(MAX_LINE_BYTES):  # nothing, or #, or too long
        return False
    if data[end - uint64(1)] == 13:
        end -= uint64(1)
    seconds = 0
    for s in range(steps.shape[0]):
        kind, detail = steps[s, 0], steps[s, 2]
        if kind == LITERAL:
            if not _is_literal(data, at, end, literals, steps[s, 3], steps[s, 4]):
                return False
            at += uint64(steps[s, 4])
            continue
        is_quoted = kind == QUOTED or kind == REQUEST
        # A carriage return ends any value without quotes, and fits nothing behind it.
        stop = _closing_quote(data, at, end) if is_quoted else _find(data, at, end, detail & 255, 13)
        # Without quotes around it, a value with a quote or an escape in it is not plain.
        if not is_quoted and (
            stop == at or _find(data, at, stop, 34, 92) != stop or data[stop - uint64(1)] == 13
        ):
            return False
        part = _read_value(
            data, at, stop, kind, steps[s, 1], detail >> 8, i, seed, row, places, lengths, hashes
        )
        if part == _NONE:
            return False
        seconds += part
        at = stop
    row[0][i] = seconds
    return at == end


@_entry
def parse_fields(data, starts, ends, program, seed, row, places, lengths, hashes, accepted):
    """Read lines by a program of steps.

    Args:
        data: uint8 bytes, eight more than the lines need.
        starts: of each line.
        ends: of each line, its newline left out.
        program: steps (int64, one row of kind, slot, stop byte + layout, literal's place and length), and literals.
        seed: of the values' hashes.
        row: out, per line: UTC seconds, status, whether the method is GET, whether the address is plain IPv4.
        places: out, per slot and line: where the value begins in `data`.
        lengths: out, the same: its bytes.
        hashes: out, the same: its XXH64, never 0; left alone where there is no value.
        accepted: out, per line; the other columns mean nothing where it is false.
    """
    steps, literals = program
    for i in range(starts.size):
        accepted[i] = _read_line(
            data, uint64(starts[i]), uint64(ends[i]), i, steps, literals, seed, row, places, lengths, hashes
        )


@_inlined
def _string_end(data, at, end):
    """Where a JSON string's closing quote is; the end if it holds an escape or a control byte, or none is there."""
    while at < end:
        word = _word(data, at)
        quotes = _zero_bytes(word ^ uint64(_ONES * 34)) | _zero_bytes(word ^ uint64(_ONES * 92))
        controls = (word - uint64(_ONES * 32)) & ~word & uint64(_TOPS)
        found = quotes | controls
        if found:
            below = ((found & (~found + uint64(1))) - uint64(1)) & uint64(_ONES)
            at += ((below * uint64(_ONES)) >> uint64(56)) - uint64(1)
            return at if at < end and data[at] == 34 else end
        at += uint64(8)
    return end


@_compiled
def _number_end(data, at, end):
    """Where a JSON number of digits, with a fraction or not, ends; where it begins if it is none of these."""
    first = at
    while at < end and 48 <= data[at] <= 57:
        at += uint64(1)
    if at == first or (data[first] == 48 and at > first + uint64(1)):
        return first
    if at < end and data[at] == 46:
        dot = at
        at += uint64(1)
        while at < end and 48 <= data[at] <= 57:
            at += uint64(1)
        if at == dot + uint64(1):
            return first
    return at


@_compiled
def _word_end(data, at, end):
    """Where `null`, `true` or `false` ends; where it begins if it is none of these."""
    if at + uint64(4) > end:
        return at
    word = _half(data, at)
    if word == uint64(0x6C6C756E) or word == uint64(0x65757274):  # null, true
        return at + uint64(4)
    if word == uint64(0x736C6166) and at + uint64(5) <= end and data[at + uint64(4)] == 101:  # fals, e
        return at + uint64(5)
    return at


@_compiled
def _key_of(data, at, end, keys, names, expected):
    """The place of a key in the table, the one expected being tried first; -1 for a key that is not wanted."""
    for turn in range(keys.shape[0]):
        k = (expected + turn) % keys.shape[0]
        if end - at == uint64(keys[k, 4]) and _is_literal(data, at, end, names, keys[k, 3], keys[k, 4]):
            return k
    return -1


@_compiled
def _read_object(data, at, end, i, keys, names, seed, row, places, lengths, hashes):
    """Read a flat JSON object; whether all of it was plain and each field that is needed was there once."""
    if end < at + uint64(2) or data[at] != 123 or data[end - uint64(1)] != 125:  # { }
        return False
    if end - at > uint64(MAX_LINE_BYTES):
        return False
    end -= uint64(1)
    at += uint64(1)
    seconds, seen, expected = 0, uint64(0), 0
    while True:
        if at >= end or data[at] != 34:
            return False
        stop = _string_end(data, at + uint64(1), end)
        if stop >= end or data[stop + uint64(1)] != 58:  # :
            return False
        k = _key_of(data, at + uint64(1), stop, keys, names, expected)
        at = stop + uint64(2)
        at += uint64(data[at] == 32)
        is_string = data[at] == 34
        at += uint64(is_string)
        if is_string:
            stop = _string_end(data, at, end)
        else:
            stop = _number_end(data, at, end)
            stop = _word_end(data, at, end) if stop == at else stop
        if (stop == at and not is_string) or (is_string and stop >= end):
            return False
        if not is_string and stop - at > uint64(_LONGEST_NUMBER):
            return False
        if k >= 0:
            bit = uint64(1) << uint64(k)
            if seen & bit or not (is_string or (48 <= data[at] <= 57 and keys[k, 2] & 1)):
                return False
            expected = k + 1
            if not seen & uint64(
                keys[k, 5]
            ):  # else the field was there already, under a name that goes before
                layout = keys[k, 2] >> 8 if is_string else EPOCH
                part = _read_value(
                    data, at, stop, keys[k, 0], keys[k, 1], layout, i, seed, row, places, lengths, hashes
                )
                if part == _NONE:
                    return False
                seconds = part if keys[k, 0] == TIME else seconds
            seen |= bit
        at = stop + uint64(is_string)
        if at == end:
            break
        if data[at] != 44:  # ,
            return False
        at += uint64(1)
        at += uint64(data[at] == 32)
    row[0][i] = seconds
    for k in range(keys.shape[0]):
        if keys[k, 2] & 2 and not seen & uint64(keys[k, 6]):
            return False
    return True


@_entry
def parse_objects(data, starts, ends, program, seed, row, places, lengths, hashes, accepted):
    """Read lines that are flat JSON objects; as `parse_fields`, but the program is a table of keys and their names.

    Per key: kind, slot, flags (1: may be a number, 2: its field must be there) + layout, its place among the names,
    its length, the keys of its field that go before it, and all keys of its field (a bit each).
    """
    keys, names = program
    for i in range(starts.size):
        accepted[i] = _read_object(
            data, uint64(starts[i]), uint64(ends[i]), i, keys, names, seed, row, places, lengths, hashes
        )


@_entry
def look_up(keys, codes, hashes, count, out, unseen):
    """The code of each hash, by open addressing; a hash met first gets the next one. 0 is no hash: code -1.

    Args:
        keys: the table's hashes, a power of two long, 0 where free; at most half of it may ever be used.
        codes: the table's codes.
        hashes: to look up.
        count: codes given so far.
        out: codes, per hash.
        unseen: out, the rows at which new codes were given, in order.

    Returns the number of codes given by now.
    """
    mask = uint64(keys.size - 1)
    first = count
    for i in range(hashes.size):
        key = hashes[i]
        if key == uint64(0):
            out[i] = -1
            continue
        spot = (key >> uint64(7)) & mask
        while keys[spot] != key and keys[spot] != uint64(0):
            spot = (spot + uint64(1)) & mask
        if keys[spot] == uint64(0):
            keys[spot], codes[spot] = key, count
            unseen[count - first] = i
            count += 1
        out[i] = codes[spot]
    return count
