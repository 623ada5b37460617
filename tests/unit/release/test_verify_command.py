"""`usage-stats verify`: what a partner reads, the exit codes, and that nothing is needed or written."""

import hashlib
import json

import pytest
from released_folder import PACKAGE, Forged, written

from usage_stats import cli
from usage_stats.config import Table
from usage_stats.release.export import release_files
from usage_stats.release.table_cut import cut

INPUT, SHAPE = 11, 12


@pytest.fixture(scope="module")
def files(release):
    """The files of one folder."""
    return release_files(release, cut(release, "components", Table()), "acme-media")


@pytest.fixture
def typed(monkeypatch, capfd):
    """Runs the command line; gives exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["usage-stats", "verify", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capfd.readouterr()
        return end.value.code or 0, captured.out, captured.err

    return run


def _changed(files):
    forged = Forged(files)
    forged.row(component="(other)")["page_views"] += 5
    return forged.files()


def test_a_good_folder_is_said_to_be_good(files, tmp_path, typed):
    """Each check with its count, the number of folders and rows, exit code 0, and no bar where nobody watches."""
    written(tmp_path / "2026-03-02", files)
    code, out, err = typed(tmp_path)

    assert (0, "") == (code, err)
    assert f"ok     {tmp_path / '2026-03-02'}: files 3 · columns 7 · copies 7 · keys 7" in out
    assert "1 folders, 7 rows: all complete and consistent\nfingerprint " in out


def test_a_failed_check_is_one_line_with_its_place(files, tmp_path, typed):
    """Folder, check, how many, and the first by its coordinates."""
    written(tmp_path / "2026-03-02", _changed(files))
    code, out, _ = typed(tmp_path)

    assert SHAPE == code
    assert f"FAILED {tmp_path / '2026-03-02'}: " in out
    assert "       sums: 1 wrong; period 2026-03-02, whole site: 9000 page_views, but 9005 in its 4" in out
    assert "1 folders, 7 rows: 1 failed" in out


def test_json_is_one_object_a_folder(files, tmp_path, typed):
    """For machines: folder, verdict, digest of the package, and every check."""
    written(tmp_path / "a", files)
    written(tmp_path / "b", {**files, "components.csv": b""})
    code, out, _ = typed(tmp_path, "--json")
    good, bad = (json.loads(line) for line in out.splitlines())

    assert (INPUT, True, False) == (code, good["passed"], bad["passed"])
    assert hashlib.sha256(files[PACKAGE]).hexdigest() == good["package_sha256"]
    assert [{"check": "files", "checked": 3, "failed": 1}] == [
        {name: value for name, value in check.items() if name != "first"} for check in bad["checks"]
    ]


def test_no_workspace_is_needed_and_nothing_is_written(files, tmp_path, typed, monkeypatch):
    """A read-only folder anywhere, with any working directory."""
    folder = written(tmp_path / "here", files)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    folder.chmod(0o500)
    before = sorted(tmp_path.rglob("*"))

    assert 0 == typed(folder)[0]
    assert before == sorted(tmp_path.rglob("*"))


def test_a_path_that_is_not_there_is_an_error(tmp_path, typed):
    """One message, exit code 11."""
    code, out, err = typed(tmp_path / "nowhere")

    assert (INPUT, "") == (code, out)
    assert err.startswith(f"error: {tmp_path / 'nowhere'}: no such folder")
