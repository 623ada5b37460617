"""Lines whose fields are named (JSON keys, a header of columns) → a `format:` setting that says which is which.

Belongs here: the well-known names of a request's fields, and the look of their values.
Does not: formats that have a name (formats), or whether the setting fits the whole log (recognise, inspect).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["infer_columns", "infer_json"]

_SAMPLED = 200  # records whose keys are looked at: enough to meet the keys that not every request has
_DEEPEST = 4  # keys of keys: Caddy's request.headers.User-Agent is the deepest of any server's log
_MINIMUM_SHARE = 0.5  # of the records must hold a fitting value under a key

# Names as servers, the Elastic Common Schema and the usual tutorials write them, in lower case with `_`
# between words; the more telling first. A name fits a key, or the end of a dotted path of keys.
# Source: https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html,
# https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest and the servers' manuals.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "time": (
        "time_iso8601", "time_local", "start_time", "start_utc", "timestamp", "time", "ts", "datetime",
        "date_time", "request_time_iso", "msec", "eventtime", "event_time", "request_timestamp", "date",
    ),
    "address": (
        "client_ip", "remote_addr", "remote_ip", "client_host", "client_addr", "client_address",
        "source.ip", "client.ip", "source.address", "client.address", "clientip", "remoteip", "c_ip",
        "downstream_remote_address", "remote_address", "remote_host", "client", "ip", "host_ip", "ip_address",
        "peer_ip", "src_ip", "source_ip", "realip_remote_addr",
    ),
    "request": ("request", "request_line", "http_request", "req"),
    "method": (
        "request_method", "http.request.method", "method", "verb", "http_method", "http_verb", "cs_method",
    ),
    "path": (
        "request_uri", "request_path", "url.original", "url_original", "uri", "request_url", "url.path",
        "path", "url", "cs_uri_stem", "x_envoy_original_path", "x_envoy_origin_path", "target", "endpoint",
    ),
    "status": (
        "http.response.status_code", "status", "status_code", "response_code", "downstream_status",
        "http_status", "response_status", "resp_status", "sc_status", "code", "response",
    ),
    "agent": (
        "http_user_agent", "user_agent.original", "user_agent", "useragent", "request_user_agent", "agent", "ua",
        "cs_user_agent",
    ),
    "referrer": (
        "http_referer", "http.request.referrer", "referer", "referrer", "http_referrer", "request_referer",
        "cs_referer",
    ),
    "user": ("remote_user", "user.name", "user_id", "client_username", "username", "auth_user", "user", "cs_username"),
    "forwarded": ("http_x_forwarded_for", "x_forwarded_for", "xff", "forwarded_for"),
    "vhost": (
        "vhost", "virtual_host", "http_host", "request.host", "request_host", "url.domain", "authority",
        "cs_host", "server_name", "host", "domain",
    ),
    "cookies": ("http_cookie", "headers.cookie", "request_cookie"),
    "gpc": ("http_sec_gpc", "sec_gpc"),
    "dnt": ("http_dnt", "dnt"),
}  # fmt: skip
_REQUIRED = ("time", "address", "status")

_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d\d?/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d|\d{9,19}(?:\.\d+)?$")
_ADDRESS = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%\w+)?(?:\]:\d+)?$"
)
_REQUEST = re.compile(r"[A-Z-]{3,20} [^ ]")
_METHOD = re.compile(r"[A-Z-]{3,20}$")
_TARGET = re.compile(r"/|https?://|\*$")
_STATUS = re.compile(r"[1-5]\d\d$")


def _fits_text(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def _is_time(value: object) -> bool:
    # 1e8: an epoch below it lies before 1973, or is a duration.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value > 1e8
    return isinstance(value, str) and _CLOCK.match(value.removeprefix("[")) is not None


def _is_status(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return 100 <= value <= 599
    return isinstance(value, str) and _STATUS.match(value) is not None


def _is_text(value: object) -> bool:
    """Text, or a list of texts as some servers write headers."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))


_LOOKS_RIGHT: Final[Mapping[str, Callable[[object], bool]]] = {
    "time": _is_time,
    "address": _fits_text(_ADDRESS),
    "request": _fits_text(_REQUEST),
    "method": _fits_text(_METHOD),
    "path": _fits_text(_TARGET),
    "status": _is_status,
}


def infer_json(lines: Sequence[bytes]) -> dict[str, Any] | None:
    """The field map of a JSON log by its well-known keys, as a `format:` setting; None if keys are missing.

    Only names of ours and keys that are spelt like them come out: a key may hold a value of somebody.
    """
    records = [record for line in lines[:_SAMPLED] if (record := _record(line))]
    fields = _field_map(records)
    return {"json": fields} if fields else None


def infer_columns(lines: Sequence[bytes]) -> dict[str, Any] | None:
    """The columns of a table with a header by their well-known names, as a `format:` setting, or None."""
    if len(lines) < 2:
        return None
    for delimiter in ("\t", ",", ";", "|"):
        header = _cells(lines[0], delimiter)
        if len(header) < 4 or any(_is_value(cell) for cell in header):
            continue
        rows = [cells for line in lines[1:_SAMPLED] if len(cells := _cells(line, delimiter)) == len(header)]
        fields = _field_map([dict(zip(header, row, strict=True)) for row in rows])
        if fields:
            return _column_setting(header, fields, delimiter, has_quotes=any(b'"' in line for line in lines))
    return None


def _column_setting(
    header: list[str], fields: Mapping[str, str], delimiter: str, *, has_quotes: bool
) -> dict[str, Any]:
    meanings = {name: meaning for meaning, name in fields.items()}
    columns = [meanings.get(name, "ignored") for name in header]
    return {"columns": columns, "delimiter": delimiter} | ({"quote": '"'} if has_quotes else {})


def _cells(line: bytes, delimiter: str) -> list[str]:
    """The cells of a row; a delimiter between quotes belongs to the cell."""
    text = line.decode("utf-8", "replace").strip("\r")
    if '"' not in text:
        return text.split(delimiter)
    mark = re.escape(delimiter)
    cells = re.findall(rf'(?:^|(?<={mark}))("(?:[^"]|"")*"|[^{mark}]*)', text)
    return [cell[1:-1].replace('""', '"') if cell[:1] == '"' else cell for cell in cells]


def _is_value(cell: str) -> bool:
    """A header names things: where a cell holds a number, an address or a path, the line is no header."""
    return not cell or cell[:1].isdigit() or cell[:1] in "/[" or _is_time(cell)


def _field_map(records: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """Meanings → names, if the names tell enough for a request."""
    seen = _values_by_path(records)
    enough = _MINIMUM_SHARE * len(records)
    found: dict[str, str] = {}
    for meaning, names in _NAMES.items():
        path = _best_path(meaning, names, seen, enough, taken=set(found.values()))
        if path is not None:
            found[meaning] = path
    return _told_once(found) if all(name in found for name in _REQUIRED) else None


def _told_once(found: dict[str, str]) -> dict[str, str] | None:
    """The request as one line, or else as method and path, never both."""
    if "request" in found:
        return {k: v for k, v in found.items() if k not in {"method", "path"}}
    return found if {"method", "path"} <= found.keys() else None


def _best_path(
    meaning: str, names: Sequence[str], seen: Mapping[str, list[Any]], enough: float, *, taken: set[str]
) -> str | None:
    looks_right = _LOOKS_RIGHT.get(meaning, _is_text)
    # What a request must have is in most records, the rest in one at least.
    needed = max(enough, 1) if meaning in _LOOKS_RIGHT else 1
    for name in names:
        for path, values in seen.items():
            if path not in taken and _is_named(path, name) and sum(map(looks_right, values)) >= needed:
                return path
    return None


def _is_named(path: str, name: str) -> bool:
    plain = _plain(path)
    return plain == name or plain.endswith("." + name)


def _plain(path: str) -> str:
    """A key in lower case with `_` between its words: `@timestamp`, `remoteIp`, `User-Agent`, `cs(Referer)`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path)
    return re.sub(r"_*[^a-z0-9.]+_*", "_", words.lower()).replace("._", ".").strip("_.")


def _values_by_path(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Paths of keys → their values; only below keys that most records have: the server's, not a visitor's."""
    top = Counter(key for record in records for key in record)
    common = {key for key, count in top.items() if count >= _MINIMUM_SHARE * len(records)}
    seen: dict[str, list[Any]] = {}
    for record in records:
        for path, value in _flat(record):
            if path in record or path.partition(".")[0] in common:
                seen.setdefault(path, []).append(value)
    # Paths near the top first: what a client sent lies deeper than what the server found.
    return dict(sorted(seen.items(), key=lambda item: item[0].count(".")))


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        path = prefix + key
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(value, path + ".", depth + 1)
        else:
            yield path, value


def _record(line: bytes) -> dict[str, Any] | None:
    if line.lstrip()[:1] != b"{":
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, bad UTF-8, or nested beyond reason
        return None
    return record if isinstance(record, dict) else None
