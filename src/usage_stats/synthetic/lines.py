"""Requests → the bytes of each day's log file, unreadable lines among them.

Belongs here: the log format, the order in which a server writes, what can go wrong with a line.
Does not: files, or what the lines mean.

The format is Apache's `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{visitor}C"`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from usage_stats.synthetic.clock import Span
from usage_stats.synthetic.draw import choose

__all__ = ["DEFECTS", "log_bytes", "spoilt_requests", "written_order"]

DEFECTS = ("cut_agent", "binary", "blank", "comment", "impossible_date", "ten_bytes")
DEFECT_SHARES = (0.30, 0.20, 0.20, 0.05, 0.10, 0.15)
COMMENT = "# log rotated"
# Text columns hold no such bytes: a private character stands for them until the text is encoded.
JUNK_STAND_IN = "\uf8ff"
JUNK = b"\x00\x17\xfe\xff\x9c\x01\x80\x00\xc3\x28\x1b\xf0"
CUT_AGENT_CHARACTERS = 20
SLOW_SHARE = 0.04  # of the lines are written late: a server logs at the end of a request
SLOWEST_SECONDS = 9


def spoilt_requests(rng: np.random.Generator, requests: pl.DataFrame, count: int) -> pl.DataFrame:
    """Copies of requests whose lines will be unreadable: they count as lines and as nothing else."""
    defect = np.concatenate([np.arange(len(DEFECTS)), choose(rng, DEFECT_SHARES, count)])[:count]
    copies = requests[rng.integers(0, len(requests), count)]
    nothing = pl.lit(value=False)
    return copies.with_columns(
        pl.Series("defect", DEFECTS).gather(defect),
        is_page_view=nothing,
        is_robot=nothing,
        is_malformed=nothing,
    )


def written_order(rng: np.random.Generator, requests: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Add the local `day` (0 for the first) and `local_at`, and sort as the server wrote the lines."""
    at = requests["at"].to_numpy()
    slow = rng.random(len(at)) < SLOW_SHARE
    ended = at + np.where(slow, rng.integers(1, SLOWEST_SECONDS + 1, len(at)), 0)
    placed = requests.with_columns(
        pl.Series("day", span.day_of(at)),
        pl.Series("ended", ended),
        pl.Series("local_at", at + span.offsets(at)),
    )
    return placed.sort("day", "ended", maintain_order=True)


def log_bytes(requests: pl.DataFrame) -> bytes:
    """Requests in their written order → one line each."""
    lines = requests.select(_line())[:, 0].str.join("\n").item() + "\n"
    return str(lines).encode().replace(JUNK_STAND_IN.encode(), JUNK)


def _line() -> pl.Expr:
    whole = pl.concat_str(_until_agent(_timestamp()), "agent", pl.lit('" "'), "cookie", pl.lit('"'))
    impossible = _timestamp().str.replace(r"^\d\d/\w{3}", "31/Feb")
    spoilt = {
        "cut_agent": pl.concat_str(
            _until_agent(_timestamp()), pl.col("agent").str.head(CUT_AGENT_CHARACTERS)
        ),
        "binary": pl.lit(JUNK_STAND_IN),
        "blank": pl.lit(""),
        "comment": pl.lit(COMMENT),
        "impossible_date": pl.concat_str(
            _until_agent(impossible), "agent", pl.lit('" "'), "cookie", pl.lit('"')
        ),
        "ten_bytes": whole.str.head(10),
    }
    line = whole
    for defect, text in spoilt.items():
        line = pl.when(pl.col("defect") == defect).then(text).otherwise(line)
    return line.alias("line")


def _until_agent(timestamp: pl.Expr) -> pl.Expr:
    request = pl.format(
        '"{}" {} {} "{}" "', pl.col("request"), pl.col("status"), pl.col("size"), pl.col("referrer")
    )
    return pl.format("{} - {} [{}] {}", pl.col("address"), pl.col("account"), timestamp, request)


def _timestamp() -> pl.Expr:
    """`15/Mar/2026:13:55:36 +0100`; the offset is whole minutes ahead of UTC, never behind (Europe)."""
    minutes = (pl.col("local_at") - pl.col("at")) // 60
    local = pl.from_epoch(pl.col("local_at"), time_unit="s").dt.strftime("%d/%b/%Y:%H:%M:%S")
    hour, minute = (part.cast(pl.String).str.zfill(2) for part in (minutes // 60, minutes % 60))
    return pl.concat_str(local, pl.lit(" +"), hour, minute)
