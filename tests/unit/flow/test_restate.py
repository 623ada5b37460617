"""What was delivered is withdrawn or restated: recorded, never silent, never with other figures."""

import json
import shutil
from datetime import timedelta

import duckdb
import pytest

from usage_stats.errors import DifferencingFailed, InputError, LedgerError
from usage_stats.flow.released import ReleasedViews, released_periods, stored_release
from usage_stats.flow.restate import Change, execute_change, plan_change
from usage_stats.flow.restate_words import describe_plan
from usage_stats.flow.status import status_of
from usage_stats.flow.words import describe_status
from usage_stats.periods import parse_period
from usage_stats.release.folders import PACKAGE
from usage_stats.release.pooled import audit_releases
from usage_stats.release.verify import verify

DAY = "2026-04-06"
WHY = "The list of robots was wrong"


@pytest.fixture
def out(site, views, noon):
    """One day, delivered to two partners."""
    site.configure(partners=[{"id": "acme"}, {"id": "other"}])
    site.log("6.log", views(noon(6)))
    site.run(noon(9))
    return site


def _change(site, now, event="withdrawn", table="components", period=DAY, reason=WHY, partner=None):
    change = Change(event, table, period, reason, partner)
    digest = plan_change(site.workspace, change).digest
    return execute_change(site.workspace, change, now, digest=digest)


def _package(site, partner="acme", period=DAY):
    return json.loads(site.releases()[f"{partner}/components/{period}/{PACKAGE}"])["usage_stats"]


def _events(site, *kinds):
    return [e for e in site.workspace.released.entries() if e["event"] in kinds]


def _analysts(site, question):
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as database:
        return database.execute(question).fetchall()


def test_a_withdrawn_folder_is_a_notice_without_figures(out, noon):
    """The columns stay and no row does; the package says since when, why, and what it takes the place of."""
    before = out.releases()
    _change(out, noon(10))
    after, told = out.releases(), _package(out)
    lines = after[f"acme/components/{DAY}/components.csv"].splitlines()

    assert after.keys() == {name for name in before if not (DAY in name and name.endswith("report.html"))}
    assert before[f"acme/components/{DAY}/components.csv"].splitlines()[:1] == lines
    assert ("withdrawn", 0, "withdrawn") == (told["status"], told["rows"], told["identity_basis_shares"])
    assert ("2026-04-10", WHY) == (told["withdrawal"]["on"], told["withdrawal"]["reason"])
    assert [e["files"][PACKAGE] for e in _events(out, "delivered")[:1]] == [told["withdrawal"]["supersedes"]]


def test_a_withdrawal_is_recorded_and_never_undone_by_a_run(out, views, noon):
    """The entry says table, period, partners and reason; runs leave the notice, and restore it if it is lost."""
    _change(out, noon(10))
    notices = {n: c for n, c in out.releases().items() if DAY in n}
    shutil.rmtree(out.root / "releases" / "acme")
    out.configure(partners=[{"id": "acme"}, {"id": "other"}, {"id": "late"}])
    out.log("7.log", views(noon(7)))
    out.run(noon(11))
    (entry,) = _events(out, "withdrawn")

    assert ("components", DAY, WHY, True) == tuple(entry[k] for k in ("table", "period", "reason", "for_all"))
    assert {"acme", "other"} == set(entry["partners"])
    assert notices == {n: c for n, c in out.releases().items() if DAY in n}
    assert "late/components/2026-04-07/components.csv" in out.releases()


def test_analysts_lose_the_rows_and_are_told(out, noon):
    """No row of it is left, and the catalogue says that it was withdrawn."""
    assert _analysts(out, "select count(*) from components")[0][0]
    _change(out, noon(10))

    assert [(0,)] == _analysts(out, "select count(*) from components")
    assert [("withdrawn", 0, 1)] == _analysts(
        out, "select state, tables, tables_withdrawn from catalog.periods"
    )
    assert [(0, 1)] == _analysts(
        out, "select periods, periods_missing from catalog.tables where kind = 'table'"
    )


def test_one_partners_folder_can_be_withdrawn_alone(out, noon):
    """The other partner and the analysts keep theirs."""
    before = out.releases()
    _change(out, noon(10), partner="acme")
    out.run(noon(11))
    after = out.releases()

    assert {f"acme/components/{DAY}/{n}" for n in ("components.csv", "components.parquet", PACKAGE)} == {
        name for name in before if name in after and before[name] != after[name]
    }
    assert {f"acme/components/{DAY}/report.html"} == before.keys() - after.keys()
    assert _analysts(out, "select count(*) from components")[0][0]


def test_what_was_withdrawn_stays_in_what_attackers_know(out, noon):
    """Later figures are protected beside the figures that were out, whatever became of the folders."""
    week = parse_period("2026-W15")
    before = ReleasedViews(out.workspace, released_periods(out.workspace)).around(week)
    _change(out, noon(10))

    assert before
    assert before == ReleasedViews(out.workspace, released_periods(out.workspace)).around(week)


def test_partners_can_verify_a_notice_and_nothing_passes_for_one(out, noon):
    """It passes, named as withdrawn; a notice that has rows does not; an audit leaves it out."""
    _change(out, noon(10), partner="acme")
    verdicts = {v.path.parts[-3]: v for v in verify([out.root / "releases"])}

    assert [(True, True), (True, False)] == [
        (verdicts[name].passed, verdicts[name].is_withdrawn) for name in ("acme", "other")
    ]
    assert [1] == [audit.folders for audit in audit_releases([out.root / "releases"])]
    folder = out.root / "releases" / "other" / "components" / DAY
    package = folder / PACKAGE
    package.write_text(package.read_text().replace('"status": "published"', '"status": "withdrawn"'))
    assert not verify([folder])[0].passed


def test_status_tells_what_was_withdrawn(out, noon):
    """Period, table, from whom, when and why."""
    _change(out, noon(10), partner="acme")
    text = describe_status(status_of(out.workspace, noon(11)))

    assert f"withdrawn  {DAY}, components, for acme (2026-04-10): {WHY}" in text.splitlines()


def test_a_plan_changes_nothing_and_another_is_not_executed(out, noon):
    """Only the digest of exactly this plan has it done; the words say it."""
    before = out.releases()
    change = Change("withdrawn", "components", DAY, WHY)
    plan = plan_change(out.workspace, change)

    assert plan.digest in describe_plan(plan, executed=False)
    for other in (
        Change("withdrawn", "components", DAY, "Another reason"),
        Change("withdrawn", "components", DAY, WHY, "acme"),
    ):
        with pytest.raises(InputError, match="another digest"):
            execute_change(out.workspace, other, noon(10), digest=plan.digest)
    assert before == out.releases()
    assert [] == _events(out, "withdrawn", "restated")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": "nothing"}, "tables are: components"),
        ({"period": "2026-04-31"}, "is written as"),
        ({"period": "2026-04-07"}, "was not released"),
        ({"partner": "nobody"}, "never delivered"),
        ({"reason": "two\nlines"}, "one line"),
        ({"reason": " "}, "one line"),
    ],
)
def test_what_cannot_be_changed_is_said(out, noon, change, words):
    """An error with what is wrong, and no entry."""
    with pytest.raises(InputError, match=words):
        _change(out, noon(10), **change)

    assert [] == _events(out, "withdrawn", "restated")


def test_nothing_is_withdrawn_twice(out, noon):
    """The second time there is nothing to withdraw."""
    _change(out, noon(10))
    with pytest.raises(InputError, match="withdrawn already"):
        _change(out, noon(10))


def test_a_restatement_is_a_numbered_edition_with_the_same_figures(out, noon):
    """New terms and columns, the same figures; the package says its number, why, and what it supersedes."""
    table = {"components": {"measures": ["visitors", "visits", "page_views", "reach"]}}
    first = json.loads(json.dumps(_events(out, "delivered")[0]["files"]))
    out.configure(tables=table, partners=[{"id": "acme", "agreement": "Contract 7"}, {"id": "other"}])
    _change(out, noon(10), event="restated", partner="acme", reason="With reach")
    told = _package(out)
    lines = out.releases()[f"acme/components/{DAY}/components.csv"].decode().splitlines()
    out.run(noon(11))

    assert {"number": 2, "on": "2026-04-10", "reason": "With reach", "supersedes": first[PACKAGE]} == told[
        "restatement"
    ]
    assert ("published", "Contract 7") == (told["status"], told["agreement"])
    assert "period,component,sub_component,visitors,visits,page_views,reach,status" == lines[0]
    assert f"{DAY},_T,_T,15,15,15,1.0,published" == lines[1]
    assert all(v.passed for v in verify([out.root / "releases" / "acme"]))
    assert told == _package(out)


def test_what_was_withdrawn_by_mistake_comes_back_by_a_restatement(out, noon):
    """With the same figures as ever, for partners and analysts, under the next number."""
    csv = f"acme/components/{DAY}/components.csv"
    before, rows = out.releases()[csv], _analysts(out, "select * from components order by all")
    _change(out, noon(10))
    _change(out, noon(11), event="restated", reason="The list was right")

    assert before == out.releases()[csv]
    assert 3 == _package(out)["restatement"]["number"]
    assert rows == _analysts(out, "select * from components order by all")


def test_a_restatement_with_another_figure_is_refused_and_recorded(out, noon, monkeypatch):
    """Whoever kept the old folder would subtract: refused by table and period, without a figure, and on record."""

    def one_more(workspace, period, digest):
        release = stored_release(workspace, period, digest)
        rows = tuple((*row[:4], row[4] + 1, *row[5:]) if row[4] else row for row in release.rows)
        return type(release)(release.period, rows, release.facts, release.overlaps)

    monkeypatch.setattr("usage_stats.flow.restate.stored_release", one_more)
    before = out.releases()
    with pytest.raises(DifferencingFailed, match=f"components, {DAY}: ") as caught:
        _change(out, noon(10), event="restated")

    assert "15" not in str(caught.value).replace(DAY, "")
    assert before == out.releases()
    assert [
        {"event": "restatement_refused", "table": "components", "period": DAY, "reason": "DifferencingFailed"}
    ] == (_events(out, "restatement_refused"))


def test_a_lost_record_stops_releases_however_old_it_is(out, views, noon):
    """The ledger vouches for every cell ever published: without a record, nothing new is released."""
    record = out.workspace.restricted / "released" / f"{DAY}.json"
    record.write_bytes(record.read_bytes().replace(b"15", b"16", 1))
    out.log("7.log", views(noon(7)))
    with pytest.raises(LedgerError, match="changed after its release"):
        out.run(noon(10) + timedelta(1))

    assert [DAY] == [e["period"] for e in _events(out, "released")]


def test_the_ledger_says_what_a_decision_rests_on(out):
    """Of each release: tables and audiences, population, thresholds, policy, software, and the digest of the record."""
    (entry,) = _events(out, "released")

    assert {"components": "partners"} == entry["tables"]
    assert "visitors" == entry["population"]
    assert 10 == entry["thresholds"]["minimum_persons"]
    assert {"1"} == set(entry["policy"])
    assert entry["software"].startswith("usage-stats ")
    assert entry["sha256"] == released_periods(out.workspace)[parse_period(DAY)]


def test_pages_drawn_after_a_withdrawal_do_not_tell_what_was_withdrawn(out, views, noon):
    """Those of later days, and those that are restated for that; what is out stays as it was until then."""
    for day in (7, 8):
        out.log(f"{day}.log", views(noon(day)))
    out.run(noon(11))
    seventh, name = "2026-04-07", "acme/components/2026-04-07/report.html"
    before = out.releases()[name]
    _change(out, noon(12))
    kept = out.releases()[name]
    _change(out, noon(12), "restated", period=seventh, reason="Without the day before")
    after = out.releases()[name]

    assert before == kept
    assert b"on the day before" in before
    assert b"on the day before" not in after
    assert all(verdict.passed for verdict in verify([out.root / "releases"]))
