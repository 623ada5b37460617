import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.deidentify.generalise import is_robot, robot_list_version

ROOT = Path(__file__).resolve().parents[3]
LOGS = ROOT / ".." / "shared" / "data" / "logs"
needs_logs = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs are kept beside the project, in ../shared/data"
)

# Programs met in the real log, by how their agent begins or what it holds, and why no person sits behind them.
PROGRAMS = {
    "Ezooms/1.0; help@moz.com": "a crawler, one of the busiest clients of the log; it leaves its owner's address",
    "Chef Client/": "configuration management, asks on a schedule",
    "LiveJournal.com (webmaster@": "a feed collector, says for how many readers",
    "HTTP_Request2/": "a library of PHP",
    "distilator/": "checks ports' download pages",
    "portscout/": "looks for new versions of software",
    "fetch libfetch/": "FreeBSD's download library, a package manager",
    "eZ Publish Link Validator": "follows links to see whether they are alive",
    "Superblock-Denim (http://den.im/; support@": "leaves its author's address",
    "Daumoa/": "the crawler of a search engine, behind a browser's name",
    "Robosourcer/": "its name",
    "UniversalFeedParser/": "a library that reads feeds",
    "Digg Feed Fetcher": "its name",
    "SiteExplorer/": "a crawler",
    "PhantomJS/": "a browser without a window, driven by a script",
    "FlipboardProxy/": "fetches pages for an app's server",
}
# Agents as the browsers of people write them, nothing before, between or behind; by family.
_SYSTEM = r"\((?:compatible; )?[^()]*(?:\([^()]*\)[^()]*)*\)"
_WEBKIT = rf"Mozilla/5\.0 {_SYSTEM} AppleWebKit/[\d.]+ \(KHTML, like Gecko\)"
BROWSERS = {
    "Firefox": rf"Mozilla/5\.0 {_SYSTEM} Gecko/[\d.]+ Firefox/[\d.]+",
    "Chrome": rf"{_WEBKIT} Chrome/[\d.]+ (?:Mobile )?Safari/[\d.]+",
    "Safari": rf"{_WEBKIT} Version/[\d.]+ (?:Mobile/\w+ )?Safari/[\d.]+",
    "Opera": r"Opera/9\.80 \([^()]+\) Presto/[\d.]+ Version/[\d.]+",
    "Explorer": r"Mozilla/[45]\.0 \((?:compatible; MSIE \d+\.\d+; )?Windows NT \d\.\d;[^()]*\)(?: like Gecko)?",
}
CONTACT = re.compile(r"https?:|@")  # an author's address: browsers leave none
# Telephones of a maker whose name ends in "bot".
CUBOT = (
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 5.1; en-US; CUBOT NOTE S Build/LMY47I) AppleWebKit/534.30 Mobile Safari/534.30",
    "Mozilla/5.0 (Linux; Android 7.0; Cubot Nova) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/62.0 Safari/537.36",
)
# Of Wikimedia's list: no browsers, though the list's second column knows them as no spider either.
NO_BROWSERS = {"-", "Go-http-client/2.0", "python-requests/2.25.1"}


def _log_agents():
    """Agents of the real log and how many lines each has."""
    lines = (LOGS / "elastic-examples" / "apache_logs.log").read_text(encoding="latin-1").splitlines()
    return Counter(match[1] for line in lines if (match := re.search(r'"([^"]*)"$', line)))


def _verdict(agent):
    return is_robot(agent.encode("utf-8", "surrogateescape"))


@needs_logs
def test_every_agent_of_the_public_list_is_a_robot():
    """The list's own examples, two thousand of them, are all known."""
    known = json.loads((LOGS / "bot-lists" / "crawler-user-agents.json").read_text(encoding="utf-8"))
    agents = [agent for entry in known for agent in entry["instances"]]

    assert len(agents) > 1000
    assert [] == [agent for agent in agents if not _verdict(agent)]


@needs_logs
@pytest.mark.parametrize("family", BROWSERS)
def test_browsers_of_the_real_log_are_people(family):
    """Agents in the exact shape of a browser are never taken for robots."""
    agents = [
        agent
        for agent in _log_agents()
        if re.fullmatch(BROWSERS[family], agent) and not CONTACT.search(agent)
    ]

    assert len(agents) >= 10
    assert [] == [agent for agent in agents if _verdict(agent)]


@needs_logs
@pytest.mark.parametrize("part", PROGRAMS)
def test_programs_of_the_real_log_are_robots(part):
    """A program counted as a person makes a crowd out of one: figures would leave that rest on too few people."""
    agents = [agent for agent in _log_agents() if part in agent]

    assert agents, "the log does not hold it: correct the table"
    assert [] == [agent for agent in agents if not _verdict(agent)], PROGRAMS[part]


@needs_logs
def test_popular_agents_of_a_large_site_are_judged_as_there():
    """Of the hundred commonest agents there, spiders and all that leave an address are robots, browsers people."""
    path = LOGS / "wikimedia-refinery" / "ua_most_popular_test_data.csv"
    rows = [line.replace("\\,", ",").split(", {", 1) for line in path.read_text("utf-8").splitlines()[1:]]
    spiders = {agent: json.loads("{" + facts)["device_family"] == "Spider" for agent, facts in rows}
    expected = {a: spiders[a] or a in NO_BROWSERS or bool(CONTACT.search(a)) for a in spiders}

    assert len(expected) > 90
    assert expected == {agent: _verdict(agent) for agent in expected}


@pytest.mark.parametrize("agent", CUBOT)
def test_a_telephone_is_no_robot_by_its_makers_name(agent):
    """People with a telephone called Cubot are people."""
    assert not _verdict(agent)


@pytest.mark.parametrize("agent", [b"", b"-", b" ", b"\t", b" - "])
def test_who_gives_no_name_is_a_robot(agent):
    """Browsers always name themselves."""
    assert is_robot(agent)


def test_a_log_without_agents_says_nothing():
    """Where the format has no such field, nobody is a robot for it."""
    assert not is_robot(None)


@pytest.mark.parametrize(
    "agent",
    [
        "Wget/1.21",
        "curl/8.5.0",
        "python-requests/2.31",
        "Java/17.0.1",
        "Go-http-client/1.1",
        "okhttp/4.9",
        "Mozilla/5.0",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36",
        "ExampleBot/1.0",
        "examplebot",
        "My Crawler",
        "libwww-perl/6.05",
        "zgrab/0.x",
    ],
)
def test_libraries_and_tools_are_robots(agent):
    """Names of programs without a person at the screen."""
    assert _verdict(agent)


@pytest.mark.parametrize("word", ["ROBOT", "Robot", "robot", "CRAWLER", "Spider", "NUCLEI"])
def test_our_own_words_ignore_case(word):
    """A robot that shouts is a robot."""
    assert _verdict(f"Mozilla/5.0 (compatible; {word} of somebody)")


@given(agent=st.binary(max_size=80))
def test_no_bytes_raise(agent):
    """Agents are whatever a client sends; every one gets a verdict."""
    assert is_robot(agent) in {True, False}


def test_the_version_names_the_pinned_list():
    """Figures move with the list, so its version is told, and it is the one that the project pins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pin = next(d for d in project["dependencies"] if d.startswith("crawler-user-agents"))

    assert re.fullmatch(rf"{re.escape(pin.replace('==', ' '))}, own rules \d+", robot_list_version())
