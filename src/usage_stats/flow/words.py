"""Results → plain words for a terminal: counts and places, never a value from a log.

Belongs here: what people read. Does not: finding anything out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from usage_stats.flow.run import RunResult
from usage_stats.flow.workspace import Workspace

__all__ = ["describe_run", "describe_status", "run_as_json"]

Lines = list[tuple[str, str]]  # a label, and what there is to say; an empty label goes on from the line above


def describe_run(workspace: Workspace, result: RunResult, incomplete: Sequence[str]) -> str:
    """What a run read, sealed, published, withheld and wrote, what waits, and where the files are."""
    parts = (
        _read(result),
        _published(result),
        _waiting(incomplete),
        _delivered(result),
        _places(workspace),
    )
    return _text([line for part in parts for line in part])


def _read(result: RunResult) -> Lines:
    new = result.ingested
    late = new.outcomes["late"]
    if not new.new_files:
        return [("read", f"nothing new in {new.files} log {_plural('file', new.files)}")]
    return [
        ("read", f"{new.lines:,} lines in {new.new_files} of {new.files} log {_plural('file', new.files)}"),
        ("", f"{new.parsed:,} parsed + {new.rejected.total():,} rejected"),
        *_also(new.rejected, "rejected for: "),
        *_also({k: n for k, n in new.outcomes.items() if k != "late"}, "parsed: "),
        *([("late", f"{late:,} lines came after their day was sealed and count nowhere")] if late else []),
    ]


def _published(result: RunResult) -> Lines:
    if not result.published:
        return [("published", "no new period")]
    cells = sum((Counter(p.statuses) for p in result.published), Counter[str]())
    shown, hidden = cells["safe"] + cells["zero"], cells["primary"] + cells["secondary"]
    refused = result.refused
    return [
        *(
            [("refused", f"{', '.join(refused)}: no choice of rows is safe; never released")]
            if refused
            else []
        ),
        ("published", _periods(result)),
        ("", f"{shown:,} rows with figures, {cells['zero']:,} of them zero"),
        ("withheld", f"{hidden:,} rows: {cells['primary']:,} rest on too few persons or networks,"),
        ("", f"{cells['secondary']:,} more so that these cannot be worked out"),
    ]


def _periods(result: RunResult) -> str:
    kinds = Counter(p.period.kind for p in result.published)
    first = min(p.period.first for p in result.published)
    last = max(p.period.last for p in result.published)
    return f"{', '.join(f'{n} {_plural(kind, n)}' for kind, n in kinds.items())}, {first} to {last}"


def _waiting(incomplete: Sequence[str]) -> Lines:
    if not incomplete:
        return []
    more = f" and {len(incomplete) - 4} more" if len(incomplete) > 4 else ""
    return [
        ("waiting", f"{', '.join(incomplete[:4])}{more}: days without log lines, so not released;"),
        ("", "to release them marked as incomplete, set `gaps: accept` in usage_stats.yaml"),
    ]


def _delivered(result: RunResult) -> Lines:
    done = result.delivered
    first = (
        "releases",
        f"{done.written:,} {_plural('folder', done.written)} written, {done.unchanged:,} left as they were",
    )
    if not done.written and done.unchanged:
        first = ("releases", f"all {done.unchanged:,} folders are there; no byte was changed")
    refused: Lines = [("refused", f"{what}: {why}") for what, why in sorted(done.refused.items())[:3]]
    if len(done.refused) > 3:
        refused.append(("", f"and {len(done.refused) - 3} more folders for reasons like these"))
    return [first, *refused]


def _places(workspace: Workspace) -> Lines:
    folders = [workspace.releases / partner.id for partner in workspace.config.partners]
    there = [("files", str(folder)) for folder in folders if folder.is_dir()]
    return [*there, ("analysts", str(workspace.warehouse))]


def run_as_json(result: RunResult, incomplete: Sequence[str]) -> dict[str, Any]:
    """The same, for machines."""
    return {
        "lines": result.ingested.lines,
        "parsed": result.ingested.parsed,
        "rejected": dict(result.ingested.rejected),
        "outcomes": dict(result.ingested.outcomes),
        "sealed": [day.isoformat() for day in result.sealed],
        "published": [{"period": p.period.code, "cells": dict(p.statuses)} for p in result.published],
        "refused_periods": result.refused,
        "incomplete": list(incomplete),
        "folders_written": result.delivered.written,
        "folders_unchanged": result.delivered.unchanged,
        "refused": result.delivered.refused,
    }


def describe_status(found: Mapping[str, Any]) -> str:
    """A line per period that is not released, and counts for the rest."""
    states = Counter(row["state"] for row in found["periods"])
    count = found["lines"]
    rejected = sum(count["rejected"].values())
    lines = [
        ("site", found["site"]),
        ("lines", f"{count['lines']:,} = {count['parsed']:,} parsed + {rejected:,} rejected"),
        ("late", f"{count['late']:,} lines came after their day was sealed and count nowhere"),
        ("periods", ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "none"),
        *(("", _waits(row)) for row in found["periods"] if row["state"] != "released"),
        ("next", found["next"]),
    ]
    return _text(lines)


def _waits(row: Mapping[str, Any]) -> str:
    gap = f", {row['days_missing']} days without lines" if row["days_missing"] else ""
    return f"{row['period']}: {row['state']}{gap}"


def _also(counts: Mapping[str, int], words: str) -> Lines:
    return [("", f"{words}{_listed(counts)}")] if any(counts.values()) else []


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {code.replace('_', ' ')}" for code, n in sorted(counts.items()) if n)


def _text(lines: Lines) -> str:
    return "\n".join(f"{label:<11}{words}" for label, words in lines)


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
