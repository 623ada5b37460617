"""Another company that knows all of its own list, all of ours but one address, and the rule, asks about that one."""

import itertools
import json
import math
import random
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import yaml

from usage_stats.flow.compare_lists import compare_lists
from usage_stats.flow.workspace import open_workspace
from usage_stats.mailing.address import read_address
from usage_stats.mailing.address_list import AddressList
from usage_stats.mailing.compare import compare
from usage_stats.mailing.overlap_count import deduction_weights, told_count

MINIMUM = 5  # the floor of the settings
APRIL = datetime(2026, 4, 3, 12, tzinfo=UTC)
PARTNERS = [f"partner-{n}" for n in range(9)]


def _odds(overlap, sizes, minimum):
    """The probability of each answer."""
    weights = deduction_weights(minimum)
    odds = dict.fromkeys([None], 0.0)
    for deducted, weight in enumerate(weights):
        told = told_count(overlap, sizes=sizes, minimum=minimum, deducted=deducted)
        odds[told] = odds.get(told, 0.0) + weight / sum(weights)
    return odds


def _beyond(first, second, factor):
    """With what probability the first world shows what it is more than `factor` times likelier to show."""
    return sum(max(0.0, chance - factor * second.get(told, 0.0)) for told, chance in first.items())


@pytest.mark.parametrize("minimum", [1, 2, 5, 10, 20])
def test_one_answer_hardly_moves_the_odds_about_one_address(minimum):
    """Whatever the attacker knows: e^(1/minimum) at most, but for a chance of 1 in 100 times the minimum.

    For all overlaps of lists of 10 to 24 minima, with one address more or less on both.
    """
    for size in range(10 * minimum, 24 * minimum, minimum):
        sizes = (size, 24 * minimum)
        worlds = [_odds(overlap, sizes, minimum) for overlap in range(size + 1)]
        for without, with_it in itertools.pairwise(worlds):
            for first, second in ((without, with_it), (with_it, without)):
                assert _beyond(first, second, math.exp(1 / minimum)) <= 1 / (100 * minimum)


def _list(people):
    """A list as the comparison takes one, without a file."""
    return SimpleNamespace(addresses=lambda: (read_address(f"p{n}@x.example") for n in people))


def test_two_comparisons_that_differ_by_one_address_hardly_tell_of_it():
    """All lists of ten among twelve people, and each of the others added: both answers together, in two months.

    Two worlds: the added person is ours, or another one in their place, who is on no list of theirs. The first
    answer is the same in both; the second moves the odds by e, the bound for a minimum of one person.
    """
    people = set(range(12))
    tried = 0
    for theirs in itertools.combinations(people, 10):
        for added, other in itertools.permutations(people - set(theirs)):
            for left_out in theirs:
                rest = set(theirs) - {left_out}
                tried += 1
                answers = [
                    [_odds_of({*rest, who}, on_list) for on_list in (theirs, (*theirs, added))]
                    for who in (added, other)
                ]
                assert answers[0][0] == answers[1][0]
                for first, second in itertools.permutations([answers[0][1], answers[1][1]]):
                    assert _beyond(first, second, math.e) <= 0.01

    assert 66 * 2 * 10 == tried


def _odds_of(ours, theirs):
    found = compare(_list(ours), _list(theirs))
    assert len(set(ours) & set(theirs)) == found.overlap
    return _odds(found.overlap, (found.ours, found.theirs), 1)


def test_rounding_alone_would_tell():
    """Why more is done: at the edge of a step, one address decides the rounded count for sure."""
    rounded = [told_count(n, sizes=(500, 500), minimum=10, deducted=0) for n in (99, 100)]

    assert [90, 100] == rounded


@pytest.fixture
def workspace(tmp_path):
    """A workspace whose policy allows comparing lists, with many partners."""
    settings = {
        "site": "small",
        "partners": [{"id": partner, "tables": []} for partner in PARTNERS],
        "thresholds": {"minimum_persons": MINIMUM},
    }
    versions = [{"version": "1", "effective": "2020-01-01", "uses": ["list_comparison"]}]
    (tmp_path / "usage_stats.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return tmp_path


def _ask(root, ours, theirs, *, partner=PARTNERS[0], now=APRIL, seed=0):
    """The answer to a partner who sends a list."""
    lists = []
    for name, people in (("ours", ours), ("theirs", theirs)):
        (root / name).write_text("".join(f"p{n}@x.example\n" for n in people))
        lists.append(AddressList(root / name))
    place = root / "do-not-send"
    place.unlink(missing_ok=True)
    workspace = open_workspace(root)
    rolled = random.Random(seed)
    return compare_lists(workspace, *lists, do_not_send=place, partner=partner, now=now, random=rolled).answer


@pytest.mark.parametrize("overlap", [44, 45, 99, 100])
@pytest.mark.parametrize("is_ours", [True, False])
def test_whoever_asks_again_in_a_month_is_told_the_same(workspace, overlap, is_ours):
    """Each further list, one address longer or altogether another, gets the first answer: it depends on no list."""
    ours = [*range(1000), *([2000] if is_ours else [])]
    theirs = [*range(overlap), *range(5000, 5600)]
    first = _ask(workspace, ours, theirs)
    again = [_ask(workspace, ours, [*theirs, 2000], seed=seed) for seed in range(20)]
    other = _ask(workspace, ours, range(900), seed=1)

    assert {first} == {*again, other}


def test_partners_who_pool_their_answers_get_few_in_a_year(workspace):
    """All partners and months together: as many drawn answers as the minimum of persons, which bounds the odds by e."""
    ours, theirs = range(1000), range(300, 2000)
    answers = [
        _ask(workspace, ours, theirs, partner=partner, now=APRIL.replace(month=month), seed=month)
        for month in range(1, 13)
        for partner in PARTNERS
    ]
    drawn = {(a.partner, a.day) for a in answers if a.day}

    assert MINIMUM == len(drawn)
    assert {"at_least", "none_left_this_year"} == {a.status for a in answers}
    assert "at_least" == _ask(workspace, ours, theirs, now=APRIL.replace(year=2027)).status
