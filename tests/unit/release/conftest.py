"""One day of a small site, protected and released; runs as a script too, to make it in another process."""

import hashlib
import json
from datetime import date

import pytest

from usage_stats.config import Config, Table, Thresholds
from usage_stats.measure.cells import Counts
from usage_stats.measure.nesting import nested_pairs
from usage_stats.measure.relations import CellKey, relations
from usage_stats.measure.table_spec import cube_of
from usage_stats.periods import day
from usage_stats.protect.audit import audit
from usage_stats.protect.protected_table import ProtectedTable
from usage_stats.protect.requirement import Requirement
from usage_stats.release.export import release_files
from usage_stats.release.gate import Facts, open_gate
from usage_stats.release.record import to_record
from usage_stats.release.table_cut import cut

PERIOD = day(date(2026, 3, 2))
COMPONENTS = [
    {"name": "news", "paths": ["/news/**"]},
    {
        "name": "shop",
        "paths": ["/shop/**"],
        "sub_components": [{"name": "basket", "paths": ["/shop/basket"]}],
    },
    {"name": "jobs", "paths": ["/jobs"]},
]
#                           visitors, visits, page views, networks
COUNTS = {
    ("_T", "_T"): (4000, 4700, 9000, 900),
    ("news", "_T"): (1200, 1500, 2000, 400),
    ("shop", "_T"): (2100, 2300, 4000, 600),
    ("shop", "basket"): (4, 5, 9, 2),  # too few
    ("shop", "(other)"): (2098, 2295, 3991, 599),  # withheld with it: the difference would tell
    ("jobs", "_T"): (0, 0, 0, 0),  # nobody came, which may be told
    ("(other)", "_T"): (900, 1000, 3000, 300),
}
WITHHELD = {("shop", "basket"): "primary", ("shop", "(other)"): "secondary"}


def build_cube():
    """The categories of a site with three components."""
    return cube_of(Config(site="sample", components=COMPONENTS))


def build_facts(**changes):
    """What the release rests on, with changes."""
    facts = {
        "site": "sample",
        "time_zone": "Europe/Berlin",
        "thresholds": Thresholds(minimum_persons=10, minimum_networks=3),
        "policy_versions": ("2025-09", "2026-04"),
        "identity_basis_shares": {"account": 0.1, "cookie": 0.55, "address": 0.35},
        "robot_lists": "list 1.0, own rules 1",
        "software": "usage-stats 0.1.0",
    }
    return Facts(**{**facts, **changes})


def build_protected(counts=None, statuses=None, context=None):
    """A protected table of the day; the audit is the real one."""
    cells = {CellKey(PERIOD.code, *c): Counts(*n) for c, n in (COUNTS | (counts or {})).items()}
    given = WITHHELD if statuses is None else statuses
    states = {k: given.get(k.category, "safe" if n.visitors else "zero") for k, n in cells.items()}
    view = {
        k: (n.visitors, n.visits, n.page_views) if states[k] in {"safe", "zero"} else None
        for k, n in cells.items()
    }
    found = relations(build_cube(), [PERIOD])
    report = audit({**(context or {}), **view}, found, Requirement(10, 0.1))
    return ProtectedTable(cells, states, context or {}, report)


def build_release(*, pairs=(), facts=None, **options):
    """What the gate lets out."""
    cube = build_cube()
    return open_gate(
        build_protected(**options),
        cube=cube,
        period=PERIOD,
        pairs=[*nested_pairs(cube, PERIOD, {}), *pairs],
        facts=facts or build_facts(),
    )


def build_record(made):
    """The record of a release of the day, with its one sensitive cell."""
    return to_record(made, {CellKey(PERIOD.code, *c) for c, state in WITHHELD.items() if state == "primary"})


@pytest.fixture(scope="session")
def record_of():
    """Makes the record of a release."""
    return build_record


@pytest.fixture(scope="session")
def cube():
    """The categories of the site."""
    return build_cube()


@pytest.fixture(scope="session")
def facts():
    """Builds facts with changes."""
    return build_facts


@pytest.fixture(scope="session")
def release_with():
    """Builds a release of changed counts, statuses, context or facts."""
    return build_release


@pytest.fixture(scope="session")
def release():
    """The day as it leaves: two of seven cells withheld, one empty."""
    return build_release()


if __name__ == "__main__":
    made = build_release()
    files = release_files(made, cut(made, "components", Table()), "acme-media")
    contents = {**files, "record": build_record(made)}
    print(json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}))  # noqa: T201 the answer of this script
