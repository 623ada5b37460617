"""A workspace of invented logs, run by the main job; then only what partners received is read, all together."""

import csv
import json
from itertools import product

import attacker
import pytest
from prepared import sample_march

from usage_stats.release.pooled import audit_releases
from usage_stats.release.verify import verify

PERSONS, SHARE = 10, 0.1  # the sample's thresholds
NAMES = ("visitors", "visits", "page_views")
BASES = ("account", "cookie", "address")


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """The partners' folders of five weeks: the whole month of March and the week that runs into April."""
    return sample_march(tmp_path_factory) / "releases"


@pytest.fixture(scope="module")
def figures(releases):
    """Every figure of components that any partner has, by period, component and sub-component."""
    pooled = {}
    for path in sorted(releases.glob("*/components/*/*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = (row["period"], row["component"], row["sub_component"])
                known = None if row["status"] == "suppressed" else tuple(int(row[name]) for name in NAMES)

                assert known == pooled.setdefault(key, known), "two partners were told different things"
    return pooled


def test_days_weeks_and_the_month_were_released_with_some_cells_withheld(figures):
    """There is something to attack."""
    periods = {period for period, _, _ in figures}

    assert {"2026-03-01", "2026-W10", "2026-03", "2026-W14"} < periods
    assert sum(known is None for known in figures.values()) > 150


def test_partners_who_pool_everything_work_out_no_withheld_figure(figures):
    """Linear programs over all periods at once leave every withheld cell in doubt."""

    assert {} == attacker.exposed(figures, persons=PERSONS, share=SHARE, whole=False)


def test_no_withheld_figure_has_only_one_value_left_unless_it_is_surely_about_many(figures):
    """Even where a withheld cell may be told more closely, for it is about many, it was not hidden in vain."""
    known = []
    for system in attacker.systems(figures):
        for key in dict.fromkeys(key for key, _ in system.unknowns):
            intervals = [system.interval((key, measure), whole=False) for measure in range(3)]
            known += [key] if intervals[0][0] == intervals[0][1] else []

    assert [] == known


def test_no_released_figure_is_about_fewer_than_the_minimum(figures):
    """Zero or ten and more, in every file of every partner."""

    assert [] == [key for key, known in figures.items() if known and 0 < known[0] < PERSONS]


def test_no_released_whole_exceeds_a_released_part_by_a_few_persons(figures):
    """Every pair of figures, over partners, tables and periods."""

    assert [] == attacker.close_pairs(figures, PERSONS)


def test_released_parts_exceed_no_released_whole_by_a_few(figures):
    """How many came twice, or saw two components, is told of nobody or of enough."""

    assert [] == attacker.thin_overlaps(figures, 10)


def test_released_sums_agree(figures):
    """Page views add up over published parts and days: nothing was bent."""
    differing = [
        family.whole
        for family in attacker.families(figures)
        if family.complete and all(figures[key] for key in (family.whole, *family.parts))
        for measure in family.measures
        if figures[family.whole][measure] != sum(figures[part][measure] for part in family.parts)
    ]

    assert [] == differing


def test_whoever_verifies_the_folders_finds_each_as_it_was_sent(releases):
    """The command for partners agrees: every folder, alone and beside the others."""
    verdicts = verify([releases])

    assert [] == [verdict.to_json() for verdict in verdicts if not verdict.passed]
    assert len(verdicts) == len([*releases.glob("*/*/*/datapackage.json")])


def test_the_audit_of_all_folders_attacks_every_withheld_cell_and_exposes_none(releases, figures):
    """The command for auditors agrees with the attacker, over all tables, periods and partners."""
    (found,) = audit_releases([releases])
    attacked = {tuple(key[:3]) for key in found.report.intervals if not key.by}

    assert [] == found.sentences()
    assert {key for key, known in figures.items() if known is None} <= attacked


def test_shares_by_identity_basis_single_out_nobody_between_periods(releases, figures):
    """Share times visitors of a week, less that of one of its days, is no group of one to nine persons."""
    shares = {}
    for path in releases.glob("*/*/*/datapackage.json"):
        told = json.loads(path.read_text(encoding="utf-8"))["usage_stats"]["identity_basis_shares"]
        if isinstance(told, dict):
            shares[path.parent.name] = told
    close = [
        (part, whole, basis)
        for part, whole, basis in product(shares, shares, BASES)
        if attacker.dates(part) < attacker.dates(whole)
        and _surely_few(_span(figures, shares, part, basis), _span(figures, shares, whole, basis))
    ]

    assert [] == close


def _span(figures, shares, period, basis):
    """The least and the most persons that a share, rounded to two decimals, can stand for."""
    known = figures[period, "_T", "_T"]
    if known is None:
        return None
    return [(shares[period][basis] + slack) * known[0] for slack in (-0.005, 0.005)]


def _surely_few(part, whole):
    """Whether the persons of the whole but not of the part are surely some, and surely too few."""
    return part and whole and whole[0] - part[1] > 0 and whole[1] - part[0] < PERSONS
