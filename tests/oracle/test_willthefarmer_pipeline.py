"""A small site of 28 daily files, where nearly everything must be withheld."""

import csv
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.status import status_of
from usage_stats.flow.workspace import open_workspace

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
LOGS = SHARED / "logs" / "willthefarmer" / "nginx_combined"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MINIMUM_PERSONS = 10

pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs are kept beside the project, in ../shared/data"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """29 days in UTC, from 17 December 2025 to 14 January 2026: no week is cut but the first and the last."""
    root = tmp_path_factory.mktemp("willthefarmer")
    pattern = str(LOGS.resolve() / "saunathinker.com.access.log-20*")
    settings = {
        "site": "sauna",
        "sources": [{"logs": [pattern], "format": "combined"}],
        "components": [{"name": "home", "paths": ["/", "/index.*"]}, {"name": "blog", "paths": ["/blog/**"]}],
        "partners": [{"id": "acme"}],
        "thresholds": {"minimum_persons": MINIMUM_PERSONS},
    }
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    result = run(open_workspace(root), NOW, Silent())
    rows = []
    for path in sorted((root / "releases").rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
    return SimpleNamespace(root=root, result=result, rows=rows)


@pytest.fixture(scope="module")
def truth():
    """Counts by a plain script."""
    return json.loads((SHARED / "truth" / "wtf-nginx-saunathinker.json").read_text())


def _lines():
    return [line for path in sorted(LOGS.glob("saunathinker*")) for line in path.read_bytes().splitlines()]


def test_every_line_is_accounted_for_as_in_the_truth(ran, truth):
    """Lines, parsed and rejected are those of a plain script; each parsed line has one outcome."""
    found = ran.result.ingested

    assert (
        truth["files"],
        truth["lines"],
        truth["parsed"],
        truth["unparsed"] + truth["blank"] + truth["comment"],
    ) == (
        found.new_files,
        found.lines,
        found.parsed,
        found.rejected.total(),
    )
    assert truth["parsed"] == found.outcomes.total()
    assert truth["methods"]["(malformed request)"] == found.outcomes["malformed_requests"]


def test_the_ledger_sums_to_the_truth(ran, truth):
    """What the ledger keeps of each file adds up, by day as well (the server writes UTC, and so do we)."""
    entries = open_workspace(ran.root).ingested.entries()
    by_day = sum((Counter(entry["lines_by_day"]) for entry in entries), Counter())
    plain = Counter(
        datetime.strptime(m[1].decode(), "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC).date().isoformat()
        for line in _lines()
        if (m := re.search(rb"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]", line))
    )

    assert plain == by_day
    assert (
        truth["lines"]
        == sum(entry["lines"] for entry in entries)
        == status_of(open_workspace(ran.root), NOW)["lines"]["lines"]
    )


def test_every_whole_period_is_released(ran):
    """29 days and the three weeks inside them; neither month is whole."""
    periods = {row["period"] for row in ran.rows}

    assert {"2025-W52", "2026-W01", "2026-W02"} == {p for p in periods if "W" in p}
    assert 29 + 3 == len(periods)


def test_nothing_about_fewer_than_ten_is_published(ran):
    """No figure of 1 to 9 visitors; withheld rows are empty in all measures."""
    figures = [row for row in ran.rows if row["status"] != "suppressed"]
    small = [row for row in figures if 0 < int(row["visitors"]) < MINIMUM_PERSONS]
    leaking = [
        row
        for row in ran.rows
        if row["status"] == "suppressed" and (row["visitors"] or row["visits"] or row["page_views"])
    ]

    assert ([], []) == (small, leaking)


def test_nearly_all_that_is_not_zero_is_withheld(ran):
    """5 to 17 clients a day, robots among them: a day's figures are of a handful."""
    about_people = [row for row in ran.rows if row["visitors"] != "0"]
    withheld = [row for row in about_people if row["status"] == "suppressed"]

    assert len(about_people) > 30
    assert len(withheld) > 0.8 * len(about_people)
