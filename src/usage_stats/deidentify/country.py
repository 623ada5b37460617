"""An address → the code of the country that a table names for it, or `unknown`.

Belongs here: the tables an operator may bring (MaxMind's format, or CSV), what of them is believed, and looking up.
Does not: shipping a table, for none may be given away and stays true; network access.

Default deny: names, reserved and private addresses, networks that no row names, and codes that ISO 3166-1 does not
assign are `unknown`. Nothing finer than a country is ever read out.
"""

from __future__ import annotations

import csv
import ipaddress
import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from usage_stats.dimensions import COUNTRIES, UNKNOWN_COUNTRY
from usage_stats.errors import ConfigError, InputError

__all__ = ["COUNTRIES", "UNKNOWN", "CountryTable", "read_country_table"]

UNKNOWN = UNKNOWN_COUNTRY
_KNOWN = frozenset(COUNTRIES)
_CODES = {code: n for n, code in enumerate(COUNTRIES)}

# Tables by country have up to a million networks; twenty times that is no such table, and 660 MB.
_MOST_NETWORKS = 20_000_000
_LOW = (1 << 64) - 1
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+", re.ASCII)

# What maxminddb raises, by accident or with intent (its own error is a RuntimeError), over bytes that are no database.
_DAMAGE = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    struct.error,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LookUp = Callable[[Address], str | None]


@dataclass(frozen=True, slots=True)
class CountryTable:
    """A table of networks and countries: what it is called, when it was made, and how to ask it.

    Attributes:
        name: the file's name, or the database's type where it says one. built: the day it was made, where it says so.
    """

    name: str
    built: date | None
    look_up: LookUp = field(repr=False, compare=False)

    def classify(self, address: bytes | None) -> str:
        """One of `COUNTRIES`; `unknown` for what is no public address, or not in the table.

        Raises:
            InputError: the table turns out to be damaged.
        """
        public = _public_address(address or b"")
        code = None if public is None else self.look_up(public)
        return code if code is not None and code in _KNOWN else UNKNOWN

    @property
    def version(self) -> str:
        """Which table decided, for the record of each release: figures move with it."""
        return f"{self.name} {self.built.isoformat() if self.built else 'of no stated day'}"


def read_country_table(path: Path) -> CountryTable:
    """Open a table: `.mmdb` in MaxMind's format, `.csv` with `network,country` or `network,country,date` in each row.

    A CSV's rows are sorted by network, IPv4 before IPv6, none within another; a first row may name the columns; the
    latest date is the day it was made.

    Raises:
        ConfigError: there is no such file, or its name ends otherwise.
        InputError: the file is not what its name says, or not sorted; the message says in which line.
    """
    if not path.is_file():
        raise ConfigError(f"country_table: {path}: no such file")
    readers = {".mmdb": _read_mmdb, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"country_table: {path}: is neither .mmdb nor .csv")
    try:
        return reader(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from None


def _public_address(text: bytes) -> Address | None:
    """The address, if people may have it: an IPv4 one also in IPv6 clothes (RFC 4291, section 2.5.5.2)."""
    plain = text[:64].decode("latin-1").partition("%")[0].strip("[]")
    if not _ADDRESS.fullmatch(plain):
        return None
    try:
        address: Address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return address if address.is_global and not address.is_multicast else None


def _read_mmdb(path: Path) -> CountryTable:
    import maxminddb  # noqa: PLC0415 only who brings such a table needs it

    try:
        # Read whole, not mapped: a file that is replaced while it is used would answer from two tables.
        reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        metadata = reader.metadata()
        built = datetime.fromtimestamp(metadata.build_epoch, UTC).date()
        has_v6 = metadata.ip_version == 6
    except _DAMAGE:
        raise InputError(f"{path}: is no database in MaxMind's format, or damaged") from None

    def look_up(address: Address) -> str | None:
        if address.version == 6 and not has_v6:
            return None
        try:
            return _country_of(reader.get(address))
        except _DAMAGE:
            raise InputError(f"{path}: is damaged: a look-up in it fails; fetch it anew") from None

    return CountryTable(_plain_name(metadata.database_type) or path.name, built, look_up)


def _plain_name(database_type: object) -> str:
    """What the database calls itself, if that is a printable word or two."""
    text = database_type if isinstance(database_type, str) else ""
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", text) else ""


def _country_of(record: object) -> str | None:
    """A record's country: GeoLite2 and DB-IP nest it, IPinfo writes it flat. The registered one is another thing."""
    if not isinstance(record, dict):
        return None
    country = record.get("country")
    said = (country.get("iso_code") if isinstance(country, dict) else country, record.get("country_code"))
    return next((code for code in said if isinstance(code, str) and code in _KNOWN), None)


@dataclass(frozen=True, slots=True)
class _Ranges:
    """Sorted ranges of one family as numbers, in arrays: 33 bytes a network.

    Numbers of 128 bits do not fit an array: `high` and `low` halves of where each begins; IPv4 needs the low ones only.
    """

    first_high: array[int]
    first_low: array[int]
    last_high: array[int]
    last_low: array[int]
    country: array[int]

    @classmethod
    def empty(cls) -> _Ranges:
        return cls(array("Q"), array("Q"), array("Q"), array("Q"), array("B"))

    def add(self, first: int, last: int, country: int) -> bool:
        """Append a range that begins after the last one ends; whether it does."""
        if self.country and first <= (self.last_high[-1] << 64 | self.last_low[-1]):
            return False
        self.first_high.append(first >> 64)
        self.first_low.append(first & _LOW)
        self.last_high.append(last >> 64)
        self.last_low.append(last & _LOW)
        self.country.append(country)
        return True

    def country_of(self, number: int) -> str | None:
        place = bisect_right(range(len(self.country)), number, key=self._first) - 1
        if place < 0 or number > (self.last_high[place] << 64 | self.last_low[place]):
            return None
        return COUNTRIES[self.country[place]]

    def _first(self, place: int) -> int:
        return self.first_high[place] << 64 | self.first_low[place]


class _Row(NamedTuple):
    line: int
    network: Network
    country: int
    day: date | None


def _read_csv(path: Path) -> CountryTable:
    ranges = {4: _Ranges.empty(), 6: _Ranges.empty()}
    family, built = 4, None
    for row in _rows(path):
        first, last = int(row.network[0]), int(row.network[-1])
        if row.network.version < family or not ranges[row.network.version].add(first, last, row.country):
            raise InputError(
                f"{path}, line {row.line}: not behind the row before it; sort by network, IPv4 first, without overlap"
            )
        family = row.network.version
        built = max(filter(None, (built, row.day)), default=None)
    if not any(r.country for r in ranges.values()):
        raise InputError(f"{path}: has no rows `network,country`")
    return CountryTable(path.name, built, lambda address: ranges[address.version].country_of(int(address)))


def _rows(path: Path) -> Iterator[_Row]:
    """The rows of a CSV file, read one at a time; the message of an error names a line, and quotes none."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            for cells in rows:
                if not cells or (rows.line_num == 1 and not re.search(r"\d", cells[0])):
                    continue
                if rows.line_num > _MOST_NETWORKS:
                    raise InputError(
                        f"{path}: more than {_MOST_NETWORKS:,} rows: that is no table of countries"
                    )
                yield _row(rows.line_num, cells)
        except (ValueError, csv.Error):  # no text in UTF-8 either
            raise InputError(
                f"{path}, line {max(rows.line_num, 1)}: is no `network,country` or `network,country,YYYY-MM-DD`"
            ) from None


def _row(line: int, cells: Sequence[str]) -> _Row:
    network, country, *rest = (cell.strip() for cell in cells)
    if len(rest) > 1 or not re.fullmatch(r"[A-Za-z]{2}|-|", country):
        raise ValueError
    day = date.fromisoformat(rest[0]) if rest and rest[0] else None
    return _Row(line, ipaddress.ip_network(network), _CODES.get(country.upper(), _CODES[UNKNOWN]), day)
