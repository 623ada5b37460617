"""Results → plain words for a terminal: counts and places, never a value from a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from usage_stats.accesslog.inspect import Inspection
from usage_stats.flow.run import RunResult
from usage_stats.flow.workspace import Workspace

__all__ = ["describe_inspection", "describe_run", "describe_status", "run_as_json"]


def describe_inspection(found: Inspection) -> str:
    """A few lines on one log file."""
    return "\n".join(
        [
            found.file,
            f"  format    {found.format}",
            f"  lines     {found.lines:,} = {found.parsed:,} parsed + {found.rejected:,} rejected{_list(found.reasons)}",
            f"  time      {found.first_at} to {found.last_at}" if found.first_at else "  time      none",
            f"  robots    {found.robots:,} lines",
            f"  clients   {found.clients:,} addresses",
            f"  identity  {_list(found.identity_basis).strip(' ()') or 'none'} (lines by what a visitor would be told apart by)",
        ]
    )


def describe_run(workspace: Workspace, result: RunResult) -> str:
    """What a run read, sealed, published, withheld and wrote, and where the files are."""
    parts = [_read_words(result), _published_words(result), _delivered_words(workspace, result)]
    return "\n".join(part for part in parts if part)


def _read_words(result: RunResult) -> str:
    new = result.ingested
    if not new.new_files:
        return f"read       nothing new in {new.files} log files"
    return "\n".join(
        [
            f"read       {new.lines:,} lines in {new.new_files} of {new.files} log files",
            f"           {new.parsed:,} parsed + {new.rejected.total():,} rejected{_list(new.rejected)}",
            f"           of the parsed: {_list(new.outcomes).strip(' ()')}",
        ]
    )


def _published_words(result: RunResult) -> str:
    if not result.published:
        return "published  no new period"
    kinds = Counter(p.period.kind for p in result.published)
    cells: Counter[str] = Counter()
    for published in result.published:
        cells.update(published.statuses)
    shown, hidden = cells["safe"] + cells["zero"], cells["primary"] + cells["secondary"]
    days = [p.period.code for p in result.published if p.period.kind == "day"]
    span = f" ({min(days)} to {max(days)})" if days else ""
    return "\n".join(
        [
            f"published  {', '.join(f'{n} {_plural(kind, n)}' for kind, n in kinds.items())}{span}",
            f"           {shown:,} figures published, {cells['zero']:,} of them zero",
            f"withheld   {hidden:,} figures: {cells['primary']:,} rest on too few persons or networks, "
            f"{cells['secondary']:,} more protect these",
        ]
    )


def _delivered_words(workspace: Workspace, result: RunResult) -> str:
    done = result.delivered
    lines = [f"releases   {done.written:,} folders written, {done.unchanged:,} unchanged"]
    if not done.written and done.unchanged:
        lines = [f"releases   nothing to do: all {done.unchanged:,} folders are there, no byte was changed"]
    lines += [f"refused    {what}: {why}" for what, why in sorted(done.refused.items())[:5]]
    if len(done.refused) > 5:
        lines.append(f"refused    and {len(done.refused) - 5} more folders for reasons like these")
    for partner in workspace.config.partners:
        lines.append(f"files      {workspace.releases / partner.id}")
    lines.append(f"analysts   {workspace.warehouse}")
    return "\n".join(lines)


def run_as_json(result: RunResult) -> dict[str, Any]:
    """The same, for machines."""
    return {
        "lines": result.ingested.lines,
        "parsed": result.ingested.parsed,
        "rejected": dict(result.ingested.rejected),
        "outcomes": dict(result.ingested.outcomes),
        "sealed": [d.isoformat() for d in result.sealed],
        "published": [{"period": p.period.code, "cells": dict(p.statuses)} for p in result.published],
        "folders_written": result.delivered.written,
        "folders_unchanged": result.delivered.unchanged,
        "refused": result.delivered.refused,
    }


def describe_status(found: Mapping[str, Any]) -> str:
    """A line per period that is not released, and counts for the rest."""
    states = Counter(row["state"] for row in found["periods"])
    lines = [
        f"site       {found['site']}",
        f"lines      {found['lines']['lines']:,} = {found['lines']['parsed']:,} parsed + "
        f"{sum(found['lines']['rejected'].values()):,} rejected; {found['lines']['late']:,} came late",
        f"periods    {', '.join(f'{n} {state}' for state, n in sorted(states.items())) or 'none'}",
    ]
    for row in found["periods"]:
        if row["state"] != "released":
            gap = f", {row['days_missing']} days without lines" if row["days_missing"] else ""
            lines.append(f"           {row['period']}: {row['state']}{gap}")
    return "\n".join([*lines, f"next       {found['next']}"])


def _list(counts: Mapping[str, int]) -> str:
    return (
        f" ({', '.join(f'{n:,} {code}' for code, n in sorted(counts.items()) if n)})"
        if any(counts.values())
        else ""
    )


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
