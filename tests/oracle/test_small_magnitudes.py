"""Published sums of small tables against every corner of what their reader cannot rule out."""

import csv
import itertools
import random

import numpy as np
import pytest
from every_corner import intervals
from every_whole_table import full

from usage_stats.flow.protect_table import audit_table, protect_table
from usage_stats.sdc.audit_magnitudes import SumsView, audit_magnitude
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.relations import Layout, sums_of

SHAPES = ((3, 3), (3, 4), (3, 3, 3))
SHARE, P, N, K = 10, 15, 2, 85
LARGEST = ("x1", "x2", "x3")


def _inner(shape):
    return list(itertools.product(*(range(1, n) for n in shape)))


def _layout(shape):
    return Layout(
        tuple(dimension_of(f"d{i}", (), [str(j) for j in range(1, n)]) for i, n in enumerate(shape))
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("floor", [0, 2])
def test_intervals_are_those_of_every_corner(shape, floor):
    """Low and high of each withheld sum are what going through all corners finds, in fractions."""
    layout = _layout(shape)
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])
    for seed in range(12):
        rng = random.Random(f"{shape} {seed}")
        values = full(shape, {at: rng.choice((2, 3, 7, 40, 1000, 12345)) for at in _inner(shape)})
        some = [at for at in values if any(at)]
        withheld = {*rng.sample(_inner(shape), min(4, len(_inner(shape)))), *rng.sample(some, 2)}
        withheld |= {(0,) * len(shape)} if seed % 4 == 0 else set()
        hidden = np.array([at in withheld for at in sorted(values)])
        array = np.array([-5.0 if at in withheld else float(values[at]) for at in sorted(values)])
        view = SumsView(array, hidden, np.full(len(array), float(floor)), sums)
        found = audit_magnitude(view, lambda *_: True)
        expected = intervals(shape, values, withheld, floor)
        low = [float(expected[at][0]) for at in sorted(withheld)]
        high = [
            float("inf") if expected[at][1] is None else float(expected[at][1]) for at in sorted(withheld)
        ]

        assert low == pytest.approx(found.low.tolist(), abs=1e-6)
        assert high == pytest.approx(found.high.tolist(), abs=1e-6)


def _people(shape, seed):
    """Inner cell -> what each of its persons contributes."""
    rng = random.Random(f"people {shape} {seed}")
    sizes = {at: rng.choice((0, 1, 2, 4, 6, 9)) for at in _inner(shape)}
    return {at: [rng.choice((1, 2, 5, 30, 200)) for _ in range(n)] for at, n in sizes.items()}


def _protected(folder, shape, people, seconds=2):
    names = [f"d{i}" for i in range(len(shape))]
    with (folder / "cells.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "freq", "bytes", *LARGEST])
        for at, given in people.items():
            largest = sorted(given, reverse=True)[:3]
            writer.writerow([*at, len(given), sum(given), *largest, *[0] * (3 - len(largest))])
    (folder / "table.yaml").write_text(
        f"dimensions: {{{', '.join(f'{n}: {{}}' for n in names)}}}\nzeros: known\n"
        f"magnitudes: {{bytes: {{largest: [{', '.join(LARGEST)}], publish: true}}}}\n"
        f"rules: {{minimum_persons: 3, p_percent: {P}, dominance: {{n: {N}, k: {K}}}, protect_percent: {SHARE}}}\n"
    )
    figures = protect_table(
        folder / "cells.csv", folder / "table.yaml", folder / "out.csv", for_partner=False, seconds=seconds
    )
    with (folder / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    return figures, {tuple(0 if r[n] == "_T" else int(r[n]) for n in names): r for r in rows}


def _level(given):
    """How far above its sum a sensitive cell must reach, as the rules' textbook has it."""
    given = sorted(given, reverse=True)
    first, two, total = given[0], sum(given[:2]), sum(given)
    return max(P / 100 * first - (total - two), sum(given[:N]) * 100 / K - total, SHARE / 100 * total)


@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_what_is_protected_stays_in_doubt_at_every_corner(shape, tmp_path):
    """Each withheld sum that may be a secret reaches its protection level above and below, by an oracle's corners."""
    secrets = 0
    for seed in range(6):
        people = _people(shape, seed)
        _, rows = _protected(tmp_path, shape, people)
        total = full(shape, {at: sum(given) for at, given in people.items()})
        withheld = {at for at, row in rows.items() if row["bytes"] == ""}
        found = intervals(shape, total, withheld, 0)
        for at in withheld:
            below = [g for i, given in people.items() for g in given if _is_below(i, at)]
            if rows[at]["status"] == "primary" or len(below) < 5:
                secrets += 1
                low, high = found[at]
                assert low <= max(total[at] - _level(below), 0) * (1 + 1e-6) + 1e-6
                assert high is None or high >= (total[at] + _level(below)) * (1 - 1e-6)

    assert secrets > 10


def _is_below(inner, at):
    return all(a in {0, i} for i, a in zip(inner, at, strict=True))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_counts_and_sums_are_withheld_together_and_pass_the_audit(shape, tmp_path):
    """A cell withheld in one measure is withheld in all; the audit takes the file back; published sums are true."""
    for seed in range(6):
        people = _people(shape, seed)
        _, rows = _protected(tmp_path, shape, people, seconds=1)
        total = full(shape, {at: sum(given) for at, given in people.items()})
        hidden = {at for at, row in rows.items() if row["status"] in {"primary", "secondary"}}

        assert hidden == {at for at, row in rows.items() if row["bytes"] == ""}
        assert hidden == {at for at, row in rows.items() if row["freq"] == ""}
        assert all(total[at] == int(row["bytes"]) for at, row in rows.items() if at not in hidden)
        assert 0 == audit_table(tmp_path / "out.csv", tmp_path / "table.yaml", None).exposed
