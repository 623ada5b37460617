"""`erase` and `purge` on the command line: a plan, a digest, a receipt; identifiers come in and never out."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

from usage_stats import cli

CANARY = "zoe-quill-canary"
INPUT = 11


@pytest.fixture
def root(tmp_path):
    """A workspace that never ran."""
    (tmp_path / "usage_stats.yaml").write_text(json.dumps({"site": "small"}))
    uses = ["internal_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (tmp_path / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return tmp_path


@pytest.fixture
def said(root, monkeypatch, capsys):
    """Run a command with a text on standard input: exit code, output, errors."""

    def run(text, *arguments):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
        monkeypatch.setattr(sys, "argv", ["usage-stats", *arguments, "-w", str(root)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert CANARY not in out + err
        return ended.value.code or 0, out, err

    return run


def test_erase_shows_a_plan_and_does_it_on_its_digest(said):
    """The plan changes nothing; the digest it prints carries it out; a receipt says so, for people and machines."""
    code, plan, _ = said(f"account {CANARY}\n", "erase")
    digest = plan.split()[-1]
    assert 0 == code
    assert "1 account" in plan
    code, receipt, _ = said(f"account {CANARY}\n", "erase", "--execute", digest)
    assert (0, True) == (code, receipt.startswith("receipt "))
    _, plan, _ = said(f"cookie {CANARY}\n", "erase", "--json")
    code, receipt, _ = said(f"cookie {CANARY}\n", "erase", "--json", "--execute", json.loads(plan)["digest"])

    assert {"account": 0, "cookie": 1, "address": 0, "recipient": 0} == json.loads(receipt)["identifiers"]
    assert {"receipt", "at", "identifiers", "traces_gone", "excluded", "executed"} == set(json.loads(receipt))


@pytest.mark.parametrize("digest", ["0" * 32, "ä", ""])
def test_another_digest_is_refused(said, root, digest):
    """Exit code 11, what to do, and nothing done."""
    code, _, err = said(f"account {CANARY}\n", "erase", "--execute", digest)

    assert 11 == code
    assert "without --execute" in err
    assert not (root / "restricted" / "exclusions.json").exists()


@pytest.mark.parametrize("text", [CANARY, f"address {CANARY}", f"account {CANARY} ", ""])
def test_what_is_not_understood_is_refused_unquoted(said, text):
    """Exit code 11; numbers and reasons only."""
    code, _, err = said(text, "erase")

    assert 11 == code
    assert "standard input" in err


def test_an_unforeseen_error_quotes_no_identifier(said, monkeypatch):
    """A bug tells its class and place only."""

    def broken(*_):
        raise ValueError(CANARY)

    monkeypatch.setattr("usage_stats.flow.erase.parse_identifiers", broken)
    code, _, err = said(f"account {CANARY}\n", "erase")

    assert 70 == code
    assert "ValueError" in err


def test_purge_lists_and_deletes(said, root):
    """A stray file is counted, then gone; of an empty list that is said."""
    assert "nothing to purge" in said("", "purge")[1]
    stray = root / "restricted" / "spill" / "left.tmp"
    stray.parent.mkdir()
    stray.write_bytes(b"rows")
    found = json.loads(said("", "purge", "--json")[1])
    assert {"files": 1, "bytes": 4} == found["purged"]["temporary"]
    assert (True, False) == (stray.exists(), found["executed"])
    code, words, _ = said("", "purge", "--execute", found["digest"])

    assert (0, False) == (code, stray.exists())
    assert words.startswith("purged     1 file, 4 bytes")


@pytest.mark.parametrize(
    "arguments", [("account", CANARY), (f"--account={CANARY}",), ("--", CANARY), ("-x", CANARY)]
)
def test_people_named_as_arguments_are_refused_and_not_repeated(said, root, arguments):
    """Whoever lists processes sees arguments: exit code 11, the way to do it, nothing done and nothing said of them."""
    code, _, err = said(f"account {CANARY}\n", "erase", *arguments)

    assert INPUT == code
    assert "standard input, never as arguments" in err
    assert not (root / "restricted" / "ledgers" / "erasures.jsonl").exists()
