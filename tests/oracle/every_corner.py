"""Sums of small tables by brute force: every corner of what a reader cannot rule out, in fractions.

Shares no code with what it judges: sums are written out over coordinates, equations are solved by elimination.
"""

import itertools
from fractions import Fraction

from every_whole_table import sums


def intervals(shape, values, withheld, floor):
    """Withheld cell -> (low, high) over all tables of numbers from `floor` on; high is None without an end.

    A linear program ends at a corner: as many cells as there are equations, the others at their floor. What has no
    end is found as a corner of the ways that lead up for ever.
    """
    names = sorted(withheld)
    rows = [[_sign(at, whole, parts) for at in names] for whole, parts in sums(shape)]
    known = [
        sum(_sign(at, whole, parts) * Fraction(values[at]) for at in values if at not in withheld)
        for whole, parts in sums(shape)
    ]
    rest = [-k - sum(a * Fraction(floor) for a in row) for row, k in zip(rows, known, strict=True)]
    corners = list(_corners(rows, rest, len(names)))
    rays = list(_corners([*rows, [1] * len(names)], [Fraction(0)] * len(rows) + [Fraction(1)], len(names)))
    found = {}
    for i, at in enumerate(names):
        endless = any(ray[i] > 0 for ray in rays)
        reached = [corner[i] + Fraction(floor) for corner in corners]
        found[at] = min(reached), None if endless else max(reached)
    return found


def _sign(at, whole, parts):
    return -1 if at == whole else int(at in parts)


def _corners(rows, rest, size):
    """Every solution of the equations with no cell below zero and no more cells above it than equations allow."""
    independent = _independent(rows, rest)
    if independent is None:
        return
    rows, rest = independent
    for basis in itertools.combinations(range(size), len(rows)):
        solved = _solved([[row[i] for i in basis] for row in rows], rest)
        if solved is not None and min(solved, default=0) >= 0:
            point = [Fraction(0)] * size
            for i, value in zip(basis, solved, strict=True):
                point[i] = value
            yield point


def _independent(rows, rest):
    """Equations that say all; None if nothing fulfils them."""
    kept, reduced = [], []
    for row, value in zip(rows, rest, strict=True):
        line = [Fraction(a) for a in row] + [value]
        for other in reduced:
            lead = next(i for i, a in enumerate(other) if a)
            line = [a - b * line[lead] / other[lead] for a, b in zip(line, other, strict=True)]
        if any(line[:-1]):
            reduced.append(line)
            kept.append((row, value))
        elif line[-1]:
            return None  # they contradict one another
    return [row for row, _ in kept], [value for _, value in kept]


def _solved(matrix, rest):
    lines = [[Fraction(a) for a in row] + [value] for row, value in zip(matrix, rest, strict=True)]
    for i in range(len(lines)):
        at = next((j for j in range(i, len(lines)) if lines[j][i]), None)
        if at is None:
            return None
        lines[i], lines[at] = lines[at], lines[i]
        lines[i] = [a / lines[i][i] for a in lines[i]]
        for j in range(len(lines)):
            if j != i and lines[j][i]:
                lines[j] = [a - lines[j][i] * b for a, b in zip(lines[j], lines[i], strict=True)]
    return [line[-1] for line in lines]
