import pytest

from usage_stats.config import OTHER, TOTAL, Component, Config, SubComponent, Table
from usage_stats.measure.cube import by_of, cube_from, written
from usage_stats.measure.table_spec import PERSONS, breakdowns_of, codes_of, cube_of, stored_codes

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


# ---------------------------------------------------------------- trees of any depth, and what tables break down

DEEP = (
    {
        "name": "shop",
        "paths": ["/s"],
        "sub_components": [
            {
                "name": "guides",
                "paths": ["/g"],
                "sub_components": [
                    {
                        "name": "install",
                        "paths": ["/i"],
                        "sub_components": [{"name": "linux", "paths": ["/l"]}],
                    }
                ],
            },
            {"name": "basket", "paths": ["/b"]},
        ],
    },
)
DEEP_CATEGORIES = (
    (TOTAL, TOTAL),
    ("shop", TOTAL),
    ("shop", "guides"),
    ("shop", "guides/install"),
    ("shop", "guides/install/linux"),
    ("shop", "guides/install/(other)"),
    ("shop", "guides/(other)"),
    ("shop", "basket"),
    ("shop", OTHER),
    (OTHER, TOTAL),
)


def _config(*dimensions, **settings):
    """One table of each of these lists of dimensions."""
    tables = {f"t{n}": {"dimensions": names} for n, names in enumerate(dimensions)}
    base = {"site": "s", "components": DEEP, "country_table": "c.mmdb", "countries": ["DE", "FR"]}
    return Config.model_validate(base | {"tables": tables} | settings)


def test_a_tree_of_any_depth_has_a_path_for_each_part_and_others_on_each_level():
    """Each whole before its parts; what no part names is its `(other)`."""
    assert DEEP_CATEGORIES == cube_of(_config(["component", "sub_component"])).categories


def test_ancestors_in_a_deep_tree_are_nearest_first():
    """Up to the site, one level after the other."""
    found = cube_of(_config(["component", "sub_component"])).ancestors(("shop", "guides/install/linux"))

    assert (("shop", "guides/install"), ("shop", "guides"), ("shop", TOTAL), (TOTAL, TOTAL)) == found


@pytest.mark.parametrize(
    ("dimensions", "depth", "number"),
    [
        (["country"], 0, 3),
        (["component", "country"], 1, 3 * 3),
        (["component", "sub_component", "country"], 2, 10 * 3),
        (["country", "device"], 0, 4 * 6 - 1),
    ],
)
def test_a_table_breaks_down_as_deep_as_it_says(dimensions, depth, number):
    """Each component it shows, with each code and each total; the totals of all of them are there anyway."""
    config = _config(dimensions)
    (breakdown,) = breakdowns_of(config)

    assert depth == breakdown.depth
    assert number == len(cube_of(config).further) == len(set(cube_of(config).further))


def test_tables_share_the_cells_of_their_margins():
    """What two tables show alike is one cell: one figure, one status."""
    alone = [cube_of(_config(names)).further for names in (["component", "country"], ["country", "device"])]
    both = cube_of(_config(["component", "country"], ["country", "device"])).further

    assert set(alone[0]) | set(alone[1]) == set(both)
    assert len(both) == len(set(both)) < len(alone[0]) + len(alone[1])


def test_codes_of_a_category_stand_in_one_order():
    """However the settings list dimensions, a cell has one name."""
    found = [set(cube_of(_config(names)).further) for names in (["device", "country"], ["country", "device"])]

    assert found[0] == found[1]
    assert (TOTAL, TOTAL, "device=phone|country=DE") in found[0]


@pytest.mark.parametrize("name", ["weekday", "visit_frequency", "visitor_type"])
def test_what_is_told_apart_later_is_no_category_of_usage_rows(name):
    """Days of the week, and what is said of persons, are counted from rows that do not name them."""
    config = _config(["component", name], ["component", "country", name])

    assert not any(name in by_of(category) for category in cube_of(config).categories)
    assert any("country" in by_of(category) for category in cube_of(config).categories)


def test_a_dimension_by_kind_of_period_is_that_of_the_tables_that_come_by_it():
    """A table for weeks breaks down no day."""
    config = _config(["country"], ["weekday"])

    assert ((0, ("country",)),) == breakdowns_of(config, "day")
    assert ((0, ("country",)), (0, ("weekday",))) == breakdowns_of(config, "week")


def test_every_split_of_a_breakdown_is_a_whole_with_all_of_its_parts():
    """Along countries all countries, along components all components."""
    cube = cube_of(_config(["component", "country"]))
    found = {(split.dimension, split.whole): len(split.parts) for split in cube.splits}

    assert 3 == found["country", (TOTAL, TOTAL)] == found["country", ("shop", TOTAL)]
    assert 2 == found["category", (TOTAL, TOTAL, "country=DE")]
    assert 4 == found["category", ("shop", "guides")] + found["category", ("shop", "guides/install")]


@pytest.mark.parametrize(
    "dimensions",
    [
        [["component", "sub_component", "country"], ["device"]],
        [["country", "device"], ["component", "hour"]],
        [["component", "visit_depth", "visit_duration"], ["entry_component", "exit_component"]],
    ],
)
def test_a_cube_read_back_hangs_together_as_before(dimensions):
    """From a release's rows the same wholes and parts follow, so that later releases reckon with the same."""
    cube = cube_of(_config(*dimensions))
    again = cube_from([written(category) for category in cube.categories], cube.periods)

    assert cube.categories == again.categories
    assert {(s.dimension, s.whole): set(s.parts) for s in cube.splits} == {
        (s.dimension, s.whole): set(s.parts) for s in again.splits
    }
    assert all(cube.ancestors(category) == again.ancestors(category) for category in cube.categories)


@pytest.mark.parametrize(
    "settings",
    [
        {"countries": ["DE"]},
        {"countries": ["FR", "DE"]},
        {"countries": []},
    ],
)
def test_rows_counted_under_other_codes_tell_another_thing(settings):
    """A country more or less: days before and after the change cannot be one figure."""
    before, after = (stored_codes(_config(["country"], **some)) for some in ({}, settings))

    assert before.isdisjoint(after)
    assert before == stored_codes(_config(["country"]))


def test_components_are_codes_of_where_visits_begin():
    """A component more is another code of entries; of countries it changes nothing."""
    fewer = {"components": []}
    entries, countries = (
        [stored_codes(_config([name], **some)) for some in ({}, fewer)]
        for name in ("entry_component", "country")
    )

    assert entries[0].isdisjoint(entries[1])
    assert countries[0] == countries[1]


def test_what_rows_tell_is_named_by_what_is_stored_of_it():
    """Days of the week need nothing more; who is new needs networks by person, and so does how often."""
    plain, more = stored_codes(_config(["country"])), stored_codes(_config(["country", "weekday"]))
    persons = stored_codes(_config(["component", "visitor_type"]))

    assert plain == more
    assert {PERSONS} == persons == stored_codes(_config(["visit_frequency"]))
    assert frozenset() == stored_codes(_config(["component", "sub_component"], ["weekday"]))


@pytest.mark.parametrize(
    ("dimensions", "known", "is_told"),
    [
        (["country"], ["country"], True),
        (["country"], ["device"], False),
        (["component", "country"], ["country"], False),
        (["country", "weekday"], ["country"], True),
        (["weekday"], [], True),
        (["visitor_type"], ["country"], False),
        (["visitor_type"], ["visit_frequency"], True),
        (["country", "visit_frequency"], ["visit_frequency"], False),
    ],
)
def test_rows_tell_what_was_asked_for_when_they_were_counted(dimensions, known, is_told):
    """A breakdown is told if every code of it was stored, and persons' networks where it is about persons."""
    (breakdown,) = breakdowns_of(_config(dimensions))
    config = _config(*([known] if known else []))

    told = stored_codes(config) | {f"{name}@version" for name in config.event_attributes}

    assert is_told == breakdown.is_told_by(told, codes_of(config))
