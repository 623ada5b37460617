"""Tables of any counts, drawn by hand: what is withheld of them, and what a reader makes of it."""

import pytest
from drawn_counts import audited, cells_of, protected, redrawn

BY_PERSONS = "rules: {minimum_persons: 3}\nminimise: persons"
SHOPS = """
     x   y   z
a    2   8  20
b    9  11  40
"""


def _same(drawing):
    return redrawn(cells_of(drawing))


def test_a_sensitive_cell_takes_three_with_it(tmp_path):
    """The cheapest rectangle around a sensitive cell is withheld, and no total: 8 + 9 + 11 persons are the fewest."""
    expected = """
         x   y   z  _T
    a    P   S   .   .
    b    S   S   .   .
    _T   .   .   .   .
    """

    assert _same(expected) == protected(tmp_path, SHOPS, expected, spec=BY_PERSONS)


def test_nothing_is_withheld_of_a_table_that_is_large_everywhere(tmp_path):
    """No rule is broken, so all is published."""
    drawing = """
         x   y
    a    3   4
    b    5   6
    """
    expected = """
         x   y  _T
    a    .   .   .
    b    .   .   .
    _T   .   .   .
    """

    assert _same(expected) == protected(tmp_path, drawing, expected, spec=BY_PERSONS)


@pytest.mark.parametrize(("zeros", "status"), [("free", "0"), ("sensitive", "P"), ("known", "0")])
def test_an_empty_cell_is_published_unless_zeros_are_sensitive(tmp_path, zeros, status):
    """Whether an empty cell may be seen is the specification's to say."""
    drawing = """
         x   y   z
    a    0   8  20
    b    9  11  40
    """

    assert _same(f"x\na {status}") == protected(
        tmp_path, drawing, "x\na ?", spec=f"{BY_PERSONS}\nzeros: {zeros}"
    )


def test_known_zeros_do_not_protect(tmp_path):
    """The empty cell beside a sensitive one is published where readers know it, and helps where they do not."""
    drawing = """
         x   y   z
    a    2   8  70
    b    9   0  70
    c   30  20  70
    """
    free = """
         x   y   z
    a    P   S   .
    b    S   S   .
    c    .   .   .
    """
    known = """
         x   y   z
    a    P   S   .
    b    .   0   .
    c    S   S   .
    """

    assert _same(free) == protected(tmp_path, drawing, free, spec=BY_PERSONS + "\nzeros: free")
    assert _same(known) == protected(tmp_path, drawing, known, spec=BY_PERSONS + "\nzeros: known")


def test_a_node_between_is_published_where_its_parts_protect_one_another(tmp_path):
    """Within north, the two shops hide each other; south and the totals need nothing withheld."""
    drawing = """
         x   y
    a    1   9
    b    7   8
    c   20  30
    """
    expected = """
           x   y  _T
    a      P   S   .
    b      S   S   .
    c      .   .   .
    north  .   .   .
    south  .   .   .
    _T     .   .   .
    """
    north = [("north", "a"), ("north", "b"), ("south", "c")]

    assert _same(expected) == protected(tmp_path, drawing, expected, spec=BY_PERSONS, hierarchy=north)


TURNOVER = "magnitudes: {sum: {largest: [x1, x2, x3]}}\n"


@pytest.mark.parametrize(
    ("rule", "first", "second", "third", "sensitive"),
    [
        # The second largest, 20, takes itself and sees 80: the largest is 70 of it, so 10 of 70 are unknown.
        ("p_percent: 14", 70, 20, 10, False),
        ("p_percent: 15", 70, 20, 10, True),
        # If it did not know its own part, it would see 30 of 70.
        ("p_percent: 42", 70, 20, 10, True),
        ("dominance: {n: 1, k: 70}", 70, 20, 10, False),
        ("dominance: {n: 1, k: 69}", 70, 20, 10, True),
        ("dominance: {n: 2, k: 90}", 70, 20, 10, False),
        ("dominance: {n: 2, k: 89}", 70, 20, 10, True),
    ],
)
def test_who_is_large_makes_a_cell_sensitive(tmp_path, rule, first, second, third, sensitive):
    """The largest contributor of a sum of 100 can or cannot be placed by the second largest, or makes up too much."""
    drawing = """
         x   y
    a   12   8
    b    9  11
    """
    even = {"sum": (400, 400, 400), "x1": (40, 40, 40), "x2": (40, 40, 40), "x3": (40, 40, 40)}
    columns = {"sum": 100, "x1": first, "x2": second, "x3": third}
    more = {
        name: f"x y\na {columns[name]} {even[name][0]}\nb {even[name][1]} {even[name][2]}" for name in columns
    }
    spec = TURNOVER + "minimise: persons\nrules: {minimum_persons: 3, " + rule + "}"

    expected = "P" if sensitive else "."
    assert _same(f"x\na {expected}") == protected(tmp_path, drawing, "x\na ?", spec=spec, more=more)


def test_few_networks_are_as_bad_as_few_persons(tmp_path):
    """Eight persons of one network are withheld where two networks are asked for, and a margin of theirs is not."""
    networks = """
         x   y   z
    a    2   1   9
    b    4   5   9
    """
    expected = """
         x   y   z  _T
    a    P   P   .   .
    b    S   S   .   .
    _T   .   .   .   .
    """
    spec = "networks: nets\nminimise: persons\nrules: {minimum_persons: 3, minimum_networks: 2}"

    assert _same(expected) == protected(tmp_path, SHOPS, expected, spec=spec, more={"nets": networks})


def test_everyone_in_one_part_is_withheld(tmp_path):
    """Whoever is in a is in x: the rule on homogeneity finds the part; its whole is no secret."""
    drawing = """
         x   y   z
    a    8   0   0
    b    9  11  40
    """

    assert _same("x\na P") == protected(
        tmp_path, drawing, "x\na ?", spec="rules: {minimum_persons: 3, homogeneity: [column]}"
    )


# What a reader makes of a published table.


def test_a_lonely_withheld_cell_is_worked_out(tmp_path):
    """What its line leaves is the count."""
    table = """
         x   y   z  _T
    a    !   8  20  30
    b    9  11  40  60
    _T  11  19  60  90
    """
    expected = """
           x   y   z  _T
    a   2-2!   .   .   .
    b      .   .   .   .
    _T     .   .   .   .
    """

    assert _same(expected) == audited(tmp_path, table, spec=BY_PERSONS)


def test_a_rectangle_of_four_leaves_as_much_doubt_as_its_lines(tmp_path):
    """Row a holds 10 in its two cells: every other cell follows from one of them."""
    table = """
         x   y   z  _T
    a    !   ?  20  30
    b    ?   ?  40  60
    _T  11  19  60  90
    """
    expected = """
            x     y   z  _T
    a    0-10  0-10   .   .
    b    1-11  9-19   .   .
    _T      .     .   .   .
    """

    assert _same(expected) == audited(tmp_path, table, spec=BY_PERSONS)
    assert _same(
        expected.replace(" 0-10", "1-9").replace("1-11", "2-10").replace("9-19", "10-18")
    ) == audited(tmp_path, table, spec=BY_PERSONS + "\nzeros: known")


def test_narrow_is_exposed_whether_the_cell_is_sensitive_or_not(tmp_path):
    """Two of 3 together, at a minimum of 3: 0 to 3 passes, and 1 to 2, where no withheld cell is empty, does not."""
    table = """
         x   y  _T
    a    !   ?   3
    b    ?   ?  60
    _T  31  32  63
    """
    free = """
            x      y  _T
    a     0-3    0-3   .
    b   28-31  29-32   .
    _T      .      .   .
    """
    known = """
            x      y  _T
    a    1-2!   1-2!   .
    b   29-30  30-31   .
    _T      .      .   .
    """

    assert _same(free) == audited(tmp_path, table, spec=BY_PERSONS)
    assert _same(known) == audited(tmp_path, table, spec=BY_PERSONS + "\nzeros: known")


def test_a_sensitive_cell_must_be_wide_though_it_is_surely_large(tmp_path):
    """28 to 31 are no secret of persons; whatever rule such a cell breaks, it is wide enough only from 3 on."""
    table = """
         x   y  _T
    a    ?   ?   2
    b    !   ?  60
    _T  30  32  62
    """
    expected = """
             x      y  _T
    a     0-2!   0-2!   .
    b   28-30!  30-32   .
    _T       .      .   .
    """

    assert _same(expected) == audited(tmp_path, table, spec=BY_PERSONS)


def test_a_reader_uses_both_sums_of_a_node(tmp_path):
    """The withheld node is what the published rest of the whole leaves."""
    table = """
           x   y  _T
    a      !   ?   ?
    b      ?   ?   ?
    c     20  30  50
    north  8  17  25
    south 20  30  50
    _T    28  47  75
    """
    expected = """
             x     y     _T
    a      0-8  0-17   0-25
    b      0-8  0-17   0-25
    c        .     .      .
    north    .     .      .
    south    .     .      .
    _T       .     .      .
    """
    north = [("north", "a"), ("north", "b"), ("south", "c")]

    assert _same(expected) == audited(tmp_path, table, spec=BY_PERSONS, hierarchy=north)
