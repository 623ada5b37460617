"""Which of a release's cells a table shows, in which order, in which columns; and ratios of published figures only."""

from dataclasses import replace
from datetime import date

import pytest

from usage_stats.config import Config, Table
from usage_stats.measure.cube import Cube, written
from usage_stats.measure.table_spec import breakdown_of, codes_of, cube_of, further_categories
from usage_stats.periods import week
from usage_stats.release.table_cut import columns_of, cut, is_shown_by

PERIOD = week(date(2026, 3, 2))
COMPONENTS = [
    {
        "name": "shop",
        "paths": ["/s"],
        "sub_components": [
            {"name": "guides", "paths": ["/g"], "sub_components": [{"name": "install", "paths": ["/i"]}]},
        ],
    },
    {"name": "news", "paths": ["/n"]},
]
# Not in the order of names, so that an order by name is noticed.
CONFIG = Config(site="s", components=COMPONENTS, country_table="c.mmdb", countries=["FR", "DE"])
TREE = cube_of(CONFIG)
PARTS = ["_T", "guides", "guides/install", "guides/(other)", "(other)"]
ALL = ("visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit")
BY_COUNTRY = Table(dimensions=["component", "country"], measures=ALL)


def _row(category, figures):
    status = "published" if figures else "suppressed"
    return (PERIOD.code, *written(category), *(figures or (None, None, None)), status)


@pytest.fixture
def release_of(release):
    """A release of the tables' cells: 200 visitors, twice the visits and six times the page views, but for some."""

    def make(*tables, figures=None):
        breakdowns = [breakdown_of(table) for table in tables]
        further = further_categories(TREE, [b for b in breakdowns if b.dimensions], codes_of(CONFIG))
        cells = Cube(TREE.parts_of, ("week",), further).categories
        given = figures or {}
        return replace(
            release, period=PERIOD, rows=tuple(_row(c, given.get(c, (200, 400, 1200))) for c in cells)
        )

    return make


def _names(table):
    return [column.name for column in columns_of(table)]


def _codes(shown, number):
    return [row[1 : 1 + number] for row in shown.rows]


def test_columns_are_the_period_the_dimensions_the_figures_and_the_status():
    """Components first, further dimensions and figures as the settings list them."""
    table = Table(dimensions=["device", "sub_component", "hour", "component"], measures=["visits", "reach"])

    assert [
        *("period", "component", "sub_component", "device", "hour", "visits", "reach", "status"),
    ] == _names(table)
    assert ["period", "country", "visitors", "visits", "page_views", "status"] == _names(
        Table(dimensions=["country"])
    )


def test_a_table_of_components_shows_no_other_dimension(release_of):
    """Whatever other tables break down, the rows are those of the tree, in its order."""
    release = release_of(BY_COUNTRY)

    assert [("_T",), ("shop",), ("news",), ("(other)",)] == _codes(
        cut(release, "t", Table(dimensions=["component"])), 1
    )
    assert [("_T", "_T"), *(("shop", part) for part in PARTS), ("news", "_T"), ("(other)", "_T")] == _codes(
        cut(release, "t", Table(dimensions=["component", "sub_component"])), 2
    )


def test_every_total_is_a_row_and_totals_come_first(release_of):
    """Each component with each country, in the settings' order; `_T` stands for all of them."""
    expected = [
        (component, country)
        for component in ("_T", "shop", "news", "(other)")
        for country in ("_T", "FR", "DE", "(other)")
    ]

    assert expected == _codes(cut(release_of(BY_COUNTRY), "t", BY_COUNTRY), 2)


def test_a_table_without_components_is_of_the_whole_site(release_of):
    """Its rows are the totals of a table that has both."""
    found = cut(release_of(BY_COUNTRY), "t", Table(dimensions=["country"]))

    assert [("_T",), ("FR",), ("DE",), ("(other)",)] == _codes(found, 1)


@pytest.mark.parametrize("dimensions", [["device", "country"], ["country", "device"]])
def test_codes_stand_in_the_columns_of_their_names(release_of, dimensions):
    """However the settings order the dimensions, a phone is no country."""
    table = Table(dimensions=dimensions)
    found = cut(release_of(table), "t", table)
    devices, countries = (
        {row[found.key.index(name)] for row in found.rows} for name in ("device", "country")
    )

    assert {"_T", "desktop", "phone", "tablet", "tv or console", "other"} == devices
    assert {"_T", "FR", "DE", "(other)"} == countries
    assert len(devices) * len(countries) == len(found.rows)


def test_two_tables_show_the_same_of_the_cell_they_share(release_of):
    """What is withheld in one is withheld in the other."""
    figures = {("_T", "_T", "country=DE"): None}
    tables = [BY_COUNTRY, Table(dimensions=["country"], measures=ALL)]
    first, second = (cut(release_of(BY_COUNTRY, figures=figures), "t", table) for table in tables)
    total = {row[2]: row[3:] for row in first.rows if row[1] == "_T"}

    assert total == {row[1]: row[2:] for row in second.rows}
    assert (None,) * 6 + ("suppressed",) == total["DE"]
    assert (1, 1) == (first.withheld, second.withheld)


def test_ratios_are_of_published_figures(release_of):
    """Visitors by the site's, visits by visitors, page views by visits, to four decimals."""
    figures = {("_T", "_T"): (300, 500, 1600), ("news", "_T", "country=DE"): (100, 110, 350)}
    found = cut(release_of(BY_COUNTRY, figures=figures), "t", BY_COUNTRY)
    rows = {row[1:3]: row[3:] for row in found.rows}

    assert (100, 110, 350, 0.3333, 1.1, 3.1818, "published") == rows["news", "DE"]
    assert (300, 500, 1600, 1.0, 1.6667, 3.2, "published") == rows["_T", "_T"]


def test_a_withheld_figure_has_no_ratio_and_nobody_divides_by_none(release_of):
    """A share of what is withheld would tell it; a share of nobody is none."""
    nobody, withheld = ("news", "_T", "country=DE"), ("news", "_T", "country=FR")
    figures = {nobody: (0, 0, 0), withheld: None}
    rows = {row[1:3]: row[3:] for row in cut(release_of(BY_COUNTRY, figures=figures), "t", BY_COUNTRY).rows}

    assert (0, 0, 0, 0.0, None, None, "published") == rows["news", "DE"]
    assert (None,) * 6 + ("suppressed",) == rows["news", "FR"]


def test_no_reach_where_the_whole_site_is_withheld(release_of):
    """Shares of it would tell it."""
    table = Table(dimensions=["component"], measures=["visitors", "reach"])
    found = cut(release_of(table, figures={("_T", "_T"): None}), "t", table)

    assert {None} == {row[3] for row in found.rows}
    assert {200, None} == {row[2] for row in found.rows}


def _additive(table):
    return {c.name: c.additive_over for c in columns_of(table) if c.additive_over is not None}


@pytest.mark.parametrize(
    ("dimensions", "visitors", "visits", "page_views"),
    [
        (["component", "sub_component"], (), ("period",), ("period", "component", "sub_component")),
        (["component", "hour"], (), ("period",), ("period", "component", "hour")),
        (["component", "country"], (), ("period", "country"), ("period", "component", "country")),
        (["visitor_type"], ("visitor_type",), ("period", "visitor_type"), ("period", "visitor_type")),
        (["weekday", "device"], (), ("period", "weekday", "device"), ("period", "weekday", "device")),
        (["component", "visit_frequency"], *[("visit_frequency",)] * 3),
        (["country", "visit_frequency"], *[("visit_frequency",)] * 3),
    ],
)
def test_what_may_be_added_up_is_said_of_each_column(dimensions, visitors, visits, page_views):
    """Where somebody may be in several rows, or in another row of the whole, no sum is right; of ratios none is."""
    table = Table(dimensions=dimensions, measures=ALL)
    ratios = dict.fromkeys(ALL[3:], ())

    assert {"visitors": visitors, "visits": visits, "page_views": page_views, **ratios} == _additive(table)


def test_the_key_tells_rows_apart(release_of):
    """Period and dimensions, no figure and no status; no two rows have the same."""
    found = cut(release_of(BY_COUNTRY), "t", BY_COUNTRY)

    assert ("period", "component", "country") == found.key
    assert len(found.rows) == len({row[:3] for row in found.rows})


@pytest.mark.parametrize(
    ("told", "asked", "is_shown"),
    [
        ([], ["component"], True),
        ([], ["country"], False),
        (["device"], ["country"], False),
        (["component", "country"], ["component", "country"], True),
        (["component", "country"], ["country"], True),
        (["country", "device"], ["device"], True),
        (["country"], ["component", "country"], False),
        (["component", "country"], ["component", "sub_component", "country"], False),
        (["country"], ["country", "device"], False),
    ],
)
def test_a_table_that_was_asked_for_later_is_left_out(release_of, told, asked, is_shown):
    """A release shows a table only where it tells all of its components; half a table would look like a whole one."""
    tables = [Table(dimensions=told)] if told else []

    assert is_shown == is_shown_by(release_of(*tables), Table(dimensions=asked))
