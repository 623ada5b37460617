"""`compare-lists` from the outside: what it prints and writes, and what is on no byte of that."""

import base64
import hashlib
import json
import os
import subprocess
import sys

import pytest
import yaml

from usage_stats import cli

WORD = "canary7f3a"  # in every address, and in every other cell
OURS, THEIRS, SHARED = 300, 280, 150
INPUT, POLICY = 11, 13
EXPECTED = "".join(f"{WORD}{n}@Mail.example\n" for n in range(SHARED))


@pytest.fixture
def root(tmp_path):
    """A workspace and two lists, of which most lines are addresses."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "usage_stats.yaml").write_text(yaml.safe_dump({"site": "small", "partners": [{"id": "acme"}]}))
    _allow(root, "list_comparison")
    ours = [f"{WORD}{n},{WORD}{n}@Mail.example" for n in range(OURS)]
    (tmp_path / "ours.csv").write_text("\n".join(["name,email", *ours, WORD, f"x,{WORD}"]))
    theirs = [
        f"{WORD}{n}@mail.example" if n < SHARED else f"other{n}{WORD}@mail.example" for n in range(THEIRS)
    ]
    (tmp_path / "theirs.txt").write_text("\r\n".join([*theirs, f"{WORD} at mail", f"{WORD}@nowhere"]))
    return root


def _allow(root, use):
    versions = [{"version": "2020-05", "effective": "2020-01-01", "uses": [use]}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))


def _arguments(root, *more):
    lists = (root.parent / "ours.csv", root.parent / "theirs.txt")
    place = root.parent / "do-not-send"
    given = ["compare-lists", *lists, "--do-not-send", place, "--column", "email", "-w", root, *more]
    return [str(a) for a in given]


@pytest.fixture
def compare(root, monkeypatch, capfd):
    """Type the command: exit code, standard output and standard error."""

    def typed(*more):
        monkeypatch.setattr(sys, "argv", ["usage-stats", *_arguments(root, *more)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capfd.readouterr()
        return end.value.code or 0, captured.out, captured.err

    return typed


def _written(root):
    """Every file but the lists that were given, with its bytes."""
    given = {root.parent / "ours.csv", root.parent / "theirs.txt"}
    return {p: p.read_bytes() for p in root.parent.rglob("*") if p.is_file() and p not in given}


def _needles():
    """The word that all addresses hold, and what anyone could make of a guessed address without a key."""
    found = {WORD.encode(), base64.b64encode(WORD.encode())[:8]}
    for n in (0, 1, SHARED - 1, SHARED, OURS - 1):
        for address in (f"{WORD}{n}@Mail.example", f"{WORD}{n}@mail.example", f"other{n}{WORD}@mail.example"):
            raw = address.encode()
            digests = [hashlib.new(name, raw).digest() for name in ("md5", "sha1", "sha256")]
            digests += [hashlib.blake2b(raw, digest_size=size).digest() for size in (8, 16, 32, 64)]
            found |= {*digests, *(digest.hex().encode() for digest in digests)}
    return found


def _assert_clean(*texts):
    for text in texts:
        raw = (text if isinstance(text, bytes) else text.encode()).lower()
        assert not [needle for needle in _needles() if needle.lower() in raw]


def test_addresses_are_in_the_senders_file_and_nowhere_else(root, compare):
    """Not on the screen, not in the ledger, not in a file beside: not as text, not as a digest anyone can make."""
    code, out, err = compare("--partner", "acme")
    written = _written(root)
    place = root.parent / "do-not-send"

    assert (0, "") == (code, err)
    assert EXPECTED.encode() == written.pop(place)
    assert "300 addresses in 302 lines" in out
    assert "left out: 1 without that column, the first in line 302" in out
    assert "left out: 1 with no valid domain, the first in line 282" in out
    _assert_clean(out, *written.values())
    assert not [p for p in written if WORD in p.name]


def test_the_screen_does_not_tell_how_many_are_on_both(root, compare):
    """But for the answer: whoever forwards what is printed forwards no exact count."""
    code, out, _ = compare("--partner", "acme", "--json")
    found = json.loads(out)
    told = found.pop("answer")

    assert 0 == code
    assert ("acme", "at_least") == (told["partner"], told["status"])
    assert told["at_least"] % 10 == 0
    assert 60 <= told["at_least"] <= SHARED
    assert str(SHARED) not in json.dumps(found).replace(str(root.parent), "")
    assert (THEIRS, {"domain": 1, "no_at_sign": 1}) == (
        found["theirs"]["addresses"],
        found["theirs"]["invalid"],
    )


def test_a_policy_without_the_use_stops_it(root, compare):
    """Exit code 13; the version is named; nothing is written."""
    _allow(root, "partner_aggregate")
    code, out, err = compare()

    assert (POLICY, "") == (code, out)
    assert "version 2020-05, in force on " in err
    assert "does not allow list_comparison" in err
    assert not (root.parent / "do-not-send").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace("\n", "\n\n").replace("@", " at "), "hold no e-mail address"),
        (lambda text: text.replace("name,email", f"name,{WORD}"), "line 1 is no header"),
        (lambda text: text.replace(f"{WORD}7,", f'"{WORD}7,'), "line 9: its quotation marks do not match"),
        (lambda text: "\n".join(text.split("\n")[:20]), "fewer than 100 different addresses"),
    ],
    ids=["no list", "no such column", "broken quotes", "too small"],
)
def test_a_refusal_shows_nothing_of_the_list(root, compare, spoil, words):
    """Exit code 11, the path and the reason; no address, and no file."""
    path = root.parent / "ours.csv"
    path.write_text(spoil(path.read_text()))
    code, out, err = compare("--partner", "acme")

    assert (INPUT, "") == (code, out)
    assert words in err
    assert err.startswith(f"error: {path}: ")
    _assert_clean(err, *_written(root).values())
    assert not (root.parent / "do-not-send").exists()


def test_an_unforeseen_error_shows_no_address(root, compare, monkeypatch):
    """What no one thought of may quote an address in its text: it is told by its kind and place only."""

    def broken(entry):
        raise ValueError(f"cannot handle {entry}")

    monkeypatch.setattr("usage_stats.mailing.address_list.read_address", broken)
    code, out, err = compare()

    assert (70, "") == (code, out)
    assert "ValueError" in err
    _assert_clean(err, *_written(root).values())


_WATCHED = """
import os, sys
opened = []
sys.addaudithook(lambda event, what: opened.append((str(what[0]), what[2])) if event == "open" else None)
from usage_stats.cli import main
try:
    main()
finally:
    writing = {path for path, flags in opened if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)}
    writing = {path for path in writing if not path.isdigit()}  # a descriptor that is open already
    print(*sorted(writing), sep="\\n", file=sys.stderr)
"""


def test_nothing_is_written_anywhere_else(root, tmp_path):
    """In a process of its own, every file opened for writing: the lock, the ledger, and the list without a name."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", _WATCHED, *_arguments(root, "--partner", "acme")]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
    restricted = root / "restricted"
    ledgers = restricted / "ledgers"
    allowed = {restricted / ".lock", ledgers / "comparisons.jsonl", ledgers / "comparisons.head.partial"}
    opened = set(done.stderr.splitlines())

    assert 0 == done.returncode
    assert opened - {".", ".do-not-send.partial"} == {str(p) for p in allowed}
    assert EXPECTED == (root.parent / "do-not-send").read_text()
    _assert_clean(done.stdout, done.stderr, " ".join(command))
