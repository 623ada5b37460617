import random
import socket

import numpy as np
import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog import kernel
from usage_stats.accesslog.fast import CompiledPath
from usage_stats.accesslog.lines import PADDING, fingerprints, lines_of, newlines
from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary

SEEDS = (0, 1, 0x5EED, 2**31, 2**32 + 1, 2**63, 2**64 - 1)


def _fingerprints(data, starts, ends, seed):
    out = np.empty(len(starts), np.uint64)
    kernel.fingerprints(data, np.array(starts, np.int64), np.array(ends, np.int64), np.uint64(seed), out)
    return out.tolist()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("offset", [0, 1, 7])
def test_fingerprints_are_those_of_the_library(seed, offset):
    """XXH64 of every length from 0 to 300, wherever it begins, is what xxhash makes of it."""
    text = random.Random(seed).randbytes(offset + 300 + PADDING)
    starts, ends = [offset] * 301, [offset + length for length in range(301)]
    expected = [xxhash.xxh64_intdigest(text[offset:end], seed) for end in ends]

    assert expected == _fingerprints(np.frombuffer(text, np.uint8), starts, ends, seed)


@settings(deadline=None)  # the first call loads what was compiled
@given(
    lines=st.lists(st.binary(max_size=80).filter(lambda line: b"\n" not in line), min_size=1),
    seed=st.sampled_from(SEEDS),
)
def test_a_line_has_one_fingerprint(lines, seed):
    """Compiled, in plain Python, or of the line alone: a line's fingerprint is the same."""
    (batch,) = lines_of([b"\n".join(lines) + b"\n"])
    alone = [xxhash.xxh64_intdigest(line, seed) for line in lines]

    assert alone == fingerprints(batch, seed).tolist()
    assert alone == _fingerprints(batch.data, batch.starts, batch.ends, seed)


@settings(deadline=None)  # the same
@given(
    data=st.lists(st.sampled_from([b"\n", b"\r", b"\x0b", b"\x8a", b"\n\n", b"a" * 7, b"\n" * 9])).map(
        b"".join
    )
)
def test_newlines_are_found_alike(data):
    """Compiled or by numpy, each newline byte and no other, also at the very end and with one right behind it."""
    (batch,) = lines_of([data + b"\n"], CompiledPath.newlines)
    behind = np.frombuffer(data + b"\n" * PADDING, np.uint8)[: len(data)]
    expected = [n for n, byte in enumerate(data) if byte == 10]

    assert [*expected, len(data)] == batch.ends.tolist()
    assert expected == CompiledPath.newlines(behind).tolist() == newlines(behind).tolist()


def _is_ipv4(address):
    """What the kernel thinks of a line that is an address alone."""
    line = address + b" "
    (batch,) = lines_of([line + b"\n"])
    program = (
        np.array([[kernel.VALUE, kernel.ADDRESS, 32, 0, 0], [kernel.LITERAL, -1, 0, 0, 1]]),
        batch.data[-17:],
    )
    flags = [np.zeros(1, np.bool_) for _ in range(3)]
    row = (np.zeros(1, np.int64), np.zeros(1, np.int16), *flags[:2])
    places, lengths, hashes = (np.zeros((5, 1), t) for t in (np.int32, np.int32, np.uint64))
    kernel.parse_fields(
        *(
            batch.data,
            batch.starts,
            batch.ends,
            (program[0], np.frombuffer(b" ", np.uint8)),
            np.uint64(1),
            row,
        ),
        *(places, lengths, hashes, flags[2]),
    )
    return bool(flags[1][0])


NUMBERS = st.sampled_from(
    [
        "0",
        "00",
        "01",
        "1",
        "9",
        "10",
        "99",
        "199",
        "249",
        "255",
        "256",
        "300",
        "999",
        "1000",
        "",
        "a",
        "-1",
        "+1",
    ]
)


@settings(deadline=None, max_examples=500)  # the same
@given(address=st.lists(NUMBERS, min_size=3, max_size=5).map(".".join) | st.ip_addresses().map(str))
@example(address="255.255.255.255")
@example(address="1.2.3.4.")
@example(address="::ffff:1.2.3.4")
def test_plain_addresses_are_told_as_the_system_tells_them(address):
    """Four numbers that inet_pton takes for an IPv4 address, and nothing else: leading zeros are octal to some."""
    try:
        socket.inet_pton(socket.AF_INET, address)
        expected = True
    except OSError:
        expected = False

    assert expected == (_is_ipv4(address.encode()) if address else False)


HASHES = st.sampled_from([0, 1, 2, 2**7, 2**32, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)


@settings(deadline=None)  # the same
@given(parts=st.lists(st.lists(HASHES, max_size=40), max_size=8))
def test_distinct_values_are_numbered_alike(parts):
    """In plain Python or compiled, each distinct hash gets the next number where it is met first, and keeps it."""
    plain, compiled, known = PlainVocabulary(), CompiledVocabulary(), {}
    for part in parts:
        hashes = np.array(part, np.uint64)
        new = [row for row, value in enumerate(part) if value and value not in [*known, *part[:row]]]
        known |= {value: len(known) + n for n, value in enumerate(dict.fromkeys(part[row] for row in new))}
        expected = ([known.get(value, -1) for value in part], new)
        for vocabulary in (plain, compiled):
            codes, unseen = vocabulary.look_up(hashes)

            assert expected == (codes.tolist(), unseen.tolist())
    assert len(known) == len(plain) == len(compiled)


def test_numbers_outlast_the_growth_of_the_table():
    """Far beyond the first table's room, and with hashes that begin alike, numbers stay what they were."""
    vocabulary = CompiledVocabulary()
    hashes = np.arange(1, 60_001, dtype=np.uint64) << np.uint64(
        7 + 20
    )  # all of one place in the first tables
    hashes = np.concatenate(
        [hashes[:300], np.random.default_rng(7).permutation(2**17)[:50_000].astype(np.uint64) + 1]
    )
    expected = {}
    for value in hashes.tolist():
        expected.setdefault(value, len(expected))
    for start in range(0, len(hashes), 9_000):
        vocabulary.look_up(hashes[start : start + 9_000])

    assert [expected[v] for v in hashes.tolist()] == vocabulary.look_up(hashes)[0].tolist()
