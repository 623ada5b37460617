"""A series of tables and a first day → the settings of a workspace that counts them: the sample's site.

Belongs here: what is counted in the benchmarks of counting. Does not: logs, usage rows, or measuring.
"""

from datetime import date
from pathlib import Path

__all__ = ["MEASURED_DAY", "SERIES", "write_settings"]

# A Wednesday in the middle of a month: no week and no month ends with it, so that it costs what a day costs.
MEASURED_DAY = date(2026, 7, 15)
SERIES = {
    "default": (("component", "sub_component"),),
    "four tables": (
        ("component", "sub_component"),
        ("component", "referrer"),
        ("visit_frequency",),
        ("entry_component",),
    ),
}
_POLICY = (
    "versions:\n  - {version: '1', effective: 2020-01-01, uses: [internal_aggregate, partner_aggregate]}\n"
)


def write_settings(directory: Path, series: str, first_day: date) -> None:
    """Write `usage_stats.yaml` and `policy.yaml`; two partners receive every table."""
    sample = Path(__file__).parents[1] / "data" / "sample" / "usage_stats.yaml"
    head, _, rest = sample.read_text().partition("\ntables:\n")
    tail = rest[rest.index("\nthresholds:\n") :]
    names = [f"table_{n}" for n, _ in enumerate(SERIES[series], start=1)]
    tables = "".join(
        f"  {name}: {{dimensions: [{', '.join(dimensions)}]}}\n"
        for name, dimensions in zip(names, SERIES[series], strict=True)
    )
    partners = "".join(
        f"  - {{id: {partner}, tables: [{', '.join(names)}], periods: [day, week, month]}}\n"
        for partner in ("one", "two")
    )
    head = head.replace("first_day: 2026-03-01", f"first_day: {first_day}")
    text = f"{head}\ntables:\n{tables}\npartners:\n{partners}{tail}"
    (directory / "usage_stats.yaml").write_text(text)
    (directory / "policy.yaml").write_text(_POLICY)
