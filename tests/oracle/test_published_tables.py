"""Tables whose protection others have published: the same sensitive cells, nothing exposed, and no more withheld."""

import csv
import json
from pathlib import Path

import pytest

from usage_stats.flow.protect_table import audit_table, protect_table

TABLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "tables"
REAL = TABLES.resolve()
if not REAL.is_dir():
    pytest.skip("the published tables are not here", allow_module_level=True)


def _rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
