"""Who makes most of a customer group's page views, over all days of a period."""

from datetime import date

import polars as pl
import pytest

from usage_stats.config import Thresholds
from usage_stats.measure import cells as cells_module
from usage_stats.measure.cells import UsageFiles, period_cells
from usage_stats.measure.cube import cube_from
from usage_stats.measure.relations import CellKey
from usage_stats.periods import week
from usage_stats.protect.primary import primary_cells, rules_of

MONDAY, TUESDAY = date(2027, 2, 1), date(2027, 2, 2)
GOLD = "customer_group=gold"
CUBE = cube_from([("_T", "_T"), ("_T", "_T", GOLD), ("_T", "_T", "customer_group=(none)")], ("week",))


def _files(tmp_path, views):
    """Usage rows of (person, day): page views, all of the group, each from a network of their own."""
    columns = {"component": "_T", "sub_component": "_T", "network_bucket": 0, "visits": 1}
    rows = [
        {"person": person, "event_date": day, "further": further, "page_views": number, **columns}
        for (person, day), number in views.items()
        for further in ("", GOLD)
    ]
    kinds = {"person": pl.UInt64, "network": pl.UInt64}
    persons, networks = tmp_path / "persons.parquet", tmp_path / "networks.parquet"
    frame = pl.DataFrame(rows, schema_overrides=kinds)
    frame.write_parquet(persons)
    frame.rename({"person": "network"}).drop("network_bucket", "visits", "page_views").write_parquet(networks)
    return UsageFiles((persons,), (networks,))


@pytest.mark.parametrize("limit", [0, 10**9], ids=["arrays", "models"])
@pytest.mark.parametrize(("of_one", "is_withheld"), [(60, True), (20, False)])
def test_a_group_that_one_customer_dominates_is_withheld(tmp_path, monkeypatch, limit, of_one, is_withheld):
    """Twenty customers, one of whom comes on two days: what counts is the sum of both days, and the group alone."""
    monkeypatch.setattr(cells_module, "LARGE_PERIOD", limit)
    views = {(person, MONDAY): 5 for person in range(1, 20)} | {
        (99, day): of_one for day in (MONDAY, TUESDAY)
    }
    found = period_cells(CUBE, week(MONDAY), _files(tmp_path, views))
    group, site = (CellKey(week(MONDAY).code, "_T", "_T", further) for further in (GOLD, ""))

    assert (2 * of_one, 0) == (found[group].largest, found[site].largest)
    assert ({group} if is_withheld else set()) == set(primary_cells(found, rules_of(Thresholds())))
