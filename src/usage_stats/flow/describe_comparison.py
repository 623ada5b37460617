"""A comparison of lists → the words and the JSON for it: counts of lines, and the one answer.

Belongs here: wording. Does not: any figure that tells how many, or who, are on both lists, but for the answer.
"""

from __future__ import annotations

from typing import Any

from usage_stats.flow.compare_lists import Answer, Compared
from usage_stats.mailing.address_list import AddressList

__all__ = ["comparison_as_json", "describe_comparison"]

_WORDS = {
    "withheld": "withheld: no number of addresses on both lists can be told",
    "none_left_this_year": "no count: this year's comparisons have told all that they may together",
}
_REASONS = {
    "domain": "with no valid domain",
    "encoding": "not in UTF-8",
    "local_part": "with no valid name before the @, or with several addresses",
    "no_at_sign": "without an @",
    "short_row": "without that column",
    "too_long": "too long",
}


def describe_comparison(result: Compared) -> str:
    """Lines for a person."""
    lines = [_list_line("ours", result.ours), *_invalid_lines(result.ours)]
    lines += [_list_line("theirs", result.theirs), *_invalid_lines(result.theirs)]
    lines.append(f"written    {result.do_not_send}")
    lines.append("           whom not to write to: for the sender alone, and so is how many they are")
    if result.answer.partner is not None:
        lines.append(f"for {result.answer.partner}: {_answer(result.answer)}")
    return "\n".join(lines)


def _list_line(whose: str, found: AddressList) -> str:
    return f"{whose:<11}{found.valid:,} addresses in {found.entries:,} lines of {found.path}"


def _invalid_lines(found: AddressList) -> list[str]:
    return [
        f"           left out: {count:,} {_REASONS[reason]}, the first in line {found.first_line[reason]:,}"
        for reason, count in sorted(found.invalid.items())
    ]


def _answer(answer: Answer) -> str:
    words = (
        f"at least {answer.count:,} addresses are on both lists" if answer.count else _WORDS[answer.status]
    )
    return f"{words} (compared on {answer.day}; one answer a month)" if answer.day else words


def comparison_as_json(result: Compared) -> dict[str, Any]:
    """One document for machines; `answer` is all that may be passed on."""
    answer = result.answer
    return {
        "ours": _list_as_json(result.ours),
        "theirs": _list_as_json(result.theirs),
        "do_not_send": str(result.do_not_send),
        "answer": {
            "partner": answer.partner,
            "status": answer.status,
            "at_least": answer.count,
            "compared_on": answer.day.isoformat() if answer.day else None,
        },
    }


def _list_as_json(found: AddressList) -> dict[str, Any]:
    return {
        "file": str(found.path),
        "lines": found.entries,
        "addresses": found.valid,
        "invalid": dict(sorted(found.invalid.items())),
        "first_line": dict(sorted(found.first_line.items())),
    }
