"""Disclosure control of one day, drawn. Five persons are the minimum; TEN pages per person and place."""

import pytest
from drawn_tables import draw, protect_all, statuses

from usage_stats.config import Thresholds

DAY = "2027-02-01"


def test_cell_below_the_minimum_takes_the_smallest_other_cell_with_it():
    """With the total published, one withheld part is the total less the others: a second must go too.

    `b` has 3 persons. Beside it the cheapest is `c` with 7: together they are 10 persons, enough, and either
    may have 1 to 9 of the 10 visits.
    """
    drawing = draw("""
        place 2027-02-01
        a     1-20
        b     21-23
        c     24-30
        d     31-50
    """)

    expected = {"_T": "safe", "a": "safe", "b": "primary", "c": "secondary", "d": "safe"}

    assert expected == statuses(drawing, DAY)


def test_exactly_the_minimum_is_enough_and_one_fewer_is_not():
    """The threshold is inclusive: five persons may be told, four may not."""
    drawing = draw("""
        place 2027-02-01
        a     1-20
        b     21-25
        c     26-29
    """)

    expected = {"_T": "safe", "a": "safe", "b": "secondary", "c": "primary"}

    assert expected == statuses(drawing, DAY)


def test_table_with_enough_persons_everywhere_is_published_whole():
    """What endangers nobody is not withheld."""
    drawing = draw("""
        place 2027-02-01
        a     1-20
        b     21-25
        c     26-40
    """)

    expected = {"_T": "safe", "a": "safe", "b": "safe", "c": "safe"}

    assert expected == statuses(drawing, DAY)


def test_empty_cell_is_published_as_zero_and_helps_nobody():
    """A zero is about nobody; it is never the companion of a withheld cell, however small.

    `b` has 2 persons; `c` is empty: the companion is `a`.
    """
    drawing = draw("""
        place 2027-02-01
        a     1-20
        b     21-22
        c     -
        d     31-60
    """)
    table = protect_all(drawing)[DAY]
    zero = next(key for key in table.cells if key.component == "c")

    expected = {"_T": "safe", "a": "secondary", "b": "primary", "c": "zero", "d": "safe"}

    assert expected == statuses(drawing, DAY)
    assert (0, 0, 0) == table.view()[zero]


def test_two_withheld_parts_of_too_few_persons_take_a_third():
    """The total less all that is published is a figure about the withheld parts together: 2 + 2 persons.

    `b` and `c` hide each other in every sum, yet the remainder is about 4 persons: `d`, the smallest, joins.
    """
    drawing = draw("""
        place 2027-02-01
        a     1-40
        b     41-42
        c     43-44
        d     45-60
    """)

    expected = {"_T": "safe", "a": "safe", "b": "primary", "c": "primary", "d": "secondary"}

    assert expected == statuses(drawing, DAY)


def test_two_withheld_parts_of_the_same_persons_take_a_third():
    """Persons are counted once, however many parts they saw: 3 + 3 visitors can be three persons."""
    drawing = draw("""
        place 2027-02-01
        a     1-40
        b     41-43
        c     41-43
        d     45-60
    """)

    expected = {"_T": "safe", "a": "safe", "b": "primary", "c": "primary", "d": "secondary"}

    assert expected == statuses(drawing, DAY)


def test_two_withheld_parts_of_enough_persons_need_no_third():
    """Three and four different persons are seven: the remainder may be told.

    Of the 7 visits and 70 page views either part may have 1 to all but 1.
    """
    drawing = draw("""
        place 2027-02-01
        a     1-40
        b     41-43
        c     44-47
        d     50-70
    """)

    expected = {"_T": "safe", "a": "safe", "b": "primary", "c": "primary", "d": "safe"}

    assert expected == statuses(drawing, DAY)


def test_total_below_the_minimum_leaves_nothing_but_zeros():
    """Where the whole is about too few, so is every part that is not empty."""
    drawing = draw("""
        place 2027-02-01
        a     1-3
        b     2-4
        c     -
    """)

    expected = {"_T": "primary", "a": "primary", "b": "primary", "c": "zero"}

    assert expected == statuses(drawing, DAY)


def test_nobody_at_all_is_all_zeros():
    """A day without anyone is published: it is about nobody."""
    drawing = draw("""
        place 2027-02-01
        a     -
        b     -
    """)

    expected = {"_T": "zero", "a": "zero", "b": "zero"}

    assert expected == statuses(drawing, DAY)


def test_many_persons_of_one_network_are_withheld():
    """Twenty persons behind two connections may be one family and one office: three networks are the least."""
    drawing = draw(
        """
        place 2027-02-01
        a     1-20
        b     21-40
        c     41-60
        """,
        networks={n: f"office {n % 2}" for n in range(21, 41)},
    )
    rules = Thresholds(minimum_persons=5, minimum_networks=3, protection_share=0.1)

    expected = {"_T": "safe", "a": "secondary", "b": "primary", "c": "safe"}

    assert expected == statuses(drawing, DAY, rules)


def test_withheld_parts_of_too_few_networks_take_a_further_one():
    """The remainder of the total obeys every rule that a cell obeys, the least number of networks too."""
    offices = {n: f"office {n // 30}" for n in range(1, 60)}
    drawing = draw(
        """
        place 2027-02-01
        a     1-29
        b     30-59
        c     60-80
        d     81-120
        """,
        networks=offices,
    )
    rules = Thresholds(minimum_persons=5, minimum_networks=3, protection_share=0.1)

    expected = {"_T": "safe", "a": "primary", "b": "primary", "c": "secondary", "d": "safe"}

    assert expected == statuses(drawing, DAY, rules)


@pytest.mark.parametrize(
    ("outside", "expected"), [(0, "safe"), (1, "withheld"), (4, "withheld"), (5, "safe")]
)
def test_part_within_the_minimum_of_its_whole_is_answered(outside, expected):
    """Whole less part are the persons who were not in the part: none, or enough, but not one to four.

    Everybody saw `a` but the last few, who saw only `b`; `b` itself has enough persons.
    """
    others = f"9-{20 + outside}"
    drawing = draw(f"""
        place 2027-02-01
        a     1-20
        b     {others}
        c     1-20
    """)
    found = statuses(drawing, DAY)
    withheld = [place for place in ("_T", "a") if found[place] != "safe"]

    assert expected == ("withheld" if withheld else "safe")
