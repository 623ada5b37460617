"""PRIVACY.md names a module and a test for each promise; all of them exist."""

import ast
import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRIVACY = ROOT / "PRIVACY.md"
SPAN = re.compile(r"`([^`\n]+)`")
TEST = re.compile(r"(tests/[\w/]+\.py)(?:::([\w:]+))?(?:\[.*\])?")
FOLDERS = ("src/", "pipelines/", "sql/", "tests/", "data/", "docs/")

pytestmark = pytest.mark.skipif(not PRIVACY.is_file(), reason="PRIVACY.md is not written yet")


def _spans():
    return SPAN.findall(PRIVACY.read_text(encoding="utf-8"))


def _named_tests():
    return [(match[1], match[2]) for span in _spans() if (match := TEST.fullmatch(span))]


def _rows():
    """The cells of each row of each table, without headers and rules."""
    lines = PRIVACY.read_text(encoding="utf-8").splitlines()
    below = [b for a, b in itertools.pairwise(lines) if a.startswith("|") and b.startswith("|")]
    return [line for line in below if not set(line) <= set("|-: ")]


def test_promises_are_named_with_their_tests():
    """There is a table of promises, and it names tests."""
    assert _named_tests(), "write tests as `tests/attack/test_x.py::test_y`"


def test_every_promise_has_a_test():
    """Each row of a table that names a module names a test too."""
    untested = [
        row[:60] for row in _rows() if re.search(r"`(?:src/)?[\w/]+\.py`", row) and "tests/" not in row
    ]

    assert [] == untested


def test_every_named_test_exists():
    """File, class and function of each named test are there."""
    missing = [f"{path}::{name}" for path, name in _named_tests() if not _has_test(ROOT / path, name)]

    assert [] == missing, "write the test, or name the one that keeps the promise"


def _has_test(path, name):
    """Whether a file holds tests, or the very one named: `test_x`, `TestX` or `TestX::test_y`."""
    if not path.is_file():
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    if not name:
        return any(_is_test(node) or _is_class_of_tests(node) for node in body)
    *classes, last = name.split("::")
    for part in classes:
        body = next((n.body for n in body if _is_class_of_tests(n) and n.name == part), [])
    return any(n.name == last for n in body if _is_test(n) or _is_class_of_tests(n))


def _is_test(node):
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return is_function and node.name.startswith("test_")


def _is_class_of_tests(node):
    return isinstance(node, ast.ClassDef) and node.name.startswith("Test") and any(map(_is_test, node.body))


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        ("", True),
        ("test_plain", True),
        ("test_parametrised", True),
        ("TestClass", True),
        ("TestClass::test_method", True),
        ("test_method", False),
        ("TestClass::test_plain", False),
        ("TestOther::test_method", False),
        ("TestClass::helper", False),
        ("test_missing", False),
        ("test_pl", False),
        ("test_nested", False),
        ("helper", False),
        ("TestEmpty", False),
    ],
)
def test_a_missing_test_is_noticed(tmp_path, name, is_there):
    """Functions and classes are found where pytest finds them, and nothing else passes for one."""
    path = tmp_path / "test_x.py"
    path.write_text(
        "import pytest\ndef helper():\n    def test_nested(): ...\ndef test_plain(): ...\n"
        "@pytest.mark.parametrize('a', [1])\ndef test_parametrised(a): ...\n"
        "class TestClass:\n    def test_method(self): ...\n    def helper(self): ...\nclass TestEmpty: ...\n"
    )

    assert is_there == _has_test(path, name)
    assert not _has_test(tmp_path / "test_missing.py", name)


@pytest.mark.parametrize(
    "span", ["tests/a/test_x.py::test_y", "tests/a/test_x.py::TestX::test_y[1-a b]", "tests/a/t.py"]
)
def test_tests_are_recognised_as_such(span):
    """With a class, a case of a parametrised one, or a file alone."""
    found = TEST.fullmatch(span)

    assert ["tests", "a"] == found[1].split("/")[:2]
    assert (found[2] or "") in {"test_y", "TestX::test_y", ""}


def _promises(text):
    """The cells of each row of the table of promises: promise, caveat, module, test."""
    table = text.split("| promise |", 1)[-1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table]


def _faults(promises):
    """What is wrong with which row."""
    found = []
    for cells in promises:
        spans = [SPAN.findall(cell) for cell in cells]
        if len(cells) != 4 or not cells[0]:
            found.append(("cells", cells[0][:60]))
        elif not spans[2] or not all(
            (ROOT / name).is_file() and name.endswith((".py", ".sql")) for name in spans[2]
        ):
            found.append(("module", cells[0][:60]))
        elif not spans[3] or not all(
            (m := TEST.fullmatch(t)) and _has_test(ROOT / m[1], m[2]) for t in spans[3]
        ):
            found.append(("test", cells[0][:60]))
    return found


def test_every_promise_names_its_caveat_module_and_test():
    """Four cells a row, of which only the caveat may be empty; modules and tests are there, and no promise is made
    twice.
    """
    promises = _promises(PRIVACY.read_text(encoding="utf-8"))
    names = [cells[0] for cells in promises]

    assert len(promises) > 30
    assert [] == _faults(promises)
    assert [] == [name[:60] for name in dict.fromkeys(names) if names.count(name) > 1]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("| a | b | `src/usage_stats/errors.py` | `tests/conventions/test_privacy_md.py` |", []),
        (
            "| a | | `src/usage_stats/errors.py` | `tests/conventions/test_docs.py`, `tests/unit/test_errors.py` |",
            [],
        ),
        ("| a | `src/usage_stats/errors.py` | `tests/conventions/test_privacy_md.py` |", ["cells"]),
        ("| a | b | | `tests/conventions/test_privacy_md.py` |", ["module"]),
        ("| a | b | `src/usage_stats/missing.py` | `tests/conventions/test_privacy_md.py` |", ["module"]),
        ("| a | b | `src/usage_stats/errors.py` | |", ["test"]),
        ("| a | b | `src/usage_stats/errors.py` | `tests/conventions/test_missing.py` |", ["test"]),
        (
            "| a | b | `src/usage_stats/errors.py` | `tests/conventions/test_privacy_md.py::test_missing` |",
            ["test"],
        ),
    ],
)
def test_a_row_that_lacks_something_is_noticed(row, fault):
    """A cell, a module, a test: each is missed."""
    text = f"| promise | caveat | module | test |\n|---|---|---|---|\n{row}\n\nmore"

    assert fault == [what for what, _ in _faults(_promises(text))]


def test_every_named_file_exists():
    """Each path of the project that is named is there; modules may be named from src/usage_stats on."""
    paths = [span.split("::")[0] for span in _spans() if _is_path(span)]
    missing = [
        p for p in paths if not any((base / p).exists() for base in (ROOT, ROOT / "src" / "usage_stats"))
    ]

    assert [] == missing


def _is_path(span):
    return re.fullmatch(r"[\w./-]+\.(?:py|sql|md|yaml|toml)(?:::\w+)*", span) is not None or (
        span.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", span) is not None
    )
