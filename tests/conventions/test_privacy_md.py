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
    if not path.is_file():
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for part in (name or "").split("::"):
        if not part:
            return True
        found = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == part]
        if not found:
            return False
        body = found[0].body
    return True


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
