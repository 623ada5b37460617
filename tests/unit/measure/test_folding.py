"""Bins that are folded until each is safe: every one of them, and every tail, holds nobody or enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.dimensions import DIMENSIONS, bin_code
from usage_stats.measure.cube import Cube, by_of
from usage_stats.measure.folding import fold, folded, shown_as, stored_as, stored_categories

NAMES = ("visit_depth", "visit_duration", "visit_frequency")
MINIMUM = 10
SITE = ("_T", "_T")
# How many are in each stored bin; 9 and 10 lie at the edge of what is enough.
PERSONS = st.lists(st.sampled_from([0, 0, 1, 4, 5, 9, 10, 11, 60]), min_size=6, max_size=6)
NAME = st.sampled_from(NAMES)


def _is_safe(persons):
    """Whether the bins from one place to another hold nobody or enough."""
    return lambda low, high: (total := sum(persons[low : high + 1])) == 0 or total >= MINIMUM


def _places(name, codes):
    """The stored places that each published code stands for."""
    return [[DIMENSIONS[name].codes.index(one) for one in stored_as(name, code)] for code in codes]


@given(name=NAME, persons=PERSONS)
def test_every_bin_and_every_tail_holds_nobody_or_enough(name, persons):
    """A reader adds up bins from the top: no such sum is about a few; one bin alone is the total, judged as that."""
    is_safe, places = _is_safe(persons), _places(name, fold(name, _is_safe(persons)))
    if len(places) > 1:
        assert all(is_safe(some[0], some[-1]) for some in places)
        assert all(is_safe(some[0], 5) for some in places[1:])


@given(name=NAME, persons=PERSONS)
def test_bins_cover_everything_once_and_in_order(name, persons):
    """Whoever was in a stored bin is in exactly one published bin."""
    places = _places(name, fold(name, _is_safe(persons)))

    assert list(range(6)) == [place for some in places for place in some]


@given(name=NAME, persons=PERSONS)
def test_no_bin_could_be_cut_off_the_top(name, persons):
    """No more is folded than must be: the highest bin is the narrowest that is safe, or all there is."""
    is_safe, (*_, top) = _is_safe(persons), _places(name, fold(name, _is_safe(persons)))

    assert top[0] in {0, max((low for low in range(6) if is_safe(low, 5)), default=0)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("answer", [True, False])
def test_all_safe_folds_nothing_and_none_safe_folds_all(name, answer):
    """The two ends: the stored codes themselves, and one bin for everything."""
    single = DIMENSIONS[name].codes

    assert (single if answer else (bin_code(name, 0, 5),)) == fold(name, lambda *_: answer)


@pytest.mark.parametrize("name", NAMES)
def test_codes_say_which_bins_they_are(name):
    """No two ranges of bins are written alike, and each is read back as its own."""
    ranges = [(low, high) for low in range(6) for high in range(low, 6)]
    codes = [bin_code(name, *both) for both in ranges]

    assert len(set(codes)) == len(codes)
    assert [list(range(low, high + 1)) for low, high in ranges] == _places(name, codes)


@pytest.mark.parametrize(
    ("name", "low", "high", "code"),
    [
        ("visit_depth", 0, 0, "1"),
        ("visit_depth", 2, 2, "3 to 4"),
        ("visit_depth", 0, 2, "1 to 4"),
        ("visit_frequency", 3, 5, "5 or more"),
        ("visit_duration", 0, 0, "under 10 s"),
        ("visit_duration", 0, 4, "under 30 min"),
        ("visit_duration", 3, 4, "3 min to 30 min"),
        ("visit_duration", 4, 5, "10 min or more"),
    ],
)
def test_codes_are_words_that_tell_both_ends(name, low, high, code):
    """No spreadsheet takes them for dates."""
    assert code == bin_code(name, low, high)


@given(name=NAME, persons=PERSONS)
def test_every_stored_code_is_shown_once(name, persons):
    """Each stored code belongs to the one published code that lists it."""
    codes = fold(name, _is_safe(persons))
    shown = shown_as(name, codes)

    assert set(DIMENSIONS[name].codes) == set(shown)
    assert all(stored in stored_as(name, code) for stored, code in shown.items())


def test_a_code_without_bins_is_stored_as_itself():
    """A country is a country."""
    assert ("DE",) == stored_as("country", "DE")


def _cube(*bys):
    return Cube(((SITE, (("a", "_T"),)),), ("week",), tuple((*SITE, by) for by in bys))


def test_a_folded_cube_has_each_category_once_and_other_dimensions_as_they_were():
    """Bins that became one give one category, also beside other dimensions."""
    depths = DIMENSIONS["visit_depth"].codes
    cube = _cube(
        *(f"visit_depth={code}" for code in depths),
        *(f"device={d}|visit_depth={code}" for d in ("phone", "tv or console") for code in depths),
    )
    found = folded(cube, {"visit_depth": ("1 to 2", "3 or more"), "visit_duration": ("0 s or more",)})

    assert [
        "visit_depth=1 to 2",
        "visit_depth=3 or more",
        *(f"device={d}|visit_depth={b}" for d in ("phone", "tv or console") for b in ("1 to 2", "3 or more")),
    ] == [category[2] for category in found.further]
    assert (cube.parts_of, cube.periods) == (found.parts_of, found.periods)


@given(persons=st.lists(PERSONS, min_size=2, max_size=2))
def test_published_categories_are_made_of_all_stored_ones(persons):
    """Two dimensions of bins folded at once: each stored pair of codes counts in one published category."""
    names = ("visit_depth", "visit_duration")
    stored = {
        (*SITE, f"visit_depth={a}|visit_duration={b}")
        for a in DIMENSIONS[names[0]].codes
        for b in DIMENSIONS[names[1]].codes
    }
    codes = {name: fold(name, _is_safe(some)) for name, some in zip(names, persons, strict=True)}
    found = folded(_cube(*(c[2] for c in stored)), codes).further
    made_of = [one for category in found for one in stored_categories(category)]

    assert len(codes[names[0]]) * len(codes[names[1]]) == len(found)
    assert (stored, len(stored)) == (set(made_of), len(made_of))
    assert all(set(names) == set(by_of(category)) for category in found)
