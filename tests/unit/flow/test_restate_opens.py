"""Figures of opened e-mails are withdrawn and restated: recorded, by a plan, and never with other figures."""

import json
import shutil

import duckdb
import pytest

from usage_stats.errors import InputError, LedgerError
from usage_stats.flow.restate import Change, execute_change, plan_change
from usage_stats.flow.restate_words import describe_plan
from usage_stats.flow.status import status_of
from usage_stats.flow.words import describe_status

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
USES = ["internal_aggregate", "partner_aggregate", "email_measurement"]
EMAIL = {"opens": ["/o/{campaign}/{recipient}.gif"], "campaigns": ["spring-sale"]}
MONTH, WHY = "2026-04", "The list of campaigns was wrong"


@pytest.fixture
def later(noon):
    """A moment after which April is released."""
    return noon(30).replace(month=6)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the workspace of the first test lies as it was, for the others."""
    return tmp_path_factory.mktemp("kept") / "site"


@pytest.fixture
def out(site, noon, later, kept):
    """April's opens, released to the analysts; its visitors, to a partner too."""
    if not kept.exists():
        site.policy({"version": "1", "effective": "2010-01-01", "uses": USES})
        site.configure(tables={"components": {"periods": ["month"]}}, email=EMAIL)
        site.log("april.log", "".join(line for day in range(1, 31) for line in _lines(noon(day))).encode())
        site.run(later)
        site.copy(kept)
    shutil.rmtree(site.root)
    shutil.copytree(kept, site.root)
    return site


def _lines(at):
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    for n in range(15):
        for path in ("/", f"/o/spring-sale/recipient-{n}.gif"):
            yield f'10.0.{n}.7 - - [{when}] "GET {path} HTTP/1.1" 200 5 "-" "{AGENT}"\n'


def _change(site, now, event="withdrawn", period=MONTH, partner=None):
    change = Change(event, "email_opens", period, WHY, partner)
    return execute_change(site.workspace, change, now, digest=plan_change(site.workspace, change).digest)


def _asked(site, question):
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as database:
        return database.execute(question).fetchall()


def _opens(site):
    return _asked(site, "select * from email_opens order by all")


def _catalogue(site):
    return _asked(
        site, "select periods, periods_missing from catalog.tables where table_name = 'email_opens'"
    )


def _entries(site):
    return [e for e in site.workspace.released.entries() if e["event"] in {"withdrawn", "restated"}]


def test_withdrawn_opens_are_in_no_row_and_the_catalogue_says_so(out, later):
    """The month's rows go, its other figures stay, partners' folders are as they were; runs leave it so."""
    folders, visitors = out.releases(), _asked(out, "select * from components order by all")
    was_there = bool(_opens(out)), _catalogue(out)
    _change(out, later)
    out.workspace.warehouse.unlink()
    out.run(later)

    assert (True, [(1, 0)]) == was_there
    assert [] == _opens(out)
    assert [(0, 1)] == _catalogue(out)
    assert visitors == _asked(out, "select * from components order by all") != []
    assert folders == out.releases() != {}


def test_the_ledger_and_status_tell_of_it(out, later):
    """The entry says table, period, reason, and that it is for everybody; `status` says the same in words."""
    _change(out, later)
    (entry,) = _entries(out)
    text = describe_status(status_of(out.workspace, later))

    assert ("email_opens", MONTH, WHY, True, {}) == tuple(
        entry[key] for key in ("table", "period", "reason", "for_all", "partners")
    )
    assert f"withdrawn  {MONTH}, email_opens, for everybody (2026-06-30): {WHY}" in text.splitlines()


def test_opens_withdrawn_by_mistake_come_back_as_they_were(out, later):
    """The recorded figures once more, under the next number, and the catalogue counts them again."""
    before = _opens(out)
    _change(out, later)
    plan = _change(out, later, "restated")

    assert before == _opens(out)
    assert [(1, 0)] == _catalogue(out)
    assert 3 == plan.number


@pytest.mark.parametrize(
    ("event", "about", "words"),
    [
        ("withdrawn", {"partner": "acme"}, "never delivered"),
        ("withdrawn", {"period": "2026-05"}, "was not released"),
        ("withdrawn", {"period": "2026-W15"}, "was not released"),
        ("restated", {}, "is not withdrawn"),
        ("restated", {"partner": "acme"}, "never delivered"),
    ],
)
def test_what_cannot_be_changed_is_said(out, later, event, about, words):
    """No partner has opens, only months are released, and what is there needs no restatement: an error, no entry."""
    with pytest.raises(InputError, match=words):
        _change(out, later, event, **about)

    assert [] == _entries(out)


def test_opens_are_not_withdrawn_twice(out, later):
    """The second time there is nothing to withdraw."""
    _change(out, later)
    with pytest.raises(InputError, match="withdrawn already"):
        _change(out, later)


def test_opens_that_are_not_what_was_released_do_not_come_back(out, later):
    """A record that was edited stops the restatement before its entry."""
    _change(out, later)
    record = out.root / "restricted" / "released" / f"{MONTH}-email.json"
    record.write_bytes(record.read_bytes().replace(b"suppressed", b"published"))
    with pytest.raises(LedgerError, match="changed after its release"):
        _change(out, later, "restated")

    assert ["withdrawn"] == [entry["event"] for entry in _entries(out)]


def test_a_plan_for_opens_speaks_of_analysts_alone(out):
    """No partner ever has them: neither a folder nor partners to come are in the words."""
    plan = plan_change(out.workspace, Change("withdrawn", "email_opens", MONTH, WHY))
    lines = describe_plan(plan, executed=False).splitlines()

    assert "analysts   its rows go" in lines
    assert [] == [line for line in lines if line.startswith("folder") or "partner" in line]
    assert {} == json.loads(json.dumps(plan.to_json()))["partners"]
