"""Values planted in every field of a log, good lines and bad, are searched for on every byte that a run leaves."""

import base64
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import xxhash

from usage_stats import cli
from usage_stats.flow.workspace import open_workspace

REPOSITORY = Path(__file__).resolve().parents[2]
VISITORS = 24
DAYS = (1, 2, 3)


def _unique(*parts):
    """A word that occurs nowhere else, the same in each run."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _person(number):
    """What one invented person would be known by; every second one comes by IPv6."""
    word = _unique("person", number)
    ipv6 = f"2001:db8:{word[:4]}:{word[4:8]}::{word[8:12]}"
    return {
        "address": ipv6 if number % 2 else f"203.0.{113 + number}.{number + 100}",
        "account": f"acct-{word}" if number % 3 == 0 else "-",
        "cookie": f"ck{_unique('cookie', number)}" if number % 3 == 1 else "-",
        "mail_in_path": f"eve.{word}@mail.example",
        "mail_in_query": f"bob.{_unique('mail', number)}@mail.example",
        "token": _unique("token", number),
        "referrer": f"https://www.{_unique('site', number)}.example/inbox?id={_unique('referrer', number)}",
        "agent": f"Mozilla/5.0 (X11; Linux {_unique('agent', number)}) Gecko/20100101 Firefox/128.0",
    }


def _line(person, day, path, minute):
    target = f"{path}?mail={person['mail_in_query']}&token={person['token']}"
    return (
        f"{person['address']} - {person['account']} [{day:02}/Apr/2026:10:{minute:02}:00 +0000] "
        f'"GET {target} HTTP/1.1" 200 512 "{person["referrer"]}" "{person["agent"]}" "{person["cookie"]}"'
    )


def _bad_lines(line):
    """One good line, spoilt in each field: whatever the parser says of these, it says of persons."""
    cut = [line[: len(line) * n // 9] for n in range(1, 9)]
    return [
        *cut,
        line.replace("/Apr/", "/Foo/"),
        line.replace(" 200 ", " two hundred "),
        line.replace('"GET ', '"GET\t'),
        line.replace("HTTP/1.1", "HTTP/1.1 HTTP"),
        line.replace(" - ", " "),
        line.replace('" "', '" " "'),
        "# " + line,
        "\x00" + line,
        line + " " + line,
    ]


def _log(day):
    lines = []
    for number in range(VISITORS):
        person = _person(number)
        lines += [
            _line(person, day, path, number)
            for path in ("/", f"/users/{person['mail_in_path']}", "/users/me")
        ]
    lines += [
        bad for number in (100 + day, 110 + day) for bad in _bad_lines(_line(_person(number), day, "/", 5))
    ]
    return ("\n".join(lines) + "\n").encode("latin-1")


def _needles():
    """Each planted value, and what careless code makes of it: digests without a key, base 64, percent-encoding."""
    persons = [_person(n) for n in (*range(VISITORS), *(base + day for base in (100, 110) for day in DAYS))]
    found = {}
    for field, value in ((f, v) for person in persons for f, v in person.items() if v != "-"):
        raw = value.encode()
        found[raw] = field
        found[value.replace("@", "%40").encode()] = field
        found[base64.b64encode(raw).rstrip(b"=")[:-1]] = f"{field}, base64"
        found |= _digests(raw, field)
    for line in _log(DAYS[0]).split(b"\n")[:VISITORS]:
        found |= _digests(line, "line")
    return {needle.lower(): what for needle, what in found.items()}


def _digests(raw, what):
    """Digests that anyone can make of a guess, as text and as bytes: a fingerprint of a line must have a key."""
    made = {name: hashlib.new(name, raw).digest() for name in ("md5", "sha1", "sha256")}
    made |= {f"blake2b, {size}": hashlib.blake2b(raw, digest_size=size).digest() for size in (8, 16, 32)}
    found = {digest: f"{what}, {name}" for name, digest in made.items()}
    found |= {digest.hex().encode(): f"{what}, {name}" for name, digest in made.items()}
    number = xxhash.xxh64_intdigest(raw)
    spelt = (b"%d" % number, b"%016x" % number, number.to_bytes(8, "big"), number.to_bytes(8, "little"))
    return found | dict.fromkeys(spelt, f"{what}, xxh64 without a seed")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Three days of logs full of planted values; not run yet."""
    root = tmp_path_factory.mktemp("canaries")
    (root / "logs").mkdir()
    for day in DAYS:
        (root / "logs" / f"{day}.log").write_bytes(_log(day))
    source = {"name": "web", "logs": ["logs/*"], "format": "combined_cookie", "cookie": "visitor"}
    components = [{"name": "home", "paths": ["/"]}, {"name": "users", "paths": ["/users/**"]}]
    settings = {"site": "canary", "sources": [source], "components": components, "partners": [{"id": "acme"}]}
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    policy = {"versions": [{"version": "1", "effective": "2010-01-01", "uses": uses}]}
    (root / "policy.yaml").write_text(json.dumps(policy))
    return root


@pytest.fixture
def planted(workspace, tmp_path):
    """A workspace of its own over the same logs; not run yet."""
    return _twin(workspace, tmp_path / "workspace")


def _twin(workspace, root):
    root.mkdir()
    for name in ("usage_stats.yaml", "policy.yaml"):
        (root / name).write_bytes((workspace / name).read_bytes())
    (root / "logs").symlink_to(workspace / "logs")
    return root


def _read_out(path):
    """A file's bytes, and what they say once decompressed and read by its own reader."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield repr((table.to_pydict(), table.schema.metadata)).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as database:
            for schema, name in database.execute(
                "select schema_name, table_name from duckdb_tables()"
            ).fetchall():
                yield repr(database.execute(f'select * from "{schema}"."{name}"').fetchall()).encode()  # noqa: S608 names of the catalogue
    elif path.read_bytes().startswith(b"SQLite format 3"):
        with sqlite3.connect(path) as database:
            for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
                yield repr(database.execute(f'select * from "{name}"').fetchall()).encode()  # noqa: S608 names of the catalogue


def _written(*roots):
    """Everything below the directories but the logs themselves: the restricted store too."""
    paths = [p for root in roots for p in sorted(root.rglob("*")) if p.is_file() and p.parent.name != "logs"]
    return b"\n\0\n".join(part for path in paths for part in (str(path).encode(), *_read_out(path)))


def _found(haystack):
    low = haystack.lower()
    return sorted({what for needle, what in _needles().items() if needle in low})


@pytest.fixture
def typed(monkeypatch, capfd):
    """Type a command in a directory: its exit code, and all that it prints."""

    def command(directory, *arguments):
        monkeypatch.chdir(directory)
        monkeypatch.setattr(sys, "argv", ["usage-stats", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, "\n".join(capfd.readouterr()).encode()

    return command


def test_the_search_finds_what_is_planted():
    """The logs hold every value as it stands: the tests below can fail."""
    low = b"".join(map(_log, DAYS)).lower()
    raw = {field for person in map(_person, range(VISITORS)) for field in person}

    assert raw <= {what for needle, what in _needles().items() if needle in low}


@pytest.mark.parametrize("way", ["plain", "compiled"])
def test_nothing_of_a_person_is_written_or_said_from_the_first_run_on(
    planted, journey, capfd, caplog, monkeypatch, way
):
    """While days are still open, events and fingerprints of lines lie in the restricted store: they hold no
    identifier either, nor what anyone could make of a guessed one. After the seal, there are figures. Neither run
    says a value, whichever way lines are read and days are counted.
    """
    if way == "compiled":
        journey.force_the_ways_for_large_logs(monkeypatch)
    evening = datetime(2026, 4, 4, 1, tzinfo=journey.berlin)
    with caplog.at_level(0):
        first = journey.run_at(planted, evening)
        kept = sorted(p.relative_to(planted).parts[1] for p in (planted / "restricted").rglob("*.*"))
        open_days = _written(planted)
        journey.run_at(planted, journey.long_after(evening))
    sealed = _written(planted)
    said = "\n".join([*capfd.readouterr(), caplog.text]).encode()

    assert VISITORS * 3 * len(DAYS) == first.ingested.outcomes["page_views"]
    assert first.ingested.rejected.total() > 40
    assert {"events", "fingerprints", "keys", "ledgers", "read_files.json"} <= set(kept)
    assert b"2026-04-03" in sealed
    assert [] == _found(open_days + sealed + said)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--workspace", "."),
        ("run", "--workspace", ".", "--json"),
        ("status", "--workspace", "."),
        ("status", "--workspace", ".", "--json"),
        ("inspect", "logs/1.log", "--cookie", "visitor"),
        ("inspect", "logs/1.log", "--json"),
        ("inspect", "logs/1.log", "--format", "common"),
        ("init", "new", "--log", "logs/1.log"),
    ],
    ids=" ".join,
)
def test_no_command_says_or_writes_a_value(planted, typed, arguments):
    """Whatever it prints and whatever it writes: not even a proposed setting is taken from one person's path."""
    code, said = typed(planted, *arguments)

    assert 0 == code, said
    assert [] == _found(said + _written(planted))


def test_a_refused_log_is_not_quoted(typed, tmp_path):
    """A file of bad lines only: the error says what it is like, not what is in it."""
    bad = [line for n in (101, 102) for line in _bad_lines(_line(_person(n), 1, "/", 5))]
    (tmp_path / "bad.log").write_text("\n".join(bad), encoding="latin-1")
    for log_format in ("auto", "common", "combined", "vhost_combined"):
        _, said = typed(tmp_path, "inspect", "bad.log", "--format", log_format)

        assert b"bad.log" in said
        assert [] == _found(said)


# The command, with the ways for large logs taken by small ones.
FORCED = """
import usage_stats.flow.ingest, usage_stats.measure.usage
usage_stats.flow.ingest._is_large = lambda _: True
usage_stats.measure.usage.LARGE_DAY = 0
from pipelines.__main__ import main
main()
"""


@pytest.fixture(scope="module", params=["plain", "compiled"])
def dagster(request, workspace, tmp_path_factory):
    """What Dagster's command leaves, run once for the tests that search it; the compiler starts from nothing."""
    top = tmp_path_factory.mktemp("dagster")
    planted = _twin(workspace, top / "workspace")
    folders = {name: top / name for name in ("DAGSTER_HOME", "NUMBA_CACHE_DIR", "TMPDIR", "HOME")}
    for folder in folders.values():
        folder.mkdir()
    (folders["DAGSTER_HOME"] / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    program = KEYS_TOLD.replace("FORCED", FORCED if request.param == "compiled" else PLAIN)
    done = subprocess.run(
        [sys.executable, "-c", program, str(planted)],
        cwd=REPOSITORY,
        env={**os.environ, **{name: str(folder) for name, folder in folders.items()}},
        capture_output=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    keys = [bytes.fromhex(line) for line in (top / "told").read_text().split()]
    is_compiled = any(folders["NUMBA_CACHE_DIR"].rglob("kernel.*.nbc"))
    assert (request.param == "compiled") == is_compiled
    return SimpleNamespace(
        planted=planted, folders=[*folders.values()], said=done.stdout + done.stderr, keys=keys
    )


def test_dagster_keeps_no_value_nor_does_the_compiler(dagster):
    """Records of a run hold counts, and compiled code holds code: no identifier in metadata, logs, or stored output,
    nor in any other file that the command leaves: its temporary and cache directories are searched too.
    """
    kept = _written(dagster.planted, *dagster.folders)

    assert b"ASSET_MATERIALIZATION" in kept
    assert [] == _found(dagster.said + kept)


def _pseudonyms(path):
    """Every number of eight bytes in an event file: persons and networks of the week and of the month."""
    table = pq.read_table(path)
    return {
        n
        for name in table.column_names
        if name.endswith(("person", "network"))
        for n in table[name].to_pylist()
    }


def test_no_pseudonym_no_fingerprint_and_no_key_leaves_the_restricted_store(planted, journey):
    """A number that stands for a person or a line, and the keys these were made with, are in no file outside, in no
    spelling.
    """
    journey.run_at(planted, datetime(2026, 4, 4, 1, tzinfo=journey.berlin))
    restricted = planted / "restricted"
    numbers = {n for path in (restricted / "events").rglob("*.parquet") for n in _pseudonyms(path)}
    for path in (restricted / "fingerprints").iterdir():
        numbers |= set(np.fromfile(path, np.uint64).tolist())
    keys = {path.read_bytes() for path in (restricted / "keys").rglob("*.key")}
    keys.add(open_workspace(planted).content_key)
    journey.run_at(planted, datetime(2026, 4, 20, tzinfo=journey.berlin))
    outside = _written(planted / "releases", planted / "warehouse").lower()
    secrets = {
        text
        for n in numbers
        for text in (b"%d" % n, b"%016x" % n, n.to_bytes(8, "big"), n.to_bytes(8, "little"))
    }
    secrets |= {
        text for key in keys for text in (key, key.hex().encode(), base64.b64encode(key)[:40].lower())
    }

    assert len(numbers) > 2 * VISITORS + len(_log(1).split(b"\n"))
    assert len(keys) >= 3
    assert b"2026-04-03" in outside
    assert set() == {secret for secret in secrets if secret.lower() in outside}


def _key_spellings(key):
    """A key raw and backwards, in both cases of hex, in base 64 and 32, and as Python and JSON would write it."""
    texts = [key.hex(), key.hex().upper(), repr(key)[2:-1], str(list(key)), str(int.from_bytes(key, "big"))]
    coded = [base64.b64encode(key), base64.urlsafe_b64encode(key), base64.b32encode(key)]
    return {key, key[::-1], *(text.encode() for text in texts), *(text.rstrip(b"=") for text in coded)}


def _beside_the_keys(root):
    """Every byte below a directory but the key files themselves: ledgers, events and open windows too."""
    paths = [p for p in sorted(root.rglob("*")) if p.is_file() and p.suffix != ".key"]
    return b"\n\0\n".join(part for path in paths for part in (str(path).encode(), *_read_out(path)))


def test_no_key_is_on_any_byte_beside_its_own_file(dagster):
    """Not in the restricted store either, in no record of Dagster, in no temporary or compiled file, in nothing said:
    while windows are open, and after they are closed.
    """
    kept = [_beside_the_keys(root) for root in (dagster.planted, *dagster.folders)]
    places = (dagster.said, *kept)

    assert len(set(dagster.keys)) >= 3
    assert {p.read_bytes() for p in dagster.planted.rglob("*.key")} <= set(dagster.keys)
    assert [] == [
        n for n, key in enumerate(dagster.keys) for s in _key_spellings(key) for part in places if s in part
    ]


PLAIN = """
from pipelines.__main__ import main
main()
"""

# Each key that is ever made is told to the test alone, beside every folder that is searched. At the end, a process's
# arguments and environment are said, so that they are searched too.
KEYS_TOLD = """
import atexit, os, pathlib, secrets, sys
from usage_stats.deidentify import key_file
draw, told = secrets.token_bytes, pathlib.Path(sys.argv[1]).parent / "told"
def telling(size):
    key = draw(size)
    with told.open("a") as file:
        file.write(key.hex() + chr(10))
    return key
key_file.secrets = type("Secrets", (), {"token_bytes": staticmethod(telling)})
atexit.register(lambda: print(sys.argv, dict(os.environ), pathlib.Path("/proc/self/cmdline").read_bytes()[-200:]))
FORCED
"""
