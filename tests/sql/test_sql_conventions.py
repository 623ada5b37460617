"""Every model under sql/ keeps to what its header promises and to the project's rules for SQL."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from usage_stats.sqlmodel import PRIVACY_CLASSES, load_model, model_names

SQL = Path(__file__).resolve().parents[2] / "sql"
MODELS = model_names()
# What each class may read: `frame` are the table's own categories, no data.
READABLE = {
    "restricted": {"event", "usage", "frame"},
    "confidential": {"usage", "cell", "frame"},
    "shareable": {"release"},
}
ENDINGS = {"restricted": {"event", "usage"}, "confidential": {"cell"}, "shareable": {"warehouse", "release"}}


def _parsed(name):
    return sqlglot.parse_one(load_model(name).sql, dialect="duckdb")


def _body(name):
    """The model's text without comments and quoted values."""
    text = re.sub(r"--.*", "", load_model(name).sql)
    return re.sub(r"'[^']*'|\"[^\"]*\"", "''", text)


def test_every_file_under_sql_is_a_model():
    """Nothing lies beside the models that nobody runs: one file per model, named by its folder."""
    files = {f"{p.parent.name}.{p.stem}" for p in SQL.rglob("*") if p.is_file()}

    assert files == set(MODELS)
    assert len(files) >= 6


@pytest.mark.parametrize("name", MODELS)
def test_documented_columns_are_the_selected_ones(name):
    """The header names every column of the result, in its order."""
    selected = _parsed(name).named_selects

    assert [column.name for column in load_model(name).columns] == selected


@pytest.mark.parametrize("name", MODELS)
def test_reads_are_the_tables_that_the_sql_reads(name):
    """No input is forgotten in the header, none is promised in vain."""
    parsed = _parsed(name)
    own = {cte.alias for cte in parsed.find_all(exp.CTE)}
    read = {".".join(p.name for p in table.parts) for table in parsed.find_all(exp.Table)}

    assert set(load_model(name).reads) == read - own


@pytest.mark.parametrize("name", MODELS)
def test_model_reads_only_what_its_class_may_read(name):
    """Shareable models see released figures alone; confidential ones no events."""
    model = load_model(name)

    assert {read.partition(".")[0] for read in model.reads} <= READABLE[model.privacy]


@pytest.mark.parametrize("name", MODELS)
def test_folder_tells_the_privacy_class(name):
    """What a model returns belongs where its class is kept."""
    privacy = load_model(name).privacy

    assert privacy in PRIVACY_CLASSES
    assert name.partition(".")[0] in ENDINGS[privacy]


@pytest.mark.parametrize("name", MODELS)
def test_header_states_grain_meaning_and_unit(name):
    """A reader learns what a row is and what a number counts without reading the SQL."""
    model = load_model(name)

    assert model.grain.startswith("one row per ")
    assert all(column.meaning and column.unit for column in model.columns)
    assert set(model.unique) <= {column.name for column in model.columns}


@pytest.mark.parametrize("name", MODELS)
def test_columns_of_the_result_are_named_one_by_one(name):
    """A star in the last SELECT would let a column through that nobody decided on."""
    last = _parsed(name)

    assert isinstance(last, exp.Select)
    assert [] == [select for select in last.selects if select.find(exp.Star) and not select.find(exp.Count)]


@pytest.mark.parametrize("name", MODELS)
def test_no_row_is_cut_off_silently(name):
    """A limit or a sample would drop rows without a word."""
    parsed = _parsed(name)

    assert not list(parsed.find_all(exp.Limit, exp.TableSample, exp.Fetch))


@pytest.mark.parametrize("name", MODELS)
def test_values_come_as_parameters_only(name):
    """No brace that a format string would fill, no number of a policy in the text."""
    text = load_model(name).sql
    numbers = {literal.this for literal in _parsed(name).find_all(exp.Literal) if not literal.is_string}

    assert not re.search(r"[{}]|%s", text)
    assert numbers <= {"0", "1"}


@pytest.mark.parametrize("name", MODELS)
def test_keywords_are_lower_case(name):
    """Upper case is for the texts of codes."""

    assert _body(name) == _body(name).lower()


@pytest.mark.parametrize("name", MODELS)
def test_rows_that_leave_have_an_order(name):
    """Same inputs, same bytes: what is written to files or shown to analysts is sorted by its whole key."""
    model, parsed = load_model(name), _parsed(name)
    if not model.unique:
        pytest.skip("rows have no key: the next model sorts them")
    ordered = {column.name for column in parsed.args["order"].find_all(exp.Column)}

    assert set(model.unique) <= ordered


@pytest.mark.parametrize("name", MODELS)
def test_join_never_multiplies_by_accident(name):
    """Every join says on what."""
    joins = list(_parsed(name).find_all(exp.Join))

    assert all(join.args.get("on") or join.args.get("using") for join in joins)
