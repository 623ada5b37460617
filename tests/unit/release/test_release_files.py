import csv
import getpass
import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from usage_stats.config import Table
from usage_stats.release.export import release_files
from usage_stats.release.table_cut import cut

SCRIPT = Path(__file__).with_name("conftest.py")
MEASURES = ("visitors", "visits", "page_views")
# A visitor may come twice and see two components; a visit ends at midnight; a page view is in one place.
HEADER = ["period", "component", "sub_component", *MEASURES, "status"]


def _files(release, partner="p", table="components", **shape):
    return release_files(release, cut(release, table, Table(**shape)), partner)


@pytest.fixture(scope="module")
def files(release):
    """File name -> bytes, as one partner gets them."""
    return _files(release, "acme-media")


@pytest.fixture(scope="module")
def package(files):
    """The data package, read."""
    return json.loads(files["datapackage.json"])


@pytest.fixture(scope="module")
def parquet(files):
    """The Parquet file, read."""
    return pq.read_table(pa.BufferReader(files["components.parquet"]))


def _csv_rows(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def _fields(package):
    return {f["name"]: f for f in package["resources"][0]["schema"]["fields"]}


def test_a_partner_gets_four_files(files):
    """The figures twice, the page that tells them, and what describes all three."""
    assert {"components.csv", "components.parquet", "report.html", "datapackage.json"} == set(files)


def test_the_csv_is_rfc_4180(files):
    """Lines end in CRLF, also the last; the first is the header; all have as many fields; no byte order mark."""
    content = files["components.csv"]
    lines = content.split(b"\r\n")

    assert b"" == lines[-1]
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert ",".join(HEADER).encode() == lines[0]
    assert {len(HEADER)} == {len(row) for row in _csv_rows(content)}


def test_the_csv_has_the_rows_of_the_release(files, release):
    """Every figure as it is, in order; a withheld one is an empty field, an empty cell is 0."""
    expected = [["" if v is None else str(v) for v in (*row[:3], *row[4:])] for row in release.rows]

    assert expected == _csv_rows(files["components.csv"])[1:]
    assert b"\r\n2026-03-02,shop,basket,,,,suppressed\r\n" in files["components.csv"]
    assert b"\r\n2026-03-02,jobs,_T,0,0,0,published\r\n" in files["components.csv"]


def test_the_parquet_is_typed(parquet):
    """Texts are strings, figures are whole numbers of 64 bits, whatever the values."""
    expected = [pa.int64() if name in MEASURES else pa.string() for name in HEADER]

    assert (HEADER, expected) == (parquet.schema.names, parquet.schema.types)


def test_parquet_columns_explain_themselves(parquet):
    """Every column carries its description, every measure its unit."""
    metadata = {field.name: field.metadata for field in parquet.schema}

    assert all(len(m[b"description"]) > 20 for m in metadata.values())
    assert set(MEASURES) == {name for name, m in metadata.items() if b"unit" in m}


def test_parquet_and_csv_hold_the_same(files, parquet):
    """Whichever file a partner reads, the values are equal; a withheld one is null."""
    expected = [
        tuple((int(v) if v else None) if name in MEASURES else v for name, v in zip(HEADER, row, strict=True))
        for row in _csv_rows(files["components.csv"])[1:]
    ]

    assert expected == [tuple(row.values()) for row in parquet.to_pylist()]


def test_a_release_of_withheld_figures_only_keeps_its_types(release_with):
    """Columns without any value are still columns of numbers."""
    everything = dict.fromkeys(
        [
            ("_T", "_T"),
            ("news", "_T"),
            ("shop", "_T"),
            ("shop", "basket"),
            ("shop", "(other)"),
            ("(other)", "_T"),
        ],
        "primary",
    )
    content = _files(release_with(statuses=everything))["components.parquet"]
    schema = pq.read_schema(pa.BufferReader(content))

    assert [pa.int64()] * 3 == [schema.field(name).type for name in MEASURES]


def test_digests_and_sizes_are_those_of_the_files(files, package):
    """What the package says of a file is true of its bytes."""
    expected = {
        name: (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
        for name, content in files.items()
        if name != "datapackage.json"
    }

    assert expected == {r["path"]: (r["bytes"], r["hash"]) for r in package["resources"]}


def test_the_schema_describes_the_columns(package):
    """Each resource has a field per column, in order, with type and description, and the key and null marker."""
    for resource in (r for r in package["resources"] if r["format"] != "html"):
        schema = resource["schema"]
        types = ["integer" if name in MEASURES else "string" for name in HEADER]
        assert HEADER == [f["name"] for f in schema["fields"]]
        assert types == [f["type"] for f in schema["fields"]]
        assert all(f["description"] for f in schema["fields"])
        assert ["period", "component", "sub_component"] == schema["primaryKey"]
        assert [""] == schema["missingValues"]


def test_what_may_be_added_up_is_said(package):
    """Visitors over nothing, visits over periods, page views over periods and components; each has its unit."""
    fields = _fields(package)
    expected = {"visitors": [], "visits": ["period"], "page_views": ["period", "component", "sub_component"]}

    assert expected == {name: fields[name]["additive_over"] for name in MEASURES}
    assert all(fields[name]["unit"] for name in MEASURES)


def test_the_package_says_what_the_figures_rest_on(package):
    """Thresholds, policy versions, identity basis, lists, software, caveats: each as the release has it."""
    facts = package["usage_stats"]

    least = {"minimum_persons": 10, "minimum_networks": 3, "protection_share": 0.1, "dominance_share": 0.5}
    assert least == facts["thresholds"]
    assert ["2025-09", "2026-04"] == facts["policy_versions"]
    assert {"account": 0.1, "cookie": 0.55, "address": 0.35} == facts["identity_basis_shares"]
    assert ("list 1.0, own rules 1", "usage-stats 0.1.0") == (facts["robot_lists"], facts["software"])
    assert (7, 0.2857) == (facts["rows"], facts["rows_withheld_share"])
    assert len(facts["caveats"]) >= 3


def test_the_package_says_when_and_for_whom(package):
    """Period with first and last day in the reporting zone, and the partner."""
    facts = package["usage_stats"]

    assert "acme-media" == facts["partner"]
    assert {
        "kind": "day",
        "first_day": "2026-03-02",
        "last_day": "2026-03-02",
        "time_zone": "Europe/Berlin",
    } == facts["period"]


def test_withheld_shares_are_said_to_be_withheld(release_with, facts):
    """A share that is not told is explained, never left out or nought."""
    release = release_with(facts=facts(identity_basis_shares=None))
    package = json.loads(_files(release)["datapackage.json"])

    assert package["usage_stats"]["identity_basis_shares"].startswith("withheld")


def test_gaps_are_told_in_the_package(release_with, facts):
    """An incomplete period is named so, with its days."""
    release = release_with(facts=facts(days_without_lines=("2026-03-02",)))
    told = json.loads(_files(release)["datapackage.json"])["usage_stats"]

    assert ("incomplete", ["2026-03-02"]) == (told["status"], told["days_without_lines"])


def test_a_cut_says_its_own_numbers(release):
    """The package of a table without sub-components counts that table's rows."""
    files = _files(release, table="parts", dimensions=["component"])
    told = json.loads(files["datapackage.json"])["usage_stats"]

    assert (5, 0.0) == (told["rows"], told["rows_withheld_share"])


def test_names_are_fit_for_urls(package):
    """Frictionless asks for names of lower-case letters, digits, `-`, `_`, `.`."""
    names = [package["name"], *(r["name"] for r in package["resources"])]

    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.") for name in names)
    assert len(names) == len(set(names))


def test_no_host_no_user_no_path(files):
    """Nothing in the files tells on which machine, where, or as whom they were made."""
    told = [
        socket.gethostname(),
        str(Path.cwd()),
        str(Path.home()),
        str(Path(__file__).parents[3]),
        os.sep + "tmp",
    ]
    told += [getpass.getuser()] if len(getpass.getuser()) > 4 else []  # "root" may be a word of its own

    assert [] == [(name, t) for name, content in files.items() for t in told if t.encode() in content]


def test_no_confidential_count_is_in_the_files(files, parquet):
    """Counts of withheld cells and numbers of networks are in no file."""
    numbers = {value for row in parquet.to_pylist() for value in row.values()}
    words = set(re.findall(rb"\b\d+\b", files["components.csv"] + files["datapackage.json"]))

    assert set() == numbers & {2098, 2295, 3991, 599}
    assert set() == words & {b"2098", b"2295", b"3991", b"599"}


def test_the_same_bytes_in_any_process(release):
    """Time zone, locale, hash seed and process leave no trace in any file."""
    environments = (
        {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "2", "PYTHONUTF8": "1"},
    )
    first, second = (_made_in(environment) for environment in environments)
    here = {n: hashlib.sha256(c).hexdigest() for n, c in _files(release, "acme-media").items()}

    assert first == second
    assert here == {name: digest for name, digest in first.items() if name != "record"}


def _made_in(environment):
    run = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)
