from dataclasses import replace
from datetime import date

import pytest

from usage_stats.config import TOTAL
from usage_stats.errors import AuditFailed, SolverError
from usage_stats.measure.cells import Counts
from usage_stats.measure.cube import Cube
from usage_stats.measure.relations import CellKey, Relation, relations
from usage_stats.periods import day
from usage_stats.protect.requirement import Requirement
from usage_stats.protect.secondary import Problem, choose_withheld

DAY = day(date(2027, 2, 1))


def _key(name, period=DAY.code):
    return CellKey(period, name, TOTAL)


def _problem(visitors, *, primary, pairs=(), history=None, relations_=None, least=5):
    """Cells of disjoint persons, each with one visit of ten pages."""
    cells = {_key(n): Counts(v, v, 10 * v, v) for n, v in visitors.items()}
    cube = Cube((((TOTAL, TOTAL), tuple((n, TOTAL) for n in visitors if n != TOTAL)),), ("day",))
    return Problem(
        cells=cells,
        primary=frozenset(_key(n) for n in primary),
        history=history or {},
        relations=relations(cube, [DAY]) if relations_ is None else relations_,
        pairs=[(_key(a), _key(b)) for a, b in pairs],
        requirement=Requirement(least, 0.1),
        remainder_allowed=lambda keys: sum(cells[k].visitors for k in keys) >= least,
    )


def _chosen(problem):
    return {key.component for key in choose_withheld(problem)}


def test_nothing_is_withheld_where_nothing_is_sensitive():
    """No danger, no answer."""

    assert set() == _chosen(_problem({TOTAL: 60, "a": 20, "b": 40}, primary=[]))


def test_choice_is_the_same_in_any_order_of_cells():
    """What is withheld depends on the figures, not on how they are listed."""
    visitors = {TOTAL: 103, "a": 3, "b": 40, "c": 30, "d": 30}
    found = [
        _chosen(_problem(dict(order), primary=["a"]))
        for order in (visitors.items(), reversed(visitors.items()), sorted(visitors.items()))
    ]

    assert [{"a", "c"}] * 3 == found


def test_close_pair_is_answered_by_withholding_the_part():
    """A part that lacks only a few persons of its whole goes, the whole stays."""
    problem = _problem({TOTAL: 60, "a": 57, "b": 40}, primary=[], pairs=[("a", TOTAL)], relations_=[])

    assert {"a"} == _chosen(problem)


def test_earlier_part_is_answered_by_withholding_the_new_whole():
    """What was released stays released: the new figure gives way."""
    earlier = _key("a", "2027-01-31")
    problem = _problem({TOTAL: 60, "a": 57}, primary=[], relations_=[], history={earlier: (55, 55, 550)})
    problem = replace(problem, pairs=[(earlier, _key("a"))])

    assert {"a"} == _chosen(problem)


def test_cell_that_protects_nothing_is_published_again():
    """Greedy answers may be too many: `c` was taken for `a`, until `b` had to go for another reason.

    `a` and `b` are sensitive and have 6 persons together: they hide each other, and `c` is not needed.
    """

    assert {"a", "b"} == _chosen(_problem({TOTAL: 66, "a": 3, "b": 3, "c": 20, "d": 40}, primary=["a", "b"]))


def test_impossible_is_an_error_and_no_release():
    """Where earlier figures give each other away whatever is withheld now, nothing is released."""
    sunday, week = _key("a", "2027-01-31"), _key("a", "2027-W04")
    problem = _problem(
        {TOTAL: 60, "a": 60}, primary=[], relations_=[], history={sunday: (20,) * 3, week: (22,) * 3}
    )
    problem = replace(problem, pairs=[(sunday, week)])
    with pytest.raises(AuditFailed, match="nothing is released"):
        choose_withheld(problem)


def test_figures_that_contradict_each_other_are_an_error_and_no_release():
    """A week of nobody cannot hold a day that was withheld: the solver's refusal is no pass."""
    week, monday = _key("a", "2027-W05"), _key("a")
    inside = Relation("period", week, (monday,))
    problem = _problem({"a": 0}, primary=[], relations_=[inside], history={monday: None})
    problem = replace(problem, cells={week: Counts(0, 0, 0, 0)})
    with pytest.raises(SolverError):
        choose_withheld(problem)
