"""The main job run again: nothing changes, what is lost is restored, what cannot be trusted stops it."""

import json
import os
import sys

import pytest

from usage_stats import cli

LEDGER = 17  # the exit code of what cannot be trusted
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def _access_log(day, visitors=15):
    """One page view each, from networks of their own; no two days' logs are equally long."""
    lines = (
        f'10.{n}.{n}.7 - - [{day:02}/Apr/2026:10:{n:02}:00 +0000] "GET /?{"_" * day} HTTP/1.1" 200 5 "-" '
        f'"{AGENT}"\n'
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
    home = {"name": "home", "paths": ["/"]}
    settings = {"site": "small", "partners": [{"id": "acme"}], "components": [home]}
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


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


@pytest.fixture
def released(usage_stats, workspace):
    """The workspace after its first run: two days for one partner. Its logs are not written to any more."""
    for log in (workspace / "logs").iterdir():
        os.utime(
            log, (1_700_000_000, 1_700_000_000)
        )  # younger than two seconds, it might still be written to
    code, out, _ = usage_stats("run", "-w", workspace)
    assert 0 == code, out
    folders = sorted(p.name for p in (workspace / "releases" / "acme" / "components").iterdir())
    assert ["2026-04-01", "2026-04-02"] == folders
    return workspace


def _stamps(root):
    paths = [p for top in ("releases", "warehouse") for p in sorted((root / top).rglob("*"))]
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in paths}


def test_a_second_run_touches_nothing_and_says_so(usage_stats, released):
    """No byte, no time stamp, no file of any release or of the analysts' file is another."""
    before = _stamps(released)
    code, out, _ = usage_stats("run", "-w", released)

    assert 0 == code
    assert "nothing new" in out
    assert "no byte was changed" in out
    assert before == _stamps(released)


@pytest.mark.parametrize("cut", [1, 60], ids=["no newline", "half a line"])
def test_a_last_line_that_is_open_is_not_read_again_once_its_day_is_sealed(usage_stats, workspace, cut):
    """However often the file is written anew, as it is: the line was counted, parsed or rejected, and counts once."""
    log = workspace / "logs" / "2.log"
    content = log.read_bytes()[:-cut]
    said = []
    for _ in range(3):
        log.unlink()
        log.write_bytes(content)
        usage_stats("run", "-w", workspace)
        said.append(json.loads(usage_stats("status", "--json", "-w", workspace)[1])["lines"])

    assert 30 == said[0]["lines"]
    assert [said[0]] * 3 == said


def test_a_lost_folder_is_restored_byte_for_byte(usage_stats, released):
    """What a partner received is written again from its record, and recorded as delivered only once."""
    before = _left_behind(released)
    folder = released / "releases" / "acme" / "components" / "2026-04-01"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    code, out, _ = usage_stats("run", "-w", released)

    assert 0 == code
    assert "1 folders written" in out or "1 folder written" in out
    assert before == _left_behind(released)


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_a_damaged_folder_is_named_and_left_alone(usage_stats, released, how):
    """A partner's copy is never silently another: exit code 17, and the remedy, which is to delete the folder whole."""
    folder = released / "releases" / "acme" / "components" / "2026-04-02"
    package = folder / "datapackage.json"
    package.unlink() if how == "removed" else package.write_bytes(package.read_bytes() + b" ")
    before = _left_behind(released)
    code, _, err = usage_stats("run", "-w", released)

    assert LEDGER == code
    assert f"{folder}: files were changed or removed" in err
    assert "delete the whole folder" in err
    assert before == _left_behind(released)


# ---------------------------------------------------------------- ledgers that cannot be trusted


def _tampered(path, how):
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "changed":
        lines[0] = (
            lines[0].replace(b"2026-", b"2025-", 1)
            if b"2026-" in lines[0]
            else lines[0].replace(b"1", b"2", 1)
        )
    elif how == "removed":
        del lines[0]
    else:
        lines.insert(0, lines[0])
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("how", ["changed", "removed", "doubled"])
@pytest.mark.parametrize("name", ["ingest", "days", "releases", "keys"])
def test_a_ledger_that_was_changed_stops_everything(usage_stats, released, name, how):
    """Exit code 17, naming the ledger and the line; the new day in the logs is not released."""
    (released / "logs" / "3.log").write_bytes(_access_log(3))
    _tampered(released / "restricted" / "ledgers" / f"{name}.jsonl", how)
    before = _left_behind(released)
    code, out, err = usage_stats("run", "-w", released)

    assert (LEDGER, "") == (code, out)
    assert f"{name}.jsonl: line " in err
    assert "restore it from a backup" in err
    assert _without_restricted(before) == _without_restricted(_left_behind(released))


def _without_restricted(files):
    return {name: content for name, content in files.items() if not name.startswith("restricted/")}


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_record_that_was_changed_is_not_delivered(usage_stats, released, how):
    """A folder is restored only from the record that the ledger vouches for: else exit code 17, and no folder."""
    folder = released / "releases" / "acme" / "components" / "2026-04-01"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    record = released / "restricted" / "released" / "2026-04-01.json"
    if how == "changed":
        record.write_bytes(record.read_bytes().replace(b"15", b"16", 1))
    else:
        record.unlink()
    code, _, err = usage_stats("run", "-w", released)

    assert LEDGER == code
    assert f"{record}: " in err
    assert not folder.exists()


def _recorded(root):
    """What counts: a file of fingerprints that no ledger names is a leftover that the next run deletes."""
    files = _left_behind(root)
    return {
        name: content for name, content in files.items() if not name.startswith("restricted/fingerprints/")
    }


@pytest.mark.parametrize("how", ["removed", "cut", "open to others"])
def test_a_key_that_is_not_what_it_was_is_not_replaced(usage_stats, released, how):
    """A new key would count the same people twice: exit code 17, and nothing new is read."""
    key = released / "restricted" / "keys" / "small" / "week" / "2026-W14.key"
    assert key.is_file(), "the week is not over: its other days have no lines yet"
    (released / "logs" / "3.log").write_bytes(_access_log(3))
    {
        "removed": key.unlink,
        "cut": lambda: key.write_bytes(key.read_bytes()[:16]),
        "open to others": lambda: key.chmod(0o644),
    }[how]()
    before = _recorded(released)
    code, _, err = usage_stats("run", "-w", released)

    assert LEDGER == code
    assert f"{key}: " in err
    assert before == _recorded(released)
