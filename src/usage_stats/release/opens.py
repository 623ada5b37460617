"""A month's opened e-mails, counted → figures that may leave, each on enough recipients; and their record.

Only months are released, each under a key of its own, and no totals over campaigns or classes: nothing can be
subtracted from anything. Networks are not asked for: most opens come from a few networks of mailbox providers.

Belongs here: which figures are withheld, writing them down and reading them back. Does not: counting, the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from usage_stats.config import OTHER
from usage_stats.ledger import canonical_json
from usage_stats.periods import Period, parse_period
from usage_stats.release.record import vouched

__all__ = ["OpensRow", "ReleasedOpens", "judge_opens", "opens_from_record", "opens_record"]

OpensRow = tuple[str, str, int | None, int | None, str]  # campaign, class, recipients, opens, status


@dataclass(frozen=True, slots=True)
class ReleasedOpens:
    """A month's figures as readers get them; what rests on too few recipients is `suppressed` and has none."""

    period: Period
    rows: tuple[OpensRow, ...]
    minimum_persons: int
    mail_agents: str


def judge_opens(
    period: Period,
    cells: pa.Table,
    campaigns: Sequence[str],
    classes: Sequence[str],
    *,
    minimum_persons: int,
    mail_agents: str,
) -> ReleasedOpens:
    """Withhold what rests on too few.

    Args:
        period: a month.
        cells: of `cell.email_open`.
        campaigns: those with names. Each has a row for every class, so that none tells by being there that anybody
            opened; any other campaign, whose name a request made up, has rows with figures alone.
        classes: all ways in which a mail can be opened.
        minimum_persons: how many recipients a figure needs.
        mail_agents: which table told the classes.
    """
    rows: dict[tuple[str, str], OpensRow] = {
        (campaign, how): (campaign, how, None, None, "suppressed")
        for campaign in (*campaigns, OTHER)
        for how in classes
    }
    for cell in cells.to_pylist():
        if cell["recipients"] >= minimum_persons:
            key = cell["campaign"], cell["open_class"]
            rows[key] = (*key, cell["recipients"], cell["opens"], "published")
    ordered = tuple(rows[key] for key in sorted(rows))
    return ReleasedOpens(period, ordered, minimum_persons, mail_agents)


def opens_record(released: ReleasedOpens) -> bytes:
    """The one text of a month's figures."""
    facts = {"minimum_persons": released.minimum_persons, "mail_agents": released.mail_agents}
    data = {"period": released.period.code, "rows": released.rows, **facts}
    return (canonical_json(data) + "\n").encode()


def opens_from_record(path: Path, digest: str) -> ReleasedOpens:
    """Read figures back; only what was judged has a digest in the ledger.

    Raises:
        LedgerError: the record is missing or not what the ledger vouches for.
    """
    data = vouched(path, digest)
    rows = tuple(tuple(row) for row in data["rows"])
    return ReleasedOpens(parse_period(data["period"]), rows, data["minimum_persons"], data["mail_agents"])
