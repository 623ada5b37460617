"""A line that is a JSON object, and the keys of its fields → a hit.

Belongs here: JSON's types, keys of keys, headers as lists. Does not: which servers use which keys (formats).

What a value of another type than expected means: time, address, request and status must be right, and so must
the agent, the account and the cookie, for half an identity would split or merge visitors unseen; such a line is
rejected under the field's name. A referrer, virtual host, chain or switch of a wrong type counts as absent: no
person's count depends on them. A key given twice has its last value, as in nearly every reader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from usage_stats.accesslog.hit import MAX_LINE_BYTES, Hit
from usage_stats.accesslog.record import HitMaker, check_fields
from usage_stats.accesslog.transport import unwrapped
from usage_stats.errors import ConfigError

__all__ = ["JsonFormat", "json_format"]

# Which object, which key in it, and the whole path where a writer flattens its objects.
_Place = tuple[int, str, str]

# Numbers may stand for these; true and 1 for the switches.
_NUMBERS = frozenset({"status", "user", "ident"})
_SWITCHES = frozenset({"gpc", "dnt"})
_HARMLESS = frozenset({"referrer", "vhost", "forwarded", "query"})
_JOINTS = {
    "forwarded": ", ",
    "cookies": "; ",
}  # how several headers of one name are one (RFC 9110, section 5.3)
_WRONG = object()


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """JSON lines: per field the keys it may stand under, the usual one first; dots lead into nested objects."""

    name: str
    example: bytes
    keys: tuple[tuple[str, tuple[str, ...]], ...]
    zone: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Semantic names, in the order of the map."""
        return tuple(name for name, _ in self.keys)

    def parser(self, *, cookie: str | None = None, account: str | None = "user") -> JsonParser:
        """A fresh parser for one log.

        Raises:
            ConfigError: `account` names no field that can hold an account.
        """
        return JsonParser(self, cookie=cookie, account=account)


def json_format(
    keys: Mapping[str, str | tuple[str, ...]], *, name: str = "json", example: bytes = b"", zone: str = ""
) -> JsonFormat:
    """Check a field map: our field name → the key, or several keys of which the first present counts.

    Raises:
        ConfigError: an unknown field, an empty key, or no time, address, request or status.
    """
    check_fields(keys, "the json format")
    listed = tuple((field, (key,) if isinstance(key, str) else tuple(key)) for field, key in keys.items())
    if not all(key and all(key) for _, key in listed):
        raise ConfigError("the json format has an empty key; give each field the key it stands under")
    return JsonFormat(name, example, listed, zone)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and infinities are no JSON (RFC 8259, section 6)


class JsonParser:
    """Parses lines of one JSON format."""

    __slots__ = ("_absent", "_decode", "_inner", "_make", "_plan")

    def __init__(self, log_format: JsonFormat, *, cookie: str | None, account: str | None) -> None:
        maker = HitMaker(log_format.fields, cookie=cookie, account=account, zone=log_format.zone)
        keys = dict(log_format.keys)
        chains: list[tuple[str, ...]] = [()]
        self._plan: tuple[tuple[int, str, tuple[_Place, ...]], ...] = tuple(
            (slot, field, tuple(_place(key, chains) for key in keys[field]))
            for slot, field in enumerate(maker.sources)
            if field is not None
        )
        self._inner = tuple((chains.index(chain[:-1]), chain[-1]) for chain in chains[1:])
        # Such servers leave out a header that the client did not send: an agent is then recorded as none.
        self._absent: tuple[Any, ...] = tuple(b"" if f == "agent" else None for f in maker.sources)
        self._make = maker.hit
        self._decode = json.JSONDecoder(parse_constant=_refuse).raw_decode

    def parse(self, line: bytes) -> Hit | str:
        """Parse a line given without its newline; never raises, whatever the bytes.

        Returns a Hit, or a reason code: `too_long`, `blank`, `directive`, `json` for what is no JSON object,
        or the name of the first field that is missing or of a wrong type.
        """
        if len(line) > MAX_LINE_BYTES:
            return "too_long"
        if line[:1] != b"{":
            return self._odd_line(line)
        try:
            # nginx writes bytes that are no UTF-8 as they came: they must come out as they were.
            text = line.decode("utf-8", "surrogateescape")
            record, end = self._decode(text)
        except (ValueError, RecursionError):
            return "json"  # no JSON, a number of thousands of digits, nested without end
        return "json" if text[end:].strip() else self._of_record(record)

    def _of_record(self, record: dict[str, Any]) -> Hit | str:
        objects = [record]
        for parent, key in self._inner:
            inner = objects[parent].get(key)
            objects.append(inner if type(inner) is dict else {})
        values = list(self._absent)
        for slot, field, places in self._plan:
            for at, key, whole in places:
                value = objects[at].get(key)
                if value is None and at:
                    value = record.get(whole)
                if value is not None:
                    break
            else:
                continue
            if type(value) is list and len(value) == 1:
                value = value[0]
            if type(value) is str:
                values[slot] = _bytes(value)
            elif field == "time" and type(value) in {int, float}:
                values[slot] = value
            else:
                values[slot] = converted = _converted(field, value)
                if converted is _WRONG:
                    return field.partition(".")[0].replace("cookies", "cookie")
        return self._make(values)

    def _odd_line(self, line: bytes) -> Hit | str:
        stripped = line.strip()
        if not stripped:
            return "blank"
        if stripped[:1] == b"#":
            return "directive"
        inner = stripped if stripped[:1] == b"{" else unwrapped(line)
        return self.parse(inner) if inner and inner[:1] == b"{" else "json"


def _place(key: str, chains: list[tuple[str, ...]]) -> _Place:
    """Where a dotted key leads; adds the chain of objects on the way to those that are looked up."""
    *outer, last = key.split(".")
    for depth in range(1, len(outer) + 1):
        if tuple(outer[:depth]) not in chains:
            chains.append(tuple(outer[:depth]))
    return chains.index(tuple(outer)), last, key


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that was written as an escape
        return text.encode("utf-8", "surrogatepass")


def _converted(field: str, value: Any) -> Any:
    """What is no text, as bytes; `_WRONG` where the type makes the line useless."""
    if field in _SWITCHES:
        # A switch set in any way is set: who asks not to be counted must not be missed for a type.
        return b"1" if type(value) in {int, bool, float} and value == 1 else None
    if field in _NUMBERS and type(value) is int:
        return b"%d" % value if abs(value) < 10**20 else _WRONG
    if type(value) is list:
        texts = [item for item in value if type(item) is str]
        if len(texts) == len(value) and (len(texts) < 2 or field in _JOINTS):
            return _bytes(_JOINTS.get(field, "").join(texts)) if texts else None
    return None if field in _HARMLESS else _WRONG
