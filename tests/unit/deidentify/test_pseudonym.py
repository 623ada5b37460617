import hashlib
import ipaddress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_stats.deidentify.pseudonym import (
    Pseudonymiser,
    account_identity,
    address_identity,
    cookie_identity,
    split_address,
)

KEY = bytes(range(32))
WRONG_KEY = bytes(range(1, 33))
PAIRS = st.tuples(st.text(max_size=4), st.binary(max_size=6))  # a domain and an identity
IDENTITIES = st.lists(st.binary(max_size=300), max_size=6)

# RFC 7693, section 2.7 (sigma) and appendix C.2 (initial values), for a BLAKE2b that shares nothing with the library.
_WORD = 2**64 - 1
_INITIAL = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_MIXES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _mix(v, a, b, c, d, x, y):
    for word, turn_d, turn_b in ((x, 32, 24), (y, 16, 63)):
        v[a] = (v[a] + v[b] + word) & _WORD
        v[d] = _turned(v[d] ^ v[a], turn_d)
        v[c] = (v[c] + v[d]) & _WORD
        v[b] = _turned(v[b] ^ v[c], turn_b)


def _turned(word, bits):
    return (word >> bits | word << (64 - bits)) & _WORD


def _by_hand(key, message, digest_size=8):
    """Keyed BLAKE2b, written out of RFC 7693; the digest as a number, its first byte the highest."""
    data = key.ljust(128, b"\0") + message if key else message
    blocks = [data[n : n + 128] for n in range(0, len(data), 128)] or [b""]
    h = [_INITIAL[0] ^ 0x01010000 ^ len(key) << 8 ^ digest_size, *_INITIAL[1:]]
    for number, block in enumerate(blocks, start=1):
        is_last = number == len(blocks)
        m = [int.from_bytes(block.ljust(128, b"\0")[n : n + 8], "little") for n in range(0, 128, 8)]
        v = [*h, *_INITIAL]
        v[12] ^= len(data) if is_last else 128 * number
        v[14] ^= _WORD if is_last else 0
        for turn in range(12):
            s = _SIGMA[turn % 10]
            for place, spots in enumerate(_MIXES):
                _mix(v, *spots, m[s[2 * place]], m[s[2 * place + 1]])
        h = [h[n] ^ v[n] ^ v[n + 8] for n in range(8)]
    digest = b"".join(word.to_bytes(8, "little") for word in h)[:digest_size]
    return int.from_bytes(digest, "big")


def _sized(part):
    return len(part).to_bytes(4, "big") + part


def _of(key, domain, *identities):
    return Pseudonymiser(key, domain).of(identities).tolist()


def test_the_hand_written_hash_is_blake2b():
    """The example of RFC 7693, appendix A: BLAKE2b-512 of "abc"."""
    expected = (
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    )

    assert int(expected, 16) == _by_hand(b"", b"abc", digest_size=64)


@given(key=st.binary(min_size=32, max_size=32), domain=st.text(max_size=8), identities=IDENTITIES)
@example(key=KEY, domain="week/2026-W10", identities=[b"", b"a" * 107, b"a" * 108, b"a" * 109, b"a" * 300])
def test_a_pseudonym_is_the_keyed_hash_of_domain_and_identity(key, domain, identities):
    """Keyed BLAKE2b over the domain with its length before it, then the identity, cut to 64 bits."""
    expected = [_by_hand(key, _sized(domain.encode()) + identity) for identity in identities]

    assert expected == _of(key, domain, *identities)


def test_the_standard_library_agrees():
    """The same number out of `hashlib`, in one go."""
    message = b"\0\0\0\x0dweek/2026-W10" + b"cabc"
    expected = int.from_bytes(hashlib.blake2b(message, key=KEY, digest_size=8).digest(), "big")

    assert [expected] == _of(KEY, "week/2026-W10", cookie_identity(b"abc"))


@given(identities=IDENTITIES)
def test_pseudonyms_are_unsigned_numbers_of_64_bits_in_the_order_given(identities):
    """A column of the machine's own byte order, one for each; the others asked for bear on none."""
    found = Pseudonymiser(KEY, "d").of(identities)

    assert np.dtype(np.uint64) == found.dtype
    assert [n for one in identities for n in _of(KEY, "d", one)] == found.tolist()


@given(first=PAIRS, second=PAIRS)
@example(first=("ab", b"c"), second=("a", b"bc"))
@example(first=("", b"\0\0\0\0"), second=("\0", b""))
def test_domain_and_identity_are_kept_apart(first, second):
    """However the same bytes are cut, only equal domains with equal identities meet."""

    assert (first == second) == (_of(KEY, *first) == _of(KEY, *second))


@given(first=st.binary(max_size=6), second=st.binary(max_size=6))
def test_an_account_and_a_cookie_of_one_spelling_are_two_persons(first, second):
    """What kind of identifier it is goes into the hash, whatever either spells."""

    assert account_identity(first) != cookie_identity(second)
    assert (first == second) == (account_identity(first) == account_identity(second))


@given(value=st.binary(max_size=40), address=st.binary(max_size=40), agent=st.binary(max_size=6))
@example(value=b"\xc0\x00\x02\x07", address=b"192.0.2.7", agent=b"")
def test_no_identity_is_spelt_like_one_of_another_kind(value, address, agent):
    """Account, cookie, address with agent, and network: no two of them are ever the same bytes."""
    whole = [
        account_identity(value),
        cookie_identity(value),
        address_identity(address, agent),
        split_address(address)[1],
    ]

    assert 4 == len({identity[:1] for identity in whole})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((KEY, "week/2026-W10"), (WRONG_KEY, "week/2026-W10")),
        ((KEY, "week/2026-W10"), (KEY, "week/2026-W11")),
        ((KEY, "week/2026-W10"), (KEY, "month/2026-W10")),
    ],
    ids=["two sites", "two windows, even under one key", "two kinds of window"],
)
def test_windows_and_sites_share_no_pseudonym(first, second):
    """The same people under another key, or in another window, have nothing in common."""
    people = [str(n).encode() for n in range(2000)]
    here, there = (set(_of(*where, *people)) for where in (first, second))

    assert 2000 == len(here) == len(there)
    assert set() == here & there


def test_brute_force_without_the_key_finds_nothing():
    """Hashing all addresses of a /16 under a wrong key meets no pseudonym; under the right one, the one."""
    identities = [address_identity(b"198.51.%d.%d" % (n >> 8, n & 255), b"Firefox") for n in range(1 << 16)]
    (seen,) = _of(KEY, "week/2026-W10", identities[0x0A17])

    def attack(key):
        return np.flatnonzero(Pseudonymiser(key, "week/2026-W10").of(identities) == seen).tolist()

    assert [] == attack(WRONG_KEY)
    assert [0x0A17] == attack(KEY)


def test_nothing_shows_the_key():
    """What a debugger prints says nothing."""

    assert "Pseudonymiser(...)" == repr(Pseudonymiser(KEY, "d")) == str(Pseudonymiser(KEY, "d"))


def test_an_address_and_its_agent_are_kept_apart():
    """No two pairs are spelt alike, whatever the name of a host is."""
    pairs = [
        (b"host.a", b"bc"),
        (b"host.ab", b"c"),
        (b"host.abc", b""),
        (b"192.0.2.7", b""),
        (b"192.0.2.7", b"x"),
    ]

    assert len(pairs) == len({address_identity(*pair) for pair in pairs})


def network_of(address):
    """The network that an address lies in."""
    return split_address(address)[1]


@pytest.mark.parametrize(
    "same",
    [
        [b"2001:db8:1:2::1", b"2001:DB8:1:2::1", b"[2001:db8:1:2::1]", b"2001:0db8:0001:0002:0000:0000:0000:0001"],
        [b"2001:db8:1:2::1", b"2001:db8:1:2:ffff:ffff:ffff:ffff", b"2001:db8:1:2::"],
        [b"fe80::1", b"fe80::1%eth0", b"fe80::1%2"],
        [b"192.0.2.7", b"::ffff:192.0.2.7", b"::FFFF:c000:207", b"[::ffff:192.0.2.7]"],
        [b"Host.Example.ORG", b"host.example.org"],
    ],
    ids=["spelling", "one /64", "zone", "v4-mapped", "host name"],
)  # fmt: skip
def test_one_visitor_whatever_the_spelling(same):
    """Spellings of one address, and all addresses of one IPv6 /64, are one identity in one network."""
    assert 1 == len({address_identity(a) for a in same})
    assert 1 == len({network_of(a) for a in same})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"192.0.2.7", b"192.0.2.8"),
        (b"2001:db8:1:2::1", b"2001:db8:1:3::1"),
        (b"::ffff:192.0.2.7", b"::ffff:192.0.2.8"),
        (b"::192.0.2.7", b"192.0.2.7"),  # "IPv4-compatible" is an IPv6 address of its own
        (b"a.example.org", b"b.example.org"),
        (b"192.0.2.7", b"v4/32:\xc0\x00\x02\x07"),
    ],
)
def test_other_addresses_are_other_visitors(first, second):
    """What differs in more than spelling is another identity."""
    assert address_identity(first) != address_identity(second)


@given(
    numbers=st.tuples(*[st.integers(0, 2**32 - 1)] * 2)
    | st.integers(0, 2**32 - 1).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(n, min(n + 600, 2**32 - 1)))
    )
)
def test_ipv4_is_kept_whole_and_networks_are_24_bits(numbers):
    """IPv4: one identity per address, one network per /24."""
    addresses = [ipaddress.IPv4Address(n) for n in numbers]
    texts = [str(a).encode() for a in addresses]
    networks = [ipaddress.ip_network(f"{a}/24", strict=False) for a in addresses]

    assert (addresses[0] == addresses[1]) == (address_identity(texts[0]) == address_identity(texts[1]))
    assert (networks[0] == networks[1]) == (network_of(texts[0]) == network_of(texts[1]))


@given(high=st.integers(2**125, 2**126 - 1), flips=st.sets(st.integers(0, 127), max_size=2))
def test_ipv6_is_cut_at_64_and_48_bits(high, flips):
    """IPv6: one identity per /64, one network per /48."""
    other = high
    for bit in flips:
        other ^= 1 << bit
    addresses = [ipaddress.IPv6Address(n) for n in (high, other)]
    texts = [str(a).encode() for a in addresses]

    def alike(prefix):
        first, second = (ipaddress.ip_network(f"{a}/{prefix}", strict=False) for a in addresses)
        return first == second

    assert alike(64) == (address_identity(texts[0]) == address_identity(texts[1]))
    assert alike(48) == (network_of(texts[0]) == network_of(texts[1]))


@given(address=st.binary(max_size=40))
def test_no_bytes_raise(address):
    """Whatever a parser lets through has an identity and a network."""
    assert isinstance(address_identity(address), bytes)
    assert isinstance(network_of(address), bytes)


def test_an_address_is_not_in_its_identity_as_text():
    """What goes into the hash is a number: no text of an address lies about."""
    assert b"192.0.2" not in address_identity(b"192.0.2.7") + network_of(b"192.0.2.7")


def test_names_of_one_domain_are_not_many_networks():
    """Where the server looks names up, the machines of one company are still one network."""
    names = [b"pc%d.office.example.org" % n for n in range(5)]

    assert 1 == len({network_of(name) for name in names})
