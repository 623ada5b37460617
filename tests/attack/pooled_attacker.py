"""Released folders of all partners → every figure that anyone has, and what together they give away.

The attacker of `attacker.py`, for tables of any dimensions. Nothing of the package is imported, and nothing is taken
from its relations: the sums below are written from what `datapackage.json` and the README tell a reader.

A figure is (visitors, visits, page views) under (period code, component, sub-component, (dimension, code), …), None
where withheld; a dimension at its total is left out, so that a total has one key whichever table shows it.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from datetime import timedelta
from itertools import combinations

import attacker
from attacker import PAGE_VIEWS, TOTAL, VISITORS, VISITS, Family, Row, dates

NAMES = ("visitors", "visits", "page_views")
PLACE = ("component", "sub_component")
# What a bin says is of one person's visits to one cell, or of one day of a week: of another cell it says nothing.
OF_ONE_CELL = "visit_frequency"
OF_ONE_DAY = "visitor_type"
# What adds up along a dimension. A visit has one referrer, and ends at midnight; it may last into the next hour.
EACH, OF_VISITS, OF_VIEWS = (VISITORS, VISITS, PAGE_VIEWS), (VISITS, PAGE_VIEWS), (PAGE_VIEWS,)
ADDED_UP = {OF_ONE_CELL: EACH, OF_ONE_DAY: EACH, "hour": OF_VIEWS}


def read(releases):
    """Every figure in any CSV file of any partner; and the places at which two files say different things."""
    pooled, differing = {}, []
    for path in sorted(releases.glob("*/*/*/*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                known = None if row["status"] == "suppressed" else tuple(int(row[name]) for name in NAMES)
                if known != pooled.setdefault(_key(row), known):
                    differing.append(_key(row))
    return pooled, differing


def _key(row):
    not_codes = {"period", "status", *PLACE, *NAMES, "reach", "frequency", "page_views_per_visit"}
    by = sorted((name, code) for name, code in row.items() if name not in not_codes and code != TOTAL)
    return (row["period"], *(row.get(name, TOTAL) for name in PLACE), *by)


def families(figures):
    """Every whole with its parts: over places, over each further dimension, over periods."""
    return [*_by_place(figures), *_by_dimension(figures), *_by_period(figures)]


def _place_around(component, sub):
    """The place that a place is a part of: parts of parts are a path."""
    if sub != TOTAL:
        return component, sub.rpartition("/")[0] or TOTAL
    return (TOTAL, TOTAL) if component != TOTAL else None


def _by_place(figures):
    inside = defaultdict(list)
    for key in figures:
        period, component, sub, *by = key
        around = _place_around(component, sub)
        if around and OF_ONE_CELL not in dict(
            by
        ):  # who came once to the shop may have come twice to the site
            inside[period, *around, *by].append(key)
    return [Family(w, tuple(p), complete=True, measures=OF_VIEWS) for w, p in inside.items() if w in figures]


def _by_dimension(figures):
    inside = defaultdict(list)
    for key in figures:
        names = [name for name, _ in key[3:]]
        for name in [OF_ONE_CELL] if OF_ONE_CELL in names else names:
            inside[_without(key, name), name].append(key)
    return [
        Family(whole, tuple(parts), complete=True, measures=ADDED_UP.get(name, OF_VISITS))
        for (whole, name), parts in inside.items()
        if whole in figures
    ]


def _without(key, *names):
    return (*key[:3], *(pair for pair in key[3:] if pair[0] not in names))


def _by_period(figures):
    """Weeks and months, and the weeks and days inside them; a weekday of them is made of days of that weekday."""
    shown = defaultdict(set)
    for period, *rest in figures:
        shown[period].add(tuple(rest))
    for whole, cells in shown.items():
        inside = [code for code in shown if dates(code) < dates(whole)]
        days = [code for code in inside if len(dates(code)) == 1]
        weeks = [code for code in inside if len(dates(code)) == 7]
        around = [code for code in days if not any(dates(code) < dates(week) for week in weeks)]
        for cell in cells:
            if not {OF_ONE_CELL, OF_ONE_DAY} & set(dict(cell[2:])):
                for split in [days, weeks + around] if weeks else [days]:
                    yield from _split_over(whole, cell, split, shown)


def _split_over(whole, cell, split, shown):
    """A cell over shorter periods, if each of them shows it."""
    weekday = dict(cell[2:]).get("weekday")
    wanted = {day for day in dates(whole) if weekday in {None, str(day.isoweekday())}}
    parts, covered = [], set()
    for code in split:
        inside = cell
        if len(dates(code)) == 1 and weekday:
            inside = tuple(pair for pair in cell if pair != ("weekday", weekday))
        if wanted.isdisjoint(dates(code)):
            continue
        if inside not in shown[code]:
            return
        parts.append((code, *inside))
        covered |= dates(code) & wanted
    if parts:
        yield Family((whole, *cell), tuple(parts), complete=covered == wanted, measures=OF_VISITS)


def rows_of(figures, found=None):
    """All that must hold between the figures, published or not."""
    rows = [row for family in found or families(figures) for row in attacker.rows_of_family(family)]
    rows += [row for key, known in figures.items() if known is None for row in _of_cell(key)]
    return rows + _new_in_a_week(figures) + _tails(figures)


def _bounds(code):
    """The least and the most in a bin: `3 to 4`, `1`, `20 or more`."""
    numbers = [int(n) for n in re.findall(r"\d+", code)]
    return numbers[0], math.inf if "more" in code else numbers[-1]


def _of_cell(key):
    """Of one cell: each visitor makes a visit and each visit views a page; bins say how many."""
    by = dict(key[3:])
    visits = _bounds(by[OF_ONE_CELL]) if OF_ONE_CELL in by else (1, math.inf)
    least, most = _bounds(by["visit_depth"]) if "visit_depth" in by else (1, math.inf)
    if key[1] != TOTAL or "hour" in by:  # some of the visit's pages may have been elsewhere, or later
        least = 1
    for more, less, (low, high) in ((VISITS, VISITORS, visits), (PAGE_VIEWS, VISITS, (least, most))):
        yield Row((((key, more), 1), ((key, less), -low)), 0, math.inf)
        if high < math.inf:
            yield Row((((key, more), 1), ((key, less), -high)), -math.inf, 0)


def _new_in_a_week(figures):
    """Everybody is new on one day of a week: the days' new visitors are the week's; of a part, at most the week's."""
    rows, new = [], (OF_ONE_DAY, "new")
    for whole in figures:
        if len(dates(whole[0])) == 7 and len(whole) == 3:
            days = [(day.isoformat(), *whole[1:], new) for day in sorted(dates(whole[0]))]
            if all(day in figures for day in days):
                terms = (((whole, VISITORS), 1), *(((day, VISITORS), -1) for day in days))
                rows.append(Row(terms, 0, 0 if whole[1] == TOTAL else math.inf))
    return rows


def _tails(figures):
    """Who came so often to a part came as often to the whole: of visitors, tails of bins are nested too."""
    bins = defaultdict(list)
    for key in figures:
        if OF_ONE_CELL in dict(key[3:]):
            bins[_without(key, OF_ONE_CELL)].append(key)
    rows = []
    for part in bins:
        for whole in _wholes(part):
            if whole in bins:
                rows += _nested(bins[part], bins[whole])
    return rows


def _nested(part, whole):
    ends = {_bounds(dict(k[3:])[OF_ONE_CELL])[0] for k in part} & {
        _bounds(dict(k[3:])[OF_ONE_CELL])[0] for k in whole
    }
    for end in ends - {1}:
        more, less = (
            [k for k in some if _bounds(dict(k[3:])[OF_ONE_CELL])[0] >= end] for some in (whole, part)
        )
        terms = (*(((k, VISITORS), 1) for k in more), *(((k, VISITORS), -1) for k in less))
        yield Row(terms, 0, math.inf)


def _periods_around(code):
    """The weeks and months that a period lies in."""
    first, last = min(dates(code)), max(dates(code))
    monday = first - timedelta(first.weekday())
    week, month = f"{first:%G}-W{first:%V}", f"{first:%Y-%m}"
    if last <= monday + timedelta(6):
        yield week
    if f"{last:%Y-%m}" == month:
        yield month


def _wholes(key):
    """Every cell whose persons are surely the part's and more: a longer time, a wider place, fewer codes."""
    period, component, sub, *by = key
    names = {name for name, _ in by}
    if OF_ONE_CELL in names:  # a bin of a part is in its own cell, not in a bin of the whole
        return {_without(key, OF_ONE_CELL)}
    places = [(component, sub)]
    while around := _place_around(*places[-1]):
        places.append(around)
    choices = {(period, some) for some in _some(by)}
    if OF_ONE_DAY not in names:
        day = [("weekday", str(min(dates(period)).isoweekday()))] if len(dates(period)) == 1 else []
        longer = [code for code in _periods_around(period) if code != period]
        choices |= {(code, some) for code in longer for some in _some([*by, *day])}
    return {(code, *place, *some) for code, some in choices for place in places} - {key}


def _some(pairs):
    """All of the codes, some, or none."""
    ordered = sorted(pairs)
    return [some for number in range(len(ordered) + 1) for some in combinations(ordered, number)]


def close_pairs(figures, persons):
    """(part, whole) published with 1 to k-1 persons between them."""
    return [
        (part, whole)
        for part, fewer in figures.items()
        if fewer
        for whole in _wholes(part)
        if figures.get(whole) and 0 < figures[whole][VISITORS] - fewer[VISITORS] < persons
    ]


def thin_overlaps(figures, persons, found):
    """(whole, measure) where all parts are published and exceed their whole by 1 to k-1: so few are in several."""
    thin = []
    for family in found:
        known = [figures[key] for key in (family.whole, *family.parts)]
        if family.complete and None not in known:
            sums = {m: sum(known_part[m] for known_part in known[1:]) for m in (VISITORS, VISITS)}
            few = {m for m in set(sums) - set(family.measures) if 0 < sums[m] - known[0][m] < persons}
            thin += [(family.whole, measure) for measure in sorted(few)]
    return thin


def bent_sums(figures, found):
    """Wholes whose published parts do not come to them: somebody is in the one and not in the others."""
    return [
        (family.whole, measure)
        for family in found
        if family.complete and all(figures[key] for key in (family.whole, *family.parts))
        for measure in family.measures
        if figures[family.whole][measure] != sum(figures[part][measure] for part in family.parts)
    ]


def complements(figures, found):
    """(whole, the withheld cells that its published parts leave over), one withheld part taken apart once more."""
    over = defaultdict(list)
    for family in found:
        if family.complete:
            over[family.whole].append(family)
    for family in found:
        hidden = [part for part in family.parts if figures[part] is None]
        if family.complete and figures[family.whole] and hidden:
            yield family.whole, frozenset(hidden)
            for part in hidden:
                others = [other for other in hidden if other != part]
                for deeper in over[part]:
                    rest = [p for p in deeper.parts if figures[p] is None]
                    if rest:
                        yield family.whole, frozenset([*others, *rest])


def exposed(figures, found, *, persons, share, most_whole=0):
    """Withheld cells that give too much away, by linear programs; by integer ones where a system has at most so many
    unknowns.
    """
    told = {}
    for system in attacker.systems(figures, rows_of(figures, found)):
        whole = len(system.unknowns) <= most_whole
        told |= attacker.exposed_in(system, persons=persons, share=share, whole=whole)
    return told
