"""A field's meaning and what stands around it → the bytes it may hold, as a pattern without groups.

Belongs here: the alphabet of each field, and why.
Does not: the order of fields (formats), or checks a regex cannot make (parse).
"""

from __future__ import annotations

import re

__all__ = ["field_pattern"]

# Servers escape a quote and a backslash inside quotes (Apache \" and \\, both \xhh), so a quoted field
# ends at the first bare quote. Unrolled and possessive: a cut line fails at once instead of trying
# every split, and a long one needs no backtracking stack.
_QUOTED_TEXT = rb'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+'

_TYPED = {
    # An address or a name: exact checks follow in the parser. The first byte keeps "-" out.
    "address": rb"[0-9A-Za-z:][0-9A-Za-z_.:%~-]*+",
    "status": rb"[1-5]\d\d",
    "bytes": rb"(?:\d++|-)",
    "port": rb"\d{1,5}",
    "captures": rb'(?: \{[^"}\n]*+\})*+',  # HAProxy's captured headers, where there are any
    "padding": rb" ++",  # columns that are aligned by spaces
    "rest": rb"[^\n]*+",  # what newer versions of a server append
    # Parts of a request line. The target ends where the protocol begins, for it may hold spaces decoded.
    "method": rb'[^ "\n]*+',
    "protocol": rb"(?:HTTP/[0-9.]++|-?)",
}
_BARE = {
    # Names may hold spaces, so the last byte before the next field is found from the right. A user that
    # begins with "- " is the ident and user of a line with one more field in front: no user of this one.
    # Nor does one end with " -": then an ident and a user stand behind further fields.
    "user": rb'(?:-(?=%b)|(?!- )(?:[^"\\\r\n]*+\\.)*[^"\\\r\n]*(?<! -))',
    "request": rb"(?:-|[^ \n]++ [^ \n]++(?: HTTP/[0-9.]++)?)",
    "forwarded": rb"[^ ,\n]*+(?:,[ ]?[^ ,\n]*+)*+",
    "target": rb'(?:[^"\\\n]|\\.)*?',
}
# An address with its port. Without brackets an IPv6 address runs to the last colon.
_ENDPOINT = rb"(?:\[[0-9A-Fa-f:.]++\]|[0-9A-Za-z_.:%-]*)"
# With or without the port, whatever the template says: servers on the default port leave it out.
_VHOST = rb"(?:[0-9A-Za-z_*.-]++|\[[0-9A-Fa-f:.]++\])"
_VHOST_PORT = rb"(?::\d{1,5})?"


def field_pattern(name: str, *, before: bytes, after: bytes, is_last: bool) -> tuple[bytes, bytes]:
    """Give the pattern of a field's value and of what belongs to it but not to its value.

    `before` and `after` are the literals around it (empty where another field follows at once).
    """
    if name == "vhost" and not _is_quoted(before, after):
        return _VHOST, _VHOST_PORT
    if name == "endpoint":
        return _ENDPOINT, rb":\d{1,5}(?=[ \r]|\Z)"
    return _value_pattern(name, before=before, after=after, is_last=is_last), b""


def _value_pattern(name: str, *, before: bytes, after: bytes, is_last: bool) -> bytes:  # noqa: PLR0911 one per kind of field
    if name in _TYPED:
        return _TYPED[name]
    if _is_quoted(before, after):
        return _QUOTED_TEXT
    if name == "ident":
        return rb"[^ %b\r\n]++" % re.escape(after[:1])
    if name == "user":
        return _BARE[name] % (re.escape(after[:1]) or rb"[ \t\r]*+\Z")
    if name in _BARE:
        return _BARE[name]
    if is_last and name == "agent":
        return rb"[^\r\n]*+"  # an agent without quotes has spaces; only the end of the line ends it
    end = re.escape(after[:1] or b" ")
    return rb"[^%b\r\n]*+" % end


def _is_quoted(before: bytes, after: bytes) -> bool:
    return before.endswith(b'"') and after.startswith(b'"')
