"""checked_sum: right sums are the plain ones, wrong ones are refused with the reason."""

from collections import defaultdict
from datetime import date
from functools import cache
from itertools import product

import duckdb
import pytest
from site_with_tables import config_with, page_views, releases_of

from usage_stats.dimensions import MEASURES
from usage_stats.release.analysts_file import build_analysts_file
from usage_stats.release.table_cut import columns_of

TABLES = {
    "components": {},
    "hours": {"dimensions": ["hour", "weekday"], "periods": ["month"]},
    "by-referrer": {"dimensions": ["component", "referrer"], "periods": ["week", "month"]},
    "devices": {"dimensions": ["device"], "periods": ["week", "month"]},
    "depths": {"dimensions": ["visit_depth"], "periods": ["week", "month"]},
    "frequencies": {"dimensions": ["component", "visit_frequency"], "periods": ["month"]},
    "device-frequencies": {"dimensions": ["device", "visit_frequency"], "periods": ["month"]},
    "entries": {"dimensions": ["entry_component"], "periods": ["month"]},
    "types": {"dimensions": ["visitor_type"]},
}
KEPT = ("period_kind", "first_date", "last_date", "status", *MEASURES)


@cache
def _config():
    return config_with(TABLES)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Asks a file of many tables, of which nothing but a few rows is withheld."""
    path = tmp_path_factory.mktemp("warehouse") / "usage_stats.duckdb"
    build_analysts_file(path, releases_of(_config(), page_views()), _config().tables)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


def _refusal(ask, sql):
    with pytest.raises(duckdb.InvalidInputException, match=r"checked_sum: ") as caught:
        ask(sql)
    return str(caught.value)


def _dimensions(table):
    return [c.name for c in columns_of(_config().tables[table]) if c.additive_over is None][:-1]


def _cases():
    """Each table, measure, and one or two columns to sum over."""
    for name in TABLES:
        names = _dimensions(name)
        pairs = [(a, b) for a in names for b in names if a < b]
        for over, measure in product([*((n,) for n in names), *pairs], MEASURES):
            yield pytest.param(name, measure, over, id=f"{name} {measure} {'+'.join(over)}")


def _one_level(table, over):
    """A condition for rows that do not contain each other: parts along what is summed over."""
    conditions = ["period_kind = 'month'" if "month" in _config().tables[table].periods else "true"]
    conditions += [f"{name} <> '_T'" for name in over if name not in {"period", "sub_component"}]
    if "sub_component" in _dimensions(table):
        parts = "sub_component <> '_T' and sub_component not like '%/%'"
        conditions.append(parts if "sub_component" in over else "sub_component = '_T'")
    return " and ".join(conditions)


@pytest.mark.parametrize(("table", "measure", "over"), [*_cases()])
def test_sums_over_what_is_additive_are_the_plain_ones_and_no_others_are_made(ask, table, measure, over):
    """Over what the catalogue lists: the sum of the rows, none where one is withheld. Over anything else: an error."""
    groups = ", ".join(n for n in _dimensions(table) if n not in over) or "period_kind"
    rows = f'from "{table}" as t where {_one_level(table, over)}'
    listed = ask(
        f"select additive_over from catalog.columns where table_name = '{table}' and column_name = '{measure}'"  # noqa: S608 our own names
    )[0][0].split(", ")
    sql = f"select {groups}, checked_sum(t, '{measure}') {rows} group by {groups}"
    if set(over) <= set(listed) and not (table == "depths" and "period" in over):
        plain = defaultdict(list)
        for *group, value in ask(f"select {groups}, {measure} {rows}"):
            plain[tuple(group)].append(value)
        expected = {group: None if None in some else sum(some) for group, some in plain.items()}

        assert expected == {tuple(group): value for *group, value in ask(sql)}
        assert any(len(some) > 1 for some in plain.values())
    else:
        assert any(word in _refusal(ask, sql) for word in ("do not add up over", "the bins of"))


@pytest.mark.parametrize(
    ("table", "measure", "over"),
    [
        ("components", "page_views", "component"),
        ("by-referrer", "visits", "referrer"),
        ("by-referrer", "page_views", "component"),
        ("devices", "visits", "device"),
        ("hours", "visits", "weekday"),
        ("hours", "page_views", "hour"),
        ("entries", "visits", "entry_component"),
        ("depths", "page_views", "visit_depth"),
        ("frequencies", "visitors", "visit_frequency"),
        ("types", "visitors", "visitor_type"),
    ],
)
def test_a_sum_of_all_parts_is_the_released_whole(ask, table, measure, over):
    """What may be added up adds up to the row of the total."""
    others = [n for n in _dimensions(table) if n != over]
    also = "and sub_component = '_T'" if "sub_component" in others else ""
    found = ask(
        f"""with sums as (
            select {", ".join(others)}, checked_sum(t, '{measure}') as value
            from "{table}" as t where {over} <> '_T' {also} group by all
        )
        select value = {measure} from sums join "{table}" using ({", ".join(others)})
        where {over} = '_T' and value is not null"""  # noqa: S608 our own names
    )

    assert {(True,)} == set(found)


def test_days_add_up_to_their_month(ask):
    """Visits and page views of the days are those of the month; all in one query."""
    sums = "select checked_sum(c, 'visits'), checked_sum(c, 'page_views') from components as c"
    days = f"{sums} where period_kind = 'day' and component = '_T' and period like '2026-03-%'"

    assert ask(
        "select visits, page_views from components where period = '2026-03' and component = '_T'"
    ) == ask(days)


def test_a_withheld_row_makes_a_sum_unknown(ask):
    """Never too small: one withheld day, and the days' sum is NULL, where plain SQL would add up the rest."""
    where = "from components as c where period_kind = 'day' and component = 'jobs'"

    assert [(None,)] == ask(f"select checked_sum(c, 'page_views') {where}")
    assert ask(f"select sum(page_views) {where}")[0][0] > 0
    assert ask(f"select count(*) {where} and status = 'suppressed'")[0][0] > 0


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select checked_sum(c, 'page_views') from components as c", "several kinds of period"),
        (
            "select checked_sum(c, 'page_views') from components as c where period = '2026-03'",
            r"totals \(_T\) of component beside",
        ),
        (
            "select checked_sum(c, 'page_views') from components as c where period = '2026-03' and component <> '_T'",
            "keep one level of sub_component",
        ),
        (
            (
                "select checked_sum(c, 'page_views') from components as c "
                "where period = '2026-03' and sub_component in ('guides', 'guides/install')"
            ),
            "keep one level of sub_component",
        ),
        (
            "select checked_sum(t, 'visits') from \"by-referrer\" as t where period = '2026-03' and component = 'docs'",
            r"totals \(_T\) of referrer beside",
        ),
        (
            (
                "select checked_sum(c, 'visitors') from components as c "
                "where period_kind = 'day' and component = '_T'"
            ),
            "visitors of this table do not add up over period",
        ),
        (
            "select checked_sum(c, 'reach') from components as c",
            "reach does not add up; sums are of visitors",
        ),
        ("select checked_sum(c, 'nothing') from components as c", "sums are of visitors"),
        ("select checked_sum(c, 'opens') from components as c", "must see whole rows with"),
        (
            "select checked_sum(s, 'page_views') from (select component, page_views from components) as s",
            "write checked_sum",
        ),
        (
            (
                "select checked_sum(c, 'page_views') from components as c join devices as d using (period) "
                "where period = '2026-03' and c.component in ('home', 'jobs')"
            ),
            "a join multiplied rows",
        ),
        (
            (
                "select checked_sum(s, 'visits') from (select * exclude (referrer) from \"by-referrer\" "
                "where period = '2026-03' and component = 'docs') as s"
            ),
            "or a column that tells them apart was left out",
        ),
        (
            (
                "select checked_sum(d, 'visits') from depths as d "
                "where period_kind = 'month' and visit_depth = '20 or more'"
            ),
            "the bins of visit_depth differ from period to period",
        ),
        (
            (
                "select checked_sum(d, 'visits') from depths as d "
                "where period_kind = 'month' and visit_depth in ('1', '2')"
            ),
            "the bins of visit_depth differ",
        ),
    ],
)
def test_a_wrong_sum_says_why(ask, sql, reason):
    """What would count twice, mix kinds of period or hide a column is refused in words."""
    with pytest.raises(duckdb.InvalidInputException, match=reason):
        ask(sql)


@pytest.mark.parametrize("value", ["page_views", "'page_views'", "component"])
def test_a_column_in_place_of_the_row_is_refused(ask, value):
    """It must see the rows: a lone column says nothing of what it is summed over."""
    with pytest.raises(duckdb.Error):
        ask(f"select checked_sum({value}, 'page_views') from components")  # noqa: S608 our own names


def test_a_row_by_itself_is_no_sum(ask):
    """Grouped down to single rows, every measure is what it is, totals and withheld ones too."""
    sql = "select period, component, sub_component, {} from components as c {} order by all"
    keys = "group by period, component, sub_component"

    assert ask(sql.format("visitors", "")) == ask(sql.format("checked_sum(c, 'visitors')", keys))


def test_different_components_may_be_told_at_different_levels(ask):
    """A component by its parts and another as a whole do not overlap."""
    where = "where period = '2026-03' and (component = 'home' or sub_component in ('reference', 'guides'))"
    plain = ask(f"select sum(page_views) from components {where}")  # noqa: S608 our own names

    assert plain == ask(f"select checked_sum(c, 'page_views') from components as c {where}")  # noqa: S608 our own names


def test_no_rows_have_no_sum(ask):
    """An empty choice is unknown, as in SQL, and no error."""
    assert [(None,)] == ask("select checked_sum(c, 'visitors') from components as c where period = '1999'")


def test_a_row_that_an_outer_join_did_not_find_makes_a_sum_unknown(ask):
    """What is not there is not nought."""
    sql = """select checked_sum(c, 'page_views') from (values ('2026-03'), ('1999-03')) as wanted(code)
        left join (from components where component = '_T') as c on c.period = wanted.code"""

    assert [(None,)] == ask(sql)


@pytest.fixture
def ask_with_gaps(tmp_path):
    """Asks a file in which some periods were not released, and one lacks what a later one has of devices."""
    path = tmp_path / "usage_stats.duckdb"
    config = config_with(
        {"components": {}, "devices": {"dimensions": ["device"], "periods": ["day", "month"]}}
    )
    releases = releases_of(config, page_views(), without={"2026-03-20", "2026-W12"})
    bare = {r.period: r for r in releases_of(config, page_views(), shown_from=date(2026, 5, 1))}
    shown = [bare[r.period] if r.period.code == "2026-04-10" else r for r in releases]
    build_analysts_file(path, shown, config.tables)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


SITE = "select checked_sum(c, 'page_views') from components as c where component = '_T' and period between {}"
PHONES_WITHOUT_DEVICE = """select checked_sum(d, 'page_views')
    from (select * exclude (device) from devices where device = 'phone') as d where period between {}"""
PHONES = "select checked_sum(d, 'page_views') from devices as d where device = 'phone' and period between {}"


@pytest.mark.parametrize(
    ("sql", "span", "missing"),
    [
        (SITE, "'2026-03-18' and '2026-03-22'", "2026-03-20"),
        (SITE, "'2026-W10' and '2026-W14'", "2026-W12"),
        (PHONES, "'2026-04-09' and '2026-04-11'", "2026-04-10"),
        (PHONES_WITHOUT_DEVICE, "'2026-04-09' and '2026-04-11'", "2026-04-10"),
    ],
)
def test_a_sum_over_a_period_that_is_not_there_is_refused(ask_with_gaps, sql, span, missing):
    """A day between that was refused, or that the table does not show, would be missing from the sum."""
    with pytest.raises(duckdb.InvalidInputException, match=rf"are not in this table \({missing}\)"):
        ask_with_gaps(sql.format(span))


@pytest.mark.parametrize(
    ("sql", "span"),
    [
        (SITE, "'2026-03-21' and '2026-04-30' and period_kind = 'day'"),  # after the gap
        (SITE, "'2026-03' and '2026-04' and period_kind = 'month'"),  # the gap is of other kinds of period
        (SITE, "'2026-W13' and '2026-W17'"),
        (SITE, "'2026-04-09' and '2026-04-11'"),  # the gap is another table's
        (PHONES, "'2026-04-11' and '2026-04-30'"),
    ],
)
def test_a_sum_beside_what_is_not_there_is_made(ask_with_gaps, sql, span):
    """Gaps of other kinds of period, of other tables, or outside of the periods summed do no harm."""
    plain = sql.replace("checked_sum(c, 'page_views')", "sum(page_views)").replace(
        "checked_sum(d, 'page_views')", "sum(page_views)"
    )

    assert ask_with_gaps(plain.format(span)) == ask_with_gaps(sql.format(span))
    assert ask_with_gaps(plain.format(span))[0][0] > 0


def test_it_works_wherever_the_file_is_attached(ask, tmp_path):
    """Under another name, beside other databases, views and sums find their own tables."""
    path = tmp_path / "usage_stats.duckdb"
    config = config_with({"components": {}})
    build_analysts_file(path, releases_of(config, page_views()), config.tables)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as ours (read_only)")
        sums = "select ours.main.checked_sum(c, 'visits') from ours.components as c"
        sql = f"{sums} where period = '2026-03' and component = '_T'"
        found = connection.execute(sql).fetchall()
        months = connection.execute("select visits from ours.views.site_by_period where period = '2026-03'")

        assert found == months.fetchall()
