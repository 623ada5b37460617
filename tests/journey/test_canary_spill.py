"""The database puts rows aside on the disk: they stay in the restricted store, hold no planted value, and are gone."""

import threading
import time
from datetime import UTC, datetime

import planted
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from byte_search import Needles, files_below, found_in

from usage_stats import sqlmodel
from usage_stats.errors import SchemaError

LINES = 150_000
# Measured: the models of that day do not fit into the first with the disk's help, and into the second only with it.
TOO_LITTLE, SPILLING = "40MB", "85MB"
ZSTD = b"\x28\xb5\x2f\xfd"


class _Watch(threading.Thread):
    """Looks into a folder all the time: the bytes of whatever was seen there."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self._folder, self._ends = folder, threading.Event()
        self.seen = {}

    def run(self):
        while not self._ends.is_set():
            try:
                self._look()
            except OSError:  # gone again
                continue
            time.sleep(0.001)

    def _look(self):
        for path in self._folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            self.seen[path.name] = max(self.seen.get(path.name, b""), content, key=len)

    def stop(self):
        self._ends.set()
        self.join()


def _blocks(content):
    """What was put aside, packed blocks unpacked: each is a frame of Zstandard somewhere in the file."""
    yield content
    at = content.find(ZSTD)
    while at >= 0:
        try:
            with pa.CompressedInputStream(pa.BufferReader(content[at:]), "zstd") as stream:
                yield b"".join(iter(lambda stream=stream: stream.read(1 << 15), b""))
        except OSError:  # half written, or followed by other bytes
            pass
        at = content.find(ZSTD, at + 1)


def _many(root, lines):
    """A day of page views by many persons, so that its models do not fit into little memory."""
    who = planted.person(3)
    agent, token, referrer = who["agent"], who["token"], who["referrer"]
    with (root / "logs" / "web-4").open("w") as file:
        for n in range(lines):
            account = f"{who['account']}{n % (lines // 3)}"
            file.write(
                f"10.{n % 200}.{n // 200 % 200}.7 - {account} [04/Apr/2026:{n * 20 // lines:02}:{n % 60:02}:00 +0000] "
                f'"GET /users/{n}?t={token} HTTP/1.1" 200 5 "{referrer}" "{agent}" "-" "-"\n'
            )


def test_what_is_spilled_holds_no_value_and_no_key_and_is_gone(canary, journey, monkeypatch):
    """The SQL models run in too little memory, fail, and say nothing; then in so little that they need the disk. What
    they put aside lies in the restricted store, is read by this test (it finds pseudonyms), and is deleted.
    """
    _many(canary.root, LINES)
    monkeypatch.setattr("usage_stats.flow.ingest._is_large", lambda _: True)
    for place in ("measure.usage.LARGE_DAY", "measure.cells.LARGE_PERIOD"):
        monkeypatch.setattr(f"usage_stats.{place}", 1 << 60)
    watch = _Watch(canary.root / "restricted" / "spill")
    watch.start()
    monkeypatch.setattr(sqlmodel, "_MEMORY", TOO_LITTLE)
    with pytest.raises(SchemaError, match="OutOfMemoryException") as error:
        journey.run_at(canary.root, datetime(2026, 4, 7, 1, tzinfo=UTC))
    failed = canary.leaks(str(error.value).encode())
    monkeypatch.setattr(sqlmodel, "_MEMORY", SPILLING)
    sealed = journey.run_at(canary.root, datetime(2026, 4, 7, 1, tzinfo=UTC)).sealed
    watch.stop()
    path = canary.root / "restricted/usage/week/day=2026-04-04/component_day.parquet"
    pseudonyms = pq.ParquetFile(path).read()["person"].unique().to_pylist()
    blocks = [block for content in watch.seen.values() for block in _blocks(content)]

    assert sealed
    assert sum(map(len, watch.seen.values())) > 1_000_000
    assert {"rows"} == Needles({n.to_bytes(8, "little"): "rows" for n in pseudonyms}).in_(b"".join(blocks))
    assert [] == found_in(planted.canaries(), [], *blocks)
    assert [] == found_in(planted.key_needles(canary.keys), [], *blocks)
    assert [] == files_below(canary.root / "restricted" / "spill")
    assert [] == failed + canary.leaks()
