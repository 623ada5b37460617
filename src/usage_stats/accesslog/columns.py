"""Parsed lines as columns: what each hit says, as numbers and as hashes of values that stay where they are.

Belongs here: the shape that the fast path and the exact one both give. Does not: what a value means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash

from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.lines import Bool, Int16, Int64, UInt64
from usage_stats.accesslog.values import present

__all__ = ["SLOTS", "Columns", "columns_of_hits"]

# The values kept of a line, in the order of the kernel's slots. `path` is the target up to its query; `gpc` and `dnt`
# are there where the client said 1, `query` where the target has one.
SLOTS = ("address", "agent", "path", "account", "cookie", "forwarded", "gpc", "dnt", "query", "referrer")


@dataclass(frozen=True, slots=True)
class Columns:
    """Some hits, a row each. Identified data: memory only, and its text shows nothing.

    Attributes:
        at: UTC seconds. status: 100 to 599. is_get: whether the method is GET.
        hashes: per slot and row, XXH64 of the value under a seed of this process; 0 where there is none.
            A row without a path had a malformed request.
        values: (slot, rows) → the bytes of some rows' values, as the server wrote them; they must have one. Only
            until the next lines are read.
    """

    at: Int64
    status: Int16
    is_get: Bool
    hashes: UInt64
    values: Callable[[int, Int64], list[bytes]]

    def __len__(self) -> int:
        return len(self.at)

    def __repr__(self) -> str:
        return f"Columns({len(self)} hits)"


def columns_of_hits(hits: Sequence[Hit], seed: int) -> Columns:
    """The columns of hits that the exact parser read."""
    values = [_values(hit) for hit in hits]
    flat = [xxhash.xxh64_intdigest(v, seed) or 1 if v is not None else 0 for row in values for v in row]
    return Columns(
        at=np.array([hit.at for hit in hits], np.int64),
        status=np.array([hit.status for hit in hits], np.int16),
        is_get=np.array([hit.method == b"GET" for hit in hits], np.bool_),
        hashes=np.array(flat, np.uint64).reshape(len(hits), len(SLOTS)).T,
        values=lambda slot, rows: [values[row][slot] or b"" for row in rows.tolist()],
    )


def _values(hit: Hit) -> tuple[bytes | None, ...]:
    path, _, query = (None, b"", b"") if hit.target is None else hit.target.partition(b"?")
    signals = (b"1" if sent else None for sent in (hit.gpc, hit.dnt))
    who = (hit.address, hit.agent, path, hit.account, hit.cookie, hit.forwarded)
    return (*who, *signals, present(query), hit.referrer)
