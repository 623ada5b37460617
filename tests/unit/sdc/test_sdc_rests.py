"""What withheld parts come to together: one row instead of several gaps, and nothing new."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.errors import InputError
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.relations import Layout
from usage_stats.sdc.rests import check_rests, rests_of, without_rests

TREE = [("/a/", "/a/1"), ("/a/", "/a/2"), ("/a/", "/a/3"), ("/b/", "/b/1"), ("/b/", "/b/2")]
LAYOUT = Layout(
    (
        dimension_of("page", [TREE], [leaf for _, leaf in TREE]),
        dimension_of("device", (), ["desktop", "phone", "tablet"]),
    )
)
FILE = Path("out.csv")
CASES = given(
    inner=st.lists(st.integers(0, 30), min_size=15, max_size=15),
    withheld=st.lists(st.booleans(), min_size=LAYOUT.size, max_size=LAYOUT.size),
)


def _told(frame):
    return {(row["page"], row["device"]): row["freq"] for row in frame.iter_rows(named=True)}


def _by_hand(counts, withheld):
    """The same by codes: of each whole, what its withheld parts really have."""
    at = {LAYOUT.codes(cell): cell for cell in range(LAYOUT.size)}
    pages = {"_T": ["/a/", "/b/"], "/a/": ["/a/1", "/a/2", "/a/3"], "/b/": ["/b/1", "/b/2"]}
    found = {}
    for page, device in at:
        wholes = [((page, f"(rest) {device}"), [(page, d) for d in ("desktop", "phone", "tablet")])]
        wholes = wholes if device == "_T" else []
        if page in pages:
            wholes.append(((f"(rest) {page}", device), [(p, device) for p in pages[page]]))
        for codes, parts in wholes:
            hidden = [at[part] for part in parts if withheld[at[part]]]
            if len(hidden) > 1 and not withheld[at[page, device]]:
                found[codes] = sum(int(counts[cell]) for cell in hidden)
    return found


@CASES
def test_a_rest_is_what_the_withheld_parts_of_a_published_whole_have(inner, withheld):
    """Worked out from published cells alone, it equals the sum of those that are not."""
    counts, hidden = LAYOUT.with_margins(np.array(inner)), np.array(withheld)
    seen = np.where(hidden, 999, counts)  # whatever stands at a withheld cell is not looked at

    assert _by_hand(counts, hidden) == _told(rests_of(LAYOUT, hidden, {"freq": seen}))


def _file(change=0):
    counts = LAYOUT.with_margins(np.arange(15))
    hidden = np.isin(np.arange(LAYOUT.size), [LAYOUT.dimensions[1].positions["phone"] + 4, 6])
    hidden[[5, 6, 9, 10]] = True
    rests = rests_of(LAYOUT, hidden, {"freq": counts}).with_columns(pl.col("freq") + change)
    return rests, hidden, {"freq": counts.astype(float)}


def test_the_rests_of_a_file_are_held_to_its_cells():
    """A row that says more or less than the published cells would be news about withheld ones."""
    rests, hidden, values = _file(change=1)

    assert len(rests)
    with pytest.raises(InputError, match="not what the published cells leave"):
        check_rests(FILE, rests, LAYOUT, hidden, values)


def test_a_rest_of_nothing_is_refused():
    """Of a withheld whole, or of one whose parts are published, there is no rest."""
    rests, hidden, values = _file()
    check_rests(FILE, rests, LAYOUT, hidden, values)
    other = rests.head(1).with_columns(page=pl.lit("(rest) /c/"))

    with pytest.raises(InputError, match="1 row"):
        check_rests(FILE, other, LAYOUT, hidden, values)


def test_the_same_rest_twice_is_refused():
    """Two rows of one name may say two things."""
    rests, hidden, values = _file()

    with pytest.raises(InputError, match="not what the published cells leave"):
        check_rests(FILE, pl.concat([rests, rests]), LAYOUT, hidden, values)


def test_rows_of_cells_are_told_from_rests():
    """By their status alone: a code may be anything."""
    rests, _, _ = _file()

    assert 0 == len(without_rests(rests))
