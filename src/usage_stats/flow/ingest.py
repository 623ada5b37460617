"""The workspace's logs → event files of the restricted store, and one ledger entry per file with new lines.

The entry is the commit: files that no entry names are leftovers of a crash and are never read.

Belongs here: which files are read, in which order. Does not: the way of one file's lines (reading).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from usage_stats.accesslog.batch import BatchParser
from usage_stats.accesslog.forwarded import Proxies
from usage_stats.accesslog.read import Log
from usage_stats.accesslog.source import open_file
from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary, Vocabulary
from usage_stats.config import Source
from usage_stats.deidentify.attributes import Attributes
from usage_stats.deidentify.email_opens import OpenMatcher
from usage_stats.deidentify.exclusion_lists import load_exclusion_lists
from usage_stats.deidentify.generalise import PathClassifier
from usage_stats.deidentify.open_events import OpenEvents
from usage_stats.deidentify.outcome import Judge
from usage_stats.deidentify.robots import Robots
from usage_stats.deidentify.strip import DayGate, Stripped, Stripper
from usage_stats.deidentify.visitors import Visitors
from usage_stats.durable import make_folders
from usage_stats.errors import InputError
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.classification import load_classification
from usage_stats.flow.content import Unchanged, find_logs
from usage_stats.flow.known_lines import FingerprintFile, KnownLines, content_seed, known_lines
from usage_stats.flow.reading import Account, read_file
from usage_stats.flow.reporter import Reporter
from usage_stats.flow.unread import Unread, look_at, refuse_shared, source_named
from usage_stats.flow.workspace import Workspace, write_restricted

__all__ = ["Ingested", "event_files", "ingest"]

# From so many bytes of log on, the compiler's start (half a second) is repaid; packed logs hold some ten times more.
_LARGE = 20_000_000
_PACKING = 10
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one run read: files seen, files with something new, lines and what became of them; what broke."""

    files: int
    new_files: int
    lines: int
    parsed: int
    rejected: Counter[str]
    outcomes: Counter[str]
    broken: tuple[str, ...] = ()


def ingest(
    workspace: Workspace, now: datetime, reporter: Reporter, *, standard_input: str | None = None
) -> Ingested:
    """Read everything new. The beginning of each file is looked at before any is taken in.

    Args:
        workspace: whose logs.
        now: the time.
        reporter: is told of progress.
        standard_input: the source as whose log standard input is read too, if any.

    Raises:
        InputError: a file is missing or no access log; nothing was read then.
    """
    found = [(s, path) for s in workspace.config.sources for path in find_logs(workspace.root, s)]
    refuse_shared(found)
    unchanged = Unchanged(workspace)
    changed = [(source, path) for source, path in found if not unchanged.covers(source, path)]
    unread = [u for source, path in changed if (u := look_at(source, Log(path)))]
    if standard_input is not None:
        unread += [u for u in [look_at(source_named(workspace, standard_input), Log(None))] if u]
    if not unread and not workspace.ingested.entries():
        raise InputError(
            f"{workspace.root}: all {len(found)} log files are empty; there is nothing to count. "
            "Check that `logs:` in usage_stats.yaml names the right files"
        )
    workspace.remember_identity()
    size = sum(Unchanged.stamp(u.log.path)[2] for u in unread if u.log.path)
    reporter.start("reading logs", size, is_bytes=True)
    workspace.keys.at(now)
    job = _Job(workspace, reporter, _is_large(unread), calendar_of(workspace, now).gate)
    accounts = [job.take_in(u, unchanged) for u in unread]
    unchanged.keep(found)
    return _sum(len(found), accounts)


def event_files(workspace: Workspace, table: str, of: date) -> list[Path]:
    """The committed event files of a day: of `page_views`, `visitors` or `email_opens`."""
    prefix = f"events/day={of}/{table}-"
    named = (name for entry in workspace.ingested.entries() for name in entry["events"])
    return [workspace.restricted / name for name in named if name.startswith(prefix)]


class _Job:
    """What the files of one run share: verdicts on distinct values, and what is known of each source."""

    def __init__(self, workspace: Workspace, reporter: Reporter, is_large: bool, gate: DayGate) -> None:  # noqa: FBT001 a finding, not a switch
        self._workspace = workspace
        self._reporter = reporter
        self._is_large = is_large
        self._seed = content_seed(workspace)
        self._value_seed = secrets.randbits(64)  # of this run only: nobody can aim at it
        self._known: dict[str, KnownLines] = {}
        make: Callable[[], Vocabulary] = CompiledVocabulary if is_large else PlainVocabulary
        config = workspace.config
        lists = load_exclusion_lists(config.exclusions, workspace.root)
        classify = PathClassifier(config.components, config.asset_extensions, config.query_keys)
        match = OpenMatcher(config.email) if config.email.opens else None
        judge = Judge(classify, Robots(config.robots), lists, make, opens=match)
        self._make = make
        classification = load_classification(workspace)
        attributes = Attributes(config.event_attributes, classification.lists, make)
        self._told_apart = {
            "classification": classification.version,
            "attributes": dict(classification.attributes),
        }
        self._wanted = lists.signals | attributes.wanted
        self._wanted |= {"query"} if config.query_keys or match else frozenset()
        excluded = workspace.exclusions()
        visitors = Visitors(workspace.keys.key, make, excluded)
        opens = OpenEvents(match, workspace.keys.key, make, excluded) if match else None
        self._stripper = Stripper(
            *(judge, visitors, gate), zone=config.zone, opens=opens, attributes=attributes
        )

    def take_in(self, unread: Unread, unchanged: Unchanged) -> Account:
        """Read one log's new lines, and enter them in the ledger: the one step that makes them count.

        Raises:
            InputError: most lines do not fit, or another file took the log's place meanwhile; nothing counts then.
        """
        path, source = unread.log.path, unread.source
        stamp, begins = (Unchanged.stamp(path), _first_line(path)) if path else ([], b"")
        known = self._known_of(source)
        with FingerprintFile(self._workspace.restricted) as kept:
            account = read_file(
                *(unread, known, self._parser(unread), self._stripper, kept),
                seed=self._seed,
                write=self._write_events,
                on_bytes=self._reporter.advance,
            )
        if path and (Unchanged.stamp(path)[:2] != stamp[:2] or not _first_line(path).startswith(begins)):
            raise InputError(f"{path}: was replaced while it was read; nothing of it was kept, run again")
        if account.broken and account.broken.is_damage:
            # What was decompressed before may be invented near the damage, and the true log would count beside it.
            raise InputError(f"{account.broken}; nothing of it was kept")
        _check_plausible(unread, account)
        if (
            account.is_news or account.content.digest not in known.contents
        ):  # once sealed, files are known as wholes
            entry = account.entry(unread, kept) | self._told_apart
            self._workspace.ingested.append(entry)
            known.follow(entry, kept.read())
        else:
            kept.discard()
        if path and not account.broken:  # a disk may be well again
            unchanged.add(source, path, stamp)
        return account

    def _known_of(self, source: Source) -> KnownLines:
        if source.name not in self._known:
            self._known[source.name] = known_lines(self._workspace, source.name)
        return self._known[source.name]

    def _parser(self, unread: Unread) -> BatchParser:
        source, seed = unread.source, self._value_seed
        exact = unread.log_format.parser(account=source.account, cookie=source.cookie)
        proxies = Proxies(source.trusted_proxies, seed, self._make) if source.trusted_proxies else None
        if not self._is_large:
            return BatchParser(exact, seed, None, proxies)
        from usage_stats.accesslog.fast import compiled_path  # noqa: PLC0415 the compiler, for large logs only

        others = self._wanted | ({"forwarded"} if proxies else frozenset())
        fast = compiled_path(
            *(unread.log_format, exact),
            account=source.account,
            cookie=source.cookie,
            others=others,
            seed=seed,
        )
        return BatchParser(exact, seed, fast, proxies)

    def _write_events(self, stripped: Stripped) -> list[str]:
        """Write events, files of their own per day; return their names below `restricted/`."""
        written = []
        for events in stripped.days:
            tables = {"page_views": events.page_views, "visitors": events.visitors} if events.visitors else {}
            if events.email_opens:
                tables["email_opens"] = events.email_opens
            for table, rows in tables.items():
                name = f"events/day={events.day}/{table}-{secrets.token_hex(8)}.parquet"
                path = self._workspace.restricted / name
                make_folders(path.parent, mode=0o700)
                write_restricted(rows, path)
                written.append(name)
        return written


def _is_large(unread: Sequence[Unread]) -> bool:
    """Whether the logs together are large enough to be worth the compiler."""
    return sum(_unpacked_bytes(u.log.path) for u in unread if u.log.path) > _LARGE


def _unpacked_bytes(path: Path) -> int:
    with open_file(path) as file:
        is_packed = (file.read(6) or b"").startswith(_PACKED)
    return Unchanged.stamp(path)[2] * (_PACKING if is_packed else 1)


def _check_plausible(unread: Unread, account: Account) -> None:
    """Once recorded, content is never read again: a wrong format or clock would lose it.

    Raises:
        InputError: of a log read for the first time, most lines do not fit, or lie in the future.
    """
    if account.total != account.lines:
        return
    lines = account.lines - account.rejected["blank"] - account.rejected["directive"]
    is_auto = unread.source.format == "auto"
    remedy = "Name the format, or paste the server's" if is_auto else "Correct `format:`, or set it to auto"
    misfits = account.rejected.total() - (account.lines - lines)
    if misfits * 2 > lines:
        raise InputError(
            f"{unread.log.name}: {misfits} of {lines} lines do not fit format {unread.log_format.name}; "
            f"nothing was recorded. {remedy}"
        )
    ahead = account.outcomes["in_the_future"]
    if ahead * 2 > lines:
        raise InputError(
            f"{unread.log.name}: {ahead} of {lines} lines lie in the future; nothing was recorded. "
            "Is this machine's clock right?"
        )


def _first_line(path: Path) -> bytes:
    """The first line: another one where a file was cut and written anew."""
    with Log(path) as log:
        return b"".join(log.head(1))


def _sum(files: int, accounts: Sequence[Account]) -> Ingested:
    return Ingested(
        files=files,
        new_files=sum(account.is_news for account in accounts),
        lines=sum(account.lines for account in accounts),
        parsed=sum(account.outcomes.total() for account in accounts),
        rejected=_total(account.rejected for account in accounts),
        outcomes=_total(account.outcomes for account in accounts),
        broken=tuple(account.broken for account in accounts if account.broken),
    )


def _total(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """All counts together; one below zero stays, which adding Counters would drop."""
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return Counter({name: n for name, n in total.items() if n})
