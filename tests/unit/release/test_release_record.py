import json
import re

import pytest

from usage_stats.errors import LedgerError
from usage_stats.measure.relations import CellKey
from usage_stats.release.record import digest_of, from_record, sensitive_cells, to_record


@pytest.fixture
def stored(tmp_path, release, record_of):
    """The record of the release, on disk."""
    path = tmp_path / "2026-03-02.json"
    path.write_bytes(record_of(release))
    return path


def test_a_record_gives_the_release_back(stored, release, record_of):
    """Everything a reader gets survives the record: period, rows and facts are equal."""
    assert release == from_record(stored, digest_of(record_of(release)))


@pytest.mark.parametrize(
    "changes",
    [
        {"identity_basis_shares": None},
        {"days_without_lines": ("2026-03-02",)},
        {"policy_versions": ('ä\n"',)},
    ],
    ids=["no shares", "a gap", "odd names"],
)
def test_a_record_gives_every_fact_back(tmp_path, release_with, facts, changes, record_of):
    """Facts that are absent, lists or odd texts come back as they were."""
    release = release_with(facts=facts(**changes))
    path = tmp_path / "r.json"
    path.write_bytes(record_of(release))

    assert release == from_record(path, digest_of(record_of(release)))


def test_a_record_read_back_gives_the_same_record(stored, release, record_of):
    """Write, read, write: the bytes the ledger vouches for do not change."""
    again = from_record(stored, digest_of(record_of(release)))

    assert record_of(release) == record_of(again)


def test_any_changed_byte_is_noticed(stored, release, record_of):
    """A record that differs anywhere is not what the ledger vouches for."""
    good = record_of(release)
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


def test_the_same_figures_in_other_spacing_are_noticed(stored, release, record_of):
    """Not only figures but bytes are vouched for."""
    content = json.dumps(json.loads(record_of(release))).encode()

    assert _is_refused(stored, content, digest_of(record_of(release)))


def test_a_lost_record_stops_everything(tmp_path, release, record_of):
    """A record that is not there is an error with the path and the remedy, not an empty history."""
    missing = tmp_path / "gone.json"
    with pytest.raises(LedgerError, match=r"restore restricted/ from its backup") as caught:
        from_record(missing, digest_of(record_of(release)))

    assert str(missing) in str(caught.value)


def test_a_record_holds_no_confidential_count(release, record_of):
    """The record has what readers get: no count of a withheld cell, no number of networks."""
    words = set(re.findall(rb"\b\d+\b", record_of(release)))

    assert set() == words & {b"2098", b"2295", b"3991", b"599"}


def test_the_sensitive_cells_come_back(stored, release, record_of):
    """Which cells were withheld for themselves is known to later releases, whatever order they were given in."""
    expected = {CellKey("2026-03-02", "shop", "basket")}
    other = [CellKey("b", "c", "d"), CellKey("a", "c", "d")]

    assert expected == sensitive_cells(stored, digest_of(record_of(release)))
    assert to_record(release, other) == to_record(release, other[::-1])


def test_sensitive_cells_of_a_changed_record_are_not_believed(stored, release, record_of):
    """A cell less in the list would leave it unprotected: the digest covers the list too."""
    good = record_of(release)
    stored.write_bytes(good.replace(b'["2026-03-02","shop","basket",""]', b""))
    with pytest.raises(LedgerError):
        sensitive_cells(stored, digest_of(good))
