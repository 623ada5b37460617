"""Months of a site with tables of many dimensions, three partners who pool everything, and what goes wrong in between.

Lines come late, somebody is erased, a log and a folder are tampered with. The red team reads the partners' folders.
"""

from datetime import date

import pooled_attacker
import pytest
from crowded_site import TABLES, people_of
from red_team import ATTACKS, attacks_on
from site_life import Life

QUICK = ("components", "ways", "how_often", "newcomers")


@pytest.fixture(scope="module")
def lived(request, tmp_path_factory):
    """The life of a site, and all its figures."""
    seed, first, days, people, tables = request.param
    views = people_of(seed, first, days, people=people)
    life = Life(tmp_path_factory.mktemp("life") / "w", views, first, days, tables=tables)
    life.figures, life.differing = pooled_attacker.read(life.releases)
    return life


def _cases():
    """Four weeks in `make test`; three months, with tables of all kinds, among the slow ones."""
    yield pytest.param((1, date(2026, 2, 1), 28, 450, QUICK), id="four weeks")
    for seed in (11, 12, 13):
        months = (seed, date(2026, 2, 1), 89, 450, tuple(TABLES))
        yield pytest.param(months, id=f"three months {seed}", marks=pytest.mark.slow)


pytestmark = pytest.mark.parametrize("lived", list(_cases()), indirect=True)


def test_there_is_something_to_attack(lived):
    """Tables of each partner, days, weeks and months, a good part withheld; no period was refused."""
    shown = {tuple(path.split("/")[:2]) for path in lived.snapshots[-1]}
    hidden = sum(known is None for known in lived.figures.values())

    assert {"alpha", "beta"} <= {partner for partner, _ in shown}
    assert {10, 8, 7} == {len(key[0]) for key in lived.figures}
    assert 0.05 < hidden / len(lived.figures) < 0.6
    assert [] == lived.refused


def test_published_figures_are_those_of_a_count_one_by_one(lived):
    """Without the latecomers, and without the erased person from the first day that was not sealed."""
    wrong = [key for key, known in lived.figures.items() if known and known != lived.behind.figures(key)]

    assert [] == wrong


def test_no_run_changed_a_file_that_was_out(lived):
    """After whatever happened, each file is as it was when it was first there."""
    changed = {
        name
        for before, after in zip(lived.snapshots, lived.snapshots[1:], strict=False)
        for name in before
        if after.get(name) != before[name]
    }

    assert set() == changed


def test_no_attack_yields_anything(lived):
    """By linear and integer programs over all tables, periods and partners at once, by pairs, sums and complements."""
    found = attacks_on(lived.figures, lived.behind, differing=lived.differing)

    assert {attack: [] for attack in ATTACKS} == found
