"""Small invented logs, around changes of the clock and ends of weeks and months: every cell is the oracle's."""

from datetime import date, datetime, timedelta

import pytest
from figures_told import confidential_cells, make_workspace
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from invented_log import (
    CASES,
    COMPONENTS,
    DEEP_COMPONENTS,
    HOSTS,
    country_of,
    drawn_log,
    group_of,
    write_lists,
)
from plain_count import BINNED, cells, is_told_right, starts_before
from plain_lines import requests_of
from plain_people import views_of
from plain_sums import broken_sums

from usage_stats.deidentify.browser import BrowserClassifier

TABLES = {
    "components": {"dimensions": ["component", "sub_component"]},
    "clock": {"dimensions": ["hour", "weekday"]},
    "hours": {"dimensions": ["component", "hour"], "periods": ["day"]},
    "ways": {"dimensions": ["component", "sub_component", "referrer"]},
    "ways_in_and_out": {"dimensions": ["entry_component", "exit_component"]},
    "depth": {"dimensions": ["visit_depth", "visit_duration"]},
    "depth_of_parts": {"dimensions": ["component", "visit_depth"], "periods": ["day", "week"]},
    "kinds": {"dimensions": ["component", "visitor_type"]},
    "frequency": {"dimensions": ["component", "visit_frequency"]},
    "groups": {"dimensions": ["customer_group", "entry_component"], "periods": ["week", "month"]},
}
COUNTRIES = {"countries": {"dimensions": ["component", "country"], "periods": ["week"]}}
PROGRAMS = {"programs": {"dimensions": ["browser", "device"], "periods": ["day", "week"]}}
# A case is a seed: there is nothing to shrink, and every try is a run.
SOME = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    database=None,
    phases=[Phase.generate],
)
LOGS = st.tuples(st.sampled_from(CASES), st.integers(3, 40), st.integers(0, 2**32), st.integers(0, 9))


@pytest.fixture(scope="module")
def ask():
    """Codes that need data of the pipeline's, or of the invented operator's."""
    classify = BrowserClassifier().classify
    return {
        "browser": lambda request: classify(request.agent).family,
        "device": lambda request: classify(request.agent).device,
        "country": country_of,
        "customer_group": group_of,
    }


def _compared(folder, monkeypatch, drawn, tables, ask, *, components=COMPONENTS):
    """What the pipeline counts of a drawn log, and what the oracle does; the names are those of both."""
    case, people, number, begins = drawn
    first_day = case.first + timedelta(begins) if begins < min(2, case.days) else None
    log = drawn_log(case, people, number)
    settings = {"components": components, "hosts": HOSTS, "time_zone": case.zone}
    settings |= {"first_day": first_day} if first_day else {}
    lists = write_lists(folder)
    make_workspace(folder / "workspace", {"access.log": log}, tables=tables, **settings, **_beside(lists))
    told = confidential_cells(folder / "workspace", monkeypatch)
    dimensions = {name for table in tables.values() for name in table["dimensions"]}
    wanted = {name: of for name, of in ask.items() if name in dimensions}
    requests = requests_of(log)
    views = views_of(requests, settings=settings, zone=case.clock, first_day=first_day, more=wanted)
    days = {datetime.fromtimestamp(request.at, case.clock).date() for request in requests}
    begun = min((day for day in days if first_day is None or day >= first_day), default=date.max)
    counted = cells(views, ["component", "sub_component"])
    for table in tables.values():
        counted |= cells(views, table["dimensions"], _kinds(table["dimensions"]))
    asked = {
        key
        for table in tables.values()
        for key in cells(views, table["dimensions"], table.get("periods", _kinds(table["dimensions"])))
        if not (first_day and starts_before(key[0], first_day))
        and (not _is_of_newcomers(key) or max(first_day or date.min, _monday(key[0])) >= begun)
    }
    return told, {key: tuple(figures) for key, figures in counted.items()}, asked


def _is_of_newcomers(key):
    return any(name == "visitor_type" for name, _ in key[1])


def _monday(day):
    """The first day of a day's week: of days before the log's first line nobody knows who came."""
    of = date.fromisoformat(day)
    return of - timedelta(of.weekday())


def _kinds(dimensions):
    """The kinds of period that all of the dimensions make sense for."""
    if "visitor_type" in dimensions:
        return ("day",)
    return ("week", "month") if {"weekday", "visit_frequency"} & set(dimensions) else ("day", "week", "month")


def _beside(lists):
    """The lists lie beside the workspace."""
    groups = lists["customer_groups"]
    return {
        "country_table": f"../{lists['country_table']}",
        "customer_groups": {**groups, "accounts": f"../{groups['accounts']}"},
    }


def _differences(told, counted, asked):
    """Cells that are told otherwise, and those asked for that are not told. Of bins, some that might be are not."""
    nobody = (0, 0, 0, 0)
    wrong = {
        key: (figures, counted.get(key, nobody))
        for key, figures in told.items()
        if not is_told_right(key, figures, counted.get(key, nobody))
    }
    missing = [key for key in asked - told.keys() if not any(name in BINNED for name, _ in key[1])]
    return wrong, missing


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.zone}-{case.first}")
@pytest.mark.slow
def test_each_table_alone_is_the_oracles(tmp_path, monkeypatch, ask, case, table):
    """One table in the workspace, whatever the clock does: no cell is another for what is counted beside it."""
    found = _compared(tmp_path, monkeypatch, (case, 30, 7, 9), {table: TABLES[table]}, ask)

    assert ({}, []) == _differences(*found)


def _check(folder, drawn, tables, ask, **more):
    with pytest.MonkeyPatch.context() as monkeypatch:
        told, counted, asked = _compared(folder, monkeypatch, drawn, tables, ask, **more)

    assert ({}, []) == _differences(told, counted, asked)
    assert [] == broken_sums(told)


def test_cells_of_components_are_the_oracles(tmp_path_factory, ask):
    """The tables that there were first: components and their parts."""

    @settings(SOME, max_examples=5)
    @seed(1)
    @given(LOGS)
    def check(drawn):
        _check(tmp_path_factory.mktemp("drawn"), drawn, {"components": TABLES["components"]}, ask)

    check()


def test_cells_of_all_tables_are_the_oracles(tmp_path_factory, ask):
    """Whatever was drawn, each cell of each table, margins and zeros included; and what adds up, does."""

    @settings(SOME, max_examples=5)
    @seed(2)
    @given(LOGS)
    def check(drawn):
        _check(tmp_path_factory.mktemp("drawn"), drawn, TABLES, ask)

    check()


def test_parts_of_parts_are_the_oracles(tmp_path_factory, ask):
    """A component's part that has parts of its own, alone and by referrer."""
    tables = {name: TABLES[name] for name in ("components", "ways")}

    @settings(SOME, max_examples=4)
    @seed(3)
    @given(LOGS)
    def check(drawn):
        _check(tmp_path_factory.mktemp("drawn"), drawn, tables, ask, components=DEEP_COMPONENTS)

    check()


@pytest.mark.parametrize("tables", [COUNTRIES, PROGRAMS], ids=lambda tables: next(iter(tables)))
def test_tables_with_lists_or_codes_of_two_kinds_are_the_oracles(tmp_path_factory, ask, tables):
    """With the operator's table of networks; with the pipeline's own word for a user agent."""

    @settings(SOME, max_examples=2)
    @seed(4)
    @given(LOGS)
    def check(drawn):
        _check(tmp_path_factory.mktemp("drawn"), drawn, tables, ask)

    check()


@pytest.mark.slow
def test_many_small_logs_are_the_oracles(tmp_path_factory, ask):
    """The same of many more, with every table at once."""

    @settings(SOME, max_examples=150)
    @given(LOGS)
    def check(drawn):
        _check(
            tmp_path_factory.mktemp("drawn"),
            drawn,
            TABLES | COUNTRIES | PROGRAMS,
            ask,
            components=DEEP_COMPONENTS,
        )

    check()
