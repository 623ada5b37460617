from datetime import date

import pytest

from usage_stats.config import TOTAL, Thresholds
from usage_stats.errors import AuditFailed, InternalError
from usage_stats.measure.cells import Counts
from usage_stats.measure.relations import CellKey
from usage_stats.periods import day
from usage_stats.protect.audit import AuditReport, view_digest
from usage_stats.protect.primary import (
    DominanceShare,
    MinimumNetworks,
    MinimumPersons,
    primary_cells,
    rules_of,
)
from usage_stats.protect.protected_table import ProtectedTable

DAY = day(date(2027, 2, 1)).code
A, B, OLD = (CellKey(period, name, TOTAL) for period, name in ((DAY, "a"), (DAY, "b"), ("2027-01-31", "a")))
CELLS = {A: Counts(20, 21, 22, 9), B: Counts(3, 4, 5, 3)}
STATUSES = {A: "safe", B: "primary"}
VIEW = {A: (20, 21, 22), B: None}


def _report(view, exposed=()):
    return AuditReport(view_digest(view), {}, exposed)


def test_table_with_its_own_passed_report_is_made_and_shows_published_cells_only():
    """Published cells have their figures, withheld ones None, and the networks are never among them."""
    table = ProtectedTable(CELLS, STATUSES, {}, _report(VIEW))

    assert VIEW == table.view()


@pytest.mark.parametrize("status", ["primary", "secondary"])
def test_withheld_is_withheld_for_whatever_reason(status):
    """The reader does not learn why."""
    table = ProtectedTable(CELLS, {A: "safe", B: status}, {}, _report(VIEW))

    assert table.view()[B] is None


def test_failed_report_is_refused():
    """What the attacker can work out is not made into a table."""
    with pytest.raises(AuditFailed, match="1 withheld cells of 2"):
        ProtectedTable(CELLS, STATUSES, {}, _report(VIEW, exposed=(B,)))


@pytest.mark.parametrize(
    "other",
    [
        {A: (20, 21, 23), B: None},
        {A: (20, 21, 22), B: (3, 4, 5)},
        {A: None, B: None},
        {A: (20, 21, 22)},
        {**VIEW, OLD: (9, 9, 9)},
    ],
)
def test_report_of_another_table_is_refused(other):
    """A passed audit of something else proves nothing."""
    with pytest.raises(InternalError, match="another table"):
        ProtectedTable(CELLS, STATUSES, {}, _report(other))


def test_report_must_be_of_the_context_too():
    """What a reader already had is part of what was audited."""
    context = {OLD: (9, 9, 9)}
    with pytest.raises(InternalError):
        ProtectedTable(CELLS, STATUSES, context, _report(VIEW))

    assert VIEW == ProtectedTable(CELLS, STATUSES, context, _report({**context, **VIEW})).view()


def test_every_cell_has_a_status():
    """None is published for want of a decision."""
    with pytest.raises(InternalError):
        ProtectedTable(CELLS, {A: "safe"}, {}, _report(VIEW))


def test_table_cannot_be_changed_afterwards():
    """The audit stays true of what it was made for."""
    table = ProtectedTable(CELLS, STATUSES, {}, _report(VIEW))
    with pytest.raises(AttributeError):
        table.statuses = {A: "safe", B: "safe"}


def test_errors_tell_no_figure():
    """Messages count cells; they hold no confidential count."""
    secret = {A: Counts(98765, 98765, 98765, 98765)}
    report = AuditReport(view_digest({A: None}), {}, (A,))
    with pytest.raises(AuditFailed) as caught:
        ProtectedTable(secret, {A: "primary"}, {}, report)

    assert "98765" not in str(caught.value)


@pytest.mark.parametrize(
    ("persons", "networks", "broken"),
    [
        (10, 3, ()),
        (9, 3, ("MinimumPersons",)),
        (10, 2, ("MinimumNetworks",)),
        (1, 1, ("MinimumPersons", "MinimumNetworks")),
        (0, 0, ()),
    ],
)
def test_sensitive_cells_name_the_rules_they_break(persons, networks, broken):
    """Both minimums are inclusive; page views never help; an empty cell is about nobody."""
    found = primary_cells({A: Counts(persons, persons, 10_000, networks)}, rules_of(Thresholds()))

    assert ({A: broken} if broken else {}) == found


def test_rules_have_the_configured_minimums():
    """The thresholds are the configuration's: ten, three and a half unless it says otherwise."""
    other = Thresholds(minimum_persons=7, minimum_networks=4, dominance_share=0.25)

    assert (MinimumPersons(10), MinimumNetworks(3), DominanceShare(0.5)) == rules_of(Thresholds())
    assert (MinimumPersons(7), MinimumNetworks(4), DominanceShare(0.25)) == rules_of(other)


@pytest.mark.parametrize(("largest", "names"), [(50, ()), (51, ("DominanceShare",)), (0, ())])
def test_a_cell_that_one_person_dominates_is_sensitive(largest, names):
    """Exactly half of the page views is allowed; one more and the figure is that person's."""
    found = primary_cells({A: Counts(20, 30, 100, 9, largest)}, rules_of(Thresholds()))

    assert ({A: names} if names else {}) == found
