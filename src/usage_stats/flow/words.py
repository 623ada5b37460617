"""Results → plain words for a terminal: counts and places, never a value from a log.

Belongs here: what people read. Does not: finding anything out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from usage_stats.flow.restate_words import describe_changes, describe_unfinished
from usage_stats.flow.run import RunResult
from usage_stats.flow.workspace import Workspace
from usage_stats.periods import Period
from usage_stats.policy import Refusal

__all__ = ["describe_run", "describe_status", "run_as_json"]

Lines = list[tuple[str, str]]  # a label, and what there is to say; an empty label goes on from the line above


def describe_run(workspace: Workspace, result: RunResult, incomplete: Sequence[str]) -> str:
    """What a run read, sealed, published, withheld and wrote, what waits, and where the files are."""
    parts = (
        _read(result),
        _left_out(workspace, result),
        _published(result),
        _waiting(incomplete),
        _expired([p.code for p in result.expired]),
        _expiring({e.period.code: e.on.isoformat() for e in result.expiring}),
        _delivered(result),
        _places(workspace),
    )
    return _text([line for part in parts for line in part])


def _read(result: RunResult) -> Lines:
    new = result.ingested
    files = f"{new.files} log {_plural('file', new.files)}"
    if not new.new_files:
        return [("read", f"nothing new in {files}")]
    return [
        ("read", f"{_count(new.lines, 'line')} in {new.new_files} of {files}"),
        ("", f"{new.parsed:,} parsed + {new.rejected.total():,} rejected"),
        *_also(new.rejected, "rejected for: "),
        *_parsed(new.outcomes),
    ]


def _parsed(outcomes: Mapping[str, int]) -> Lines:
    """What the parsed lines were: page views first, robots by their largest classes, then the rest."""
    robots = {k.removeprefix("robots."): n for k, n in outcomes.items() if k.startswith("robots.")}
    rest = {k: n for k, n in outcomes.items() if k not in {"page_views", "late"} and "." not in k}
    lines = [("parsed", _count(outcomes.get("page_views", 0), "page view"))]
    if robots:
        lines.append(("", f"{_count(sum(robots.values()), 'line')} of robots: {_largest(robots)}"))
    excluded = {k.removeprefix("excluded."): n for k, n in outcomes.items() if k.startswith("excluded.")}
    if excluded:
        lines.append(
            ("", f"{_count(sum(excluded.values()), 'line')} left out before all else: {_listed(excluded)}")
        )
    if any(rest.values()):
        lines.append(("", f"{_count(sum(rest.values()), 'other line')}: {_listed(rest)}"))
    return [*lines, *_late(outcomes.get("late", 0))]


def _late(lines: int) -> Lines:
    return (
        [("late", f"{_count(lines, 'line')} came after their day was sealed and count nowhere")]
        if lines
        else []
    )


def _largest(counts: Mapping[str, int]) -> str:
    """The largest classes by name, the others in one sum: a line of the terminal holds no more."""
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    shown, others = ordered[:_CLASSES_SHOWN], ordered[_CLASSES_SHOWN:]
    named = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in shown)
    if not others:
        return named
    return f"{named}, {sum(counts[name] for name in others):,} of {len(others)} more"


def _left_out(workspace: Workspace, result: RunResult) -> Lines:
    """Whom the figures of the days sealed leave out for what they did; one visitor may be in several counts."""
    sealed = {day.isoformat() for day in result.sealed}
    chosen = workspace.config.robots.behaviour
    flagged = Counter[str]()
    for entry in workspace.sealed.entries():
        if entry["day"] in sealed:
            flagged.update({r: n for r, n in entry["flagged"].items() if getattr(chosen, r) == "robot"})
    told = ", ".join(f"{n:,} {_CONDUCT[rule]}" for rule, n in sorted(flagged.items()) if n)
    return [("left out", f"visitors who behave like robots, by the day: {told}")] if told else []


# What a rule of conduct says of visitors, in words.
_CONDUCT: Mapping[str, str] = {
    "asks_for_robots_txt": "asked for robots.txt",
    "rate": "viewed more pages a minute than a person can",
    "without_assets": "viewed pages but no part of any",
    "error_share": "asked mostly in vain",
}
_CLASSES_SHOWN = 4


def _published(result: RunResult) -> Lines:
    refused = result.refused
    lines = (
        [("refused", f"{', '.join(refused)}: no choice of rows is safe; never released")] if refused else []
    )
    lines += _forbidden(_not_for_the_house(result))
    released = [p.period for p in result.published if p.is_released]
    if not released:
        return [*lines, ("published", "no new period")]
    cells = sum((Counter(p.statuses) for p in result.published), Counter[str]())
    shown = cells["safe"] + cells["zero"]
    return [
        *lines,
        ("published", _periods(released)),
        ("", f"{_count(shown, 'row')} with figures, {cells['zero']:,} of them zero"),
        *_withheld(cells["primary"], cells["secondary"]),
    ]


def _not_for_the_house(result: RunResult) -> list[tuple[str, Refusal]]:
    """What the policy refuses of periods decided on: to the house, or to everyone; to partners, at delivery."""
    return [
        (published.period.code, refusal)
        for published in result.published
        for refusal in published.refusals
        if refusal.use in {"internal_aggregate", "email_measurement"} or not published.is_released
    ]


def _forbidden(found: Iterable[tuple[str, Refusal]]) -> Lines:
    """What is refused, a line for each reason: the version, the use, and the sentence it rests on."""
    by_reason: dict[str, list[str]] = {}
    for what, refusal in found:
        by_reason.setdefault(refusal.reason, []).append(what)
    return [("refused", f"{_few(names)}: {reason}") for reason, names in by_reason.items()]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _withheld(primary: int, secondary: int) -> Lines:
    if not primary + secondary:
        return [("withheld", "nothing")]
    few = f"{_count(primary + secondary, 'row')}: {primary:,} on too few persons or networks"
    if not secondary:
        return [("withheld", few)]
    return [("withheld", f"{few},"), ("", f"{secondary:,} more so that these cannot be worked out")]


def _periods(released: Sequence[Period]) -> str:
    kinds = Counter(period.kind for period in released)
    first = min(period.first for period in released)
    last = max(period.last for period in released)
    span = f"{first} to {last}" if first != last else f"{first}"
    return f"{', '.join(f'{n} {_plural(kind, n)}' for kind, n in kinds.items())}, {span}"


def _waiting(incomplete: Sequence[str]) -> Lines:
    if not incomplete:
        return []
    more = f" and {len(incomplete) - 4} more" if len(incomplete) > 4 else ""
    return [
        ("waiting", f"{', '.join(incomplete[:4])}{more}: days without log lines, so not released;"),
        ("", "to release them marked as incomplete, set `gaps: accept` in usage_stats.yaml"),
    ]


def _expired(codes: Sequence[str]) -> Lines:
    if not codes:
        return []
    return [("expired", f"{', '.join(codes)}: older than maximum_age_days, deleted and never released")]


def _expiring(days: Mapping[str, str]) -> Lines:
    """One line: which week or month goes next, and how many more wait."""
    if not days:
        return []
    code = min(days, key=lambda code: (days[code], code))
    more = f" (and {len(days) - 1} more)" if len(days) > 1 else ""
    return [
        ("expiring", f"{code}{more}: what is held of it is deleted, unreleased, on {days[code]}"),
        ("", "unless it is released before: see maximum_age_days in the README"),
    ]


def _delivered(result: RunResult) -> Lines:
    done = result.delivered
    first = (
        "releases",
        f"{done.written:,} {_plural('folder', done.written)} written, {done.unchanged:,} left as they were",
    )
    if not done.written and done.unchanged:
        first = ("releases", f"all {done.unchanged:,} folders are there; no byte was changed")
    return [first, *_forbidden(sorted(done.refused.items(), key=lambda refused: refused[0]))]


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
        "published": [
            {"period": p.period.code, "cells": dict(p.statuses)} for p in result.published if p.statuses
        ],
        "refused_periods": result.refused,
        "forbidden": {
            p.period.code: {r.use: str(r) for r in p.refusals} for p in result.published if p.refusals
        },
        "incomplete": list(incomplete),
        "expired": [p.code for p in result.expired],
        "expiring": {e.period.code: e.on.isoformat() for e in result.expiring},
        "folders_written": result.delivered.written,
        "folders_unchanged": result.delivered.unchanged,
        "refused": {what: str(refusal) for what, refusal in result.delivered.refused.items()},
    }


def describe_status(found: Mapping[str, Any]) -> str:
    """A line per period that is not released, and counts for the rest."""
    states = Counter(row["state"] for row in found["periods"])
    count = found["lines"]
    rejected = sum(count["rejected"].values())
    lines = [
        ("site", found["site"]),
        ("lines", f"{count['lines']:,} = {count['parsed']:,} parsed + {rejected:,} rejected"),
        *_late(count["late"]),
        ("periods", ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "none"),
        *(("", _waits(row)) for row in found["periods"] if row["state"] != "released"),
        *_refused(found["periods"]),
        *describe_changes(found["periods"]),
        *describe_unfinished(found["unfinished"]),
        *_expiring({row["period"]: row["on"] for row in found["expiring"]}),
        ("next", found["next"]),
    ]
    return _text(lines)


def _refused(rows: Sequence[Mapping[str, Any]]) -> Lines:
    """What the policy keeps back, with its reason, by the period."""
    named = [(row["period"], why) for row in rows for why in row["refused_uses"].values()]
    return [("refused", f"{period}: {why}") for period, why in named]


def _waits(row: Mapping[str, Any]) -> str:
    gap = f", {_count(row['days_missing'], 'day')} without lines" if row["days_missing"] else ""
    return f"{row['period']}: {row['state']}{gap}"


def _also(counts: Mapping[str, int], words: str) -> Lines:
    return [("", f"{words}{_listed(counts)}")] if any(counts.values()) else []


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {code.replace('_', ' ')}" for code, n in sorted(counts.items()) if n)


def _text(lines: Lines) -> str:
    return "\n".join(f"{label:<11}{words}" for label, words in lines)


def _count(n: int, word: str) -> str:
    return f"{n:,} {_plural(word, n)}"


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
