"""The oracle itself: by figures counted by hand, and by the sample's known truth."""

import gzip
import shutil
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from plain_count import bins_of, cells
from plain_lines import requests_of
from plain_paths import fits, place_of, places_below, settings_of
from plain_people import views_of
from plain_referrer import referrer_class
from plain_sums import broken_sums

from usage_stats.synthetic.generate import generate

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
BERLIN = ZoneInfo("Europe/Berlin")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SITE = {
    "components": [
        {
            "name": "docs",
            "paths": ["/docs/**"],
            "sub_components": [
                {
                    "name": "guides",
                    "paths": ["/docs/guides/**"],
                    "sub_components": [{"name": "install", "paths": ["/docs/guides/install"]}],
                }
            ],
        },
        {"name": "news", "paths": ["/news/*"]},
    ],
    "hosts": ["example.org"],
}


def _line(time, path, *, person="a", referrer="-", status=200, agent=AGENT, address="5.9.1.1"):
    return f'{address} - {person} [{time}] "GET {path} HTTP/1.1" {status} 9 "{referrer}" "{agent}" "-"\n'


def _cells(lines, dimensions, **settings):
    views = views_of(requests_of("".join(lines).encode()), settings=SITE, zone=BERLIN, **settings)
    return cells(views, dimensions)


def _figures(found, period, **codes):
    return tuple(found.get((period, frozenset(codes.items())), (0, 0, 0, 0)))


def test_a_visit_goes_on_for_half_an_hour_and_ends_at_midnight():
    """Thirty minutes continue it, a second more does not; nor does anything go on the next day."""
    found = _cells(
        [
            _line("31/Mar/2024:23:00:00 +0200", "/docs"),
            _line("31/Mar/2024:21:30:00 +0000", "/docs/guides/install"),
            _line("31/Mar/2024:23:59:59 +0200", "/news/x"),
            _line("01/Apr/2024:00:00:00 +0200", "/news/x"),
            _line("01/Apr/2024:00:30:01 +0200", "/docs", person="b"),
            _line("01/Apr/2024:01:00:02 +0200", "/docs", person="b"),
        ],
        ["component", "sub_component"],
    )

    assert _figures(found, "2024-03-31") == (1, 1, 3, 1)
    assert _figures(found, "2024-04-01") == (2, 3, 3, 1)
    assert _figures(found, "2024-W14", component="docs") == (1, 2, 2, 1)
    assert _figures(found, "2024-03", component="docs", sub_component="guides") == (1, 1, 1, 1)
    assert _figures(found, "2024-03", component="docs", sub_component="guides/install") == (1, 1, 1, 1)
    assert _figures(found, "2024-03", component="docs", sub_component="(other)") == (1, 1, 1, 1)


def test_hours_are_those_of_the_reporting_clock():
    """The hour that comes twice on the last Sunday of October is one; the lost one of March has nobody."""
    october = [_line("27/Oct/2024:00:10:00 +0000", "/"), _line("27/Oct/2024:01:10:00 +0000", "/", person="b")]
    march = [_line("31/Mar/2024:00:59:59 +0000", "/"), _line("31/Mar/2024:01:00:00 +0000", "/")]
    found = _cells(october + march, ["hour", "weekday"])

    assert _figures(found, "2024-10-27", hour="02", weekday="7") == (2, 2, 2, 1)
    assert [_figures(found, "2024-03-31", hour=h) for h in ("01", "02", "03")] == [
        (1, 1, 1, 1),
        (0, 0, 0, 0),
        (1, 1, 1, 1),
    ]


def test_a_visit_has_the_codes_of_its_first_page_view():
    """Of several in the first second the smallest code counts, entry and referrer each for itself."""
    found = _cells(
        [
            _line("02/Apr/2024:10:00:05 +0200", "/docs", referrer="https://www.google.com/"),
            _line("02/Apr/2024:10:00:00 +0200", "/news/1", referrer="https://t.co/a"),
            _line("02/Apr/2024:10:00:00 +0200", "/elsewhere", referrer="https://example.org/x"),
        ],
        ["component", "referrer", "entry_component", "exit_component"],
    )

    expected = {"referrer": "internal", "entry_component": "(other)", "exit_component": "docs"}

    assert _figures(found, "2024-04-02", component="docs", **expected) == (1, 1, 1, 1)
    assert _figures(found, "2024-04-02", **expected) == (1, 1, 3, 1)
    assert _figures(found, "2024-04-02", referrer="social") == (0, 0, 0, 0)


def test_bins_are_of_the_whole_visit_and_tails_hold_several():
    """Two page views within nine seconds, and a visit of three in a quarter of an hour."""
    found = _cells(
        [
            *(_line(f"02/Apr/2024:10:00:0{n} +0200", "/docs") for n in (0, 9)),
            *(_line(f"02/Apr/2024:10:{n}:00 +0200", "/news/1", person="b") for n in (10, 20, 25)),
        ],
        ["component", "visit_depth", "visit_duration"],
    )

    assert _figures(found, "2024-W14", visit_depth="2", visit_duration="under 10 s") == (1, 1, 2, 1)
    assert _figures(found, "2024-W14", visit_depth="3 to 4", component="news") == (1, 1, 3, 1)
    assert _figures(found, "2024-W14", visit_duration="10 min or more") == (1, 1, 3, 1)
    assert _figures(found, "2024-W14", visit_depth="2 or more") == (2, 2, 5, 1)


def test_returning_is_who_came_before_in_the_week():
    """On Monday everybody is new again; who came before the first day is new."""
    lines = [
        _line(f"{day}/Apr/2024:10:00:00 +0200", "/docs", person=person)
        for day, person in (("05", "a"), ("06", "b"), ("07", "a"), ("07", "b"), ("08", "a"))
    ]
    found = _cells(lines, ["visitor_type"])
    later = _cells(lines, ["visitor_type"], first_day=date(2024, 4, 6))

    assert _figures(found, "2024-04-07", visitor_type="returning") == (2, 2, 2, 1)
    assert _figures(found, "2024-04-08", visitor_type="new") == (1, 1, 1, 1)
    assert _figures(later, "2024-04-07", visitor_type="new") == (1, 1, 1, 1)


def test_frequency_is_of_visits_to_the_cell():
    """One visitor with three visits, two of them to the docs, and one with a single visit."""
    found = _cells(
        [
            *(_line(f"0{day}/Apr/2024:10:00:00 +0200", "/docs") for day in (1, 2)),
            _line("03/Apr/2024:10:00:00 +0200", "/news/1"),
            _line("03/Apr/2024:10:00:00 +0200", "/docs", person="b", address="8.8.4.1"),
        ],
        ["component", "visit_frequency"],
    )

    assert _figures(found, "2024-04", visit_frequency="3 to 4") == (1, 3, 3, 1)
    assert _figures(found, "2024-04", component="docs", visit_frequency="2") == (1, 2, 2, 1)
    assert _figures(found, "2024-04", component="docs", visit_frequency="1 or more") == (2, 3, 3, 2)


@pytest.mark.parametrize(
    ("lines", "views"),
    [
        ([_line("02/Apr/2024:10:00:00 +0200", "/robots.txt", status=404)], 0),
        ([_line("02/Apr/2024:10:00:00 +0200", "/robots.txt", person="b")], 1),
        ([_line(f"02/Apr/2024:11:00:{n:02} +0200", "/docs") for n in range(60)], 61),
        ([_line(f"02/Apr/2024:11:00:{n % 60:02} +0200", "/docs") for n in range(61)], 0),
        ([_line("02/Apr/2024:10:00:00 +0200", "/docs", agent="curl/8.5.0")], 1),
        ([_line("02/Apr/2024:10:00:00 +0200", "/docs.css")], 1),
        ([_line("02/Apr/2024:10:00:00 +0200", "/docs", status=404)], 1),
    ],
)
def test_programs_are_left_out(lines, views):
    """Beside one page view of a person: who asks for robots.txt, or is too fast, is no person all that day."""
    found = _cells([_line("02/Apr/2024:09:00:00 +0200", "/docs"), *lines], [])

    assert views == _figures(found, "2024-04-02")[2]


def test_people_are_told_apart_by_account_cookie_or_address():
    """An IPv6 address's lower half tells nobody apart, a mapped address is the IPv4 one; a name's case neither."""
    addresses = [
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8:0:1::1",
        "::ffff:5.9.1.1",
        "5.9.1.1",
        "A.example",
        "a.example",
    ]
    lines = [_line("02/Apr/2024:10:00:00 +0200", "/docs", person="-", address=a) for a in addresses]
    accounts = [_line("02/Apr/2024:10:00:00 +0200", "/docs", person="x", address=a) for a in addresses[:3]]

    assert _figures(_cells(lines, []), "2024-04-02") == (4, 4, 7, 3)
    assert _figures(_cells(accounts, []), "2024-04-02") == (1, 1, 3, 1)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/docs/**", b"/docs", True),
        ("/docs/**", b"/docs/", True),
        ("/docs/**", b"/docs/a/b", True),
        ("/docs/**", b"/docsy", False),
        ("/a/*/b", b"/a/x/b", True),
        ("/a/*/b", b"/a/x/y/b", False),
        ("/a/*", b"/a/", True),
        ("/up*te", b"/update", True),
        ("/upd*date", b"/update", False),
        ("/*/a/**", b"/x/a/b", True),
        ("/", b"/", True),
        ("/", b"/x", False),
    ],
)
def test_patterns_mean_what_the_settings_say(pattern, path, expected):
    """One star within a segment, two at the end for any rest."""
    assert expected == fits(pattern, path)


def test_places_are_those_that_rules_name():
    """From the component down; the rest of each whole that has parts."""
    assert place_of(SITE["components"], b"/docs/guides/x") == ("docs", "guides", "(other)")
    assert [*places_below(SITE["components"])] == [
        ("docs",),
        ("docs", "guides"),
        ("docs", "guides", "install"),
        ("docs", "guides", "(other)"),
        ("docs", "(other)"),
        ("news",),
        ("(other)",),
    ]


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        (None, "direct"),
        (b" ", "direct"),
        (b"https://www.google.co.uk/search?q=1", "search"),
        (b"https://mail.google.com/", "mail"),
        (b"https://google.com.evil.example/", "other site"),
        (b"https://M.Facebook.com:443/x", "social"),
        (b"android-app://com.google.android.gm/", "mail"),
        (b"https://google.com@evil.example/", "other site"),
        (b"https://example.org/", "internal"),
        (b"https://www.example.org", "internal"),
        (b"https://blog.example.org", "other site"),
        (b"ftp://example.org/", "other site"),
    ],
)
def test_referrers_are_classed_by_the_list(referrer, expected):
    """The six words."""
    assert expected == referrer_class(referrer, ("example.org",))


def test_every_number_has_its_bin_and_those_made_of_several():
    """The bins' lower ends belong to them."""
    assert bins_of("visit_depth", 5) >= {"5 to 9", "5 or more", "1 or more", "3 to 9", "1 to 9"}
    assert bins_of("visit_depth", 1) >= {"1", "1 to 2", "1 or more"}
    assert bins_of("visit_duration", 599) >= {"3 min to 10 min", "3 min or more", "under 10 min"}
    assert "10 min or more" not in bins_of("visit_duration", 599)
    assert "3 to 4" in bins_of("visit_frequency", 4)


def test_a_sum_that_does_not_add_up_is_found():
    """One page view too many in a part, and one visit too few; parts of parts are summed to their whole only."""
    docs, guides = ("component", "docs"), ("sub_component", "guides")
    whole = {
        ("2024-04", frozenset()): (2, 2, 5),
        ("2024-04", frozenset({docs})): (1, 2, 5),
        ("2024-04", frozenset({docs, guides})): (1, 1, 5),
        ("2024-04", frozenset({("referrer", "direct")})): (1, 2, 5),
    }
    wrong = whole | {
        ("2024-04", frozenset({docs})): (1, 2, 6),
        ("2024-04", frozenset({("referrer", "direct")})): (1, 1, 5),
    }

    assert [] == broken_sums(whole)
    assert {(name, measure) for _, _, name, measure in broken_sums(wrong)} == {
        ("component", 2),
        ("sub_component", 2),
        ("referrer", 1),
    }


def test_the_oracle_finds_the_samples_truth(tmp_path):
    """Every category of every day, week and month of the invented site, zeros and networks included."""
    generate(tmp_path, first_day=date(2026, 3, 20), days=14, lines=40_000)
    shutil.copy(SAMPLE / "usage_stats.yaml", tmp_path)
    content = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "logs").iterdir())
    views = views_of(requests_of(content), settings=settings_of(tmp_path), zone=BERLIN)
    truth = {}
    for row in pl.read_parquet(tmp_path / "truth" / "figures.parquet").iter_rows(named=True):
        codes = {name: row[name] for name in ("component", "sub_component") if row[name] != "_T"}
        if row["page_views"]:
            measures = ("visitors", "visits", "page_views", "networks")
            truth[row["period"], frozenset(codes.items())] = tuple(row[name] for name in measures)

    assert len(truth) > 500
    assert truth == cells(views, ["component", "sub_component"])
