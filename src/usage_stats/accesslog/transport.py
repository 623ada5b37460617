"""A line as a container runtime or syslog wrapped it → the line as the server wrote it.

Belongs here: what others put in front of a log line. Does not: the server's own fields.
"""

from __future__ import annotations

import re

__all__ = ["unwrapped"]

_TRANSPORT = re.compile(
    # Kubernetes' container runtime interface: time, stream, F for a full line.
    rb"(?:\d{4}-\d\d-\d\dT[0-9:.]++(?:Z|[+-]\d\d:\d\d) std(?:out|err) F "
    # RFC 3164 (priority, date, host, tag), and the same with an RFC 3339 date as rsyslog writes it.
    rb"|(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[0-9:.]++(?:Z|[+-]\d\d:\d\d))"
    rb" [^ \n]{1,255} [^ \n:\[]{1,64}(?:\[\d{1,10}\])?: ?)"
)


def unwrapped(line: bytes) -> bytes | None:
    """The line without what stands in front of it, or None where nothing known does."""
    match = _TRANSPORT.match(line)
    return None if match is None else line[match.end() :]
