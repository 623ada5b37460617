"""The command line: what a person reads when something is wrong, the exit code, and what is left behind."""

import fcntl
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from usage_stats import cli

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY / ".." / "shared" / "data"

CONFIG, INPUT, POLICY = 10, 11, 13  # exit codes by class of error
CANARY = "canary-7f3a"  # stands in every field of the logs here that a person could be known by
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

ERROR_LOG = "".join(
    f"[Wed Oct 11 14:{n:02}:52 2023] [error] [client 192.0.2.{n}] denied: /home/{CANARY}?t={CANARY}\n"
    for n in range(12)
).encode()


def _access_log(day, visitors=15):
    """One page view each, from networks of their own; no two days' logs are equally long."""
    lines = (
        f'10.{n}.{n}.7 - - [{day:02}/Apr/2026:10:{n:02}:00 +0000] "GET /?{CANARY}={n}{"_" * day} HTTP/1.1" 200 5 '
        f'"https://search.example/?q={CANARY}" "{AGENT}"\n'
        for n in range(visitors)
    )
    return "".join(lines).encode()


@pytest.fixture
def workspace(tmp_path):
    """A workspace with two days of logs, all of them long over."""
    root = tmp_path / "workspace"
    (root / "logs").mkdir(parents=True)
    for day in (1, 2):
        (root / "logs" / f"{day}.log").write_bytes(_access_log(day))
    _configure(root)
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


def _configure(root, **changes):
    settings = {
        "site": "small",
        "partners": [{"id": "acme"}],
        "components": [{"name": "home", "paths": ["/"]}],
    }
    (root / "usage_stats.yaml").write_text(yaml.safe_dump({**settings, **changes}))


@pytest.fixture
def usage_stats(monkeypatch, capsys):
    """Type a command: its exit code, standard output and standard error."""

    def typed(*arguments):
        monkeypatch.setattr(sys, "argv", ["usage-stats", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return end.value.code or 0, captured.out, captured.err

    return typed


def _left_behind(root):
    """Every file and its bytes; the lock and empty folders of the restricted store are no trace."""
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
    return {name: content for name, content in files.items() if name != "restricted/.lock"}


# ---------------------------------------------------------------- files that are no access logs


def _bad(kind, folder):
    """A file that cannot be read as an access log, and the words that say why."""
    path = folder / "bad.log"
    if kind == "error log":
        path.write_bytes(ERROR_LOG)
        return path, "looks like an Apache error log"
    if kind == "only comments":
        path.write_bytes(f"# {CANARY}\n\n".encode() * 3)
        return path, "only comments and blank lines"
    path.write_bytes(f"{CANARY} ordered 3 books\n".encode() * 20)
    return path, "no access log of a known format"


BAD = ["error log", "only comments", "another text"]


@pytest.mark.parametrize("kind", BAD)
def test_inspect_refuses_what_is_no_access_log(usage_stats, tmp_path, kind):
    """Exit code 11; the message names the file and says why, and shows nothing of it."""
    path, why = _bad(kind, tmp_path)
    before = _left_behind(tmp_path)
    code, out, err = usage_stats("inspect", path)

    assert (INPUT, "") == (code, out)
    assert err.startswith(f"error: {path}: ")
    assert why in err
    assert CANARY not in err
    assert before == _left_behind(tmp_path)


@pytest.mark.parametrize("kind", BAD)
def test_run_refuses_what_is_no_access_log_before_it_reads_the_others(usage_stats, workspace, kind):
    """One bad file among good ones: exit code 11, and not a line of the good ones was taken in."""
    path, why = _bad(kind, workspace / "logs")
    before = _left_behind(workspace)
    code, out, err = usage_stats("run", "-w", workspace)

    assert (INPUT, "") == (code, out)
    assert f"error: {path}: " in err
    assert why in err
    assert CANARY not in err
    assert before == _left_behind(workspace)


def test_a_file_that_was_cut_off_stops_neither_the_others_nor_its_own_whole_lines(usage_stats, workspace):
    """Exit code 0, and the whole lines are read; a warning names the file, says what is wrong and what to do."""
    path = workspace / "logs" / "3.log.gz"
    path.write_bytes(gzip.compress(_access_log(3, 60) * 50)[:-200])
    code, out, err = usage_stats("run", "--json", "-w", workspace)
    found = json.loads(out)

    assert 0 == code
    assert found["parsed"] > 30
    assert found["lines"] == found["parsed"] + sum(found["rejected"].values())
    assert f"warning: {path}: ends inside a gzip" in err
    assert "copy the file again" in err
    assert CANARY not in out + err


def test_nothing_of_a_damaged_file_is_kept(usage_stats, workspace):
    """Exit code 11, and no day is sealed: what was decompressed before the damage may be invented."""
    path = workspace / "logs" / "3.log.gz"
    content = bytearray(gzip.compress(_access_log(3, 60) * 50))
    content[-8] ^= 0xFF  # the checksum (RFC 1952, section 2.3.1)
    path.write_bytes(bytes(content))
    code, out, err = usage_stats("run", "-w", workspace)
    _, after, _ = usage_stats("status", "--json", "-w", workspace)

    assert (INPUT, "") == (code, out)
    assert f"error: {path}: damaged gzip data" in err
    assert "copy the file again" in err
    assert CANARY not in err
    assert 30 == json.loads(after)["lines"]["lines"]
    assert not (workspace / "releases").exists()


def test_inspect_says_that_a_file_is_empty(usage_stats, tmp_path):
    """Exit code 11, and what to check."""
    (tmp_path / "empty.log").write_bytes(b"")
    code, out, err = usage_stats("inspect", tmp_path / "empty.log")

    assert (INPUT, "") == (code, out)
    assert "empty.log: is empty; check that" in err


def test_run_on_nothing_but_empty_files_fails(usage_stats, workspace):
    """All logs empty is an error with a remedy; nothing is written."""
    for path in (workspace / "logs").iterdir():
        path.write_bytes(b"")
    before = _left_behind(workspace)
    code, _, err = usage_stats("run", "-w", workspace)

    assert INPUT == code
    assert "all 2 log files are empty" in err
    assert before == _left_behind(workspace)


def test_an_empty_file_beside_others_is_no_error(usage_stats, workspace):
    """A server has just begun a new file: the others are read."""
    (workspace / "logs" / "3.log").write_bytes(b"")
    code, out, _ = usage_stats("run", "-w", workspace)

    assert 0 == code
    assert "30 lines in 2 of 3 log files" in out


def test_a_missing_path_is_named(usage_stats, tmp_path):
    """Exit code 11, for one file among others too; those are shown all the same."""
    (tmp_path / "good.log").write_bytes(_access_log(1))
    code, out, err = usage_stats("inspect", "--json", tmp_path / "none.log", tmp_path / "good.log")

    assert INPUT == code
    assert f"error: {tmp_path / 'none.log'}: no such file; check the path\n" == err
    assert 15 == json.loads(out)["lines"]


def test_a_pattern_that_fits_no_file_is_named(usage_stats, workspace):
    """Exit code 11: where was looked, and which setting to correct; nothing is written."""
    _configure(workspace, sources=[{"logs": ["logs/*.lgo"]}])
    before = _left_behind(workspace)
    code, _, err = usage_stats("run", "-w", workspace)

    assert INPUT == code
    assert "no file fits logs/*.lgo" in err
    assert "`logs:` in usage_stats.yaml" in err
    assert before == _left_behind(workspace)


@pytest.mark.skipif(
    not SHARED.is_dir(), reason="the real error log is kept beside the project, in ../shared/data"
)
def test_a_real_error_log_is_refused(usage_stats):
    """It is named for what it is, and none of its addresses is shown."""
    path = SHARED / "hostile" / "advertools" / "apache_error.log"
    code, out, err = usage_stats("inspect", "--json", path)
    addresses = {
        line.split(b"[client ")[1].split(b"]")[0]
        for line in path.read_bytes().split(b"\n")
        if b"[client " in line
    }

    assert (INPUT, "") == (code, out)
    assert "looks like an Apache error log" in err
    assert not [a for a in addresses if a.decode() in err.replace(str(path), "")]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seal_after_day": 3}, "no such key; did you mean seal_after_days?"),
        (
            {"thresholds": {"minimum_person": 5}},
            "thresholds.minimum_person: no such key; did you mean minimum_persons?",
        ),
        ({"time_zone": "Europe/Berln"}, "no IANA time zone; did you mean Europe/Berlin?"),
        ({"thresholds": {"minimum_persons": 4}}, "thresholds.minimum_persons"),
        ({"partners": [{"id": "acme", "tables": ["all"]}]}, "no table all; tables are: components"),
        (
            {"sources": [{"cookie": "visitor", "format": "combined"}]},
            "cookie visitor is in no field of format combined",
        ),
        ({"sources": [{"format": "combind"}]}, "no log format is named combind; known: "),
    ],
)
def test_a_setting_that_is_not_understood_is_named(usage_stats, workspace, change, words):
    """Exit code 10; the message says which setting and what is allowed; nothing is written."""
    _configure(workspace, **change)
    before = _left_behind(workspace)
    code, out, err = usage_stats("run", "-w", workspace)

    assert (CONFIG, "") == (code, out)
    assert words in err
    assert before == _left_behind(workspace)


def test_a_directory_without_settings_is_no_workspace(usage_stats, tmp_path):
    """Exit code 10, and the command that makes a workspace."""
    code, _, err = usage_stats("run", "-w", tmp_path)

    assert CONFIG == code
    assert "usage_stats.yaml: no such file; run `usage-stats init DIR`" in err
    assert {} == _left_behind(tmp_path)


def test_another_run_at_work_is_waited_for(usage_stats, workspace):
    """Two runs never write at once: the second ends with exit code 10 and a remedy, and writes nothing."""
    (workspace / "restricted").mkdir(mode=0o700)
    before = _left_behind(workspace)
    with (workspace / "restricted" / ".lock").open("w") as other_run:
        fcntl.flock(other_run, fcntl.LOCK_EX)
        code, out, err = usage_stats("run", "-w", workspace)

    assert (CONFIG, "") == (code, out)
    assert "another run is at work in this workspace; wait until it ends" in err
    assert before == _left_behind(workspace)


def test_a_day_without_a_policy_in_force_is_not_released(usage_stats, workspace):
    """Exit code 13, and the reason in the run's output and in the status; no partner receives anything."""
    versions = [{"version": "1", "effective": "2026-04-02", "uses": ["internal_aggregate"]}]
    (workspace / "policy.yaml").write_text(json.dumps({"versions": versions}))
    code, out, _ = usage_stats("run", "-w", workspace)
    status = usage_stats("status", "-w", workspace)[1]

    assert POLICY == code
    assert "2026-04-01: no version was in force, so nothing allows internal_aggregate" in out
    assert "2026-04-01: policy.yaml: no version is in force on 2026-04-01" in status
    assert "2026-04-01: refused" in status
    assert not (workspace / "releases").exists()


def test_an_unforeseen_error_shows_nothing_of_the_data(usage_stats, workspace, monkeypatch):
    """What no one thought of may quote a line in its text: it is told by its kind and place only."""

    def broken(*_):
        raise ValueError(f"cannot handle {CANARY}")

    monkeypatch.setattr("usage_stats.deidentify.outcome.Judge._robot", broken)
    code, out, err = usage_stats("run", "-w", workspace)

    assert code not in {0, CONFIG, INPUT}
    assert "ValueError" in err
    assert CANARY not in out + err


def test_the_installed_command_ends_with_the_same_codes(workspace):
    """In a process of its own: message on standard error, exit code, no traceback."""
    _configure(workspace, site="Not A Name")
    done = subprocess.run(
        [sys.executable, "-m", "usage_stats", "run", "-w", str(workspace)],
        capture_output=True,
        check=False,
        text=True,
    )

    assert CONFIG == done.returncode
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- inspect --json


def test_inspect_json_is_one_object_per_file_in_the_promised_order(usage_stats, tmp_path):
    """Machines rely on the names and their order; further ones may follow."""
    (tmp_path / "a.log").write_bytes(_access_log(1) + b"# comment\n\njunk\n")
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(_access_log(2, 3)))
    code, out, err = usage_stats("inspect", "--json", tmp_path / "a.log", tmp_path / "b.log.gz")
    first, second = (json.loads(line) for line in out.splitlines())
    promised = [
        "file",
        "format",
        "lines",
        "parsed",
        "rejected",
        "reasons",
        "first_at",
        "last_at",
        "robots",
        "clients",
    ]

    assert (0, "") == (code, err)
    assert promised == list(first)[:10]
    assert (str(tmp_path / "a.log"), "combined", 18, 15, 3) == tuple(first.values())[:5]
    assert {"directive": 1, "blank": 1, "ident": 1} == first["reasons"]
    assert ("2026-04-01T10:00:00Z", "2026-04-01T10:14:00Z", 0, 15) == tuple(first.values())[6:10]
    assert (3, 3, 0) == (second["lines"], second["parsed"], second["rejected"])


def test_inspect_writes_nothing(usage_stats, tmp_path):
    """Not beside the log, and nothing else in the directory it is called from."""
    (tmp_path / "a.log").write_bytes(_access_log(1))
    before = _left_behind(tmp_path)
    code, out, _ = usage_stats("inspect", tmp_path / "a.log")

    assert 0 == code
    assert CANARY not in out
    assert before == _left_behind(tmp_path)


# ---------------------------------------------------------------- run --json


def test_run_json_is_one_document(usage_stats, workspace):
    """Counts and codes only, on standard output alone."""
    code, out, _ = usage_stats("run", "--json", "-w", workspace)
    found = json.loads(out)

    assert 0 == code
    assert (30, 30, {}, ["2026-04-01", "2026-04-02"]) == tuple(
        found[name] for name in ("lines", "parsed", "rejected", "sealed")
    )


def test_no_later_day_is_sealed_than_asked_for(usage_stats, workspace):
    """`--to` bounds what a run seals; the next run takes up the rest."""
    code, out, _ = usage_stats("run", "--json", "--to", "2026-04-01", "-w", workspace)
    _, later, _ = usage_stats("run", "--json", "-w", workspace)

    assert 0 == code
    assert (["2026-04-01"], ["2026-04-02"]) == (json.loads(out)["sealed"], json.loads(later)["sealed"])


def test_a_line_that_was_cut_and_is_whole_by_now_keeps_the_account_even(usage_stats, workspace):
    """Lines are parsed + rejected in what each run says, also where a run takes an earlier rejection back."""
    before_any = ("--to", "2026-03-31")  # nothing is sealed meanwhile
    log = workspace / "logs" / "1.log"
    whole = log.read_bytes()
    said = []
    for content in (whole[:-80], whole):
        log.write_bytes(content)
        code, out, _ = usage_stats("run", "--json", *before_any, "-w", workspace)
        assert 0 == code
        found = json.loads(out)
        said.append((found["lines"], found["parsed"] + sum(found["rejected"].values()), found["parsed"]))
    _, out, _ = usage_stats("status", "--json", "-w", workspace)
    after = json.loads(out)["lines"]

    assert [(30, 30, 29), (0, 0, 1)] == said
    assert (30, 30, {}) == (after["lines"], after["parsed"], after["rejected"])
