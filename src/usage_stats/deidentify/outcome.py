"""Hits as columns → what becomes of each: a page view, or why it is none.

Belongs here: the order in which a hit is judged. Does not: identifiers; what is kept of a page view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from usage_stats.accesslog.columns import SLOTS, Columns
from usage_stats.accesslog.lines import Bool
from usage_stats.accesslog.vocabulary import Verdicts, Vocabulary
from usage_stats.deidentify.email_opens import OpenMatcher
from usage_stats.deidentify.exclusion_lists import EXCLUDED, ExclusionLists
from usage_stats.deidentify.generalise import PathClass, PathClassifier, allowed_query, classify_target
from usage_stats.deidentify.robots import HEALTH_CHECK, ROBOT_CLASSES, Robots

__all__ = ["OUTCOMES", "PAGE_VIEW", "Judge", "Judged"]

_CLOSED = ("late", "before_first_day", "in_the_future")  # what the calendar says of a day
_HITS = (
    *("page_views", "assets", "foreign_targets", "unsuccessful", "other_methods", "malformed_requests"),
    "email_opens",
)
OUTCOMES = (
    *(*_HITS, *_CLOSED),
    *(f"excluded.{why}" for why in EXCLUDED),
    *(f"robots.{name}" for name in (*ROBOT_CLASSES, HEALTH_CHECK)),
)
PAGE_VIEW, _ASSET, _FOREIGN, _UNSUCCESSFUL, _OTHER_METHOD, _MALFORMED, _EMAIL_OPEN = range(len(_HITS))
_HEALTH_CHECK = OUTCOMES.index(f"robots.{HEALTH_CHECK}")
_CHILD_DIRECTED = OUTCOMES.index("excluded.child_directed")
_SIGNALS = tuple((SLOTS.index(name), name, OUTCOMES.index(f"excluded.{name}")) for name in ("gpc", "dnt"))
_AGENT, _PATH, _ACCOUNT, _COOKIE, _QUERY = (
    SLOTS.index(name) for name in ("agent", "path", "account", "cookie", "query")
)
_ROBOTS_TXT = b"/robots.txt"
_NO_OPEN, _ASKS_QUERY, _OPEN = range(3)  # 0 also for no path


@dataclass(frozen=True, slots=True)
class Judged:
    """Per hit: its outcome (place in `OUTCOMES`), its path's class (place in `Judge.classes`, 0 for none), whether
    it is a person's as far as the user agent tells, and whether it asked for robots.txt.
    """

    outcome: np.ndarray
    path_class: np.ndarray
    is_persons: Bool
    asks_robots_txt: Bool

    @property
    def is_asset(self) -> Bool:
        found: Bool = self.outcome == _ASSET
        return found

    @property
    def is_email_open(self) -> Bool:
        found: Bool = self.outcome == _EMAIL_OPEN
        return found

    @property
    def is_page_view(self) -> Bool:
        found: Bool = self.outcome == PAGE_VIEW
        return found


class Judge:
    """Judges hits; remembers what it thought of each distinct user agent and path, by their hashes."""

    def __init__(
        self,
        classify: PathClassifier,
        robots: Robots,
        lists: ExclusionLists,
        make: Callable[[], Vocabulary],
        *,
        opens: OpenMatcher | None = None,
    ) -> None:
        self._classify = classify
        self._opens = None if opens is None else OpenTargets(opens, make)
        self._robots = robots
        self._lists = lists
        # 0: no path at all. Each class of path is one entry, with the outcome of a successful GET of it.
        self.classes: list[PathClass | None] = [None]
        self._outcome_of_class = [_MALFORMED]
        self._asks_robots_txt, self._asks_query = [False], [False]
        self._numbers: dict[tuple[PathClass | None, int, bool, bool], int] = {}
        self._agents = Verdicts(_AGENT, judge=self._robot, make=make, absent=-1)
        self._paths = Verdicts(_PATH, judge=self._path, make=make)
        self._targets = Verdicts(_PATH, _QUERY, judge=self._with_query, make=make)
        self._accounts = Verdicts(
            _ACCOUNT, judge=lambda account: _excluded(lists.of_account(account)), make=make, absent=-1
        )
        self._cookies = Verdicts(
            _COOKIE, judge=lambda cookie: _excluded(lists.of_cookie(cookie)), make=make, absent=-1
        )

    def judge(self, columns: Columns, closed: np.ndarray) -> Judged:
        """Judge hits. `closed`: the outcome of a day that takes no events, or -1, per hit."""
        robot, path = self._agents.of(columns), self._path_classes(columns)
        outcome = np.array(self._outcome_of_class, np.int8)[path]
        status = columns.status
        is_health_check, is_child_directed = outcome == _HEALTH_CHECK, outcome == _CHILD_DIRECTED
        is_answered = ((status >= 200) & (status < 300)) | (status == 304)
        outcome[~is_answered] = _UNSUCCESSFUL
        outcome[~columns.is_get] = _OTHER_METHOD
        excluded = self._excluded(columns, is_child_directed)
        outcome = np.where(excluded >= 0, excluded, outcome)
        outcome[is_health_check] = _HEALTH_CHECK
        is_robot = (robot >= 0) | is_health_check
        outcome = np.where(robot >= 0, robot, outcome)
        outcome[path == 0] = _MALFORMED
        is_open = np.zeros(len(columns), np.bool_)
        if (
            self._opens is not None
        ):  # robots too: those who fetch a mail's images for its reader are listed as such
            is_open = self._opens.of(columns) & is_answered & columns.is_get & (excluded < 0)
            outcome[is_open] = _EMAIL_OPEN
        outcome = np.where(closed >= 0, closed, outcome)
        is_persons = ~is_robot & (path > 0) & (closed < 0) & (excluded < 0) & ~is_open
        return Judged(outcome, path, is_persons, np.array(self._asks_robots_txt)[path])

    def _path_classes(self, columns: Columns) -> np.ndarray:
        """The class of each hit's path, with its query where rules ask for that."""
        path = self._paths.of(columns)
        if self._classify.query_keys:
            asks = np.array(self._asks_query)[path] & (columns.hashes[_QUERY] != 0)
            rows = np.flatnonzero(asks)
            path = path.copy()
            path[rows] = self._targets.of(columns, rows)
        return path

    def _excluded(self, columns: Columns, is_child_directed: Bool) -> np.ndarray:
        """The outcome of hits that are dropped before anything is derived of them, or -1; reasons as in `EXCLUDED`."""
        found = np.full(len(columns), -1, np.int32)
        for slot, name, outcome in reversed(_SIGNALS):
            if name in self._lists.signals:
                found[columns.hashes[slot] != 0] = outcome
        listed = []
        if self._lists.opt_out_cookies:
            listed.append(self._cookies.of(columns))
        if self._lists.under_13_accounts or self._lists.opt_out_accounts:
            listed.append(self._accounts.of(columns))
        for verdicts in listed:
            found = np.where(verdicts >= 0, verdicts, found)
        found[is_child_directed] = _CHILD_DIRECTED
        return found

    def _robot(self, agent: bytes) -> int:
        name = self._robots.robot_class(agent)
        return -1 if name is None else OUTCOMES.index(f"robots.{name}")

    def _path(self, target: bytes) -> int:
        """The number of a path's class, whatever its query says."""
        path = classify_target(target)
        if path is None:
            return self._number(None, _FOREIGN)
        if self._robots.is_health_check(path):
            return self._number(None, _HEALTH_CHECK)
        if self._lists.is_child_directed(path):
            return self._number(None, _CHILD_DIRECTED)
        found = self._classify(path)
        outcome = _ASSET if found.is_asset else PAGE_VIEW
        is_robots_txt = path == _ROBOTS_TXT
        asks_query = self._classify.asks_query(path)
        return self._number(found, outcome, asks_robots_txt=is_robots_txt, asks_query=asks_query)

    def _with_query(self, target: bytes, query: bytes) -> int:
        """The number of the class of a path that rules ask for the query of."""
        asked = allowed_query(target + b"?" + query, self._classify.query_keys)
        found = self._classify(classify_target(target) or b"", asked)
        return self._number(found, _ASSET if found.is_asset else PAGE_VIEW)

    def _number(
        self,
        path_class: PathClass | None,
        outcome: int,
        *,
        asks_robots_txt: bool = False,
        asks_query: bool = False,
    ) -> int:
        key = (path_class, outcome, asks_robots_txt, asks_query)
        if key not in self._numbers:
            self._numbers[key] = len(self.classes)
            self.classes.append(path_class)
            self._outcome_of_class.append(outcome)
            self._asks_robots_txt.append(asks_robots_txt)
            self._asks_query.append(asks_query)
        return self._numbers[key]


class OpenTargets:
    """Which hits ask for an image of a mail, by their targets. Every recipient has a target of their own, so that
    nothing is kept of one but this answer, by its hash.
    """

    def __init__(self, match: OpenMatcher, make: Callable[[], Vocabulary]) -> None:
        self._match = match
        self._paths = Verdicts(_PATH, judge=self._path, make=make)
        self._targets = Verdicts(_PATH, _QUERY, judge=self._target, make=make)

    def of(self, columns: Columns) -> Bool:
        """Per hit, whether it is one."""
        answer = self._paths.of(columns)
        found: Bool = answer == _OPEN
        rows = np.flatnonzero((answer != _NO_OPEN) & (columns.hashes[_QUERY] != 0))
        if len(rows):
            found[rows] = self._targets.of(columns, rows) == _OPEN
        return found

    def _path(self, path: bytes) -> int:
        if not self._match.asks_query(path):
            return _NO_OPEN
        return _ASKS_QUERY if self._match(path) is None else _OPEN

    def _target(self, path: bytes, query: bytes) -> int:
        return _NO_OPEN if self._match(path + b"?" + query) is None else _OPEN


def _excluded(why: str | None) -> int:
    return -1 if why is None else OUTCOMES.index(f"excluded.{why}")
