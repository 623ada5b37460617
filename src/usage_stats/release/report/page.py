"""A release, a table of it and what the partner received before → the bytes of `report.html`.

Belongs here: what a page says beside its figures, and putting it into the template. Does not: the figures' sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usage_stats.dimensions import DIMENSIONS, SUB_COMPONENT
from usage_stats.release.report import words
from usage_stats.release.report.sections import sections
from usage_stats.release.report.subject import Subject, headlines

if TYPE_CHECKING:
    import jinja2

    from usage_stats.release.gate import Facts, Release
    from usage_stats.release.report.earlier import Earlier
    from usage_stats.release.table_cut import Cut

__all__ = ["REPORT", "report_page"]

REPORT = "report.html"


def report_page(
    release: Release,
    shown: Cut,
    *,
    partner: str,
    earlier: Sequence[Earlier],
    caveats: Sequence[str],
    digests: Mapping[str, str],
) -> bytes:
    """The page of a table of one period.

    Args:
        release: what it is made of.
        shown: the table, cut from it.
        partner: who receives it.
        earlier: what the partner received before of this table, of periods of the same kind.
        caveats: what readers must know of any such table.
        digests: of the data files beside the page, by their names.
    """
    columns = [column.name for column in shown.columns]
    rows = tuple(dict(zip(columns, row, strict=True)) for row in shown.rows)
    subject = Subject(shown, release.period, rows, tuple(earlier))
    cards, notes = headlines(subject)
    page = _template().render(
        title=_title(subject, release.facts),
        partner=partner,
        cards=cards,
        notes=notes,
        sections=sections(subject),
        combined=_combined(subject),
        withheld=_withheld(subject, release.facts),
        missing=words.days_words([date.fromisoformat(d) for d in release.facts.days_without_lines]),
        definitions=_definitions(subject),
        caveats=caveats,
        facts=_facts(release.facts),
        citation=_citation(subject, release.facts, digests),
    )
    return page.encode("utf-8")


@lru_cache(maxsize=1)  # compiled once: a run writes hundreds of pages
def _template() -> jinja2.Template:
    import jinja2  # noqa: PLC0415 when a page is written

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_printable,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.jinja")


def _printable(value: object) -> object:
    """Whatever the template prints, in signs that can be seen; drawings are of our own making, and stay as they are."""
    return words.plain(value) if type(value) is str else value


def _title(subject: Subject, facts: Facts) -> dict[str, str]:
    return {
        "site": facts.site,
        "table": words.table_words(subject.shown.table),
        "period": words.period_words(subject.period),
        "code": subject.period.code,
    }


def _combined(subject: Subject) -> str:
    """Which dimensions the data files combine, where the page does not; empty where it does."""
    names = [words.dimension_words(name) for name in subject.dimensions if name != SUB_COMPONENT]
    is_shown = len(names) == 1 or {"hour", "weekday"} == set(subject.dimensions)
    return "" if is_shown else words.and_list(names)


def _withheld(subject: Subject, facts: Facts) -> dict[str, Any]:
    rows, limits = subject.shown.rows, facts.thresholds
    reasons = [
        f"fewer than {limits.minimum_persons} persons or {limits.minimum_networks} networks stand behind it"
    ]
    if "customer_group" in subject.dimensions:
        reasons.append("one customer makes most of it")
    reasons.append("it would give such a row away by subtraction")
    return {
        "rows": len(rows),
        "withheld": subject.shown.withheld,
        "share": words.share(subject.shown.withheld / len(rows)),
        "reasons": ", or because ".join(reasons),
    }


def _definitions(subject: Subject) -> list[tuple[str, str, str]]:
    """(heading, name in the data files, meaning) of every column of the table."""
    names = {name: words.dimension_words(name) for name in DIMENSIONS} | {
        "period": "Period",
        "status": "Status",
    }
    return [
        (names.get(c.name) or words.measure_words(c.name), c.name, c.meaning) for c in subject.shown.columns
    ]


def _facts(facts: Facts) -> list[tuple[str, str]]:
    """(what, how) of everything that the figures rest on."""
    shares = facts.identity_basis_shares
    limits = facts.thresholds
    return [
        ("Time zone", facts.time_zone),
        ("Minimum behind a figure", f"{limits.minimum_persons} persons, {limits.minimum_networks} networks"),
        ("Doubt around a withheld figure", f"at least {words.share(limits.protection_share)}"),
        ("Privacy policy", f"version {words.and_list(facts.policy_versions)}"),
        ("Visitors told apart by", _bases(shares) if shares else "withheld: too few visitors"),
        ("Robots left out by", facts.robot_lists),
        *(
            (f"{words.dimension_words(name)} by", facts.lists[name])
            for name in facts.lists
            if name in DIMENSIONS
        ),
        ("Made by", facts.software),
    ]


def _bases(shares: Mapping[str, float]) -> str:
    return ", ".join(
        f"{basis} {share * 100:.0f}\N{NARROW NO-BREAK SPACE}%" for basis, share in shares.items()
    )


def _citation(subject: Subject, facts: Facts, digests: Mapping[str, str]) -> dict[str, Any]:
    title = _title(subject, facts)
    text = f"{title['site']}: usage by {subject.shown.table}, {title['period']}. {facts.software}."
    return {"text": text, "digests": list(digests.items())}
