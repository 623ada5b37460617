"""A URL or host as a server wrote it → the host's plain name, and whether it is one of the site's own.

Belongs here: what of a URL is its host, how hosts are spelt alike, how the settings' `hosts` match. Does not: what
a site is (referrer.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Origin", "OwnHosts", "origin_of_url", "plain_host"]

# A name has at most 253 characters (RFC 1035, section 2.3.4), four bytes each at most; a port and a user's name come
# on top. Nothing longer is looked at: a referrer may have a megabyte.
_LONGEST_ORIGIN = 4096
_LONGEST_NAME = 253
# RFC 3986, section 3, and the URL standard: `\` ends a host as `/` does.
_ORIGIN = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\]*)", re.DOTALL)
_PORT = re.compile(r":\d{0,5}\Z", re.ASCII)
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
_IPV6 = re.compile(r"\[[0-9a-f:.]+\]", re.ASCII)


class Origin(NamedTuple):
    """Scheme and host of a URL, in lower case."""

    scheme: str
    host: str


def origin_of_url(url: bytes) -> Origin | None:
    """The scheme and plain host of an absolute URL; None of anything else. Never raises."""
    match = _ORIGIN.match(url[:_LONGEST_ORIGIN])
    if match is None or match.end() == _LONGEST_ORIGIN:
        return None
    # RFC 3986, section 3.2.1: up to the last `@` it is a user's name, whatever it looks like.
    host = plain_host(match[2].rpartition(b"@")[2])
    return None if host is None else Origin(match[1].decode("ascii").lower(), host)


def plain_host(host: bytes) -> str | None:
    """A host without port and root dot, in lower case and ASCII (`bücher.example` → `xn--bcher-kva.example`).

    None if it is no host. Never raises.
    """
    try:
        text = host.decode("utf-8")
    except UnicodeDecodeError:
        return None
    text = _PORT.sub("", text).lower().removesuffix(".")
    if not text.isascii():
        text = _in_ascii(text)
    is_name = len(text) <= _LONGEST_NAME and ".." not in text and _NAME.fullmatch(text)
    return text if is_name or _IPV6.fullmatch(text) else None


def _in_ascii(name: str) -> str:
    """An international name as browsers send it (UTS 46, non-transitional); empty where it is none."""
    import idna  # noqa: PLC0415 its tables are large, and such names rare: browsers send them in ASCII

    try:
        return idna.encode(name[:_LONGEST_NAME], uts46=True).decode("ascii")
    except (idna.IDNAError, ValueError):
        return ""


class OwnHosts:
    """The `hosts` of the settings.

    `example.org` is that host, with or without `www.`; `*.example.org` is every host below it, at any depth, and
    not itself. Case, port, the root's dot and the spelling of international names make no difference.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        names = [plain_host(host.removeprefix("*.").encode()) for host in hosts]
        pairs = [(host.startswith("*."), name) for host, name in zip(hosts, names, strict=True)]
        self._exact = {_bare(name) for below, name in pairs if name is not None and not below}
        self._below = tuple(f".{name}" for below, name in pairs if name is not None and below)

    def __contains__(self, host: object) -> bool:
        """Whether a plain host, as `plain_host` and `origin_of_url` give it, is the site's own."""
        return isinstance(host, str) and (_bare(host) in self._exact or host.endswith(self._below))

    def __repr__(self) -> str:
        return f"OwnHosts({len(self._exact)} names, {len(self._below)} wildcards)"


def _bare(host: str) -> str:
    return host.removeprefix("www.")
