"""The questions that the README answers for analysts, run as they stand there."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from site_with_tables import config_with, page_views, releases_of

from usage_stats.release.analysts_file import build_analysts_file

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Questions for the analysts' file\n")[2].partition("\n## ")[0]
QUESTIONS = re.findall(r"^\*\*(\d+)\. .+?\*\*.*?\n\n```sql\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
# What each answer must look like: columns with their kinds, and what holds for every row.
ANSWERS = {
    1: (
        "period str, visitors int, visits int, frequency float, status str",
        lambda r: r[3] == r[2] / r[1] >= 1,
    ),
    2: ("visitors_rank int, component str, visitors int, reach float", lambda r: 0 < r[3] <= 1),
    3: (
        "period str, component str, visitors_before int, visitors int, visitors_change float",
        lambda r: abs(r[3] / r[2] - 1 - r[4]) < 1e-9,
    ),
    4: ("weekday str, hour str, page_views int, page_views_share float", lambda r: 0 < r[3] < 1),
    5: ("component str, referrer str, visits int, share float", lambda r: r[3] is None or 0 <= r[3] <= 1),
    6: ("period str, visits int, share float", lambda r: 0.2 < r[2] < 0.5),  # one in three, as invented
    7: (
        "period str, visit_frequency str, visitors int, share float",
        lambda r: r[3] is None or 0 <= r[3] < 1,
    ),
    8: ("day date, weekday str, returning_share float", lambda r: r[2] is None or 0 < r[2] < 1),
    9: ("sub_component str, page_views int, since date", lambda r: r[2] == date(2026, 3, 1) and r[1] > 0),
    10: (
        "period_kind str, state str, periods int, days_without_lines int, withheld_share float",
        lambda r: r[2] > 0 and 0 <= r[4] < 1,
    ),
}


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Asks the file of a site with the tables that the README names."""
    tables = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)[1])[
        "tables"
    ]
    config = config_with(tables)
    path = tmp_path_factory.mktemp("warehouse") / "usage_stats.duckdb"
    build_analysts_file(path, releases_of(config, page_views(), without={"2026-03-05"}), config.tables)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection.execute


def test_there_are_ten_questions():
    """Every block of SQL in the section belongs to a numbered question, and is run here."""
    assert list(map(str, ANSWERS)) == [number for number, _ in QUESTIONS]
    assert SECTION.count("```sql") == len(QUESTIONS)


@pytest.mark.parametrize(("number", "sql"), QUESTIONS, ids=[number for number, _ in QUESTIONS])
def test_the_question_has_an_answer(ask, number, sql):
    """It runs, has the columns one would expect, and rows that can be true."""
    shape, holds = ANSWERS[int(number)]
    answer = ask(sql)
    names = [column[0] for column in answer.description]
    rows = answer.fetchall()
    kinds = [pair.split() for pair in shape.split(", ")]

    assert [name for name, _ in kinds] == names
    assert len(rows) >= 2
    for place, (name, kind) in enumerate(kinds):
        found = {type(row[place]).__name__ for row in rows if row[place] is not None}
        assert {kind} == found, name
    known = [row for row in rows if None not in row]
    assert known
    assert [] == [row for row in known if not holds(row)]


def test_a_sum_of_the_questions_is_the_released_one(ask):
    """The page views of the parts, by the README's sum, are those that the component has in the months' rows."""
    rows = ask(dict(QUESTIONS)["9"]).fetchall()
    whole = "select sum(page_views) from components where period_kind = 'month' and {}".format
    docs = ask(whole("component = 'docs' and sub_component = '_T'")).fetchall()

    assert docs == [(sum(row[1] for row in rows),)]
