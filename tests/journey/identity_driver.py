"""A workspace and a way to run → the main job done there, in the process's own surroundings.

Run as a process of its own: time zone, locale, hash seed, mask and numbers of threads are those it was started in.

    python identity_driver.py WORKSPACE NOW THREADS SIZE

`THREADS` is for DuckDB and Arrow, which no variable of the environment reaches. `SIZE` is `as it is`, or `large`: then
small logs are read by compiled code and counted in arrays, as large ones are.
"""

import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

import usage_stats
from usage_stats.flow import ingest
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace
from usage_stats.measure import cells, usage


def _with_threads(number):
    """Every database is opened with so many threads, whatever it asks for."""
    connect = duckdb.connect

    def connected(*args, config=None, **options):
        return connect(*args, config={**(config or {}), "threads": number}, **options)

    duckdb.connect = connected
    pa.set_cpu_count(number)


def _as_large_logs():
    ingest._is_large = lambda _: True  # noqa: SLF001 as if there were a hundred times as many lines
    usage.LARGE_DAY = cells.LARGE_PERIOD = 0


if __name__ == "__main__":
    root, now, threads, size = sys.argv[1:]
    _with_threads(int(threads))
    if size == "large":
        _as_large_logs()
    run(open_workspace(Path(root)), datetime.fromisoformat(now), Silent())
    print(usage_stats.__file__)  # noqa: T201 which code ran is the answer of this script
