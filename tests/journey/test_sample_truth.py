"""The sample's logs, of which every figure is known, against what is released of them."""

import csv
import gzip
import io
import json
import shutil
from collections import Counter
from datetime import date, datetime, time, timedelta

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard

from usage_stats.flow.workspace import open_workspace

MINIMUM_PERSONS, MINIMUM_NETWORKS = 10, 3  # data/sample/usage_stats.yaml
ACME, NORTHWIND = "acme-media", "northwind"


def _cells(releases, partner):
    """A partner's CSV files: (period, component, sub-component) → the three figures, None if withheld."""
    cells = {}
    for name, content in releases.items():
        if name.startswith(f"{partner}/components/") and name.endswith(".csv"):
            for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
                texts = [row[m] for m in ("visitors", "visits", "page_views")]
                hidden = row["status"] == "suppressed"
                assert hidden == (texts == ["", "", ""]), (
                    "withheld is empty, never 0, and nothing else is empty"
                )
                key = row["period"], row["component"], row["sub_component"]
                cells[key] = None if hidden else tuple(map(int, texts))
    return cells


def _truth(root):
    """(period, component, sub-component) → visitors, visits, page views, networks."""
    table = pl.read_parquet(root / "truth" / "figures.parquet")
    keys = ("period", "component", "sub_component")
    columns = (*keys, "visitors", "visits", "page_views", "networks")
    return {row[:3]: row[3:] for row in table.select(columns).iter_rows()}


def _whole_periods(span):
    """The days of the span, and the weeks and months all of whose days are in it, by counting days."""
    weeks = [f"{d:%G}-W{d:%V}" for d in span]
    months = [f"{d:%Y-%m}" for d in span]
    lengths = {
        month: (date(int(month[:4]), int(month[5:]) % 12 + 1, 1) - timedelta(1)).day for month in months
    }
    whole = {week for week in weeks if weeks.count(week) == 7}
    whole |= {month for month in months if months.count(month) == lengths[month]}
    return {d.isoformat() for d in span} | whole


def _is_demanded(figures):
    visitors, _, _, networks = figures
    return 0 < visitors < MINIMUM_PERSONS or 0 < networks < MINIMUM_NETWORKS


def _check_against_truth(made):
    cells, truth = _cells(made.releases, ACME), _truth(made.root)
    periods = _whole_periods(made.span)
    assert {key for key in truth if key[0] in periods} == set(cells), "all that is due, and nothing else"
    assert {key: truth[key][:3] for key, f in cells.items() if f} == {k: f for k, f in cells.items() if f}
    demanded = {key for key in cells if _is_demanded(truth[key])}
    assert demanded <= {key for key, figures in cells.items() if figures is None}
    empty = {key for key in cells if truth[key][0] == 0}
    assert {(0, 0, 0)} >= {cells[key] for key in empty}
    return cells, demanded


def test_every_published_figure_is_true(march):
    """What leaves the house is what the invented people did; what the rules demand to withhold is withheld;
    no one is 0; and every period that is whole is released, no other.
    """
    cells, demanded = _check_against_truth(march)
    shown = sum(figures is not None for figures in cells.values())

    assert len(demanded) > 60
    assert shown > 0.6 * len(cells)


def test_ten_days_hold_one_week_and_no_month(ten_days):
    """Weeks and months at the edges of the logs are not released: their days are not all there."""
    cells, _ = _check_against_truth(ten_days)

    assert {"2026-W14"} == {key[0] for key in cells} - {d.isoformat() for d in ten_days.span}


def test_the_office_is_never_published_and_never_withheld_alone(march):
    """Many visitors from one company stay withheld, and so does a part beside them: the total less the rest
    would be theirs.
    """
    cells = _cells(march.releases, ACME)
    office = {key[0]: figures for key, figures in cells.items() if key[1] == "suppliers"}
    withheld = {key[:2] for key, figures in cells.items() if figures is None and key[2] == "_T"}
    alone = [p for p, f in office.items() if f is None and len([w for w in withheld if w[0] == p]) < 2]

    assert set(office.values()) <= {None, (0, 0, 0)}
    assert [] == alone


def test_each_partner_receives_its_own_kinds_of_period(march):
    """Northwind receives the same weeks and months as Acme, and no day."""
    acme, northwind = (_cells(march.releases, partner) for partner in (ACME, NORTHWIND))

    assert {key: figures for key, figures in acme.items() if len(key[0]) != 10} == northwind


def test_parquet_says_what_the_csv_says(ten_days):
    """Two spellings of one release."""
    csv_cells = _cells(ten_days.releases, ACME)
    columns = ["period", "component", "sub_component", "visitors", "visits", "page_views"]
    parquet_cells = {}
    for name, content in ten_days.releases.items():
        if name.startswith(f"{ACME}/components/") and name.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(content), columns=columns).to_pydict()
            for row in zip(*(table[c] for c in columns), strict=True):
                parquet_cells[row[:3]] = None if row[3] is None else row[3:]

    assert csv_cells == parquet_cells


def test_lines_are_those_that_were_written(march):
    """Lines, parsed and rejected lines, page views and malformed requests are the generator's own counts.

    Its robots are not: it takes a mail program that calls itself `Mozilla/5.0` for no robot.
    """
    truth = json.loads((march.root / "truth" / "lines.json").read_text())
    entries = open_workspace(march.root).ingested.entries()
    rejected, outcomes = (
        sum((Counter(e[part]) for e in entries), Counter()) for part in ("rejected", "outcomes")
    )

    assert (truth["lines"], truth["parsed"], truth["rejected"]) == (
        sum(entry["lines"] for entry in entries),
        sum(entry["parsed"] for entry in entries),
        rejected.total(),
    )
    assert truth["page_views"] == outcomes["page_views"]
    assert truth["malformed_requests"] == outcomes["malformed_requests"]


# ---------------------------------------------------------------- night after night, or all at once


def _nights(journey, root, made, every):
    """A run on some nights, each with the logs up to the evening before; then one long after."""
    journey.settings_into(root)
    for number, day in enumerate([*made.span, *(made.span[-1] + timedelta(n) for n in (1, 2, 3))]):
        if number < len(made.logs):
            shutil.copy(made.logs[number], root / "logs")
        if number % every == 0:
            journey.run_at(root, datetime.combine(day + timedelta(1), time(3, 30), journey.berlin))
    journey.run_at(root, journey.long_after(made.span[-1]))
    return journey.tree(root / "releases")


@pytest.mark.parametrize("every", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_nights_release_the_same_bytes_as_one_run(ten_days, journey, tmp_path, every):
    """One run per night with what logs there were, or on every third night, and one run over everything, fill
    identical folders.
    """
    assert ten_days.releases == _nights(journey, tmp_path / "w", ten_days, every)


@pytest.mark.slow
def test_a_month_of_nights_releases_the_same_bytes_as_one_run(march, journey, tmp_path):
    """The same over a month and its weeks."""
    assert march.releases == _nights(journey, tmp_path / "w", march, 1)


# ---------------------------------------------------------------- the same lines in other files


def _plain(logs):
    return [gzip.decompress(path.read_bytes()) for path in logs]


def _as_they_are(logs, folder):
    for path in logs:
        shutil.copy(path, folder)


def _in_another_order(logs, folder):
    for number, path in enumerate(reversed(logs)):
        shutil.copy(path, folder / f"{number:03}.gz")


def _as_one_gzip_file(logs, folder):
    (folder / "all.gz").write_bytes(gzip.compress(b"".join(_plain(logs)), 1))


def _as_gzip_members_of_one_file(logs, folder):
    (folder / "all.gz").write_bytes(b"".join(path.read_bytes() for path in logs))


def _uncompressed_with_old_names(logs, folder):
    for number, content in enumerate(_plain(logs)):
        (folder / f"access.log.{number}").write_bytes(content)


def _as_zstd(logs, folder):
    for path, content in zip(logs, _plain(logs), strict=True):
        (folder / f"{path.name}.zst").write_bytes(zstandard.ZstdCompressor(level=3).compress(content))


def _split_at_line_ends(logs, folder):
    for path, content in zip(logs, _plain(logs), strict=True):
        middle = content.rfind(b"\n", 0, len(content) // 2) + 1
        (folder / f"{path.name}.b").write_bytes(content[:middle])
        (folder / f"{path.name}.a").write_bytes(gzip.compress(content[middle:]))


def _twice_under_two_names(logs, folder):
    _as_they_are(logs, folder)
    for number, content in enumerate(_plain(logs)):
        (folder / f"backup.{number}").write_bytes(content)


def _without_the_last_newline(logs, folder):
    for path, content in zip(logs, _plain(logs), strict=True):
        (folder / path.name).write_bytes(content.removesuffix(b"\n"))


@pytest.mark.parametrize(
    "arrange",
    [
        _in_another_order,
        _as_one_gzip_file,
        pytest.param(_as_gzip_members_of_one_file, marks=pytest.mark.slow),
        pytest.param(_uncompressed_with_old_names, marks=pytest.mark.slow),
        _as_zstd,
        pytest.param(_split_at_line_ends, marks=pytest.mark.slow),
        _twice_under_two_names,
        pytest.param(_without_the_last_newline, marks=pytest.mark.slow),
    ],
)
def test_how_the_lines_lie_in_files_changes_nothing(ten_days, journey, tmp_path, arrange):
    """Order, names, compression, splitting and copies of log files change no byte of a release."""
    arrange(ten_days.logs, journey.settings_into(tmp_path) / "logs")
    result = journey.run_at(tmp_path, journey.long_after(ten_days.span[-1]))

    assert ten_days.releases == journey.tree(tmp_path / "releases")
    assert ten_days.result.ingested.outcomes == result.ingested.outcomes


def test_the_ways_for_large_logs_release_the_same_bytes(ten_days, journey, tmp_path, monkeypatch):
    """Compiled code that reads plain lines, and arrays that count large days, are shortcuts: no byte of a release, no
    count of what became of the lines, and no day's lines are others.
    """
    _as_they_are(ten_days.logs, journey.settings_into(tmp_path) / "logs")
    journey.force_the_ways_for_large_logs(monkeypatch)
    result = journey.run_at(tmp_path, journey.long_after(ten_days.span[-1]))
    plain, forced = ten_days.result.ingested, result.ingested

    assert ten_days.releases == journey.tree(tmp_path / "releases")
    assert (plain.lines, plain.rejected, plain.outcomes) == (forced.lines, forced.rejected, forced.outcomes)
    assert _lines_by_day(ten_days.root) == _lines_by_day(tmp_path)


def _lines_by_day(root):
    entries = open_workspace(root).ingested.entries()
    return sorted(json.dumps((entry["lines_by_day"], entry["lines"], entry["rejected"])) for entry in entries)


LONGEST_GRACE = 31  # days: everything is read and nothing sealed on the evening of the last day


def _last_evening(made, journey):
    return datetime.combine(made.span[-1], time(23, 59), journey.berlin)


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(
            _in_another_order, marks=pytest.mark.slow
        ),  # names alone: `_uncompressed…` changes them too
        _uncompressed_with_old_names,
        _as_zstd,
    ],
)
def test_logs_that_were_read_are_known_in_their_new_files(ten_days, journey, tmp_path, arrange):
    """Logs renamed, rotated or compressed otherwise after they were read hold nothing new."""
    _as_they_are(ten_days.logs, journey.settings_into(tmp_path, grace=LONGEST_GRACE) / "logs")
    journey.run_at(tmp_path, _last_evening(ten_days, journey))
    for path in (tmp_path / "logs").iterdir():
        path.unlink()
    arrange(ten_days.logs, tmp_path / "logs")
    second = journey.run_at(tmp_path, journey.long_after(ten_days.span[-1]))

    assert 0 == second.ingested.lines
    assert ten_days.releases == journey.tree(tmp_path / "releases")


def test_a_log_that_grows_is_read_on_from_where_it_ended(ten_days, journey, tmp_path):
    """Each log is read when it is cut somewhere, mostly within a line, and again when it is whole."""
    logs = journey.settings_into(tmp_path, grace=LONGEST_GRACE) / "logs"
    contents = _plain(ten_days.logs)
    for number, content in enumerate(contents):
        (logs / f"{number}.log").write_bytes(content[: len(content) * (number + 1) // 12])
    first = journey.run_at(tmp_path, _last_evening(ten_days, journey))
    for number, content in enumerate(contents):
        (logs / f"{number}.log").write_bytes(content)
    second = journey.run_at(tmp_path, journey.long_after(ten_days.span[-1]))

    assert min(first.ingested.lines, second.ingested.lines) > 5_000
    assert ten_days.releases == journey.tree(tmp_path / "releases")


# ---------------------------------------------------------------- the sample as a newcomer meets it


@pytest.mark.slow
@pytest.mark.parametrize("lines", [60_000, 500_000])
def test_the_whole_sample_is_true(journey, tmp_path, lines):
    """All 61 days, at full size and as a small site: the figures are true and everything due is released."""
    made = journey.made(tmp_path, first_day=date(2026, 3, 1), days=61, lines=lines)
    cells, _ = _check_against_truth(made)

    assert 61 + 8 + 2 == len({key[0] for key in cells})
