import base64
import json
import os
import pickle
import shutil
import traceback
from datetime import UTC, datetime, timedelta, timezone

import pytest

from usage_stats.deidentify.key_file import KEY_BYTES
from usage_stats.deidentify.linkage_key import KeyStore
from usage_stats.deidentify.pseudonym import Pseudonymiser
from usage_stats.errors import InternalError, LedgerError
from usage_stats.ledger import Ledger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ledger_path(tmp_path):
    """The ledger of keys."""
    return tmp_path / "ledgers" / "keys.jsonl"


@pytest.fixture
def store(tmp_path, ledger_path):
    """Opens the store anew, as the next run does."""

    def store(site="site", now=NOON):
        opened = KeyStore(tmp_path / "keys", Ledger(ledger_path), site=site)
        opened.at(now)
        return opened

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
    """The ledger says what became of a key and when, nothing of the key."""
    key = store().key("week", "2026-W10")
    content = ledger_path.read_bytes()
    made, used = Ledger(ledger_path).entries()
    place = {"site": "site", "kind": "week", "window": "2026-W10", "at": "2026-03-02T12:00:00+00:00"}

    assert key not in content
    assert key.hex().encode() not in content.lower()
    assert {**place, "event": "made", "check": made["check"]} == made
    assert {**place, "event": "first_used"} == used


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
    for level in (2, 1, 0):
        key_file.parents[level].mkdir(mode=0o700)
    key_file.write_bytes(left_over)
    key_file.chmod(0o644)
    key = store().key("week", "2026-W10")

    assert left_over != key == key_file.read_bytes()
    assert 0o600 == key_file.stat().st_mode & 0o777
    assert ["made", "first_used"] == [e["event"] for e in Ledger(ledger_path).entries()]


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


def _spellings(key):
    """A key as careless code would write it."""
    texts = [key.hex(), key.hex().upper(), repr(key)[2:-1], repr(list(key)), str(int.from_bytes(key, "big"))]
    coded = [base64.b64encode(key), base64.urlsafe_b64encode(key), base64.b32encode(key)]
    return [key, key[::-1], *(text.encode() for text in texts), *(text.rstrip(b"=") for text in coded)]


def _told(error):
    """All that an error would say, with the variables of each frame, as some reporters of errors show them."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(shown.format()).encode() + repr(error).encode()


def _shows(key, content):
    return [text for text in _spellings(key) if text in content]


def test_the_search_for_a_key_finds_it(store):
    """A key among the variables of a frame would be found: the tests below can fail."""

    def careless(key):
        raise LedgerError(f"{len(key)} bytes")

    key = store().key("week", "2026-W10")
    with pytest.raises(LedgerError) as caught:
        careless(key)

    own = b"".join(line for line in _told(caught.value).splitlines(keepends=True) if b"key = " in line)
    assert _shows(key, own)


def test_the_store_and_what_is_made_of_keys_show_none(store):
    """Neither text, nor variables, nor a pickle of the store holds a key; what holds one cannot be pickled."""
    opened = store()
    key = opened.key("week", "2026-W10")
    pseudonymiser = Pseudonymiser(key, "week/2026-W10")
    shown = [repr(opened), str(opened), repr(vars(opened)), repr(pseudonymiser), repr(vars(pseudonymiser))]

    assert [] == _shows(key, "".join(shown).encode() + pickle.dumps(opened))
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(pseudonymiser)


# ---------------------------------------------------------------- the ledger's words


def test_entries_carry_the_time_of_the_run(store, ledger_path):
    """The clock is the run's, told in UTC: made, first used, destroyed; a second use is no event."""
    here = timezone(timedelta(hours=2))
    store(now=NOON.astimezone(here)).key("week", "2026-W10")
    store(now=NOON + timedelta(1)).key("week", "2026-W10")
    store(now=NOON + timedelta(9)).destroy("week", "2026-W10")

    assert [
        ("made", "2026-03-02T12:00:00+00:00"),
        ("first_used", "2026-03-02T12:00:00+00:00"),
        ("destroyed", "2026-03-11T12:00:00+00:00"),
    ] == [(e["event"], e["at"]) for e in Ledger(ledger_path).entries()]


def test_without_a_time_nothing_is_recorded(tmp_path, ledger_path):
    """A store that nobody told the time makes no key, rather than one of unknown age."""
    opened = KeyStore(tmp_path / "keys", Ledger(ledger_path), site="site")
    with pytest.raises(InternalError, match="not told the time"):
        opened.key("week", "2026-W10")

    assert [] == Ledger(ledger_path).entries()


def test_a_crash_before_the_first_use_leaves_it_to_the_next_run(store, ledger_path, monkeypatch):
    """Made but never handed out: the same key is first used by a later run, which says so."""
    record = KeyStore._record  # noqa: SLF001 the step between the two entries

    def killed(opened, kind, window, event, **more):
        if event == "first_used":
            raise KeyboardInterrupt
        record(opened, kind, window, event, **more)

    with monkeypatch.context() as patch:
        patch.setattr(KeyStore, "_record", killed)
        with pytest.raises(KeyboardInterrupt):
            store().key("week", "2026-W10")
    store(now=NOON + timedelta(1)).key("week", "2026-W10")

    assert [("made", 2), ("first_used", 3)] == [
        (e["event"], datetime.fromisoformat(e["at"]).day) for e in Ledger(ledger_path).entries()
    ]


# ---------------------------------------------------------------- a file that is not the key


def _key_of(tmp_path, site, kind, window):
    return tmp_path / "keys" / site / kind / f"{window}.key"


@pytest.mark.parametrize(
    ("site", "kind", "window", "told"),
    [
        ("site", "week", "2026-W11", "the key of week 2026-W11"),
        ("site", "month", "2026-03", "the key of month 2026-03"),
        ("other", "week", "2026-W10", "another key, of another site or window"),
    ],
)
def test_the_key_of_another_window_or_site_is_not_used(store, key_file, tmp_path, site, kind, window, told):
    """A wrong file was restored or copied: it is noticed, neither used nor replaced, and no byte of it is told."""
    right = store().key("week", "2026-W10")
    wrong = store(site).key(kind, window)
    shutil.copy(_key_of(tmp_path, site, kind, window), key_file)
    message = _refusal(store())

    assert f"{key_file}: holds {told}" in message
    assert "backup" in message
    assert wrong == key_file.read_bytes()
    assert [] == _shows(wrong, _error_of(store, "2026-W10"))
    key_file.write_bytes(right)
    assert right == store().key("week", "2026-W10")


def test_two_keys_that_changed_places_are_noticed(store, key_file):
    """Each would count the other's people anew."""
    for window in ("2026-W10", "2026-W11"):
        store().key("week", window)
    other = key_file.with_name("2026-W11.key")
    one, two = key_file.read_bytes(), other.read_bytes()
    key_file.write_bytes(two)
    other.write_bytes(one)
    for window in ("2026-W10", "2026-W11"):
        with pytest.raises(LedgerError, match="holds the key of week"):
            store().key("week", window)


def test_any_changed_bit_is_noticed(store, key_file):
    """A key that a disk changed is another key."""
    key = store().key("week", "2026-W10")
    for bit in range(8 * KEY_BYTES):
        changed = int.from_bytes(key, "big") ^ 1 << bit
        key_file.write_bytes(changed.to_bytes(KEY_BYTES, "big"))
        assert "another key" in _refusal(store())


@pytest.mark.parametrize("what", ["link", "dangling link", "folder", "pipe"])
@pytest.mark.parametrize("when", ["made", "not made", "destroyed"])
def test_what_is_no_plain_file_is_no_key(store, key_file, tmp_path, what, when):
    """A link, a folder or a pipe in a key's place stops the run; nothing is written through it, nor waited for."""
    elsewhere = tmp_path / "elsewhere"
    opened = store()
    key = opened.key("week", "2026-W10") if when != "not made" else bytes(KEY_BYTES)
    opened.key("week", "2026-W11")
    if when == "destroyed":
        opened.destroy("week", "2026-W10")
    key_file.unlink(missing_ok=True)
    if what == "link":
        elsewhere.write_bytes(key)
        elsewhere.chmod(0o600)
    {
        "link": lambda: key_file.symlink_to(elsewhere),
        "dangling link": lambda: key_file.symlink_to(elsewhere),
        "folder": key_file.mkdir,
        "pipe": lambda: os.mkfifo(key_file, 0o600),
    }[what]()
    refused = store().wipe_destroyed if when == "destroyed" else lambda: store().key("week", "2026-W10")
    with pytest.raises(LedgerError, match="is no plain file") as caught:
        refused()

    assert str(key_file) in str(caught.value)
    assert os.path.lexists(key_file)
    assert what != "link" or key == elsewhere.read_bytes()


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o750, 0o755, 0o777])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("window", ["2026-W10", "2026-W11"])
def test_a_folder_of_keys_open_to_others_stops_the_run(store, key_file, mode, level, window):
    """Who may look into a folder of keys, or exchange files in it, is not to be trusted with keys, old or new."""
    store().key("week", "2026-W10")
    folder = key_file.parents[level]
    folder.chmod(mode)
    with pytest.raises(LedgerError, match="is open to others") as caught:
        store().key("week", window)
    folder.chmod(0o700)

    assert f"{folder}: " in str(caught.value)
    assert "chmod 700" in str(caught.value)
    assert len(store().key("week", window)) == KEY_BYTES


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_folder_of_keys_that_is_a_link_stops_the_run(store, key_file, tmp_path, level):
    """Keys lie where the workspace says, not where a link leads."""
    store().key("week", "2026-W10")
    folder = key_file.parents[level]
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")

    assert "is no folder" in _refusal(store())


def test_every_folder_of_keys_is_for_the_owner_only(store, key_file):
    """Also the upper ones, which are made on the way, whatever the process's mask."""
    before = os.umask(0o022)
    try:
        store().key("week", "2026-W10")
    finally:
        os.umask(before)

    assert [0o700] * 3 == [key_file.parents[level].stat().st_mode & 0o777 for level in range(3)]


@pytest.mark.parametrize("spoil", ["gone", "short", "open", "swapped"])
def test_no_error_holds_a_key(store, key_file, spoil):
    """Whatever is wrong, neither the message nor a variable of any frame of ours has a key, right or wrong."""
    key, other = (store().key("week", window) for window in ("2026-W10", "2026-W11"))
    {
        "gone": key_file.unlink,
        "short": lambda: key_file.write_bytes(key[:31]),
        "open": lambda: key_file.chmod(0o644),
        "swapped": lambda: key_file.write_bytes(other),
    }[spoil]()
    told = _error_of(store, "2026-W10")

    assert [] == _shows(key, told) + _shows(other, told) + [key[:31]] * (key[:31] in told)


def _error_of(store, window):
    try:
        store().key("week", window)
    except LedgerError as error:
        return _told(error)
    return b""


# ---------------------------------------------------------------- ledgers from before check values


@pytest.fixture
def old(store, ledger_path, key_file):
    """A workspace of before: entries without times and check values, upper folders left to the umask."""
    keys = [store().key("week", "2026-W10"), store().key("month", "2026-03")]
    for path in (ledger_path, ledger_path.with_suffix(".head")):
        path.unlink()
    for kind, window in (("week", "2026-W10"), ("month", "2026-03")):
        entry = {"site": "site", "kind": kind, "window": window, "event": "made"}
        Ledger(ledger_path).append(entry)
    for level in (1, 2):
        key_file.parents[level].chmod(0o755)
    return keys


def test_a_key_of_before_is_adopted_once(store, ledger_path, key_file, old):
    """It is used as before, and held to its check value from then on; its first use is not known, so not claimed."""
    assert old == [store().key("week", "2026-W10"), store().key("month", "2026-03")]
    events = [e["event"] for e in Ledger(ledger_path).entries()]
    key_file.write_bytes(bytes(KEY_BYTES))

    assert ["made", "made", "adopted", "adopted"] == events
    assert "another key" in _refusal(store())
    assert [0o700] * 3 == [key_file.parents[level].stat().st_mode & 0o777 for level in range(3)]


def test_a_known_key_is_not_adopted_for_another(store, ledger_path, key_file, tmp_path, old):
    """What has a check value already is not taken for the key of another window."""
    store().key("month", "2026-03")
    shutil.copy(_key_of(tmp_path, "site", "month", "2026-03"), key_file)
    message = _refusal(store())

    assert "holds the key of month 2026-03" in message
    assert ["made", "made", "adopted"] == [e["event"] for e in Ledger(ledger_path).entries()]
    assert [] == _shows(old[1], _error_of(store, "2026-W10"))


def test_a_check_value_is_no_pseudonym(store, ledger_path):
    """It begins no pseudonym of the same text, and differs for the same key in another place."""
    key = store().key("week", "2026-W10")
    check = json.loads(ledger_path.read_bytes().splitlines()[0])["entry"]["check"]
    domain = "usage-stats key check/site/week/2026-W10"
    pseudonyms = Pseudonymiser(key, "").of([domain.encode()]), Pseudonymiser(key, domain).of([b""])

    assert 2 * 16 == len(check)
    assert all(f"{int(found[0]):016x}" not in check for found in pseudonyms)
