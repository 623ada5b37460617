"""The page of a released folder: it tells the figures of its files and nothing else, to everybody, anywhere."""

import os
import re
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from read_page import THIN, cards, number, read_page, tables
from site_with_tables import config_with, page_views, releases_of

from usage_stats.config import TOTAL, Table
from usage_stats.periods import parse_period
from usage_stats.release.export import release_files
from usage_stats.release.gate import Release
from usage_stats.release.report import vega, words
from usage_stats.release.report.earlier import periods_back, read_earlier
from usage_stats.release.table_cut import cut

TABLES = {
    "components": {
        "measures": ["visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit"]
    },
    "hours": {"dimensions": ["hour", "weekday"]},
    "how_often": {"dimensions": ["visit_frequency"]},
    "crossed": {"dimensions": ["device", "referrer"], "measures": ["visits", "page_views_per_visit"]},
}
CASES = [
    ("components", "2026-03-10"),
    ("components", "2026-04"),
    ("hours", "2026-W16"),
    ("how_often", "2026-W16"),
    ("crossed", "2026-W16"),
]
MISSING = "2026-W13"  # never released
ELSEWHERE = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[2])]}
import test_report
sys.stdout.buffer.write(test_report._page("hours", "2026-W16"))
"""


@cache
def _site():
    config = config_with(TABLES)
    made = releases_of(config, page_views(), without={MISSING}, gaps={"2026-W12": 2})
    return config, {release.period.code: release for release in made}


def _shown(table, code):
    config, releases = _site()
    return cut(releases[code], table, config.tables[table])


def _files(table, code, earlier):
    return release_files(_site()[1][code], _shown(table, code), "acme-media", earlier)


def _earlier(table, code):
    """What was delivered before, as the files have it."""
    periods = [p for p in periods_back(parse_period(code))[:-1] if p.code in _site()[1]]
    return [read_earlier(p, _plain_csv(table, p.code)) for p in periods]


@cache
def _plain_csv(table, code):
    shown = _shown(table, code)
    lines = [
        ",".join(c.name for c in shown.columns),
        *(",".join("" if v is None else str(v) for v in r) for r in shown.rows),
    ]
    return "\r\n".join([*lines, ""]).encode()


@cache
def _page(table, code):
    return _files(table, code, _earlier(table, code))["report.html"]


@pytest.fixture(params=CASES, ids=[" ".join(case) for case in CASES])
def case(request):
    """A table and a period; the page's bytes; the page, read; the rows by column."""
    table, code = request.param
    content = _page(table, code)
    shown = _shown(table, code)
    rows = [dict(zip([c.name for c in shown.columns], row, strict=True)) for row in shown.rows]
    return (table, code), content, read_page(content), rows


# --- alone in the world -------------------------------------------------------------------------------------------


def test_nothing_is_fetched_and_nothing_runs(case):
    """No address of anything outside, no script, no handler, no form: the file is all there is."""
    _, content, page, _ = case
    text = content.decode()
    attributes = [(e.tag, name, value) for e in page.everything for name, value in e.attributes.items()]

    assert [] == re.findall(r"[a-z]+://[^\s\"']*", text)
    assert [] == [u for u in re.findall(r"url\(([^)]*)\)", text) if not u.startswith("#")]
    assert "@import" not in text
    assert [] == page.all(
        "script", "link", "iframe", "object", "embed", "form", "base", "img", "use", "foreignObject"
    )
    assert [] == [
        a for a in attributes if a[1].startswith("on") or a[1] in {"src", "href", "xlink:href", "style"}
    ]


def test_the_page_forbids_itself_to_fetch_or_run(case):
    """Even if something slipped in: the policy comes before everything that could load."""
    _, _, page, _ = case
    head = page.one("head").children
    policies = [e.attributes.get("content") for e in head if e.attributes.get("http-equiv")]

    assert ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"] == policies
    assert ["meta", "meta"] == [e.tag for e in head[:2]]
    assert "content-security-policy" == head[1].attributes["http-equiv"].lower()


def test_the_page_says_its_language_and_fits_a_phone(case):
    """`lang`, a viewport, a title that names table and period."""
    (_, code), _, page, _ = case

    assert "en" == page.one("html").attributes["lang"]
    assert "width=device-width, initial-scale=1" == page.one("meta", name="viewport").attributes["content"]
    assert words.period_words(parse_period(code)) in page.one("head").one("title").text


# --- the figures ----------------------------------------------------------------------------------------------------


def _agrees(text, value, row):
    """Whether a cell says what the file says."""
    if value is None:
        return text == ("withheld" if row["status"] == "suppressed" else "none")
    return abs(number(text) - value) <= (0 if isinstance(value, int) else 0.00501)


FIGURES = {
    words.measure_words(n): n
    for n in ("visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit")
}


def _rows_along(rows, name):
    """The file's rows that break the whole down by one dimension: by what a page calls the code."""
    dimensions = [n for n in rows[0] if n not in {"period", "status", *FIGURES.values()}]
    others = [n for n in dimensions if n != name]
    return {
        words.code_words(name, row[name]): row
        for row in rows
        if row[name] != TOTAL and all(row[n] == TOTAL for n in others)
    }


@pytest.mark.parametrize(
    ("table", "code", "title", "dimension"),
    [
        ("components", "2026-04", "Reach by part of the site", "component"),
        ("hours", "2026-W16", "Hour of the day", "hour"),
        ("hours", "2026-W16", "Day of the week", "weekday"),
        ("how_often", "2026-W16", "How often visitors came", "visit_frequency"),
        ("crossed", "2026-W16", "Kind of device", "device"),
        ("crossed", "2026-W16", "How visits came", "referrer"),
    ],
)
def test_tables_show_the_figures_of_the_files(table, code, title, dimension):
    """Each row of the file is in the table behind its chart, with every figure that it has."""
    shown = _shown(table, code)
    rows = [dict(zip([c.name for c in shown.columns], row, strict=True)) for row in shown.rows]
    expected = _rows_along(rows, dimension)
    (head, *body) = tables(read_page(_page(table, code)))[title]
    top = [line for line in body if line[0] in expected]
    wrong = [
        (line[0], name)
        for line in top
        for name, text in zip(head, line, strict=True)
        if name in FIGURES and not _agrees(text, expected[line[0]][FIGURES[name]], expected[line[0]])
    ]

    assert set(expected) == {line[0] for line in top}
    assert set(FIGURES.values()) & set(rows[0]) == {FIGURES[name] for name in head if name in FIGURES}
    assert [] == wrong


def test_no_figure_is_on_a_page_that_is_not_in_its_files(case):
    """Whatever is a number in a table is a figure of this period or of one delivered before, or a change in percent."""
    (table, code), _, page, rows = case
    told = [rows, *([dict(row) for row in e.rows] for e in _earlier(table, code))]
    known = {
        row[name] for part in told for row in part for name in FIGURES.values() if row.get(name) is not None
    }
    cells = [
        cell.text
        for grid in page.all("table")
        for cell in grid.all("td")
        if cell.attributes["class"] == "figure" and cell.text[0] not in "+\N{MINUS SIGN}un"
    ]
    unknown = [
        text
        for text in cells
        if not any(abs(number(text) - v) <= (0 if isinstance(v, int) else 0.00501) for v in known)
    ]

    assert cells
    assert [] == unknown


def test_the_whole_site_comes_first(case):
    """Its figures as the file has them; its reach, which says nothing, is left out."""
    _, _, page, rows = case
    whole = next(
        r
        for r in rows
        if all(v == TOTAL for n, v in r.items() if n not in {"period", "status", *FIGURES.values()})
    )
    expected = {title: whole[name] for title, name in FIGURES.items() if name in whole and name != "reach"}
    told = cards(page)

    assert set(expected) == set(told)
    assert all(_agrees(told[title][0], value, whole) for title, value in expected.items())


def test_hours_and_weekdays_are_a_table_of_their_own():
    """Every hour of every weekday, as the file has it."""
    shown = _shown("hours", "2026-W16")
    names = [c.name for c in shown.columns]
    rows = [dict(zip(names, row, strict=True)) for row in shown.rows]
    cells = {(r["hour"], r["weekday"]): r for r in rows if TOTAL not in {r["hour"], r["weekday"]}}
    (head, *body) = tables(read_page(_page("hours", "2026-W16")))["Hours and weekdays"]

    assert ["Hour", *words.WEEKDAYS] == head
    assert len(cells) == sum(len(line) - 1 for line in body)
    assert all(
        _agrees(text, cells[line[0][:2], str(day)]["page_views"], cells[line[0][:2], str(day)])
        for line in body
        for day, text in enumerate(line[1:], start=1)
    )


# --- what is withheld -------------------------------------------------------------------------------------------------


def test_what_is_withheld_is_said_and_never_a_number(case):
    """No cell of a withheld row has a digit, and no page says why one row is withheld and another is not."""
    _, content, page, rows = case
    withheld = [row for row in rows if row["status"] == "suppressed"]
    cells = [
        cell
        for cell in page.all("td", "dd")
        if cell.attributes.get("class", "").startswith(("withheld", "number withheld"))
    ]

    assert {"withheld", "not told"} >= {cell.text for cell in cells}
    assert f"{len(withheld)} of {len(rows)} rows" in page.text or not withheld
    assert [] == re.findall(r"primary|secondary|complementary", content.decode())


_BASKET = {("shop", "basket"): "primary", ("shop", "(other)"): "secondary"}


@pytest.fixture(scope="module")
def withholding(release_with):
    """The page of a day on which two parts of four are withheld, and nobody came to one; and the rows."""
    made = release_with(statuses={**_BASKET, ("news", "_T"): "primary", ("(other)", "_T"): "secondary"})
    shown = cut(made, "parts", Table(dimensions=["component"]))
    return read_page(release_files(made, shown, "acme-media")["report.html"])


def test_a_withheld_part_is_hatched_and_a_part_of_nobody_is_empty(withholding):
    """Drawn below each other, nobody takes one for the other."""
    svg = withholding.one("svg")
    told = [text.text for text in svg.all("text")]
    names, figures = told[: len(told) // 2], told[len(told) // 2 :]
    hatched = [p for p in svg.all("path") if p.attributes.get("fill", "").startswith("url(#")]

    assert {"shop": "2 100", "jobs": "0", "news": "withheld", "(other)": "withheld"} == {
        name: text.replace(THIN, " ") for name, text in zip(names, figures, strict=True)
    }
    assert 2 == len(hatched)


def test_withheld_parts_cannot_be_told_apart(withholding, release_with):
    """Withheld for itself or for another's sake: exchange the two, and the bytes are the same."""
    made = release_with(statuses={**_BASKET, ("news", "_T"): "secondary", ("(other)", "_T"): "primary"})
    other = release_files(made, cut(made, "parts", Table(dimensions=["component"])), "acme-media")

    assert withholding.text == read_page(other["report.html"]).text


def test_a_bar_is_as_long_as_its_figure():
    """Measured in the drawing: lengths are to each other as the figures in the file."""
    shown = _shown("components", "2026-04")
    visitors = {
        words.code_words("component", row[1]): row[3]
        for row in shown.rows
        if row[2] == TOTAL and row[1] != TOTAL and row[3]
    }
    (svg,) = [
        s for s in read_page(_page("components", "2026-04")).all("svg") if "by-component" in str(s.attributes)
    ]
    lengths = [
        float(re.fullmatch(r"M0,\S+?h([\d.]+)v8h-[\d.]+Z", p.attributes["d"])[1])
        for p in svg.all("path")
        if p.attributes["fill"] == vega.ACCENT
    ]
    expected = sorted(visitors.values(), reverse=True)

    assert [round(v / expected[0], 2) for v in expected] == [round(n / lengths[0], 2) for n in lengths]


def test_a_week_that_was_never_delivered_is_a_gap_in_the_trend():
    """It is listed as not delivered; an incomplete week is marked; all others have their figures."""
    page = read_page(_page("how_often", "2026-W16"))
    (head, *body) = tables(page)["Trend"]
    state = {line[0].split(",")[0]: line[-1] for line in body}
    svg = page.all("svg")[0]
    lines = [
        p for p in svg.all("path") if p.attributes.get("stroke-width") == "2" and "L" in p.attributes["d"]
    ]

    assert ["Week", "Visitors", "Visits", "Page views", "Status"] == head
    assert {"not delivered"} == {state["Week 13 of 2026"]}
    assert {"incomplete"} == {state["Week 12 of 2026"]}
    assert {"published"} == set(state.values()) - {"not delivered", "incomplete"}
    assert [2] * 3 == [p.attributes["d"].count("M") for p in lines]
    assert "Where the line breaks, no figures were delivered." in page.text


def test_a_withheld_period_is_hatched_in_the_trend(release):
    """No point, no zero: a stripe over the whole height, and the word in the table."""
    shown = cut(release, "components", Table(dimensions=["component"]))
    hidden = ("2026-03-01,_T,,,,suppressed", "2026-02-28,_T,100,110,120,published")
    earlier = [
        read_earlier(
            parse_period(row[:10]),
            f"period,component,visitors,visits,page_views,status\r\n{row}\r\n".encode(),
        )
        for row in hidden
    ]
    page = read_page(release_files(release, shown, "acme-media", earlier)["report.html"])
    svg = page.all("svg")[0]
    stripes = [p for p in svg.all("path") if p.attributes.get("fill") == "url(#trend-withheld)"]

    assert 3 == len(stripes)
    assert ["withheld"] * 4 == tables(page)["Trend"][2][1:]
    assert "Hatched: withheld, not zero." in page.text


def test_a_page_that_does_not_show_all_says_so():
    """Of 200 parts of two rows each, the chart has 15 and the table 250 rows; both are said."""
    day = parse_period("2026-03-10")
    parts = [
        (day.code, f"part {n}", sub, "", 500 - n, 500 - n, 500 - n, "published")
        for n in range(200)
        for sub in (TOTAL, "a")
    ]
    facts = _site()[1]["2026-03-10"].facts
    made = Release(day, ((day.code, TOTAL, TOTAL, "", 900, 900, 900, "published"), *parts), facts)
    page = read_page(release_files(made, cut(made, "many", Table()), "acme-media")["report.html"])

    assert 250 == len(tables(page)["Part of the site"]) - 1
    assert "The chart has the first 15 of 200; the table has more." in page.text
    assert "The table has the first 250 of 400 rows; the data files have all." in page.text


# --- change ---------------------------------------------------------------------------------------------------------


def _changed(release, *rows):
    """The page of Monday, 2 March, for someone who has these rows of earlier days."""
    head = "period,component,visitors,visits,page_views,status"
    by_day = {}
    for row in rows:
        by_day.setdefault(row[:10], [head]).append(row)
    earlier = [
        read_earlier(parse_period(code), "\r\n".join([*lines, ""]).encode()) for code, lines in by_day.items()
    ]
    shown = cut(release, "components", Table(dimensions=["component"]))
    return read_page(release_files(release, shown, "acme-media", earlier)["report.html"])


def test_change_is_told_of_figures_that_are_both_there(release):
    """4,000 visitors after 3,200 on Sunday and 5,000 on a week before."""
    page = _changed(
        release, "2026-03-01,_T,3200,4700,9001,published", "2026-02-23,_T,5000,4000,4500,published"
    )
    told = {name: [text.replace(THIN, "") for text in said] for name, said in cards(page).items()}

    assert ["4000", "+25.0% on the day before", "\N{MINUS SIGN}20.0% on a week before"] == told["Visitors"]
    assert ["4700", "unchanged on the day before", "+17.5% on a week before"] == told["Visits"]
    assert ["9000", "nearly unchanged on the day before", "+100.0% on a week before"] == told["Page views"]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("2026-03-01,_T,,,,suppressed", "The figures of the day before are withheld, so no change is told."),
        (
            "2026-03-01,_T,3200,3300,3400,incomplete",
            "Days of the log are missing here or in the day before: the two are not compared.",
        ),
        ("2026-02-28,_T,3200,3300,3400,published", "There are no figures of the day before to compare with."),
    ],
    ids=["withheld", "incomplete", "missing"],
)
def test_where_nothing_can_be_compared_the_page_says_why(row, sentence, release):
    """A sentence instead of a figure; nothing is compared with a day further back."""
    page = _changed(release, row)

    assert sentence in page.text
    assert {1} == {len(said) for said in cards(page).values()}


def test_two_incomplete_periods_are_not_compared(release_with, facts):
    """Both are too low, by different days: their difference says nothing."""
    made = release_with(facts=facts(days_without_lines=("2026-03-02",)))
    page = _changed(
        made, "2026-03-01,_T,3200,3300,3400,incomplete", "2026-03-01,news,1000,1100,1200,incomplete"
    )
    told = {line[0]: line[-1] for line in tables(page)["Part of the site"][1:]}

    assert {1} == {len(said) for said in cards(page).values()}
    assert "not compared" == told["news"]


def test_the_change_of_a_part_is_told_only_of_two_published_figures(release):
    """1,200 visitors after 1,000; withheld then; nobody then; not in the file then."""
    page = _changed(
        release,
        "2026-03-01,_T,3200,3300,3400,published",
        "2026-03-01,news,1000,1100,1200,published",
        "2026-03-01,shop,,,,suppressed",
        "2026-03-01,jobs,0,0,0,published",
    )
    told = {line[0]: line[-1].replace(THIN, "") for line in tables(page)["Part of the site"][1:]}

    assert {"news": "+20.0%", "shop": "not told", "jobs": "unchanged", "(other)": "not compared"} == told


def test_days_without_lines_are_named_before_any_figure():
    """Of a week whose log lacks two days, the page begins with that; no complete week is compared with it."""
    page, after = (read_page(_page("how_often", f"2026-W{n}")) for n in (12, 14))

    assert "The log has no lines of 16 to 17 March 2026" in page.one("header").text
    assert "notice" not in str([e.attributes for e in after.one("header").everything])


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (["2026-03-16"], "16 March 2026"),
        (["2026-03-31", "2026-04-01"], "31 March to 1 April 2026"),
        (["2026-03-02", "2026-03-04", "2026-03-05"], "2 March 2026 and 4 to 5 March 2026"),
        (["2025-12-31", "2026-01-01"], "31 December 2025 to 1 January 2026"),
    ],
)
def test_days_that_follow_each_other_are_one_span(days, said):
    """A list of dates is short."""
    assert said == words.days_words([date.fromisoformat(day) for day in days])


# --- for everybody --------------------------------------------------------------------------------------------------


def test_headings_are_in_order(case):
    """One heading of the first level, then sections; no level is passed over."""
    _, _, page, _ = case
    levels = [int(e.tag[1]) for e in page.all("h1", "h2", "h3", "h4", "h5", "h6")]

    assert 1 == levels[0]
    assert {2} == set(levels[1:])


def test_every_drawing_has_a_title_and_a_table(case):
    """Who cannot see it hears what it is, and finds its figures in the table of the same section."""
    _, _, page, _ = case
    ids = [e.attributes["id"] for e in page.everything if "id" in e.attributes]

    assert page.all("svg")
    assert sorted(set(ids)) == sorted(ids)
    for svg in page.all("svg"):
        assert "img" == svg.attributes["role"]
        assert svg.one("title").text
        assert set(svg.attributes["aria-labelledby"].split()) == {
            svg.one("title").attributes["id"],
            svg.one("desc").attributes["id"],
        }
        assert svg.parent.parent.all("table")


def test_every_table_explains_itself(case):
    """A caption, headings of columns and of rows, and a box of its own to scroll in."""
    _, _, page, _ = case
    for table in page.all("table"):
        assert table.one("caption").text
        assert {"col"} == {th.attributes["scope"] for th in table.one("thead").all("th")}
        assert all("row" == tr.children[0].attributes["scope"] for tr in table.one("tbody").all("tr"))
        assert {
            "class": "scroll",
            "role": "region",
            "tabindex": "0",
        }.items() <= table.parent.attributes.items()
        assert len({len(tr.children) for tr in table.all("tr")}) == 1


def test_the_same_bytes_everywhere():
    """In another process, time zone, language and order of sets: a partner can be sent it again."""
    environment = {
        **os.environ,
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "ar_EG.UTF-8",
        "PYTHONHASHSEED": "7",
    }
    run = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, check=True, env=environment)

    assert _page("hours", "2026-W16") == run.stdout


def test_no_drawing_depends_on_the_fonts_of_a_machine(monkeypatch):
    """With letters twice as wide, everything is where it was: names are placed, never measured."""
    with monkeypatch.context() as patch:
        patch.setattr(vega, "LOOK", {**vega.LOOK, "font": "monospace"})
        monospaced = [_files(table, code, _earlier(table, code))["report.html"] for table, code in CASES]

    assert [_page(table, code) for table, code in CASES] == monospaced


def test_checking_a_folder_draws_nothing():
    """What a partner runs needs neither the charts' engine nor templates."""
    code = "import sys, usage_stats.release.verify, usage_stats.flow.verify_folders; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"vl_convert", "jinja2"}.isdisjoint(name.split(".")[0] for name in run.stdout.split())


_EVERY = [
    {"dimensions": [name], "measures": measures}
    for name, measures in zip(
        [
            "component",
            "referrer",
            "device",
            "entry_component",
            "visit_depth",
            "visit_duration",
            "visit_frequency",
            "hour",
        ],
        [["reach"], ["frequency"], ["page_views"], ["visits", "reach"], *[["visitors"]] * 4],
        strict=True,
    )
] + [{"dimensions": ["component", "sub_component", "hour", "weekday"], "periods": ["week"]}]


@pytest.fixture(scope="module")
def small_site():
    """Two weeks of a site with a table of each kind."""
    tables = {f"t{n}": {"periods": ["week"], **table} for n, table in enumerate(_EVERY)}
    config = config_with(tables)
    days = {f"2026-04-{n:02}" for n in range(6, 20)}
    views = [view for view in page_views() if view["day"].isoformat() in days]
    return config, {r.period.code: r for r in releases_of(config, views)}


@pytest.mark.parametrize("number", range(len(_EVERY)))
def test_every_kind_of_table_has_a_page(number, small_site):
    """Whatever it shows: some figure of the whole site, a section for each dimension, a trend, in order."""
    config, releases = small_site
    name = f"t{number}"
    shown = [cut(releases[code], name, config.tables[name]) for code in ("2026-W15", "2026-W16")]
    before = release_files(releases["2026-W15"], shown[0], "acme-media")
    earlier = [read_earlier(parse_period("2026-W15"), before[f"{name}.csv"])]
    page = read_page(release_files(releases["2026-W16"], shown[1], "acme-media", earlier)["report.html"])
    wanted = {words.dimension_words(d) for d in _EVERY[number]["dimensions"] if d != "sub_component"}

    assert cards(page)
    assert {"Trend"} <= set(tables(page))
    assert wanted - {"Part of the site"} <= set(tables(page))
    assert len(page.all("svg")) == len(tables(page)) >= 1 + len(wanted)


def test_a_period_of_which_all_is_withheld_has_a_page(release_with):
    """It says so, of the whole site and of each part; there is no figure on it."""
    everything = dict.fromkeys(
        [*_BASKET, ("_T", "_T"), ("news", "_T"), ("shop", "_T"), ("(other)", "_T")], "primary"
    )
    made = release_with(statuses=everything)
    content = release_files(made, cut(made, "components", Table()), "acme-media")["report.html"]
    page = read_page(content)

    assert {("withheld",)} == {tuple(said) for said in cards(page).values()}
    assert {"0", "withheld"} == {text for line in tables(page)["Part of the site"][1:] for text in line[1:]}
