"""Parts of parts, at any depth: the first rule that fits, level by level."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.component_settings import Component, SubComponent
from usage_stats.config import OTHER, Config
from usage_stats.deidentify.generalise import PathClassifier, allowed_query, classify_target
from usage_stats.generalisation_settings import check_rules

SEGMENTS = ("a", "b", "c")
KEYS = ("k",)
PATTERNS = st.builds(
    lambda path, end, query: "/" + "/".join(path) + end + query,
    st.lists(st.sampled_from([*SEGMENTS, "*"]), max_size=3),
    st.sampled_from(["", "", "/**"]),
    st.sampled_from(["", "", "", "?k=1", "?k=2"]),
).map(lambda pattern: re.sub("/{2,}", "/", pattern))
NAMES = st.sampled_from(["one", "two", "three"])


def _tree(depth):
    below = st.just(()) if depth == 0 else _tree(depth - 1)
    part = st.builds(
        SubComponent, name=NAMES, paths=st.lists(PATTERNS, min_size=1, max_size=2), sub_components=below
    )
    return st.lists(part, max_size=3, unique_by=lambda p: p.name).map(tuple)


TREES = _tree(3)
TARGETS = st.builds(
    lambda path, query: ("/" + "/".join(path) + query).encode(),
    st.lists(st.sampled_from(SEGMENTS), max_size=4),
    st.sampled_from(["", "?k=1", "?k=2", "?x=1"]),
)


def _fits(pattern, target):
    """A pattern of these tests, read plainly: segment by segment, then the query."""
    path, _, query = target.decode().partition("?")
    wanted, _, pairs = pattern.partition("?")
    if pairs and pairs not in query.split("&"):
        return False
    parts, segments = wanted.split("/"), path.split("/")
    if parts[-1] == "**":
        parts, segments = parts[:-1], segments[: len(parts) - 1]
    return len(parts) == len(segments) and all(map(fnmatch.fnmatchcase, segments, parts))


def _way(parts, target):
    """The names of the parts that a target lies in."""
    for part in parts:
        if any(_fits(pattern, target) for pattern in part.paths):
            return [part.name, *(_way(part.sub_components, target) if part.sub_components else [])]
    return [OTHER]


@given(tree=TREES, targets=st.lists(TARGETS, min_size=1, max_size=6))
def test_a_path_is_where_plain_recursion_finds_it(tree, targets):
    """Level by level the first rule that fits, with or without pairs of the query; `(other)` where parts are and none
    fits.
    """
    components = tuple(Component(**part.model_dump()) for part in tree)
    classify = PathClassifier(components, (), KEYS)
    found = []
    for target in targets:
        path = classify_target(target)
        query = allowed_query(target, classify.query_keys) if classify.asks_query(path) else {}
        found.append(classify(path, query))
    expected = [_way(tree, target) for target in targets]

    assert [(way[0], "/".join(way[1:]) or None) for way in expected] == [f[1:] for f in found]


GUIDES = {
    "name": "docs",
    "paths": ["/docs/**"],
    "sub_components": [
        {
            "name": "guides",
            "paths": ["/docs/guides/**"],
            "sub_components": [{"name": "install", "paths": ["/docs/guides/install/**"]}],
        },
        {"name": "news", "paths": ["/docs/news"]},
    ],
}


@pytest.mark.parametrize(
    ("path", "sub"),
    [
        (b"/docs/guides/install/linux", "guides/install"),
        (b"/docs/guides/upgrade", "guides/(other)"),
        (b"/docs/guides", "guides/(other)"),
        (b"/docs/news", "news"),
        (b"/docs/about", "(other)"),
    ],
)
def test_a_part_of_a_part_is_named_by_the_way_to_it(path, sub):
    """What none of a part's parts fits is that part's other."""
    classify = PathClassifier((Component(**GUIDES),), ())

    assert (False, "docs", sub) == classify(path)


def _deep(pattern):
    inner = {"name": "inner", "paths": [pattern]}
    return [GUIDES | {"sub_components": [{"name": "s", "paths": ["/s"], "sub_components": [inner]}]}]


def test_rules_are_checked_at_every_depth():
    """A query that is dropped, or cannot be read, is refused wherever a rule asks for it."""
    with pytest.raises(ValueError, match="list it under query_keys"):
        Config(site="s", components=_deep("/x?id=7"))
    with pytest.raises(ValueError, match="key=value"):
        check_rules([Component(**c) for c in _deep("/x?id")], ["id"])


def test_a_rule_in_the_deep_may_ask_for_the_query():
    """Whether a path's class hangs on its query is known of rules at any depth."""
    classify = PathClassifier([Component(**c) for c in _deep("/s?k=1")], (), KEYS)

    assert [True, False] == [classify.asks_query(path) for path in (b"/s", b"/docs")]
