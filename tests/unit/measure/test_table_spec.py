import pytest

from usage_stats.config import OTHER, TOTAL, Component, Config, SubComponent, Table
from usage_stats.measure.cube import cube_from
from usage_stats.measure.table_spec import cube_of

CONFIG = Config(
    site="sample",
    components=(
        Component(name="news", paths=("/news",)),
        Component(
            name="shop", paths=("/shop",), sub_components=(SubComponent(name="basket", paths=("/shop/b",)),)
        ),
    ),
    tables={"a": Table(periods=("month",)), "b": Table(periods=("day", "month"), dimensions=("component",))},
)
CATEGORIES = (
    (TOTAL, TOTAL),
    ("news", TOTAL),
    ("shop", TOTAL),
    ("shop", "basket"),
    ("shop", OTHER),
    (OTHER, TOTAL),
)


def test_categories_are_the_configured_ones_with_totals_and_others():
    """Rows never depend on the data; what no rule names has a row of its own, on each level that has parts."""

    assert CATEGORIES == cube_of(CONFIG).categories


def test_every_category_appears_once():
    """A row told twice would count twice."""
    categories = cube_of(CONFIG).categories

    assert len(categories) == len(set(categories))


def test_kinds_of_period_are_those_that_some_table_wants_smallest_first():
    """One cube serves all tables."""

    assert ("day", "month") == cube_of(CONFIG).periods


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        (("shop", "basket"), (("shop", TOTAL), (TOTAL, TOTAL))),
        (("shop", OTHER), (("shop", TOTAL), (TOTAL, TOTAL))),
        (("shop", TOTAL), ((TOTAL, TOTAL),)),
        ((OTHER, TOTAL), ((TOTAL, TOTAL),)),
        ((TOTAL, TOTAL), ()),
    ],
)
def test_ancestors_are_the_wholes_nearest_first(category, expected):
    """A sub-component lies in its component, a component in the site, the site in nothing."""

    assert expected == cube_of(CONFIG).ancestors(category)


def test_frame_lists_the_categories():
    """What the models join with."""

    assert [(*c, "") for c in CATEGORIES] == [
        tuple(row.values()) for row in cube_of(CONFIG).frame().to_pylist()
    ]


def test_site_without_components_has_a_total_and_others():
    """The least cube there is."""

    assert ((TOTAL, TOTAL), (OTHER, TOTAL)) == cube_of(Config(site="sample")).categories


def test_cube_is_read_back_from_its_categories():
    """What a released period was cut by is in its rows."""
    cube = cube_of(CONFIG)

    assert cube == cube_from(list(cube.categories), cube.periods)
    assert cube.digest == cube_from(list(cube.categories), ("week",)).digest


def test_digest_tells_other_categories_apart():
    """A renamed, added or removed part is another cube; so is another order."""
    renamed = [(c, "cart" if s == "basket" else s) for c, s in CATEGORIES]
    cubes = [
        cube_from(listed, ("day",)) for listed in (CATEGORIES, renamed, CATEGORIES[:2], CATEGORIES[::-1])
    ]

    assert len(cubes) == len({cube.digest for cube in cubes})
