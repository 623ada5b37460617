"""Opened e-mails from log lines to the analysts' file: counted as the lines say, and of no recipient a trace."""

import json
from collections import defaultdict
from datetime import UTC, datetime

import duckdb
import pyarrow.parquet as pq
import pytest

from usage_stats.deidentify.email_opens import OpenMatcher, open_class
from usage_stats.email_settings import EmailSettings
from usage_stats.errors import LedgerError
from usage_stats.flow import ingest as ingest_module
from usage_stats.flow.erase import execute_erasure, plan_erasure
from usage_stats.flow.words import describe_run, run_as_json

LATER = datetime(2026, 6, 8, 12, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
FORMAT = '%a %l %u %t "%r" %>s %b "%{User-Agent}i" "%{Sec-GPC}i"'
SOURCE = {"name": "web", "format": FORMAT}
SETTINGS = {"sources": [SOURCE], "tables": {"components": {"periods": ["month"]}}}
EMAIL = {
    "opens": ["/o/{campaign}/{recipient}.gif", "/open?c={campaign}&r={recipient}", "/n/{campaign}.png"],
    "campaigns": ["spring-sale", "tiny-news"],
}
USES = ["internal_aggregate", "partner_aggregate", "email_measurement"]
MINIMUM = 10


def _who(n):
    return f"recipient-{n:03}-q7xw"


def _line(at, path, *, n=1, agent=AGENT, status=200, method="GET", account="-", gpc="-"):
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'192.0.{n}.7 - {account} [{when}] "{method} {path} HTTP/1.1" {status} 5 "{agent}" "{gpc}"\n'


def _month(noon, lines_of_day):
    """Lines of each day of April, so that the month is complete."""
    return "".join(line for day in range(1, 31) for line in lines_of_day(noon(day)))


# The other tests go both ways already; what these ask of the outcomes of lines, kernel tests ask of both.
SLOW_IF_COMPILED = pytest.mark.parametrize(
    "path", ["exact", pytest.param("compiled", marks=pytest.mark.slow)], indirect=True
)


def _views(at):
    """Visitors, and requests that look like opens without being any."""
    yield from (_line(at, "/", n=n) for n in range(20))
    yield _line(at, "/o/spring-sale", n=3)
    yield _line(at, "/open?c=spring-sale", n=4)


def _opens(at):
    """Opens whose recipients return on other days, some through a proxy, some without a name."""
    for n in range(14):
        yield _line(at, f"/o/spring-sale/{_who(n)}.gif", n=200 + n)
        yield _line(at, f"/open?c=spring-sale&r={_who(n + at.day)}", n=90, agent=GMAIL, status=304)
        yield _line(at, f"/open?r={_who(n)}&c=secret-list-{n}", n=90, agent=GMAIL)
    yield from (_line(at, f"/o/tiny-news/{_who(n)}.gif", n=200 + n) for n in range(MINIMUM - 1))
    yield _line(at, "/n/spring-sale.png", n=8)


def _no_opens(at):
    """Requests for the same images that confirm nothing, or whose sender is to be left out."""
    yield _line(at, f"/o/tiny-news/{_who(900)}.gif", n=1, method="HEAD")
    yield _line(at, f"/o/tiny-news/{_who(901)}.gif", n=1, status=404)
    yield _line(at, f"/o/tiny-news/{_who(902)}.gif", n=1, gpc="1")
    yield _line(at, f"/open?c=tiny-news&r={_who(903)}", n=1, account="kim")


@pytest.fixture(params=["exact", "compiled"])
def path(request, monkeypatch):
    """Both ways of reading a log."""
    monkeypatch.setattr(ingest_module, "_LARGE", 0 if request.param == "compiled" else 1 << 40)


@pytest.fixture
def mailing(site):
    """A workspace that measures opens, and whose policy allows it."""
    site.policy({"version": "1", "effective": "2010-01-01", "uses": USES})
    site.configure(**SETTINGS, email=EMAIL)
    return site


def _ingest(site, text, now=LATER):
    site.log("access.log", text.encode())
    return site.run(now)


def _shown(site):
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as connection:
        sql = (
            "select campaign, open_class, recipients, opens, status from email_opens where period = '2026-04'"
        )
        return {tuple(row[:2]): row[2:] for row in connection.sql(sql).fetchall()}


def _brute_force(text):
    """(campaign, class) → (recipients, opens), line by line, from the text."""
    match, who, opens = OpenMatcher(EmailSettings(**EMAIL)), defaultdict(set), defaultdict(int)
    for line in text.splitlines():
        _, request, _, agent, _, _, _ = line.split('"')
        found = match(request.split(" ")[1].encode())
        if found:
            key = found.campaign, open_class(agent.encode())
            opens[key] += 1
            who[key] |= {found.recipient} - {None}
    return {key: (len(who[key]), n) for key, n in opens.items()}


def _restricted_and_released(site):
    """(is restricted, bytes) of all files but the logs; Parquet and the analysts' file also read out."""
    for file in sorted(site.root.rglob("*")):
        if not file.is_file() or file.parent.name == "logs":
            continue
        is_restricted = "restricted" in file.relative_to(site.root).parts
        yield is_restricted, file.read_bytes()
        if file.suffix == ".parquet":
            yield is_restricted, repr(pq.read_table(file).to_pydict()).encode()
        if file.suffix == ".duckdb":
            with duckdb.connect(str(file), read_only=True) as connection:
                for schema, name in connection.sql(
                    "select schema_name, table_name from duckdb_tables()"
                ).fetchall():
                    rows = connection.sql(f'from "{schema}"."{name}"').fetchall()
                    yield is_restricted, repr(rows).encode()


@pytest.mark.usefixtures("path")
def test_figures_are_those_of_a_count_of_the_lines(mailing, noon):
    """Whatever has enough recipients is published as counted from the text; all else is suppressed, zeros too."""
    text = _month(noon, _opens)
    _ingest(mailing, text + _month(noon, _views))
    expected = {
        key: (*found, "published") for key, found in _brute_force(text).items() if found[0] >= MINIMUM
    }
    found = _shown(mailing)

    assert {("spring-sale", "direct"), ("spring-sale", "image_proxy"), ("(other)", "image_proxy")} == set(
        expected
    )
    assert expected == {key: row for key, row in found.items() if row[2] == "published"}
    assert {(None, None, "suppressed")} == {row for row in found.values() if row[2] != "published"}
    assert 3 * 6 == len(found)
    assert ("tiny-news", "direct") in _brute_force(text)


@SLOW_IF_COMPILED
@pytest.mark.usefixtures("path")
def test_visitors_and_page_views_are_those_of_a_world_without_opens(mailing, noon, tmp_path):
    """Not a byte of a partner's files changes, and every line is accounted for."""
    twin = mailing.copy(tmp_path / "twin")
    _ingest(twin, _month(noon, _views))
    _ingest(mailing, _month(noon, lambda at: [*_views(at), *_opens(at)]))
    (outcomes,) = mailing.outcomes()

    assert twin.releases() == mailing.releases()
    assert any(b"published" in content for content in mailing.releases().values())
    assert sum(n for _, n in _brute_force(_month(noon, _opens)).values()) == outcomes["email_opens"]


@SLOW_IF_COMPILED
@pytest.mark.usefixtures("path")
def test_what_confirms_nothing_or_is_excluded_is_no_open(mailing, noon, tmp_path):
    """Unanswered requests keep their outcome; whoever opted out has no part: one more would reach the minimum."""
    accounts = tmp_path / "accounts"
    accounts.write_text("kim")
    accounts.chmod(0o600)
    mailing.configure(**SETTINGS, email=EMAIL, exclusions={"opt_out_accounts": str(accounts)})
    _ingest(mailing, _month(noon, lambda at: [*_views(at), *_opens(at), *_no_opens(at)]))
    (outcomes,) = mailing.outcomes()
    names = ("other_methods", "unsuccessful", "excluded.gpc", "excluded.opted_out")

    assert "suppressed" == _shown(mailing)["tiny-news", "direct"][2]
    assert [30] * 4 == [outcomes[name] for name in names]


@pytest.mark.usefixtures("path")
def test_no_recipient_and_no_pseudonym_of_one_is_on_any_byte(mailing, noon):
    """No recipient, before and after the seal, and no unlisted campaign; pseudonyms inside alone, and not for ever."""
    text = _month(noon, lambda at: [*_views(at), *_opens(at)])
    _ingest(mailing, _month(noon, lambda at: [*_views(at), *_opens(at)] if at.day < 21 else []), noon(21))
    events = list((mailing.root / "restricted").rglob("email_open*.parquet"))
    pseudonyms = {n for file in events for n in pq.read_table(file)["recipient"].to_pylist() if n is not None}
    before = list(_restricted_and_released(mailing))
    needles = [f"{n}".encode() for n in pseudonyms] + [
        n.to_bytes(8, order) for n in pseudonyms for order in ("big", "little")
    ]
    result = _ingest(mailing, text)
    said = describe_run(mailing.workspace, result, []) + json.dumps(run_as_json(result, []))
    contents = [*before, *_restricted_and_released(mailing), (False, said.encode())]

    assert {"email_opens", "email_open"} == {file.name.split("-")[0].split(".")[0] for file in events}
    assert len(pseudonyms) >= 30
    assert b"q7xw" in text.encode()
    assert [] == [content[:60] for _, content in contents if b"q7xw" in content or b"secret-list" in content]
    assert any(needle in content for is_restricted, content in before if is_restricted for needle in needles)
    assert not any(
        needle in content for is_restricted, content in contents if not is_restricted for needle in needles
    )
    assert [] == list((mailing.root / "restricted").rglob("email_open*.parquet"))


def test_the_policy_decides_and_says_so(mailing, noon):
    """One day's version without the use, and nothing of the month's opens is kept; all other figures are released."""
    said_no = {"email_measurement": "We do not track e-mails."}
    mailing.policy(
        {"version": "1", "effective": "2010-01-01", "uses": USES},
        {"version": "2", "effective": "2026-04-30", "uses": USES[:2], "sentences": said_no},
    )
    result = _ingest(mailing, _month(noon, lambda at: [*_views(at), *_opens(at)]))
    entries = mailing.workspace.released.entries()
    (month,) = [p for p in result.published if p.period.code == "2026-04"]

    assert {} == _shown(mailing)
    assert month.is_released
    assert "2026-04: version 2 does not allow email_measurement" in describe_run(
        mailing.workspace, result, []
    )
    assert ["2026-04"] == [e["period"] for e in entries if e["event"] == "forbidden"]
    assert [] == [e for e in entries if e["event"] == "opens_released"]
    assert [] == list((mailing.root / "restricted").rglob("*email*"))
    assert not mailing.run(LATER).published


def test_months_are_decided_on_without_tables_that_have_them(mailing, noon):
    """Opens are months whatever periods the tables come in, and a refusal is said all the same."""
    tables = {"components": {"periods": ["week"]}}
    mailing.configure(**SETTINGS | {"tables": tables}, email=EMAIL, partners=[])
    text = _month(noon, lambda at: [*_views(at), *_opens(at)])
    twin = mailing.copy(mailing.root.parent / "twin")
    twin.policy({"version": "1", "effective": "2010-01-01", "uses": USES[:2]})
    _ingest(mailing, text)

    assert "published" == _shown(mailing)["spring-sale", "direct"][2]
    assert "email_measurement" in describe_run(twin.workspace, _ingest(twin, text), [])


def test_a_late_open_and_a_second_run_change_nothing(mailing, noon):
    """What comes after its day was sealed is late, and what was released stays, byte for byte."""
    text = _month(noon, lambda at: [*_views(at), *_opens(at)])
    _ingest(mailing, text)
    shown, entries = _shown(mailing), mailing.workspace.released.entries()
    late = "".join(_line(noon(2), f"/o/tiny-news/{_who(500 + n)}.gif") for n in range(20))
    _ingest(mailing, text + late)
    mailing.workspace.warehouse.unlink()
    mailing.run(LATER)

    assert 20 == mailing.outcomes()[-1]["late"]
    assert "email_opens" not in mailing.outcomes()[-1]
    assert (shown, entries) == (_shown(mailing), mailing.workspace.released.entries())


def test_days_without_visitors_have_opens_too(mailing, noon):
    """A log of nothing but a mail's images is counted like any other."""
    text = _month(noon, _opens)
    _ingest(mailing, text)

    assert (*_brute_force(text)["spring-sale", "image_proxy"], "published") == _shown(mailing)[
        "spring-sale", "image_proxy"
    ]


def test_a_changed_record_stops_the_run(mailing, noon):
    """The ledger vouches for the figures: none that was edited is shown."""
    _ingest(mailing, _month(noon, _opens))
    record = mailing.root / "restricted" / "released" / "2026-04-email.json"
    record.write_bytes(record.read_bytes().replace(b"suppressed", b"published"))
    with pytest.raises(LedgerError, match="was changed after its release"):
        mailing.run(LATER)

    assert "suppressed" in {row[2] for row in _shown(mailing).values()}


def test_without_patterns_nothing_of_opens_is_there(site, noon):
    """No column, no file, no table: images of mails are what they were."""
    site.configure(**SETTINGS)
    _ingest(site, _month(noon, lambda at: [*_views(at), *_opens(at)]))
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as connection:
        tables = {name for (name,) in connection.sql("select table_name from duckdb_tables()").fetchall()}

    assert "email_opens" not in tables | set(site.outcomes()[0])
    assert [] == list((site.root / "restricted").rglob("*email*"))


def test_opens_of_a_month_begun_without_patterns_are_not_released(site, noon):
    """Figures of a part of a month would pass for those of all of it."""
    site.policy({"version": "1", "effective": "2010-01-01", "uses": USES})
    site.configure(**SETTINGS)
    _ingest(site, _month(noon, lambda at: _views(at) if at.day < 5 else []), noon(10))
    site.configure(**SETTINGS, email=EMAIL)
    _ingest(site, _month(noon, lambda at: [*_views(at), *_opens(at)]))

    assert {} == _shown(site)


def test_an_erasure_leaves_opens_as_they_are_and_who_is_erased_out(mailing, noon):
    """They are no recipient; later opens that carry the erased account are not counted."""

    def account_opens(at):
        return [_line(at, f"/o/tiny-news/{_who(n)}.gif", account="zoe") for n in range(20)]

    _ingest(mailing, _month(noon, lambda at: [*_views(at), *_opens(at)] if at.day < 10 else []), noon(10))
    given, held = b"account zoe\n", sorted((mailing.root / "restricted").rglob("email_open*.parquet"))
    before = [pq.read_table(file) for file in held]
    execute_erasure(
        mailing.workspace, given, noon(10), digest=plan_erasure(mailing.workspace, given, noon(10)).digest
    )
    after = [pq.read_table(file) for file in held]
    _ingest(
        mailing,
        _month(noon, lambda at: [*_views(at), *_opens(at), *(account_opens(at) if at.day > 9 else [])]),
    )

    assert {"email_open.parquet"} < {file.name for file in held}
    assert before == after
    assert "suppressed" == _shown(mailing)["tiny-news", "direct"][2]
