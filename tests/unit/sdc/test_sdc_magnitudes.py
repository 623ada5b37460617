"""Published magnitudes: protection levels by hand, what cannot be published, what an audit says of a file."""

import csv

import numpy as np
import pytest

from usage_stats.errors import AuditFailed, ConfigError, InputError
from usage_stats.flow.protect_table import audit_table, protect_table
from usage_stats.sdc import protect
from usage_stats.sdc.audit import View
from usage_stats.sdc.cells import read_cells
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.judged_magnitudes import audit_truth
from usage_stats.sdc.magnitudes import Levels, levels_of, sliding_share
from usage_stats.sdc.primary import sensitive_cells
from usage_stats.sdc.relations import Layout, sums_of
from usage_stats.sdc.table_spec import read_table_spec

HEAD = "dimensions: {shop: {}, kind: {}}\nzeros: known\n"
BYTES = "magnitudes: {bytes: {largest: [x1, x2], publish: true}}\n"
CELLS = """shop,kind,freq,bytes,x1,x2
a,x,9,100,70,25
a,y,9,100,30,20
b,x,9,100,30,20
b,y,9,100,30,20
"""


@pytest.fixture
def folder(tmp_path):
    """Four cells of nine persons each, and a specification that publishes their bytes."""
    (tmp_path / "t.yaml").write_text(HEAD + BYTES + "rules: {minimum_persons: 3, p_percent: 20}\n")
    (tmp_path / "c.csv").write_text(CELLS)
    return tmp_path


def _levels(folder):
    spec = read_table_spec(folder / "t.yaml")
    cells = read_cells(folder / "c.csv", spec)
    return cells, levels_of(cells, sensitive_cells(cells, spec), spec)[0]


def _level(folder, rules, magnitude=BYTES):
    """The levels below and above of cell a, x: of 100, the largest gave 70, the second 25."""
    (folder / "t.yaml").write_text(HEAD + magnitude + f"rules: {{minimum_persons: 3, {rules}}}\n")
    cells, levels = _levels(folder)
    at = [cells.layout.codes(c) for c in range(9)].index(("a", "x"))
    return float(levels.lower[at]), float(levels.upper[at])


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        # The second largest knows all but 5; a fifth of 70 is 14, so 9 are wanting.
        ("p_percent: 20, protect_percent: 1", 9),
        # 95 are 85 % of 111.76.
        ("dominance: {n: 2, k: 85}, protect_percent: 1", 95 / 0.85 - 100),
        ("p_percent: 20, dominance: {n: 2, k: 85}, protect_percent: 1", 95 / 0.85 - 100),
        ("protect_percent: 30", 30),
        ("p_percent: 20", 10),
        # Not sensitive by this rule: 5 of 70 are more than 7 %.
        ("p_percent: 7, protect_percent: 1", 1),
    ],
)
def test_levels_are_those_of_the_textbook(folder, rules, level):
    """Of several rules the furthest counts; the share is demanded whatever the rules say."""
    lower, upper = _level(folder, rules)

    assert level == pytest.approx(lower)
    assert level == pytest.approx(upper)


def test_a_magnitude_may_have_a_percentage_of_its_own(folder):
    """It stands instead of the rules', for the rule and for the level."""
    own = BYTES.replace("publish: true", "publish: true, p_percent: 30")

    assert (16, 16) == pytest.approx(_level(folder, "protect_percent: 1, p_percent: 7", own))


def test_no_level_lies_below_what_all_readers_know(folder):
    """Nine persons of at least 11 each gave 99 for sure: only 1 is open below, so more must be open above."""
    known = BYTES.replace("publish: true", "publish: true, at_least: 11")
    lower, upper = _level(folder, "protect_percent: 10", known)

    assert 1 == pytest.approx(lower)
    assert sliding_share(0.1) * (100 + upper) == pytest.approx(lower + upper)
    assert upper > 10


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_an_interval_with_its_levels_is_as_wide_as_a_file_must_show(share):
    """From (1 - s) to (1 + s) of a sum is exactly the sliding width; anything wider passes too."""

    assert 2 * share == pytest.approx(sliding_share(share) * (1 + share))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (HEAD.replace("known", "free") + BYTES, "zeros: known"),
        (HEAD.replace("zeros: known\n", "") + BYTES, "zeros: known"),
        (HEAD + BYTES.replace("bytes", "status"), "column of its own"),
        (HEAD + BYTES.replace("[x1, x2]", "[x1], p_percent: 10"), "2 largest"),
        (HEAD + "rules: {protect_percent: 51}", "protect_percent"),
    ],
)
def test_what_would_tell_of_counts_is_refused(tmp_path, spec, message):
    """A sum above zero says that somebody is there, so only with known zeros are sums published."""
    (tmp_path / "t.yaml").write_text(spec)

    with pytest.raises(ConfigError, match=message):
        read_table_spec(tmp_path / "t.yaml")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,x,9,-1,0,0", "no number of at least 0"),
        ("a,x,0,5,0,0", "nobody"),
        ("a,x,9,100,80,25", "largest contributions"),
    ],
)
def test_sums_that_cannot_be_are_refused(folder, row, message):
    """A sum below zero, of nobody, or below its parts is no sum; none of them is quoted."""
    (folder / "c.csv").write_text(CELLS.replace("a,x,9,100,70,25", row))

    with pytest.raises(InputError, match=message):
        _levels(folder)


def _protected(folder, **options):
    protect_table(folder / "c.csv", folder / "t.yaml", folder / "out.csv", **options, seconds=2)
    with (folder / "out.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("for_partner", [True, False])
def test_sums_are_published_where_counts_are(folder, for_partner):
    """Each row has a sum, or neither a sum nor a count; whole sums are written whole."""
    rows = _protected(folder, for_partner=for_partner)

    assert {"", "200", "100", "400"} >= {row["bytes"] for row in rows}
    assert all((row["freq"] == "") == (row["bytes"] == "") for row in rows)
    assert 4 == sum(row["bytes"] == "" for row in rows)
    assert 0 == audit_table(folder / "out.csv", folder / "t.yaml", None).exposed


def test_whoever_knows_the_sums_asks_for_doubt_both_ways():
    """A total that is withheld with one small part has no end above, but lies hardly below what is published."""
    layout = Layout((dimension_of("shop", (), ["a", "b"]),))
    hidden, none = np.array([True, True, False]), np.zeros(3, dtype=bool)
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])
    levels = Levels("bytes", np.array([200.0, 1.0, 199.0]), 0.1, np.zeros(3), np.zeros(3))
    view = View(np.array([20, 10, 10]), hidden, none, sums)
    found = audit_truth(view, levels, none)

    assert [199, 0] == pytest.approx(found.low.tolist())
    assert [True, False] == found.exposed.tolist()
    assert [False, False] == audit_truth(view, levels, hidden).exposed.tolist()


# Counts of 1 to 3 each are wide at a minimum of 2; of the sums, a holds 101 and b 200, x 200 and y 101.
NAIVE = """shop,kind,freq,bytes,status
_T,_T,8,301,published
a,_T,4,101,published
b,_T,4,200,published
_T,x,4,200,published
_T,y,4,101,published
a,x,,,suppressed
a,y,,,suppressed
b,x,,,suppressed
b,y,,,suppressed
"""


def _audited(folder, share, text=NAIVE):
    (folder / "naive.csv").write_text(text)
    (folder / "t.yaml").write_text(
        HEAD + BYTES + f"rules: {{minimum_persons: 2, protect_percent: {share}}}\n"
    )
    found = audit_table(folder / "naive.csv", folder / "t.yaml", folder / "audited.csv")
    with (folder / "audited.csv").open() as file:
        return found, {row["shop"] + row["kind"]: row for row in csv.DictReader(file)}


def test_a_sum_that_is_too_narrow_is_exposed(folder):
    """From 99 to 200 is wide enough for a third both ways, and not for 40 %; the counts are wide all along."""
    found, rows = _audited(folder, 40)

    assert ("99.0", "200.0") == (rows["bx"]["bytes_low"], rows["bx"]["bytes_high"])
    assert ("0.0", "101.0") == (rows["ax"]["bytes_low"], rows["ax"]["bytes_high"])
    assert ["bx"] == [at for at, row in rows.items() if row["exposed"] == "true"]
    assert ("(b, x): bytes lies between 99 and 200",) == found.reasons
    assert 0 == _audited(folder, 33)[0].exposed


def test_a_narrow_sum_of_a_cell_that_is_surely_no_secret_is_not_exposed(folder):
    """With 40 persons more in b, x, nobody doubts that it is large: what is demanded of sums is no more either."""
    text = NAIVE.replace("_T,8,", "_T,48,").replace("b,_T,4,", "b,_T,44,").replace("_T,x,4,", "_T,x,44,")

    assert 0 == _audited(folder, 40, text)[0].exposed


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("a,x,,,", "a,x,,3,", "withheld"),
        ("b,_T,4,200,", "b,_T,4,,", "published one"),
        ("b,_T,4,200,", "b,_T,4,-200,", "at least 0"),
        ("_T,_T,8,301,", "_T,_T,8,300,", "add up"),
        ("a,_T,4,101,", "a,_T,4,101.5,", "add up"),
    ],
)
def test_a_file_whose_sums_are_wrong_is_refused(folder, before, after, message):
    """A sum where none may be, none where one must be, or sums that contradict one another."""
    with pytest.raises(InputError, match=message):
        _audited(folder, 10, NAIVE.replace(before, after))


def test_nothing_is_written_where_a_sum_is_told(folder, monkeypatch):
    """A choice that looks at counts alone leaves no file behind if it leaves a sum too narrow."""
    monkeypatch.setattr(
        protect, "choose_for_sums", lambda problem, _, choose, seconds: choose(problem, seconds)
    )
    (folder / "c.csv").write_text(
        "shop,kind,freq,bytes,x1,x2\na,x,2,500,300,200\na,y,9,1,1,0\nb,x,9,1,1,0\nb,y,90,900,30,20\n"
        "c,x,90,900,30,20\nc,y,90,900,30,20\n"
    )
    with pytest.raises(AuditFailed):
        _protected(folder, for_partner=True)

    assert not (folder / "out.csv").exists()
    monkeypatch.undo()
    assert 12 == len(_protected(folder, for_partner=True))
    assert 0 == audit_table(folder / "out.csv", folder / "t.yaml", None).exposed


def test_decimal_sums_are_written_as_decimal(folder):
    """Sums of figures with one decimal have one decimal, whatever floats make of them."""
    text = CELLS.replace(",100,70,25", ",100.1,70,25").replace(",100,30,20", ",100.2,30,20")
    (folder / "c.csv").write_text(text)
    (folder / "t.yaml").write_text(HEAD + BYTES + "rules: {minimum_persons: 3}\n")
    rows = _protected(folder, for_partner=True)

    assert {"100.1", "100.2", "200.3", "200.4", "400.7"} == {row["bytes"] for row in rows}
