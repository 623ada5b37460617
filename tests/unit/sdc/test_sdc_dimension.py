"""Hierarchies put together as dimensions."""

import numpy as np
import pytest

from usage_stats.errors import ConfigError
from usage_stats.sdc.dimension import dimension_of
from usage_stats.sdc.hierarchy_files import read_hierarchy
from usage_stats.sdc.relations import Layout, sums_of

ADMIN = [("north", "a"), ("north", "b"), ("south", "c")]
SIZE = [("big", "a"), ("small", "b"), ("small", "c")]


def test_a_flat_dimension_has_its_leaves_and_a_total():
    """Without hierarchies, the codes found add up to the total."""
    flat = dimension_of("sector", (), ["x", "y", "x"])

    assert ("_T", "x", "y") == flat.codes
    assert ((0, (1, 2)),) == flat.families


def test_several_hierarchies_share_their_leaves():
    """All nodes of all hierarchies are there once, and both add up to the total."""
    both = dimension_of("region", [ADMIN, SIZE], ["a"])

    assert ("_T", "a", "b", "c", "north", "south", "big", "small") == both.codes
    assert {(0, (4, 5)), (0, (6, 7)), (4, (1, 2)), (5, (3,)), (6, (1,)), (7, (2, 3))} == set(both.families)


@pytest.mark.parametrize(
    ("hierarchies", "found", "node"),
    [
        ([[("a", "b"), ("b", "c"), ("c", "a")]], [], "above itself"),
        ([[("x", "a"), ("y", "a")]], [], "'a' is below both"),
        ([ADMIN, [("big", "a"), ("small", "b")]], [], "'c' is a leaf of one"),
        ([ADMIN], ["d"], "'d'"),
        ([ADMIN], ["north"], "'north'"),
        ([[("a", "_T")]], [], "the total _T is below"),
        ([], ["_T"], "_T"),
        (
            [[("n", "a"), ("n", "b"), ("s", "c")], [("n", "a"), ("s", "b"), ("s", "c")]],
            [],
            "'n' sums other leaves",
        ),
    ],
)
def test_unsound_hierarchies_are_refused_by_node(hierarchies, found, node):
    """A circle, two parents, other leaves, an unknown code: the message names the node."""
    with pytest.raises(ConfigError, match=node):
        dimension_of("region", hierarchies, found)


def test_hierarchy_files_are_read_as_pairs_or_levels(tmp_path):
    """Rows of parent,child and lines with a leading @ for each level say the same."""
    (tmp_path / "h.csv").write_text("parent,child\nnorth,a\nnorth,b\nsouth,c\n")
    (tmp_path / "h.hrc").write_text("north\n@a\n@ b\nsouth\n@c\n")
    pairs, levels = (dimension_of("r", [read_hierarchy(tmp_path / name)], []) for name in ("h.csv", "h.hrc"))

    assert pairs == levels


@pytest.mark.parametrize(
    ("name", "text"), [("h.csv", "a\n"), ("h.csv", ""), ("h.hrc", "a\n@@b\n"), ("h.csv", "a,\n")]
)
def test_a_file_that_is_no_hierarchy_is_refused(tmp_path, name, text):
    """A row that is no pair, a level that was skipped, nothing at all."""
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match=r"h\.(csv|hrc)"):
        read_hierarchy(tmp_path / name)


def test_margins_obey_every_sum():
    """Whatever the inner cells hold, each whole is the sum of its parts, along every hierarchy."""
    layout = Layout((dimension_of("region", [ADMIN, SIZE], []), dimension_of("sector", (), ["x", "y"])))
    counts = layout.with_margins(np.arange(6))
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])

    assert 24 == layout.size
    assert 15 == counts[0]
    assert not sums.residues(counts).any()


def test_sums_without_a_cell_that_stays_are_dropped():
    """Restricted to some cells, each sum keeps those; sums of none are gone."""
    layout = Layout((dimension_of("a", (), ["x", "y"]), dimension_of("b", (), ["x", "y"])))
    sums = sums_of(layout.shape, [d.families for d in layout.dimensions])
    kept = np.isin(np.arange(9), [4, 5])
    few = sums.restricted(kept)

    assert [[0], [1], [0, 1]] == sorted(
        (few.cells[a:b].tolist() for a, b in zip(few.start, few.start[1:], strict=False)), key=len
    )
