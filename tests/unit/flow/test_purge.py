"""What nothing needs goes, by a plan; what waited too long goes by itself, and is never released."""

from datetime import timedelta

import pytest

from usage_stats.errors import ConfigError, InputError
from usage_stats.flow.purge import execute_purge, plan_purge
from usage_stats.flow.status import status_of

AGE = 70  # days


def _restricted(site, *parts):
    top = site.root.joinpath("restricted", *parts)
    return sorted(str(p.relative_to(site.root)) for p in top.rglob("*") if p.is_file())


def _held(site):
    return [name for part in ("events", "usage", "fingerprints") for name in _restricted(site, part)]


def _keys(site):
    return [p for kind in ("week", "month") for p in _restricted(site, "keys", "small", kind)]


def test_a_sound_workspace_has_nothing_to_purge(site, views, noon):
    """All that is held is needed: for open days, for open windows."""
    site.log("1.log", views(noon(1)) + views(noon(4)))
    site.run(noon(5))
    plan = plan_purge(site.workspace, noon(5))

    assert _held(site)
    assert [] == [named for files in plan.files.values() for named in files]


def test_leftovers_of_every_class_go_and_nothing_else(site, views, noon):
    """Files that crashes leave, one of each class, are listed by a plan that changes nothing, then deleted."""
    site.log("1.log", views(noon(1)) + views(noon(4)))
    site.run(noon(5))
    before, restricted = _restricted(site), site.root / "restricted"
    left = {
        "events": "events/day=2026-04-04/page_views-0123456789abcdef.parquet",
        "usage": "usage/week/day=2026-04-04/component_day.parquet",
        "temporary": "usage/week/day=2026-04-01/.network_day.partial",
        "keys": "keys/small/week/2026-W02.key",
    }
    for name in left.values():
        (restricted / name).parent.mkdir(parents=True, exist_ok=True)
        (restricted / name).write_bytes(b"x" * 32)
    plan = plan_purge(site.workspace, noon(5))
    assert {what: [(name, 32)] for what, name in left.items()} == {
        what: list(named) for what, named in plan.files.items() if named
    }
    assert len(before) + 4 == len(_restricted(site))
    execute_purge(site.workspace, noon(5), digest=plan.digest)

    ledger = ["restricted/ledgers/purges.head", "restricted/ledgers/purges.jsonl"]
    assert sorted([*before, *ledger]) == _restricted(site)
    entry = site.workspace.purges.entries()[-1]
    assert {"files": 1, "bytes": 32} == entry["purged"]["keys"]


def test_a_plan_that_is_out_of_date_is_refused(site, views, noon):
    """Another file since the plan: another digest, and nothing is deleted."""
    site.log("1.log", views(noon(1)))
    site.run(noon(2))
    digest = plan_purge(site.workspace, noon(2)).digest
    stray = site.root / "restricted" / "spill" / "late.tmp"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"rows")
    with pytest.raises(InputError, match="without --execute"):
        execute_purge(site.workspace, noon(2), digest=digest)

    assert stray.exists()


def test_what_waits_longer_than_the_maximum_age_goes_by_itself(site, views, noon):
    """A gap holds day 3 with its week and month; early enough it is said when they go; then all of it goes in a
    run, with the keys; the month is never released, and the missing log comes too late.
    """
    site.configure(retention={"maximum_age_days": AGE})
    site.log("1.log", views(noon(1)) + views(noon(3)))
    site.run(noon(6))
    assert 2 == len(_keys(site))
    late = noon(1) + timedelta(AGE)  # the month began 70 days ago: not older yet; the week began before it
    warned = status_of(site.workspace, noon(1) + timedelta(60))["expiring"]
    assert [("2026-W14", "2026-06-09"), ("2026-04", "2026-06-11")] == [(e["period"], e["on"]) for e in warned]
    assert [] == status_of(site.workspace, noon(1) + timedelta(50))["expiring"]
    first = site.run(late)
    assert ["2026-W14"] == [p.code for p in first.expired]
    assert ["2026-04"] == [e.period.code for e in first.expiring]
    second = site.run(late + timedelta(1))

    assert ["2026-04"] == [p.code for p in second.expired]
    assert [] == _held(site) + _keys(site)
    states = {r["period"]: r["state"] for r in status_of(site.workspace, late)["periods"]}
    assert ("expired", "expired") == (states["2026-W14"], states["2026-04"])
    out = site.releases()
    site.log("2.log", b"".join(views(noon(n)) for n in range(1, 31)))
    third = site.run(late + timedelta(2))
    assert {"late": 30 * 15} == third.ingested.outcomes
    assert out == site.releases()
    assert [] == _held(site) + _keys(site)


def test_an_archive_is_released_before_its_age_is_asked(site, views, noon):
    """Logs older than the maximum age, complete and read for the first time: what can be released is."""
    site.configure(retention={"maximum_age_days": AGE}, first_day="2026-04-01")
    site.log("all.log", b"".join(views(noon(n)) for n in range(1, 31)))
    site.run(noon(1) + timedelta(400))

    assert any("/2026-04/" in name for name in site.releases())
    assert [] == _keys(site)


def test_an_expiry_that_was_killed_is_ended_whatever_the_settings_say_then(site, views, noon):
    """The ledger says that a month expired, and its rows are still there: the next run deletes them."""
    site.log("1.log", views(noon(1)) + views(noon(3)))
    site.run(noon(6))
    for code in ("2026-W14", "2026-04"):
        site.workspace.released.append({"event": "expired", "period": code})
    site.run(noon(7))

    assert [] == _held(site) + _keys(site)


def test_purge_expires_what_is_overdue_as_the_plan_says(site, views, noon):
    """The plan names weeks and months that waited too long with their files; carried out, all of it is gone."""
    site.configure(retention={"maximum_age_days": AGE})
    site.log("1.log", views(noon(1)) + views(noon(3)))
    site.run(noon(6))
    late = noon(1) + timedelta(AGE + 1)
    plan = plan_purge(site.workspace, late)
    held = {name.removeprefix("restricted/") for name in _held(site) + _keys(site)}
    assert ("2026-W14", "2026-04") == plan.expired
    assert held == {name for name, _ in plan.files["expired"]}
    execute_purge(site.workspace, late, digest=plan.digest)

    assert [] == _held(site) + _keys(site)


def test_an_age_that_regular_periods_reach_is_refused(site):
    """Below a month, the longest grace and a week, what is in order would be deleted before its release."""
    site.configure(retention={"maximum_age_days": 30})

    with pytest.raises(ConfigError, match=r"retention\.maximum_age_days: .* 69"):
        _ = site.workspace
