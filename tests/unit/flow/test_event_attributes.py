"""Events with attributes, from log to seal: both paths alike, nothing of a value kept, no period across a change."""

import ipaddress
import json
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from usage_stats.deidentify import country as country_module
from usage_stats.dimensions import EVENT_ATTRIBUTES
from usage_stats.errors import ConfigError
from usage_stats.flow import ingest as ingest_module
from usage_stats.flow.calendar import calendar_of
from usage_stats.flow.ingest import event_files
from usage_stats.measure.table_spec import cube_of
from usage_stats.periods import day, week

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile/15 Safari/604.1"
FORMAT = '%a %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i"'
TABLES = {
    "components": {},
    "by_country": {"dimensions": ["component", "country"]},
    "by_group": {"dimensions": ["customer_group"], "audience": "analysts"},
    "by_referrer": {"dimensions": ["referrer"]},
    "by_device": {"dimensions": ["device", "browser"]},
}
SETTINGS = {
    "sources": [{"name": "web", "format": FORMAT, "trusted_proxies": ["10.0.0.0/8"]}],
    "tables": TABLES,
    "hosts": ["example.org"],
    "country_table": "countries.csv",
    "countries": ["DE", "FR"],
    "customer_groups": {"accounts": "groups.csv", "names": ["gold", "silver"]},
}
SOURCE = {"sources": [{"name": "web", "format": FORMAT}]}  # and nothing that needs an attribute
LATER = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _line(at, *, peer="198.51.100.7", account="-", referrer="-", agent=AGENT, chain="-"):
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{peer} - {account} [{when}] "GET / HTTP/1.1" 200 5 "{referrer}" "{agent}" "{chain}"\n'


# What a line says, and the codes it gets: referrer, browser, device, country, group.
CASES = [
    ({}, ("direct", "Firefox", "desktop", "DE", "(none)")),
    ({"account": "ada.l0ve"}, ("direct", "Firefox", "desktop", "DE", "gold")),
    ({"account": "c4n4ry"}, ("direct", "Firefox", "desktop", "DE", "(none)")),
    ({"referrer": "https://www.google.com/search?q=c4n4ry"}, ("search", "Firefox", "desktop", "DE", "(none)")),
    ({"referrer": "https://example.org/c4n4ry"}, ("internal", "Firefox", "desktop", "DE", "(none)")),
    ({"referrer": "https://c4n4ry.example/"}, ("other site", "Firefox", "desktop", "DE", "(none)")),
    ({"agent": IPHONE}, ("direct", "Safari", "phone", "DE", "(none)")),
    ({"agent": AGENT + " c4n4ry"}, ("direct", "Firefox", "desktop", "DE", "(none)")),
    ({"peer": "203.0.113.9"}, ("direct", "Firefox", "desktop", "(other)", "(none)")),
    ({"peer": "10.0.0.1", "chain": "192.0.2.77"}, ("direct", "Firefox", "desktop", "(other)", "(none)")),
    ({"peer": "10.0.0.1", "chain": "198.51.100.99"}, ("direct", "Firefox", "desktop", "DE", "(none)")),
    ({"referrer": r"https://example.org/\"c4n4ry"}, ("internal", "Firefox", "desktop", "DE", "(none)")),
]  # fmt: skip


@pytest.fixture
def lists(site):
    """The table of countries and the list of groups; a function that writes either anew."""

    def write(
        countries="198.51.100.0/24,DE,2026-01-01\n203.0.113.0/24,NL\n", groups="ada.l0ve,gold\neve,silver\n"
    ):
        (site.root / "countries.csv").write_text(countries)
        (site.root / "groups.csv").write_text(groups)
        (site.root / "groups.csv").chmod(0o600)

    # Networks for documentation are no public ones: the look-up itself is stood in for.
    write()
    return write


@pytest.fixture(autouse=True)
def _documented_networks_are_public(monkeypatch):
    def public(text):
        try:
            return ipaddress.ip_address(text.decode())
        except ValueError:
            return None

    monkeypatch.setattr(country_module, "_public_address", public)


def _events(site, of):
    files = event_files(site.workspace, "page_views", of)
    return [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize("large", [0, 1 << 40], ids=["compiled", "exact"])
def test_events_say_what_their_lines_said_in_a_few_words(site, noon, large, monkeypatch):
    """By either path, behind proxies or not; and no byte of the store holds what a line said."""
    monkeypatch.setattr(ingest_module, "_LARGE", large)
    site.configure(**SETTINGS)
    lines = [_line(noon(2).replace(second=n), **said) for n, (said, _) in enumerate(CASES)]
    site.log("access.log", "".join(lines).encode())
    site.run(noon(2))
    rows = sorted(_events(site, date(2026, 4, 2)), key=lambda row: row["viewed_at"])
    names = ("referrer", "browser", "device", "country", "customer_group")
    kept = b"".join(path.read_bytes() for path in (site.root / "restricted").rglob("*") if path.is_file())

    assert [codes for _, codes in CASES] == [tuple(row[name] for name in names) for row in rows]
    assert b"viewed_at" in kept
    assert [] == [
        word
        for word in (
            b"c4n4ry",
            b"example.org",
            b"google",
            b"Gecko",
            b"198.51",
            b"192.0.2",
            b"203.0.113",
            b"l0ve",
        )
        if word in kept
    ]


@pytest.mark.usefixtures("lists")
def test_accounts_that_are_not_used_are_in_no_group(site, noon):
    """A source that tells nobody apart by account counts nobody as a customer."""
    source = SETTINGS["sources"][0] | {"account": None}
    site.configure(**(SETTINGS | {"sources": [source]}))
    site.log("access.log", _line(noon(2), account="ada.l0ve").encode())
    site.run(noon(2))

    assert ["(none)"] == [row["customer_group"] for row in _events(site, date(2026, 4, 2))]


def test_nothing_is_read_while_a_list_is_missing_or_open(site, noon, lists):
    """Neither a list of accounts open to everybody, nor one or a table that is not there: nothing was read then."""
    site.configure(**SETTINGS)
    site.log("access.log", _line(noon(2)).encode())
    (site.root / "groups.csv").chmod(0o644)
    with pytest.raises(ConfigError, match="open to everybody"):
        site.run(noon(2))
    (site.root / "groups.csv").unlink()
    with pytest.raises(ConfigError, match=r"groups\.csv: cannot be read"):
        site.run(noon(2))
    lists()
    (site.root / "countries.csv").unlink()
    with pytest.raises(ConfigError, match=r"country_table: .*countries\.csv: no such file"):
        site.run(noon(2))

    assert [] == site.workspace.ingested.entries()


@pytest.mark.usefixtures("lists")
def test_lists_that_no_table_asks_for_are_not_read(site, noon):
    """Neither must they be there, nor do events or rules hang on them."""
    site.configure(**(SETTINGS | {"tables": {"components": {}}}))
    (site.root / "groups.csv").unlink()
    (site.root / "countries.csv").unlink()
    site.log("access.log", _line(noon(2)).encode())
    site.run(LATER)
    (sealed,) = site.workspace.sealed.entries()

    assert cube_of(site.workspace.config).digest == sealed["rules"]


def _rules(site):
    return {entry["day"]: entry["rules"] for entry in site.workspace.sealed.entries()}


def _told(calendar, period):
    """The attributes that a period's days tell throughout by one version."""
    return {one.partition("@")[0] for one in calendar.told_throughout(period) if "@" in one}


def _two_days(site, noon, change):
    """The calendar where `change` is made between two days."""
    site.configure(**SETTINGS)
    site.log("one.log", _line(noon(7)).encode())
    site.run(noon(7))
    change()
    site.log("two.log", _line(noon(8)).encode())
    site.run(LATER)
    return calendar_of(site.workspace, LATER)


TOLD = {name for table in TABLES.values() for name in table.get("dimensions", ())} & set(EVENT_ATTRIBUTES)
# What is changed between two days, and the attributes that the week then does not tell.
CHANGES = {
    "the table of countries": (
        {"country"},
        lambda site, lists: lists(countries="198.51.100.0/24,FR,2026-01-01\n"),
    ),
    "its day": (
        {"country"},
        lambda site, lists: lists(countries="198.51.100.0/24,DE,2026-02-01\n203.0.113.0/24,NL\n"),
    ),
    "the groups": ({"customer_group"}, lambda site, lists: lists(groups="ada.l0ve,silver\neve,silver\n")),
    "the countries": ({"country"}, lambda site, lists: site.configure(**(SETTINGS | {"countries": ["DE"]}))),
    "the hosts": ({"referrer"}, lambda site, lists: site.configure(**(SETTINGS | {"hosts": []}))),
    "the names of groups": (
        {"customer_group"},
        lambda site, lists: site.configure(
            **(SETTINGS | {"customer_groups": {"accounts": "groups.csv", "names": ["gold", "silver", "new"]}})
        ),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_week_across_a_change_does_not_tell_what_was_changed(site, noon, lists, what):
    """Whatever of what tells page views apart is changed: the week goes without, its days and all else do not."""
    lost, change = CHANGES[what]
    calendar = _two_days(site, noon, lambda: change(site, lists))

    assert TOLD - lost == _told(calendar, week(date(2026, 4, 8)))
    assert TOLD == _told(calendar, day(date(2026, 4, 7)))
    assert not calendar.is_mixed(week(date(2026, 4, 8)))


def test_a_week_across_a_change_of_query_keys_is_mixed(site, noon):
    """They decide where a page view belongs: no figure of such a week means one thing."""
    change = {"query_keys": ["page"]}
    calendar = _two_days_of(site, noon, SOURCE, SOURCE | change)

    assert calendar.is_mixed(week(date(2026, 4, 8)))
    assert not calendar.is_mixed(day(date(2026, 4, 8)))


def _two_days_of(site, noon, *settings):
    for n, some in enumerate(settings, 7):
        site.configure(**some)
        site.log(f"{n}.log", _line(noon(n)).encode())
        site.run(noon(n))
    site.run(LATER)
    return calendar_of(site.workspace, LATER)


def test_a_week_without_a_change_tells_everything(site, noon, lists):
    """Lists written anew with the same rows, settings in another order: nothing changed."""

    def same():
        lists(groups="eve,silver\n\nada.l0ve,gold\nada.l0ve,gold\n")
        site.configure(**(SETTINGS | {"countries": ["FR", "DE"]}))

    assert TOLD == _told(_two_days(site, noon, same), week(date(2026, 4, 8)))


def test_a_day_read_before_and_after_a_change_does_not_tell(site, noon, lists):
    """Also if every day of the week is: then all have the same versions, and still mean two things."""
    days = [date(2026, 4, n) for n in range(6, 13)]
    site.configure(**SETTINGS, seal_after_days=10)
    for turn, first in (("one", 1), ("two", 2)):
        site.log(f"{turn}.log", "".join(_line(noon(d.day).replace(second=first)) for d in days).encode())
        site.run(noon(12))
        lists(groups="ada.l0ve,silver\n")
    site.run(LATER)
    calendar = calendar_of(site.workspace, LATER)
    without = TOLD - {"customer_group"}

    assert [without, without] == [_told(calendar, day(days[0])), _told(calendar, week(days[0]))]


@pytest.mark.usefixtures("lists")
def test_what_was_not_asked_for_in_time_is_not_told(site, noon):
    """Lines read before a table asked for an attribute say nothing of it: sealed they can be, told not."""
    site.configure(**(SETTINGS | {"tables": {"components": {}}}))
    site.log("one.log", _line(noon(7)).encode())
    site.run(noon(7))
    site.configure(**SETTINGS)
    site.run(LATER)

    assert set() == _told(calendar_of(site.workspace, LATER), day(date(2026, 4, 7)))


@pytest.mark.usefixtures("lists")
def test_a_day_without_page_views_mixes_nothing(site, noon):
    """It was read under the same settings, and so has the same rules."""
    site.configure(**SETTINGS)
    robots = _line(noon(8), agent="curl/8.0")
    site.log("one.log", (_line(noon(7)) + robots + _line(noon(9))).encode())
    site.run(LATER)

    assert 3 == len(_rules(site))
    assert not calendar_of(site.workspace, LATER).is_mixed(week(date(2026, 4, 8)))


def test_who_uses_none_of_these_seals_as_ever(site, noon):
    """Also beside days that an earlier version sealed, whose ledger says nothing of classification."""
    site.configure(**SOURCE)
    site.log("one.log", _line(noon(7)).encode())
    site.run(noon(7))
    ledger = site.root / "restricted" / "ledgers" / "ingest.jsonl"

    assert {""} == {entry["classification"] for entry in site.workspace.ingested.entries()}
    assert b"classification" in ledger.read_bytes()

    site.run(LATER)

    assert {cube_of(site.workspace.config).digest} == set(_rules(site).values())


@pytest.mark.usefixtures("lists")
def test_nothing_tells_an_account_by_the_digest_of_its_list(site, noon, tmp_path):
    """The same list in another workspace has another digest: it is made under a key that no one else has."""
    twin = site.copy(tmp_path / "twin")
    found = []
    for place in (site, twin):
        place.configure(**SETTINGS)
        place.log("one.log", _line(noon(7)).encode())
        place.run(noon(7))
        found.append(json.dumps([e["attributes"] for e in place.workspace.ingested.entries()]))

    assert found[0] != found[1]
