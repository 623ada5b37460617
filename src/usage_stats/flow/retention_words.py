"""Plans and receipts of erasing and purging → plain words: counts, days and periods, nobody's name.

Belongs here: what people read of them. Does not: finding anything out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from usage_stats.flow.erase import ErasurePlan, Receipt
from usage_stats.flow.purge import PurgePlan

__all__ = ["describe_erasure", "describe_purge", "describe_receipt"]

_CLASSES: Mapping[str, str] = {
    "events": "events and fingerprints of lines that no open day needs",
    "usage": "usage rows of closed weeks and months, or of a seal that was interrupted",
    "temporary": "half-written files, and what the database put aside",
    "keys": "key files of destroyed or never used keys",
    "expired": "events, fingerprints, usage rows and keys older than maximum_age_days",
}
_NOT_OURS = (
    "logs/ and your backups are not touched: delete what they hold of these people yourself; what was published "
    "stays as it is"
)


def describe_erasure(plan: ErasurePlan) -> str:
    """What would happen, and how to have it done."""
    lines = [
        f"to erase   {_kinds(plan.counts)}",
        f"remove     their rows in {_span(plan.open_days, 'day that is not sealed', 'days that are not sealed')}",
        f"replace    their pseudonyms by random ones in {_span(plan.sealed_days, 'sealed day', 'sealed days')}",
        "leave out  them from every line that is read from then on",
    ]
    if plan.counts["address"]:
        lines.append(f"           addresses until these are closed: {', '.join(plan.windows)}")
    return "\n".join(
        [*lines, f"note       {_NOT_OURS}", *_how("erase", plan.digest, "the same identifiers, ")]
    )


def describe_receipt(receipt: Receipt) -> str:
    """That it was done: the same words whether anybody had visited or not."""
    return "\n".join(
        [
            f"receipt    {receipt.number}",
            f"at         {receipt.at}",
            f"erased     {_kinds(receipt.counts)}: no trace is held, and they are left out from now on",
            f"note       {_NOT_OURS}",
        ]
    )


def describe_purge(plan: PurgePlan, *, executed: bool) -> str:
    """What would go or went, by class."""
    label = "purged" if executed else "to purge"
    lines = [
        f"{label:<11}{_files(count['files'])}, {count['bytes']:,} bytes: {_CLASSES[what]}"
        for what, count in plan.counts.items()
        if count["files"]
    ]
    if plan.expired:
        lines.append(f"expired    {', '.join(plan.expired)}: never released")
    if plan.days:
        lines.append(f"days       {_span(plan.days, 'day', 'days')}")
    if not lines:
        return "nothing to purge: all that is held is still needed"
    return "\n".join(lines if executed else [*lines, *_how("purge", plan.digest, "")])


def _how(command: str, digest: str, given: str) -> list[str]:
    return [f"nothing was changed; to do this: {given}usage-stats {command} --execute {digest}"]


def _kinds(counts: Mapping[str, int]) -> str:
    named = {"account": "accounts", "cookie": "cookies", "address": "addresses", "recipient": "recipients"}
    return ", ".join(f"{n} {kind if n == 1 else named[kind]}" for kind, n in counts.items() if n)


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{n:,} files"


def _span(days: Sequence[str], one: str, many: str) -> str:
    if not days:
        return f"no {one}"
    return f"1 {one}, {days[0]}" if len(days) == 1 else f"{len(days)} {many}, {days[0]} to {days[-1]}"
