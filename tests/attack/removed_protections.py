"""Each protection taken out in turn → which attacks of the red team then succeed, as a table.

    PYTHONPATH=src:tests:tests/attack python tests/attack/removed_protections.py

Belongs here: the switches, which exist nowhere else. Does not: the attacks. With a protection, what stands behind it is
taken out too (the audit, the gate): the table shows what the protection itself is for.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pooled_attacker
from crowded_site import Behind, few_with_much, people_of
from red_team import ATTACKS, attacks_on
from site_life import Life

from usage_stats.protect.audit import AuditReport, view_digest

FIRST, DAYS, PEOPLE = date(2026, 2, 2), 14, 110
SEEDS = (1, 2, 3, 4, 5, 0)  # 0: a site made for what chance hardly ever brings about
TABLES = ("components", "ways", "how_often")


def _blind_audit(view, *_args, **_options):
    return AuditReport(view_digest(view), {}, ())


def _nothing(*_args, **_options):
    return iter(())


P, R = "usage_stats.protect", "usage_stats.release.gate"
NO_AUDIT = {f"{P}.protect.audit": _blind_audit}
NO_GATE = {f"{R}.check_{name}": _nothing for name in ("minimum", "differences", "overlaps")}


class Removed(NamedTuple):
    """A protection, what takes its place, and the attacks of which one at least must then succeed."""

    protection: str
    instead: dict
    attacks: frozenset


def _removed(protection, instead, *attacks):
    return Removed(protection, instead, frozenset(attacks))


REMOVED = (
    _removed(
        "minimum of persons",
        {f"{P}.primary.MinimumPersons.allows": lambda *_: True} | NO_AUDIT | NO_GATE,
        "too small",
    ),
    _removed("minimum of networks", {f"{P}.primary.MinimumNetworks.allows": lambda *_: True}, "too small"),
    _removed(
        "complementary suppression",
        {f"{P}.protect.choose_withheld": lambda problem: problem.primary} | NO_AUDIT | NO_GATE,
        "exposed",
        "complement",
    ),
    _removed("remainders", {f"{P}.secondary._thin_remainders": _nothing} | NO_AUDIT, "complement"),
    _removed("intervals", {f"{P}.secondary._narrow_cells": _nothing} | NO_AUDIT, "exposed"),
    _removed("close pairs", {f"{P}.secondary._close_pairs": _nothing} | NO_GATE, "close"),
    _removed("overlaps", {f"{P}.secondary._thin_overlaps": _nothing} | NO_GATE, "overlap"),
    _removed(
        "periods protected together",
        {"usage_stats.flow.released.ReleasedViews.around": lambda *_: {}},
        "exposed",
        "complement",
    ),
)
TOGETHER, FROZEN = "tables protected together", "what is out stays as it is"


def _life(seed, tables=TABLES, **more):
    views = people_of(seed, FIRST, DAYS, people=PEOPLE) if seed else few_with_much(FIRST, DAYS)
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder) / "w", views, FIRST, DAYS, tables=tables, is_eventful=False, **more)
        life.figures, life.differing = pooled_attacker.read(life.releases)
    return life


def _attacked(seed, instead):
    with ExitStack() as stack:
        for place, other in instead.items():
            stack.enter_context(patch(place, other))
        life = _life(seed)
    return attacks_on(life.figures, life.behind, differing=life.differing)


def _tables_apart(seed):
    """Each table is protected in a workspace of its own, and the partners pool them."""
    pooled, differing = {}, []
    for table in TABLES:
        life = _life(seed, (table,))
        for key, known in life.figures.items():
            if pooled.setdefault(key, known) != known:
                differing.append(key)
                pooled[key] = pooled[key] or known
    return attacks_on(pooled, life.behind, differing=differing)


def _released_again(seed):
    """All is released anew when a few more have come, whose lines were late."""
    before, after = _life(seed), _life(seed, guests=3)
    return attacks_on(after.figures, Behind(after.views), earlier=before.figures)


def attacked():
    """Protection → the attacks that succeed without it, over as many sites as it takes for an expected one."""
    intact = [_attacked(seed, {}) for seed in SEEDS]
    told = {"(none)": {name: sum(len(found[name]) for found in intact) for name in ATTACKS}}
    cases = [(r.protection, r.attacks, lambda seed, r=r: _attacked(seed, r.instead)) for r in REMOVED]
    cases += [(TOGETHER, {"two stories", "exposed"}, _tables_apart), (FROZEN, {"restated"}, _released_again)]
    for protection, attacks, attack in cases:
        for seed in SEEDS:
            found = {name: len(yielded) for name, yielded in attack(seed).items()}
            told[protection] = found
            if any(found[name] for name in attacks):
                break
    return told


def expected():
    """Protection → the attacks of which one at least must succeed without it."""
    return {r.protection: r.attacks for r in REMOVED} | {
        TOGETHER: {"two stories", "exposed"},
        FROZEN: {"restated"},
    }


def as_table(told):
    """One line a protection: how many cells or pairs each attack yields."""
    head = f"{'protection taken out':28}" + "".join(f"{name:>13}" for name in ATTACKS)
    rows = (
        f"{name:28}" + "".join(f"{found[attack] or '-':>13}" for attack in ATTACKS)
        for name, found in told.items()
    )
    return "\n".join([head, *rows])


if __name__ == "__main__":
    sys.stdout.write(as_table(attacked()) + "\n")
