"""The commands `protect` and `audit`, as one types them."""

import csv
import json
from dataclasses import replace

import polars as pl
import pytest
from typer.testing import CliRunner

from usage_stats.cli import app
from usage_stats.errors import AuditFailed, ConfigError, InputError
from usage_stats.sdc import protect

CELLS = {("a", "x"): 2, ("a", "y"): 8, ("b", "x"): 9, ("b", "y"): 11, ("c", "x"): 12, ("c", "y"): 0}
SPEC = "dimensions: {shop: {}, kind: {}}\nrules: {minimum_persons: 3}\n"


@pytest.fixture
def folder(tmp_path):
    """A small table in both formats, and its specification."""
    rows = [{"shop": a, "kind": b, "freq": n} for (a, b), n in CELLS.items() if n]
    pl.DataFrame(rows).write_csv(tmp_path / "cells.csv")
    pl.DataFrame(rows).write_parquet(tmp_path / "cells.parquet")
    (tmp_path / "table.yaml").write_text(SPEC)
    return tmp_path


def _run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def _protect(folder, out, *options, cells="cells.csv"):
    return _run("protect", folder / cells, "--spec", folder / "table.yaml", "--out", folder / out, *options)


def _rows(path):
    with path.open() as file:
        return {(r["shop"], r["kind"]): r for r in csv.DictReader(file)}


def test_every_combination_has_a_row_and_a_status(folder):
    """Margins are at _T; withheld counts are empty; safe, primary, secondary and zero are told apart."""
    result = _protect(folder, "out.csv", "--json")
    rows = _rows(folder / "out.csv")

    assert 0 == result.exit_code
    assert 12 == len(rows) == json.loads(result.stdout)["cells"]
    assert ("42", "safe") == (rows["_T", "_T"]["freq"], rows["_T", "_T"]["status"])
    assert ("", "primary") == (rows["a", "x"]["freq"], rows["a", "x"]["status"])
    assert "minimum_persons" == rows["a", "x"]["rules"]
    assert {"safe", "primary", "secondary", "zero"} >= {r["status"] for r in rows.values()}
    assert all((r["freq"] == "") == (r["status"] in {"primary", "secondary"}) for r in rows.values())


def test_a_partner_does_not_learn_why(folder):
    """--partner writes published and suppressed, and no rule."""
    _protect(folder, "out.csv", "--partner")
    rows = _rows(folder / "out.csv")

    assert {"published", "suppressed"} == {r["status"] for r in rows.values()}
    assert {"shop", "kind", "freq", "status"} == set(rows["a", "x"])


def test_a_cell_names_every_rule_that_it_breaks(folder):
    """Two rules, two names; one of them where only one is broken; none where the count is published."""
    (folder / "table.yaml").write_text(SPEC.replace("persons: 3", "persons: 3, homogeneity: [kind]"))
    (folder / "cells.csv").write_text("shop,kind,freq\na,x,2\na,y,0\nb,x,1\nb,y,9\n")
    _protect(folder, "out.csv")
    rules = {at: row["rules"] for at, row in _rows(folder / "out.csv").items()}

    assert "minimum_persons homogeneity of kind" == rules["a", "x"]
    assert "minimum_persons" == rules["b", "x"]
    assert "" == rules["_T", "_T"]


@pytest.mark.parametrize("options", [(), ("--partner",)])
@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
def test_what_is_protected_passes_the_audit(folder, out, options):
    """The audit takes the file back, with and without reasons, in both formats, and writes intervals."""
    _protect(folder, out, *options, cells="cells.parquet")
    result = _run(
        "audit", folder / out, "--spec", folder / "table.yaml", "--out", folder / "audited.csv", "--json"
    )
    rows = _rows(folder / "audited.csv")

    assert 0 == result.exit_code, result.output
    assert 0 == json.loads(result.stdout)["exposed"]
    assert {"false"} == {r["exposed"] for r in rows.values()}
    assert int(rows["a", "x"]["feasible_low"]) <= 2 <= int(rows["a", "x"]["feasible_high"])


def test_an_exposed_cell_is_named_with_the_sum_that_tells(folder):
    """A withheld count that its line gives away is exit code 14, and the equation is said in words."""
    rows = [
        {"shop": a, "kind": b, "freq": n, "status": "published"}
        for a, b, n in [
            ("_T", "x", 5),
            ("a", "x", None),
            ("b", "x", 3),
            ("_T", "_T", 5),
            ("a", "_T", 2),
            ("b", "_T", 3),
        ]
    ]
    rows[1]["status"] = "suppressed"
    pl.DataFrame(rows).write_csv(folder / "naive.csv")
    result = _run("audit", folder / "naive.csv", "--spec", folder / "table.yaml")

    assert AuditFailed.exit_code == result.exit_code
    assert "(a, x) is 2" in result.output
    assert "5 (_T, x) = (a, x) + 3" in result.output


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: rows[1:], "every one has a row"),
        (lambda rows: [*rows, rows[0]], "repeat"),
        (lambda rows: [rows[0] | {"status": "secret"}, *rows[1:]], "status"),
        (lambda rows: [rows[0] | {"freq": ""}, *rows[1:]], "withheld"),
        (lambda rows: [rows[0] | {"freq": "41"}, *rows[1:]], "add up"),
    ],
)
def test_a_file_that_is_no_protected_table_is_refused(folder, edit, message):
    """A missing, doubled or contradictory row is no table to pass: the audit fails closed."""
    _protect(folder, "out.csv")
    rows = edit(sorted(_rows(folder / "out.csv").values(), key=lambda r: (r["shop"], r["kind"])))
    pl.DataFrame(rows).write_csv(folder / "edited.csv")
    result = _run("audit", folder / "edited.csv", "--spec", folder / "table.yaml")

    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


def test_nothing_is_written_where_it_cannot_be_protected(folder, monkeypatch):
    """A choice that fails the audit leaves no file behind."""
    chosen = protect.choose
    monkeypatch.setattr(
        protect, "choose", lambda problem, **options: _leaky(chosen(problem, **options), problem)
    )
    result = _protect(folder, "out.csv")

    assert isinstance(result.exception, AuditFailed)
    assert ["cells.csv", "cells.parquet", "table.yaml"] == sorted(p.name for p in folder.iterdir())


def _leaky(choice, problem):
    return replace(choice, withheld=problem.sensitive)


def test_other_formats_are_refused(folder):
    """Files are known by their suffix; nothing else is written."""
    assert isinstance(_protect(folder, "out.xlsx").exception, ConfigError)
    assert isinstance(_protect(folder, "out.csv", cells="table.yaml").exception, InputError)


def test_the_same_table_is_protected_the_same_way(folder):
    """Two runs write the same bytes."""
    _protect(folder, "one.csv")
    _protect(folder, "two.csv")

    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_withheld_parts_are_told_together_where_that_is_asked_for(folder):
    """Parts and the rest add up to each published whole; an audit reads the file, and refuses a rest that is news."""
    (folder / "table.yaml").write_text(SPEC + "rests: true\n")
    assert 0 == _protect(folder, "out.csv", "--partner").exit_code
    rows = _rows(folder / "out.csv")
    rest = rows["(rest) _T", "x"]
    shown = sum(int(rows[shop, "x"]["freq"] or 0) for shop in "abc")

    assert ("rest", int(rows["_T", "x"]["freq"]) - shown) == (rest["status"], int(rest["freq"]))
    assert 0 == _run("audit", folder / "out.csv", "--spec", folder / "table.yaml").exit_code
    text = (folder / "out.csv").read_text()
    (folder / "out.csv").write_text(text.replace(f"(rest) _T,x,{rest['freq']}", "(rest) _T,x,12"))
    assert isinstance(
        _run("audit", folder / "out.csv", "--spec", folder / "table.yaml").exception, InputError
    )
