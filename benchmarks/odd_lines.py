"""A proper log line → a line such as real logs hold one of in a hundred.

Belongs here: the kinds of odd line, each a function of one line. Does not: how often they occur.
"""

import re
from collections.abc import Callable

__all__ = ["ODD_KINDS"]

_REQUEST = re.compile(rb'"(GET|POST|HEAD) [^"]*"')
_STATUS = re.compile(rb'" (\d{3}) ')
_LAST_QUOTED = re.compile(rb'"[^"]*"\s*$')

# Kind → what it makes of a line. One line in, one line out: no kind may add a line feed.
ODD_KINDS: dict[str, Callable[[bytes], bytes]] = {
    "escaped_quote_in_agent": lambda line: line[:-1] + b' \\"quoted\\""',
    "escaped_quote_in_path": lambda line: _request(line, b'"GET /shop/topic-1?name=\\"a\\" HTTP/1.1"'),
    "hex_escape": lambda line: _request(line, b'"GET /docs/\\x22topic\\x22/\\xc3\\xa9 HTTP/1.1"'),
    "cut_anywhere": lambda line: line[: len(line) * 3 // 5],
    "cut_in_time": lambda line: line[: line.find(b"[") + 12],
    "blank": lambda _: b"",
    "white": lambda _: b"  \t ",
    "binary": lambda line: b"\x00\x01\xff\xfe" * 8 + line[20:60],
    "nul_tail": lambda line: line + b"\x00" * 16,
    "latin_1": lambda line: _request(line, b'"GET /news/caf\xe9 HTTP/1.1"'),
    "utf_8": lambda line: _request(line, "“GET /news/café".encode()[3:].join([b'"', b' HTTP/1.1"'])),
    "long_path": lambda line: _request(line, b'"GET /blog/' + b"x" * 9_000 + b' HTTP/1.1"'),
    "long_agent": lambda line: _LAST_QUOTED.sub(b'"' + b"Mozilla/5.0 " * 900 + b'"', line),
    "carriage_return": lambda line: line + b"\r",
    "bad_status": lambda line: _STATUS.sub(b'" 2x0 ', line, count=1),
    "no_status": lambda line: _STATUS.sub(b'" - ', line, count=1),
    "no_such_day": lambda line: re.sub(rb"\[\d\d/\w{3}/", b"[31/Feb/", line),
    "no_such_hour": lambda line: re.sub(rb":\d\d:\d\d:\d\d ", b":27:00:61 ", line),
    "spaces_in_user": lambda line: line.replace(b" - - [", b" - Jane Q Public [", 1),
    "handshake": lambda line: _request(line, b'"\\x16\\x03\\x01\\x00\\xEE\\x01\\x00"'),
    "no_request": lambda line: _request(line, b'"-"'),
    "old_protocol": lambda line: _request(line, b'"GET /"'),
    "proxy_request": lambda line: _request(line, b'"GET http://www.example.org/docs/topic-0 HTTP/1.1"'),
    "odd_method": lambda line: _request(line, b'"PROPFIND /docs/ HTTP/1.1"'),
    "mashed": lambda line: line[:90] + line,
    "common_only": lambda line: line[: max(line.rfind(b' "', 0, line.rfind(b' "')), 20)],
    "prefixed": lambda line: b"www.example.org:443 " + line,
}


def _request(line: bytes, request: bytes) -> bytes:
    return _REQUEST.sub(lambda _: request, line, count=1)
