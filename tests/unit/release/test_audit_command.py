"""`usage-stats audit RELEASE...`: folders attacked together, and what is no folder."""

import json

import pytest
from released_folder import written
from typer.testing import CliRunner

from usage_stats.cli import app
from usage_stats.config import Table
from usage_stats.errors import InputError, SolverError
from usage_stats.release import pooled
from usage_stats.release.export import release_files
from usage_stats.release.table_cut import cut


@pytest.fixture
def folder(release, tmp_path):
    """One released folder: two of its cells are withheld."""
    return written(tmp_path, release_files(release, cut(release, "components", Table()), "acme-media"))


def _run(*words):
    return CliRunner().invoke(app, ["audit", *map(str, words)])


def test_released_folders_are_attacked_together(folder):
    """Without a specification, paths are releases: exit code 0 if nothing can be worked out."""
    found, told = _run(folder), json.loads(_run(folder, "--json").stdout)

    assert 0 == found.exit_code
    assert "2 withheld: none of them exposed" in found.stdout
    assert 1 == len(told)


def test_a_file_needs_its_specification(folder):
    """A table by itself does not say what its columns are; and intervals of releases are not written to a file."""
    (csv,) = folder.glob("*.csv")
    table, out = _run(csv), _run(folder, "--out", folder / "intervals.csv")

    assert isinstance(table.exception, InputError)
    assert "--spec" in str(table.exception)
    assert isinstance(out.exception, InputError)


def test_a_specification_is_of_one_table(folder):
    """Two files have two specifications."""
    found = _run(folder, folder, "--spec", folder / "table.yaml")

    assert isinstance(found.exception, InputError)
    assert "one by one" in str(found.exception)


def test_what_is_too_large_is_no_pass(folder, monkeypatch):
    """A system that would take hours is refused, and says what to do."""
    monkeypatch.setattr(pooled, "_MOST_TOGETHER", 1)
    found = _run(folder)

    assert isinstance(found.exception, SolverError)
    assert "give fewer tables or periods" in str(found.exception)
