import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.errors import LedgerError
from usage_stats.ledger import Ledger, canonical_json

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # surrogates too: file names have them
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=5)
CANARY = "canary-7f3a"
THREE = [{"n": 1, "who": CANARY}, {"n": 2, "who": CANARY}, {"n": 3, "who": CANARY}]


@pytest.fixture
def path(tmp_path):
    """Where a ledger is; its folder is not there yet."""
    return tmp_path / "ledgers" / "things.jsonl"


@pytest.fixture
def written(path):
    """A ledger of three entries."""
    return _write(path, THREE)


def _write(path, entries):
    ledger = Ledger(path)
    for entry in entries:
        ledger.append(entry)
    return path


def _lines(path):
    return path.read_bytes().splitlines(keepends=True)


def _is_refused(path):
    try:
        Ledger(path).entries()
    except LedgerError:
        return True
    return False


def test_a_ledger_that_is_not_there_is_empty(path):
    """A workspace begins without ledgers, and reading makes none."""
    assert [] == Ledger(path).entries()
    assert not path.exists()


@settings(deadline=None)  # files and frames take their time on a busy machine
@given(entries=ENTRIES)
def test_entries_come_back_equal(entries):
    """Whatever JSON can hold comes back as it went in, in order, for the writer and for the next reader."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "l.jsonl"
        ledger = Ledger(path)
        for entry in entries:
            ledger.append(entry)

        assert entries == ledger.entries()
        assert entries == Ledger(path).entries()
    finally:
        shutil.rmtree(folder)


def test_appending_goes_on_where_another_stopped(written):
    """A later run continues the chain of the earlier one."""
    Ledger(written).append({"n": 4})

    assert [*THREE, {"n": 4}] == Ledger(written).entries()


def test_appending_only_appends(written):
    """What was written stays, byte for byte."""
    before = written.read_bytes()
    Ledger(written).append({"n": 4})

    assert written.read_bytes().startswith(before)


def test_the_chain_can_be_checked_without_our_code(written):
    """Each digest is SHA-256 of the digest before (64 zeros at first) and the entry's canonical JSON."""
    previous = "0" * 64
    expected = []
    for entry in THREE:
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256((previous + text).encode()).hexdigest()
        expected.append(previous)

    assert expected == [json.loads(line)["sha256"] for line in _lines(written)]


def test_a_crash_at_any_byte_loses_at_most_the_last_entry(written):
    """However far writing came, the entries whole by then are there, and the next append follows them."""
    content = written.read_bytes()
    for cut in range(len(content) + 1):
        written.write_bytes(content[:cut])
        written.with_suffix(".head").unlink(
            missing_ok=True
        )  # written after the entry, so it never runs ahead
        whole = content[:cut].count(b"\n")
        ledger = Ledger(written)
        assert THREE[:whole] == ledger.entries()
        ledger.append({"n": "next"})
        assert [*THREE[:whole], {"n": "next"}] == Ledger(written).entries()


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_missing_end_is_noticed(written, kept):
    """A chain alone cannot tell that whole lines are gone from its end; the head beside it can."""
    written.write_bytes(b"".join(written.read_bytes().splitlines(keepends=True)[:kept]))
    with pytest.raises(LedgerError, match="its end is missing"):
        Ledger(written).entries()


def test_a_lost_ledger_is_noticed(written):
    """A file that is gone is not an empty ledger."""
    written.unlink()
    with pytest.raises(LedgerError, match="holds 0 entries, but had 3"):
        Ledger(written).entries()


def test_a_head_one_behind_is_a_crash_and_no_loss(written):
    """A crash between the entry and the head leaves the ledger one ahead: it is whole."""
    lagging = written.with_suffix(".head").read_bytes()
    Ledger(written).append({"n": "next"})
    written.with_suffix(".head").write_bytes(lagging)

    assert [*THREE, {"n": "next"}] == Ledger(written).entries()


def test_any_changed_byte_is_noticed(written):
    """A changed byte anywhere before the last line's end makes the ledger untrustworthy."""
    content = written.read_bytes()
    unnoticed = []
    for at in range(len(content) - 1):
        written.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        if not _is_refused(written):
            unnoticed.append(at)

    assert [] == unnoticed


@pytest.mark.parametrize(
    "order",
    [(1, 2), (0, 2), (1, 0, 2), (0, 2, 1), (0, 1, 1, 2), (0, 0, 1, 2), (2,)],
    ids=lambda order: "-".join(map(str, order)),
)
def test_removed_moved_and_repeated_lines_are_noticed(written, order):
    """Each line follows from the one before, so none can be taken out, moved or put in twice."""
    lines = _lines(written)
    written.write_bytes(b"".join(lines[n] for n in order))

    assert _is_refused(written)


def test_a_line_put_in_is_noticed(written):
    """A new line, even with a digest that fits the line before, breaks the line after."""
    lines = _lines(written)
    other = _lines(_write(written.with_name("other"), [THREE[0], {"n": "forged"}]))
    written.write_bytes(b"".join([lines[0], other[1], *lines[1:]]))

    assert _is_refused(written)


@pytest.mark.parametrize(
    "line", [b"\n", b"null\n", b"[]\n", b"{}\n", b'{"entry": 1}\n', b"\xff\xfe\n", b'"text"\n']
)
def test_lines_of_another_shape_are_damage(written, line):
    """A line that is no entry is an error of ours, whatever it holds."""
    with written.open("ab") as file:
        file.write(line)

    assert _is_refused(written)


def test_damage_is_told_by_path_and_line_alone(written):
    """The message says where and what to do; an entry's content is in neither it nor its causes."""
    lines = _lines(written)
    written.write_bytes(lines[0] + lines[2])
    with pytest.raises(LedgerError, match=r"line 2 .*backup") as caught:
        Ledger(written).entries()

    assert str(written) in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None or CANARY not in str(caught.value.__cause__)


def test_nothing_is_appended_to_a_damaged_ledger(written):
    """A damaged ledger stays as it is, for whoever has to find out what happened."""
    lines = _lines(written)
    written.write_bytes(lines[0] + lines[2])
    with pytest.raises(LedgerError):
        Ledger(written).append({"n": 4})

    assert lines[0] + lines[2] == written.read_bytes()


def test_the_folder_is_for_the_owner_only(path):
    """A ledger's folder, if it has to be made, is open to nobody else."""
    _write(path, THREE)

    assert 0o700 == path.parent.stat().st_mode & 0o777


@given(value=VALUES)
def test_canonical_json_is_one_text_per_value(value):
    """The text can be read back, is ASCII, and does not depend on the order of keys."""
    text = canonical_json(value)

    assert value == json.loads(text)
    assert text.isascii()
    assert text == canonical_json(_reversed(value))


def _reversed(value):
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(v) for v in value] if isinstance(value, list) else value
