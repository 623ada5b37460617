"""One day of a small site: every table of whole numbers that fits what is published is tried."""

import itertools
from datetime import date

import attacker
import pytest
from every_table import EveryTable
from invented_site import PLACES, SMALL, STRICT, cube_with, protect_one, random_site

from usage_stats.measure.relations import MEASURES, relations
from usage_stats.periods import day
from usage_stats.protect.audit import audit
from usage_stats.protect.requirement import Requirement

DAY = day(date(2027, 2, 1))
CUBE = cube_with(PLACES)
MOST = 150  # beyond any figure of these sites
BEYOND = 100  # still beyond: who may be that much has no bound but that no table above MOST is tried
SEEDS = range(60)


@pytest.fixture(scope="module")
def attacked():
    """(table, its audit's intervals, the intervals among all whole-number tables), for many small sites."""
    return [_attack(*case) for case in zip(SEEDS, itertools.cycle([8, 14, 22]), strict=False)]


def _attack(seed, persons):
    thresholds = STRICT if seed % 3 == 0 else SMALL
    site = random_site(seed, CUBE, DAY.days, persons=persons, busy=1)
    table = protect_one(site, CUBE, DAY, {}, thresholds)
    every = {}
    for system in attacker.systems(table.view()):
        tables = EveryTable(system.rows, MOST)
        every |= {unknown: tables.interval(unknown) for unknown in system.unknowns}
    return site, table, every


def test_withheld_cells_stay_in_doubt_among_all_tables_of_whole_numbers(attacked):
    """Whoever lists every table that fits the published figures knows no withheld cell too closely."""
    found = [
        key
        for _, table, every in attacked
        for key in {key for key, _ in every}
        if attacker.is_exposed([every[key, m] for m in range(3)], 5, 0.1)
    ]

    assert [] == found


def test_the_true_table_is_among_those_that_the_attacker_considers(attacked):
    """The attacker's knowledge is true: the confidential counts obey it."""
    outside = [
        (key, measure)
        for _, table, every in attacked
        for (key, measure), (low, high) in every.items()
        if not low <= getattr(table.cells[key], MEASURES[measure]) <= high
    ]

    assert [] == outside


def test_audit_never_reports_an_interval_narrower_than_the_true_one(attacked):
    """What the audit calls impossible is impossible: its interval holds that of all whole-number tables."""
    narrower = [
        (key, measure)
        for _, table, every in attacked
        for (key, measure), (low, high) in every.items()
        if not _holds(table.report.intervals[key][MEASURES[measure]], low, high)
    ]

    assert [] == narrower


def _holds(interval, low, high):
    return interval.low <= low and interval.high >= high


def test_audit_attacks_every_withheld_cell(attacked):
    """No withheld cell is left out of the report."""
    expected = [
        {k for k, status in t.statuses.items() if status in {"primary", "secondary"}} for _, t, _ in attacked
    ]

    assert expected == [set(table.report.intervals) for _, table, _ in attacked]


def test_audit_finds_every_cell_that_trying_all_tables_exposes():
    """With only the primary cells withheld, the audit finds at least what brute force finds to be known."""
    found, missed = 0, []
    for seed in SEEDS:
        view, intervals = _primary_only(seed)
        exposed = {key for key, cell in intervals.items() if attacker.is_exposed(cell, 5, 0.1)}
        report = audit(view, relations(CUBE, [DAY]), Requirement(5, 0.1))
        certain = {k for k in exposed if any(low == high for low, high in intervals[k])}
        found += len(certain)
        missed += certain - set(report.exposed)

    assert [] == missed
    assert found > 10, "too few exposed cells to tell"


def _primary_only(seed):
    site = random_site(seed, CUBE, DAY.days, persons=16, busy=1)
    cells = site.cells(CUBE, DAY)
    view = {k: None if 0 < c.visitors < 5 else (c.visitors, c.visits, c.page_views) for k, c in cells.items()}
    every = {}
    for system in attacker.systems(view):
        tables = EveryTable(system.rows, MOST)
        every |= {unknown: tables.interval(unknown) for unknown in system.unknowns}
    keys = {key for key, _ in every}
    return view, {key: [every[key, m] for m in range(3)] for key in keys}


def test_attacker_by_programming_finds_what_trying_all_tables_finds(attacked):
    """The attacker of the larger tests is exact: HiGHS and plain enumeration agree on every interval."""
    differing = []
    for _, table, every in attacked[:30]:
        for system in attacker.systems(table.view()):
            for unknown in system.unknowns:
                low, high = system.interval(unknown)
                tried = every[unknown]
                if (low, min(high, BEYOND)) != (tried[0], min(tried[1], BEYOND)):
                    differing.append((unknown, (low, high), tried))

    assert [] == differing
