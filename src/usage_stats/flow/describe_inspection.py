"""What an inspection found of a log → plain words for a terminal, and the lines of YAML to paste.

Belongs here: what people read after `inspect`. Does not: finding anything out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import yaml

from usage_stats.accesslog.inspect import FIRST_OF_A_REASON, Inspection
from usage_stats.accesslog.recognise import Recognition
from usage_stats.accesslog.suggest import Suggestion

__all__ = ["describe_inspection", "source_as_yaml"]

Line = tuple[str, str]  # a label, and what there is to say; an empty label goes on from the line above
_LONGEST_YAML_LINE = 100


def describe_inspection(found: Inspection, *, rejects: bool = False) -> str:
    """A few lines on one log; with `rejects` the numbers of the first 20 lines rejected for each reason."""
    lines = [*_format(found), *_lines(found), *_people(found), *(_rejects(found) if rejects else ())]
    words = "\n".join(f"{label:<11}{text}" for label, text in lines)
    pasted = f"\n\n{_pasted(found.suggestion)}" if found.suggestion else ""
    return f"{found.file}\n{words}{pasted}"


def source_as_yaml(suggestion: Suggestion) -> str:
    """The entry of `sources:` as it stands in usage_stats.yaml."""
    text: str = yaml.safe_dump(
        {"sources": [suggestion.source]}, sort_keys=False, allow_unicode=True, width=_LONGEST_YAML_LINE
    )
    return text.rstrip("\n")


def _format(found: Inspection) -> Iterator[Line]:
    recognition = found.recognition
    if recognition is None:
        yield "format", f"{found.format}, as given"
        return
    yield "format", f"{found.format} ({_sureness(recognition)})"
    if recognition.is_inferred:
        yield "", "made from the names of the log's own fields: look at the entry below before you paste it"
        if isinstance(recognition.setting, Mapping) and "time_zone" in recognition.setting:
            yield "", "its times have no zone: UTC is only a guess, so correct time_zone in the entry"


def _sureness(found: Recognition) -> str:
    looked_at = f"{found.sureness}: {found.matched:,} of {found.sampled:,} lines looked at fit"
    if found.next_best is None:
        return looked_at
    name, count = found.next_best
    return f"{looked_at}; next best {name}: {count:,}" if count else f"{looked_at}; no other format fits any"


def _lines(found: Inspection) -> Iterator[Line]:
    yield "lines", f"{found.lines:,} = {found.parsed:,} parsed + {found.rejected:,} rejected"
    if found.reasons:
        yield "", f"rejected for: {_listed(found.reasons)}"
    for name, count in found.other_formats.items():
        yield "", f"{count:,} of the rejected fit the format {name}: is this the log of two servers?"
    if found.broken:
        yield "broken", "the data end too early or are damaged; the complete lines before that are counted"
    yield "time", f"{found.first_at} to {found.last_at}" if found.first_at else "none"


def _people(found: Inspection) -> Iterator[Line]:
    classes = f": {_listed(found.robot_classes)}" if found.robots else ""
    yield "robots", f"{found.robots:,} lines{classes}"
    yield "clients", f"{found.clients:,} addresses"
    yield "visitors", f"would be told apart by: {_listed(found.identity_basis) or 'none'} (lines)"


def _rejects(found: Inspection) -> Iterator[Line]:
    places: dict[str, list[int]] = defaultdict(list)
    for number, reason in found.rejects:
        if len(places[reason]) < FIRST_OF_A_REASON:
            places[reason].append(number)
    for reason, numbers in sorted(places.items()):
        more = found.reasons[reason] - len(numbers)
        rest = f" and {more:,} more" if more else ""
        yield "rejects", f"{reason}: {', '.join(map(str, numbers))}{rest} (line numbers)"


def _pasted(suggestion: Suggestion) -> str:
    looked_at = f"of {suggestion.lines:,} lines looked at"
    notes = [
        f"# {name}: found in {count:,} {looked_at}"
        for name, count in (("account", suggestion.account_lines), ("cookie", suggestion.cookie_lines))
        if name in suggestion.source
    ]
    return "\n".join(["# for usage_stats.yaml:", *notes, source_as_yaml(suggestion)])


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {code.replace('_', ' ')}" for code, n in sorted(counts.items()) if n)
