"""A change of the policy within a week and a month: who receives what, and what is said and recorded."""

import json
import shutil
import sys
from datetime import UTC, date, datetime
from itertools import product
from types import SimpleNamespace

import duckdb
import pytest

from usage_stats import cli
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.status import status_of
from usage_stats.flow.words import describe_run, describe_status
from usage_stats.flow.workspace import open_workspace
from usage_stats.periods import day, month, week

INTERNAL, PARTNER = "internal_aggregate", "partner_aggregate"
NO_SHARING = "We do not share figures about your visits with anyone."
NO_COUNTING = "We do not count your visits."
BOTH, HOUSE, ONLY_PARTNERS, NEITHER = (INTERNAL, PARTNER), (INTERNAL,), (PARTNER,), ()
CHANGE = date(2026, 4, 15)  # a Wednesday: within a week, and within a month
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAYS = [date(2026, 4, n) for n in range(1, 31)]
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def _access_log():
    """April, twenty visitors and more a day, from networks of their own."""
    lines = (
        f'10.{n}.{n}.7 - - [{d:%d/%b/%Y}:10:{n:02}:00 +0000] "GET / HTTP/1.1" 200 5 "-" "{AGENT}"\n'
        for d in DAYS
        for n in range(20 + d.day)
    )
    return "".join(lines).encode()


def _versions(first, second):
    """Two versions; what each forbids, it forbids with a sentence."""
    sentences = {PARTNER: NO_SHARING, INTERNAL: NO_COUNTING}
    return [
        {
            "version": name,
            "effective": effective,
            "uses": uses,
            "sentences": {use: text for use, text in sentences.items() if use not in uses},
        }
        for name, effective, uses in (("old", "2010-01-01", first), ("new", CHANGE.isoformat(), second))
    ]


def _workspace(root, versions):
    (root / "logs").mkdir(parents=True)
    (root / "logs" / "april.log").write_bytes(_access_log())
    home = {"name": "home", "paths": ["/"]}
    settings = {
        "site": "small",
        "partners": [{"id": "acme"}],
        "components": [home],
        "first_day": "2026-04-01",
        "sources": [{"name": "web", "format": "combined"}],
    }
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


def _run(root, now=NOW):
    workspace = open_workspace(root)
    result = run(workspace, now, Silent())
    with duckdb.connect(str(workspace.warehouse), read_only=True) as database:
        known = {p for (p,) in database.execute("select distinct period from components").fetchall()}
    folders = root / "releases" / "acme" / "components"
    return SimpleNamespace(
        workspace=workspace,
        result=result,
        partner={p.name for p in folders.iterdir()} if folders.is_dir() else set(),
        analysts=known,
        said=describe_run(workspace, result, []),
        status=status_of(workspace, now),
    )


# Days, the whole weeks, and the month of April, with their days. (The first and the last week are never whole.)
PERIODS = [*map(day, DAYS), *(week(date(2026, 4, n)) for n in (6, 13, 20)), month(CHANGE)]


def _allowed(use, first, second):
    """The periods all of whose days are under a version that allows the use: spelt out, day by day."""
    return {p.code for p in PERIODS if all(use in (first if d < CHANGE else second) for d in p.days)}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The run in which both versions allow everything."""
    root = _workspace(tmp_path_factory.mktemp("policy") / "everything", _versions(BOTH, BOTH))
    ran = _run(root)
    ran.files = _files(root)
    return ran


def _files(root):
    top = root / "releases"
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*.csv"))}


USES = {"both": BOTH, "house": HOUSE, "partners": ONLY_PARTNERS, "neither": NEITHER}
# Each set of uses once before the change and once after it; the other pairs are among the slow tests.
QUICK = {("both", "neither"), ("house", "partners"), ("partners", "both"), ("neither", "house")}
PAIRS = [
    pytest.param(
        *(USES[name] for name in pair), marks=[] if pair in QUICK else pytest.mark.slow, id="-".join(pair)
    )
    for pair in product(USES, repeat=2)
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_who_receives_a_period_is_what_all_its_days_allow(tmp_path, everything, first, second):
    """Over all combinations: partners and analysts each have exactly the periods whose every day allows them; and
    whoever has one has the same figures as if everything were allowed.
    """
    root = _workspace(tmp_path / "site", _versions(first, second))
    ran = _run(root)
    states = {row["period"]: row["state"] for row in ran.status["periods"]}
    nobody = {p.code for p in PERIODS} - ran.partner - ran.analysts

    assert _allowed(PARTNER, first, second) == ran.partner
    assert _allowed(INTERNAL, first, second) == ran.analysts
    assert nobody == {code for code, state in states.items() if state == "refused"}
    assert _files(root).items() <= everything.files.items() or nobody
    assert (13 if nobody else 0) == ran.result.exit_code


@pytest.mark.parametrize(
    ("second", "use", "sentence"),
    [(HOUSE, PARTNER, NO_SHARING), (ONLY_PARTNERS, INTERNAL, NO_COUNTING)],
    ids=["house", "partners"],
)
def test_a_refusal_is_told_with_version_use_and_sentence(tmp_path, second, use, sentence):
    """In the run's output, in the status and in the ledger, once each however often the job runs."""
    root = _workspace(tmp_path / "site", _versions(BOTH, second))
    ran = _run(root)
    _run(root)
    refused = {p.code for p in PERIODS} - _allowed(use, BOTH, second)
    entries = [e for e in ran.workspace.released.entries() if e["event"] == "forbidden"]
    recorded = [e for e in open_workspace(root).released.entries() if e["event"] == "forbidden"]
    rows = {row["period"]: row["refused_uses"] for row in ran.status["periods"] if row["refused_uses"]}

    assert f'version new does not allow {use}: "{sentence}"' in ran.said
    assert "2026-W16" in describe_status(ran.status)
    assert refused == set(rows)
    assert all(
        {use} == set(told) and "version new" in told[use] and sentence in told[use] for told in rows.values()
    )
    assert sorted(refused) == sorted(e["period"] for e in entries)
    assert {("new", use, sentence)} == {(e["version"], e["use"], e["sentence"]) for e in entries}
    assert {"2026-04-15"} == {e["day"] for e in entries if e["period"] in {"2026-W16", "2026-04"}}
    assert entries == recorded


def test_the_versions_a_period_rests_on_are_named_in_its_package_and_in_the_ledger(everything):
    """Of the week and the month both, of a day the one in force on it; in the ledger with their digests."""
    folders = everything.workspace.releases / "acme" / "components"
    named = {
        code: json.loads((folders / code / "datapackage.json").read_bytes())["usage_stats"]["policy_versions"]
        for code in ("2026-04-14", "2026-04-15", "2026-W16", "2026-04", "2026-W15", "2026-W17")
    }
    digests = {v.version: v.digest for v in everything.workspace.policy.versions}
    entries = {e["period"]: e for e in everything.workspace.released.entries() if e["event"] == "released"}

    assert {
        "2026-04-14": ["old"],
        "2026-04-15": ["new"],
        "2026-W16": ["old", "new"],
        "2026-04": ["old", "new"],
        "2026-W15": ["old"],
        "2026-W17": ["new"],
    } == named
    assert all(
        {name: digests[name] for name in versions} == entries[code]["policy"]
        for code, versions in named.items()
    )


def test_windows_close_though_the_policy_lets_nobody_have_them(tmp_path):
    """What nobody may have is not kept either: no usage row and no key of a refused week or month stays."""
    root = _workspace(tmp_path / "site", _versions(NEITHER, NEITHER))
    _run(root)
    keys = [p.name for p in (root / "restricted" / "keys").glob("*/month/*.key")]
    weeks = sorted(p.name for p in (root / "restricted" / "keys").glob("*/week/*.key"))

    assert [] == keys
    assert {"2026-W15.key", "2026-W16.key", "2026-W17.key"}.isdisjoint(weeks)
    assert [] == list((root / "restricted" / "usage" / "month").glob("day=*"))


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """A workspace whose days rest on two versions, to be copied."""
    root = _workspace(tmp_path_factory.mktemp("policy") / "settled", _versions(HOUSE, BOTH))
    _run(root)
    return root


@pytest.mark.parametrize("edit", ["widened", "narrowed", "gone", "inserted", "reworded"])
def test_an_edited_policy_stops_the_command(tmp_path, settled, monkeypatch, capsys, edit):
    """Exit code 10, the version and the remedy; no file is another but for the lock."""
    versions, root = _versions(HOUSE, BOTH), tmp_path / "site"
    shutil.copytree(settled, root)
    before = _left_behind(root)
    {
        "widened": lambda: versions[0].update(uses=BOTH),
        "narrowed": lambda: versions[1].update(uses=[]),
        "gone": lambda: versions.pop(0),
        "inserted": lambda: versions.append({"version": "mid", "effective": "2026-04-02", "uses": BOTH}),
        "reworded": lambda: versions[0].update(sentences={PARTNER: "We may share anything."}),
    }[edit]()
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    monkeypatch.setattr(sys, "argv", ["usage-stats", "run", "-w", str(root)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    name = {"inserted": "mid", "narrowed": "new"}.get(edit, "old")

    assert 10 == end.value.code
    assert f"policy.yaml: version {name} " in said
    assert "`effective` date after" in said
    assert before == _left_behind(root)


def _left_behind(root):
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
    return {
        name: content for name, content in files.items() if name not in {"restricted/.lock", "policy.yaml"}
    }
