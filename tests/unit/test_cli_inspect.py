"""`usage-stats inspect` as it is typed: what it prints, where, and with which exit code."""

import gzip
import io
import json
import sys
from types import SimpleNamespace

import pytest
import yaml

from usage_stats import cli

CANARY = "canary-7f3a"  # stands in every field of the logs here that a person could be known by
LOG = "".join(
    f'10.0.{n}.7 - - [01/Apr/2026:10:{n % 60:02}:00 +0000] "GET /?{CANARY}={n} HTTP/1.1" 200 5 '
    f'"https://search.example/?q={CANARY}" "{agent}"\n'
    for n, agent in enumerate(["Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "Googlebot/2.1"] * 100)
).encode()
JUNK = f"{CANARY}\n\n# {CANARY}\n".encode()


@pytest.fixture
def inspect(monkeypatch, capsys):
    """Type the command, with bytes on standard input: exit code, standard output, standard error."""

    def typed(*arguments, piped=b""):
        monkeypatch.setattr(sys, "argv", ["usage-stats", "inspect", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(piped)))
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return end.value.code or 0, captured.out, captured.err

    return typed


def _written(folder, data, name="access.log"):
    path = folder / name
    path.write_bytes(data)
    return path


def test_the_words_say_the_format_why_and_what_to_paste(inspect, tmp_path):
    """A person learns what was found, how sure it is, and the lines for usage_stats.yaml."""
    path = _written(tmp_path, LOG)
    code, out, err = inspect(path)
    pasted = yaml.safe_load(out.partition("# for usage_stats.yaml:\n")[2])

    assert (0, "") == (code, err)
    assert "format     combined (sure: 200 of 200 lines looked at fit; no other format fits any)\n" in out
    assert "robots     100 lines: 100 search engine\n" in out
    assert {"sources": [{"name": "web", "logs": [f"{path}*"], "format": "combined"}]} == pasted
    assert CANARY not in out


@pytest.mark.parametrize("packed", [LOG, gzip.compress(LOG)], ids=("plain", "gzip"))
def test_standard_input_is_inspected_with_a_dash(inspect, packed):
    """The same counts as of a file, plain or compressed."""
    code, out, err = inspect("--json", "-", piped=packed)
    found = json.loads(out)

    assert (0, "") == (code, err)
    assert ("standard input", "combined", 200, 200) == tuple(
        found[name] for name in ("file", "format", "lines", "parsed")
    )


@pytest.mark.parametrize(
    ("piped", "says"),
    [
        (b"", "standard input: is empty"),
        (JUNK, "standard input: no access log"),
        (b"\x7fELF\0\0", "a binary file"),
    ],
    ids=("empty", "junk", "binary"),
)
def test_standard_input_that_is_no_log_is_refused(inspect, piped, says):
    """Exit code 11, by the name of standard input."""
    code, out, err = inspect("-", piped=piped)

    assert (11, "") == (code, out)
    assert err.startswith("error: standard input: ")
    assert says in err
    assert CANARY not in err


@pytest.mark.parametrize("damage", ["cut", "bad checksum"])
def test_a_break_is_a_warning_and_the_lines_before_it_count(inspect, tmp_path, damage):
    """Exit code 0: the warning on standard error, the sentence in the JSON as well, the counts as ever."""
    data = bytearray(gzip.compress(LOG))
    data[-8] ^= 0xFF  # the checksum (RFC 1952, section 2.3.1)
    path = _written(tmp_path, data[:-200] if damage == "cut" else data)
    code, out, err = inspect("--json", "--rejects", path)
    found = json.loads(out)
    cut = found["reasons"].get("cut_off", 0)

    assert 0 == code
    assert err == f"warning: {found['broken']}\n"
    assert found["broken"].startswith(f"{path}: ")
    assert 0 < found["parsed"] == found["lines"] - cut
    assert (200 if damage == "bad checksum" else found["lines"]) == found["lines"]
    assert [[found["lines"], "cut_off"]] * cut == found["rejects"]


def test_rejects_are_listed_when_asked_for(inspect, tmp_path):
    """Line numbers and reasons in words and for machines, never the line."""
    path = _written(tmp_path, LOG + JUNK)
    _, words, _ = inspect("--rejects", path)
    _, machines, _ = inspect("--rejects", "--json", path)
    _, silent, _ = inspect("--json", path)

    assert "rejects    ident: 201 (line numbers)\n" in words
    assert [[201, "ident"], [202, "blank"], [203, "directive"]] == json.loads(machines)["rejects"]
    assert "rejects" not in json.loads(silent)
    assert CANARY not in words + machines


def test_a_given_format_is_used(inspect, tmp_path):
    """Named or pasted: nothing is recognised, and lines that do not fit are rejected."""
    path = _written(tmp_path, LOG)
    named, pasted = (
        json.loads(inspect("--json", "--format", text, path)[1])
        for text in ("common", '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"')
    )

    assert ("common", 0, None) == (named["format"], named["parsed"], named["recognition"])
    assert (200, None) == (pasted["parsed"], pasted["suggestion"])


def test_one_bad_file_hides_no_other(inspect, tmp_path):
    """Every file is looked at; the exit code tells that one was refused."""
    good, bad = _written(tmp_path, LOG), _written(tmp_path, JUNK, "bad.log")
    code, out, err = inspect("--json", bad, good)

    assert (11, str(good)) == (code, json.loads(out)["file"])
    assert err.startswith(f"error: {bad}: ")
