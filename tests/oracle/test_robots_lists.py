"""Robots and page views against lists and test cases of others; each deviation with its argument.

Which list decides: crawler-user-agents (pinned), then our own rules. COUNTER's list and Wikimedia's cases
only judge here. Their cases on referrers have no counterpart: referrers are not classed.
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from crawleruseragents import is_crawler

from usage_stats.config import DEFAULT_ASSETS
from usage_stats.deidentify.generalise import PathClassifier, classify_target
from usage_stats.deidentify.robots import ROBOT_CLASSES, Robots

LOGS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "logs"
LISTS, WIKIMEDIA = LOGS / "bot-lists", LOGS / "wikimedia-refinery"
pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs and lists are kept beside the project, in ../shared/data"
)

ROBOTS = Robots()
# COUNTER's patterns that match agents of readers, and why we do not follow.
TOO_WIDE = {
    "google": "matches browsers that came through Google's services, and Android's weblight mode",
    "cfnetwork": "a library of Apple's systems: apps on people's telephones and Safari itself ask with it",
    "yahoo": "matches Yahoo Japan's app, a browser of people",
    "rss": "matches inside a word: a chat program's list of links",
    r"ng\/2\.": "matches the end of Lightning/2., the calendar of a mail program that shows pages",
    "pioneer": "a maker of telephones",
    "DTS Agent": "a mark that an add-on left in Internet Explorer",
    "^User-Agent": "a browser behind a proxy that repeats the header's name",
    r"^Mozilla\/5.0(\s|\+)Gecko\/20100115(\s|\+)Firefox\/3.6$": "a browser that keeps its system to itself",
}
# Wikimedia's conventions for its own interfaces, which mean nothing elsewhere.
NO_SPIDER_HERE = {
    "User:BotDeveloper": "a page of a wiki as contact",
    "User_talk:BotDeveloper": "the same",
    "tools.wmflabs.org/MyCoolTool": "a host of Wikimedia as contact",
}


# Where to complain, which browsers never say; then programs of the real log, and what they are.
ADDRESS = re.compile(r"https?://|\w@\w")
ONLY_HERE = {
    "Robosourcer/1.0": "its name",
    "fetch libfetch/2.0": "FreeBSD's download library",
    "Digg Feed Fetcher 1.0": "its name, before the browser it borrows",
    "portscout/0.8.1": "looks for new versions of software",
}


def _robot(agent):
    return ROBOTS.is_robot(agent.encode("utf-8", "surrogateescape"))


def _counter():
    """COUNTER's patterns; the list says they are searched in any case."""
    entries = json.loads((LISTS / "COUNTER_Robots_list.json").read_text(encoding="utf-8"))
    return {entry["pattern"]: re.compile(entry["pattern"], re.IGNORECASE) for entry in entries}


def _popular():
    """The commonest agents of Wikimedia's sites."""
    rows = (WIKIMEDIA / "ua_most_popular_test_data.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [row.replace("\\,", ",").split(", {", 1)[0] for row in rows]


def _met():
    """Agents of the real log, each as often as it has lines."""
    lines = (LOGS / "elastic-examples" / "apache_logs.log").read_text(encoding="latin-1").splitlines()
    return Counter(match[1] for line in lines if (match := re.search(r'"([^"]*)"$', line)))


def _public():
    entries = json.loads((LISTS / "crawler-user-agents.json").read_text(encoding="utf-8"))
    names = {"academic": "scholarly", "ai-crawler": "ai"}
    return [
        ({names.get(tag, tag.replace("-", "_")) for tag in entry["tags"]}, agent)
        for entry in entries
        for agent in entry["instances"]
    ]


def test_agents_of_the_public_list_have_the_class_of_their_entry():
    """But for three that also match an entry whose class goes before."""
    found = [(ROBOTS.robot_class(agent.encode()), classes) for classes, agent in _public()]
    deviating = [(name, classes) for name, classes in found if name not in classes]

    assert len(found) > 2000
    assert 3 == len(deviating)
    assert [] == [
        name
        for name, classes in deviating
        if ROBOT_CLASSES.index(name) > min(map(ROBOT_CLASSES.index, classes))
    ]


def test_persons_here_and_robots_to_counter_each_have_an_argument():
    """Of all agents met, only those that COUNTER's too wide patterns match are judged otherwise."""
    agents = {*_met(), *_popular()}
    persons = [agent for agent in agents if not _robot(agent)]
    disputed = {p for p, rule in _counter().items() for agent in persons if rule.search(agent)}

    assert len(persons) > 500
    assert set(TOO_WIDE) == disputed


def test_robots_here_and_persons_to_counter_are_listed_or_betray_themselves():
    """COUNTER knows fewer programs: each one more is on the public list, leaves an address or says what it is."""
    rules = _counter().values()
    agents = [a for a in {*_met(), *_popular()} if _robot(a) and not any(rule.search(a) for rule in rules)]

    ours = {a.split(" (")[0] for a in agents if not is_crawler(a) and not ADDRESS.search(a)}

    assert len(agents) > 20
    assert set(ONLY_HERE) == ours


def test_names_that_only_counter_knows_were_met_with_no_reader():
    """What COUNTER would add to our lists, given as a bare name, none of the agents met bears."""
    agents = {*_met(), *_popular()}
    persons = [agent for agent in agents if not _robot(agent)]
    unknown = {p: rule for p, rule in _counter().items() if not _robot(_name_of(p))}
    bears = {p for p, rule in unknown.items() if any(rule.search(agent) for agent in persons)}

    assert bears <= set(TOO_WIDE)
    assert len(unknown) < 0.7 * len(_counter())  # bare names of mostly retired robots, no whole agents


def _name_of(pattern):
    """A pattern of COUNTER's as the text it was made from."""
    text = re.sub(r"\(\\s\|\\\+\)|\[\\\+\\s\]|\\s", " ", pattern)
    return re.sub(r"\\(.)", r"\1", re.sub(r"\\d|\[0-9\]", "1", text)).strip("^$")


def _spider_cases():
    rows = (WIKIMEDIA / "isSpider_test_data.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [(agent.strip(), said.strip() == "true") for _, said, agent in (row.split(",", 2) for row in rows)]


def test_spiders_of_wikimedia_are_robots_but_for_its_own_conventions():
    """Each case of theirs is judged as there, or listed with its argument."""
    cases = _spider_cases()
    deviating = {agent for agent, spider in cases if spider != _robot(agent)}

    assert len(cases) > 60
    assert set(NO_SPIDER_HERE) == deviating


def test_browsers_of_wikimedia_are_no_robots():
    """No reader of theirs is taken for a program."""
    browsers = [agent for agent, spider in _spider_cases() if not spider]

    assert len(browsers) >= 3
    assert [] == [agent for agent in browsers if _robot(agent)]


# Why Wikimedia counts no page view where we do; each with how its cases are told.
NOT_THEIR_PAGE = {
    "another site: whose lines lie in the log is the operator's choice": lambda case: re.search(
        r"bad|wrong|blah|^donate|^arbcom|^test\.|^doc\.|wikimania2015", case["uri_host"]
    ),
    "an interface for programs: which paths are pages is the operator's rule": lambda case: re.match(
        "/w/api.php|/api/", case["uri_path"]
    ),
    "an edit, told by the query, which is dropped unread": lambda case: "action=" in case["uri_query"],
    "a special page of their software, a path like any other": lambda case: "/Special:" in case["uri_path"],
    "told by a header of theirs, which logs elsewhere do not have": lambda case: (
        "debug=1" in case["x_analytics_header"] or case["user_agent"].startswith("WikipediaApp/")
    ),
    "told by the type of the content, which access logs do not have": lambda case: (
        not case["content_type"].startswith("text/html")
    ),
}


def _page_view_cases():
    path = WIKIMEDIA / "pageview_test_data.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, quoting=csv.QUOTE_NONE)
        return [{key: value.strip() for key, value in row.items()} for row in rows]


def _is_page_view(case):
    """Our own rule, on what a log line holds of a case: all are GET requests."""
    path = classify_target(case["uri_path"].encode())
    page = path is not None and not PathClassifier((), DEFAULT_ASSETS)(path).is_asset
    answered = 200 <= int(case["http_status"]) < 300 or case["http_status"] == "304"
    return page and answered and not _robot(case["user_agent"])


def test_every_page_view_of_wikimedia_is_one_here():
    """No reader's page is lost."""
    views = [case for case in _page_view_cases() if case["is_pageview"] == "true"]

    assert len(views) > 50
    assert [] == [case["test_description"] for case in views if not _is_page_view(case)]


def test_page_views_here_that_wikimedia_does_not_count_each_have_an_argument():
    """All 30 deviations rest on what a log line does not hold or a configuration decides."""
    deviating = [c for c in _page_view_cases() if c["is_pageview"] == "false" and _is_page_view(c)]
    unexplained = [
        c["test_description"] for c in deviating if not any(holds(c) for holds in NOT_THEIR_PAGE.values())
    ]

    assert 30 == len(deviating)
    assert [] == unexplained
    assert [] == [why for why, holds in NOT_THEIR_PAGE.items() if not any(holds(c) for c in deviating)]


BROWSER = re.compile(
    r"Mozilla/[45]\.0 \(compatible; MSIE \d[^()]*\)"
    r"|(?:Mozilla/[45]\.0 \((?:[^()]|\([^()]*\))*\)|Opera/9\.80 \([^()]+\))"
    r"(?: (?:AppleWebKit|Chrome|Safari|Version|Mobile|Gecko|Firefox|Presto|Edg|OPR)/[\w.]+| \(KHTML, like Gecko\)"
    r"| like Gecko| Mobile)+"
)
CONTACT = re.compile(r"https?:|@")


def test_agents_written_as_browsers_write_them_are_persons():
    """Of browsers' agents in the real log and of the most popular ones, none that leaves no address is a robot."""
    agents = [a for a in {*_met(), *_popular()} if BROWSER.fullmatch(a) and not CONTACT.search(a)]

    assert len(agents) > 350
    assert [] == [agent for agent in agents if _robot(agent)]
