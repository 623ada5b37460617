import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from usage_stats import sqlmodel
from usage_stats.errors import InternalError, SchemaError
from usage_stats.sqlmodel import PRIVACY_CLASSES, Database, load_model, model_names, run_model

CANARY = "canary-7f3a"
GOOD = """-- model.grain   = one row per name
-- model.privacy = confidential
-- model.reads   = raw.thing
-- model.column  = name | what it is called | text
-- model.column  = amount | how many there are | count
-- model.unique  = name
-- model.assert  = amount > 0
select name, amount from raw.thing order by name
"""
ROWS = pa.table({"name": ["b", "a"], "amount": [2, 1]})


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Puts a model's text where models are, and gives its name."""
    monkeypatch.setattr(sqlmodel, "_root", lambda: tmp_path / "sql")

    def write(text, name="made.thing"):
        path = tmp_path / "sql" / f"{name.replace('.', '/')}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    return write


def _failure(name, inputs=None, **options):
    with pytest.raises(SchemaError) as caught:
        run_model(name, {"raw.thing": ROWS} if inputs is None else inputs, **options)
    return caught.value


def _told(error):
    """All that a log of the error could show."""
    return f"{error!r} {error.__cause__!r} {'' if error.__suppress_context__ else repr(error.__context__)}"


def test_a_model_gives_its_rows(model):
    """A model whose result keeps what the header says is returned as it is."""
    result = run_model(model(GOOD), {"raw.thing": ROWS})

    assert [{"name": "a", "amount": 1}, {"name": "b", "amount": 2}] == result.to_pylist()


def test_the_header_is_read(model):
    """Grain, class, inputs, columns with meaning and unit, key and assertions."""
    found = load_model(model(GOOD))

    assert ("one row per name", "confidential", ("raw.thing",)) == (found.grain, found.privacy, found.reads)
    assert (("name", "what it is called", "text"), ("amount", "how many there are", "count")) == tuple(
        (c.name, c.meaning, c.unit) for c in found.columns
    )
    assert (("name",), ("amount > 0",)) == (found.unique, found.asserts)


def test_an_unknown_key_names_the_allowed_ones(model):
    """A misspelt key is an error: a check that is not read is not made."""
    name = model(GOOD.replace("model.unique ", "model.uniqe "))
    with pytest.raises(
        SchemaError, match=r"model\.uniqe; allowed: assert, column, grain, privacy, reads, unique"
    ):
        load_model(name)


@pytest.mark.parametrize("line", ["-- model.privacy = confidential\n", "-- model.column"])
def test_class_and_columns_are_needed(model, line):
    """A model without a privacy class or without documented columns is not run."""
    text = "".join(x for x in GOOD.splitlines(keepends=True) if not x.startswith(line.strip()))
    with pytest.raises(SchemaError, match=r"needs model\.column lines and a model\.privacy"):
        load_model(model(text))


@pytest.mark.parametrize("privacy", ["public", "Shareable", "confidential, shareable", "''"])
def test_an_unknown_class_is_refused(model, privacy):
    """A privacy class is one of four words."""
    with pytest.raises(SchemaError, match="identified"):
        load_model(model(GOOD.replace("confidential", privacy)))


@pytest.mark.parametrize("line", ["name | text", "name", "name | a | b | c"])
def test_a_column_has_three_parts(model, line):
    """Every column has a meaning and a unit."""
    with pytest.raises(SchemaError, match=r"name \| meaning \| unit"):
        load_model(model(GOOD.replace("name | what it is called | text", line)))


@pytest.mark.parametrize(
    "name", ["made.nothing", "../made.thing", "made/thing", "made.thing.more", "Made.thing", "made", ""]
)
def test_other_names_are_no_models(model, name):
    """Only `schema.table` of a file that is there; the message lists those that are."""
    model(GOOD)
    with pytest.raises(SchemaError, match=r"models are: made\.thing"):
        load_model(name)


@pytest.mark.parametrize(
    "select",
    ["name", "name, amount, 1 as more", "amount, name", "name, amount as Amount", "name as called, amount"],
)
def test_columns_are_those_of_the_header(model, select):
    """A column missing, added, renamed or out of order is an error that names columns only."""
    text = GOOD.replace("select name, amount from raw.thing order by name", f"select {select} from raw.thing")  # noqa: S608 the test's own text

    assert "its header says ['name', 'amount']" in str(_failure(model(text)))


def test_a_broken_key_tells_the_number_of_keys_only(model):
    """Rows that share a key are an error; which rows is not told."""
    rows = pa.table({"name": [CANARY, CANARY, "x"], "amount": [1, 2, 3]})
    error = _failure(model(GOOD), {"raw.thing": rows})

    assert "made.thing: rows share a key of (name) (1 rows)" in str(error)
    assert CANARY not in _told(error)


def test_a_broken_assertion_tells_the_number_of_rows_only(model):
    """Rows that break an assertion are an error; which rows is not told."""
    rows = pa.table({"name": [CANARY, "x", "y"], "amount": [-1, 0, 1]})
    error = _failure(model(GOOD), {"raw.thing": rows})

    assert "made.thing: rows break `amount > 0` (2 rows)" in str(error)
    assert CANARY not in _told(error)


def test_what_cannot_be_decided_is_no_pass(model):
    """An assertion about a null is not kept: what is not known to be right is wrong."""
    rows = pa.table({"name": ["a"], "amount": pa.array([None], pa.int64())})

    assert "(1 rows)" in str(_failure(model(GOOD), {"raw.thing": rows}))


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("select name, amount", "select name, cast(name as integer) as amount"),
        GOOD.replace("amount > 0", "cast(name as integer) > 0"),
    ],
    ids=["in the select", "in an assertion"],
)
def test_the_engine_quotes_no_value(model, text):
    """Where the engine's own message quotes a row, ours says its class and the model."""
    error = _failure(model(text), {"raw.thing": pa.table({"name": [CANARY], "amount": [1]})})

    assert "made.thing" in str(error)
    assert "ConversionException" in str(error)
    assert CANARY not in _told(error)


@pytest.mark.parametrize("inputs", [{}, {"raw.thing": ROWS, "raw.other": ROWS}, {"raw.other": ROWS}])
def test_inputs_are_those_of_the_header(model, inputs):
    """What a model reads is what its header says: no input missing, none too many."""
    with pytest.raises(InternalError, match=r"made\.thing reads"):
        run_model(model(GOOD), inputs)


def test_an_input_the_header_does_not_name_cannot_be_read(model, tmp_path):
    """SQL that reads past its header fails."""
    text = GOOD.replace("from raw.thing", "from raw.thing join raw.secret using (name)")

    assert "CatalogException" in str(_failure(model(text)))


def test_an_input_of_an_earlier_model_cannot_be_read(model):
    """A model sees its own inputs only, also in a database that ran others before."""
    later = GOOD.replace("= raw.thing", "= raw.later").replace(
        "from raw.thing", "from raw.thing join raw.later using (name)"
    )
    first, second = model(GOOD), model(later, "made.later")
    with Database() as database:
        database.run(first, {"raw.thing": ROWS})
        with pytest.raises(SchemaError, match="CatalogException"):
            database.run(second, {"raw.later": ROWS.select(["name"])})


def test_one_database_runs_many_models(model, tmp_path):
    """In a database used before, whatever the shape of the inputs was, a model gives what it gives alone."""
    pq.write_table(pa.table({"name": ["p"], "amount": [3]}), tmp_path / "p.parquet")
    shapes = [
        ROWS,
        [tmp_path / "p.parquet"],
        pl.DataFrame({"name": ["f"], "amount": [4]}),
        ROWS,
        [tmp_path / "p.parquet"],
    ]
    names = [model(GOOD), model(GOOD.replace("raw.thing", "raw.other"), "made.other")]
    runs = [(n, {"raw.thing" if n == names[0] else "raw.other": s}) for s in shapes for n in names]
    with Database() as database:
        together = [database.run(name, inputs).to_pylist() for name, inputs in runs]

    assert [run_model(name, inputs).to_pylist() for name, inputs in runs] == together


def test_a_failed_model_leaves_the_database_usable(model):
    """One model's broken rows do not stop the next."""
    name = model(GOOD)
    with Database() as database:
        with pytest.raises(SchemaError):
            database.run(name, {"raw.thing": pa.table({"name": ["a"], "amount": [0]})})

        assert 2 == database.run(name, {"raw.thing": ROWS}).num_rows


def test_input_names_are_plain(model):
    """An input's name goes into SQL, so it is schema.table and nothing else."""
    name = model(GOOD.replace("raw.thing", "raw.thing; drop"))
    with pytest.raises(InternalError, match=r"schema\.table"):
        run_model(name, {"raw.thing; drop": ROWS})


@pytest.mark.parametrize("kind", ["arrow", "polars", "parquet"])
def test_tables_frames_and_files_are_the_same_to_a_model(model, tmp_path, kind):
    """The same rows in any of the three shapes give the same result."""
    for n in (0, 1):
        pq.write_table(ROWS.slice(n, 1), tmp_path / f"{n}.parquet")
    shapes = {
        "arrow": ROWS,
        "polars": pl.DataFrame({"name": ["b", "a"], "amount": [2, 1]}),
        "parquet": [tmp_path / "0.parquet", tmp_path / "1.parquet"],
    }

    assert ["a", "b"] == run_model(model(GOOD), {"raw.thing": shapes[kind]})["name"].to_pylist()


def test_files_are_named_not_matched(model, tmp_path):
    """A path with signs of a pattern in it is that file, never another that the pattern fits."""
    for folder, amount in (("site[1]", 1), ("site1", 2)):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.table({"name": ["x"], "amount": [amount]}), tmp_path / folder / "x.parquet")
    result = run_model(model(GOOD), {"raw.thing": [tmp_path / "site[1]" / "x.parquet"]})

    assert [1] == result["amount"].to_pylist()


def test_folder_names_are_no_columns(model, tmp_path):
    """`key=value` in a path is where the file lies, not a value of its rows."""
    (tmp_path / "amount=7").mkdir()
    pq.write_table(ROWS, tmp_path / "amount=7" / "x.parquet")
    result = run_model(model(GOOD), {"raw.thing": [tmp_path / "amount=7" / "x.parquet"]})

    assert [1, 2] == result["amount"].to_pylist()


def test_parameters_are_values(model):
    """A parameter is put in as a value, never as text; one that the model does not use is left out."""
    text = GOOD.replace("order by", "where name = $wanted order by")
    wanted = "a' or 'a' = 'a"
    result = run_model(model(text), {"raw.thing": ROWS}, parameters={"wanted": wanted, "unused": 1})

    assert 0 == result.num_rows


def test_a_missing_parameter_is_told_without_values(model):
    """A model that is not given its parameter fails as that model."""
    text = GOOD.replace("order by", "where name = $wanted order by")

    assert "made.thing" in str(_failure(model(text)))


@pytest.mark.parametrize(("spill", "expected"), [(None, ""), ("spill", "spill")])
def test_rows_are_spilled_only_where_allowed(model, tmp_path, spill, expected):
    """Without a restricted folder nothing is written to disk; with one, it is written there."""
    folder = tmp_path / spill if spill else None
    with Database(folder) as database:
        result = database.run(model(_setting("temp_directory")), {})

    assert (str(tmp_path / expected) if expected else "") == result["found"][0].as_py()


def _setting(name):
    """A model that tells a setting of the engine."""
    return (
        "-- model.privacy = confidential\n-- model.column = found | the setting | text\n"
        f"select current_setting('{name}')::varchar as found\n"
    )


def test_time_is_utc(model):
    """The machine's time zone changes no result."""
    assert "UTC" == run_model(model(_setting("TimeZone")), {})["found"][0].as_py()


def test_no_extension_is_fetched(model):
    """A model cannot make the engine download code."""
    found = run_model(model(_setting("autoinstall_known_extensions")), {})["found"][0].as_py()

    assert "false" == found


def test_every_model_of_ours_can_be_loaded():
    """Each file under sql/ has a header that is understood, with a grain and a class."""
    models = [load_model(name) for name in model_names()]

    assert models
    assert all(m.grain and m.reads and m.privacy in PRIVACY_CLASSES for m in models)


def test_a_model_is_one_select():
    """No file under sql/ holds more than one statement, and that one only reads."""
    found = {name: duckdb.extract_statements(load_model(name).sql) for name in model_names()}

    assert {} == {n: s for n, s in found.items() if [duckdb.StatementType.SELECT] != [x.type for x in s]}


def test_a_database_that_runs_no_model_is_never_opened(monkeypatch):
    """Opening one costs more than a small model: who only may need it pays nothing."""
    monkeypatch.setattr(duckdb, "connect", None)

    with Database() as database:
        pass

    assert database._opened is None  # noqa: SLF001 whether it is open shows nowhere else
