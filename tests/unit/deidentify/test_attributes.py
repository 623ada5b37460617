"""What page views say beside when and where: the code of each value, and nothing else of it."""

import io
import ipaddress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_hits import BERLIN, CHROME, CLASSIFY, CURL, FIREFOX, columns, hit, key_of

from usage_stats.accesslog.forwarded import Proxies
from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary
from usage_stats.config import Config
from usage_stats.deidentify.attributes import Attributes, Lists
from usage_stats.deidentify.browser import BrowserClassifier
from usage_stats.deidentify.exclusion_lists import NOBODY
from usage_stats.deidentify.outcome import Judge
from usage_stats.deidentify.referrer import ReferrerClassifier
from usage_stats.deidentify.robots import Robots
from usage_stats.deidentify.strip import Stripper
from usage_stats.deidentify.visitors import Visitors
from usage_stats.dimensions import EVENT_ATTRIBUTES
from usage_stats.errors import InternalError
from usage_stats.schemas import PAGE_VIEWS, page_views_with

ROBOTS = Robots()  # takes a while to make; it is asked only
BROWSERS = BrowserClassifier()  # the same
HOSTS = ("example.org",)
IPHONE = (
    b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile Safari/604.1"
)


def _country(address):
    return {b"192.0.2.7": "DE", b"198.51.100.1": "FR", b"203.0.113.9": "NL"}.get(address, "unknown")


def _group(account):
    return {b"ada": "gold", b"eve": "silver"}.get(account, "(none)")


def _lists(countries=()):
    return Lists(HOSTS, _country, countries, _group, ("gold", "silver"))


def _strip(hits, names, *, make=PlainVocabulary, lists=None, proxies=None, batches=1):
    stripper = Stripper(
        Judge(CLASSIFY, ROBOTS, NOBODY, make),
        Visitors(key_of, make),
        lambda _: None,
        zone=BERLIN,
        attributes=Attributes(names, lists or _lists(), make),
    )
    for part in np.array_split(np.arange(len(hits)), batches):
        found = columns(*(hits[n] for n in part))
        stripper.take(proxies.look_behind(found) if proxies else found)
    return [day.page_views for day in stripper.drain().days]


HITS = st.builds(
    hit,
    address=st.sampled_from([b"192.0.2.7", b"198.51.100.1", b"203.0.113.9", b"::1", b"host.example"]),
    account=st.sampled_from([None, b"ada", b"eve", b"kim"]),
    agent=st.sampled_from([None, FIREFOX, CHROME, IPHONE, CURL, b"Odd/1.0 (Windows)"]),
    target=st.sampled_from([b"/", b"/news/a", b"/a.css", b"/shop/basket"]),
    status=st.sampled_from([200, 304, 404]),
    referrer=st.sampled_from(
        [None, b"https://www.google.com/?q=x", b"http://example.org/a", b"https://a.example/"]
    ),
)
COUNTRIES = st.sampled_from([(), ("DE",), ("FR", "unknown")])


def _expected(one, countries):
    family, device = BROWSERS.classify(one.agent)
    country = _country(one.address)
    return {
        "referrer": ReferrerClassifier(HOSTS).classify(one.referrer),
        "browser": family,
        "device": device,
        "country": country if not countries or country in countries else "(other)",
        "customer_group": "(none)" if one.account is None else _group(one.account),
    }


@settings(deadline=None)  # the first example loads the rules of browsers
@given(
    hits=st.lists(HITS, max_size=12),
    names=st.sets(st.sampled_from(EVENT_ATTRIBUTES)),
    countries=COUNTRIES,
    make=st.sampled_from([PlainVocabulary, CompiledVocabulary]),
    batches=st.integers(1, 3),
)
def test_each_page_view_has_the_code_of_its_own_values(hits, names, countries, make, batches):
    """As each classifier says of that hit alone, however hits are batched; and only what is asked for."""
    tables = _strip(hits, names, make=make, lists=_lists(countries), batches=batches)
    ordered = [name for name in EVENT_ATTRIBUTES if name in names]
    views = [h for h in hits if h.status != 404 and h.target != b"/a.css" and h.agent != CURL]
    views = [h for h in views if not ROBOTS.robot_class(h.agent or b"") or h.agent is None]
    expected = [{n: c for n, c in _expected(h, countries).items() if n in names} for h in views]

    assert expected == [{n: row[n] for n in ordered} for table in tables for row in table.to_pylist()]
    assert {page_views_with(ordered)} >= {table.schema for table in tables}


def test_no_attribute_is_no_column():
    """Where no table asks, events are as they ever were."""
    (table,) = _strip([hit(referrer=b"https://www.google.com/", account=b"ada")], ())

    assert PAGE_VIEWS == page_views_with(()) == table.schema


def test_the_country_is_that_of_the_client_behind_our_proxy():
    """A trusted proxy's own address says nothing of the visitor."""
    proxies = Proxies([ipaddress.ip_network("10.0.0.0/8")], 7, PlainVocabulary)
    hits = [
        hit(address=b"10.0.0.1", forwarded=b"198.51.100.1"),
        hit(address=b"192.0.2.7", forwarded=b"198.51.100.1"),
        hit(address=b"10.0.0.1"),
    ]
    (table,) = _strip(hits, {"country"}, proxies=proxies)

    assert ["FR", "DE", "unknown"] == table["country"].to_pylist()


def test_nothing_of_a_value_is_in_events_or_in_memory():
    """Neither the table on disk nor what is remembered between batches holds a byte of a canary."""
    agent = FIREFOX + b" c4n4ry-agent"
    one = hit(
        address=b"198.51.100.77", account=b"c4n4ry-account", agent=agent, referrer=b"http://c4n4ry.example/"
    )
    attributes = Attributes(EVENT_ATTRIBUTES, _lists(), PlainVocabulary)
    stripper = Stripper(
        Judge(CLASSIFY, ROBOTS, NOBODY, PlainVocabulary),
        Visitors(key_of, PlainVocabulary),
        lambda _: None,
        zone=BERLIN,
        attributes=attributes,
    )
    stripper.take(columns(one))
    (day,) = stripper.drain().days
    sink = io.BytesIO()
    pq.write_table(day.page_views, sink, compression="none")
    ipc = pa.BufferOutputStream()
    with pa.ipc.new_stream(ipc, day.page_views.schema) as writer:
        writer.write_table(day.page_views)
    remembered = repr([v._table.values.tolist() for v in attributes._verdicts.values()])  # noqa: SLF001 what it keeps
    held = sink.getvalue() + ipc.getvalue().to_pybytes() + remembered.encode() + repr(attributes).encode()

    assert 1 == len(day.page_views)
    assert [] == [word for word in (b"c4n4ry", b"198.51.100") if word in held]


def test_lists_show_nothing():
    """What a debugger prints of them has neither table nor accounts."""

    assert "function" not in repr(_lists())


@pytest.mark.parametrize("name", ["country", "customer_group"])
def test_what_has_no_list_cannot_be_told(name):
    """Settings are checked before: here it is a bug, never a silent code."""
    with pytest.raises(InternalError, match="this is a bug"):
        Attributes((name,), Lists(), PlainVocabulary)


def test_each_value_is_judged_once():
    """Of a million lines with one address, the table of countries is asked once, and once for no address."""
    asked = []
    lists = Lists(country_of=lambda address: asked.append(address) or "DE")
    _strip([hit(at=n) for n in range(100)], {"country"}, lists=lists, batches=4)

    assert [None, b"192.0.2.7"] == asked


def test_a_country_listed_twice_is_refused():
    """A code has one place."""
    with pytest.raises(ValueError, match="DE appears twice"):
        Config(site="s", countries=("DE", "DE"))
