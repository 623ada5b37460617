"""What becomes of a hit: the first reason that holds, whatever hits stand beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_hits import CLASSIFY, CURL, FIREFOX, columns, hit

from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary
from usage_stats.deidentify.email_opens import OpenMatcher
from usage_stats.deidentify.exclusion_lists import NOBODY
from usage_stats.deidentify.generalise import PathClassifier, classify_target
from usage_stats.deidentify.outcome import OUTCOMES, Judge
from usage_stats.deidentify.robots import HEALTH_CHECK, ROBOT_CLASSES, Robots
from usage_stats.email_settings import EmailSettings
from usage_stats.robot_settings import HealthChecks, RobotSettings

ROBOTS = Robots()  # takes a while to make; it is asked only
PROBE = b"kube-probe/1.28"
PLAIN_AND_COMPILED = pytest.mark.parametrize("make", [PlainVocabulary, CompiledVocabulary])


def _judge(*, robots=ROBOTS, make=PlainVocabulary, classify=CLASSIFY):
    return Judge(classify, robots, NOBODY, make)


def _judged(*hits, closed=None, judge=None):
    """The outcomes by name, and all that was judged."""
    found = (judge or _judge()).judge(columns(*hits), np.full(len(hits), -1) if closed is None else closed)
    return [OUTCOMES[place] for place in found.outcome.tolist()], found


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "page_views"),
        ({"status": 304}, "page_views"),
        ({"status": 299}, "page_views"),
        ({"agent": None}, "page_views"),
        ({"target": b"/"}, "page_views"),
        ({"target": b"/news/a?x=/a.css"}, "page_views"),
        ({"target": b"/news/a.css"}, "assets"),
        ({"target": b"/robots.txt"}, "assets"),
        ({"target": b"http://elsewhere.example/news"}, "foreign_targets"),
        ({"target": b"*"}, "foreign_targets"),
        ({"target": b""}, "foreign_targets"),
        ({"status": 404}, "unsuccessful"),
        ({"status": 301}, "unsuccessful"),
        ({"status": 199}, "unsuccessful"),
        ({"status": 300}, "unsuccessful"),
        ({"status": 303}, "unsuccessful"),
        ({"status": 305}, "unsuccessful"),
        ({"method": b"HEAD"}, "other_methods"),
        ({"method": b"get"}, "other_methods"),
        ({"agent": CURL}, "robots.http_library"),
        ({"agent": b"-"}, "robots.nameless"),
        ({"agent": b""}, "robots.nameless"),
        ({"agent": b"Mozilla/5.0 (compatible; Googlebot/2.1)"}, "robots.search_engine"),
        ({"agent": PROBE}, "robots.health_check"),
        ({"target": b"/healthz"}, "robots.health_check"),
        ({"method": None, "target": None}, "malformed_requests"),
        # Where several reasons hold, the earlier in the order of judgement is counted.
        ({"method": None, "target": None, "agent": CURL, "status": 400}, "malformed_requests"),
        ({"method": None, "target": None, "agent": PROBE}, "malformed_requests"),
        ({"agent": CURL, "method": b"POST", "status": 500}, "robots.http_library"),
        ({"agent": CURL, "target": b"/healthz"}, "robots.http_library"),
        ({"agent": CURL, "target": b"*"}, "robots.http_library"),
        ({"target": b"/healthz", "method": b"HEAD", "status": 503}, "robots.health_check"),
        ({"method": b"POST", "status": 500, "target": b"*"}, "other_methods"),
        ({"status": 404, "target": b"/a.css"}, "unsuccessful"),
        ({"status": 404, "target": b"*"}, "unsuccessful"),
    ],
)  # fmt: skip
def test_a_hit_is_judged_in_order(changes, outcome):
    """Each hit has one outcome, the first reason that holds."""
    names, found = _judged(hit(**changes))

    assert [outcome] == names
    assert (outcome == "page_views", outcome == "assets") == (
        bool(found.is_page_view[0]),
        bool(found.is_asset[0]),
    )


@pytest.mark.parametrize("reason", ["late", "before_first_day", "in_the_future"])
def test_a_closed_day_is_the_first_reason(reason):
    """A line of a closed day is that, whatever else it is: nothing more is learnt of it, and it is nobody's."""
    hits = [hit(), hit(agent=CURL), hit(method=None, target=None), hit(target=b"/robots.txt")]
    names, found = _judged(*hits, closed=np.full(len(hits), OUTCOMES.index(reason)))

    assert [reason] * len(hits) == names
    assert [False] * len(hits) == found.is_persons.tolist() == found.is_page_view.tolist()


@pytest.mark.parametrize(
    ("changes", "is_persons"),
    [
        ({}, True),
        ({"status": 404}, True),
        ({"method": b"POST"}, True),
        ({"target": b"/a.css"}, True),
        ({"target": b"*"}, True),
        ({"agent": None}, True),
        ({"agent": CURL}, False),
        ({"agent": PROBE}, False),
        ({"target": b"/healthz"}, False),
        ({"method": None, "target": None}, False),
    ],
)
def test_whose_hit_it_is_hangs_on_the_agent_and_the_path_alone(changes, is_persons):
    """People's conduct is all that they asked for, page views or not; robots' and unreadable requests are nobody's."""

    assert [is_persons] == _judged(hit(**changes))[1].is_persons.tolist()


@pytest.mark.parametrize(
    ("target", "asks"),
    [(b"/robots.txt", True), (b"/robots.txt?x=1", True), (b"//robots.txt", True), (b"/%72obots.txt", True),
     (b"/Robots.txt", False), (b"/news/robots.txt", False), (b"/robots.txt/", False), (b"*", False), (b"/", False)],
)  # fmt: skip
def test_asking_for_robots_txt_is_seen_however_it_is_spelt(target, asks):
    """The path decides, decoded and without its query."""

    assert [asks] == _judged(hit(target=target))[1].asks_robots_txt.tolist()


def test_the_class_of_a_path_is_told():
    """Component and part of each hit; nothing where a request has no path of ours."""
    targets = [b"/shop/basket", b"/shop", b"/news/a", b"/x", b"*", b"/healthz", None]
    hits = [hit(target=target, method=target and b"GET") for target in targets]
    judge = _judge()
    _, found = _judged(*hits, judge=judge)
    classes = [judge.classes[place] for place in found.path_class.tolist()]

    expected = [("shop", "basket"), ("shop", "(other)"), ("news", None), ("(other)", None), None, None, None]

    assert expected == [(c.component, c.sub_component) if c else None for c in classes]


def test_a_class_that_the_workspace_calls_persons_is_counted():
    """What is a robot is the operator's choice."""
    robots = Robots(RobotSettings(scholarly="person", health_checks=HealthChecks(paths=("/up",), agents=())))
    hits = [hit(agent=b"Zotero/7.0"), hit(target=b"/up"), hit(target=b"/healthz"), hit(agent=PROBE)]
    names, _ = _judged(*hits, judge=_judge(robots=robots))

    assert ["page_views", "robots.health_check", "page_views"] == names[:3]


def test_every_robot_class_and_closed_reason_has_its_outcome():
    """No class is without a place to be counted, no place is there twice."""

    assert {f"robots.{name}" for name in (*ROBOT_CLASSES, HEALTH_CHECK)} == {
        n for n in OUTCOMES if n[:7] == "robots."
    }
    assert len(OUTCOMES) == len(set(OUTCOMES))


HITS = st.builds(
    hit,
    agent=st.sampled_from([None, b"", FIREFOX, CURL, PROBE]) | st.binary(max_size=3),
    method=st.sampled_from([b"GET", b"POST"]),
    target=st.sampled_from([b"/", b"/shop", b"/a.css", b"*", b"/healthz", b"/robots.txt", b"/%2e", None])
    | st.binary(max_size=3),
    status=st.integers(100, 599),
)


def _by_hand(one):
    """The outcome of one hit, by the rules as they are written down."""
    if one.target is None:
        return "malformed_requests"
    path = classify_target(one.target)
    robot = ROBOTS.robot_class(one.agent) or (path and ROBOTS.is_health_check(path) and HEALTH_CHECK)
    if robot:
        return f"robots.{robot}"
    if one.method != b"GET":
        return "other_methods"
    if not (200 <= one.status <= 299 or one.status == 304):
        return "unsuccessful"
    if path is None:
        return "foreign_targets"
    return "assets" if CLASSIFY(path).is_asset else "page_views"


@PLAIN_AND_COMPILED
@settings(deadline=None, max_examples=60)
@given(batches=st.lists(st.lists(HITS, min_size=1, max_size=8), min_size=1, max_size=4))
def test_outcomes_are_those_of_each_hit_alone(make, batches):
    """Neither the hits beside it nor those before it, nor how distinct values are kept, bear on a hit."""
    judge = _judge(make=make)

    assert [[_by_hand(one) for one in batch] for batch in batches] == [
        _judged(*batch, judge=judge)[0] for batch in batches
    ]


@PLAIN_AND_COMPILED
def test_each_distinct_value_is_judged_once(make):
    """A log of millions of lines has some thousand paths: batch after batch, none is interpreted again."""
    asked = []

    class Asked(PathClassifier):
        def __call__(self, path, *query):
            asked.append(path)
            return super().__call__(path, *query)

    judge = _judge(make=make, classify=Asked((), ("css",)))
    for _ in range(3):
        _judged(hit(target=b"/a"), hit(target=b"/b?1"), hit(target=b"/b?2"), hit(target=b"/a"), judge=judge)

    assert [b"/a", b"/b"] == sorted(asked)


@PLAIN_AND_COMPILED
def test_opens_are_told_apart_without_a_class_of_their_own(make):
    """Robots may open, the query decides where a pattern asks for it, and no recipient grows any table of classes."""
    patterns = ("/o/{campaign}/{recipient}.css", "/open?c={campaign}&r={recipient}")
    judge = Judge(CLASSIFY, ROBOTS, NOBODY, make, opens=OpenMatcher(EmailSettings(opens=patterns)))
    targets = [b"/o/sale/%d.css" % n for n in range(50)] + [b"/open?c=sale&r=%d" % n for n in range(50)]
    opens = [hit(target=target, agent=agent) for target in targets for agent in (FIREFOX, CURL)]
    others = [hit(target=b"/open"), hit(target=b"/open?c=sale"), hit(target=b"/o/sale/7.css", status=404)]
    closed = np.array([-1] * (len(opens) + len(others)) + [OUTCOMES.index("late")])
    names, found = _judged(*opens, *others, hit(target=targets[0]), closed=closed, judge=judge)

    assert ["email_opens"] * 200 + ["page_views"] * 2 + ["unsuccessful", "late"] == names
    assert [False] * 200 + [True] * 3 + [False] == found.is_persons.tolist()
    assert len(judge.classes) <= 3
