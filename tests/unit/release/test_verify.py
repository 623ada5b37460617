"""Released folders as a partner has them: a good one passes, and whatever is changed in one is found and named."""

import copy
import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from released_folder import PACKAGE, Forged, written

from usage_stats.config import Table, Thresholds
from usage_stats.errors import InputError
from usage_stats.release.export import release_files
from usage_stats.release.table_cut import cut
from usage_stats.release.verify import exit_code, fingerprint, verify

TABLE = Table(measures=["visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit"])
INPUT, SHAPE, AUDIT = 11, 12, 14


@pytest.fixture(scope="module")
def good(release):
    """The files of a folder: seven rows, two of them withheld, one of zero."""
    return release_files(release, cut(release, "components", TABLE), "acme-media")


def _failed(folder):
    """The checks that fail, over all folders below."""
    return sorted({c.name for v in verify([folder]) for c in v.checks if c.problems})


def test_a_good_folder_passes_every_check(good, tmp_path):
    """What the release writes is found complete and consistent, and each check looked at something."""
    (verdict,) = verify([written(tmp_path / "2026-03-02", good)])
    checked = {check.name: check.checked for check in verdict.checks}

    assert verdict.passed, verdict.to_json()
    assert checked == {
        "files": 3,
        "columns": 10,
        "copies": 7,
        "keys": 7,
        "status": 7,
        "facts": 4,
        "minimum": 5,
        "order": 5,
        "sums": 6,
        "ratios": 21,
        "agreement": 7,
        "periods": 0,
    }


@pytest.mark.parametrize("dimension", ["component", "device", "visit_depth"])
def test_a_folder_of_the_whole_site_or_of_shares_of_it_passes(dimension, release, tmp_path):
    """A table without components has no parts of the whole site, and needs none."""
    shown = cut(release, "small", Table(dimensions=[dimension]))

    assert [] == _failed(written(tmp_path / "small", release_files(release, shown, "acme-media")))


def test_folders_are_found_below_any_folder_and_by_their_package(good, tmp_path):
    """A partner names one folder, all of them, or the file in it; each is checked once."""
    folders = [written(tmp_path / "a" / name, good) for name in ("one", "two")]
    found = verify([tmp_path, folders[0], folders[1] / PACKAGE])

    assert folders == [verdict.path for verdict in found]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_where_no_release_is_that_is_said(name, tmp_path):
    """Nothing to check is no pass."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match=r"no such folder|no release in it"):
        verify([tmp_path / name])


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_of_the_tables_is_found(good, tmp_path, data):
    """One byte of the CSV or Parquet file, anywhere."""
    name = data.draw(st.sampled_from(sorted(set(good) - {PACKAGE})))
    place = data.draw(st.integers(0, len(good[name]) - 1))
    changed = bytearray(good[name])
    changed[place] ^= data.draw(st.integers(1, 255))
    verdicts = verify([written(tmp_path / "folder", {**good, name: bytes(changed)})])

    assert (INPUT, ["files"]) == (exit_code(verdicts), _failed(tmp_path))


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_of_the_description_fails_or_changes_the_fingerprint(good, tmp_path, data):
    """What the description says of itself cannot be checked, but can be compared with the sender's."""
    as_sent = fingerprint(verify([written(tmp_path / "sent", good)]))
    place = data.draw(st.integers(0, len(good[PACKAGE]) - 1))
    changed = bytearray(good[PACKAGE])
    changed[place] ^= data.draw(st.integers(1, 255))
    verdicts = verify([written(tmp_path / "folder", {**good, PACKAGE: bytes(changed)})])

    assert exit_code(verdicts) or fingerprint(verdicts) != as_sent


@pytest.mark.parametrize("name", ["components.csv", "components.parquet", "report.html", PACKAGE])
def test_a_missing_file_is_found(name, good, tmp_path):
    """Each of the four; a table without a description is no folder to be passed over."""
    folder = written(tmp_path / "folder", good)
    (folder / name).unlink()

    assert (INPUT, True) == (exit_code(verify([tmp_path])), _failed(tmp_path) in (["files"], ["package"]))


@pytest.mark.parametrize("name", ["more.csv", "notes.txt", ".hidden", "sub/"])
def test_an_extra_file_is_found(name, good, tmp_path):
    """Nothing is in a folder that the sender did not describe."""
    folder = written(tmp_path / "folder", good)
    (folder / name).mkdir() if name.endswith("/") else (folder / name).touch()

    assert ["files"] == _failed(folder)


def _figure_in_csv_only(forged):
    forged.parquet_rows = copy.deepcopy(forged.rows)
    forged.row(component="news")["visits"] += 1


def _row_in_csv_only(forged):
    forged.parquet_rows = copy.deepcopy(forged.rows[:-1])


def _twice(forged):
    forged.rows.append(dict(forged.rows[-1]))
    forged.count_anew()


def _hidden_but_shown(forged):
    forged.row(component="news")["status"] = "suppressed"
    forged.count_anew()


def _shown_but_empty(forged):
    forged.row(component="news").update(visits=None, frequency=None, page_views_per_visit=None)


def _no_such_status(forged):
    forged.row(component="news")["status"] = "secret"


def _incomplete(forged):
    forged.row(component="news")["status"] = "incomplete"


def _too_few(forged):
    forged.row(component="news").update(visitors=9, reach=round(9 / 4000, 4), frequency=round(1500 / 9, 4))


def _more_visitors_than_visits(forged):
    forged.row(component="news").update(
        visitors=1501, reach=round(1501 / 4000, 4), frequency=round(1500 / 1501, 4)
    )


def _zero_visitors(forged):
    forged.row(component="news").update(visitors=0, reach=0.0, frequency=None)


def _sum_of_page_views(forged):
    forged.row(component="(other)").update(page_views=3001, page_views_per_visit=3.001)


def _part_beyond_its_whole(forged):
    forged.row(component="shop", sub_component="_T").update(visitors=4001, visits=4701, reach=1.0002)
    forged.row(component="shop", sub_component="_T").update(
        frequency=round(4701 / 4001, 4), page_views=4701, page_views_per_visit=1.0
    )


def _whole_beyond_its_parts(forged):
    for row in forged.rows:
        row["reach"] = round(row["visitors"] / 4201, 4) if row["visitors"] is not None else None
    forged.row(component="_T").update(visitors=4201, frequency=round(4700 / 4201, 4))


def _no_room_for_the_withheld(forged):
    forged.row(component="shop", sub_component="basket").update(
        visitors=10,
        visits=10,
        page_views=4000,
        reach=0.0025,
        frequency=1.0,
        page_views_per_visit=400.0,
        status="published",
    )
    forged.count_anew()


def _ratio(forged):
    forged.row(component="news")["frequency"] += 0.0001


def _reach(forged):
    forged.row(component="news")["reach"] = 0.3001


def _no_total(forged):
    forged.rows.remove(forged.row(component="shop", sub_component="_T"))
    forged.count_anew()


def _row_lost(forged):
    forged.rows.remove(forged.row(component="jobs"))


def _another_period(forged):
    forged.row(component="news")["period"] = "2026-03-03"


def _sub_component_of_nothing(forged):
    forged.row(component="jobs").update(component="_T", sub_component="jobs")


def _negative(forged):
    forged.row(component="jobs")["page_views"] = -1


def _additive_over(forged):
    for fields in forged.fields:
        next(f for f in fields if f["name"] == "visitors")["additive_over"] = ["period"]


def _additive_over_less(forged):
    for fields in forged.fields:
        next(f for f in fields if f["name"] == "page_views")["additive_over"] = ["period"]


def _two_descriptions(forged):
    next(f for f in forged.fields[1] if f["name"] == "visits")["additive_over"] = []


def _unit(forged):
    for fields in forged.fields:
        next(f for f in fields if f["name"] == "visitors")["unit"] = "clicks"


def _type(forged):
    for fields in forged.fields:
        next(f for f in fields if f["name"] == "visitors")["type"] = "number"


def _primary_key(forged):
    for resource in forged.data:
        resource["schema"]["primaryKey"] = ["period", "component"]


def _missing_values(forged):
    for resource in forged.data:
        resource["schema"]["missingValues"] = ["", "0"]


def _column_lost(forged):
    for row in forged.rows:
        del row["reach"]


def _column_of_ours(forged):
    for row in forged.rows:
        row["networks"] = "3"


def _withheld_share(forged):
    forged.facts["rows_withheld_share"] = 0.1


def _days_without_lines(forged):
    forged.facts["days_without_lines"] = ["2026-03-02"]


CORRUPTIONS = {
    _figure_in_csv_only: "copies",
    _row_in_csv_only: "copies",
    _twice: "keys",
    _another_period: "keys",
    _sub_component_of_nothing: "keys",
    _hidden_but_shown: "status",
    _shown_but_empty: "status",
    _no_such_status: "status",
    _incomplete: "status",
    _negative: "status",
    _too_few: "minimum",
    _more_visitors_than_visits: "order",
    _zero_visitors: "order",
    _sum_of_page_views: "sums",
    _part_beyond_its_whole: "sums",
    _whole_beyond_its_parts: "sums",
    _no_room_for_the_withheld: "sums",
    _no_total: "sums",
    _ratio: "ratios",
    _reach: "ratios",
    _row_lost: "facts",
    _withheld_share: "facts",
    _days_without_lines: "facts",
    _additive_over: "columns",
    _additive_over_less: "columns",
    _two_descriptions: "columns",
    _unit: "columns",
    _type: "columns",
    _primary_key: "columns",
    _missing_values: "columns",
    _column_lost: "columns",
    _column_of_ours: "columns",
}


@pytest.mark.parametrize(("corrupt", "check"), CORRUPTIONS.items(), ids=lambda v: getattr(v, "__name__", v))
def test_what_is_changed_with_its_digests_mended_is_found(corrupt, check, good, tmp_path):
    """One change each, in both files and with a description that fits: the check that is meant for it fails."""
    forged = Forged(good)
    corrupt(forged)
    (verdict,) = verify([written(tmp_path / "folder", forged.files())])
    failed = [c.name for c in verdict.checks if c.problems]

    assert [check] == failed[:1], verdict.to_json()
    assert exit_code([verdict]) == (AUDIT if check == "minimum" else SHAPE)


def test_mending_alone_changes_nothing(good, tmp_path):
    """The forger's tools are no reason to fail: a folder taken apart and put together passes."""
    forged = Forged(good)
    forged.count_anew()

    assert [] == _failed(written(tmp_path / "folder", forged.files()))


def test_the_first_place_is_told_by_its_coordinates(good, tmp_path):
    """A sentence says which row of which period, and which figures do not fit."""
    forged = Forged(good)
    _sum_of_page_views(forged)
    (verdict,) = verify([written(tmp_path / "folder", forged.files())])
    problems = next(c.problems for c in verdict.checks if c.name == "sums")

    assert (
        "period 2026-03-02, whole site: 9000 page_views, but 9001 in its 4 published parts by category",
    ) == problems


def test_a_total_that_is_no_row_is_named_as_such(good, tmp_path):
    """Parts without their whole cannot be compared with anything."""
    forged = Forged(good)
    _no_total(forged)
    (verdict,) = verify([written(tmp_path / "folder", forged.files())])
    problems = next(c.problems for c in verdict.checks if c.name == "sums")

    assert len(problems) == 2
    assert all(said.endswith("has no row of its total by component") for said in problems)


def test_two_partners_who_were_told_different_things_are_both_named(good, tmp_path):
    """The same cell in two folders has the same figures."""
    forged = Forged(good)
    forged.row(component="(other)").update(
        visits=1001, page_views_per_visit=round(3000 / 1001, 4), frequency=1.1122
    )
    written(tmp_path / "a", good)
    written(tmp_path / "b", forged.files())
    verdicts = verify([tmp_path])
    problems = [c.problems for v in verdicts for c in v.checks if c.name == "agreement"]

    assert AUDIT == exit_code(verdicts)
    assert problems[0] == problems[1]
    assert str(tmp_path / "a") in problems[0][0]
    assert str(tmp_path / "b") in problems[0][0]


def test_folders_of_two_sites_need_not_agree(good, tmp_path):
    """Two sites have figures of their own."""
    forged = Forged(good)
    forged.package["name"] = forged.package["name"].replace("sample-", "other-", 1)
    forged.row(component="(other)").update(
        visits=1001, page_views_per_visit=round(3000 / 1001, 4), frequency=1.1122
    )
    written(tmp_path / "a", good)
    written(tmp_path / "b", forged.files())

    assert [] == _failed(tmp_path)


def _as_week(good, *, page_views, days_without_lines):
    """The day's rows as those of its week, all other days being empty."""
    forged = Forged(good)
    for row in forged.rows:
        row["period"] = "2026-W10"
        if row["status"] == "published":
            row["status"] = "incomplete"
    forged.row(component="_T")["page_views"] += page_views
    forged.row(component="(other)")["page_views"] += page_views
    for row in forged.rows:
        if row["visits"]:
            row["page_views_per_visit"] = round(row["page_views"] / row["visits"], 4)
    forged.facts["period"] |= {"kind": "week", "first_day": "2026-03-02", "last_day": "2026-03-08"}
    forged.facts.update(status="incomplete", days_without_lines=days_without_lines)
    forged.package["name"] = "sample-components-2026-w10"
    return forged.files()


@pytest.mark.parametrize(
    ("page_views", "empty_days", "expected"),
    [
        (0, range(3, 9), []),
        (7, range(3, 9), ["periods"]),
        (-1, range(4, 9), ["periods"]),
        (7, range(4, 9), []),
    ],
    ids=["adds up", "more than its days", "less than one day", "a day is not there"],
)
def test_days_come_to_their_week_if_all_are_there(page_views, empty_days, expected, good, tmp_path):
    """What adds up over days is compared over folders; days without lines count as empty."""
    days = [f"2026-03-{n:02}" for n in empty_days]
    written(tmp_path / "day", good)
    written(tmp_path / "week", _as_week(good, page_views=page_views, days_without_lines=days))

    assert expected == _failed(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b'{"name": "x"}', b'{"resources": [{"path": "../../canary"}]}'],
    ids=["empty", "nothing", "list", "bytes", "half", "path"],
)
def test_what_is_no_description_is_named_and_not_quoted(content, good, tmp_path):
    """The sentence names places, never what stands there."""
    (verdict,) = verify([written(tmp_path / "folder", {**good, PACKAGE: content})])

    assert (["package"], INPUT) == ([c.name for c in verdict.checks], exit_code([verdict]))
    assert "canary" not in verdict.checks[0].problems[0]


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/hostname", "a/b.csv", "..", "datapackage.json"])
def test_nothing_outside_the_folder_is_ever_opened(path, good, tmp_path):
    """A file is a plain name."""
    package = json.loads(good[PACKAGE])
    package["resources"][0]["path"] = path
    folder = written(tmp_path / "folder", {**good, PACKAGE: json.dumps(package).encode()})

    assert ["package"] == _failed(folder)


def test_other_folders_are_checked_all_the_same(good, tmp_path):
    """One broken folder hides no other."""
    written(tmp_path / "a", {**good, PACKAGE: b"{}"})
    written(tmp_path / "b", good)

    assert [False, True] == [verdict.passed for verdict in verify([tmp_path])]


def test_the_fingerprint_is_that_of_the_same_folders_anywhere(good, tmp_path):
    """It depends on neither names nor places, and on every folder."""
    here = written(tmp_path / "here" / "folder", good)
    shutil.copytree(here, tmp_path / "there" / "renamed")
    one, other = (fingerprint(verify([tmp_path / name])) for name in ("here", "there"))

    assert one == other
    assert one != fingerprint(verify([tmp_path]))


def test_verifying_loads_no_orchestrator_database_or_solver():
    """A partner's machine needs little, and nothing that reads logs."""
    code = "import sys, usage_stats.flow.verify_folders; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    unwanted = (
        "dagster",
        "duckdb",
        "highspy",
        "numba",
        "polars",
        "usage_stats.accesslog",
        "usage_stats.deidentify",
    )

    assert [] == [name for name in loaded if name.startswith(unwanted)]


def test_a_lower_minimum_of_the_package_is_what_counts(facts, release_with, tmp_path):
    """The threshold is the one that the release names."""
    made = release_with(
        facts=facts(thresholds=Thresholds(minimum_persons=900, minimum_networks=3)), statuses=None
    )
    files = release_files(made, cut(made, "components", TABLE), "acme-media")
    forged = Forged(files)
    forged.facts["thresholds"]["minimum_persons"] = 901

    assert ["minimum"] == _failed(written(tmp_path / "folder", forged.files()))


def _without_page(forged):
    forged.page = {}
    forged.package["resources"] = forged.data


def test_a_folder_from_before_there_were_pages_passes(good, tmp_path):
    """What was delivered once stays good: a page is checked where one is described."""
    forged = Forged(good)
    _without_page(forged)

    assert [] == _failed(written(tmp_path / "folder", forged.files()))


def test_a_page_that_is_not_described_is_an_extra_file(good, tmp_path):
    """Nobody slips one in."""
    forged = Forged(good)
    _without_page(forged)

    assert ["files"] == _failed(written(tmp_path / "folder", {**forged.files(), "report.html": b"<p>"}))


@pytest.mark.parametrize(
    "change",
    [
        {"path": "other.html"},
        {"path": "components.csv"},
        {"format": "csv"},
        {"format": "pdf"},
        {"hash": "sha256:0"},
    ],
    ids=str,
)
def test_a_page_is_described_as_the_page(change, good, tmp_path):
    """One file of that name and kind, and no other."""
    forged = Forged(good)
    page = next(r for r in forged.package["resources"] if r["format"] == "html")
    page.update(change)
    content = json.dumps(forged.package).encode()

    assert ["package"] == _failed(written(tmp_path / "folder", {**good, PACKAGE: content}))


def test_a_folder_has_one_page(good, tmp_path):
    """Described twice, it is no description of ours."""
    forged = Forged(good)
    page = next(r for r in forged.package["resources"] if r["format"] == "html")
    forged.package["resources"].append(page)
    content = json.dumps(forged.package).encode()

    assert ["package"] == _failed(written(tmp_path / "folder", {**good, PACKAGE: content}))
