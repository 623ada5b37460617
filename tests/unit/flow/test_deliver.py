"""Who receives what, whole or not at all, and under which policy."""

import json
import shutil
from datetime import timedelta

import duckdb
import pytest

from usage_stats.errors import LedgerError
from usage_stats.flow.restate import Change, execute_change, plan_change
from usage_stats.release.export import release_files
from usage_stats.release.verify import verify

INTERNAL, PARTNER = "internal_aggregate", "partner_aggregate"


def _version(name, effective, *uses):
    return {"version": name, "effective": effective, "uses": uses}


def _week(site, views, noon):
    """Logs of Monday, 6 to Sunday, 12 April 2026."""
    for number in range(6, 13):
        site.log(f"{number}.log", views(noon(number), 15 + number))


def _periods(site):
    return sorted({name.split("/")[2] for name in site.releases()})


def _in_analysts_file(site):
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as database:
        return sorted(p for (p,) in database.execute("select distinct period from components").fetchall())


DAYS = [f"2026-04-{n:02}" for n in range(6, 13)]


def test_a_policy_that_allows_no_partner_use_keeps_the_folders_back(site, views, noon):
    """Refused, with the version and the reason; the analysts' file, which is internal, is built all the same."""
    site.policy(_version("house", "2010-01-01", INTERNAL))
    _week(site, views, noon)
    result = site.run(noon(20))

    assert {} == site.releases()
    assert {f"acme/components/{code}" for code in (*DAYS, "2026-W15")} == set(result.delivered.refused)
    assert all(
        "version house" in why and PARTNER in why for why in map(str, result.delivered.refused.values())
    )
    assert [*DAYS, "2026-W15"] == _in_analysts_file(site)


def test_one_day_under_a_policy_that_forbids_keeps_back_every_period_with_it(site, views, noon):
    """Thursday's policy did not allow it: neither Thursday nor the week is delivered, the other days are."""
    site.policy(
        _version("1", "2010-01-01", INTERNAL, PARTNER),
        _version("2", "2026-04-09", INTERNAL),
        _version("3", "2026-04-10", INTERNAL, PARTNER),
    )
    _week(site, views, noon)
    result = site.run(noon(20))

    assert [d for d in DAYS if d != "2026-04-09"] == _periods(site)
    assert {"acme/components/2026-04-09", "acme/components/2026-W15"} == set(result.delivered.refused)


def test_a_later_version_does_not_widen_what_was_collected_before(site, views, noon):
    """Partners receive the days of the version that allows it, none from before, however long it is in force."""
    site.policy(_version("1", "2010-01-01", INTERNAL))
    _week(site, views, noon)
    site.run(noon(11))
    site.policy(_version("1", "2010-01-01", INTERNAL), _version("2", "2026-04-10", INTERNAL, PARTNER))
    site.run(noon(20))

    assert ["2026-04-10", "2026-04-11", "2026-04-12"] == _periods(site)


def test_a_later_version_that_forbids_takes_nothing_back(site, views, noon):
    """What was delivered stays, and is restored should it get lost: the days were collected under what allowed it."""
    site.log("6.log", views(noon(6)))
    site.run(noon(20))
    before = site.releases()
    site.policy(_version("1", "2010-01-01", INTERNAL, PARTNER), _version("2", "2026-05-01", INTERNAL))
    shutil.rmtree(site.root / "releases" / "acme")
    site.run(noon(21))

    assert before
    assert before == site.releases()


def test_a_release_names_the_versions_it_rests_on(site, views, noon):
    """Each once, in the order in which they came into force."""
    site.policy(
        _version("1", "2010-01-01", INTERNAL, PARTNER), _version("2", "2026-04-09", INTERNAL, PARTNER)
    )
    _week(site, views, noon)
    site.run(noon(20))
    package = json.loads(site.releases()["acme/components/2026-W15/datapackage.json"])

    assert ["1", "2"] == package["usage_stats"]["policy_versions"]


def test_a_partner_that_comes_later_receives_all_it_is_due(site, views, noon):
    """The same figures as the others, of the periods its settings name."""
    _week(site, views, noon)
    site.run(noon(20))
    acme = {"id": "acme"}
    site.configure(partners=[acme, {"id": "new", "periods": ["week"]}])
    result = site.run(noon(21))
    releases = site.releases()
    csv = "components/2026-W15/components.csv"

    assert (1, 8) == (result.delivered.written, result.delivered.unchanged)
    assert [f"new/{csv}"] == [name for name in releases if name.startswith("new/") and name.endswith(".csv")]
    assert releases[f"acme/{csv}"] == releases[f"new/{csv}"]


def test_a_table_of_fewer_dimensions_is_a_cut_of_the_same_figures(site, views, noon):
    """Two tables never disagree: what is withheld in one is withheld in the other."""
    components = [{"name": "home", "paths": ["/"], "sub_components": [{"name": "top", "paths": ["/"]}]}]
    tables = {"full": {}, "brief": {"dimensions": ["component"]}}
    site.configure(
        components=components, tables=tables, partners=[{"id": "acme", "tables": ["full", "brief"]}]
    )
    site.log("6.log", views(noon(6)))
    site.run(noon(20))
    full, brief = (
        site.releases()[f"acme/{name}/2026-04-06/{name}.csv"].decode().splitlines()
        for name in ("full", "brief")
    )

    rows = [row.split(",") for row in full]

    assert [[*row[:2], *row[3:]] for row in rows if row[2] in {"_T", "sub_component"}] == [
        row.split(",") for row in brief
    ]
    assert len(full) > len(brief)


def test_a_lost_folder_that_would_be_written_otherwise_now_is_an_error(site, views, noon, monkeypatch):
    """A partner has other bytes: they are not replaced behind its back."""
    site.log("6.log", views(noon(6)))
    site.run(noon(20))
    name = "acme/components/2026-04-06"
    shutil.rmtree(site.root / "releases" / name)
    monkeypatch.setattr(
        "usage_stats.flow.deliver.release_files", lambda *_: {"components.csv": b"another version"}
    )

    with pytest.raises(LedgerError, match="Restore the folder from a backup"):
        site.run(noon(21))
    assert {} == site.releases()


def test_a_lost_folder_from_before_there_were_pages_comes_back_as_an_edition(site, views, noon, monkeypatch):
    """It cannot be written as it was: the refusal says what to do, and doing it delivers the same figures, told as what
    they are, with which every later run agrees.
    """

    def as_of_old(*given):
        files = {name: content for name, content in release_files(*given).items() if name != "report.html"}
        package = json.loads(files["datapackage.json"])
        package["resources"] = [r for r in package["resources"] if r["path"] in files]
        del package["usage_stats"]["agreement"]
        return files | {"datapackage.json": json.dumps(package).encode()}

    site.log("6.log", views(noon(6)))
    with monkeypatch.context() as patch:
        patch.setattr("usage_stats.flow.deliver.release_files", as_of_old)
        site.run(noon(20))
    before, command = site.releases(), "usage-stats restate components 2026-04-06 --partner acme --reason"
    unchanged = site.run(noon(20)).delivered.unchanged
    shutil.rmtree(site.root / "releases" / "acme")
    with pytest.raises(LedgerError, match=command):
        site.run(noon(21))
    change = Change("restated", "components", "2026-04-06", "The folder was lost", "acme")
    execute_change(site.workspace, change, noon(21), digest=plan_change(site.workspace, change).digest)
    csv, after = "acme/components/2026-04-06/components.csv", site.releases()
    told = json.loads(after["acme/components/2026-04-06/datapackage.json"])["usage_stats"]

    assert 1 == unchanged
    assert before[csv] == after[csv]
    assert (2, "The folder was lost") == (told["restatement"]["number"], told["restatement"]["reason"])
    assert (0, 1) == ((done := site.run(noon(22)).delivered).written, done.unchanged)
    assert [True] == [verdict.passed for verdict in verify([site.root / "releases"])]


def test_folders_appear_whole(site, views, noon, monkeypatch):
    """Writing fails in the middle: no folder is there, not even half of one, and the next run writes it."""
    site.log("6.log", views(noon(6)))

    def full_disk(_path, _content, **_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("usage_stats.flow.place_folder.write_whole", full_disk)
        with pytest.raises(OSError, match="No space left"):
            site.run(noon(20))
    visible = [
        p.name for p in (site.root / "releases").rglob("*") if p.is_file() and ".partial" not in str(p)
    ]
    site.run(noon(20) + timedelta(1))

    assert [] == visible
    assert ["2026-04-06"] == _periods(site)
