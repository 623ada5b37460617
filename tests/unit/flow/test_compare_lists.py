import json
import stat
from datetime import UTC, datetime

import pytest
import yaml

from usage_stats.errors import ConfigError, InputError, LedgerError, PolicyViolation
from usage_stats.flow.compare_lists import compare_lists
from usage_stats.flow.workspace import open_workspace
from usage_stats.mailing.address_list import AddressList

NOW = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)  # the first of May in Berlin
SMALL, ENOUGH = 99, 400


@pytest.fixture
def root(tmp_path):
    """A workspace in Berlin whose policy allows comparing lists from May 2026 on."""
    root = tmp_path / "workspace"
    root.mkdir()
    settings = {"site": "small", "time_zone": "Europe/Berlin", "partners": [{"id": "acme", "tables": []}]}
    versions = [
        {"version": "old", "effective": "2020-01-01", "uses": ["internal_aggregate"]},
        {"version": "new", "effective": "2026-05-01", "uses": ["internal_aggregate", "list_comparison"]},
    ]
    (root / "usage_stats.yaml").write_text(yaml.safe_dump(settings))
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


@pytest.fixture
def ask(root, tmp_path):
    """Compare p0…, as many as are ours, with as many of theirs, of which the first `shared` are ours too."""

    def _ask(ours=ENOUGH, theirs=ENOUGH, shared=200, **options):
        own = [f"P{n}@x.example" for n in range(ours)]
        other = [f"p{n}@x.example" if n < shared else f"q{n}@x.example" for n in range(theirs)]
        lists = []
        for name, people in (("ours", own), ("theirs", other)):
            (tmp_path / name).write_text("\n".join(people))
            lists.append(AddressList(tmp_path / name))
        options = {"now": NOW, "do_not_send": tmp_path / "do-not-send", **options}
        return compare_lists(open_workspace(root), *lists, **options)

    return _ask


def _ledger(root):
    path = root / "restricted" / "ledgers" / "comparisons.jsonl"
    return [json.loads(line)["entry"] for line in path.read_text().splitlines()] if path.exists() else []


def test_the_list_is_the_senders_alone(ask, tmp_path):
    """Mode 0600, whatever the umask; our spelling, in our order; nothing beside it."""
    ask(shared=3)
    place = tmp_path / "do-not-send"

    assert b"P0@x.example\nP1@x.example\nP2@x.example\n" == place.read_bytes()
    assert 0o600 == stat.S_IMODE(place.stat().st_mode)
    assert {"workspace", "ours", "theirs", "do-not-send"} == {p.name for p in tmp_path.iterdir()}


def test_without_a_partner_nobody_is_answered(ask, root):
    """Small lists too: an opt-out of one person is honoured. It is remembered without a count."""
    answer = ask(ours=3, theirs=2, shared=1).answer

    assert (None, "not_asked", None) == (answer.partner, answer.status, answer.count)
    assert [(None, "not_asked", None, False)] == [
        (e["partner"], e["status"], e["count"], e["is_drawn"]) for e in _ledger(root)
    ]


@pytest.mark.parametrize("sizes", [{"ours": SMALL}, {"theirs": SMALL}])
def test_small_lists_are_refused_where_a_count_is_asked_for(ask, root, tmp_path, sizes):
    """Fewer than ten times the minimum persons: nothing is compared for anyone, nothing is written."""
    with pytest.raises(InputError, match="fewer than 100 different addresses"):
        ask(**sizes, shared=50, partner="acme")

    assert not (tmp_path / "do-not-send").exists()
    assert [] == _ledger(root)


@pytest.mark.parametrize(
    ("shared", "status"), [(0, "withheld"), (9, "withheld"), (200, "at_least"), (395, "withheld")]
)
def test_a_number_rests_on_enough_persons_on_each_side(ask, shared, status):
    """On both lists, and on each alone."""
    answer = ask(shared=shared, partner="acme").answer

    assert status == answer.status
    assert (answer.count is None) == (status == "withheld")
    assert answer.count is None or 110 <= answer.count <= 200


def test_the_policy_of_today_decides(ask, root, tmp_path):
    """In the zone of the workspace; the version that forbids it is named, and nothing is written or remembered."""
    with pytest.raises(
        PolicyViolation, match="version old, in force on 2026-04-30, does not allow list_comparison"
    ):
        ask(now=NOW.replace(hour=12))
    with pytest.raises(PolicyViolation, match="no version is in force on 2019-04-30"):
        ask(now=NOW.replace(year=2019, hour=12))

    assert not (tmp_path / "do-not-send").exists()
    assert [] == _ledger(root)
    assert "not_asked" == ask().answer.status


def test_the_ledger_knows_how_much_not_who(ask, root):
    """Day, partner, rough sizes, the answer, the policy: no address, no digest, no exact size."""
    answer = ask(ours=407, partner="acme").answer

    assert [
        {
            "event": "compared",
            "day": "2026-05-01",
            "partner": "acme",
            "ours": 400,
            "theirs": 400,
            "status": "at_least",
            "count": answer.count,
            "minimum_persons": 10,
            "policy_version": "new",
            "is_drawn": True,
        }
    ] == _ledger(root)


def test_an_answer_stands_for_its_month(ask, tmp_path):
    """Asked again, the partner is told the same, and of which day it is; next month it is drawn anew."""
    first = ask(partner="acme").answer
    (tmp_path / "do-not-send").unlink()
    again = ask(partner="acme", shared=0, now=NOW.replace(month=5, day=20)).answer
    later = ask(partner="acme", do_not_send=tmp_path / "june", now=NOW.replace(month=6)).answer

    assert first == again
    assert "2026-07-01" == later.day.isoformat()


def test_a_changed_ledger_stops_comparisons(ask, root, tmp_path):
    """Answers that were forgotten could be asked for again."""
    ask(partner="acme")
    (root / "restricted" / "ledgers" / "comparisons.jsonl").write_text("")
    with pytest.raises(LedgerError):
        ask(partner="acme", do_not_send=tmp_path / "second")

    assert not (tmp_path / "second").exists()


def test_nothing_is_overwritten(ask, root, tmp_path):
    """Another file in its place is refused before an answer is drawn; the same one is left, and closed to others."""
    (tmp_path / "do-not-send").write_text("mine\n")
    with pytest.raises(InputError, match="is there already and is another file"):
        ask(partner="acme")

    assert "mine\n" == (tmp_path / "do-not-send").read_text()
    assert [] == _ledger(root)

    (tmp_path / "do-not-send").unlink()
    ask()
    (tmp_path / "do-not-send").chmod(0o644)
    before = (tmp_path / "do-not-send").stat().st_ino
    ask()

    assert before == (tmp_path / "do-not-send").stat().st_ino
    assert 0o600 == stat.S_IMODE((tmp_path / "do-not-send").stat().st_mode)


def test_it_never_lies_among_the_releases(ask, root, tmp_path):
    """Partners receive that folder; a link that leads there is no way around."""
    (root / "releases" / "acme").mkdir(parents=True)
    (tmp_path / "link").symlink_to(root / "releases" / "acme")
    for place in (root / "releases" / "acme" / "list", tmp_path / "link" / "list"):
        with pytest.raises(ConfigError, match="for the sender alone"):
            ask(do_not_send=place)

    assert [] == list((root / "releases" / "acme").iterdir())


def test_an_unknown_partner_is_refused(ask):
    """Whoever could be named anew could ask anew."""
    with pytest.raises(ConfigError, match="partners are: acme"):
        ask(partner="acme-2")
