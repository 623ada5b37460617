import itertools
import math
import random

import numpy as np
import pytest

from usage_stats.errors import SolverError
from usage_stats.protect.solver import System, systems

CEILING = 7


def _rows(seed):
    """Some sums and inclusions over five unknowns that 1..9 can satisfy."""
    rng = random.Random(seed)
    hidden = {name: rng.randint(1, CEILING) for name in "abcde"}
    rows = []
    for _ in range(rng.randint(2, 4)):
        terms = tuple((name, rng.choice([1, 1, -1])) for name in rng.sample("abcde", rng.randint(2, 4)))
        value = sum(c * hidden[name] for name, c in terms)
        rows.append(
            rng.choice([(terms, value, value), (terms, value - 2, math.inf), (terms, -math.inf, value + 1)])
        )
    return rows


def _every_point(rows):
    """All whole-number points, by trying."""
    names = list(dict.fromkeys(name for terms, _, _ in rows for name, _ in terms))
    for values in itertools.product(range(1, CEILING + 1), repeat=len(names)):
        point = dict(zip(names, values, strict=True))
        if all(low <= sum(c * point[n] for n, c in terms) <= high for terms, low, high in rows):
            yield point


@pytest.mark.parametrize("seed", range(15))
def test_extreme_points_are_the_extremes_of_all_whole_points(seed):
    """In either direction the solver goes as far as the farthest point found by trying all."""
    for system, points in _systems_and_points(seed):
        for name in system.variables:
            values = [p[name] for p in points]
            index = system.variables.index(name)

            assert min(values) == system.extreme(name, -1)[index]
            assert max(values) == system.extreme(name, 1)[index]


@pytest.mark.parametrize("seed", range(15))
def test_bounds_are_never_narrower_than_all_whole_points(seed):
    """Fractions may widen what linear programming tells; they never narrow it."""
    for system, points in _systems_and_points(seed):
        for name in system.variables:
            low, high = system.bounds(name)

            assert low <= min(p[name] for p in points)
            assert high >= max(p[name] for p in points)


def _systems_and_points(seed):
    for system in systems(_rows(seed), {}, floor=1, ceiling=CEILING):
        inside = [row for row in _rows(seed) if {n for n, _ in row[0]} <= set(system.variables)]
        yield system, list(_every_point(inside))


def _odd_ring():
    """Three unknowns of which any two make three: the only vertex between is 1.5 each, no whole point."""
    pairs = [("a", "b"), ("b", "c"), ("a", "c")]
    return [(((x, 1), (y, 1)), 3, 4) for x, y in pairs]


def test_point_is_whole_where_the_best_vertex_is_not():
    """Any two of three are at most 4 and at least 3: of all three, halves would do; whole numbers are told."""
    system = System([*_odd_ring(), ((("a", 1), ("b", 1), ("c", 1), ("t", -1)), 0, 0)], floor=1, ceiling=9)
    least = system.extreme("t", -1)

    assert np.array_equal(least, np.round(least))
    assert 5 == least[system.variables.index("t")], "4.5 as a fraction"
    assert 5 == system.bounds("t")[0], "rounded up"


def test_whole_points_leave_the_system_as_it_was():
    """Asking for whole numbers once does not change what the next question gets."""
    rows = [*_odd_ring(), ((("a", 1), ("b", 1), ("c", 1), ("t", -1)), 0, 0)]
    fresh, used = System(rows, floor=1, ceiling=9), System(rows, floor=1, ceiling=9)
    used.extreme("t", -1)

    assert [fresh.bounds(v) for v in fresh.variables] == [used.bounds(v) for v in used.variables]


def test_contradiction_is_an_error_and_no_answer():
    """What no table can be is not told as an interval."""
    system = System([((("a", 1), ("b", 1)), 5, 5), ((("a", 1), ("b", 1)), 7, 7)], floor=1, ceiling=9)
    with pytest.raises(SolverError, match="kInfeasible"):
        system.bounds("a")


def test_error_tells_no_figure():
    """The message says how many unknowns and how it ended, never which figure."""
    system = System([((("a", 1), ("b", 1)), 98765, 98765)], floor=1, ceiling=9)
    with pytest.raises(SolverError) as caught:
        system.extreme("a", 1)

    assert "98765" not in str(caught.value)


def test_usable_after_an_error():
    """A failed question leaves no trace in the next one."""
    system = System([((("a", 1), ("b", 1)), 5, 5)], floor=1, ceiling=9)
    with pytest.raises(KeyError):
        system.bounds("z")

    assert (1, 4) == system.bounds("a")


def test_unbounded_unknown_reaches_the_ceiling():
    """Reaching the ceiling is how "no upper bound" is told."""
    system = System([((("a", 1), ("b", -1)), 0, math.inf)], floor=1, ceiling=777)

    assert (1, 777) == system.bounds("a")


def test_known_values_split_a_system():
    """Unknowns that only a known value joins know nothing of each other."""
    rows = [((("t", 1), ("a", -1), ("k", -1)), 0, 0), ((("k", 1), ("b", -1), ("c", -1)), 0, 0)]
    found = systems(rows, {"t": 10, "k": 6}, floor=1, ceiling=99)
    bounds = {v: s.bounds(v) for s in found for v in s.variables}

    assert [("a",), ("b", "c")] == sorted(s.variables for s in found)
    assert {"a": (4, 4), "b": (1, 5), "c": (1, 5)} == bounds


def test_rows_without_unknowns_make_no_system():
    """Where everything is known there is nothing to attack."""

    assert [] == systems([((("a", 1), ("b", -1)), 0, 0)], {"a": 3, "b": 3}, floor=1, ceiling=9)
