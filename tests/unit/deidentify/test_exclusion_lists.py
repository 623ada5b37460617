"""Whose requests are dropped before anything is derived of them."""

import os

import numpy as np
import pytest
from invented_hits import CLASSIFY, CURL, columns, hit

from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary
from usage_stats.deidentify.exclusion_lists import NOBODY, load_exclusion_lists
from usage_stats.deidentify.outcome import OUTCOMES, Judge
from usage_stats.deidentify.robots import Robots
from usage_stats.errors import ConfigError
from usage_stats.exclusion_settings import ExclusionSettings

ROBOTS = Robots()


@pytest.fixture
def lists(tmp_path):
    """Two children, one account and one browser that opted out, and a part of the site for children."""
    for name, content in (
        ("children", b"kim\n  lee \r\n\n"),
        ("accounts", b"ada\nkim"),
        ("cookies", b"c0ffee\n"),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o640)
    settings = ExclusionSettings(
        child_directed=("/kids/**", "/games"),
        under_13_accounts="children",
        opt_out_accounts=str(tmp_path / "accounts"),
        opt_out_cookies="cookies",
    )
    return load_exclusion_lists(settings, tmp_path)


def _judged(lists, *hits, make=PlainVocabulary):
    found = Judge(CLASSIFY, ROBOTS, lists, make).judge(columns(*hits), np.full(len(hits), -1))
    return [OUTCOMES[place] for place in found.outcome.tolist()], found.is_persons.tolist()


CASES = [
    ({}, "page_views"),
    ({"account": b"kim"}, "excluded.under_13"),  # on both lists: the stronger reason
    ({"account": b"lee"}, "excluded.under_13"),
    ({"account": b"ada"}, "excluded.opted_out"),
    ({"account": b"ADA"}, "page_views"),  # as the server logs it, letter by letter
    ({"account": b"eve"}, "page_views"),
    ({"cookie": b"c0ffee"}, "excluded.opted_out"),
    ({"account": b"eve", "cookie": b"c0ffee"}, "excluded.opted_out"),
    ({"account": b"lee", "cookie": b"c0ffee"}, "excluded.under_13"),
    ({"cookie": b"kim"}, "page_views"),  # a cookie is no account
    ({"account": b""}, "page_views"),
    ({"gpc": True}, "excluded.gpc"),
    ({"dnt": True}, "excluded.dnt"),
    ({"gpc": True, "dnt": True}, "excluded.gpc"),
    ({"account": b"ada", "gpc": True}, "excluded.opted_out"),
    ({"target": b"/kids/a?b"}, "excluded.child_directed"),
    ({"target": b"/kids"}, "excluded.child_directed"),
    ({"target": b"/%6bids//a"}, "excluded.child_directed"),
    ({"target": b"/kids/a.css", "status": 404, "method": b"POST"}, "excluded.child_directed"),
    ({"target": b"/kidsy"}, "page_views"),
    ({"target": b"/kids/a", "account": b"kim"}, "excluded.child_directed"),
    ({"account": b"ada", "target": b"/a.css"}, "excluded.opted_out"),
    ({"account": b"ada", "status": 500}, "excluded.opted_out"),
    # Robots are nobody; a request without a path is none.
    ({"agent": CURL, "account": b"ada"}, "robots.http_library"),
    ({"agent": CURL, "target": b"/kids/a"}, "robots.http_library"),
    ({"target": b"/healthz", "gpc": True}, "robots.health_check"),
    ({"method": None, "target": None, "account": b"ada"}, "malformed_requests"),
]


@pytest.mark.parametrize("make", [PlainVocabulary, CompiledVocabulary])
def test_whoever_is_excluded_has_no_part_in_anything(make, lists):
    """The first reason that holds is counted, and the hit is nobody's: no pseudonym is made of it."""
    names, persons = _judged(lists, *(hit(**changes) for changes, _ in CASES), make=make)

    assert [outcome for _, outcome in CASES] == names
    assert [name == "page_views" for name in names] == persons


def test_a_signal_counts_only_where_it_is_honoured():
    """A workspace may choose; without a choice, both are honoured."""
    one = load_exclusion_lists(ExclusionSettings(signals=("dnt",)), None)

    assert ["page_views", "excluded.dnt"] == _judged(one, hit(gpc=True), hit(dnt=True))[0]
    assert {"gpc", "dnt"} == set(ExclusionSettings().signals)
    assert ["page_views"] == _judged(NOBODY, hit(gpc=True, account=b"ada"))[0]


@pytest.mark.parametrize("key", ["under_13_accounts", "opt_out_accounts", "opt_out_cookies"])
@pytest.mark.parametrize("state", ["missing", "a directory", "open to everybody"])
def test_a_list_that_cannot_be_relied_on_stops_the_run(key, state, tmp_path):
    """Without it, people would be counted who must not be; the message says which list and what to do."""
    path = tmp_path / "list"
    if state == "a directory":
        path.mkdir(mode=0o700)
    elif state == "open to everybody":
        path.write_bytes(b"c4n4ry\n")
        path.chmod(0o644)
    with pytest.raises(ConfigError, match="list") as caught:
        load_exclusion_lists(ExclusionSettings(**{key: "list"}), tmp_path)

    assert "c4n4ry" not in str(caught.value)
    assert ("chmod" if state == "open to everybody" else key) in str(caught.value)


def test_nobody_on_a_list_is_ever_shown(lists):
    """Neither by name nor by a look at the object."""

    assert "kim" not in repr(lists) + str(lists) + f"{lists}"
    assert os.linesep not in repr(lists)
