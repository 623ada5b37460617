"""A log that states its expected result in its header, measured by ours: each difference is argued by its lines.

The header, in short: 14 addresses; viewed, 9 human visitors making 10 visits with 25 hits on pages and 15 on other
things; not viewed, 15 hits. Its lines are 56; one of them, a tracker's report of a screen, it counts as no hit.
"""

import itertools
import re
from collections import Counter
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from usage_stats.accesslog.columns import columns_of_hits
from usage_stats.accesslog.formats import named_format
from usage_stats.accesslog.hit import Hit
from usage_stats.accesslog.inspect import inspect_log
from usage_stats.accesslog.read import read_lines
from usage_stats.accesslog.vocabulary import PlainVocabulary
from usage_stats.config import Config
from usage_stats.deidentify.exclusion_lists import NOBODY
from usage_stats.deidentify.generalise import PathClassifier
from usage_stats.deidentify.outcome import Judge
from usage_stats.deidentify.robots import Robots, is_robot
from usage_stats.deidentify.strip import Stripper
from usage_stats.deidentify.visitors import Visitors
from usage_stats.measure.cells import UsageFiles, period_cells
from usage_stats.measure.table_spec import cube_of
from usage_stats.measure.usage import usage_of_day
from usage_stats.periods import day, month
from usage_stats.sqlmodel import Database

LOG = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "logs" / "awstats" / "testglobal.log"

pytestmark = pytest.mark.skipif(
    not LOG.is_file(), reason="the real logs are kept beside the project, in ../shared/data"
)

CONFIG = Config.model_validate(
    {
        "site": "awstats",
        "time_zone": "Europe/Paris",  # the offset of most of its lines, and its author's home
        "components": [
            {"name": "home", "paths": ["/", "/index.*"]},
            {"name": "pages", "paths": ["/page*"]},
            {"name": "cgi", "paths": ["/cgi-bin/**"]},
        ],
    }
)
FIRST, SECOND = date(2001, 1, 1), date(2001, 1, 2)


def _stripped(hits):
    """All days open, a throwaway key for every window."""
    classify = PathClassifier(CONFIG.components, CONFIG.asset_extensions)
    judge = Judge(classify, Robots(), NOBODY, PlainVocabulary)
    visitors = Visitors(lambda *_: b"k" * 32, PlainVocabulary)
    stripper = Stripper(judge, visitors, lambda _: None, zone=ZoneInfo("Europe/Paris"))
    stripper.take(columns_of_hits(hits, seed=1))
    return stripper.drain()


def _expected():
    """What the header says: a name → a number."""
    head = LOG.read_bytes().partition(b"\n\n")[0].decode("latin-1")
    viewed = re.search(r"(\d+) different true human visitors making (\d+) human visits", head)
    hits = re.search(r"(\d+) hits on pages and (\d+) hits not pages", head)
    not_viewed = re.search(r"Not viewed traffic: (\d+) pages.*, (\d+) hits", head)
    addresses = re.search(r"contains (\d+) different IPs", head)
    names = ("visitors", "visits", "pages", "others", "not_viewed_pages", "not_viewed", "addresses")
    numbers = (*viewed.groups(), *hits.groups(), *not_viewed.groups(), *addresses.groups())
    return dict(zip(names, map(int, numbers), strict=True))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Parse, strip, count usage of both days, and the month's cells by component."""
    parser = named_format("combined").parser(account="user")
    parsed = [parser.parse(line) for line in read_lines(LOG)]
    hits = [hit for hit in parsed if isinstance(hit, Hit)]
    cube = cube_of(CONFIG)
    stripped = _stripped(hits)
    folder = tmp_path_factory.mktemp("usage")
    tables = ("component_day", "network_day")
    flagged = {}
    with Database(folder / "spill") as database:
        for events in stripped.days:
            usage = usage_of_day(
                *(events.day, events.page_views, events.visitors, cube, CONFIG.robots), database=database
            )
            flagged[events.day] = usage.flagged
            for table in tables:
                pq.write_table(getattr(usage.by_window["month"], table), folder / f"{events.day}.{table}")
    found = UsageFiles(*(tuple(folder / f"{of}.{table}" for of in (FIRST, SECOND)) for table in tables))
    cells = {
        period.code: {key[1]: c for key, c in period_cells(cube, period, found).items()}
        for period in (month(FIRST), day(FIRST), day(SECOND))
    }
    whole = cells["2001-01"]["_T"]
    return SimpleNamespace(hits=hits, outcomes=stripped.outcomes, cells=cells, whole=whole, flagged=flagged)


@pytest.fixture(scope="module")
def expected():
    """The header's numbers."""
    return _expected()


def _outcomes_of(measured, *addresses):
    return _stripped([hit for hit in measured.hits if hit.address in addresses]).outcomes


def _kept_of(measured, address, table, column):
    """A column of what is kept of an address, over both days."""
    stripped = _stripped([hit for hit in measured.hits if hit.address == address])
    return pa.concat_arrays(
        [chunk for events in stripped.days for chunk in getattr(events, table)[column].chunks]
    )


def test_the_header_is_the_one_that_the_differences_are_argued_against(expected):
    """Should the log be another one day, these tests say so first."""
    assert {
        "visitors": 9,
        "visits": 10,
        "pages": 25,
        "others": 15,
        "not_viewed_pages": 11,
        "not_viewed": 15,
        "addresses": 14,
    } == expected


def test_fourteen_addresses(expected):
    """As stated."""
    found = inspect_log(LOG, log_format=None, robot_class=Robots().robot_class)

    assert expected["addresses"] == found.clients


def test_twenty_five_page_views(measured, expected):
    """As stated: our page views are its viewed pages."""
    assert expected["pages"] == measured.outcomes["page_views"] == measured.whole.page_views


def test_visitors_are_those_of_the_header_and_one_browser_more(measured, expected):
    """80.8.55.1 comes with two user agents. Who has no account and no cookie is told apart by address and user agent,
    so that two people behind one address are two; the header knows addresses only.
    """
    first = {hit.agent for hit in measured.hits if hit.address == b"80.8.55.1"}

    assert 2 == len(first)
    assert expected["visitors"] + len(first) - 1 == measured.whole.visitors


def test_visits_are_those_of_the_header_and_one_pause_more(measured, expected):
    """80.8.55.10 is silent from 16:00:00 to 16:35:00. Ours is a new visit after 30 minutes, theirs after 60."""
    views = sorted(_kept_of(measured, b"80.8.55.10", "page_views", "viewed_at").to_pylist())
    pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(views)]
    pauses = [pause for pause in pauses if pause > 30 * 60]

    assert [35 * 60] == pauses
    assert expected["visits"] + len(pauses) == measured.whole.visits


def test_other_viewed_hits_are_those_of_the_header_a_tracker_and_two_robots_txt(measured, expected):
    """The tracker's report (line 46) is a hit like any other to us. The two requests for robots.txt are of no page;
    awstats counts them as a robot's, and so do we when the day is sealed: its visitor is left out of the figures.
    """
    tracker = [h for h in measured.hits if h.target and h.target.startswith(b"/js/awstats_misc_tracker.js?")]
    robots_txt = [h for h in measured.hits if h.target and h.target.endswith(b"/robots.txt")]

    assert (1, 2) == (len(tracker), len(robots_txt))
    assert not is_robot(robots_txt[0].agent)
    assert expected["others"] + len(tracker) + len(robots_txt) == measured.outcomes["assets"]
    assert 1 == measured.flagged[FIRST]["asks_for_robots_txt"]


def test_hits_not_viewed_are_those_of_the_header_but_for_two_robots_txt(measured, expected):
    """7 by named robots and one by a nameless client (the worm); 404, 405, 404 and 302 are no page views; and a
    request that is no HTTP.
    """
    not_viewed = Counter()
    for name, n in measured.outcomes.items():
        not_viewed[name.partition(".")[0]] += n
    del not_viewed["page_views"], not_viewed["assets"]

    assert {"robots": 8, "unsuccessful": 4, "malformed_requests": 1} == not_viewed
    assert expected["not_viewed"] - 2 == not_viewed.total()


def test_every_line_has_one_outcome(measured):
    """56 lines that are neither comment nor blank: 25 + 18 + 13."""
    lines = [line for line in read_lines(LOG) if line.strip() and not line.startswith(b"#")]

    assert len(lines) == len(measured.hits) == measured.outcomes.total() == 25 + 18 + 13


@pytest.mark.parametrize(
    ("addresses", "outcomes"),
    [
        ((b"80.8.55.2",), {"assets": 1}),  # an image shown by another site: no visit
        ((b"80.8.55.4",), {"assets": 1}),
        (  # GoogleBot, bot, bot, sucker; a monitor; wget, libwww; and who asks for robots.txt
            (b"80.8.55.5",),
            {"robots.other": 4, "robots.monitoring": 1, "robots.http_library": 2, "assets": 2},
        ),
        ((b"80.8.55.6", b"80.8.55.7"), {"page_views": 3, "assets": 5}),  # each one visitor, by account
        ((b"80.8.55.8",), {"unsuccessful": 2}),
        ((b"80.8.55.9",), {"robots.nameless": 1, "malformed_requests": 1}),
        ((b"80.8.55.11", b"80.8.55.12", b"80.8.55.13", b"80.8.55.14"), {"page_views": 4}),
    ],
)
def test_who_is_a_visitor_is_as_the_header_says(measured, addresses, outcomes):
    """Address by address: "not a visit" has no page view with us."""
    assert outcomes == _outcomes_of(measured, *addresses)


def test_an_account_with_a_space_in_its_name_is_one_visitor(measured):
    """80.8.55.7 is `John Begood`: two page views, one account."""
    basis = _kept_of(measured, b"80.8.55.7", "visitors", "identity_basis")
    persons = _kept_of(measured, b"80.8.55.7", "page_views", "person")

    assert ["account"] == basis.to_pylist()
    assert (2, 1) == (len(persons), pc.count_distinct(persons).as_py())


def test_components_are_counted_as_by_hand(measured):
    """Visitors, visits, page views of each: lines 31 39 50 85-88 90; 30 32 33 40-42 51-53 91 94-100; 69 76; 77."""
    cells = {name: (c.visitors, c.visits, c.page_views) for name, c in measured.cells["2001-01"].items()}

    assert {
        "_T": (10, 11, 25),
        "home": (4, 4, 8),  # both browsers of .1, then .3 and .10: in the first of its two visits only
        "pages": (8, 8, 14),  # the same four, .10 in its second visit, and .11 to .14
        "cgi": (2, 2, 2),
        "(other)": (1, 1, 1),
    } == cells


def test_a_late_evening_elsewhere_is_the_next_day_here(measured):
    """Two lines are of 21:00:00 -0300: one o'clock in Paris. Days add up to the month in visits and page views."""
    first, second, whole = (measured.cells[code]["_T"] for code in ("2001-01-01", "2001-01-02", "2001-01"))

    assert (2, 2, 2) == (second.visitors, second.visits, second.page_views)
    assert whole.visits == first.visits + second.visits
    assert whole.page_views == first.page_views + second.page_views


def test_all_come_from_one_network(measured):
    """80.8.55.0/24: whatever the number of visitors, this log is one house's and is never published."""
    assert 1 == measured.whole.networks
