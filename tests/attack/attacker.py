"""Published figures → what an outsider can work out of the withheld ones.

Written from the definitions of the measures alone. Nothing of the package is imported: an attacker who shares
code with the defender shares his mistakes.

A figure is (visitors, visits, page views) under (period code, component, sub-component), None where withheld.
What the attacker knows besides: counts are whole; empty cells are published as zero, so a withheld cell holds
at least one of each; every visitor makes a visit and every visit views a page; page views add up over days and
categories; visits add up over days; visitors and visits of a whole lie between the largest part and the sum.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import highspy
import numpy as np

VISITORS, VISITS, PAGE_VIEWS = range(3)
TOTAL = "_T"
TOLERANCE = 1e-6


class Row(NamedTuple):
    """low <= sum of coefficient times unknown <= high; an unknown is (key, measure)."""

    terms: tuple
    low: float
    high: float


class Family(NamedTuple):
    """A whole and parts that do not overlap; `complete` if nothing is left; `measures` that add up."""

    whole: tuple
    parts: tuple
    complete: bool
    measures: tuple


@cache
def dates(code):
    """The days of a period, by its published code."""
    if re.fullmatch(r"\d{4}-W\d\d", code):
        monday = date.fromisocalendar(int(code[:4]), int(code[-2:]), 1)
        return frozenset(monday + timedelta(n) for n in range(7))
    if re.fullmatch(r"\d{4}-\d\d", code):
        first = date.fromisoformat(f"{code}-01")
        return frozenset(d for n in range(31) if (d := first + timedelta(n)).month == first.month)
    return frozenset([date.fromisoformat(code)])


def families(figures):
    """Every whole with its parts, over categories and over periods."""
    return [*category_families(figures), *period_families(figures)]


def category_families(figures):
    """The site and its components, each component and its sub-components: page views add up."""
    inside = defaultdict(list)
    for key in figures:
        period, component, sub, *by = key
        if sub != TOTAL:
            inside[period, component, TOTAL, *by].append(key)
        elif component != TOTAL:
            inside[period, TOTAL, TOTAL, *by].append(key)
    return [
        Family(whole, tuple(parts), complete=True, measures=(PAGE_VIEWS,)) for whole, parts in inside.items()
    ]


def period_families(figures):
    """A week and its days; a month and its days; a month, the weeks inside it and the days around them."""
    codes = sorted({key[0] for key in figures})
    found = []
    for whole in codes:
        inside = [c for c in codes if dates(c) < dates(whole)]
        days = [c for c in inside if len(dates(c)) == 1]
        weeks = [c for c in inside if len(dates(c)) == 7]
        around = [c for c in days if not any(dates(c) < dates(w) for w in weeks)]
        for split in [days, weeks + around] if weeks else [days]:
            covered = frozenset().union(*map(dates, split))
            found += _by_category(figures, whole, split, complete=covered == dates(whole))
    return found


def _by_category(figures, whole, split, *, complete):
    for period, *category in figures:
        parts = tuple((code, *category) for code in split)
        if period == whole and parts and all(p in figures for p in parts):
            yield Family((whole, *category), parts, complete, (VISITS, PAGE_VIEWS))


def rows_of(figures):
    """All that must hold between the figures, published or not."""
    rows = [row for family in families(figures) for row in rows_of_family(family)]
    for key, known in figures.items():
        if known is None:
            pairs = [(VISITS, VISITORS), (PAGE_VIEWS, VISITS)]
            rows += [Row((((key, more), 1), ((key, less), -1)), 0, math.inf) for more, less in pairs]
    return rows


def rows_of_family(family):
    """What sums, and distinct counts that are none, say of a whole and its parts."""
    for measure in (VISITORS, VISITS, PAGE_VIEWS):
        whole = ((family.whole, measure), 1)
        parts = [((part, measure), -1) for part in family.parts]
        least = 0 if measure in family.measures else -math.inf  # what adds up is no more than the whole
        if least == 0 or family.complete:
            yield Row((whole, *parts), least, 0 if family.complete else math.inf)
        for part in parts:
            yield Row((whole, part), 0, math.inf)


def systems(figures, rows=None):
    """Systems of unknowns that share no row, published figures put in; the rows are those of `rows_of`, or given."""
    stated = rows_of(figures) if rows is None else rows
    rows = [reduced for row in stated if (reduced := _put_in(row, figures)).terms]
    neighbours = defaultdict(list)
    for row in rows:
        for unknown, _ in row.terms:
            neighbours[unknown].append(row)
    seen = set()
    most = 1000 + 2 * sum(f[PAGE_VIEWS] for f in figures.values() if f)
    for start in neighbours:
        if start not in seen:
            group = _reach(start, neighbours)
            seen |= {unknown for row in group for unknown, _ in row.terms}
            yield System(group, most)


def _put_in(row, figures):
    free = tuple((u, c) for u, c in row.terms if figures[u[0]] is None)
    shift = sum(c * figures[u[0]][u[1]] for u, c in row.terms if figures[u[0]] is not None)
    return Row(free, row.low - shift, row.high - shift)


def _reach(start, neighbours):
    found, waiting, seen = [], [start], {start}
    taken = set()
    while waiting:
        for row in neighbours[waiting.pop()]:
            if id(row) not in taken:
                taken.add(id(row))
                found.append(row)
                fresh = [u for u, _ in row.terms if u not in seen]
                seen.update(fresh)
                waiting += fresh
    return found


class System:
    """Unknowns that hang together; asks HiGHS for the least and the most that each can be."""

    def __init__(self, rows, most):
        self.most = most
        self.rows = rows
        self.unknowns = list(dict.fromkeys(u for row in rows for u, _ in row.terms))
        self._column = {u: n for n, u in enumerate(self.unknowns)}
        self._highs = _model(rows, self._column, most)

    def optimum(self, unknown, sign, *, whole):
        """The least (sign 1) or the most (sign -1) and the point where it is taken."""
        everyone = np.arange(len(self.unknowns), dtype=np.int32)
        kind = highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
        self._highs.changeColsIntegrality(len(everyone), everyone, np.full(len(everyone), kind))
        self._highs.changeColCost(self._column[unknown], float(sign))
        self._highs.run()
        status = self._highs.getModelStatus()
        point = np.array(self._highs.getSolution().col_value)
        self._highs.changeColCost(self._column[unknown], 0.0)
        assert status == highspy.HighsModelStatus.kOptimal, f"the attacker has no answer: {status}"
        return point[self._column[unknown]], point

    def interval(self, unknown, *, whole=True):
        """(least, most), among whole numbers or among all."""
        ends = []
        for sign in (1, -1):
            value, point = self.optimum(unknown, sign, whole=False)
            if whole and not np.allclose(point, np.round(point), atol=TOLERANCE):
                value, _ = self.optimum(unknown, sign, whole=True)
            ends.append(math.ceil(value - TOLERANCE) if sign == 1 else math.floor(value + TOLERANCE))
        return tuple(ends)


def _model(rows, column, most):
    model = highspy._core._Highs()  # noqa: SLF001 the public class prints a banner
    model.setOptionValue("output_flag", False)  # noqa: FBT003 highspy takes it so
    model.setOptionValue("threads", 1)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(column), len(rows)
    program.col_cost_ = np.zeros(len(column))
    program.col_lower_ = np.ones(len(column))
    program.col_upper_ = np.full(len(column), float(most))
    program.row_lower_ = np.array([row.low for row in rows], dtype=float)
    program.row_upper_ = np.array([row.high for row in rows], dtype=float)
    entries = [(column[u], c) for row in rows for u, c in row.terms]
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lengths = itertools.accumulate((len(row.terms) for row in rows), initial=0)
    program.a_matrix_.start_ = np.fromiter(lengths, dtype=np.int32)
    program.a_matrix_.index_ = np.array([i for i, _ in entries], dtype=np.int32)
    program.a_matrix_.value_ = np.array([c for _, c in entries], dtype=float)
    model.passModel(program)
    return model


def is_narrow(low, high, persons, share):
    """Whether an interval tells too much: less than `persons` wide, or less than a share of its upper end."""
    return high - low < max(persons, math.ceil(share * high))


def is_exposed(intervals, persons, share):
    """Whether a withheld cell may be about too few persons and yet is nearly known."""
    low, high = intervals[VISITORS]
    return low < persons and (high < persons or any(is_narrow(*i, persons, share) for i in intervals))


def exposed(figures, *, persons, share, whole=True):
    """The withheld cells that give too much away, with what is known of them."""
    found = {}
    for system in systems(figures):
        found |= exposed_in(system, persons=persons, share=share, whole=whole)
    return found


def exposed_in(system, *, persons, share, whole=True):
    """The same of one system."""
    found = {}
    surely_wide = _wide_by_luck(system, persons, share)
    for key in dict.fromkeys(key for key, _ in system.unknowns):
        if not all((key, measure) in surely_wide for measure in (VISITORS, VISITS, PAGE_VIEWS)):
            intervals = [system.interval((key, m), whole=whole) for m in (VISITORS, VISITS, PAGE_VIEWS)]
            if is_exposed(intervals, persons, share):
                found[key] = intervals
    return found


def _wide_by_luck(system, persons, share):
    """Unknowns that whole-number points already found lie far enough apart in: they need no more attack."""
    low = np.full(len(system.unknowns), np.inf)
    high = np.full(len(system.unknowns), -np.inf)
    for number, unknown in enumerate(system.unknowns):
        for sign in (1, -1):
            if high[number] == -np.inf or is_narrow(low[number], high[number], persons, share):
                _, point = system.optimum(unknown, sign, whole=False)
                if np.allclose(point, np.round(point), atol=TOLERANCE):
                    low, high = np.minimum(low, np.round(point)), np.maximum(high, np.round(point))
    wide = [
        h > -np.inf and h >= persons and not is_narrow(lo, h, persons, share)
        for lo, h in zip(low, high, strict=True)
    ]
    return {u for u, w in zip(system.unknowns, wide, strict=True) if w}


def few_behind(figures, behind, *, persons, networks):
    """(whole, withheld parts) of every published sum whose remainder rests on too few persons or networks.

    A withheld part may be replaced by its own withheld parts, where its other parts are published: the whole
    less all of these is a sum of published figures too.
    """
    over = defaultdict(list)
    for family in families(figures):
        if family.complete:
            over[family.whole].append(family)
    found = []
    for whole, known in figures.items():
        for measure in (VISITS, PAGE_VIEWS) if known and any(known) else ():
            for rest in _remainders(whole, over, figures, measure):
                crowd = behind(rest)
                if rest and (crowd[0] < persons or crowd[1] < networks):
                    found.append((whole, rest))
    return found


def _remainders(whole, over, figures, measure):
    """The sets of withheld cells that the whole's published parts leave over."""
    for family in over[whole]:
        if measure in family.measures:
            hidden = [part for part in family.parts if figures[part] is None]
            for rests in itertools.islice(
                itertools.product(*(_rests(p, over, figures, measure) for p in hidden)), 200
            ):
                yield frozenset().union(*rests)


def _rests(part, over, figures, measure):
    """A withheld part as itself, or as what is withheld inside it."""
    return [frozenset([part]), *_remainders(part, over, figures, measure)]


def close_pairs(figures, persons):
    """(part, whole) published with 1 to k-1 persons between them: the part is in the whole's time and place."""
    published = [(key, known[VISITORS]) for key, known in figures.items() if known]
    found = []
    for (part, fewer), (whole, more) in itertools.product(published, repeat=2):
        if 0 < more - fewer < persons and _lies_in(part, whole):
            found.append((part, whole))
    return found


def thin_overlaps(figures, persons):
    """(family, measure) where all parts are published and exceed their whole by 1 to k-1: so few came twice."""
    found = []
    for family in families(figures):
        known = [figures[key] for key in (family.whole, *family.parts)]
        if not family.complete or None in known:
            continue
        for measure in {VISITORS, VISITS} - set(family.measures):
            whole, *parts = (figure[measure] for figure in known)
            if 0 < sum(parts) - whole < persons:
                found.append((family, measure))
    return found


def _lies_in(part, whole):
    in_category = whole[1] == TOTAL or (whole[1] == part[1] and whole[2] in {TOTAL, part[2]})
    return in_category and dates(part[0]) <= dates(whole[0])
