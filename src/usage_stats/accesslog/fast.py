"""Lines and a format's program → columns, through the compiled kernel.

Belongs here: the arrays that the kernel fills, and the last checks per distinct value. Does not: loops over bytes.
Importing this module imports the compiler: callers do so for large logs only.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
import xxhash

from usage_stats.accesslog import kernel
from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.hit import LogFormat, Parser
from usage_stats.accesslog.json_format import JsonFormat
from usage_stats.accesslog.lines import Int64, Lines, UInt8, UInt64
from usage_stats.accesslog.program import Kept, Program, cells_program, object_program, template_program
from usage_stats.accesslog.template import TemplateFormat
from usage_stats.accesslog.values import Clients, present
from usage_stats.accesslog.vocabulary import CompiledVocabulary, Verdicts
from usage_stats.accesslog.w3c import W3cParser

__all__ = ["CompiledPath", "compiled_path"]


class CompiledPath:
    """Reads plain lines of one format by the program in force; without one it declines every line."""

    def __init__(self, program: Callable[[], Program | None], seed: int, *, is_fixed: bool) -> None:
        self._program = program
        self._is_fixed = is_fixed  # else directives among the lines change the program
        self._seed = np.uint64(seed)
        self._one = np.uint64(
            xxhash.xxh64_intdigest(b"1", seed) or 1
        )  # what a client that sends a signal says
        self._clients = Verdicts(kernel.ADDRESS, judge=self._is_client, make=CompiledVocabulary)
        self._referrers = Verdicts(
            kernel.REFERRER, judge=self._hash, make=CompiledVocabulary, dtype=np.uint64
        )
        self._arrays = _Arrays(0)  # of the lines read last
        self._free: deque[_Arrays] = deque()  # its steps are atomic: threads share it

    def walk(self, lines: Lines) -> Lines:
        """The same lines, with what they hold found already if that may be done ahead of `read`: in any thread."""
        program = self._program() if self._is_fixed else None
        if program is None:
            return lines
        return Lines(lines.data, lines.starts, lines.ends, lines.is_open, self._walked(lines, program))

    def read(self, lines: Lines) -> tuple[Columns, np.ndarray]:
        """The hits of the lines it understood, and the rows it declined. What it gave before is void by then."""
        program = self._program()
        if program is None:
            return _columns(lines, self._arrays, slice(0), {}), np.arange(len(lines))
        count = len(lines)
        self._free.append(self._arrays)
        a = lines.walked if isinstance(lines.walked, _Arrays) else self._walked(lines, program)
        self._arrays = a
        everything = _columns(lines, a, slice(count), program.decode)
        accepted = a.accepted[:count].copy()
        unsure = np.flatnonzero(accepted & ~a.is_ipv4[:count])
        accepted[unsure] = self._clients.of(everything, unsure) > 0
        if program.has_agent:
            # Who names none is not one of whom none is recorded: the exact parser tells them apart.
            accepted &= a.hashes[kernel.AGENT, :count] != 0
        for signal in (a.hashes[kernel.GPC, :count], a.hashes[kernel.DNT, :count]):
            signal[signal != self._one] = 0
        if kernel.REFERRER in program.decode:
            # Hashed as the server wrote it: one value must have one hash, for a verdict on it is kept by that.
            referred = np.flatnonzero(accepted & (a.hashes[kernel.REFERRER, :count] != 0))
            a.hashes[kernel.REFERRER, referred] = self._referrers.of(everything, referred)
        if accepted.all():
            return everything, np.empty(0, np.int64)
        return _columns(lines, a, np.flatnonzero(accepted), program.decode), np.flatnonzero(~accepted)

    def _walked(self, lines: Lines, program: Program) -> _Arrays:
        count = len(lines)
        try:
            a = self._free.popleft()
        except IndexError:  # all are in use
            a = _Arrays(count)
        a = a if len(a.at) >= count else _Arrays(2 * count)
        a.hashes[:, :count] = 0  # a value that the line does not have
        row = (a.at, a.status, a.is_get, a.is_ipv4)
        parse = kernel.parse_objects if program.is_object else kernel.parse_fields
        parse(
            *(lines.data, lines.starts, lines.ends, (program.steps, program.literals), self._seed, row),
            *(a.places, a.lengths, a.hashes, a.accepted),
        )
        return a

    def _is_client(self, address: bytes) -> bool:
        program = self._program()
        return _is_client(address) and program is not None and bool(program.is_address(address))

    def _hash(self, value: bytes) -> int:
        """Of a value that is optional: 0 where it says that there is none."""
        return 0 if present(value) is None else xxhash.xxh64_intdigest(value, int(self._seed)) or 1

    @staticmethod
    def newlines(data: UInt8) -> Int64:
        """Where newline bytes are; `data` has `PADDING` behind it."""
        found = np.empty(kernel.count_newlines(data), np.int64)
        kernel.find_newlines(data, found)
        return found

    @staticmethod
    def fingerprints(lines: Lines, seed: int) -> UInt64:
        """XXH64 of each line."""
        found = np.empty(len(lines), np.uint64)
        kernel.fingerprints(lines.data, lines.starts, lines.ends, np.uint64(seed), found)
        return found


def _is_client(address: bytes) -> bool:
    """As the exact parser thinks, but most are plain addresses, and those are told sooner."""
    try:
        socket.inet_pton(socket.AF_INET6 if b":" in address else socket.AF_INET, address.decode("ascii"))
    except (OSError, ValueError):
        return Clients().check(address)
    return True


class _Arrays:
    """What the kernel fills, used again for each batch: fresh memory costs as much as the parsing."""

    def __init__(self, rows: int) -> None:
        self.at, self.status = np.zeros(rows, np.int64), np.zeros(rows, np.int16)
        self.is_get, self.is_ipv4, self.accepted = (np.zeros(rows, np.bool_) for _ in range(3))
        self.places, self.lengths = (np.zeros((len(SLOTS), rows), np.int32) for _ in range(2))
        self.hashes = np.zeros((len(SLOTS), rows), np.uint64)


def _columns(
    lines: Lines, a: _Arrays, rows: slice | Int64, decode: Mapping[int, Callable[[bytes], bytes]]
) -> Columns:
    """The hits at some rows of the arrays; nothing is copied for a slice."""

    def values(slot: int, wanted: Int64) -> list[bytes]:
        wanted = wanted if isinstance(rows, slice) else rows[wanted]
        places = a.places[slot, wanted]
        ends = places + a.lengths[slot, wanted]
        data = lines.data.data
        found = [data[start:end].tobytes() for start, end in zip(places.tolist(), ends.tolist(), strict=True)]
        return list(map(decode[slot], found)) if slot in decode else found

    if isinstance(rows, slice):
        return Columns(a.at[rows], a.status[rows], a.is_get[rows], a.hashes[:, rows], values)
    hashes = np.empty((len(SLOTS), len(rows)), np.uint64)
    for slot in range(len(SLOTS)):
        np.take(a.hashes[slot], rows, out=hashes[slot])
    return Columns(a.at[rows], a.status[rows], a.is_get[rows], hashes, values)


def compiled_path(
    log_format: LogFormat,
    parser: Parser,
    *,
    account: str | None,
    cookie: str | None,
    others: frozenset[str] = frozenset(),
    seed: int,
) -> CompiledPath | None:
    """The fast path of a format beside its exact parser, or None if it has none; `others` as in `Kept`."""
    kept = Kept(account, cookie, others)
    if isinstance(parser, W3cParser):
        return CompiledPath(_W3cPrograms(parser, kept), seed, is_fixed=False)
    program = None
    if isinstance(log_format, TemplateFormat):
        program = template_program(log_format, kept)
    elif isinstance(log_format, JsonFormat):
        program = object_program(log_format, kept)
    return None if program is None else CompiledPath(lambda: program, seed, is_fixed=True)


class _W3cPrograms:
    """The program of a W3C log as its last directives would have it."""

    def __init__(self, parser: W3cParser, kept: Kept) -> None:
        self._parser = parser
        self._kept = kept
        self._columns: tuple[str, ...] | None = None
        self._program: Program | None = None

    def __call__(self) -> Program | None:
        if self._parser.columns != self._columns:
            self._columns = self._parser.columns
            self._program = cells_program(
                self._columns, self._parser.delimiter, self._kept, self._parser.decoders
            )
        return self._program
