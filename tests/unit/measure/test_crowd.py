import random
from datetime import date, timedelta

import polars as pl
import pytest

from usage_stats.config import TOTAL
from usage_stats.errors import SchemaError
from usage_stats.measure import daily_rows
from usage_stats.measure.cells import UsageFiles
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.daily_rows import DailyRows
from usage_stats.measure.relations import CellKey

MONDAY = date(2027, 2, 1)
PLACES = [(TOTAL, TOTAL), ("shop", TOTAL), ("shop", "basket"), ("news", TOTAL)]


def _rows(seed):
    rng = random.Random(seed)
    days = [MONDAY + timedelta(n) for n in range(10)]
    return [(rng.getrandbits(64) % 40 << 58, rng.choice(days), *rng.choice(PLACES)) for _ in range(300)]


def _files(tmp_path, rows, networks):
    paths = {"person": tmp_path / "person.parquet", "network": tmp_path / "network.parquet"}
    for (name, path), listed in zip(paths.items(), (rows, networks), strict=True):
        schema = {name: pl.UInt64, "event_date": pl.Date, "component": pl.String, "sub_component": pl.String}
        frame = pl.DataFrame(listed, schema=schema, orient="row")
        frame.with_columns(further=pl.lit(""), visits=1, network_bucket=0).write_parquet(path)
    return UsageFiles((paths["person"],), (paths["network"],))


@pytest.mark.parametrize("at_once", [0, 100, 8_000_000])
@pytest.mark.parametrize("seed", range(5))
def test_crowd_is_the_union_of_sets(tmp_path, monkeypatch, seed, at_once):
    """Distinct persons and networks over any set of cells, days and weeks alike, however many are read at once."""
    monkeypatch.setattr(daily_rows, "_AT_ONCE", at_once)
    rows, networks = _rows(seed), _rows(seed + 100)
    crowd = Crowd(_files(tmp_path, rows, networks))
    rng = random.Random(seed)
    codes = ["2027-W05", "2027-W06", *(f"2027-02-{n:02}" for n in range(1, 11))]
    for _ in range(20):
        keys = [CellKey(rng.choice(codes), *rng.choice(PLACES)) for _ in range(rng.randint(1, 5))]

        assert (_union(rows, keys), _union(networks, keys)) == crowd.behind(keys)


def _union(rows, keys):
    return len(
        {one for one, of, *place in rows for key in keys if tuple(place) == key[1:3] and _in(of, key.period)}
    )


def _in(of, code):
    if "W" in code:
        return of.isocalendar()[:2] == (int(code[:4]), int(code[-2:]))
    return of.isoformat() == code


def test_neighbouring_pseudonyms_are_two_persons(tmp_path):
    """All 64 bits count: small and large pseudonyms side by side stay whole numbers."""
    persons = [1, 2**63, 2**63 + 1, 2**64 - 1]
    rows = [(person, MONDAY, "news", TOTAL) for person in persons]
    crowd = Crowd(_files(tmp_path, rows, rows))

    assert (4, 4) == crowd.behind([CellKey("2027-02-01", "news", TOTAL)])


def test_cells_without_anyone_are_nobody(tmp_path):
    """An unknown place or day adds no person."""
    crowd = Crowd(_files(tmp_path, _rows(1), _rows(2)))

    assert (0, 0) == crowd.behind([CellKey("2027-02-01", "blog", TOTAL), CellKey("2026-01-01", TOTAL, TOTAL)])


def test_a_large_category_is_read_when_it_is_asked_for(tmp_path, monkeypatch):
    """Small ones are read together; the rows of a large one, when nobody asks, are not in memory."""
    monkeypatch.setattr(daily_rows, "_AT_ONCE", 3)
    rows = [(n, MONDAY, "shop", TOTAL) for n in range(10)] + [(n, MONDAY, "news", TOTAL) for n in range(3)]
    found = DailyRows(_files(tmp_path, rows, rows).component_day, "person", ["visits", "network_bucket"])
    read, whole = [], found._read  # noqa: SLF001 what is read of files shows nowhere else
    monkeypatch.setattr(found, "_read", lambda wanted: read.append(wanted) or whole(wanted))
    sizes = [
        sum(len(day.who) for day in found.of((name, TOTAL, ""), [MONDAY]))
        for name in ("news", "shop", "news")
    ]

    assert [3, 10, 3] == sizes
    assert [{("news", TOTAL, "")}, {("shop", TOTAL, "")}] == read


def test_a_row_without_a_pseudonym_is_refused(tmp_path):
    """A gap among pseudonyms would round them: neighbours would become one person."""
    crowd = Crowd(_files(tmp_path, [(None, MONDAY, "news", TOTAL), (1, MONDAY, "news", TOTAL)], []))

    with pytest.raises(SchemaError, match="1 usage rows lack a value"):
        crowd.behind([CellKey("2027-02-01", "news", TOTAL)])
