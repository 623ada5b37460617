import json
import re

import pytest

from usage_stats.errors import LedgerError
from usage_stats.release.record import digest_of, from_record, to_record


@pytest.fixture
def stored(tmp_path, release):
    """The record of the release, on disk."""
    path = tmp_path / "2026-03-02.json"
    path.write_bytes(to_record(release))
    return path


def test_a_record_gives_the_release_back(stored, release):
    """Everything a reader gets survives the record: period, rows and facts are equal."""
    assert release == from_record(stored, digest_of(to_record(release)))


@pytest.mark.parametrize(
    "changes",
    [
        {"identity_basis_shares": None},
        {"days_without_lines": ("2026-03-02",)},
        {"policy_versions": ('ä\n"',)},
    ],
    ids=["no shares", "a gap", "odd names"],
)
def test_a_record_gives_every_fact_back(tmp_path, release_with, facts, changes):
    """Facts that are absent, lists or odd texts come back as they were."""
    release = release_with(facts=facts(**changes))
    path = tmp_path / "r.json"
    path.write_bytes(to_record(release))

    assert release == from_record(path, digest_of(to_record(release)))


def test_a_record_read_back_gives_the_same_record(stored, release):
    """Write, read, write: the bytes the ledger vouches for do not change."""
    again = from_record(stored, digest_of(to_record(release)))

    assert to_record(release) == to_record(again)


def test_any_changed_byte_is_noticed(stored, release):
    """A record that differs anywhere is not what the ledger vouches for."""
    good = to_record(release)
    unnoticed = [
        at for at in range(0, len(good), 7) if not _is_refused(stored, _flip(good, at), digest_of(good))
    ]

    assert [] == unnoticed


def _flip(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _is_refused(path, content, digest):
    path.write_bytes(content)
    try:
        from_record(path, digest)
    except LedgerError as error:
        return str(path) in str(error)
    return False


def test_the_same_figures_in_other_spacing_are_noticed(stored, release):
    """Not only figures but bytes are vouched for."""
    content = json.dumps(json.loads(to_record(release))).encode()

    assert _is_refused(stored, content, digest_of(to_record(release)))


def test_a_lost_record_stops_everything(tmp_path, release):
    """A record that is not there is an error with the path and the remedy, not an empty history."""
    missing = tmp_path / "gone.json"
    with pytest.raises(LedgerError, match=r"restore restricted/ from its backup") as caught:
        from_record(missing, digest_of(to_record(release)))

    assert str(missing) in str(caught.value)


def test_a_record_holds_no_confidential_count(release):
    """The record has what readers get: no count of a withheld cell, no number of networks."""
    words = set(re.findall(rb"\b\d+\b", to_record(release)))

    assert set() == words & {b"2098", b"2295", b"3991", b"599"}
