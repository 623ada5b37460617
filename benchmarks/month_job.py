"""A month of usage files → its figures, and the crowd behind them: what measuring a month costs.

`python -m benchmarks.month_job STEP DIRECTORY`: STEP `start` (nothing: what the others begin with), `cells` or
`crowd`. Prints the number of persons' usage rows.

Belongs here: our side of the measurement. Does not: making the files (usage_rows), measuring from outside (counting).
"""

import sys
from pathlib import Path

from benchmarks.counted_site import MEASURED_DAY
from usage_stats.config import TOTAL, Config, load_config
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.cell_counting import number_of_rows
from usage_stats.measure.cells import UsageFiles, basis_counts, period_cells
from usage_stats.measure.crowd import Crowd
from usage_stats.measure.cube import Cube
from usage_stats.measure.relations import CellKey
from usage_stats.measure.table_spec import breakdowns_of, codes_of, cube_of, further_categories
from usage_stats.periods import month
from usage_stats.sqlmodel import Database

__all__: list[str] = []

_MONTH = month(MEASURED_DAY)


def main(step: str, directory: str) -> None:
    """Do the step."""
    root = Path(directory)
    persons, networks = (
        tuple(root / f"{of}-{table}.parquet" for of in _MONTH.days)
        for table in ("component_day", "network_day")
    )
    files, config = UsageFiles(persons, networks), load_config(root)
    if step == "cells":
        _cells(config, files, root)
    if step == "crowd":
        _crowd(config, files)
    print(number_of_rows(persons))  # noqa: T201 the answer


def _cells(config: Config, files: UsageFiles, root: Path) -> None:
    with Database(root / "spill") as database:
        period_cells(_cube(config), _MONTH, files, database=database)
        basis_counts(_MONTH, files, database=database)


def _crowd(config: Config, files: UsageFiles) -> None:
    """What a month asks of it at most: of bins, each; of the rarest components, whatever they hide beside."""
    crowd, cube = Crowd(files), _cube(config)
    for category in cube.further:
        if "visit_frequency" in category[2]:
            crowd.behind([CellKey(_MONTH.code, *category)])
    for whole, parts in cube.parts_of:
        if whole[0] != TOTAL:
            crowd.behind([CellKey(_MONTH.code, *part) for part in parts[-2:]])


def _cube(config: Config) -> Cube:
    """The cells of a month, no bins folded."""
    base = cube_of(config)
    plain = Cube(base.parts_of, base.periods)
    shown = [b for b in breakdowns_of(config, "month") if all(name in DIMENSIONS for name in b.dimensions)]
    return Cube(base.parts_of, base.periods, further_categories(plain, shown, codes_of(config)))


if __name__ == "__main__":
    main(*sys.argv[1:])
