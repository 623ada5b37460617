"""The sample's logs with many tables: what is published is the oracle's figure, and what is withheld has its reason."""

import gzip
import math
import shutil
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import yaml
from figures_told import (
    PARTNER,
    analysts_rows,
    confidential_cells,
    released_rows,
    run_at,
    sensitive_places,
    tree,
)
from plain_count import BINNED, COUNTED_LOW, FIXED, PERIODS, cells, is_told_right, named_bins
from plain_lines import requests_of
from plain_paths import places_below, settings_of
from plain_people import views_of
from plain_sums import broken_sums

from usage_stats.synthetic.generate import generate

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
BERLIN = ZoneInfo("Europe/Berlin")
MINIMUM_PERSONS, MINIMUM_NETWORKS = 10, 3  # data/sample/usage_stats.yaml
TABLES = {
    "components": {"dimensions": ["component", "sub_component"], "periods": ["week", "month"]},
    "ways": {"dimensions": ["component", "referrer"], "periods": ["week"]},
    "clock": {"dimensions": ["hour", "weekday"], "periods": ["month"]},
    "entries": {"dimensions": ["entry_component"], "periods": ["week"]},
    "depth": {"dimensions": ["visit_depth"], "periods": ["week", "month"]},
    "duration": {"dimensions": ["visit_duration"], "periods": ["week"]},
    "frequency": {"dimensions": ["visit_frequency"], "periods": ["month"]},
    "frequency_of_parts": {"dimensions": ["component", "visit_frequency"], "periods": ["month"]},
}
# By day, or with none beside them: on ten days, for every day takes its time.
ALONE = {
    "components": {"dimensions": ["component", "sub_component"], "periods": ["day", "week"]},
    "ways": {"dimensions": ["component", "referrer"], "periods": ["week"]},
    "kinds": {"dimensions": ["visitor_type"], "periods": ["day"]},
}
EVERY_PERIOD = {"components", "entries", "depth", "duration"}
# All of them, by day too where that makes sense: for those who have time.
ALL_TABLES = {
    name: {**table, "periods": ["day", "week", "month"]} if name in EVERY_PERIOD else table
    for name, table in (TABLES | ALONE).items()
}


def _sample_with(root, tables, *, days=28, lines=30_000, first_day=date(2026, 2, 1)):
    """The sample's workspace with other tables, all of them for one partner."""
    generate(root, first_day=first_day, days=days, lines=lines)
    settings = yaml.safe_load((SAMPLE / "usage_stats.yaml").read_bytes())
    settings |= {
        "first_day": first_day,
        "tables": tables,
        "partners": [{"id": PARTNER, "tables": [*tables]}],
        "hosts": ["example.org"],
    }
    (root / "usage_stats.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    shutil.copy(SAMPLE / "policy.yaml", root)
    return [first_day + timedelta(n) for n in range(days)]


def _long_after(span):
    return datetime(span[-1].year, span[-1].month, span[-1].day, 12, tzinfo=UTC) + timedelta(60)


def _views(root):
    content = b"".join(gzip.decompress(path.read_bytes()) for path in sorted((root / "logs").iterdir()))
    return views_of(requests_of(content), settings=settings_of(root), zone=BERLIN)


def _released(root, tables, **size):
    span = _sample_with(root, tables, **size)
    result = run_at(root, _long_after(span))
    views, sensitive = _views(root), sensitive_places(root)
    return SimpleNamespace(
        root=root, tables=tables, span=span, result=result, views=views, sensitive=sensitive
    )


@pytest.fixture(scope="module")
def february(tmp_path_factory):
    """February 2026, three whole weeks within it; all tables at once."""
    return _released(tmp_path_factory.mktemp("february"), TABLES)


@pytest.fixture(scope="module", params=ALONE)
def alone(request, tmp_path_factory):
    """Ten days around the change of the clock with one table alone, by its name."""
    size = {"first_day": date(2026, 3, 27), "days": 10, "lines": 20_000}
    table = {request.param: ALONE[request.param]}
    return request.param, _released(tmp_path_factory.mktemp("alone"), table, **size)


def _whole_periods(span, kinds):
    """The periods of these kinds all of whose days are in the span."""
    lengths = {"day": lambda _: 1, "week": lambda _: 7, "month": _days_of_month}
    found = set()
    for kind in kinds:
        codes = [PERIODS[kind](day) for day in span]
        found |= {
            code for code, day in zip(codes, span, strict=True) if codes.count(code) == lengths[kind](day)
        }
    return found


def _days_of_month(day):
    following = (day.replace(day=1) + timedelta(31)).replace(day=1)
    return (following - day.replace(day=1)).days


def _check(made, name):
    """Every row of a table; returns how many are shown, and withheld."""
    dimensions, kinds = made.tables[name]["dimensions"], made.tables[name]["periods"]
    rows = released_rows(made.root, name)
    counted = cells(made.views, dimensions, kinds)
    nobody = (0, 0, 0, 0)
    true = {key: tuple(counted.get(key, nobody)) for key in rows}
    shown = {key: figures for key, figures in rows.items() if figures is not None}
    demanded = {key for key in rows if _is_demanded(true[key])}

    assert {key: true[key][:3] for key in shown} == shown, "published is what people did"
    assert set() == demanded & shown.keys(), "what rests on too few is withheld"
    assert demanded <= made.sensitive, "as sensitive, which later releases must know"
    assert {} == {
        key: true[key] for key in made.sensitive & rows.keys() - demanded if not _may_be(key, true[key])
    }
    assert _whole_periods(made.span, kinds) == {period for period, _ in rows}
    return len(shown), len(rows) - len(shown)


def _may_be(place, figures):
    """Whether a cell may seem to rest on too few networks, because they are counted low: if there are not many."""
    return any(name in COUNTED_LOW for name, _ in place[1]) and figures[3] < 3 * MINIMUM_NETWORKS


def _is_demanded(figures):
    visitors, _, _, networks = figures
    return 0 < visitors < MINIMUM_PERSONS or 0 < networks < MINIMUM_NETWORKS


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_every_published_figure_is_the_oracles(february, name):
    """Of each table by its own definition; what is withheld rests on too few, or hides something that does."""
    shown, _ = _check(february, name)

    assert shown > 0


def test_a_table_alone_says_the_same(alone):
    """Without other tables beside it, and on the day that has 23 hours."""
    name, made = alone
    shown, _ = _check(made, name)
    _check_rows(made, name)

    assert shown > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_rows_are_all_that_there_can_be(february, name):
    """Whether somebody was there or not: each code of each dimension with each, in every whole period. Of bins, those
    that there are hold every number once.
    """
    _check_rows(february, name)


def _check_rows(made, name):
    rows = released_rows(made.root, name)
    periods = _whole_periods(made.span, made.tables[name]["periods"])
    rest = [n for n in made.tables[name]["dimensions"] if n not in {"component", "sub_component", *BINNED}]
    codes = [[(), *(((n, code),) for code in _codes(made, n))] for n in rest]
    places = [frozenset(sum(chosen, ())) for chosen in product(_parts(made, name), *codes)]
    plain = {(period, frozenset(p for p in place if p[0] not in BINNED)) for period, place in rows}

    assert {(period, place) for period in periods for place in places} == plain
    assert [] == _bins_with_gaps(rows)


def _parts(made, name):
    """The site, each component, and with sub-components each of them."""
    dimensions = made.tables[name]["dimensions"]
    found = [()]
    for component, *below in places_below(settings_of(made.root)["components"]):
        if "component" in dimensions and (not below or "sub_component" in dimensions):
            part = (("sub_component", "/".join(below)),) if below else ()
            found.append((("component", component), *part))
    return found


def _codes(made, name):
    if name in {"entry_component", "exit_component"}:
        return [c["name"] for c in settings_of(made.root)["components"]] + ["(other)"]
    return FIXED[name]


def _bins_with_gaps(rows):
    """The cells whose parts along a dimension of bins leave a number out, or hold one twice."""
    found = defaultdict(list)
    for period, place in rows:
        for name, code in place:
            if name in BINNED:
                whole = frozenset(pair for pair in place if pair[0] != name)
                found[period, whole, name].append(named_bins(name)[code])
    every = [*range(6)]
    return [
        key
        for key, spans in found.items()
        if sorted(place for low, high in spans for place in range(low, high + 1)) != every
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_analysts_have_what_partners_have(february, name):
    """The same rows with the same figures in both."""
    assert released_rows(february.root, name) == analysts_rows(february.root, name)


@pytest.mark.slow
def test_withheld_figures_are_not_alone(february):
    """Where figures add up, a withheld one is never the only one of a sum whose total is shown."""
    rows = {key: f for name in TABLES for key, f in released_rows(february.root, name).items()}
    filled = {key: figures or (math.nan,) * 3 for key, figures in rows.items()}
    hidden = defaultdict(int)
    for period, place in filled:
        for pair in place:
            if pair[0] in {
                "referrer",
                "weekday",
                "entry_component",
                "visit_depth",
                "visit_duration",
                "visitor_type",
            }:
                whole = period, place - {pair}
                hidden[whole, pair[0]] += rows[period, place] is None
    alone = [key for key, number in hidden.items() if number == 1 and rows.get(key[0]) is not None]

    assert [] == alone


def test_sums_of_the_confidential_cells_hold(tmp_path, monkeypatch):
    """Page views over components, hours and all else; visits over what is the visit's; visitors over what is theirs."""
    span = _sample_with(tmp_path, ALL_TABLES, lines=20_000)
    told = confidential_cells(tmp_path, monkeypatch, _long_after(span))
    views, counted = _views(tmp_path), {}
    for table in ALL_TABLES.values():
        whole = _whole_periods(span, table["periods"])
        found = cells(views, table["dimensions"], table["periods"]).items()
        counted |= {key: tuple(figures) for key, figures in found if key[0] in whole and _is_fine(key)}

    assert [] == broken_sums(told)
    asked = [key for key in counted if key in told or not {*BINNED}.intersection(name for name, _ in key[1])]
    assert [] == [key for key in asked if not is_told_right(key, told.get(key, (0, 0, 0, 0)), counted[key])]


def _is_fine(key):
    """No bin made of several, which there is only where some hold too few."""
    return all(name not in BINNED or len({*named_bins(name)[code]}) == 1 for name, code in key[1])


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "empty"), [(60_000, {"frequency"}), (500_000, set())])
def test_the_whole_sample_says_what_the_oracle_says(tmp_path, lines, empty):
    """All 61 days, at full size and as a small site, with every table; a small one may show none of some."""
    made = _released(tmp_path, ALL_TABLES, first_day=date(2026, 3, 1), days=61, lines=lines)
    shown = {name: _check(made, name)[0] for name in ALL_TABLES}

    assert {name for name, rows in shown.items() if not rows} <= empty


@pytest.mark.slow
@pytest.mark.slow
def test_two_workspaces_release_the_same_bytes(february, tmp_path):
    """Keys are drawn anew, figures and what is withheld are not."""
    again = _released(tmp_path, TABLES)

    assert tree(february.root / "releases") == tree(again.root / "releases")
