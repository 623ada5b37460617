"""A `format:` setting → the format it means: a name, a pasted template, or a map of fields.

Belongs here: the catalogue of named formats, the reading of settings and their error messages.
Does not: the named formats themselves (pasted_formats, service_formats), or turning a line into a hit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from usage_stats.accesslog.delimited import DelimitedFormat, LabelledFormat
from usage_stats.accesslog.hit import LogFormat
from usage_stats.accesslog.json_format import JsonFormat, json_format
from usage_stats.accesslog.pasted_formats import PASTED_FORMATS
from usage_stats.accesslog.record import check_fields
from usage_stats.accesslog.service_formats import (
    JSON_FORMATS,
    LABELLED_FORMATS,
    SERVICE_FORMATS,
    W3C_FORMATS,
)
from usage_stats.accesslog.template import TemplateFormat, compile_format
from usage_stats.accesslog.w3c import W3cFormat
from usage_stats.errors import ConfigError

__all__ = [
    "NAMED_FORMATS",
    "LogFormat",
    "TemplateFormat",
    "compile_format",
    "has_cookie",
    "named_format",
    "resolve_format",
]

# The more telling first: with equal fit the earlier is taken. nginx's predefined `combined` is Apache's.
NAMED_FORMATS: Final[tuple[LogFormat, ...]] = (
    *PASTED_FORMATS,
    *SERVICE_FORMATS,
    *W3C_FORMATS,
    *JSON_FORMATS,
    *LABELLED_FORMATS,
)
# Per kind of map: the keys it may have. The first decides the kind.
_KINDS: Final = {
    "json": ("json", "time_zone"),
    "columns": ("columns", "delimiter", "quote", "time_zone"),
    "ltsv": ("ltsv", "time_zone"),
    "template": ("template", "time_zone"),
    "name": ("name", "time_zone"),
}
_NO_MAP = "a format is a name, a pasted LogFormat or log_format string, or a map with one of: "


def named_format(name: str) -> LogFormat:
    """Find a format by its name.

    Raises:
        ConfigError: no such name; the message lists those there are.
    """
    for log_format in NAMED_FORMATS:
        if log_format.name == name:
            return log_format
    known = ", ".join(log_format.name for log_format in NAMED_FORMATS)
    raise ConfigError(
        f"no log format is named {name}; known: {known}; or paste the server's LogFormat or log_format string"
    )


def has_cookie(log_format: LogFormat, cookie: str) -> bool:
    """Whether a log of the format can carry the cookie: alone, or within the whole Cookie header."""
    return bool({f"cookie.{cookie}", "cookies"} & set(log_format.fields))


def resolve_format(setting: str | Mapping[str, Any]) -> LogFormat:
    """Read a `format:` setting: a known name, a pasted template or `#Fields:` line, or a map.

    Raises:
        ConfigError: none of these, or what it names cannot be read.
    """
    if isinstance(setting, Mapping):
        return _from_map(setting)
    text = setting.strip()
    if text.startswith("#Fields:"):
        columns = tuple(text.removeprefix("#Fields:").split())
        return W3cFormat("w3c", b"", columns=columns)
    return compile_format(setting) if "%" in text or "$" in text else named_format(text)


def _from_map(setting: Mapping[str, Any]) -> LogFormat:
    kinds = [kind for kind in _KINDS if kind in setting]
    if len(kinds) != 1:
        raise ConfigError(f"{_NO_MAP}{', '.join(_KINDS)}")
    for key in setting:
        if key not in _KINDS[kinds[0]]:
            raise ConfigError(
                f"format: no such key {key}; beside {kinds[0]} allowed: {', '.join(_KINDS[kinds[0]])}"
            )
    return _READERS[kinds[0]](setting, _zone(setting))


def _zone(setting: Mapping[str, Any]) -> str:
    zone = setting.get("time_zone", "")
    if zone == "" or zone in available_timezones():
        return str(zone)
    raise ConfigError("format: time_zone is no IANA time zone, such as Europe/Berlin or UTC")


def _json(setting: Mapping[str, Any], zone: str) -> LogFormat:
    keys = setting["json"]
    if not isinstance(keys, Mapping):
        return _in_zone(named_format(str(keys)), zone)
    return json_format({str(field): _key_or_keys(field, key) for field, key in keys.items()}, zone=zone)


def _key_or_keys(field: Any, key: Any) -> str | tuple[str, ...]:
    if isinstance(key, str):
        return key
    if isinstance(key, list | tuple) and key and all(isinstance(one, str) for one in key):
        return tuple(key)
    raise ConfigError(
        f"format.json.{field}: give the key it stands under, dots for nested ones, or a list of keys"
    )


def _columns(setting: Mapping[str, Any], zone: str) -> LogFormat:
    columns = setting["columns"]
    if not isinstance(columns, list | tuple) or not all(isinstance(name, str) for name in columns):
        raise ConfigError(
            "format.columns: give a list of field names in the order of the columns, or ignored"
        )
    delimiter, quote = setting.get("delimiter", "\t"), setting.get("quote", "")
    _one_character(delimiter, "delimiter")
    if quote:
        _one_character(quote, "quote")
    check_fields([name for name in columns if name != "ignored"], "format.columns")
    return DelimitedFormat(
        "columns", b"", tuple(columns), delimiter.encode(), quote.encode() if quote else b"", zone
    )


def _one_character(value: Any, key: str) -> None:
    if not isinstance(value, str) or len(value) != 1 or value in "\n\r\\":
        raise ConfigError(f'format.{key}: one character, such as "\\t", "," or \'"\'')


def _labels(setting: Mapping[str, Any], zone: str) -> LogFormat:
    labels = setting["ltsv"]
    if not isinstance(labels, Mapping) or not all(
        isinstance(label, str) and label for label in labels.values()
    ):
        raise ConfigError(
            "format.ltsv: give a map of field names to labels, such as time: time, address: host"
        )
    check_fields([str(field) for field in labels], "format.ltsv")
    return LabelledFormat("ltsv", b"", tuple((str(field), label) for field, label in labels.items()), zone)


def _template(setting: Mapping[str, Any], zone: str) -> LogFormat:
    template = setting["template"]
    if not isinstance(template, str):
        raise ConfigError("format.template: paste the server's LogFormat or log_format string")
    return compile_format(template, zone=zone)


def _named(setting: Mapping[str, Any], zone: str) -> LogFormat:
    return _in_zone(named_format(str(setting["name"])), zone)


def _in_zone(log_format: LogFormat, zone: str) -> LogFormat:
    if not zone:
        return log_format
    match log_format:
        case TemplateFormat(name, template, example, pieces):
            return TemplateFormat(
                *(name, template, example, pieces, zone),
                is_json_escaped=log_format.is_json_escaped,
                has_whole_urls=log_format.has_whole_urls,
                may_be_wrapped=log_format.may_be_wrapped,
            )
        case JsonFormat(name, example, keys):
            return JsonFormat(name, example, keys, zone)
        case LabelledFormat(name, example, labels):
            return LabelledFormat(name, example, labels, zone)
    raise ConfigError(f"format: {log_format.name} is always in UTC; leave time_zone away")


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], LogFormat]]] = {
    "json": _json,
    "columns": _columns,
    "ltsv": _labels,
    "template": _template,
    "name": _named,
}
