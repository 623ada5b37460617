import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import crawleruseragents
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from usage_stats.deidentify.robots import (
    HEALTH_CHECK,
    ROBOT_CLASSES,
    Robots,
    _alternatives,
    _Patterns,
    _runs,
    is_robot,
    robot_list_version,
)
from usage_stats.robot_settings import RobotSettings

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

    assert re.fullmatch(
        rf"{re.escape(pin.replace('==', ' '))}, own rules \d+, choices [0-9a-f]{{12}}", robot_list_version()
    )


def test_the_version_tells_the_choices_too():
    """Two workspaces with other choices count otherwise, and say so; the same choices say the same."""
    chosen = RobotSettings(scholarly="person")

    assert robot_list_version(RobotSettings()) == robot_list_version()
    assert robot_list_version(RobotSettings(scholarly="person")) == robot_list_version(chosen)
    assert robot_list_version(chosen) != robot_list_version()


# One agent of each class and where the class comes from; the first of several classes is the robot's purpose.
CLASSES = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "search_engine",
    "Mozilla/5.0 AppleWebKit/537.36; compatible; GPTBot/1.2; +https://openai.com/gptbot": "ai",
    "Mozilla/5.0 (compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)": "ai",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": "social_preview",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)": "monitoring",
    "python-requests/2.31.0": "http_library",
    "Java/17.0.1": "http_library",
    "R (4.3.1 x86_64-pc-linux-gnu x86_64 linux-gnu)": "http_library",
    "libcurl/7.68.0 r-curl/4.3 httr/1.4.2": "http_library",
    "rclone/v1.65.0": "http_library",
    "Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041": "http_library",
    "UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/": "feed_reader",
    "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Zotero/6.0.26": "scholarly",
    "EndNote/20.4": "scholarly",
    "Mendeley Desktop/1.19.8": "scholarly",
    "Citoid/WMF (mailto:noc@wikimedia.org)": "scholarly",
    "Mozilla/5.0 (compatible; Nuclei - Open-source project (github.com/projectdiscovery/nuclei))": "scanner",
    "sqlmap/1.7.2#stable (https://sqlmap.org)": "scanner",
    "${jndi:ldap://x.example/a}": "scanner",
    "ia_archiver (+http://www.alexa.com/site/help/webmasters; crawler@alexa.com)": "archiver",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)": "seo",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36": (
        "browser_automation"
    ),
    "ELB-HealthChecker/2.0": HEALTH_CHECK,
    "kube-probe/1.29": HEALTH_CHECK,
    "Mozilla/5.0": "other",
    "something of me@example.com": "other",
    "": "nameless",
    "-": "nameless",
    " \t": "nameless",
}


@pytest.mark.parametrize(("agent", "name"), CLASSES.items())
def test_a_robot_is_counted_under_its_class(agent, name):
    """By the tag of the public list, else by our own rule; a robot's purpose goes before its tools."""
    assert name == Robots().robot_class(agent.encode())


def test_every_tag_of_the_public_list_has_a_class():
    """A new tag would fall to `other` unseen: raise the pin only together with the classes."""
    tags = {tag for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA for tag in entry["tags"]}

    assert {t.replace("-", "_") for t in tags} - set(ROBOT_CLASSES) == {"academic", "ai_crawler"}


def test_every_class_can_be_chosen():
    """Each class is a key of the settings, and all are robots unless the workspace says otherwise."""
    assert {"robot"} == {getattr(RobotSettings(), name) for name in ROBOT_CLASSES}


MAY_BE_PERSONS = ("scholarly", "archiver", "monitoring", "feed_reader")


@pytest.mark.parametrize("name", [name for name in ROBOT_CLASSES if name not in MAY_BE_PERSONS])
def test_no_setting_makes_persons_of_programs_that_nobody_sits_behind(name):
    """Scanners and crawlers must not help a figure over the minimum of persons."""
    with pytest.raises(ValidationError):
        RobotSettings(**{name: "person"})


@pytest.mark.parametrize("name", MAY_BE_PERSONS)
def test_a_class_counted_as_persons_is_no_robot(name):
    """What the workspace decides for one class leaves all other classes as they are."""
    robots = Robots(RobotSettings(**{name: "person"}))
    found = {agent: robots.robot_class(agent.encode()) for agent in CLASSES}

    assert {agent: None if of == name else of for agent, of in CLASSES.items()} == found


@pytest.mark.parametrize("path", [b"/healthz", b"/livez", b"/readyz", b"/_health"])
def test_health_checks_are_known_by_their_path(path):
    """Whoever asks for such a path asks whether the server is alive."""
    assert Robots().is_health_check(path)


@pytest.mark.parametrize(
    "path", [b"/", b"/health", b"/health/sleep", b"/status", b"/healthzone", b"/x/healthz"]
)
def test_sections_about_health_are_pages(path):
    """A newspaper's health pages are read by people."""
    assert not Robots().is_health_check(path)


def test_health_checks_are_what_the_settings_name():
    """Paths with the patterns of components, agents by any part in any case; none named, none found."""
    chosen = Robots(RobotSettings(health_checks={"paths": ["/up/**"], "agents": ["OurProbe"]}))
    none = Robots(RobotSettings(health_checks={"paths": [], "agents": []}))

    assert [True, False] == [chosen.is_health_check(path) for path in (b"/up/db", b"/healthz")]
    assert [HEALTH_CHECK, None] == [chosen.robot_class(a) for a in (b"x ourprobe/1", b"kube-probe/1.29")]
    assert [False, None] == [none.is_health_check(b"/healthz"), none.robot_class(b"kube-probe/1.29")]


# Agents that hold pieces of many patterns, so that fragments occur without their pattern and the other way round.
_PIECES = st.sampled_from(
    [e["pattern"].replace("\\", "").strip("^$") for e in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
)
_MADE_UP = st.lists(st.one_of(_PIECES, st.text(max_size=6)), max_size=4).flatmap(
    lambda parts: st.sampled_from(["", " ", "/", "-"]).map(lambda joint: joint.join(parts))
)


def _listed(patterns, agent):
    lower = agent.lower()
    return bool(patterns.names(agent, lower, {lower[i : i + 3] for i in range(len(lower) - 2)}))


PUBLIC = _Patterns([("known", entry["pattern"]) for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA])


@given(agent=_MADE_UP)
def test_the_quick_way_gives_the_verdict_of_the_public_list(agent):
    """Skipping patterns whose fragment is missing never changes the answer of the list's own code."""
    assert crawleruseragents.is_crawler(agent) == _listed(PUBLIC, agent)


@needs_logs
def test_the_quick_way_gives_the_verdict_of_the_public_list_on_all_real_agents():
    """All agents met, in every log and list: thousands, as the list's own code judges them."""
    quoted = set()
    for path in (p for p in LOGS.rglob("*") if p.is_file()):
        quoted |= set(re.findall(r'"([^"\n]{5,600})"', path.read_text(encoding="latin-1")))

    assert len(quoted) > 10_000
    assert [] == [a for a in quoted if crawleruseragents.is_crawler(a) != _listed(PUBLIC, a)]


@pytest.mark.parametrize("entry", crawleruseragents.CRAWLER_USER_AGENTS_DATA, ids=lambda e: e["pattern"])
def test_no_pattern_matches_without_its_fragment(entry):
    """What is required of an agent before a pattern is tried stands in each of the pattern's own examples."""
    for part in _alternatives(entry["pattern"]):
        matched = [agent for agent in entry["instances"] if re.search(part, agent)]

        assert [] == [agent for agent in matched for run in _runs(part) if run not in agent.lower()]


@pytest.mark.parametrize(
    ("pattern", "runs"),
    [
        ("abc", {"abc"}),
        ("Ab\\/c", {"ab/c"}),
        ("abc?d", {"ab", "d"}),
        ("ab*c", {"a", "c"}),
        ("ab{0,2}c", {"a", "c"}),
        ("ab+c", {"ab", "c"}),
        ("a[bc]d", {"a", "d"}),
        ("a(b|c)d", {"a", "d"}),
        ("(?<!cu)bot(?![a-z])", {"bot"}),
        ("ab|cd", set()),
        ("a\\sb\\d", {"a", "b"}),
        ("^a.b$", {"a", "b"}),
    ],
)
def test_what_each_match_holds(pattern, runs):
    """Only characters outside brackets that nothing makes optional."""
    assert runs == set(_runs(pattern)) - {""}


@pytest.mark.parametrize(("agent", "known"), [("xab", True), ("cd", True), ("a", False), ("bc", False)])
def test_a_pattern_of_which_nothing_is_sure_is_always_tried(agent, known):
    """Bars beside a group leave no character that each match holds; the pattern still decides."""
    assert known == _listed(_Patterns([("known", "a(b)|cd")]), agent)
