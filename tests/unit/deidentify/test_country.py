import contextlib
import ipaddress
import random
import tracemalloc
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("maxminddb", reason="needs maxminddb")

from mmdb_file import mmdb

from usage_stats.deidentify.country import COUNTRIES, UNKNOWN, read_country_table
from usage_stats.errors import ConfigError, InputError

NETWORKS = {
    "9.0.0.0/8": "US",
    "80.1.0.0/16": "DE",
    "80.2.3.0/24": "ZZ",  # no country
    "80.4.0.0/16": "EU",  # nor this
    "192.168.0.0/16": "FR",  # a table may say so, but nobody is there
    "2001:4860::/32": "US",
    "2a00:1450::/29": "DE",
    "fd00::/8": "FR",
}
ASKED = [
    (b"9.1.2.3", "US"),
    (b"80.1.255.255", "DE"),
    (b"80.2.0.0", UNKNOWN),
    (b"80.2.3.4", UNKNOWN),
    (b"80.4.0.1", UNKNOWN),
    (b"::ffff:80.1.0.1", "DE"),
    (b"::ffff:5001:1", "DE"),
    (b"192.168.0.1", UNKNOWN),
    (b"2001:4860::1", "US"),
    (b"[2001:4860::1]", "US"),
    (b"2a00:1457:ffff::", "DE"),
    (b"2a00:1458::", UNKNOWN),
    (b"fd00::1", UNKNOWN),
    (b"127.0.0.1", UNKNOWN),
    (b"224.0.0.1", UNKNOWN),
    (b"ff02::1", UNKNOWN),
    (b"9.1.2.3:80", UNKNOWN),
    (b"9.1.2", UNKNOWN),
    (b"host.example.de", UNKNOWN),
    (b"", UNKNOWN),
    (None, UNKNOWN),
    (b"9" * (1 << 20), UNKNOWN),
    (b"\xb2.1.2.3", UNKNOWN),
    (b"\0", UNKNOWN),
]
ROWS = [
    f"{network},{country}" + (f",2026-03-0{n + 1}" if n < 3 else "")
    for n, (network, country) in enumerate(NETWORKS.items())
]


@pytest.fixture
def table(tmp_path):
    """Reads a table from its bytes."""

    def table(content, name="countries.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return read_country_table(path)

    return table


def _csv(rows):
    return "\n".join(rows).encode()


def _nested(networks):
    return {
        network: {"country": {"iso_code": code, "names": {"en": "x"}}} for network, code in networks.items()
    }


@pytest.mark.parametrize(("address", "country"), ASKED)
def test_a_csv_says_where_an_address_is(table, address, country):
    """The network that holds the address names the country; what is not public or not known is unknown."""
    assert country == table(_csv(ROWS)).classify(address)


@pytest.mark.parametrize(("address", "country"), ASKED)
def test_a_database_says_where_an_address_is(table, address, country):
    """The same from MaxMind's format."""
    assert country == table(mmdb(_nested(NETWORKS)), "c.mmdb").classify(address)


def test_flat_records_are_read_and_the_registered_country_is_not(table):
    """Some makers write the code by itself; where a network is registered is another matter."""
    records = {
        "9.0.0.0/8": {"country": "US"},
        "11.0.0.0/8": {"country": "Germany", "country_code": "DE"},
        "12.0.0.0/8": {"registered_country": {"iso_code": "DE"}, "city": {"names": {"en": "Bonn"}}},
        "13.0.0.0/8": {"country": [], "country_code": (7, 5)},
        "14.0.0.0/8": "DE",
    }
    found = table(mmdb(records, ip_version=4), "c.mmdb")

    assert ["US", "DE", *[UNKNOWN] * 3] == [found.classify(b"%d.1.1.1" % n) for n in (9, 11, 12, 13, 14)]
    assert UNKNOWN == found.classify(b"2001:4860::1")


def test_tables_say_what_they_are(table):
    """Name and day go into the record of each release; nothing else is shown."""
    rows, database = table(_csv(ROWS)), table(mmdb(_nested(NETWORKS)), "c.mmdb")

    assert ("countries.csv", date(2026, 3, 3)) == (rows.name, rows.built)
    assert ("Test-Country", date(2023, 11, 14)) == (database.name, database.built)
    assert "countries.csv 2026-03-03" == rows.version
    assert "countries.csv of no stated day" == table(b"9.0.0.0/8,US\n").version
    assert "80.1" not in repr(rows) + repr(database)


def test_the_words_are_the_assigned_codes():
    """249 codes and one word for all else."""
    assert 250 == len(COUNTRIES) == len(set(COUNTRIES))


def test_a_first_row_may_name_the_columns(table):
    """Headers, a byte order mark, blank rows, spaces and small letters are as spreadsheets write them."""
    found = table(b"\xef\xbb\xbfnetwork,country\r\n\r\n 9.0.0.0/8 , us ,\r\n10.0.0.0/8,-\r\n")

    assert "US" == found.classify(b"9.9.9.9")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"9.0.0.0/8,US\n8.0.0.0/8,DE\n", 2),
        (b"9.0.0.0/8,US\n9.0.0.0/8,DE\n", 2),
        (b"9.0.0.0/8,US\n9.1.0.0/16,DE\n", 2),
        (b"9.0.0.1/32,US\n9.0.0.1/32,DE\n", 2),
        (b"2001:4860::/32,US\n9.0.0.0/8,DE\n", 2),
        (b"2001:4860::/32,US\n2001:4860:1::/48,DE\n", 2),
        (b"9.0.0.1/8,US\n", 1),
        (b"9.0.0.0/8\n", 1),
        (b"9.0.0.0/8,Germany\n", 1),
        (b"9.0.0.0/8,US,1,2\n", 1),
        (b"9.0.0.0/8,US,2026-02-30\n", 1),
        (b"9.0.0.0/8,US\nsecret-canary,DE\n", 2),
        (b"9.0.0.0/8,US\n\xff\xfe,DE\n", 1),
        (b"9.0.0.0/8,US\n9.\x000.0.0/8,DE\n", 2),
        (b"1," + b"x" * 200_000, 1),
    ],
)
def test_a_csv_that_is_not_sound_is_refused_by_line(table, content, line):
    """Unsorted, overlapping or strange rows stop the run: half a table would place people wrongly."""
    with pytest.raises(InputError, match=rf", line {line}: ") as caught:
        table(content)

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", [b"", b"\n\n", b"network,country\n"])
def test_an_empty_csv_is_refused(table, content):
    """A table without a row would call everybody unknown in silence."""
    with pytest.raises(InputError, match="has no rows"):
        table(content)


@pytest.mark.parametrize("content", [b"", b"no database", b"x" * 200_000, mmdb({"9.0.0.0/8": "x"})[:-30]])
def test_what_is_no_database_is_refused(table, content):
    """Neither an empty nor a cut-off file is taken for a table."""
    with pytest.raises(InputError, match="is no database"):
        table(content, "c.mmdb")


def test_a_missing_or_unknown_file_is_the_settings_fault(tmp_path):
    """The message names the setting and the path."""
    (tmp_path / "c.txt").write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"country_table: .*nothing.csv: no such file"):
        read_country_table(tmp_path / "nothing.csv")
    with pytest.raises(ConfigError, match="is neither"):
        read_country_table(tmp_path / "c.txt")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_damaged_database_names_a_country_or_is_refused(tmp_path_factory, data):
    """Whatever byte is wrong: a known word or an error of ours, with no value in it."""
    content = bytearray(mmdb(_nested(NETWORKS)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.mmdb"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        found = read_country_table(path)

        assert {found.classify(address) for address, _ in ASKED} <= set(COUNTRIES)


PREFIXES = st.tuples(st.sampled_from([4, 6]), st.integers(0, 2**128 - 1), st.integers(0, 128))
CODES = st.sampled_from(["DE", "FR", "US", "ZZ"])


def _network(drawn):
    family, number, length = drawn
    bits = 32 if family == 4 else 128
    # Within 8.0.0.0/5 and 2a00::/12, so that networks and addresses meet.
    base, fixed = (8 << 24, 5) if family == 4 else (0x2A00 << 112, 12)
    prefix = fixed + length % (bits - fixed + 1)
    free = number % (1 << (bits - fixed))
    return ipaddress.ip_network((base + free, prefix), strict=False)


@settings(deadline=None, max_examples=60)
@given(
    networks=st.dictionaries(PREFIXES.map(_network), CODES, min_size=1, max_size=12),
    picks=st.lists(st.integers(0, 2**128), min_size=1, max_size=8),
)
def test_looking_up_is_what_a_search_of_all_networks_finds(tmp_path_factory, networks, picks):
    """Both formats agree with asking each network in turn, on its edges, beside them and within."""
    apart = []
    for network in sorted(networks, key=lambda n: (n.version, n)):
        if not any(n.version == network.version and n.overlaps(network) for n in apart):
            apart.append(network)
    folder = tmp_path_factory.getbasetemp()
    (folder / "t.csv").write_text("".join(f"{n},{networks[n]}\n" for n in apart))
    (folder / "t.mmdb").write_bytes(mmdb(_nested({str(n): networks[n] for n in apart})))
    tables = [read_country_table(folder / name) for name in ("t.csv", "t.mmdb")]

    for address in _asked(apart, picks):
        held = next((networks[n] for n in apart if address in n), UNKNOWN)
        expected = held if address.is_global and held in COUNTRIES else UNKNOWN
        assert [expected] * 2 == [t.classify(str(address).encode()) for t in tables]


def _asked(networks, picks):
    for network in networks:
        size = network.num_addresses
        make = type(network.network_address)
        begin = int(network.network_address)
        numbers = {begin - 1, begin, begin + size - 1, begin + size, *(begin + p % size for p in picks)}
        yield from (make(n) for n in numbers)


def test_a_large_csv_takes_little_memory(table):
    """A network takes some dozen bytes, however many addresses are asked for."""
    rows = [f"{ipaddress.ip_network((n << 16, 16))},DE" for n in range(1 << 14)]
    tracemalloc.start()
    found = table(_csv(rows))
    content = len(_csv(rows))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held - content < 60 * len(rows)
    assert "DE" == found.classify(b"9.9.9.%d" % random.Random(1).randrange(256))
