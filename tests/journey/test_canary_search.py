"""The search for planted values finds each kind of them in each place where a run could leave one."""

import gzip
import hashlib
import io
import json
import sqlite3

import duckdb
import planted
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from byte_search import Needles, digests_of, files_below, found_in, read_out, spellings

SECRET = planted.person(0)["mail in query"]
RAW = SECRET.encode()


def _packed(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _parquet(column):
    return _packed(pa.table({"a": column}), compression="zstd")


def _duckdb(path):
    with duckdb.connect(str(path)) as database:
        database.execute("create schema s")
        database.execute("create table s.t as select $1 as a from range(3000)", [SECRET])


def _sqlite(path, value):
    with sqlite3.connect(path) as database:
        database.execute("create table t (a)")
        database.execute("insert into t values (?)", [value])
    database.close()


def _escaped(text):
    """JSON in which each character is an escape."""
    return '{"a": {"b": ["' + "".join(f"\\u{ord(c):04x}" for c in text) + '"]}}'


PLACES = {
    "plain": lambda p: p.write_bytes(b"x" * 13 + RAW + b"y"),
    "at the end": lambda p: p.write_bytes(b"x" * 5 + RAW),
    "upper case": lambda p: p.write_bytes(RAW.upper()),
    "gzip": lambda p: p.write_bytes(gzip.compress(RAW)),
    "gzip cut off": lambda p: p.write_bytes(gzip.compress(RAW * 3)[:-6]),
    "gzip twice": lambda p: p.write_bytes(gzip.compress(gzip.compress(RAW))),
    "gzip damaged": lambda p: p.write_bytes(
        gzip.compress(RAW + hashlib.shake_128(b"").digest(9000))[:-500] + b"x" * 500
    ),
    "json escapes": lambda p: p.write_text(_escaped(SECRET)),
    "json lines": lambda p: p.write_text('{"a": 1}\n' + _escaped(SECRET) + "\n"),
    "json in json": lambda p: p.write_text(json.dumps({"a": _escaped(SECRET)})),
    "parquet text": lambda p: p.write_bytes(_parquet([SECRET] * 9)),
    "parquet bytes": lambda p: p.write_bytes(_parquet(pa.array([RAW], pa.binary()))),
    "parquet lists": lambda p: p.write_bytes(_parquet([[{"x": SECRET}]])),
    "parquet words": lambda p: p.write_bytes(_parquet(pa.array([SECRET, "b"]).dictionary_encode())),
    "parquet metadata": lambda p: p.write_bytes(
        _packed(pa.table({"a": [1]}).replace_schema_metadata({"k": SECRET}))
    ),
    "parquet number": lambda p: p.write_bytes(_parquet(pa.array([xxhash.xxh64_intdigest(RAW)], pa.uint64()))),
    "duckdb": _duckdb,
    "sqlite text": lambda p: _sqlite(p, SECRET),
    "sqlite json": lambda p: _sqlite(p, _escaped(SECRET)),
    "sqlite gzip": lambda p: _sqlite(p, gzip.compress(RAW)),
    "name": lambda p: p.with_name(SECRET).write_bytes(b""),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_value_is_found_in_each_place(tmp_path, place):
    """Whatever the file is called, however deep it lies; and where there is none, none is found."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "other").write_bytes(b"nothing" * 9)
    assert [] == found_in(planted.canaries(), files_below(tmp_path))
    PLACES[place](folder / "unnamed")

    assert {"mail in query"} == {
        what.split(",")[0] for _, what in found_in(planted.canaries(), files_below(tmp_path))
    }


@pytest.mark.parametrize("field", planted.person(0))
def test_each_field_is_found_in_each_spelling(field):
    """As it stands and as each digest, in hex of both cases, base 64 of both alphabets wherever it begins, raw, and
    as a number.
    """
    value = planted.person(1)[field].encode()
    forms = [value, *digests_of(value).values()]
    missed = [
        needle
        for form in forms
        for needle, _ in spellings(form, "it").items()
        if not planted.canaries().in_(b"\x00\x01 " + needle + b"?")
    ]

    assert {64, 32, 20, 16, 8} <= set(map(len, forms[1:]))
    assert [] == missed


def test_digests_are_those_of_the_standards():
    """The names mean what they say: one known value of each, from its specification or reference program."""
    made = digests_of(b"abc")

    assert "900150983cd24fb0d6963f7d28e17f72" == made["md5"].hex()
    assert "a9993e364706816aba3e25717850c26c9cd0d89d" == made["sha1"].hex()
    assert made["sha256"].hex().startswith("ba7816bf8f01cfea")
    assert made["blake2b/64"].hex().startswith("ba80a53f981c4d0d")
    assert made["blake2s"].hex().startswith("508c5e8c327c14e2")
    assert hashlib.blake2b(b"abc", digest_size=8).digest() == made["blake2b/8"]
    assert "44bc2cf5ad770999" == made["xxh64"].hex()


def test_each_key_is_found_in_each_spelling():
    """Raw, backwards, hex, base 64 and 32, and as Python prints it."""
    key = hashlib.sha256(b"any key").digest()
    needles = planted.key_needles([key])
    texts = (
        key,
        key[::-1],
        key.hex().encode(),
        key.hex().upper().encode(),
        repr(key).encode(),
        str([*key]).encode(),
    )

    assert [] == [text for text in texts if not needles.in_(b"k=" + text)]


def test_needles_are_found_wherever_they_begin():
    """At each offset, alone or among others, however short what is searched is."""
    needles = Needles({b"12345678": "short", b"12345678 and more": "long", b"12345679": "other"})

    assert all({"short"} == needles.in_(bytes(n) + b"12345678") for n in range(20))
    assert {"short", "long"} == needles.in_(b"12345678 and more")
    assert set() == needles.in_(b"1234567")
    assert {b"abc"} <= set(read_out(b"abc"))
