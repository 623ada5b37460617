import os

import pytest

from usage_stats.deidentify.linkage_key import KEY_BYTES, KeyStore
from usage_stats.errors import LedgerError
from usage_stats.ledger import Ledger


@pytest.fixture
def ledger_path(tmp_path):
    """The ledger of keys."""
    return tmp_path / "ledgers" / "keys.jsonl"


@pytest.fixture
def store(tmp_path, ledger_path):
    """Opens the store anew, as the next run does."""

    def store(site="site"):
        return KeyStore(tmp_path / "keys", Ledger(ledger_path), site=site)

    return store


@pytest.fixture
def key_file(tmp_path):
    """Where the week's key lies."""
    return tmp_path / "keys" / "site" / "week" / "2026-W10.key"


def _refusal(store):
    with pytest.raises(LedgerError) as caught:
        store.key("week", "2026-W10")
    return str(caught.value)


def test_a_key_is_made_on_first_use(store, key_file):
    """A window's key is 256 bits, on disk before it is used."""
    key = store().key("week", "2026-W10")

    assert KEY_BYTES == 32 == len(key)
    assert key == key_file.read_bytes()


def test_a_key_is_made_once(store):
    """Every later use, in this run or another, gets the same key."""
    first = store()
    key = first.key("week", "2026-W10")

    assert key == first.key("week", "2026-W10") == store().key("week", "2026-W10")


def test_every_window_kind_and_site_has_its_own_key(store):
    """Nothing links two windows, and nothing two sites."""
    keys = [
        store(site).key(kind, window)
        for site in ("site", "other")
        for kind, window in (
            ("week", "2026-W10"),
            ("week", "2026-W11"),
            ("month", "2026-03"),
            ("month", "2026-W10"),
        )
    ]

    assert len(keys) == len(set(keys))


def test_a_key_is_for_the_owner_only(store, key_file):
    """Whatever the process's mask, nobody else may read the file or look into its folder."""
    before = os.umask(0)
    try:
        store().key("week", "2026-W10")
    finally:
        os.umask(before)

    assert 0o600 == key_file.stat().st_mode & 0o777
    assert 0o700 == key_file.parent.stat().st_mode & 0o777


def test_the_ledger_does_not_hold_the_key(store, ledger_path):
    """The ledger says that a key was made, nothing of the key."""
    key = store().key("week", "2026-W10")
    content = ledger_path.read_bytes()

    assert key not in content
    assert key.hex().encode() not in content.lower()
    assert [{"site": "site", "kind": "week", "window": "2026-W10", "event": "made"}] == Ledger(
        ledger_path
    ).entries()


def test_a_lost_key_is_not_made_anew(store, key_file):
    """A new key would count the same people twice: the run stops, names the file and the remedy."""
    store().key("week", "2026-W10")
    key_file.unlink()
    message = _refusal(store())

    assert str(key_file) in message
    assert "backup" in message
    assert not key_file.exists()


@pytest.mark.parametrize("content", [b"", b"short", bytes(31), bytes(33)])
def test_a_damaged_key_is_not_used(store, key_file, content):
    """A key of another length is damaged: it is neither used nor replaced, and its bytes are not told."""
    store().key("week", "2026-W10")
    key_file.write_bytes(content)
    message = _refusal(store())

    assert f"holds {len(content)} bytes instead of 32" in message
    assert str(key_file) in message
    assert content == key_file.read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o606, 0o611])
def test_a_key_open_to_others_is_not_used(store, key_file, mode):
    """A key that others can read is no secret: the run stops and says what to do."""
    store().key("week", "2026-W10")
    key_file.chmod(mode)
    message = _refusal(store())

    assert str(key_file) in message
    assert "chmod 600" in message


def test_a_key_that_was_closed_again_is_used(store, key_file):
    """The remedy helps."""
    key = store().key("week", "2026-W10")
    key_file.chmod(0o644)
    key_file.chmod(0o600)

    assert key == store().key("week", "2026-W10")


def test_a_key_that_is_a_folder_is_an_error_of_ours(store, key_file):
    """Whatever lies in a key's place, the answer is a LedgerError."""
    store().key("week", "2026-W10")
    key_file.unlink()
    key_file.mkdir()

    assert str(key_file) in _refusal(store())


def test_a_destroyed_key_is_gone_for_ever(store, key_file):
    """After its window no key is given, made or found, in this run and all later ones."""
    first = store()
    first.key("week", "2026-W10")
    first.destroy("week", "2026-W10")

    assert first.key("week", "2026-W10") is None
    assert store().key("week", "2026-W10") is None
    assert not key_file.exists()


def test_a_file_put_back_does_not_bring_a_key_back(store, key_file):
    """A backup restored over the folder does not open a closed window."""
    first = store()
    key = first.key("week", "2026-W10")
    first.destroy("week", "2026-W10")
    key_file.write_bytes(key)

    assert store().key("week", "2026-W10") is None


def test_a_destroyed_key_was_overwritten(store, key_file, tmp_path):
    """Removing a name is not enough: another name of the same file holds no key any more."""
    first = store()
    key = first.key("week", "2026-W10")
    os.link(key_file, tmp_path / "second-name")
    first.destroy("week", "2026-W10")

    assert key not in (tmp_path / "second-name").read_bytes()


def test_the_zeros_reach_the_disk_before_the_name_goes(store, key_file, monkeypatch):
    """A power cut after the destruction cannot leave the key behind: overwriting is synced first."""
    first = store()
    first.key("week", "2026-W10")
    number, sync, synced = key_file.stat().st_ino, os.fsync, []

    def noting(descriptor):
        sync(descriptor)
        if os.fstat(descriptor).st_ino == number:
            synced.append(key_file.read_bytes())

    monkeypatch.setattr(os, "fsync", noting)
    first.destroy("week", "2026-W10")

    assert bytes(KEY_BYTES) in synced


def test_destroying_twice_changes_nothing(store, ledger_path):
    """The second time is no event."""
    first = store()
    first.key("week", "2026-W10")
    first.destroy("week", "2026-W10")
    before = ledger_path.read_bytes()
    store().destroy("week", "2026-W10")

    assert before == ledger_path.read_bytes()


def test_a_window_without_a_key_can_be_closed(store):
    """A window in which nothing happened gets no key later either."""
    store().destroy("week", "2026-W10")

    assert store().key("week", "2026-W10") is None


def test_other_windows_stay_open(store):
    """Closing one window leaves the others their keys."""
    first = store()
    other = first.key("week", "2026-W11")
    month = first.key("month", "2026-03")
    first.key("week", "2026-W10")
    first.destroy("week", "2026-W10")

    assert (other, month) == (store().key("week", "2026-W11"), store().key("month", "2026-03"))


def test_closed_windows_are_listed_by_site(store):
    """A site's list of closed windows holds its own only, and no open one."""
    for site, window in (("site", "2026-W10"), ("other", "2026-W11")):
        store(site).key("week", window)
        store(site).destroy("week", window)
    store().key("week", "2026-W12")

    assert frozenset({"2026-W10"}) == store().destroyed()


def test_a_crash_before_the_ledger_knew_makes_a_new_key(store, key_file, ledger_path):
    """A file that no ledger entry names was never used: a new key takes its place."""
    left_over = b"x" * KEY_BYTES
    key_file.parent.mkdir(parents=True)
    key_file.write_bytes(left_over)
    key_file.chmod(0o644)
    key = store().key("week", "2026-W10")

    assert left_over != key == key_file.read_bytes()
    assert 0o600 == key_file.stat().st_mode & 0o777
    assert 1 == len(Ledger(ledger_path).entries())


def test_a_crash_while_destroying_is_finished_by_the_next_run(store, key_file):
    """With the file gone and the ledger not told, the key cannot be used, and destroying again closes it."""
    store().key("week", "2026-W10")
    key_file.unlink()
    _refusal(store())
    store().destroy("week", "2026-W10")

    assert store().key("week", "2026-W10") is None


def test_a_crash_while_overwriting_is_no_key(store, key_file):
    """A file of zeros, the state between overwriting and removing, is closed by destroying again."""
    store().key("week", "2026-W10")
    key_file.write_bytes(bytes(KEY_BYTES))
    store().destroy("week", "2026-W10")

    assert not key_file.exists()
    assert store().key("week", "2026-W10") is None


def test_a_damaged_ledger_gives_no_key(store, ledger_path):
    """Without a ledger to trust, nobody can say which keys were destroyed."""
    store().key("week", "2026-W10")
    ledger_path.write_bytes(ledger_path.read_bytes().replace(b"made", b"mode"))

    with pytest.raises(LedgerError, match="line 1"):
        store()


def test_the_store_shows_no_key(store):
    """Neither the store nor its text holds a key's bytes."""
    opened = store()
    key = opened.key("week", "2026-W10")

    assert key.hex() not in repr(opened)
    assert repr(key) not in repr(vars(opened))
