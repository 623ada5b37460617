"""An Apache LogFormat or nginx log_format string → literals and fields with their meaning.

Belongs here: what a pasted template looks like, which directives exist, what they mean.
Does not: which bytes a field may hold (fields), or names of headers beyond their spelling (formats).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from usage_stats.accesslog.timestamps import CLF, EPOCH_MSEC, ISO_8601
from usage_stats.errors import ConfigError

__all__ = ["Field", "Literal", "Piece", "read_template"]


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that stand in every line as they are."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Field:
    """A part of the line that varies; `layout` is the strftime layout of a time."""

    name: str
    layout: str = ""


Piece = Literal | Field

_APACHE = re.compile(r"%[!<>0-9,]*(?:\{(?P<argument>[^{}]*)\})?(?P<letter>\^FB|\^t[io]|[A-Za-z%])")
_NGINX = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))")

# Source: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats (and mod_logio for I, O, S, ^FB)
_APACHE_FIELDS = {
    "h": "address",
    "a": "address",
    "l": "ident",
    "u": "user",
    "r": "request",
    "s": "status",
    "b": "bytes",
    "B": "bytes",
    "O": "bytes",
    "v": "vhost",
    "V": "vhost",
    "p": "port",
    "H": "protocol",
    "U": "path",
    "m": "method",
    "q": "query",
} | dict.fromkeys([*"ADEILMPRSTXefkno", "^FB", "^ti", "^to"], "ignored")
_APACHE_EPOCHS = {"sec": "%s", "msec": "%Q", "usec": "%q", "msec_frac": "%f", "usec_frac": "%f"}

# Source: https://nginx.org/en/docs/varindex.html and .../http/ngx_http_log_module.html#log_format
_NGINX_FIELDS = {
    "remote_addr": Field("address"),
    "remote_user": Field("user"),
    "time_local": Field("time", CLF),
    "time_iso8601": Field("time", ISO_8601),
    "msec": Field("time", EPOCH_MSEC),
    "proxy_protocol_addr": Field("peer"),  # the client before a load balancer, which is then $remote_addr
    "request": Field("request"),
    "request_method": Field("method"),
    "request_uri": Field("target"),
    "uri": Field("path"),
    "document_uri": Field("path"),
    "is_args": Field("is_args"),
    "args": Field("query"),
    "query_string": Field("query"),
    "server_protocol": Field("protocol"),
    "status": Field("status"),
    "body_bytes_sent": Field("bytes"),
    "bytes_sent": Field("bytes"),
    "host": Field("vhost"),
    "server_name": Field("vhost"),
    "server_port": Field("port"),
    "proxy_add_x_forwarded_for": Field("forwarded"),
}
_NGINX_IGNORED = frozenset(
    (  # noqa: SIM905 sixty lines of a word each would read worse
        "ancient_browser binary_remote_addr connection connection_requests connection_time "
        "connections_active connections_reading connections_waiting connections_writing content_length "
        "content_type date_gmt date_local document_root fastcgi_path_info "
        "fastcgi_script_name gzip_ratio hostname http2 http3 https invalid_referer limit_conn_status "
        "limit_rate limit_req_status memcached_key modern_browser msie nginx_version pid pipe "
        "proxy_host proxy_port realip_remote_addr realip_remote_port realpath_root "
        "remote_port request_body request_body_file request_completion request_filename request_id "
        "request_length request_time scheme secure_link secure_link_expires "
        "server_addr session_time slice_range uid_got uid_reset uid_set"
    ).split()
)
_NGINX_IGNORED_FAMILIES = (
    *("arg_", "geoip_", "geoip2_", "jwt_", "otel_", "proxy_protocol_"),
    *("sent_http_", "sent_trailer_", "ssl_", "tcpinfo_", "upstream_"),
)


def read_template(template: str) -> tuple[tuple[Piece, ...], bool]:
    """Read a template: literals and fields in the order of the line, and whether values are escaped as in JSON.

    A header field is named `header.<name in lower case>`, a cookie `cookie.<name>`.

    Raises:
        ConfigError: an unknown directive or variable, named in the message.
    """
    text = _unwrap(template.strip())
    pieces = _nginx_pieces(text) if _NGINX.search(text) else _apache_pieces(text)
    is_json = re.match(r"log_format\s+\S+\s+escape=json\s", template.strip()) is not None
    return tuple(_join_targets(_join_ports(_join_times(_join_literals(pieces))))), is_json


def _unwrap(text: str) -> str:
    """The format itself, where the whole statement of the configuration file was pasted."""
    nginx = re.fullmatch(r"log_format\s+\S+\s+(?:escape=\w+\s+)?(?P<strings>.*?)\s*;?", text, re.DOTALL)
    apache = re.fullmatch(r'(?:LogFormat|TransferLog)\s+"(?P<string>.*)"(?:\s+\S+)?', text, re.DOTALL)
    if nginx:
        strings = re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", nginx["strings"])
        text = "".join(single or double for single, double in strings) or nginx["strings"]
    elif apache:
        text = apache["string"]
    return text.replace(r"\"", '"').replace(r"\'", "'").replace(r"\t", "\t")


def _apache_pieces(text: str) -> Iterator[Piece]:
    end = 0
    for match in _APACHE.finditer(text):
        yield _literal(text[end : match.start()], "%")
        yield from _apache_directive(match)
        end = match.end()
    yield _literal(text[end:], "%")


def _apache_directive(match: re.Match[str]) -> tuple[Piece, ...]:
    letter, argument = match["letter"], match["argument"]
    if letter == "%":
        return (Literal(b"%"),)
    if letter == "t":
        return _apache_time(argument)
    if letter == "i" and argument:
        return (Field(f"header.{argument.lower()}"),)
    if letter == "C" and argument:
        return (Field(f"cookie.{argument}"),)
    if letter == "a" and argument == "c":
        return (Field("peer"),)  # who connected: a proxy, where mod_remoteip puts the client in %a
    if letter not in _APACHE_FIELDS:
        raise ConfigError(f"the log format has the unknown directive {match[0]}")
    return (Field(_APACHE_FIELDS[letter]),)


def _apache_time(argument: str | None) -> tuple[Piece, ...]:
    if argument is None:
        return Literal(b"["), Field("time", CLF), Literal(b"]")
    layout = argument.removeprefix("begin:").removeprefix("end:")
    return (Field("time", _APACHE_EPOCHS.get(layout, layout)),)


def _nginx_pieces(text: str) -> Iterator[Piece]:
    end = 0
    for match in _NGINX.finditer(text):
        yield _literal(text[end : match.start()], "$")
        yield _nginx_variable(match["braced"] or match["bare"])
        end = match.end()
    yield _literal(text[end:], "$")


def _nginx_variable(name: str) -> Field:
    if name in _NGINX_FIELDS:
        return _NGINX_FIELDS[name]
    if name.startswith("http_"):
        return Field("header." + name.removeprefix("http_").replace("_", "-"))
    if name.startswith("cookie_"):
        return Field("cookie." + name.removeprefix("cookie_"))
    if name in _NGINX_IGNORED or name.startswith(_NGINX_IGNORED_FAMILIES):
        return Field("ignored")
    raise ConfigError(f"the log format has the unknown variable ${name}")


def _literal(text: str, sigil: str) -> Literal:
    at = text.find(sigil)
    if at >= 0:
        raise ConfigError(f"the log format has the unknown directive {text[at:].split(maxsplit=1)[0]}")
    return Literal(text.encode())


def _join_literals(pieces: Iterator[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        before = joined[-1] if joined else None
        if isinstance(piece, Literal) and isinstance(before, Literal):
            joined[-1] = Literal(before.text + piece.text)
        elif piece != Literal(b""):
            joined.append(piece)
    return joined


def _join_times(pieces: list[Piece]) -> list[Piece]:
    """One field for a time written in several, as in `%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t`."""
    joined: list[Piece] = []
    for piece in pieces:
        whole = _time_of(joined, piece)
        if whole:
            joined[-2:] = [whole]
        else:
            joined.append(piece)
    return joined


def _time_of(before: list[Piece], piece: Piece) -> Field | None:
    match [*before[-2:], piece]:
        case [Field("time", first), Literal(between), Field("time", second)] if b'"' not in between:
            return Field("time", first + between.decode().replace("%", "%%") + second)
    return None


def _join_ports(pieces: list[Piece]) -> list[Piece]:
    """`%v:%p` is one field: a virtual host that may name its port."""
    joined: list[Piece] = []
    for piece in pieces:
        match [*joined[-2:], piece]:
            case [Field("vhost"), Literal(b":"), Field("port")]:
                joined.pop()
            case _:
                joined.append(piece)
    return joined


def _join_targets(pieces: list[Piece]) -> list[Piece]:
    """`%U%q`, `$uri$is_args$args` and `$uri?$args` are one field: the target as the client wrote it."""
    joined: list[Piece] = []
    for piece in pieces:
        match [*joined[-2:], piece]:
            case [*_, Field("path"), Field("query")]:
                joined[-1] = Field("target")
            case [Field("path"), Field("is_args") | Literal(b"?"), Field("query")]:
                joined[-2:] = [Field("target")]
            case _:
                joined.append(piece)
    return [Field("ignored") if piece == Field("is_args") else piece for piece in joined]
