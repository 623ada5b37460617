"""People are erased: nothing leads to them, nothing tells that they were there, and every figure stays sound."""

import json
import re
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.deidentify.pseudonym import (
    Pseudonymiser,
    account_identity,
    address_identity,
    cookie_identity,
)
from usage_stats.errors import InputError, LedgerError
from usage_stats.flow.erase import execute_erasure, plan_erasure
from usage_stats.flow.status import status_of
from usage_stats.flow.workspace import open_workspace
from usage_stats.periods import month, week

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SOURCE = {"name": "web", "logs": ["logs/*"], "format": "combined_cookie", "cookie": "visitor"}
COMPONENTS = [{"name": "home", "paths": ["/"]}, {"name": "news", "paths": ["/news/**"]}]
# One person of each basis, and how an operator writes them.
PERSONS = {
    "account": (("10.9.9.9", "zoe-quill", "-"), b"account zoe-quill\n", account_identity(b"zoe-quill")),
    "cookie": (
        ("10.9.9.9", "-", "c00kie-zoe"),
        b"cookie c00kie-zoe\n",
        cookie_identity(b"c00kie-zoe"),
    ),
    "address": (
        ("10.9.9.9", "-", "-"),
        b"address 10.9.9.9\t" + AGENT.encode() + b"\n",
        address_identity(b"10.9.9.9", AGENT.encode()),
    ),
}
SECRETS = (b"zoe", b"quill", b"c00kie", b"10.9.9.9", b"Firefox")


def _line(at, who, path="/", status=200):
    address, account, cookie = who
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return (
        f'{address} - {account} [{when}] "GET {path} HTTP/1.1" {status} 5 "-" "{AGENT}" "{cookie}"\n'.encode()
    )


def _crowd(at, visitors=15):
    """Others: two of them share the erased person's network."""
    hosts = [(f"10.{n // 200}.{n % 200}.7", "-", "-") for n in range(visitors)]
    hosts += [("10.9.9.1", "-", "-"), ("10.9.9.2", "bob", "-")]
    return b"".join(
        _line(at + timedelta(seconds=n), who, "/news/x" if n % 2 else "/") for n, who in enumerate(hosts)
    )


def _visits(at, who):
    """A page, a part of it, an error, another page after an hour."""
    return b"".join(
        (
            _line(at, who),
            _line(at, who, "/a.css"),
            _line(at, who, "/news/none", 404),
            _line(at + timedelta(hours=1), who, "/news/x"),
        )
    )


@pytest.fixture
def world(site):
    """A site with every identity basis, whose gaps are accepted."""
    site.configure(sources=[SOURCE], components=COMPONENTS, gaps="accept")
    return site


def _twin(site, name):
    """The same workspace elsewhere; its settings are those of the file."""
    return site.copy(site.root.with_name(name))


def _erase(site, text, now):
    plan = plan_erasure(site.workspace, text, now)
    return execute_erasure(site.workspace, text, now, digest=plan.digest)


def _pseudonyms_on_disk(site):
    """Every 64-bit number of every Parquet file of the restricted store, whatever the file is called."""
    found = set()
    for path in (site.root / "restricted").rglob("*"):
        if path.is_file() and path.read_bytes()[:4] == b"PAR1":
            rows = pq.ParquetFile(path).read()
            for column in rows.schema.names:
                if str(rows.schema.field(column).type) == "uint64":
                    found.update(rows[column].to_pylist())
    return found


def _pseudonyms_of(site, identity, days):
    """What a person is called in the windows of some days, by their keys, which must be there."""
    names = set()
    for of in days:
        for window in (week(of), month(of)):
            key = (site.root / f"restricted/keys/small/{window.kind}/{window.code}.key").read_bytes()
            names.update(Pseudonymiser(key, f"{window.kind}/{window.code}").of([identity]).tolist())
    return names


@pytest.mark.parametrize("basis", PERSONS)
def test_who_is_erased_before_the_seal_was_never_there(world, noon, basis):
    """Every figure of every period, and the shares by basis, are those of logs without this person's lines."""
    who, text, _ = PERSONS[basis]
    without = _twin(world, "without")
    for day in (1, 2):
        world.log(f"{day}.log", _crowd(noon(day)) + _visits(noon(day), who))
        without.log(f"{day}.log", _crowd(noon(day)))
    world.run(noon(2))
    counted = _twin(world, "counted")
    _erase(world, text, noon(2))
    for each in (world, without, counted):
        each.run(noon(20) + timedelta(30))

    assert any("2026-04/" in name for name in without.releases())
    assert without.releases() == world.releases()
    assert without.releases() != counted.releases()


@pytest.mark.parametrize("basis", PERSONS)
def test_what_is_sealed_keeps_its_figures_and_loses_the_person(world, noon, basis):
    """Day 1 is out when the person is erased: it stays, and so does what it adds to its week and month; with the keys
    still there, the person's pseudonyms are in no file. Day 3, not sealed, and day 4, read later, lack the person.
    """
    who, text, identity = PERSONS[basis]
    expected = _twin(world, "expected")
    for each, days in ((world, (1, 3)), (expected, (1,))):
        for day in (1, 3):
            each.log(f"{day}.log", _crowd(noon(day)) + (_visits(noon(day), who) if day in days else b""))
    for each in (world, expected):
        each.run(noon(4))
    out = world.releases()
    days = [noon(1).date(), noon(3).date()]
    called = _pseudonyms_of(world, identity, days)
    assert called & _pseudonyms_on_disk(world)
    _erase(world, text, noon(4))

    assert out == world.releases()
    assert set() == called & _pseudonyms_on_disk(world)
    world.log("4.log", _crowd(noon(4)) + _visits(noon(4), who))
    expected.log("4.log", _crowd(noon(4)))
    world.run(noon(5))
    assert set() == called & _pseudonyms_on_disk(world)
    for each in (world, expected):
        each.run(noon(20) + timedelta(30))
    assert out.items() <= world.releases().items()
    assert expected.releases() == world.releases()


def test_a_window_calls_the_erased_by_one_random_number(world, noon):
    """Two sealed days of a week still count one person; the month calls them something else; rows are in order."""
    who, text, _ = PERSONS["account"]
    for day in (1, 2):
        world.log(f"{day}.log", _crowd(noon(day)) + _visits(noon(day), who))
    world.run(noon(5))
    before, after = _persons(world), None
    _erase(world, text, noon(5))
    after = _persons(world)
    new = {kind: set.intersection(*map(set, after[kind])) - set().union(*before[kind]) for kind in after}

    assert [1, 1] == [len(new[kind]) for kind in ("week", "month")]
    assert new["week"] != new["month"]
    assert {k: [len(set(p)) for p in v] for k, v in before.items()} == {
        k: [len(set(p)) for p in v] for k, v in after.items()
    }
    assert all(day == sorted(day) for days in after.values() for day in days)


def _persons(site):
    usage = site.root / "restricted" / "usage"
    return {
        kind: [
            pq.ParquetFile(p).read()["person"].to_pylist()
            for p in sorted((usage / kind).rglob("component_day.parquet"))
        ]
        for kind in ("week", "month")
    }


def test_unknown_people_are_answered_like_known_ones(world, noon):
    """Plan, receipt and ledger tell nobody whether the erased were ever there."""
    world.log("1.log", _crowd(noon(1)) + _visits(noon(1), PERSONS["account"][0]))
    world.run(noon(2))
    other = _twin(world, "other")
    told = []
    for each, text in ((world, b"account zoe-quill\n"), (other, b"account nobody-at-all\n")):
        plan = plan_erasure(each.workspace, text, noon(2))
        receipt = execute_erasure(each.workspace, text, noon(2), digest=plan.digest)
        entries = each.workspace.erasures.entries()
        drawn = (plan.digest, receipt.number)
        told.append(re.sub("|".join(drawn), "", f"{plan.to_json()}{plan}{receipt}{entries}"))
        each.run(noon(20) + timedelta(30))
        told.append(json.dumps(status_of(each.workspace, noon(20))["lines"]))

    assert told[:2] == told[2:]
    assert b"zoe" not in repr((plan, told)).encode()


def test_the_same_files_are_written_anew_whoever_is_erased(world, noon):
    """Which files change would tell on which days a person came: all of them do."""
    world.log("1.log", _crowd(noon(1)))
    world.log("3.log", _crowd(noon(3)))
    world.run(noon(4))
    persons = [
        p for p in sorted((world.root / "restricted").rglob("*.parquet")) if p.name != "network_day.parquet"
    ]
    before = [p.stat().st_ino for p in persons]
    _erase(world, b"account nobody-at-all\n", noon(4))

    assert len(persons) == 4
    assert [] == [p for p, inode in zip(persons, before, strict=True) if p.stat().st_ino == inode]


def test_nothing_of_an_identifier_is_kept(world, noon):
    """Neither the store nor a ledger holds it, nor any plain hash of it that ours could be mistaken for."""
    world.log("1.log", _crowd(noon(1)))
    world.run(noon(4))
    _erase(world, b"".join(text for _, text, _ in PERSONS.values()), noon(4))
    kept = {p: p.read_bytes() for p in (world.root / "restricted").rglob("*") if p.is_file()}

    assert [] == [p for p, content in kept.items() if any(s in content for s in (*SECRETS[:3], b"10.9.9.9"))]
    assert 0o600 == (world.root / "restricted/keys/small/exclusion/visitors.key").stat().st_mode & 0o777


def test_an_address_is_left_out_until_the_windows_of_its_erasure_are_closed(world, noon):
    """Then another person may have it, who counts; an account stays left out."""
    text = PERSONS["address"][1] + PERSONS["account"][1]
    world.log("1.log", _crowd(noon(1)))
    world.run(noon(2))
    _erase(world, text, noon(2))
    assert world.workspace.exclusions().covers(PERSONS["address"][2])
    world.run(noon(20) + timedelta(30))
    world.run(noon(20) + timedelta(30))
    excluded = world.workspace.exclusions()

    assert [False, True] == excluded.excluded([PERSONS[b][2] for b in ("address", "account")])
    assert 1 == len(excluded)


@pytest.mark.parametrize("how", ["removed", "cut", "older"])
def test_nothing_is_read_while_it_is_unknown_who_is_left_out(world, noon, how):
    """The list is lost, damaged or put back from before: the run stops before a line is read."""
    world.log("1.log", _crowd(noon(1)))
    world.run(noon(2))
    path = world.root / "restricted" / "exclusions.json"
    _erase(world, b"account ann\n", noon(2))
    older = path.read_bytes()
    _erase(world, b"account zoe-quill\n", noon(2))
    {
        "removed": path.unlink,
        "cut": lambda: path.write_bytes(path.read_bytes()[:20]),
        "older": lambda: path.write_bytes(older),
    }[how]()
    world.log("2.log", _crowd(noon(2)))
    with pytest.raises(LedgerError, match=re.escape(str(path))):
        world.run(noon(3))

    assert 1 == len(world.workspace.ingested.entries())


def test_a_plan_that_is_out_of_date_is_refused(world, noon):
    """New lines, a seal, other identifiers or an erasure in between: another digest, and nothing happens."""
    world.log("1.log", _crowd(noon(1)))
    world.run(noon(2))
    text = b"account zoe-quill\n"
    plan = plan_erasure(world.workspace, text, noon(2))
    with pytest.raises(InputError, match="another digest"):
        execute_erasure(world.workspace, b"account ann\n", noon(2), digest=plan.digest)
    world.log("2.log", _crowd(noon(2)))
    world.run(noon(2))
    with pytest.raises(InputError, match="without --execute"):
        execute_erasure(world.workspace, text, noon(2), digest=plan.digest)
    second = plan_erasure(world.workspace, text, noon(2))
    execute_erasure(world.workspace, text, noon(2), digest=second.digest)
    with pytest.raises(InputError, match="another digest"):
        execute_erasure(world.workspace, text, noon(2), digest=second.digest)

    assert 1 == len(world.workspace.erasures.entries())


def test_rows_that_a_crash_left_go_too(world, noon):
    """A seal that was interrupted leaves usage rows of a day whose events are still there: erased from both."""
    who, text, identity = PERSONS["cookie"]
    world.log("1.log", _crowd(noon(1)) + _visits(noon(1), who))
    world.run(noon(2))
    interrupted = _twin(world, "interrupted")
    interrupted.run(noon(4))
    for kind in ("week", "month"):
        made = interrupted.root / "restricted/usage" / kind / "day=2026-04-01"
        left = world.root / "restricted/usage" / kind / "day=2026-04-01"
        left.mkdir(parents=True)
        for path in made.iterdir():
            (left / path.name).write_bytes(path.read_bytes())
        (left / ".component_day.partial").write_bytes((made / "component_day.parquet").read_bytes())
    called = _pseudonyms_of(world, identity, [noon(1).date()])
    assert called & _pseudonyms_on_disk(world)
    _erase(world, text, noon(2))

    assert set() == called & _pseudonyms_on_disk(world)


def test_what_is_erased_is_not_read_again_from_rotated_logs(world, noon):
    """The same lines in another file, with more behind them: those known are passed over, the new are left out."""
    who, text, identity = PERSONS["account"]
    without = _twin(world, "without")
    old, new = _crowd(noon(1)), _crowd(noon(1) + timedelta(hours=2), 17)
    world.log("1.log", old + _visits(noon(1), who))
    without.log("1.log", old)
    world.run(noon(1))
    without.run(noon(1))
    _erase(world, text, noon(1))
    (world.root / "logs/1.log").unlink()
    (without.root / "logs/1.log").unlink()
    world.log("1.log.1", old + _visits(noon(1), who) + new + _visits(noon(1) + timedelta(hours=3), who))
    without.log("1.log.1", old + new)
    for each in (world, without):
        each.run(noon(2))
    called = _pseudonyms_of(world, identity, [noon(1).date()])

    assert set() == called & _pseudonyms_on_disk(world)
    for each in (world, without):
        each.run(noon(20) + timedelta(30))
    assert without.releases() == world.releases()


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    visits=st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 12), st.sampled_from(sorted(PERSONS))), max_size=12
    ),
    erased_on=st.integers(1, 9),
    basis=st.sampled_from(sorted(PERSONS)),
)
def test_erasing_removes_exactly_what_was_not_sealed(tmp_path_factory, noon, visits, erased_on, basis):
    """Whoever came when, erased whenever: all releases are those of logs without the lines of days not sealed then."""
    from tests.unit.flow.conftest import Site  # noqa: PLC0415 pytest's conftest, by its path

    home = tmp_path_factory.mktemp("drawn")
    worlds = [Site(home / name) for name in ("erased", "expected")]
    for each in worlds:
        each.configure(sources=[SOURCE], components=COMPONENTS, gaps="accept")
    for today in range(1, 10):
        for number, each in enumerate(worlds):
            seen = [
                _visits(noon(day) + timedelta(minutes=n), PERSONS[b][0])
                for day, n, b in visits
                if day == today
                and not (number == 1 and b == basis and (day >= erased_on or day > erased_on - 3))
            ]
            each.log(f"{today}.log", _crowd(noon(today)) + b"".join(seen))
            each.run(noon(today))
        if today == erased_on:
            _erase(worlds[0], PERSONS[basis][1], noon(today))
    for each in worlds:
        each.run(noon(20) + timedelta(30))

    assert worlds[1].releases() == worlds[0].releases()
    assert np.any([len(each.releases()) for each in worlds])


def test_a_workspace_that_never_ran_can_leave_people_out(world, noon):
    """Somebody opts out before the first log is read."""
    who, text, _ = PERSONS["account"]
    without = _twin(world, "without")
    _erase(world, text, noon(1))
    world.log("1.log", _crowd(noon(1)) + _visits(noon(1), who))
    without.log("1.log", _crowd(noon(1)))
    for each in (world, without):
        each.run(noon(4))

    assert without.releases()
    assert without.releases() == world.releases()
    assert open_workspace(world.root).exclusions().kept_for_ever == 1
