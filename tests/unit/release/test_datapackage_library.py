"""`datapackage.json` as the library of Frictionless reads it: the description, the files, the rows."""

import json

import pytest
from released_folder import PACKAGE, Forged, written
from site_with_tables import config_with, page_views, releases_of

from usage_stats.release.export import release_files
from usage_stats.release.table_cut import cut

frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")

TABLES = {
    "components": {
        "measures": ["visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit"]
    },
    "hours": {"dimensions": ["component", "hour"]},
    "depths": {"dimensions": ["visit_depth", "visit_duration"], "measures": ["visits", "frequency"]},
    "newcomers": {"dimensions": ["visitor_type"], "periods": ["day"]},
    "how_often": {"dimensions": ["visit_frequency"]},
}
CASES = [
    ("components", "2026-03-02"),
    ("components", "2026-03"),
    ("hours", "2026-W10"),
    ("depths", "2026-03"),
    ("newcomers", "2026-03-02"),
    ("how_often", "2026-W10"),
]


@pytest.fixture(scope="module")
def folders():
    """(table, period) → the files of its folder."""
    config = config_with(TABLES)
    releases = {r.period.code: r for r in releases_of(config, page_views())}
    return {
        (table, code): release_files(releases[code], cut(releases[code], table, config.tables[table]), "acme")
        for table, code in CASES
    }


def _problems(folder):
    """What the library says is wrong: of the description, of each file, of its rows.

    It reads Parquet with pandas, without length and digest, and empty ratios as not a number: it is given that file
    as bytes. Its rows and types are checked by `verify` and in `test_partner_product.py`.
    """
    described = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))
    for resource in described["resources"]:
        if resource["format"] == "parquet":
            resource["type"] = "file"
            del resource["schema"]
    with frictionless.system.use_context(trusted=False):
        package = frictionless.Package.from_descriptor(described, basepath=str(folder))
        report = package.validate()
    assert {task.name.rpartition("-")[2] for task in report.tasks} == {"csv", "parquet", "html"}
    return [error.type for error in report.errors] + [
        error.type for task in report.tasks for error in task.errors
    ]


@pytest.mark.parametrize("case", CASES, ids=[" ".join(case) for case in CASES])
def test_the_library_finds_nothing_wrong(case, folders, tmp_path):
    """The description is one of a data package, and the files are what it says."""
    assert [] == _problems(written(tmp_path / "folder", folders[case]))


@pytest.mark.parametrize("name", ["components.csv", "components.parquet", "report.html"])
def test_the_library_finds_a_changed_file(name, folders, tmp_path):
    """The digests are what the library expects digests to be."""
    files = folders["components", "2026-03-02"]
    changed = {**files, name: files[name].replace(b"1", b"2")}

    assert {"hash-count", "hash-error"} & set(_problems(written(tmp_path / "folder", changed)))


def test_the_library_finds_a_row_that_breaks_the_schema(folders, tmp_path):
    """Types, bounds and the key are described in words that it knows."""
    forged = Forged(folders["components", "2026-03-02"])
    forged.rows[0]["status"] = "secret"
    forged.rows[1]["visitors"] = -4
    forged.rows.append(dict(forged.rows[2]))

    assert {"constraint-error", "primary-key"} == set(_problems(written(tmp_path / "folder", forged.files())))
