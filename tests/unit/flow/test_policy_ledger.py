"""What policy.yaml said when figures came to rest on it: held to that, and to nothing more."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.errors import ConfigError, LedgerError
from usage_stats.flow.policy_ledger import PolicyLedger
from usage_stats.ledger import Ledger
from usage_stats.policy import Policy

NOW = datetime(2026, 5, 1, tzinfo=UTC)
INTERNAL, PARTNER = "internal_aggregate", "partner_aggregate"
ONE = {"version": "1", "effective": "2010-01-01", "uses": [INTERNAL]}
TWO = {"version": "2", "effective": "2026-04-09", "uses": [INTERNAL, PARTNER]}
THREE = {"version": "3", "effective": "2026-06-01", "uses": []}


@pytest.fixture
def ledger(tmp_path):
    """Opens the ledger beside a policy of some versions, as the next run does."""

    def ledger(*versions):
        policy = Policy(versions=versions)
        return PolicyLedger(Ledger(tmp_path / "policy.jsonl"), policy, file=Path("policy.yaml"))

    return ledger


@pytest.fixture
def refusal(ledger):
    """Why a policy of some versions is refused."""

    def refusal(*versions):
        with pytest.raises(ConfigError) as caught:
            ledger(*versions).check()
        return str(caught.value)

    return refusal


def _changed(version, /, **changes):
    return {**version, **changes}


def test_a_policy_that_nothing_rests_on_may_be_edited(ledger):
    """Before the first day is sealed, everything may be put right."""
    ledger(ONE).check()
    ledger(TWO).check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"uses": [INTERNAL, PARTNER]}, "uses"),
        ({"uses": []}, "uses"),
        ({"effective": "2010-01-02"}, "effective"),
        ({"sentences": {PARTNER: "We may."}}, "sentences"),
    ],
    ids=str,
)
def test_a_version_that_figures_rest_on_is_never_another(ledger, refusal, changes, named):
    """Wider or narrower, earlier or later, or with another sentence: told with what it was, and the remedy."""
    ledger(ONE, TWO).remember(date(2026, 4, 10), NOW)
    message = refusal(_changed(ONE, **changes), TWO)

    assert f"policy.yaml: version 1 was changed ({named})" in message
    assert "in force from 2010-01-01 and allowed: internal_aggregate" in message
    assert "add a new version with an `effective` date after 2026-04-10" in message


def test_a_version_that_figures_rest_on_is_never_gone(ledger, refusal):
    """Nor renamed."""
    ledger(ONE, TWO).remember(date(2026, 4, 10), NOW)

    assert "version 2 is gone" in refusal(ONE)
    assert "version 2 is gone" in refusal(ONE, _changed(TWO, version="2b"))


@pytest.mark.parametrize("effective", ["1999-01-01", "2026-03-01", "2026-04-10"])
def test_no_version_is_put_before_what_is_settled(ledger, refusal, effective):
    """Neither between two, nor before the first, nor on the last settled day itself."""
    ledger(ONE, TWO).remember(date(2026, 4, 10), NOW)
    message = refusal(ONE, TWO, _changed(THREE, effective=effective))

    assert f"version 3 begins on {effective}, but days up to 2026-04-10 are settled" in message
    assert "after that day" in message


def test_a_day_without_a_version_is_settled_too(ledger, refusal):
    """Nothing was in force: a version that comes later does not begin earlier."""
    ledger(THREE).remember(date(2026, 4, 10), NOW)

    assert "version 1 begins on 2010-01-01" in refusal(ONE, THREE)


def test_a_new_version_begins_the_day_after(ledger):
    """The remedy helps; and until its day is settled, it may be changed."""
    ledger(ONE).remember(date(2026, 4, 10), NOW)
    ledger(ONE, _changed(TWO, effective="2026-04-11")).check()
    ledger(ONE, _changed(TWO, effective="2026-04-11", uses=[])).check()
    ledger(ONE, _changed(TWO, effective="2026-04-11")).remember(date(2026, 4, 11), NOW)

    with pytest.raises(ConfigError, match="version 2 was changed"):
        ledger(ONE, _changed(TWO, effective="2026-04-11", uses=[])).check()


def test_what_is_settled_is_written_once(ledger, tmp_path):
    """A run with nothing new adds nothing, nor does a day before the last settled one."""
    ledger(ONE).remember(date(2026, 4, 10), NOW)
    before = (tmp_path / "policy.jsonl").read_bytes()
    ledger(ONE).remember(date(2026, 4, 10), NOW)
    ledger(ONE).remember(date(2026, 4, 1), NOW)

    assert before == (tmp_path / "policy.jsonl").read_bytes()
    assert ["version", "settled"] == [e["event"] for e in Ledger(tmp_path / "policy.jsonl").entries()]


def test_a_crash_between_the_entries_is_taken_up(ledger, tmp_path, monkeypatch):
    """Versions first, then the day: what is written twice or not at all would settle days under nothing."""
    append, written = Ledger.append, []

    def killed(opened, entry):
        if written:
            raise KeyboardInterrupt
        written.append(entry)
        append(opened, entry)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            ledger(ONE, TWO).remember(date(2026, 4, 10), NOW)
    ledger(ONE, TWO).check()
    ledger(ONE, TWO).remember(date(2026, 4, 10), NOW)

    assert [("version", "1"), ("version", "2"), ("settled", None)] == [
        (e["event"], e.get("version")) for e in Ledger(tmp_path / "policy.jsonl").entries()
    ]


DAY = st.dates(date(2026, 3, 1), date(2026, 4, 15))
VERSIONS = st.dictionaries(
    DAY, st.sampled_from([(), (INTERNAL,), (INTERNAL, PARTNER)]), min_size=1, max_size=4
)


def _policy(versions):
    return Policy(versions=[{"version": str(d), "effective": d, "uses": u} for d, u in versions.items()])


@given(old=VERSIONS, new=VERSIONS, settled=DAY)
def test_no_accepted_policy_answers_otherwise_for_a_settled_day(tmp_path_factory, old, new, settled):
    """Whatever is written into policy.yaml later: accepted, it says the same of every settled day; and if it differs
    only after that day, it is accepted.
    """
    path = tmp_path_factory.mktemp("ledger") / "policy.jsonl"
    PolicyLedger(Ledger(path), _policy(old), file=Path("policy.yaml")).remember(settled, NOW)
    try:
        PolicyLedger(Ledger(path), _policy(new), file=Path("policy.yaml")).check()
        is_accepted = True
    except ConfigError:
        is_accepted = False
    before = [{d: set(u) for d, u in versions.items() if d <= settled} for versions in (old, new)]

    assert is_accepted == (before[0] == before[1])


# ---------------------------------------------------------------- in a workspace


def test_an_edited_version_stops_the_run_before_it_reads(site, views, noon):
    """New logs lie there: none is read, nothing is sealed or released; put back as it was, the run goes on."""
    site.policy(ONE)
    site.log("6.log", views(noon(6)))
    site.run(noon(10))
    site.log("7.log", views(noon(7)))
    before = site.outcomes()
    site.policy(_changed(ONE, uses=[INTERNAL, PARTNER]))
    with pytest.raises(ConfigError, match=r"policy\.yaml: version 1 was changed"):
        site.run(noon(20))

    assert before == site.outcomes()
    site.policy(ONE)
    assert ["2026-04-07"] == [p.period.code for p in site.run(noon(20)).published]


def test_a_version_may_be_edited_until_its_first_day_is_sealed(site, views, noon):
    """Lines that were read are in no figure yet: the version in force when their day is sealed governs them."""
    site.policy(ONE)
    site.log("6.log", views(noon(6)))
    site.run(noon(7))
    site.policy(_changed(ONE, uses=[INTERNAL, PARTNER]))
    site.run(noon(10))

    assert any(name.startswith("acme/components/2026-04-06/") for name in site.releases())


def test_a_workspace_of_before_is_held_to_the_policy_that_it_has(site, views, noon):
    """Its days were settled before versions were remembered: the next run remembers what it finds."""
    site.policy(ONE)
    site.log("6.log", views(noon(6)))
    site.run(noon(10))
    ledgers = site.root / "restricted" / "ledgers"
    for name in ("policy.jsonl", "policy.head", "releases.jsonl", "releases.head"):
        (ledgers / name).unlink(missing_ok=True)
    site.run(noon(10))
    site.policy(_changed(ONE, uses=[]))

    with pytest.raises(ConfigError, match="version 1 was changed"):
        site.run(noon(10))


def test_a_lost_ledger_of_versions_stops_the_run(site, views, noon):
    """Releases say which versions they rest on: without the ledger, nobody could hold the policy to them."""
    site.log("6.log", views(noon(6)))
    site.run(noon(10))
    for path in (site.root / "restricted" / "ledgers").glob("policy.*"):
        path.unlink()
    with pytest.raises(LedgerError, match="ledger of policy versions is lost"):
        site.run(noon(11))
