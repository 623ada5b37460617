"""A workspace and a moment → what the pipeline says of it: its confidential cells, and what it released.

Belongs here: running the pipeline, and reading its figures under the names that the oracle uses. Does not: the
oracle's own figures (plain_count).
"""

import csv
import io
import json
from datetime import UTC, datetime

import duckdb
import yaml

from usage_stats.errors import SolverError
from usage_stats.flow import publish
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

PARTNER = "reader"
MEASURES = ("visitors", "visits", "page_views")
TOTAL = "_T"
LONG_AFTER = datetime(2030, 1, 1, tzinfo=UTC)
POLICY = {
    "versions": [
        {"version": "1", "effective": "1990-01-01", "uses": ["internal_aggregate", "partner_aggregate"]}
    ]
}


def make_workspace(root, logs, *, tables, **settings):
    """Write settings and logs (name → bytes); everything is released to one partner, gaps are accepted."""
    (root / "logs").mkdir(parents=True)
    for name, content in logs.items():
        (root / "logs" / name).write_bytes(content)
    settings = {
        "site": "invented",
        "sources": [{"name": "web", "logs": ["logs/*"], "format": "combined_cookie", "cookie": "visitor"}],
        "tables": tables,
        "partners": [{"id": PARTNER, "tables": list(tables)}],
        "gaps": "accept",
        **settings,
    }
    (root / "usage_stats.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    (root / "policy.yaml").write_text(yaml.safe_dump(POLICY), encoding="utf-8")
    return settings


def run_at(root, now=LONG_AFTER):
    """One run of the main job."""
    return run(open_workspace(root), now, Silent())


def confidential_cells(root, monkeypatch, now=LONG_AFTER):
    """Run, but stop each period before it is protected: (period, coordinates) → its four counts.

    A period that cannot be checked is refused and the next one is taken up: so all are counted.
    """
    found = {}
    count = publish.period_cells

    def counted_only(*arguments, **named):
        for key, counts in count(*arguments, **named).items():
            place = coordinates_of(key)
            figures = (counts.visitors, counts.visits, counts.page_views, counts.networks)
            assert found.setdefault(place, figures) == figures, "one cell, counted twice, is one figure"
        raise SolverError("stopped here")

    with monkeypatch.context() as patched:
        patched.setattr(publish, "period_cells", counted_only)
        run_at(root, now)
    return found


def coordinates_of(key):
    """A cell's key, or as a record has it: period, component, sub-component, further codes."""
    period, component, sub_component, *by = key
    pairs = [pair.split("=", 1) for pair in (by[0].split("|") if by and by[0] else ())]
    return period, _coordinates({"component": component, "sub_component": sub_component, **dict(pairs)})


def _coordinates(codes):
    return frozenset((name, code) for name, code in codes.items() if code != TOTAL)


def released_rows(root, table):
    """What the partner got of a table: (period, coordinates) → the three figures, or None where withheld."""
    found = {}
    for path in sorted((root / "releases" / PARTNER / table).glob(f"*/{table}.csv")):
        rows = csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
        for row in rows:
            texts = [row.pop(name) for name in MEASURES]
            is_withheld = row.pop("status") == "suppressed"
            assert is_withheld == (texts == ["", "", ""]), "withheld is empty, never 0; nothing else is empty"
            place = row.pop("period"), _coordinates(row)
            assert place[0] == path.parent.name
            assert place not in found, "a row is there once"
            found[place] = None if is_withheld else tuple(map(int, texts))
    return found


def analysts_rows(root, table):
    """The same of the analysts' file."""
    with duckdb.connect(str(root / "warehouse" / "usage_stats.duckdb"), read_only=True) as connection:
        rows = connection.execute(f'select * from "{table}"')  # noqa: S608 a name of our own
        names = [column[0] for column in rows.description]
        records = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    found = {}
    for record in records:
        figures = tuple(record.pop(name) for name in MEASURES)
        kind = {name: record.pop(name) for name in ("status", "period_kind", "first_date", "last_date")}
        place = record.pop("period"), _coordinates(record)
        found[place] = None if kind["status"] == "suppressed" else figures
    return found


def sensitive_places(root):
    """The cells that the records say were withheld for themselves: (period, coordinates)."""
    records = [json.loads(path.read_bytes()) for path in (root / "restricted" / "released").glob("*.json")]
    return {coordinates_of(key) for record in records for key in record["sensitive"]}


def tree(root):
    """Every file below a directory: relative path → bytes."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
