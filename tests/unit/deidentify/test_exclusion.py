"""Who is left out is recognised, by a key alone, and forgotten when it is time."""

import pytest
from invented_hits import BERLIN, CLASSIFY, DAY, FIREFOX, NOON, columns, hit, key_of

from usage_stats.accesslog.vocabulary import PlainVocabulary
from usage_stats.deidentify import windows as windows_module
from usage_stats.deidentify.exclusion import NOBODY, Exclusions
from usage_stats.deidentify.exclusion_lists import NOBODY as NO_LISTS
from usage_stats.deidentify.outcome import Judge
from usage_stats.deidentify.pseudonym import Pseudonymiser, account_identity, address_identity
from usage_stats.deidentify.robots import Robots
from usage_stats.deidentify.strip import Stripper
from usage_stats.deidentify.visitors import Visitors
from usage_stats.errors import LedgerError
from usage_stats.robot_settings import RobotSettings

KEY = b"k" * 32
ANN, BOB = account_identity(b"ann"), address_identity(b"192.0.2.7", FIREFOX)


def test_only_those_named_are_covered():
    """One by one and many at once."""
    excluded = Exclusions(KEY, {}).adding({ANN: ()})

    assert excluded.covers(ANN)
    assert [True, False] == excluded.excluded([ANN, BOB])


def test_nothing_is_hashed_while_nobody_is_left_out(monkeypatch):
    """An empty list costs nothing, and needs no key."""
    monkeypatch.setattr("hashlib.blake2b", None)

    assert not NOBODY.covers(ANN)
    assert [False, False] == NOBODY.excluded([ANN, BOB])


def test_an_entry_ends_with_the_last_of_its_windows():
    """While one is open it lasts; named again, it lasts for the new ones too; one without end stays without."""
    excluded = Exclusions(KEY, {}).adding({ANN: (), BOB: ("2026-W14", "2026-04")})
    again = excluded.adding({ANN: ("2026-W15",), BOB: ("2026-W15",)})

    assert excluded.without_ended({"2026-W14"}).covers(BOB)
    assert not excluded.without_ended({"2026-W14", "2026-04"}).covers(BOB)
    assert again.without_ended({"2026-W14", "2026-04"}).covers(BOB)
    assert again.without_ended({"2026-W14", "2026-04", "2026-W15"}).covers(ANN)


def test_the_file_holds_no_identity_and_needs_the_key(tmp_path):
    """Read back it is the same; under another key, changed, or with too few entries, it is refused."""
    path = tmp_path / "exclusions.json"
    path.write_bytes(Exclusions(KEY, {}).adding({ANN: (), BOB: ("2026-04",)}).to_bytes())

    assert Exclusions.load(path, KEY, kept_for_ever=1).covers(ANN)
    assert b"ann" not in path.read_bytes()
    with pytest.raises(LedgerError):
        Exclusions.load(path, b"x" * 32, kept_for_ever=1)
    with pytest.raises(LedgerError):
        Exclusions.load(path, KEY, kept_for_ever=2)
    path.write_bytes(path.read_bytes().replace(b"2026-04", b"2026-01"))
    with pytest.raises(LedgerError):
        Exclusions.load(path, KEY, kept_for_ever=1)


def test_no_pseudonym_is_made_of_who_is_left_out(monkeypatch):
    """Neither of the person nor of the network; no row is kept, and every line is accounted for as before."""
    seen = []
    of = Pseudonymiser.of

    class Watched(Pseudonymiser):
        def of(self, identities):
            listed = list(identities)
            seen.extend(listed)
            return of(self, listed)

    monkeypatch.setattr(windows_module, "Pseudonymiser", Watched)
    excluded = Exclusions(KEY, {}).adding({ANN: ()})
    judge = Judge(CLASSIFY, Robots(RobotSettings()), NO_LISTS, PlainVocabulary)
    visitors = Visitors(key_of, PlainVocabulary, excluded)
    stripper = Stripper(judge, visitors, lambda _: None, zone=BERLIN)
    for at in (NOON, NOON + DAY):
        stripper.take(
            columns(*(hit(at=at, account=a, address=b"198.51.100.1") for a in (b"ann", b"ann")), hit(at=at))
        )
    stripped = stripper.drain()

    assert {"page_views": 6} == stripped.outcomes
    assert [1, 1] == [len(day.page_views) for day in stripped.days]
    assert [1, 1] == [len(day.visitors) for day in stripped.days]
    assert ANN not in seen
    assert b"F" + bytes([198, 51, 100]) not in seen
    assert BOB in seen
