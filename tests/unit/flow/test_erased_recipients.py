"""An erased recipient of e-mails: figures as if the mail had never been opened by them, and no trace."""

import json
from datetime import UTC, datetime

import duckdb
import pyarrow.parquet as pq
import pytest

from usage_stats.flow.erase import execute_erasure, plan_erasure

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
EMAIL = {"opens": ["/o/{campaign}/{recipient}.gif"], "campaigns": ["spring-sale"]}
USES = ["internal_aggregate", "partner_aggregate", "email_measurement"]
MIDDLE, LATER = datetime(2026, 4, 20, 12, tzinfo=UTC), datetime(2026, 6, 8, 12, tzinfo=UTC)
ERASED = "zoe-quill@q7xw"


def _lines(noon, days, *, without=()):
    for day in days:
        when = noon(day).strftime("%d/%b/%Y:%H:%M:%S +0000")
        who = [f"r{n}-q7xw" for n in range(14)] + ["zoe-quill%40q7xw"] * 2
        for n, recipient in enumerate(w for w in who if w not in without):
            request = f"GET /o/spring-sale/{recipient}.gif HTTP/1.1"
            yield f'192.0.{n}.7 - - [{when}] "{request}" 200 5 "-" "{AGENT}"\n'
        yield from (f'192.0.{n}.7 - - [{when}] "GET / HTTP/1.1" 200 5 "-" "{AGENT}"\n' for n in range(20))


@pytest.fixture
def mailing(site):
    """A workspace that measures opens, and whose policy allows it."""
    site.policy({"version": "1", "effective": "2010-01-01", "uses": USES})
    site.configure(email=EMAIL)
    return site


def _shown(site):
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as connection:
        return sorted(connection.sql("select * from email_opens where recipients is not null").fetchall())


def _recipients(site):
    """Every recipient's number in what is held."""
    files = [*site.root.rglob("email_opens-*.parquet"), *site.root.rglob("email_open.parquet")]
    return [n for f in files for n in pq.read_table(f)["recipient"].to_pylist()]


def test_figures_are_those_of_a_world_without_their_opens(mailing, noon, tmp_path):
    """Whether a day was sealed by then or not, and whatever comes later: of opens, nothing is out within a month."""
    twin = mailing.copy(tmp_path / "twin")
    mailing.log("a.log", "".join(_lines(noon, range(1, 20))).encode())
    mailing.run(MIDDLE)
    before = _recipients(mailing)
    given = b"recipient " + ERASED.encode()
    plan = plan_erasure(mailing.workspace, given, MIDDLE)
    receipt = execute_erasure(mailing.workspace, given, MIDDLE, digest=plan.digest)
    after = _recipients(mailing)
    mailing.log("b.log", "".join(_lines(noon, range(20, 31))).encode())
    mailing.run(LATER)
    twin.log("a.log", "".join(_lines(noon, range(1, 31), without=["zoe-quill%40q7xw"])).encode())
    twin.run(LATER)

    assert len(set(before)) == len(set(after)) + 1 == 15
    assert {"account": 0, "cookie": 0, "address": 0, "recipient": 1} == receipt.counts
    assert _shown(twin) == _shown(mailing) != []
    assert ERASED not in json.dumps(receipt.to_json())


def test_others_stay_and_opens_of_nobody_too(mailing, noon):
    """A recipient who never opened anything: the same files are written, with the same rows."""
    mailing.configure(email=EMAIL | {"opens": [*EMAIL["opens"], "/n/{campaign}.png"]})
    when = noon(3).strftime("%d/%b/%Y:%H:%M:%S +0000")
    nobodys = f'192.0.2.7 - - [{when}] "GET /n/spring-sale.png HTTP/1.1" 200 5 "-" "{AGENT}"\n' * 3
    mailing.log("a.log", ("".join(_lines(noon, [2, 19])) + nobodys).encode())
    mailing.run(MIDDLE)
    before = sorted(map(str, _recipients(mailing)))
    plan = plan_erasure(mailing.workspace, b"recipient nobody", MIDDLE)
    execute_erasure(mailing.workspace, b"recipient nobody", MIDDLE, digest=plan.digest)

    assert before == sorted(map(str, _recipients(mailing)))
    assert "None" in before
