"""Lines and a format's program → columns, through the compiled kernel.

Belongs here: the arrays that the kernel fills, and the last checks per distinct value. Does not: loops over bytes.
Importing this module imports the compiler: callers do so for large logs only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from usage_stats.accesslog import kernel
from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.hit import LogFormat
from usage_stats.accesslog.lines import Int64, Lines, UInt64
from usage_stats.accesslog.program import Program, program_of
from usage_stats.accesslog.template import TemplateFormat
from usage_stats.accesslog.values import Clients
from usage_stats.accesslog.vocabulary import CompiledVocabulary, Verdicts

__all__ = ["CompiledPath", "compiled_path"]


class CompiledPath:
    """Reads plain lines of one format; `is_client` is asked once per distinct address."""

    def __init__(self, program: Program, seed: int, is_client: Callable[[bytes], bool]) -> None:
        self._program = (program.steps, program.literals)
        self._seed = np.uint64(seed)
        self._clients = Verdicts(kernel.ADDRESS, is_client, CompiledVocabulary, absent=0)
        self._arrays = _Arrays(0)

    def read(self, lines: Lines) -> tuple[Columns, np.ndarray]:
        """The hits of the lines it understood, and the rows it declined. What it gave before is void by then."""
        count = len(lines)
        if count > len(self._arrays.at):
            self._arrays = _Arrays(2 * count)
        a = self._arrays
        a.hashes[:, :count] = 0  # a value that the line does not have
        kernel.parse_fields(
            lines.data, lines.starts, lines.ends, self._program, self._seed,
            a.at, a.status, a.is_get, a.places, a.lengths, a.hashes, a.accepted,
        )  # fmt: skip
        everything = _columns(lines, a, slice(count))
        accepted = a.accepted[:count] & (self._clients.of(everything) > 0)
        if accepted.all():
            return everything, np.empty(0, np.int64)
        return _columns(lines, a, np.flatnonzero(accepted)), np.flatnonzero(~accepted)

    @staticmethod
    def fingerprints(lines: Lines, seed: int) -> UInt64:
        """XXH64 of each line."""
        found = np.empty(len(lines), np.uint64)
        kernel.fingerprints(lines.data, lines.starts, lines.ends, np.uint64(seed), found)
        return found


class _Arrays:
    """What the kernel fills, used again for each batch: fresh memory costs as much as the parsing."""

    def __init__(self, rows: int) -> None:
        self.at, self.status = np.zeros(rows, np.int64), np.zeros(rows, np.int16)
        self.is_get, self.accepted = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        self.places, self.lengths = (np.zeros((len(SLOTS), rows), np.int32) for _ in range(2))
        self.hashes = np.zeros((len(SLOTS), rows), np.uint64)


def _columns(lines: Lines, a: _Arrays, rows: slice | Int64) -> Columns:
    """The hits at some rows of the arrays; nothing is copied for a slice."""

    def values(slot: int, wanted: Int64) -> list[bytes]:
        wanted = wanted if isinstance(rows, slice) else rows[wanted]
        places = a.places[slot, wanted]
        ends = places + a.lengths[slot, wanted]
        data = lines.data.data
        return [data[start:end].tobytes() for start, end in zip(places.tolist(), ends.tolist(), strict=True)]

    if isinstance(rows, slice):
        return Columns(a.at[rows], a.status[rows], a.is_get[rows], a.hashes[:, rows], values)
    hashes = np.empty((len(SLOTS), len(rows)), np.uint64)
    for slot in range(len(SLOTS)):
        np.take(a.hashes[slot], rows, out=hashes[slot])
    return Columns(a.at[rows], a.status[rows], a.is_get[rows], hashes, values)


def compiled_path(
    log_format: LogFormat, *, account: str | None, cookie: str | None, seed: int
) -> CompiledPath | None:
    """The fast path of a format, or None if it has none."""
    if not isinstance(log_format, TemplateFormat) or log_format.is_json_escaped or log_format.has_whole_urls:
        return None
    program = program_of(log_format.pieces, account=account, cookie=cookie)
    return None if program is None else CompiledPath(program, seed, Clients().check)
