"""Rules that ask for pairs of the query: figures as if each page had a path of its own."""

from datetime import UTC, datetime

import pytest

from usage_stats.flow import ingest as ingest_module

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
LATER = datetime(2026, 6, 1, 12, tzinfo=UTC)
# What is asked for, and the path of its own that it has in the twin.
PAGES = [
    ("/index.php?page=news", "/news"),
    ("/index.php?id=7&page=news&token=c4n4ry", "/news"),
    ("/index.php?page=%6eews", "/news"),
    ("/index.php?page=shop", "/shop"),
    ("/index.php?page=shop&part=basket", "/shop/basket"),
    ("/index.php?page=secret", "/elsewhere"),
    ("/index.php?page=news&page=shop", "/elsewhere"),
    ("/index.php?token=page", "/elsewhere"),
    ("/index.php?-", "/elsewhere"),
    ("/index.php?", "/elsewhere"),
    ("/index.php", "/elsewhere"),
    ("/other?page=news", "/elsewhere"),
    ("/index.php#?page=news", "/elsewhere"),
]
WITH_QUERY = [
    {"name": "news", "paths": ["/index.php?page=news"]},
    {
        "name": "shop",
        "paths": ["/index.php?page=shop"],
        "sub_components": [{"name": "basket", "paths": ["/index.php?part=basket"]}],
    },
]
WITH_PATHS = [
    {"name": "news", "paths": ["/news"]},
    {
        "name": "shop",
        "paths": ["/shop/**"],
        "sub_components": [{"name": "basket", "paths": ["/shop/basket"]}],
    },
]


@pytest.mark.parametrize("large", [0, 1 << 40], ids=["compiled", "exact"])
def test_a_query_tells_pages_apart_where_rules_ask_for_it(site, noon, tmp_path, large, monkeypatch):
    """Of listed keys, with the values that rules write out, and in no other way; nothing of a query is in a file."""
    monkeypatch.setattr(ingest_module, "_LARGE", large)
    when = noon(2).strftime("%d/%b/%Y:%H:%M:%S +0000")
    twin = site.copy(tmp_path / "twin")
    views = [(n, page) for page in range(len(PAGES)) for n in range(page, 14 + 3 * page)]
    for place, which in ((site, 0), (twin, 1)):
        place.log(
            "access.log",
            "".join(
                f'10.{n}.0.{page} - - [{when}] "GET {PAGES[page][which]} HTTP/1.1" 200 5 "-" "{AGENT}"\n'
                for n, page in views
            ).encode(),
        )
    site.configure(components=WITH_QUERY, query_keys=["page", "part"])
    twin.configure(components=WITH_PATHS)
    site.run(LATER)
    twin.run(LATER)
    figures, expected = (
        {name: content for name, content in place.releases().items() if name.endswith(".csv")}
        for place in (site, twin)
    )

    assert expected == figures
    assert any(b"news" in content for content in figures.values())
    assert not any(b"c4n4ry" in content for content in site.releases().values())
