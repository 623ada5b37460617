import hashlib
import hmac
import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.deidentify.pseudonym import address_identity, network_of, pseudonym

KEY = bytes(range(32))
WRONG_KEY = bytes(range(1, 33))
PARTS = st.lists(st.binary(max_size=6), max_size=4)


def _by_hand(key, *parts):
    """RFC 2104 by way of hashlib alone, over the parts with their lengths in four bytes before them."""
    message = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()
    return int(outer[:16], 16)


@given(key=st.binary(min_size=32, max_size=32), domain=st.text(max_size=8), parts=PARTS)
def test_a_pseudonym_is_the_hmac_of_its_parts(key, domain, parts):
    """HMAC-SHA-256 over domain and parts, each after its length, cut to the first 64 bits."""
    assert _by_hand(key, domain.encode(), *parts) == pseudonym(key, domain, *parts)


def test_the_standard_library_agrees():
    """The same number out of `hmac.new`."""
    message = b"\0\0\0\x0dweek/2026-W10\0\0\0\x06cookie\0\0\0\x03abc"
    expected = int.from_bytes(hmac.new(KEY, message, hashlib.sha256).digest()[:8], "big")

    assert expected == pseudonym(KEY, "week/2026-W10", b"cookie", b"abc")


@given(first=PARTS, second=PARTS)
def test_other_parts_give_another_pseudonym(first, second):
    """However the same bytes are cut into parts, only equal parts meet."""
    assert (first == second) == (pseudonym(KEY, "d", *first) == pseudonym(KEY, "d", *second))


@pytest.mark.parametrize(
    "parts", [(b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc"), (b"ab", b"c", b""), (b"ab\0\0\0\x01c",)]
)
def test_parts_are_prefixed_with_their_length(parts):
    """("ab", "c") is not what other cuts of "abc" are."""
    assert pseudonym(KEY, "d", b"ab", b"c") != pseudonym(KEY, "d", *parts)


def test_an_account_and_a_cookie_of_one_spelling_are_two_persons():
    """What kind of identifier it is goes into the hash."""
    assert pseudonym(KEY, "w", b"account", b"ada") != pseudonym(KEY, "w", b"cookie", b"ada")


@given(parts=PARTS)
def test_a_pseudonym_fits_in_64_bits(parts):
    """It is an unsigned number that a 64-bit column holds."""
    assert 0 <= pseudonym(KEY, "d", *parts) < 1 << 64


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((KEY, "week/2026-W10"), (WRONG_KEY, "week/2026-W10")),
        ((KEY, "week/2026-W10"), (KEY, "week/2026-W11")),
    ],
    ids=["two sites", "two windows, even under one key"],
)
def test_windows_and_sites_share_no_pseudonym(first, second):
    """The same people under another key, or in another window, have nothing in common."""
    people = [str(n).encode() for n in range(2000)]
    here, there = ({pseudonym(*where, b"cookie", p) for p in people} for where in (first, second))

    assert 2000 == len(here) == len(there)
    assert set() == here & there


def test_brute_force_without_the_key_finds_nothing():
    """Hashing all addresses of a /16 under a wrong key meets no pseudonym; under the right one, the one."""
    identities = [address_identity(b"198.51.%d.%d" % (n >> 8, n & 255)) for n in range(1 << 16)]
    seen = pseudonym(KEY, "week/2026-W10", b"address", identities[0x0A17], b"Firefox")

    def attack(key):
        return [
            n
            for n, i in enumerate(identities)
            if seen == pseudonym(key, "week/2026-W10", b"address", i, b"Firefox")
        ]

    assert [] == attack(WRONG_KEY)
    assert [0x0A17] == attack(KEY)


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
