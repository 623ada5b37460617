"""Tables whose protection others have published: the same sensitive cells, none exposed, and no more withheld."""

import csv
import json
from pathlib import Path

import pytest

from usage_stats.flow.protect_table import audit_table, protect_table

TABLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "tables"
if not TABLES.is_dir():
    pytest.skip("the published tables are not here", allow_module_level=True)

EU = [("EU", "Portugal"), ("EU", "Spain"), ("nonEU", "Iceland")]
# name -> (the persons from which on a count is published, whether empty cells are sensitive, the count's column)
SOLUTIONS = {
    "mun_accidents_maxN3": (4, True, "freq"),
    "vignette_table1_example1a_agegeo_maxN1": (2, True, "freq"),
    "vignette_table2_example1a_agegeoeu_maxN2": (3, True, "freq"),
    "vignette_table4_example1a_maxN4_noprotect0": (5, False, "freq"),
    "vignette_table5_example1a_maxN3_sec0": (4, False, "freq"),
    "vignette_table7_example1b_maxN2": (3, True, "freq"),
    "z1_maxN3": (4, True, "ant"),
    "z2_hier2_maxN3": (4, True, "ant"),
    "z2_hier2_maxN4_noprotect0_sec0": (5, False, "ant"),
}


def _rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _hierarchies(name):
    """Column -> hierarchies, as pairs of parent and child."""
    if "z2_hier2" in name:
        rows = _rows(TABLES / "SSBtools-csv" / "z2.csv")
        return {"region": [sorted({(r[k], r["region"]) for r in rows}) for k in ("fylke", "kostragr")]}
    uses_eu = "eu_" in name or "table4" in name or "table5" in name or "table7" in name
    return {"geo": [EU]} if uses_eu else {}


@pytest.fixture(params=SOLUTIONS)
def published(request, tmp_path):
    """A published solution: its rows, and the same table's inner cells and specification as files of ours."""
    name = request.param
    persons, zeros, count = SOLUTIONS[name]
    rows = _rows(TABLES / "gauss-solutions" / f"{name}.csv")
    columns = [c for c in rows[0] if c not in {count, "primary", "suppressed"}]
    trees = _hierarchies(name)
    wholes = {"Total", *(whole for tree in trees.values() for edges in tree for whole, _ in edges)}
    inner = [{c: r[c] for c in (*columns, count)} for r in rows if wholes.isdisjoint(r[c] for c in columns)]
    _write(tmp_path / "inner.csv", inner)
    lines = ["dimensions:"]
    for column in columns:
        files = []
        for i, edges in enumerate(trees.get(column, [])):
            files.append(f"{column}{i}.csv")
            (tmp_path / files[-1]).write_text("".join(f"{a},{b}\n" for a, b in edges))
        lines.append(f"  {column}: {{hierarchies: [{', '.join(files)}]}}")
    lines += [f"frequency: {count}", f"rules: {{minimum_persons: {persons}}}", "minimise: cells"]
    lines.append("contributors: none")  # theirs do not reckon with readers who are in a cell
    lines += ["zeros: sensitive"] if zeros else []
    (tmp_path / "table.yaml").write_text("\n".join(lines))
    key = lambda r: tuple("_T" if r[c] == "Total" else r[c] for c in columns)  # noqa: E731 named for its use
    return name, columns, count, {key(r): r for r in rows}, tmp_path


def _theirs(columns, count, rows, folder):
    """Their solution as a protected file of ours."""
    as_ours = [
        dict(zip(columns, at, strict=True))
        | {
            count: "" if r["suppressed"] == "TRUE" else r[count],
            "status": ["published", "secondary", "primary"][
                (r["suppressed"] == "TRUE") + (r["suppressed"] == r["primary"] == "TRUE")
            ],
        }
        for at, r in rows.items()
    ]
    _write(folder / "theirs.csv", as_ours)
    return audit_table(folder / "theirs.csv", folder / "table.yaml", folder / "theirs-audited.csv")


def test_published_tables_are_protected_at_no_more_than_theirs(published):
    """The sensitive cells are theirs; none of ours is exposed; where theirs are not either, we withhold no more."""
    name, columns, count, rows, folder = published
    table, out = folder / "table.yaml", folder / "out.csv"
    figures = protect_table(folder / "inner.csv", table, out, for_partner=False, seconds=10)
    ours = {tuple(r[c] for c in columns): r for r in _rows(out)}
    theirs = _theirs(columns, count, rows, folder)
    secondary = [r for r in rows.values() if r["suppressed"] == "TRUE" and r["primary"] == "FALSE"]
    persons = sum(int(r[count]) for r in secondary)
    print(  # noqa: T201 the comparison, for pytest -s
        f"\n{name}: {figures['primary']} sensitive; ours {figures['secondary']} further cells of "
        f"{figures['persons_in_secondary']} persons (at least {figures['bound']:.0f}), 0 exposed; theirs "
        f"{len(secondary)} of {persons}, {theirs.exposed} exposed"
    )

    assert {at for at, r in rows.items() if r["primary"] == "TRUE"} == {
        at for at, r in ours.items() if r["status"] == "primary"
    }
    assert 0 == audit_table(out, table, None).exposed
    if theirs.exposed == 0:
        assert figures["secondary"] <= len(secondary)


def test_the_audit_finds_the_published_intervals(published):
    """Of a published solution, each interval is the one published with it, in whole numbers."""
    name, columns, count, rows, folder = published
    _theirs(columns, count, rows, folder)
    ours = {tuple(r[c] for c in columns): r for r in _rows(folder / "theirs-audited.csv")}
    known = json.loads((TABLES / "gauss-solutions" / f"{name}.audit.json").read_text(encoding="utf-8"))

    for row in known["intervals"]:
        found = ours[tuple("_T" if row[c] == "Total" else row[c] for c in columns)]
        assert (row["lo"], row["hi"]) == (float(found["feasible_low"]), float(found["feasible_high"]))


def test_the_published_accidents_are_exposed(tmp_path):
    """The published protection of a small table of accidents leaves 13 of its 22 sensitive counts nearly known."""
    persons, _, count = SOLUTIONS["mun_accidents_maxN3"]
    rows = _rows(TABLES / "gauss-solutions" / "mun_accidents_maxN3.csv")
    lines = f"dimensions: {{mun: {{}}, inj: {{}}}}\nzeros: sensitive\nrules: {{minimum_persons: {persons}}}\n"
    (tmp_path / "table.yaml").write_text(lines)
    columns = ["mun", "inj"]
    at = {tuple("_T" if r[c] == "Total" else r[c] for c in columns): r for r in rows}
    found = _theirs(columns, count, at, tmp_path)
    audited = {tuple(r[c] for c in columns): r for r in _rows(tmp_path / "theirs-audited.csv")}
    nearly = [
        key
        for key, row in at.items()
        if row["primary"] == "TRUE"
        and int(audited[key]["feasible_high"]) - int(audited[key]["feasible_low"]) < 2
    ]

    assert 13 == len(nearly)
    assert found.exposed >= 13
    assert all(audited[key]["exposed"] == "true" for key in nearly)
