"""Hits → component rules worth proposing: first path segments that many clients asked for, and their second ones.

Belongs here: which names of a log may be shown to the operator as candidates. A segment that looks like an
identifier, or that few clients asked for, is never proposed: a path may be about a person. Does not: files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from usage_stats.accesslog.parse import Hit
from usage_stats.config import Component, SubComponent
from usage_stats.deidentify.generalise import PathClassifier, classify_target
from usage_stats.deidentify.identifier_like import looks_like_identifier
from usage_stats.deidentify.pseudonym import address_identity
from usage_stats.deidentify.robots import is_robot

__all__ = ["propose_components"]

_MOST_COMPONENTS, _MOST_SUBS = 15, 8  # more than a reader takes in at a glance
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_-]{1,31}")  # a word or two that a setting may hold: letters first

Clients = dict[tuple[bytes, ...], set[bytes]]


def propose_components(
    hits: Iterable[Hit], asset_extensions: Sequence[str], *, minimum_clients: int
) -> list[Component]:
    """Rules for the home page and the segments that at least so many client addresses asked for, by popularity."""
    clients = _clients_by_segments(hits, PathClassifier((), asset_extensions))
    first = _popular(clients, (), minimum_clients)[:_MOST_COMPONENTS]
    home = [Component(name="home", paths=("/", "/index.*"))] if clients.get(()) else []
    return home + [_component(segment, clients, minimum_clients) for segment in first if segment != b"home"]


def _clients_by_segments(hits: Iterable[Hit], classify: PathClassifier) -> Clients:
    """For each leading run of up to two segments, the addresses that viewed a page below it."""
    clients: Clients = defaultdict(set)
    for hit in hits:
        segments = _segments(hit, classify)
        if segments is None:
            continue
        client = address_identity(hit.address)
        for depth in {min(len(segments), 1), min(len(segments), 2)}:
            clients[segments[:depth]].add(client)
    return clients


def _segments(hit: Hit, classify: PathClassifier) -> tuple[bytes, ...] | None:
    if hit.method != b"GET" or hit.target is None or not 200 <= hit.status < 300 or is_robot(hit.agent):
        return None
    path = classify_target(hit.target)
    if path is None or classify(path).is_asset:
        return None
    return tuple(s for s in path.split(b"/") if s)


def _popular(clients: Clients, below: tuple[bytes, ...], minimum: int) -> list[bytes]:
    depth = len(below) + 1
    found = {s[-1]: len(c) for s, c in clients.items() if len(s) == depth and s[:-1] == below}
    able = [
        s for s, n in found.items() if n >= minimum and _NAME.fullmatch(s) and not looks_like_identifier(s)
    ]
    return sorted(able, key=lambda s: (-found[s], s))


def _component(segment: bytes, clients: Clients, minimum: int) -> Component:
    name = segment.decode("ascii")
    second = _popular(clients, (segment,), minimum)[:_MOST_SUBS]
    subs = tuple(
        SubComponent(name=s.decode("ascii"), paths=(f"/{name}/{s.decode('ascii')}/**",)) for s in second
    )
    return Component(name=name, paths=(f"/{name}/**",), sub_components=subs)
