"""Everything in a workspace but its keys is known, and every address is tried: no pseudonym has an owner."""

import hashlib
import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet as pq
import pytest
import xxhash

from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
VISITORS, DAYS = 15, (1, 2, 4)
OPEN, LATE = datetime(2026, 4, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
WINDOWS = {
    "week/2026-W14": "restricted/usage/week/day=2026-04-01",
    "month/2026-04": "restricted/usage/month/day=2026-04-01",
}
ADDRESSES = [f"10.20.{n >> 8}.{n & 255}" for n in range(1 << 16)]
IDENTITIES = [b"4" + bytes([10, 20, n >> 8, n & 255]) + AGENT for n in range(1 << 16)]
OWNERS = [(n * 2503 + 77) % (1 << 16) for n in range(VISITORS)]


def _workspace(root, site):
    (root / "logs").mkdir(parents=True)
    for day in DAYS:
        lines = [
            f'{ADDRESSES[n]} - - [{day:02}/Apr/2026:10:{k:02}:00 +0000] "GET / HTTP/1.1" 200 5 "-" "{AGENT.decode()}"\n'
            for k, n in enumerate(OWNERS)
        ]
        (root / "logs" / f"{day}.log").write_text("".join(lines))
    settings = {
        "site": site,
        "components": [{"name": "home", "paths": ["/"]}],
        "partners": [],
        "gaps": "accept",
    }
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    versions = [{"version": "1", "effective": "2010-01-01", "uses": ["internal_aggregate"]}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    run(open_workspace(root), OPEN, Silent())
    return root


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A workspace with sealed and open days, whose windows are open; and another site's, of the same people."""
    top = tmp_path_factory.mktemp("brute")
    return _workspace(top / "mine", "mine"), _workspace(top / "theirs", "theirs")


def _key(root, window):
    return next((root / "restricted" / "keys").glob(f"*/{window}.key")).read_bytes()


def _rows(root):
    """Every pseudonym of the store, by the column it stands in."""
    tables = [pq.ParquetFile(path).read() for path in (root / "restricted").rglob("*.parquet")]
    names = ("person", "network", "month_person", "month_network")
    found = {n for t in tables for name in names if name in t.column_names for n in t[name].to_pylist()}
    return np.array(sorted(found), np.uint64)


def _guesses(key, window, identities=IDENTITIES):
    """What these identities would be called: written anew from the standard's keyed BLAKE2b."""
    state = hashlib.blake2b(len(window).to_bytes(4, "big") + window.encode(), key=key, digest_size=8)
    digests = []
    for identity in identities:
        each = state.copy()
        each.update(identity)
        digests.append(each.digest())
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


def _owners_found(guesses, rows):
    return np.flatnonzero(np.isin(guesses, rows)).tolist()


@pytest.mark.parametrize("window", WINDOWS)
def test_the_right_key_finds_exactly_the_owners(held, window):
    """So that the attack below could succeed: among 65,536 addresses, those that came, and nobody else."""
    guesses = _guesses(_key(held[0], window), window)

    assert sorted(OWNERS) == _owners_found(guesses, _rows(held[0]))


def _wrong_keys(held, window):
    mine, theirs = held
    ledger = (mine / "restricted" / "ledgers" / "keys.jsonl").read_text().splitlines()
    checks = [entry["check"] for line in ledger if "check" in (entry := json.loads(line)["entry"])]
    links = [json.loads(line)["sha256"] for line in ledger]
    paths = [*(mine / "restricted" / "keys").rglob("*.key"), *(theirs / "restricted" / "keys").rglob("*.key")]
    right = _key(mine, window)
    others = {str(path): path.read_bytes() for path in paths if path.read_bytes() != right}
    return {
        "none": b"",
        "zeros": bytes(32),
        **others,
        **{f"check {n}": bytes.fromhex(check) for n, check in enumerate(checks)},
        **{f"check {n} as text": check.encode() for n, check in enumerate(checks)},
        **{f"check {n} twice": bytes.fromhex(check) * 2 for n, check in enumerate(checks)},
        **{f"link {n}": bytes.fromhex(link) for n, link in enumerate(links)},
    }


@pytest.mark.parametrize("window", WINDOWS)
def test_without_the_key_no_address_has_a_pseudonym(held, window):
    """No key, zeros, the keys of other windows, kinds and sites, and what the ledger says of keys lead to nobody. All
    addresses are tried with the plainest of them; the owners themselves with each.
    """
    rows, wrong = _rows(held[0]), _wrong_keys(held, window)
    owners = [IDENTITIES[n] for n in OWNERS]
    plainest = {
        name: _owners_found(_guesses(wrong[name], window), rows) for name in ("none", "zeros", "check 0")
    }

    assert len(wrong) > 20
    assert {"none": [], "zeros": [], "check 0": []} == plainest
    assert [] == [name for name, key in wrong.items() if _owners_found(_guesses(key, window, owners), rows)]


def test_no_plain_hash_of_an_address_is_a_pseudonym(held):
    """Digests without a key, of the address as text, as bytes and with the user agent, cut to 64 bits at either end."""
    rows, found = set(_rows(held[0]).tolist()), []
    for number in OWNERS:
        text, identity = ADDRESSES[number].encode(), IDENTITIES[number]
        for raw in (text, text + AGENT, identity, identity[1:], identity[:5], identity[1:5], identity[:4]):
            digests = [
                hashlib.new(name, raw).digest()
                for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s")
            ]
            digests += [
                hashlib.blake2b(raw, digest_size=8).digest(),
                xxhash.xxh64_digest(raw),
                raw[:8].ljust(8, b"\0"),
            ]
            numbers = {
                int.from_bytes(d[part], o)
                for d in digests
                for part in (slice(8), slice(-8, None))
                for o in ("big", "little")
            }
            found += rows & numbers

    assert [] == found


def test_what_is_left_of_a_workspace_holds_no_key_that_leads_to_anybody(held, tmp_path):
    """The windows are closed: every 32 bytes that lie anywhere in the store, and every hex text of them, are tried as
    the key against the rows that an earlier copy held. Before, with the key there, the same search finds it.
    """
    mine = held[0]
    root = tmp_path / "closed"
    shutil.copytree(mine, root)
    rows, window = _rows(mine), "week/2026-W14"
    run(open_workspace(root), LATE, Silent())
    assert [] == [*(root / "restricted" / "keys").glob("*/week/*.key")]
    before = _candidates([(mine / "restricted" / "keys" / "mine" / f"{window}.key")])
    left = _candidates([path for path in (root / "restricted").rglob("*") if path.is_file()])

    assert [_key(mine, window)] == [key for key in before if _leads(key, window, rows)]
    assert len(left) > 5_000
    assert [] == [key for key in left if _leads(key, window, rows)]


def _candidates(paths):
    found = set()
    for path in paths:
        content = path.read_bytes()
        found |= {content[at : at + 32] for at in range(len(content) - 31)}
        found |= {bytes.fromhex(text) for text in _hex_texts(content, 64) + _hex_texts(content, 32)}
    return sorted(found)


def _hex_texts(content, length):
    words = "".join(c if c in "0123456789abcdef" else " " for c in content.decode("latin-1")).split()
    return [word[at : at + length] for word in words for at in range(len(word) - length + 1)]


def _leads(key, window, rows):
    """One owner is enough: a true key leads to all of them."""
    guess = hashlib.blake2b(
        len(window).to_bytes(4, "big") + window.encode() + IDENTITIES[OWNERS[0]], key=key, digest_size=8
    )
    number = np.uint64(int.from_bytes(guess.digest(), "big"))
    return rows[min(np.searchsorted(rows, number), len(rows) - 1)] == number
