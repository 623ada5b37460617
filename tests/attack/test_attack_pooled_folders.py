"""Folders of invented sites, some of them released wrongly: the audit of folders finds what an outsider finds."""

from datetime import date

import attacker
import pytest
from invented_site import PLACES, SMALL, cube_with, days_from, protect_one, publish_all, random_site
from released_folder import Forged, written

from usage_stats.config import Table
from usage_stats.errors import AuditFailed, InputError, SchemaError
from usage_stats.flow.audit_folders import audit_exit_code, audit_folders, describe_audits
from usage_stats.measure.relations import MEASURES, CellKey
from usage_stats.periods import day, parse_period, periods_of
from usage_stats.protect.audit import Interval
from usage_stats.release.export import release_files
from usage_stats.release.gate import Facts, Release
from usage_stats.release.pooled import audit_releases
from usage_stats.release.table_cut import cut
from usage_stats.release.verify import verify

CUBE = cube_with(PLACES)
WEEK = days_from(date(2027, 2, 1), 7)
PERSONS, SHARE = 5, 0.1
SEEDS = range(12)
ALL = Table(measures=list(MEASURES))
FACTS = Facts(
    site="invented",
    time_zone="UTC",
    thresholds=SMALL,
    policy_versions=("1",),
    identity_basis_shares=None,
    robot_lists="none",
    software="none",
)


def _release(figures, code):
    """What is published of a period, right or wrong."""
    rows = []
    for category in CUBE.categories:
        shown = figures[CellKey(code, *category)]
        rows.append((code, *category, "", *(shown or (None,) * 3), "published" if shown else "suppressed"))
    return Release(parse_period(code), tuple(rows), FACTS)


def _folders(root, figures, tables, partner="one"):
    """A folder of each table and period."""
    for code in sorted({key[0] for key in figures}):
        for name, table in tables.items():
            files = release_files(made := _release(figures, code), cut(made, name, table), partner)
            written(root / partner / name / code, files)
    return root


def _primary_only(seed):
    """A day of which only what is about too few is withheld, so that sums give some of it away."""
    site = random_site(seed, CUBE, WEEK[:1], persons=16, busy=1)
    cells = site.cells(CUBE, day(WEEK[0]))
    return {
        k: None if 0 < c.visitors < PERSONS else (c.visitors, c.visits, c.page_views)
        for k, c in cells.items()
    }


def _exposed(figures):
    """What the outsider finds, in rational numbers as the audit does."""
    return sorted(attacker.exposed(figures, persons=PERSONS, share=SHARE, whole=False))


def _found(*paths):
    return sorted(key for audit in audit_releases(paths) for key in audit.report.exposed)


def test_what_one_folder_gives_away_is_found(tmp_path):
    """The exposed cells are those that an attacker finds who shares no code; there are some."""
    for seed in SEEDS:
        figures = _primary_only(seed)
        root = _folders(tmp_path / str(seed), figures, {"all": ALL})

        assert _exposed(figures) == _found(root)
    assert any(_exposed(_primary_only(seed)) for seed in SEEDS)


@pytest.mark.parametrize(
    "measures",
    [
        (["visitors", "visits"], ["page_views"]),
        (["visitors"], ["visits", "page_views"]),
        (["visitors"], ["visits"], ["page_views", "reach"]),
    ],
    ids=["page views apart", "visitors apart", "one each"],
)
def test_figures_of_a_cell_that_are_split_over_tables_are_put_together(measures, tmp_path):
    """Two partners with half of the figures each know all of them."""
    for seed in SEEDS:
        figures, root = _primary_only(seed), tmp_path / str(seed)
        for number, some in enumerate(measures):
            _folders(root, figures, {f"table-{number}": Table(measures=some)}, f"partner-{number}")

        assert _exposed(figures) == _found(root)


def test_less_is_found_in_tables_that_show_less(tmp_path):
    """Every interval of a table of page views alone holds that of all figures; what is shown still gives away some."""
    found = 0
    for seed in SEEDS:
        figures = _primary_only(seed)
        (most,) = audit_releases([_folders(tmp_path / f"all-{seed}", figures, {"all": ALL})])
        views = {"views": Table(measures=["page_views"])}
        (least,) = audit_releases([_folders(tmp_path / f"views-{seed}", figures, views)])
        found += len(least.report.exposed)

        assert [] == [k for k in most.report.intervals if not _all_hold(least, most, k)]
    assert found > 0


def _all_hold(wide, narrow, key):
    wider, narrower = wide.report.intervals[key], narrow.report.intervals[key]
    return all(
        wider[m].low <= narrower[m].low and (wider[m].high >= min(narrower[m].high, wide.ceiling))
        for m in MEASURES
    )


def test_ratios_are_used_where_counts_are_not_shown(tmp_path):
    """Visitors with visits per visitor are visits: on a small site the audit finds what it finds with the counts."""
    ratios = {"ratios": Table(measures=["visitors", "frequency", "page_views_per_visit"])}
    for seed in SEEDS:
        figures = _primary_only(seed)

        assert _exposed(figures) == _found(_folders(tmp_path / str(seed), figures, ratios))


@pytest.mark.parametrize("measures", [["visitors", "page_views"], ["page_views", "reach"]])
def test_what_is_not_shown_of_a_published_cell_is_bounded_too(measures, tmp_path):
    """A hundred visitors with a hundred page views made a hundred visits; without visitors, there are at least five."""
    key = CellKey("2027-02-01", "_T", "_T")
    figures = dict.fromkeys([CellKey("2027-02-01", *c) for c in CUBE.categories], (0, 0, 0))
    figures[key] = figures[CellKey("2027-02-01", "news", "_T")] = (100, 100, 100)
    (found,) = audit_releases([_folders(tmp_path, figures, {"some": Table(measures=measures)})])
    least = 100 if "visitors" in measures else PERSONS

    assert Interval(least, 100) == found.report.intervals[key]["visits"]
    assert ((), ()) == (found.withheld, found.report.exposed)


@pytest.mark.parametrize("seed", [6, 9])
def test_periods_that_were_protected_apart_give_each_other_away(seed, tmp_path):
    """Each folder alone passes; the days of one partner and the week of another together expose cells."""
    site, told = random_site(seed, CUBE, WEEK, persons=30, busy=0.2), {}
    for period in periods_of(WEEK, ("day", "week")):
        if set(period.days) <= set(WEEK):
            told |= protect_one(site, CUBE, period, {}, SMALL).view()
    days = {key: figures for key, figures in told.items() if "W" not in key[0]}
    week = {key: figures for key, figures in told.items() if "W" in key[0]}
    _folders(tmp_path, days, {"all": ALL}, "daily")
    _folders(tmp_path, week, {"all": ALL}, "weekly")
    alone = [path for path in tmp_path.glob("*/*/*") if _found(path)]

    assert [] == alone
    assert [] != _exposed(told)
    assert _exposed(told) == _found(tmp_path / "daily", tmp_path / "weekly")


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_folders_protected_together_pass(seed, tmp_path):
    """What the main job would have released of the same week exposes nothing, and is consistent."""
    site = random_site(seed, CUBE, WEEK, persons=30, busy=0.5)
    figures = publish_all(site, CUBE, WEEK, SMALL).figures
    root = _folders(tmp_path, figures, {"all": ALL})

    assert ([], []) == (_found(root), [v.path for v in verify([root]) if not v.passed])


def test_a_cell_withheld_here_and_published_there_is_found(tmp_path):
    """Both folders are named."""
    figures = _primary_only(0)
    hidden = next(k for k, shown in figures.items() if shown and shown[0] and k[1] != "_T" and k[2] == "_T")
    _folders(tmp_path, figures, {"all": ALL}, "one")
    _folders(tmp_path, {**figures, hidden: None}, {"all": ALL}, "two")

    with pytest.raises(
        AuditFailed, match=r"withheld in one and published in the other of .*one/all.* and .*two/all"
    ):
        audit_releases([tmp_path])


def test_folders_of_different_figures_are_refused(tmp_path):
    """What contradicts itself cannot be attacked."""
    figures = _primary_only(0)
    _folders(tmp_path, figures, {"all": Table(measures=["visitors"])}, "one")
    forged = Forged(release_files(made := _release(figures, "2027-02-01"), cut(made, "all", ALL), "two"))
    forged.rows[0]["visitors"] += 1
    forged.rows[0]["visits"] += 1
    written(tmp_path / "two", forged.files())

    with pytest.raises(SchemaError, match="of different figures"):
        audit_releases([tmp_path])


def test_damaged_folders_are_not_attacked(tmp_path):
    """An audit of other figures than those released proves nothing."""
    root = _folders(tmp_path, _primary_only(0), {"all": ALL})
    (root / "one/all/2027-02-01/all.csv").write_bytes(b"")

    with pytest.raises(InputError, match=r"all\.csv has 0 bytes"):
        audit_releases([root])


def test_ratios_alone_are_refused(tmp_path):
    """Of whom a share is, and whether of anybody, is not known."""
    root = _folders(tmp_path, _primary_only(0), {"shares": Table(measures=["frequency"])})

    with pytest.raises(InputError, match="ratios without any count"):
        audit_releases([root])


def test_two_sites_are_attacked_apart(tmp_path):
    """Nobody's visits to one site are in the figures of another."""
    files = release_files(made := _release(_primary_only(0), "2027-02-01"), cut(made, "all", ALL), "one")
    forged = Forged(files)
    forged.package["name"] = forged.package["name"].replace("invented-", "another-")
    written(tmp_path / "a", files)
    written(tmp_path / "b", forged.files())
    found = audit_releases([tmp_path])

    assert ["invented", "another"] == [audit.site for audit in found]
    assert found[0].report == found[1].report


def test_an_exposed_cell_is_told_in_a_sentence_and_for_machines(tmp_path):
    """Where it is and between which bounds it is known to lie; null stands for no bound."""
    figures = dict.fromkeys([CellKey("2027-02-01", *c) for c in CUBE.categories], (100, 120, 300))
    figures[CellKey("2027-02-01", "shop", "basket")] = None
    figures[CellKey("2027-02-01", "shop", "(other)")] = (97, 116, 291)
    for empty in ("news", "(other)"):
        figures[CellKey("2027-02-01", empty, "_T")] = (0, 0, 0)
    (found,) = audit_releases([_folders(tmp_path, figures, {"all": ALL})])
    (withheld,) = found.to_json()["withheld"]

    assert found.sentences() == [
        (
            "period 2027-02-01, component shop, sub-component basket: withheld, but visitors are 3 to 9, visits are "
            "4 to 9, page_views are 9"
        )
    ]
    assert withheld == {
        "period": "2027-02-01",
        "component": "shop",
        "sub_component": "basket",
        "by": "",
        "exposed": True,
        "visitors": {"feasible_low": 3, "feasible_high": 9},
        "visits": {"feasible_low": 4, "feasible_high": 9},
        "page_views": {"feasible_low": 9, "feasible_high": 9},
    }


@pytest.mark.parametrize(
    ("shown", "code", "words"), [(None, 0, "none of them exposed"), ((97, 116, 291), 14, "1 of")]
)
def test_the_audit_of_folders_is_one_line_a_site_and_one_a_cell(shown, code, words, tmp_path):
    """Exit code 0 only if nothing is exposed; both parts withheld are in doubt, one alone is not."""
    figures = dict.fromkeys([CellKey("2027-02-01", *c) for c in CUBE.categories], (100, 120, 300))
    figures[CellKey("2027-02-01", "shop", "basket")] = None
    figures[CellKey("2027-02-01", "shop", "(other)")] = shown
    for empty in ("news", "(other)"):
        figures[CellKey("2027-02-01", empty, "_T")] = (0, 0, 0)
    told = []
    reporter = type(
        "Told", (), {"start": lambda _, *all_: told.append(all_), "advance": lambda _, n: told.append(n)}
    )()
    audits = audit_folders([_folders(tmp_path, figures, {"all": ALL})], reporter)
    said = describe_audits(audits).splitlines()

    assert (code, len(said)) == (audit_exit_code(audits), 2 if code else 1)
    assert words in said[-1]
    assert said[-1].startswith("invented: 1 folders, 6 cells, ")
    assert told == [("reading folders", 1), 1]
