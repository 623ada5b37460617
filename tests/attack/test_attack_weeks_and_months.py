"""Weeks and months of invented sites, published day by day as the main job does, then attacked all at once."""

import random
from datetime import date
from typing import NamedTuple

import attacker
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from invented_site import (
    PLACES,
    SMALL,
    STRICT,
    Outcome,
    Site,
    View,
    cube_with,
    days_from,
    publish_all,
    random_site,
)

from usage_stats.config import Thresholds

CUBE = cube_with(PLACES)
PERSONS, SHARE = 5, 0.1
WEEK = days_from(date(2027, 2, 1), 7)
STEADY = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

sites = st.builds(
    random_site,
    st.integers(0, 10_000),
    st.just(CUBE),
    st.just(WEEK),
    persons=st.integers(6, 40),
    busy=st.sampled_from([0.2, 0.4, 0.7]),
)
rules = st.sampled_from([SMALL, STRICT])
# Sites in which a choice went wrong once, beside drawn ones; the seed decides everything about a site.
KNOWN = [(1, 30, 0.25, SMALL), (9, 30, 0.25, STRICT), (11, 12, 0.25, SMALL)]
SEEDS = range(100, 133)


class Week(NamedTuple):
    """A site, the rules it was published under, and what became of it."""

    site: Site
    thresholds: Thresholds
    outcome: Outcome

    @property
    def figures(self):
        return self.outcome.figures


def _drawn(seed):
    rng = random.Random(seed)
    return seed, rng.randint(6, 40), rng.choice([0.2, 0.4, 0.7]), rng.choice([SMALL, STRICT])


@pytest.fixture(scope="module")
def weeks():
    """Weeks of many sites, each published once for all the tests that attack it."""
    found = []
    for seed, persons, busy, thresholds in [*KNOWN, *map(_drawn, SEEDS)]:
        site = random_site(seed, CUBE, WEEK, persons=persons, busy=busy)
        found.append(Week(site, thresholds, _week(site, thresholds)))
    return found


def _week(site, thresholds):
    return publish_all(site, CUBE, WEEK, thresholds)


def test_no_withheld_figure_of_a_week_can_be_worked_out(weeks):
    """Seven days and their week, read together, leave every withheld cell in doubt."""
    found = [attacker.exposed(week.figures, persons=PERSONS, share=SHARE) for week in weeks]

    assert [{}] * len(weeks) == found
    assert any(None in week.figures.values() for week in weeks)


def test_every_published_figure_is_about_nobody_or_enough_persons_and_networks(weeks):
    """The persons and networks are counted here, one by one."""
    for week in weeks:
        crowds = {key: week.site.behind([key]) for key, known in week.figures.items() if known}
        least = (PERSONS, week.thresholds.minimum_networks)

        assert [] == [key for key, crowd in crowds.items() if crowd != (0, 0) and not _enough(crowd, least)]


def _enough(crowd, least):
    return crowd[0] >= least[0] and crowd[1] >= least[1]


def test_published_figures_are_the_true_ones_and_empty_cells_are_never_withheld(weeks):
    """Figures are withheld, never bent; what is about nobody is told."""
    for week in weeks:
        for key, known in week.figures.items():
            true = week.site.counts(key)

            assert known in {None, (true.visitors, true.visits, true.page_views)}
            assert true.visitors > 0 or known == (0, 0, 0)


def test_no_published_whole_exceeds_a_published_part_by_a_few_persons(weeks):
    """Every pair of figures of which one is inside the other, in time and place."""

    assert [[]] * len(weeks) == [attacker.close_pairs(week.figures, PERSONS) for week in weeks]


def test_published_parts_exceed_no_published_whole_by_a_few(weeks):
    """How many came twice, or saw two components, is told of nobody or of enough."""

    assert [[]] * len(weeks) == [attacker.thin_overlaps(week.figures, PERSONS) for week in weeks]


def test_what_published_parts_leave_of_a_published_whole_rests_on_enough(weeks):
    """Every sum less parts of it, mixed from all levels, is about nobody or enough persons and networks."""
    for week in weeks:
        limits = {"persons": PERSONS, "networks": week.thresholds.minimum_networks}

        assert [] == attacker.few_behind(week.figures, week.site.behind, **limits)


@pytest.mark.slow
@settings(STEADY, max_examples=150)
@given(sites, rules)
def test_many_more_weeks_give_nothing_away(site, thresholds):
    """All of the above, of sites that nobody has seen."""
    figures = _week(site, thresholds).figures
    limits = {"persons": PERSONS, "networks": thresholds.minimum_networks}

    assert {} == attacker.exposed(figures, persons=PERSONS, share=SHARE)
    assert [] == attacker.close_pairs(figures, PERSONS)
    assert [] == attacker.thin_overlaps(figures, PERSONS)
    assert [] == attacker.few_behind(figures, site.behind, **limits)


@settings(STEADY, max_examples=10)
@given(sites, rules)
@example(random_site(1681, CUBE, WEEK, persons=10, busy=0.7), SMALL)
def test_no_secondary_cell_could_have_been_published(site, thresholds):
    """Each cell that is withheld for others' sake is needed: publishing it alone would break a rule."""
    outcome = _week(site, thresholds)
    needless = [
        key
        for period, figures in outcome.known_then.items()
        for key in figures
        if key[0] == period
        and outcome.statuses[key] == "secondary"
        and not _breaks_a_rule({**figures, key: _true(site, key)}, site, thresholds)
    ]

    assert [] == needless


def _true(site, key):
    counts = site.counts(key)
    return counts.visitors, counts.visits, counts.page_views


def _breaks_a_rule(figures, site, thresholds):
    limits = {"persons": PERSONS, "networks": thresholds.minimum_networks}
    return bool(
        attacker.few_behind(figures, site.behind, **limits)
        or _alone(figures)
        or attacker.close_pairs(figures, PERSONS)
        or attacker.thin_overlaps(figures, PERSONS)
        or attacker.exposed(figures, persons=PERSONS, share=SHARE)
    )


def _alone(figures):
    """A single withheld part of a published sum is that sum less the others, whoever it is about."""
    return [
        family
        for family in attacker.families(figures)
        if family.complete and figures[family.whole] and sum(figures[p] is None for p in family.parts) == 1
    ]


@pytest.mark.parametrize(
    ("first", "number", "seed", "persons"),
    [
        (date(2027, 2, 1), 28, 3, 30),  # four whole weeks
        (date(2027, 3, 1), 31, 4, 24),  # three days after the last whole week
        (date(2026, 2, 23), 42, 3, 30),  # 2026-W09 and 2026-W14 lie in two months
    ],
)
def test_no_withheld_figure_of_a_month_can_be_worked_out(first, number, seed, persons):
    """Days, weeks and months together, weeks that lie in two months too."""
    days = days_from(first, number)
    site = random_site(seed, CUBE, days, persons=persons, busy=0.5)
    figures = publish_all(site, CUBE, days, STRICT).figures

    assert {} == attacker.exposed(figures, persons=PERSONS, share=SHARE)
    assert [] == attacker.close_pairs(figures, PERSONS)


@pytest.mark.xfail(
    reason="weeks and months that overlap beyond the month before are not looked at yet (ADR 3)"
)
def test_no_withheld_figure_can_be_worked_out_through_a_chain_of_months():
    """What was withheld in February still counts in April: a reader has it all.

    Six days from February to April are withheld. Each pair of neighbours shares a published sum: February less
    its other figures is the 10th and 25th, the week from 23 February the 25th and 1 March, and so on. So one
    number decides all six. The 10th of February has 2 visits, so the 25th can have 1 more at most; the 15th of
    April has 3, so the 2nd of April can have 2 more: each is known to within 4 numbers, where 5 persons may
    not be told apart from 1.
    """
    special = {  # who was there, how many persons, how many visits of one page view
        date(2026, 2, 10): ("u", 2, 2),
        date(2026, 2, 25): ("v", 4, 18),
        date(2026, 3, 1): ("w", 4, 18),
        date(2026, 3, 30): ("x", 4, 18),
        date(2026, 4, 2): ("y", 4, 4),
        date(2026, 4, 15): ("z", 3, 3),
    }
    days = days_from(date(2026, 2, 1), 89)
    views = [view for day in days for view in _visits(day, *special.get(day, ("usual", 10, 10)))]
    figures = publish_all(Site(views), cube_with({"a": ()}), days, SMALL).figures

    assert {} == attacker.exposed(figures, persons=PERSONS, share=SHARE)


def _visits(day, name, persons, visits):
    people = [f"{name}{number % persons}" for number in range(visits)]
    return [View(person, person, day, number, "a", None, 1) for number, person in enumerate(people)]
