"""What a part of the traffic knows about its requests → frames of one shape.

Belongs here: the columns of a request, with their defaults, and how addresses are written.
Does not: who makes which request.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from usage_stats.synthetic.draw import Ints
from usage_stats.synthetic.people import IPV6

__all__ = [
    "address_text",
    "gather",
    "hexadecimal",
    "query_strings",
    "request_frame",
    "request_lines",
    "sizes",
]

ABSENT = "-"  # what Apache writes for a field without a value
# Where a part of the traffic says nothing: no account, no cookie, no page, a client unknown.
DEFAULTS: dict[str, pl.Expr] = {
    "at": pl.lit(None, pl.Int64),  # epoch seconds
    "address": pl.lit(None, pl.String),
    "account": pl.lit(ABSENT),
    "request": pl.lit(None, pl.String),  # the request line, `%r`
    "status": pl.lit(200, pl.Int64),
    "size": pl.lit(ABSENT),
    "referrer": pl.lit(ABSENT),
    "agent": pl.lit(None, pl.String),
    "cookie": pl.lit(ABSENT),
    "identity": pl.lit(-1, pl.Int64),
    "network": pl.lit(-1, pl.Int64),
    "leaf": pl.lit(-1, pl.Int64),
    "is_page_view": pl.lit(value=False),
    "is_robot": pl.lit(value=False),
    "is_malformed": pl.lit(value=False),  # the request inside an otherwise good line
    "defect": pl.lit("none"),  # what makes the line itself unreadable
}
PROTOCOLS = ("HTTP/2.0", "HTTP/1.1", "HTTP/1.0")
PROTOCOL_SHARES = (0.60, 0.39, 0.01)
QUERY_POOL = 3_000  # distinct query strings; enough to defeat a list of known ones


def request_frame(given: pl.DataFrame) -> pl.DataFrame:
    """Any columns of a request → all of them, in order; what is not given takes its default."""
    return given.select(
        pl.col(name) if name in given.columns else default.alias(name) for name, default in DEFAULTS.items()
    )


def gather(texts: tuple[str, ...] | list[str], positions: Ints) -> pl.Series:
    """The text at each position."""
    return pl.Series(texts, dtype=pl.String).gather(positions)


def hexadecimal(groups: Ints, width: int) -> pl.Series:
    """16-bit numbers as lower-case hexadecimal of at least `width` digits."""
    distinct, positions = np.unique(groups, return_inverse=True)
    return gather([f"{n:0{width}x}" for n in distinct.tolist()], positions.astype(np.int64))


def address_text(keys: Ints, interfaces: Ints) -> pl.Series:
    """Address keys (see people.py), and four groups of an IPv6 host each (1 to 0xffff), as text."""
    is_ipv6 = keys >= IPV6
    texts = pl.DataFrame(
        {
            "is_ipv6": is_ipv6,
            **{f"byte{n}": (keys >> (24 - 8 * n)) & 0xFF for n in range(4)},
            "site": hexadecimal(np.where(is_ipv6, (keys >> 16) & 0xFFFF, 0), 1),
            "subnet": hexadecimal(keys & 0xFFFF, 1),
            **{f"host{n}": hexadecimal(interfaces[:, n], 1) for n in range(4)},
        }
    )
    ipv4 = pl.concat_str([f"byte{n}" for n in range(4)], separator=".")
    ipv6 = pl.concat_str(["site", "subnet", *(f"host{n}" for n in range(4))], separator=":")
    return texts.select(pl.when("is_ipv6").then(pl.concat_str([pl.lit("2001:db8:"), ipv6])).otherwise(ipv4))[
        :, 0
    ]


def request_lines(rng: np.random.Generator, methods: pl.Series, targets: pl.Series) -> pl.Series:
    """Methods and targets → request lines such as `GET /docs HTTP/1.1`."""
    count = len(targets)
    drawn = np.searchsorted(np.cumsum(PROTOCOL_SHARES), rng.random(count)).clip(max=2).astype(np.int64)
    parts = pl.DataFrame({"method": methods, "target": targets, "protocol": gather(PROTOCOLS, drawn)})
    return parts.select(pl.concat_str("method", "target", "protocol", separator=" "))[:, 0]


def sizes(rng: np.random.Generator, statuses: Ints) -> pl.Series:
    """Bytes sent, as text; a 304 sends none and Apache writes a dash."""
    drawn = rng.lognormal(8.5, 1.2, len(statuses)).astype(np.int64)  # median 5 kB, a long tail
    frame = pl.DataFrame({"status": statuses, "size": drawn})
    return frame.select(
        pl.when(pl.col("status") == 304).then(pl.lit(ABSENT)).otherwise(pl.col("size").cast(pl.String))
    )[:, 0]


def query_strings(rng: np.random.Generator, count: int, share: float) -> pl.Series:
    """Mostly nothing; for a share of the requests a query string, some with what should not be there."""
    pool = ["", *(_query(int(kind), int(n)) for kind, n in rng.integers(0, 1 << 40, (QUERY_POOL, 2)))]
    positions = np.where(rng.random(count) < share, rng.integers(1, len(pool), count), 0)
    return gather(pool, positions)


def _query(kind: int, number: int) -> str:
    forms = (
        f"?q=synthetic+words+{number % 977}",
        f"?email=person{number % 90_001}%40example.org",
        f"?contact=p.{number % 90_001}@example.net&from=form",
        f"?token={number:010x}{kind:010x}",
        "?utm_source=newsletter&utm_medium=email&utm_campaign=spring",
        f"?page={number % 40 + 1}",
        f"?sid={kind:x}-{number:x}&lang=de",
    )
    return forms[kind % len(forms)]
