"""Recorded releases → each partner's folders, in the edition that is in force.

Belongs here: who gets which folder, complete or not at all. Does not: what is in the files (release/export), or which
edition is in force (editions).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from usage_stats.config import Partner
from usage_stats.errors import ConfigError, LedgerError
from usage_stats.flow.editions import Editions, Place
from usage_stats.flow.place_folder import place_folder, sweep
from usage_stats.flow.received import Received
from usage_stats.flow.refusals import Refusals
from usage_stats.flow.released import released_periods, stored_release
from usage_stats.flow.reporter import Reporter
from usage_stats.flow.workspace import Workspace
from usage_stats.partner_settings import Terms
from usage_stats.policy import Refusal
from usage_stats.release.edition import Edition
from usage_stats.release.export import release_files
from usage_stats.release.gate import Release
from usage_stats.release.report.earlier import Earlier
from usage_stats.release.table_cut import Cut, cut, is_shown_by

__all__ = ["Delivered", "deliver", "files_of", "folder_of", "replace_folders"]


@dataclass(slots=True)
class Delivered:
    """Folders written, folders that were there already, and what the policy kept back."""

    written: int = 0
    unchanged: int = 0
    refused: dict[str, Refusal] = field(default_factory=dict)


def deliver(workspace: Workspace, reporter: Reporter) -> Delivered:
    """Write every folder that is due to a partner and not there; touch none that is, but for ordered editions.

    Raises:
        LedgerError: a record is not what the ledger vouches for, or a delivered folder would now differ.
    """
    result = Delivered(written=replace_folders(workspace))
    due, refusals, editions = list(_due(workspace)), Refusals(workspace), Editions(workspace)
    received = Received(workspace)
    reporter.start("writing releases", len(due))
    for partner, place, digest in due:
        folder, known = folder_of(workspace, place), editions.sent(place)
        if known and folder.exists():
            _check_unchanged(folder, known["files"])
            result.unchanged += 1
        elif known:
            _restore(workspace, place, stored_release(workspace, place.period, digest), known, received)
            result.written += 1
        elif refusal := workspace.policy.refusal(place.period.days, partner.policy_use):
            refusals.record(place.period, refusal)
            result.refused[f"{place.partner}/{place.table}/{place.period.code}"] = refusal
        elif not editions.is_withdrawn(place):
            release = stored_release(workspace, place.period, digest)
            if is_shown_by(release, workspace.config.tables[place.table]):
                _write_first(workspace, place, release, partner.terms, received)
                result.written += 1
        reporter.advance(1)
    sweep(workspace.releases)
    return result


def replace_folders(workspace: Workspace) -> int:
    """Put every restated folder and every notice of a withdrawal in its place; return how many.

    Raises:
        LedgerError: a record is not what the ledger vouches for. ConfigError: the table is not configured any more.
    """
    sweep(workspace.releases)
    released, count = released_periods(workspace), 0
    terms = {partner.id: partner.terms for partner in workspace.config.partners}
    editions, received = Editions(workspace), Received(workspace)
    # The oldest first: pages of later periods tell of them.
    for place, edition in sorted(editions.pending(), key=lambda due: due[0].period.first):
        release = stored_release(workspace, place.period, released[place.period])
        before = Terms.of_entry((editions.sent(place) or {}).get("terms", {}))
        now = before if edition.is_withdrawn else terms.get(place.partner, before)
        files = files_of(workspace, place, release, now, received.before(place), edition)
        place_folder(workspace.releases, folder_of(workspace, place), files)
        received.add(place, _enter(workspace, place, files, now, edition))
        count += 1
    sweep(workspace.releases)
    return count


def folder_of(workspace: Workspace, place: Place) -> Path:
    """Where the folder lies."""
    return workspace.releases / place.partner / place.table / place.period.code


def files_of(
    workspace: Workspace,
    place: Place,
    release: Release,
    terms: Terms,
    earlier: Sequence[Earlier],
    edition: Edition | None = None,
) -> dict[str, bytes]:
    """The files of a folder in some edition.

    Raises:
        ConfigError: the table is not configured any more.
    """
    table = workspace.config.tables.get(place.table)
    if table is None:
        raise ConfigError(
            f"{workspace.root / 'usage_stats.yaml'}: tables: {place.table} is gone, but folders of it are to be "
            f"replaced ({place.period.code}); put it back as it was"
        )
    shown = cut(release, place.table, table)
    if edition and edition.is_withdrawn:
        shown = Cut(shown.table, shown.columns, ())
    return release_files(release, shown, place.partner, earlier, terms, edition)


def _check_unchanged(folder: Path, known: dict[str, str]) -> None:
    """A delivered folder is for ever what it was; if it is gone, it is written again, the same."""
    if known != _digests({name: (folder / name).read_bytes() for name in known if (folder / name).is_file()}):
        raise LedgerError(
            f"{folder}: files were changed or removed after their delivery; restore them, or delete the whole "
            "folder: the next run writes it again as it was"
        )


def _digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _due(workspace: Workspace) -> Iterator[tuple[Partner, Place, str]]:
    """(partner, place, digest of the record) of everything that partners should have."""
    for period, digest in released_periods(workspace).items():
        for partner in workspace.config.partners:
            if period.kind not in partner.periods or (partner.since and period.first < partner.since):
                continue
            for table in partner.tables:
                if period.kind in workspace.config.tables[table].periods:
                    yield partner, Place(partner.id, table, period), digest


def _restore(
    workspace: Workspace, place: Place, release: Release, known: dict[str, Any], received: Received
) -> None:
    """Write a lost folder again, in the same edition and on the same terms."""
    folder = folder_of(workspace, place)
    edition = Edition(**known["edition"]) if "edition" in known else None
    terms = Terms.of_entry(known.get("terms", {}))
    files = files_of(workspace, place, release, terms, received.before(place), edition)
    if known["files"] != _digests(files):
        raise LedgerError(_cannot_restore(folder, place))
    place_folder(workspace.releases, folder, files)


def _cannot_restore(folder: Path, place: Place) -> str:
    """The record has the figures, but not how they were laid out: descriptions and pages grew since. Bytes that nobody
    was sent do not pass for those that were, so the same figures go out as what they are, another edition.
    """
    command = f"usage-stats restate {place.table} {place.period.code} --partner {place.partner}"
    return (
        f"{folder}: files are missing, and this version of the software would write them differently from what was "
        "delivered (an older one had no report.html). Restore the folder from a backup, or deliver the same figures "
        f"once more, as a new edition: {command} --reason 'The folder was lost'"
    )


def _write_first(
    workspace: Workspace, place: Place, release: Release, terms: Terms, received: Received
) -> None:
    """Make the folder beside its place, move it there whole, and record it."""
    folder = folder_of(workspace, place)
    files = files_of(workspace, place, release, terms, received.before(place))
    if folder.exists():  # a crash came between the folder and its entry
        _check_unchanged(folder, _digests(files))
    else:
        place_folder(workspace.releases, folder, files)
    received.add(place, _enter(workspace, place, files, terms))


def _enter(
    workspace: Workspace, place: Place, files: dict[str, bytes], terms: Terms, edition: Edition | None = None
) -> dict[str, str]:
    """Record what a partner has from now on; return its digests."""
    about = {"partner": place.partner, "table": place.table, "period": place.period.code}
    digests = _digests(files)
    entry = {"event": "delivered", **about, "files": digests, "terms": dataclasses.asdict(terms)}
    workspace.released.append(entry | ({"edition": dataclasses.asdict(edition)} if edition else {}))
    return digests
