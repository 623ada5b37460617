"""Days of the logs ↔ partitions; a run may cover one day or a range."""

from datetime import date

import dagster as dg

__all__ = ["DAYS", "WHOLE_RANGE", "last_day", "range_tags"]

# Web servers write no older logs; a workspace's own first day is in its configuration.
DAYS = dg.DailyPartitionsDefinition(start_date="1995-01-01")
WHOLE_RANGE = dg.BackfillPolicy.single_run()


def last_day(context: dg.AssetExecutionContext) -> date:
    """The last day of a run's partitions."""
    return date.fromisoformat(max(context.partition_keys))


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags by which Dagster runs a range of partitions as one run."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
