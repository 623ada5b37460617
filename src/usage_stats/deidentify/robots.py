"""User agents → the class of program behind each, or none for a person's browser.

Belongs here: the public list and our own rules for what it misses, the order among classes, and what the
workspace chose. Does not: behaviour (measure/conduct.py), or what becomes of a robot's requests.

Which list decides: crawler-user-agents, by its tags; our own rules only where it knows nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distribution, version
from pathlib import Path

from usage_stats.deidentify.generalise import path_rule
from usage_stats.robot_settings import RobotSettings

__all__ = ["HEALTH_CHECK", "ROBOT_CLASSES", "Robots", "is_robot", "robot_list_version"]

HEALTH_CHECK = "health_check"
# In the order of precedence: the purpose of a robot before the tool it is built with.
ROBOT_CLASSES = (
    "ai",
    "search_engine",
    "social_preview",
    "scholarly",
    "archiver",
    "monitoring",
    "feed_reader",
    "scanner",
    "seo",
    "advertising",
    "browser_automation",
    "http_library",
    "nameless",
    "other",
)
# All other tags of the list are our classes, with a hyphen.
_CLASS_OF_TAG = {"academic": "scholarly", "ai-crawler": "ai"}

_PUBLIC_LIST = "crawleruseragents/crawler-user-agents.json"
_OWN_ROBOT_RULES = 3  # raise when a rule below changes: counts move with it
# What the public list misses, tried on real logs; searched in the agent's lower-case text. Nameless agents,
# libraries, generic words for programs, and whoever leaves a web or mail address to complain to.
_OWN_RULES = {
    "scholarly": r"zotero endnote mendeley jabref citavi readcube paperpile refworks lockss unpaywall oadoi"
    r" crossref openalex easybib",
    "archiver": r"httrack webzip webcopier teleport\spro offline\sexplorer webstripper",
    "monitoring": r"monitor nagios zabbix check_http link.?check checklink link\svalidator validator site24x7"
    r" statuscake",
    "feed_reader": r"feedparser feedburner tiny\stiny\srss rss\sreader feedreader feedfetcher feedbin\b"
    r" ^reeder/ ^newsify/",
    "scanner": r"scanner nuclei zgrab masscan sqlmap nikto nmap wpscan w3af openvas nessus gobuster"
    r" feroxbuster fuzz\sfaster arachni \$\{jndi \(\)\s\{",
    "search_engine": r"daumoa slurp",
    "browser_automation": r"headless",
    "http_library": r"libwww libcurl libfetch libhttp http_request http-?client ^wget ^curl ^java/ ^python ^php"
    r" ^ruby ^perl ^lwp ^go-http ^okhttp ^apache-httpclient debian\sapt-http \br\s\(\d ^r/\d \brcurl \bhttr/"
    r" rclone/ winhttp\.winhttprequest windowspowershell ^powershell ^rest-?client restsharp guzzle ^faraday"
    r" ^undici ^deno/ ^bun/ ^dart/ ^reqwest ^hyper/ ^aria2 jersey/\d reactornetty postmanruntime ^insomnia/"
    r" typhoeus pycurl urllib",
    # "cubot" is a maker of telephones
    "other": r"(?<!cu)bot(?![a-z]) robot crawl spider sucker fetcher https?:// \w@\w github\.com/ distilator"
    r" google\sfavicon ^chef\sclient portscout robosourcer appledictionaryservice microsoft-webdav-miniredir"
    r" microsoft\soffice\sexistence microsoft\soffice\sprotocol ^mozilla/[45]\.0$",
}
# What nearly every browser says: a fragment of it would make a poor key.
_BROWSERS_SAY = (
    "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/120.0.0.0 safari/537.36"
    " (macintosh; intel mac os x 10_15_7; rv:109.0) gecko/20100101 firefox/121.0 (iphone; cpu iphone os 14_4 like mac"
    " version/14.0.3 mobile/15e148 edg/88.0 (linux; android 10; k; u; en-us; build/ msie 7.0; trident/7.0 .net clr"
    " opera opr/ compatible; ubuntu; i686 x86_64 samsungbrowser/"
)
_KEY_LENGTH = 3


class _Patterns:
    """Many patterns, of which one text matches few: a pattern is tried only if a fragment it needs is there.

    A fragment is three characters that every match holds, in lower case; what is too short to have one is
    looked for as a whole. The verdict is that of trying each pattern.
    """

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        self._by_key: dict[str, list[tuple[str, str]]] = {}
        self._short: list[tuple[str, str, str]] = []
        self._compiled: dict[str, re.Pattern[str]] = {}
        for name, pattern in ((n, part) for n, whole in patterns for part in _alternatives(whole)):
            runs = _runs(pattern)
            key = _rarest(runs)
            if key:
                self._by_key.setdefault(key, []).append((name, pattern))
            else:
                self._short.append((max(runs, key=len), name, pattern))
        self._keys = frozenset(self._by_key)

    def names(self, text: str, lower: str, fragments: set[str]) -> set[str]:
        """The names of all patterns that the text matches, given its lower-case form and that one's fragments."""
        tried = [entry for key in fragments & self._keys for entry in self._by_key[key]]
        tried += [(name, pattern) for run, name, pattern in self._short if run in lower]
        return {name for name, pattern in tried if self._fits(pattern, text)}

    def _fits(self, pattern: str, text: str) -> bool:
        compiled = self._compiled.get(pattern)
        if compiled is None:
            compiled = self._compiled[pattern] = re.compile(pattern)
        return compiled.search(text) is not None


def _alternatives(pattern: str) -> list[str]:
    """A pattern as several where that is plain: bars, and neither brackets nor escapes."""
    return [pattern] if re.search(r"[(\[\\]", pattern) else pattern.split("|")


def _rarest(runs: Iterable[str]) -> str:
    """The fragment of these runs that browsers' agents hold least; empty where all runs are too short."""
    keys = [run[i : i + _KEY_LENGTH] for run in runs for i in range(len(run) - _KEY_LENGTH + 1)]
    return min(keys, key=_BROWSERS_SAY.count, default="")


_TOKEN = re.compile(
    r"\\(?P<escaped>\W)|\\\w|\[\^?\]?(?:\\.|[^\]])*\]|(?P<open>\()|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<optional>[?*]|\{[^}]*\})|[.^$+]|(?P<plain>.)",
    re.DOTALL,
)
_BREAK = "\0"


def _runs(pattern: str) -> list[str]:
    """Runs of characters, in lower case, that each match holds: outside groups and never optional."""
    text, depth = "", 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup or ""
        if kind == "bar" and not depth:
            return [""]  # either side may match: nothing is sure
        depth += {"open": 1, "close": -1}.get(kind, 0)
        if kind == "optional":
            text = text[:-1]
        text += token[kind] if kind in {"plain", "escaped"} and not depth else _BREAK
    return text.lower().split(_BREAK)


class Robots:
    """Tells programs from browsers by the lists and by what the workspace chose; ask once per distinct agent."""

    def __init__(self, settings: RobotSettings | None = None) -> None:
        chosen = settings or RobotSettings()
        self._public, self._own = _listed()
        self._health_agents = tuple(agent.lower() for agent in chosen.health_checks.agents)
        self._persons = {name for name in ROBOT_CLASSES if getattr(chosen, name) == "person"}
        self._health_path = path_rule(chosen.health_checks.paths)

    def robot_class(self, agent: bytes | None) -> str | None:
        """The class of program that an agent names: one of `ROBOT_CLASSES`, `health_check`, or None for a person's.

        An agent that the log format does not record (None) says nothing and is no robot; an empty one or "-"
        is `nameless`. A class that the settings count as persons is None.
        """
        found = self._found(agent)
        return None if found in self._persons else found

    def is_robot(self, agent: bytes | None) -> bool:
        """Whether requests with this agent are no person's."""
        return self.robot_class(agent) is not None

    def is_health_check(self, path: bytes) -> bool:
        """Whether a decoded path (as `classify_target` returns it) is asked for by health checks only."""
        return self._health_path(path)

    def _found(self, agent: bytes | None) -> str | None:
        if agent is None:
            return None
        text = agent.decode("utf-8", "replace").strip()
        if text in {"", "-"}:
            return "nameless"
        lower = text.lower()
        if any(part in lower for part in self._health_agents):
            return HEALTH_CHECK
        fragments = {lower[i : i + _KEY_LENGTH] for i in range(len(lower) - _KEY_LENGTH + 1)}
        found = self._public.names(text, lower, fragments) or self._own.names(lower, lower, fragments)
        return min(found, key=ROBOT_CLASSES.index, default=None)


def _public_rules() -> Iterator[tuple[str, str]]:
    """The public list: for each tag of each entry its class and pattern, case-sensitive as the list is meant."""
    # Its own package would read the list as whatever text the locale says, and not at all where that is ASCII.
    listed = Path(str(distribution("crawler-user-agents").locate_file(_PUBLIC_LIST)))
    for entry in json.loads(listed.read_text(encoding="utf-8")):
        for tag in entry.get("tags") or ["other"]:
            name = _CLASS_OF_TAG.get(tag, tag.replace("-", "_"))
            yield (name if name in ROBOT_CLASSES else "other"), entry["pattern"]


@cache
def _listed() -> tuple[_Patterns, _Patterns]:
    """The public list and our own rules, which are the same whatever a workspace chose; a tenth of a second to make."""
    own = ((name, rule) for name, rules in _OWN_RULES.items() for rule in rules.split())
    return _Patterns(_public_rules()), _Patterns(own)


@cache
def _as_the_lists_say() -> Robots:
    return Robots()


def is_robot(agent: bytes | None) -> bool:
    """Whether a user agent names a program, by the lists alone: for use where there is no workspace."""
    return _as_the_lists_say().is_robot(agent)


def robot_list_version(settings: RobotSettings | None = None) -> str:
    """Which lists and choices decided, for the record of each release: figures move with them."""
    chosen = (settings or RobotSettings()).model_dump_json()  # fields come in the order of their definition
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:12]
    return f"crawler-user-agents {version('crawler-user-agents')}, own rules {_OWN_ROBOT_RULES}, choices {digest}"
