"""A log through a pipe: `cat access.log | usage-stats run --stdin SOURCE`."""

import gzip
import json
import subprocess
import sys

import pytest

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CONFIG, INPUT = 10, 11
VISITORS = 15


def _access_log(day):
    """One page view each, from networks of their own."""
    lines = (
        f'10.{n}.{n}.7 - - [{day:02}/Apr/2026:10:{n:02}:00 +0000] "GET / HTTP/1.1" 200 5 "-" "{AGENT}"\n'
        for n in range(VISITORS)
    )
    return "".join(lines).encode()


def _workspace(root, **source):
    """A workspace with one day of logs in a file."""
    (root / "logs").mkdir(parents=True)
    (root / "logs" / "1.log").write_bytes(_access_log(1))
    settings = {
        "site": "piped",
        "sources": [{"name": "web", "logs": ["logs/*"], **source}],
        "components": [{"name": "home", "paths": ["/"]}],
        "partners": [{"id": "acme"}],
    }
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


@pytest.fixture
def workspace(tmp_path):
    """A workspace of its own."""
    return _workspace(tmp_path / "workspace")


def _piped(content, workspace, *arguments):
    """Send bytes through a pipe into a run in a process of its own: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "usage_stats", "run", "-w", str(workspace), *arguments],
        input=content,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _releases(root):
    top = root / "releases"
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_log_through_a_pipe_counts_like_one_in_a_file(workspace, tmp_path, pack):
    """Beside the source's own files, packed or not: the same folders, byte for byte."""
    twin = _workspace(tmp_path / "twin")
    (twin / "logs" / "2.log").write_bytes(_access_log(2))
    code, out, err = _piped(pack(_access_log(2)), workspace, "--stdin", "web", "--json")
    _piped(b"", twin)

    assert 0 == code, err
    assert (2 * VISITORS, 2 * VISITORS) == (json.loads(out)["lines"], json.loads(out)["parsed"])
    assert _releases(twin) == _releases(workspace)
    assert {"2026-04-01", "2026-04-02"} == {name.split("/")[2] for name in _releases(workspace)}


@pytest.mark.parametrize("day", [1, 2], ids=["as a file", "through a pipe"])
def test_a_log_that_was_read_counts_no_more_through_the_pipe(workspace, day):
    """One line counts once, whichever way it came before."""
    before_any = ("--to", "2026-03-31")  # nothing is sealed meanwhile
    _piped(_access_log(2), workspace, "--stdin", "web", *before_any)
    code, out, _ = _piped(_access_log(day), workspace, "--stdin", "web", "--json", *before_any)

    assert (0, 0) == (code, json.loads(out)["lines"])


def test_a_log_that_comes_again_after_its_day_was_sealed_changes_no_figure(workspace):
    """Nor are its lines taken for new ones of that day."""
    _piped(_access_log(2), workspace, "--stdin", "web")
    before = _releases(workspace)
    code, out, _ = _piped(_access_log(2), workspace, "--stdin", "web", "--json")

    assert 0 == code
    assert json.loads(out)["outcomes"].keys() <= {"late"}
    assert before == _releases(workspace)


def test_nothing_through_the_pipe_is_no_error(workspace):
    """A server that wrote nothing tonight: the files are read all the same."""
    code, out, _ = _piped(b"", workspace, "--stdin", "web", "--json")

    assert (0, VISITORS) == (code, json.loads(out)["lines"])


def test_a_source_that_is_not_configured_is_named(workspace):
    """Exit code 10, the sources that there are, and nothing is written."""
    code, out, err = _piped(_access_log(2), workspace, "--stdin", "wbe")

    assert (CONFIG, "") == (code, out)
    assert "no source is named wbe; sources are: web" in err
    assert not (workspace / "releases").exists()


def test_what_is_no_access_log_is_refused(workspace):
    """Exit code 11; the message says standard input, and shows nothing of it."""
    code, out, err = _piped(b"canary-7f3a ordered 3 books\n" * 20, workspace, "--stdin", "web")

    assert (INPUT, "") == (code, out)
    assert "standard input: no access log of a known format" in err
    assert "canary" not in err
    assert not (workspace / "releases").exists()
