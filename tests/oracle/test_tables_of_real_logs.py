"""Real logs with many tables: every confidential cell is the oracle's, and so is every published figure."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from figures_told import confidential_cells, make_workspace, released_rows, run_at
from plain_count import BINNED, cells, is_told_right, named_bins
from plain_lines import requests_of
from plain_paths import path_of
from plain_people import views_of
from plain_sums import broken_sums

from usage_stats.deidentify.browser import BrowserClassifier

LOGS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "logs"
pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs are kept beside the project, in ../shared/data"
)
# Files, time zone, and the site's own hosts.
SITES = {
    "elastic": (["elastic-examples/apache_logs.log"], "America/Los_Angeles", ["semicomplete.com"]),
    "farmwork": (["willthefarmer/apache_combined/farmwork.access.log"], "Asia/Kolkata", ["farmwork.app"]),
    "sauna": (
        ["willthefarmer/nginx_combined/*"],
        "Europe/Berlin",
        ["*.saunathinker.com", "saunathinker.com"],
    ),
    "advertools": (["advertools/combined_no_errors.log"], "America/St_Johns", []),
    "vhost": (["willthefarmer/apache_vhost/farmwork.access.log"], "UTC", ["farmwork.app"]),
    "common": (["willthefarmer/apache_common/farmwork.access.log"], "Europe/Berlin", []),
}
TABLES = {
    "components": ["component", "sub_component"],
    "ways": ["component", "referrer"],
    "clock": ["hour"],
    "days_of_the_week": ["weekday"],
    "doors": ["entry_component", "exit_component"],
    "depth": ["visit_depth"],
    "duration": ["visit_duration"],
    "kinds": ["visitor_type"],
    "frequency": ["component", "visit_frequency"],
    "programs": ["browser", "device"],
}
KINDS = {
    **dict.fromkeys(TABLES, ("day", "week", "month")),
    **dict.fromkeys(("days_of_the_week", "frequency"), ("week", "month")),
    "kinds": ("day",),
}
# What a log without user agents and referrers cannot say.
NOT_IN_COMMON = {"ways", "programs"}


def _paths(site):
    return sorted(path for pattern in SITES[site][0] for path in LOGS.glob(pattern))


def _requests(site):
    return [request for path in _paths(site) for request in requests_of(path.read_bytes())]


def _components(requests):
    """The eight first segments that are asked for most, some with the segments below them."""
    paths = [path for request in requests if (path := path_of(request.target)) and _is_plain(path)]
    tops = Counter(path.split(b"/")[1] for path in paths if path != b"/")
    found = [{"name": "front", "paths": ["/"]}]
    for top in (name.decode() for name, _ in sorted(tops.most_common(8))):
        below = Counter(p.split(b"/")[2] for p in paths if p.startswith(f"/{top}/".encode()))
        parts = [name.decode() for name, _ in sorted(below.most_common(3)) if name]
        subs = [{"name": f"p{n}", "paths": [f"/{top}/{part}/**"]} for n, part in enumerate(parts)]
        found.append({"name": f"c{len(found)}", "paths": [f"/{top}/**"], "sub_components": subs})
    return [part for part in found if part.get("sub_components") != []]


def _is_plain(path):
    return path.isascii() and all(byte in b"/-_." or chr(byte).isalnum() for byte in path)


def _workspace(root, site, tables):
    """Settings, and what the oracle makes of the log."""
    requests = _requests(site)
    settings = {"components": _components(requests), "hosts": SITES[site][2], "time_zone": SITES[site][1]}
    sources = [{"name": "web", "logs": [str(path.resolve()) for path in _paths(site)]}]
    wanted = {name: {"dimensions": dims, "periods": [*KINDS[name]]} for name, dims in tables.items()}
    make_workspace(root, {}, tables=wanted, sources=sources, **settings)
    classify = BrowserClassifier().classify
    more = {
        "browser": lambda request: classify(request.agent).family,
        "device": lambda request: classify(request.agent).device,
    }
    views = views_of(
        requests,
        settings=settings,
        zone=ZoneInfo(settings["time_zone"]),
        more=more if "programs" in tables else {},
    )
    counted = cells(views, ["component", "sub_component"])
    for name, dimensions in tables.items():
        counted |= cells(views, dimensions, KINDS[name])
    return counted


def _is_of_the_first_part_week(place, first):
    """Who is new is not told before the first Monday: an older log may still come."""
    if all(name != "visitor_type" for name, _ in place[1]):
        return False
    of = date.fromisoformat(place[0])
    return of - timedelta(of.weekday()) < date.fromisoformat(first)


def _check_cells(root, monkeypatch, site, tables):
    counted = _workspace(root, site, tables)
    told = confidential_cells(root, monkeypatch)
    nobody = (0, 0, 0, 0)
    wrong = {
        place: (figures, tuple(counted.get(place, nobody)))
        for place, figures in told.items()
        if not is_told_right(place, figures, counted.get(place, nobody))
    }
    first = min(period for period, _ in counted if len(period) == len("2026-11-21"))
    untold = [
        place
        for place in counted.keys() - told.keys()
        if not _is_folded(place) and not _is_of_the_first_part_week(place, first)
    ]

    assert {} == wrong
    assert [] == untold
    assert [] == broken_sums(told)
    assert any(figures[0] > 2 for figures in told.values()), "people enough to say something"


def _is_folded(place):
    return any(name in BINNED for name, _ in place[1])


@pytest.mark.parametrize("site", [site for site in SITES if site != "elastic"])
def test_components_of_real_logs_are_the_oracles(tmp_path, monkeypatch, site):
    """Components and their parts, by day, week and month."""
    _check_cells(tmp_path / "w", monkeypatch, site, {"components": TABLES["components"]})


@pytest.mark.parametrize("site", SITES)
def test_cells_of_real_logs_are_the_oracles(tmp_path, monkeypatch, site):
    """All tables at once."""
    left_out = NOT_IN_COMMON if site == "common" else set()
    tables = {name: dimensions for name, dimensions in TABLES.items() if name not in left_out}

    _check_cells(tmp_path / "w", monkeypatch, site, tables)


@pytest.mark.slow
def test_published_figures_of_a_real_log_are_the_oracles(tmp_path):
    """Ten thousand lines of a small site: what is published is true, and bins that were made of several are."""
    counted = _workspace(tmp_path / "w", "elastic", TABLES)
    run_at(tmp_path / "w")
    for name in TABLES:
        rows = released_rows(tmp_path / "w", name)
        shown = {place: figures for place, figures in rows.items() if figures is not None}

        assert shown
        assert {place: tuple(counted.get(place, (0, 0, 0)))[:3] for place in shown} == shown
        assert all(code in named_bins(n) for _, place in rows for n, code in place if n in BINNED)
