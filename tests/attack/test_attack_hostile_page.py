"""Names that would take over a page, if they could: they are text, whatever let them in.

Settings refuse such names. The page does not rely on that: what it is given here passed no settings.
"""

import dataclasses
import re
from datetime import date

import pytest
from pydantic import ValidationError
from read_page import read_page, tables

from usage_stats.config import TOTAL, Config, Table, Thresholds
from usage_stats.periods import month
from usage_stats.release.gate import Facts, Release
from usage_stats.release.report.earlier import read_earlier
from usage_stats.release.report.page import report_page
from usage_stats.release.report.words import plain
from usage_stats.release.table_cut import cut

PERIOD, BEFORE = month(date(2026, 3, 1)), month(date(2026, 2, 1))
HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style></svg><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '=HYPERLINK("http://evil.example","click")',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% include 'page.css' %}",
    "&lt;b&gt; &amp;amp; &#60;",
    "]]>--><!--",
    "url(http://evil.example/x)",
    "datum.v'];alert(1);//",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET} 12",
    "a\N{ZERO WIDTH SPACE}b\N{SOFT HYPHEN}c",
    "new\nline\r\n\ttab\x00\x1b[31m",
    "\N{LINE SEPARATOR}\N{WORD JOINER}",
    "x" * 5000,
    "W" * 300 + " " + "i" * 300,
    "\N{PILE OF POO}\N{COMBINING ACUTE ACCENT}" * 50,
]
HARMLESS = [f"part {n}" for n in range(len(HOSTILE))]


def _page(names, text="plain"):
    """The page of a site with these components, each with one part, and this text in every fact."""
    rows = [(PERIOD.code, TOTAL, TOTAL, "", 900, 1000, 2000, "published")]
    for n, name in enumerate(names):
        figures = (
            (None, None, None, "suppressed") if n % 5 == 4 else (800 - n, 900 - n, 1000 - n, "published")
        )
        rows += [(PERIOD.code, name, TOTAL, "", *figures), (PERIOD.code, name, "part", "", *figures)]
    facts = Facts(
        site=text,
        time_zone=text,
        thresholds=Thresholds(),
        policy_versions=(text, text),
        identity_basis_shares=None,
        robot_lists=text,
        software=text,
        lists={"component": text},
    )
    release = Release(PERIOD, tuple(rows), facts)
    shown = dataclasses.replace(cut(release, "parts", Table()), table=text)
    before = "period,component,sub_component,visitors,visits,page_views,status\r\n2026-02,_T,_T,1,2,3,published\r\n"
    earlier = [read_earlier(BEFORE, before.encode())]
    return report_page(release, shown, partner=text, earlier=earlier, caveats=[text], digests={text: text})


def _shape(content):
    """The page's elements with the names of their attributes: all but what is text."""
    return [
        (e.tag, sorted(e.attributes)) for e in read_page(content).everything if e.tag not in {"g", "path"}
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_changes_what_the_page_is_made_of(text):
    """Element by element, attribute by attribute, it is the page of harmless names."""
    assert _shape(_page(HARMLESS)) == _shape(_page(HOSTILE, text))


def test_every_name_can_be_read():
    """Whole in the table; in the chart cut to its width, with an ellipsis."""
    page = read_page(_page(HOSTILE))
    told = {line[0] for line in tables(page)["Part of the site"]}
    drawn = {text.text for svg in page.all("svg") for text in svg.all("text")}
    expected = [plain(name) for name in HOSTILE]

    assert set(expected) <= told
    shown = [name for n, name in enumerate(expected) if n % 5 != 4][
        :15
    ]  # what is withheld comes last, in the table only
    cut_short = {text.removesuffix("…") for text in drawn if text.endswith("…")}
    assert [] == [n for n in shown if n not in drawn and not any(n.startswith(short) for short in cut_short)]
    assert max(len(text) for text in drawn) <= 36


def test_nothing_steers_the_direction_of_text_or_hides_in_it():
    """Signs that cannot be seen stand there by their number; names are set apart, so that none moves its neighbours."""
    content = _page(HOSTILE, HOSTILE[11])
    page = read_page(content)
    unseen = re.findall(
        "[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\x00-\x09\x0b-\x1f\x7f-\x9f]", content.decode()
    )

    assert [] == unseen
    assert "[U+202E]gnp.exe" in page.text
    assert all(
        [child.tag for child in th.children][-1:] == ["bdi"]
        for th in page.all("th")
        if th.attributes["scope"] == "row"
    )


@pytest.mark.parametrize("name", ["=1+1", "<b>", "\N{RIGHT-TO-LEFT OVERRIDE}", "x" * 65, ""])
def test_settings_refuse_such_names_in_the_first_place(name):
    """The first of two walls."""
    with pytest.raises(ValidationError):
        Config(site="s", components=[{"name": name, "paths": ["/x"]}])
