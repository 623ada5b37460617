"""A referrer as the server wrote it → how the visitor came, in one of six known words.

Belongs here: the classes, and which list says what a site is. Does not: the spelling of hosts (hosts.py).

The list is a file of this project's own, data/referrer_sites.txt: its head says how a line is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from usage_stats.deidentify.hosts import OwnHosts, origin_of_url
from usage_stats.dimensions import REFERRERS
from usage_stats.errors import InternalError

__all__ = ["REFERRER_CLASSES", "ReferrerClassifier", "referrer_list_version"]

REFERRER_CLASSES = REFERRERS
DIRECT, INTERNAL, *_, OTHER_SITE = REFERRERS

_LIST = Path(__file__).with_name("data") / "referrer_sites.txt"
_VERSION = re.compile(r"# version: (\d{4}-\d{2}-\d{2})", re.ASCII)
_LINE = re.compile(r"(search|social|mail) +(app:[\w.]+|\.?[\w-]+(?:\.[\w-]+)*\.(?:[\w-]+|\*))", re.ASCII)
_APP = "app:"
# What stands before a country's two letters (google.co.uk, google.com.br, yahoo.or.jp …).
_SECOND_LEVEL = {"ac", "co", "com", "ne", "net", "or", "org"}
_SAME_SITE = ("www.", "m.", "www.m.", "amp.", "mobile.")


class _Sites(NamedTuple):
    version: str
    classes: Mapping[str, str]  # name → class; `.name` for every host below it


@cache
def _sites() -> _Sites:
    """The list, read once.

    Raises:
        InternalError: the file that is part of this package is not as its head says.
    """
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    version = next((found[1] for line in lines if (found := _VERSION.fullmatch(line))), None)
    entries = [_LINE.fullmatch(line) for line in lines if not line.startswith("#")]
    if version is None or not entries or None in entries:
        raise InternalError(
            f"{_LIST.name}: a line is no `class name`, or the version is missing: this is a bug"
        )
    return _Sites(version, MappingProxyType({entry[2]: entry[1] for entry in entries if entry is not None}))


def referrer_list_version() -> str:
    """The date of the list, for the record of each release: figures move with it."""
    return _sites().version


class ReferrerClassifier:
    """Tells referrers apart; ask once per distinct one."""

    def __init__(self, hosts: Sequence[str] = ()) -> None:
        self._own = OwnHosts(hosts)
        self._classes = _sites().classes

    def classify(self, referrer: bytes | None) -> str:
        """One of `REFERRER_CLASSES`. What is odd or not on a list is another site; never raises.

        None, nothing and `-` are how servers write that there was no referrer.
        """
        if referrer is None or referrer.strip() in {b"", b"-"}:
            return DIRECT
        origin = origin_of_url(referrer.strip())
        if origin is None:
            return OTHER_SITE
        if origin.scheme == "android-app":
            return self._classes.get(_APP + origin.host, OTHER_SITE)
        if origin.scheme not in {"http", "https"}:
            return OTHER_SITE
        if origin.host in self._own:
            return INTERNAL
        return next((c for name in _names(origin.host) if (c := self._classes.get(name))), OTHER_SITE)


def _names(host: str) -> Iterator[str]:
    """The names under which a host may be listed, the longest first."""
    yield from _any_country(host)
    for prefix in _SAME_SITE:
        if host.startswith(prefix):
            yield from _any_country(host.removeprefix(prefix))
    labels = host.split(".")
    for first in range(len(labels) - 1):
        yield from ("." + name for name in _any_country(".".join(labels[first:])))


def _any_country(host: str) -> Iterator[str]:
    """A host, and itself with `*` for a country's suffix."""
    yield host
    stem, _, last = host.rpartition(".")
    if not stem or (last != "com" and not (len(last) == 2 and last.isalpha())):
        return
    head, _, second = stem.rpartition(".")
    if head and last != "com" and second in _SECOND_LEVEL:
        yield f"{head}.*"
    yield f"{stem}.*"
