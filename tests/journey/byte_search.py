"""Files, databases and what was said → every byte of them, packed and unpacked, searched for many needles at once.

Belongs here: reading whatever a run may leave, and finding needles in it. Does not: what is planted (planted).
"""

import base64
import gzip
import hashlib
import io
import json
import sqlite3
import zlib

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

SHORTEST = 8  # bytes: whatever is shorter turns up by chance among random pseudonyms
_DIGESTS = ("md5", "sha1", "sha256", "blake2s")
_BLAKE2B = (8, 16, 32, 64)
_BITS = 20
_MIX = np.uint64(0x9E3779B97F4A7C15)


def digests_of(raw):
    """What anybody can make of a guess: name → digest."""
    made = {name: hashlib.new(name, raw).digest() for name in _DIGESTS}
    made |= {f"blake2b/{size}": hashlib.blake2b(raw, digest_size=size).digest() for size in _BLAKE2B}
    return made | {"xxh64": xxhash.xxh64_digest(raw)}


def spellings(raw, what):
    """Bytes in each way in which they may be written down: spelling → what it is."""
    found = {raw: what, raw[::-1]: f"{what}, backwards", raw.hex().encode(): f"{what}, hex"}
    found[raw.hex().upper().encode()] = f"{what}, HEX"
    found |= _coded(raw, what)
    if len(raw) == 8:
        numbers = {
            int.from_bytes(raw, order, signed=sign) for order in ("big", "little") for sign in (True, False)
        }
        found |= {b"%d" % number: f"{what}, number" for number in numbers if abs(number) > 10**9}
    return {needle: name for needle, name in found.items() if len(needle) >= SHORTEST}


def _coded(raw, what):
    """Base 64 of both alphabets, also where other bytes come before or behind it."""
    found = {}
    for name, code in (("base64", base64.b64encode), ("urlsafe", base64.urlsafe_b64encode)):
        for shift in range(3):
            text = code(bytes(shift) + raw).rstrip(b"=")
            begins, ends = (0, 2, 3)[shift], len(text) - ((shift + len(raw)) % 3 != 0)
            found[text[begins:ends]] = f"{what}, {name}"
    return found


class Needles:
    """Many byte strings, looked for at once: `in_(haystack)` names those that are there."""

    def __init__(self, named):
        self._named = {needle: what for needle, what in named.items() if len(needle) >= SHORTEST}
        self._by_start = {}
        for needle in self._named:
            self._by_start.setdefault(needle[:SHORTEST], []).append(needle)
        starts = np.frombuffer(b"".join(self._by_start), "<u8")
        self._starts = np.sort(starts)
        self._may_start = np.zeros(1 << _BITS, np.bool_)
        self._may_start[_mixed(starts)] = True

    def in_(self, haystack):
        """The names of all needles that the bytes hold."""
        padded = haystack + bytes(16)
        found = set()
        for shift in range(SHORTEST):
            windows = np.frombuffer(padded, "<u8", offset=shift, count=(len(padded) - shift) // 8)
            places = np.flatnonzero(self._may_start[_mixed(windows)])
            near = np.minimum(np.searchsorted(self._starts, windows[places]), len(self._starts) - 1)
            for place in places[self._starts[near] == windows[places]].tolist():
                at = place * 8 + shift
                for needle in self._by_start[padded[at : at + SHORTEST]]:
                    if padded.startswith(needle, at):
                        found.add(self._named[needle])
        return found


def _mixed(words):
    return (words * _MIX) >> np.uint64(64 - _BITS)


def read_out(content):
    """Bytes, and what they say once unpacked and read by their own reader, however deep they are packed."""
    yield content
    yield content.lower()
    if content.startswith(b"\x1f\x8b"):
        yield from read_out(_unpacked(content))
    elif content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        yield from _table(pq.ParquetFile(io.BytesIO(content)).read())
    elif content.startswith((b"{", b"[")):
        yield from _json(content)
    for line in content.split(b"\n") if content.startswith(b"{") else ():
        yield from _json(line)


def _unpacked(content):
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):  # cut off or damaged: as far as it goes
        return _unpacked_as_far_as_it_goes(content)


def _unpacked_as_far_as_it_goes(content):
    unpacker, parts = zlib.decompressobj(31), []
    try:
        for at in range(0, len(content), 64):
            parts += [unpacker.decompress(content[at : at + 64])]
    except zlib.error:
        pass
    return b"".join(parts)


def _table(table):
    yield repr(table.schema.metadata).encode()
    yield repr([field.metadata for field in table.schema]).encode()
    for name in table.column_names:
        yield from _values(table[name].to_pylist())
        if pa.types.is_integer(table.schema.field(name).type):
            numbers = table[name].fill_null(0).cast(pa.int64(), safe=False).to_numpy()
            yield from (np.ascontiguousarray(numbers, kind).tobytes() for kind in (">i8", "<i8"))


def _values(values):
    """Each value as text and as bytes; what text holds is read once more."""
    distinct = set(map(_flat, values))
    yield b"\n".join(distinct)
    for value in distinct:
        if value.startswith((b"{", b"[", b"\x1f\x8b")):
            yield from read_out(value)


def _flat(value):
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else repr(value).encode()


def _json(content):
    try:
        loaded = json.loads(content)
    except ValueError:
        return
    yield from _values(list(_leaves(loaded)))


def _leaves(value):
    """Keys and values of JSON, unescaped."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield key
            yield from _leaves(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _leaves(inside)
    else:
        yield value


def read_file_out(path):
    """A file's name, bytes and contents; databases are read through their own library."""
    yield str(path).encode("utf-8", "surrogateescape")
    content = path.read_bytes()
    yield from read_out(content)
    if content[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as database:
            names = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, name in names:
                yield from _table(database.sql(f'from "{schema}"."{name}"').to_arrow_table())
            comments = "select comment from duckdb_columns() union all select comment from duckdb_tables()"
            yield repr(database.execute(comments).fetchall()).encode()
    elif content.startswith(b"SQLite format 3"):
        with sqlite3.connect(path) as database:
            database.text_factory = bytes
            for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
                rows = database.execute(f'select * from "{name.decode()}"').fetchall()  # noqa: S608 names of the catalogue
                yield from _values([cell for row in rows for cell in row])


def files_below(*roots, but=()):
    """Every file below the directories, but for links and for what lies in the folders named."""
    paths = [path for root in roots for path in sorted(root.rglob("*"))]
    return [
        path
        for path in paths
        if path.is_file() and not path.is_symlink() and not set(but) & {path, *path.parents}
    ]


def found_in(needles, paths, *said):
    """Which needles are in which file, or in what was said: a sorted list of pairs, best empty."""
    found = set()
    for path in paths:
        found |= {(str(path), what) for part in read_file_out(path) for what in needles.in_(part)}
    for number, text in enumerate(said):
        found |= {(f"said, {number}", what) for part in read_out(text) for what in needles.in_(part)}
    return sorted(found)
