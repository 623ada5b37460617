"""Every line of the rules and of the requirement has a test that fails without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rule_lines import LINES

ROOT = Path(__file__).resolve().parents[3]
SRC = ROOT / "src"


def _module(of, line):
    return of / "usage_stats" / "sdc" / f"{line.module}.py"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_each_line_stands_once_and_has_its_test(line):
    """The table of mutations follows the code: the text is there exactly once, and so is the test."""
    path, _, test = line.test.partition("::")

    assert 1 == _module(SRC, line).read_text(encoding="utf-8").count(line.text)
    assert 1 == (ROOT / path).read_text(encoding="utf-8").count(f"def {test}(")


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_each_line_is_missed_by_its_test(line, tmp_path):
    """Without the line, in a copy of the sources, the test fails, and not because it could not run."""
    shutil.copytree(SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    module = _module(tmp_path / "src", line)
    module.write_text(module.read_text(encoding="utf-8").replace(line.text, line.instead), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", line.test],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == run.returncode, run.stdout
    assert "1 failed" in run.stdout
