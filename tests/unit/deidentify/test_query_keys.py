import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.config import OTHER, Component, SubComponent
from usage_stats.deidentify.generalise import PathClassifier, allowed_query, classify_target
from usage_stats.generalisation_settings import check_rules, parts_of_pattern

KEYS = ("page", "sec tion")
COMPONENTS = (
    Component(name="news", paths=("/index.php?page=news", "/index.php?page=aktuell&sec+tion=a%2Fb")),
    Component(
        name="shop",
        paths=("/index.php?page=shop", "/shop/**"),
        sub_components=(
            SubComponent(name="basket", paths=("/index.php?sec tion=basket", "/shop/basket")),
            SubComponent(name="rest", paths=("/shop/**?page=rest",)),
        ),
    ),
    Component(name="blank", paths=("/index.php?page=",)),
    Component(name="home", paths=("/", "/index.php")),
)
classify = PathClassifier(COMPONENTS, (), KEYS)
KNOWN = {(c.name, s) for c in COMPONENTS for s in (None, OTHER, *(s.name for s in c.sub_components))}


def _classified(target):
    path = classify_target(target)
    return None if path is None else classify(path, allowed_query(target, [k.encode() for k in KEYS]))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", {}),
        (b"page=news", {b"page": b"news"}),
        (b"user=ada&page=news&token=x", {b"page": b"news"}),
        (b"page=news#page=shop", {b"page": b"news"}),
        (b"page=ne%77s&sec+tion=a%2fb", {b"page": b"news", b"sec tion": b"a/b"}),
        (b"%70age=news", {b"page": b"news"}),
        (b"page=a+b%20c%2B", {b"page": b"a b c+"}),
        (b"page=%2561", {b"page": b"%61"}),
        (b"page=a=b", {b"page": b"a=b"}),
        (b"page=", {b"page": b""}),
        (b"page", {b"page": b""}),
        (b"page=a?b", {b"page": b"a?b"}),
        (b"page=news;user=ada", {b"page": b"news;user=ada"}),
        (b"page=a&page=b", {}),
        (b"page=a&page=a", {b"page": b"a"}),
        (b"page=a&page", {}),
        (b"page[]=a&Page=b&page%00=c", {}),
        (b"&&=a&=&&", {}),
        (b"page=%ff%", {b"page": b"\xff%"}),
    ],
)
def test_what_of_a_query_is_looked_at(query, found):
    """Allowed keys alone, decoded once; a key that is given two values has none, for servers disagree on which."""
    assert found == allowed_query(b"/index.php?" + query, [k.encode() for k in KEYS])


def test_without_keys_no_query_is_looked_at():
    """Nothing listed, nothing kept."""
    assert {} == allowed_query(b"/a?page=news", [])
    assert {} == allowed_query(b"/a#x?page=news", [b"page"])


@pytest.mark.parametrize(
    ("target", "component", "sub"),
    [
        (b"/index.php?page=news", "news", None),
        (b"/index.php?id=0815&page=news&user=ada", "news", None),
        (b"/index.php?sec%20tion=a/b&page=aktuell", "news", None),
        (b"/index.php?page=aktuell", "home", None),
        (b"/index.php?page=shop", "shop", OTHER),
        (b"/index.php?page=shop&sec+tion=basket", "shop", "basket"),
        (b"/shop/basket?page=rest", "shop", "basket"),
        (b"/shop/x?page=rest", "shop", "rest"),
        (b"/shop/x?page=other", "shop", OTHER),
        (b"/index.php?page", "blank", None),
        (b"/index.php?page=News", "home", None),
        (b"/index.php?page=newsletter", "home", None),
        (b"/index.php?page=ada@example.org", "home", None),
        (b"/index.php?page=news&page=shop", "home", None),
        (b"/index.php?page=news;x=1", "home", None),
        (b"/index.php", "home", None),
        (b"/other.php?page=news", OTHER, None),
        (b"/?page=news", "home", None),
    ],
)
def test_a_rule_may_ask_for_pairs_of_the_query(target, component, sub):
    """All pairs of a pattern must be there, as written; a rule that asks for none takes any query."""
    assert (component, sub) == _classified(target)[1:]


@given(st.text(max_size=30).map(str.encode) | st.binary(max_size=30))
def test_no_value_of_a_query_becomes_a_name(query):
    """Whatever is asked, only names that the operator wrote come out."""
    assert _classified(b"/index.php?page=" + query)[1:] in KNOWN
    assert _classified(b"/index.php?" + query)[1:] in KNOWN


@given(
    pairs=st.permutations(
        [b"page=aktuell", b"sec+tion=a/b", b"user=ada", b"x", b"page=%61ktuell", b"sec%20tion=a%2Fb"]
    )
)
def test_the_order_of_pairs_does_not_matter(pairs):
    """Nor do keys that nobody listed, repetitions and ways of encoding."""
    assert "news" == _classified(b"/index.php?" + b"&".join(pairs)).component


@given(query=st.binary(max_size=20))
def test_without_keys_a_classifier_knows_no_query(query):
    """Where no key is listed a path is all there is, and a question mark in a pattern is itself."""
    plain = PathClassifier((Component(name="a", paths=("/a?b=c",)),), ())

    assert [OTHER, "a"] == [plain(p, allowed_query(b"/a?" + query, ())).component for p in (b"/a", b"/a?b=c")]


@pytest.mark.parametrize(
    "pattern", ["/a?", "/a?page", "/a?page=x&", "/a?=x", "/a?page=*", "/a?page=x*y", "/a??page=x"]
)
def test_a_pattern_with_an_odd_query_is_refused(pattern):
    """What cannot be read would fit nothing, or more than was meant."""
    with pytest.raises(ValueError, match=r"key=value|value is written out|asks for"):
        check_rules([Component(name="x", paths=(pattern,))], ["page"])


def test_a_pattern_that_asks_for_a_dropped_key_is_refused():
    """It would never fit: the key is dropped before anything is compared."""
    with pytest.raises(ValueError, match=r"asks for id; list it under query_keys"):
        check_rules([Component(name="x", paths=("/a?page=x&id=7",))], ["page"])


def test_a_pattern_without_a_query_is_itself():
    """Patterns of paths stay as they were."""
    assert ("/a/**", ()) == parts_of_pattern("/a/**")
