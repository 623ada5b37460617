import random
from datetime import date, timedelta

import polars as pl
import pytest

from usage_stats.config import TOTAL
from usage_stats.measure.cells import UsageFiles
from usage_stats.measure.crowd import Crowd
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


@pytest.mark.parametrize("seed", range(5))
def test_crowd_is_the_union_of_sets(tmp_path, seed):
    """Distinct persons and networks over any set of cells, days and weeks alike."""
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
