import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_stats.config import OTHER, Component, SubComponent
from usage_stats.deidentify.generalise import PathClass, PathClassifier, classify_target

SHOP = Component(
    name="shop",
    paths=("/shop/**",),
    sub_components=(
        SubComponent(name="reviews", paths=("/shop/products/*/reviews",)),
        SubComponent(name="products", paths=("/shop/products/**",)),
    ),
)
COMPONENTS = (
    Component(name="home", paths=("/", "/index.html")),
    Component(name="special", paths=("/news/special",)),
    Component(name="news", paths=("/news/**",)),
    SHOP,
    Component(name="years", paths=("/archive/*/index",)),
    Component(name="plus", paths=("/c++/**", "/a.b", "/(x)")),
    Component(name="abroad", paths=("/über/**",)),
)
classify = PathClassifier(COMPONENTS, ("css", "PDF", "png", "gz"))
KNOWN = {
    (c.name, s)
    for c in COMPONENTS
    for s in ([x.name for x in c.sub_components] + [OTHER] if c.sub_components else [None])
}
PIECES = st.sampled_from(["a", "ab", "b", "", "a.b", "*", "**", "%"])


def _component(target):
    path = classify_target(target)
    return None if path is None else classify(path).component


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/a/b", b"/a/b"),
        (b"/a?mail=x@example.org", b"/a"),
        (b"/a#part", b"/a"),
        (b"/a;jsessionid=0815", b"/a"),
        (b"/a;x/b;y?z#w", b"/a"),
        (b"/?a/b", b"/"),
        (b"/caf%C3%A9", "/café".encode()),
        (b"/%61%2Fb", b"/a/b"),
        (b"/a%3Fb", b"/a?b"),  # an encoded question mark is part of the path
        (b"/a%3Bb", b"/a;b"),
        (b"/a%23b", b"/a#b"),
        (b"/%2561", b"/%61"),  # decoded once, as a server does
        (b"/a%", b"/a%"),
        (b"/a%zz", b"/a%zz"),
        (b"/%00%ff", b"/\0\xff"),
        (b"//a///b//", b"/a/b/"),
        (b"/%2f%2Fa", b"/a"),
        (b"/a+b", b"/a+b"),
    ],
)
def test_what_of_a_target_is_its_path(target, path):
    """Query, fragment and parameters go; what is encoded is read once; slashes in a row are one."""
    assert path == classify_target(target)


@pytest.mark.parametrize(
    "target", [b"http://elsewhere.example/", b"https://x/", b"*", b"", b"example.org:443", b"a/b", b"?a"]
)
def test_what_is_no_path_of_ours(target):
    """Proxy requests, tunnels and `*` ask for nothing on this site."""
    assert classify_target(target) is None


@pytest.mark.parametrize(
    ("target", "component"),
    [
        (b"/", "home"),
        (b"/index.html", "home"),
        (b"/index.htm", OTHER),
        (b"/news", "news"),
        (b"/news/", "news"),
        (b"/news/2026/march", "news"),
        (b"/news/special", "special"),  # the first rule that fits
        (b"/news/special/", "news"),
        (b"/news-archive", OTHER),  # another segment
        (b"/newsletter/a", OTHER),
        (b"/News", OTHER),  # paths are case-sensitive
        (b"/old/news/a", OTHER),  # a rule begins at the root
        (b"/archive/2026/index", "years"),
        (b"/archive//index", OTHER),  # slashes in a row are one, so there is no year
        (b"/archive/2026/03/index", OTHER),  # a star stays within its segment
        (b"/archive/2026/index/", OTHER),
        (b"/c++/a", "plus"),
        (b"/ccc/a", OTHER),
        (b"/a.b", "plus"),
        (b"/axb", OTHER),  # signs in a rule are themselves
        (b"/(x)", "plus"),
        (b"/x", OTHER),
        (b"/%C3%BCber/uns", "abroad"),
        (b"/news%2Fa", "news"),
        (b"//news//a", "news"),
        (b"/news;v=1/a", "news"),
        (b"/news/a%0Ab", "news"),
        (b"/nothing/of/this", OTHER),
    ],
)
def test_the_first_rule_that_fits_decides(target, component):
    """Rules are read in order; a path that none names is `(other)`."""
    assert component == _component(target)


@pytest.mark.parametrize(
    ("path", "sub"),
    [
        (b"/shop/products/12/reviews", "reviews"),
        (b"/shop/products/12", "products"),
        (b"/shop/products", "products"),
        (b"/shop/products/12/34/reviews", "products"),
        (b"/shop", OTHER),
        (b"/shop/basket", OTHER),
        (b"/news/a", None),
        (b"/nothing", None),
    ],
)
def test_sub_components_only_where_some_are_defined(path, sub):
    """Within a component with parts, what no part names is its `(other)`; elsewhere there is no part."""
    assert sub == classify(path).sub_component


@pytest.mark.parametrize(
    ("path", "is_asset"),
    [
        (b"/a.css", True),
        (b"/a.CSS", True),
        (b"/a.pdf", True),  # the configured spelling does not matter either
        (b"/a.tar.gz", True),
        (b"/.css", True),
        (b"/a.css/", False),
        (b"/a.css/b", False),
        (b"/css", False),
        (b"/a.", False),
        (b"/a.html", False),
        (b"/.well-known/x", False),
        (b"/.htaccess", False),
        (b"/v1.2", False),
        (b"/", False),
    ],
)
def test_assets_are_told_by_the_extension(path, is_asset):
    """The last segment's extension decides, in any case of letters; a folder's dot does not."""
    assert is_asset == classify(path).is_asset


def test_an_asset_of_a_component_is_an_asset():
    """Which component it belongs to does not make a file a page."""
    assert PathClass(is_asset=True, component="news", sub_component=None) == classify(b"/news/a.png")


@given(target=st.binary(max_size=40) | st.binary(max_size=40).map(lambda b: b"/" + b))
@example(b"/shop/\n")
def test_only_known_words_come_out(target):
    """Whatever is asked for, what is kept is a configured name or `(other)`: nothing of the target."""
    path = classify_target(target)
    found = None if path is None else classify(path)

    assert found is None or (found.component, found.sub_component) in KNOWN | {(OTHER, None)}


@settings(deadline=None)
@given(
    pattern=st.lists(PIECES, min_size=1, max_size=4).map(lambda p: "/" + "/".join(p)),
    path=st.lists(st.sampled_from(["a", "ab", "b", "", "a.b", "%"]), min_size=1, max_size=4).map(
        lambda p: "/" + "/".join(p)
    ),
)
@example("/a/**", "/a")
@example("/a/**", "/ab")
@example("/**", "/")
@example("/a/*", "/a/")
def test_patterns_mean_what_the_starter_says(pattern, path):
    """`*` is anything within one segment, `/**` at the end any rest or none, all else itself."""
    rule = PathClassifier((Component(name="x", paths=(pattern,)),), ())

    assert _fits(pattern, path) == ("x" == rule(path.encode()).component)


def _fits(pattern, path):
    """The same, letter by letter."""
    if pattern.endswith("/**"):
        ends = [n for n in range(len(path) + 1) if path[n:] == "" or path[n] == "/"]
        return any(_fits(pattern[:-3], path[:n]) for n in ends)
    if not pattern:
        return not path
    if pattern.startswith("**"):
        return any(_fits(pattern[2:], path[n:]) for n in range(len(path) + 1))
    if pattern.startswith("*"):
        segment = len(path.split("/", 1)[0])
        return any(_fits(pattern[1:], path[n:]) for n in range(segment + 1))
    return path[:1] == pattern[0] and _fits(pattern[1:], path[1:])
