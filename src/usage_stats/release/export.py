"""A release and a partner → the bytes of the files that the partner receives.

Belongs here: CSV, Parquet and the data package that describes them. Does not: where files are put.
Same release, same versions, same bytes: no clock, no host name, no path.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.measure.relations import ADDITIVE_OVER
from usage_stats.release.gate import Release

__all__ = ["COLUMNS", "DIMENSION_NAMES", "release_files"]

# name, Arrow type, Frictionless type, unit, meaning
COLUMNS = (
    ("period", pa.string(), "string", None, "Day (2026-11-21), ISO week (2026-W47) or month (2026-11)."),
    (
        "component",
        pa.string(),
        "string",
        None,
        "Part of the site; _T is the whole site, (other) what no rule names.",
    ),
    (
        "sub_component",
        pa.string(),
        "string",
        None,
        "Part of the component; _T is the whole component, (other) the rest of it.",
    ),
    (
        "visitors",
        pa.int64(),
        "integer",
        "persons",
        "Distinct visitors in the period. Not additive: people visit several parts and come on several days.",
    ),
    (
        "visits",
        pa.int64(),
        "integer",
        "visits",
        "Visits with at least one page view here; a visit ends after 30 quiet minutes or at midnight.",
    ),
    (
        "page_views",
        pa.int64(),
        "integer",
        "page views",
        "Pages requested successfully by people, robots left out.",
    ),
    (
        "status",
        pa.string(),
        "string",
        None,
        "published; suppressed (withheld, not zero); incomplete (published, but days of the log are missing).",
    ),
)
DIMENSION_NAMES = {"period": ["period"], "category": ["component", "sub_component"]}
_CAVEATS = (
    (
        "A visitor is an account, a cookie, or a network address with a user agent: people with several devices "
        "count several times, people who share one count once."
    ),
    (
        "Rows with the code _T are totals of the others, and weeks and months are made of the same days: add up "
        "rows of one level and one kind of period only, and visitors never."
    ),
    "Visitors are told apart within one week or one month only; figures of different periods cannot be linked.",
    (
        "Suppressed figures are withheld because they rest on too few persons or networks, or would give such "
        "figures away. They are not zero."
    ),
)


def release_files(release: Release, table: str, partner: str) -> dict[str, bytes]:
    """Return file name → bytes: `<table>.csv`, `<table>.parquet`, `datapackage.json`."""
    data = {f"{table}.csv": _csv(release), f"{table}.parquet": _parquet(release)}
    return {**data, "datapackage.json": _datapackage(release, table, partner, data)}


def _frame(release: Release) -> pl.DataFrame:
    """The rows as a typed frame, held to the shape that partners were promised."""
    from usage_stats.release.released_shape import RELEASED, checked  # noqa: PLC0415 half a second, when released

    names = [column[0] for column in COLUMNS]
    kinds = {name: pl.Int64 if kind == "integer" else pl.String for name, _, kind, _, _ in COLUMNS}
    return checked(pl.DataFrame(release.rows, schema=names, schema_overrides=kinds, orient="row"), RELEASED)


def _csv(release: Release) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow([column[0] for column in COLUMNS])
    writer.writerows(_frame(release).iter_rows())
    return text.getvalue().encode("utf-8")


def _parquet(release: Release) -> bytes:
    fields = [
        pa.field(name, kind, metadata={"description": meaning, **({"unit": unit} if unit else {})})
        for name, kind, _, unit, meaning in COLUMNS
    ]
    table = _frame(release).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.schema(fields))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _datapackage(release: Release, table: str, partner: str, data: dict[str, bytes]) -> bytes:
    facts = release.facts
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"{facts.site}-{table}-{release.period.code}".lower(),
        "title": f"Usage of {facts.site} by {table}, {release.period.code}",
        "description": "Aggregate usage figures: numbers and frequency of visitors, never about single persons.",
        "resources": [_resource(table, name, content) for name, content in data.items()],
        "usage_stats": {
            "partner": partner,
            "period": _period(release),
            "status": "incomplete" if facts.days_without_lines else "published",
            "days_without_lines": list(facts.days_without_lines),
            "rows": len(release.rows),
            "rows_withheld_share": round(release.withheld / len(release.rows), 4),
            "thresholds": facts.thresholds.model_dump(),
            "policy_versions": list(facts.policy_versions),
            "identity_basis_shares": facts.identity_basis_shares or "withheld: too few visitors",
            "robot_lists": facts.robot_lists,
            "software": facts.software,
            "caveats": list(_CAVEATS),
        },
    }
    return (json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode()


def _period(release: Release) -> dict[str, str]:
    period = release.period
    return {
        "kind": period.kind,
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "time_zone": release.facts.time_zone,
    }


def _resource(table: str, name: str, content: bytes) -> dict[str, Any]:
    kind = name.rpartition(".")[2]
    media = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
    return {
        "name": f"{table}-{kind}".lower(),
        "path": name,
        "format": kind,
        "mediatype": media[kind],
        **({"encoding": "utf-8"} if kind == "csv" else {}),
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": _schema(),
    }


def _schema() -> dict[str, Any]:
    fields = [_field(name, kind, unit, meaning) for name, _, kind, unit, meaning in COLUMNS]
    return {"fields": fields, "primaryKey": ["period", "component", "sub_component"], "missingValues": [""]}


def _field(name: str, kind: str, unit: str | None, meaning: str) -> dict[str, Any]:
    field: dict[str, Any] = {"name": name, "type": kind, "description": meaning}
    if unit:
        over = [n for d in ADDITIVE_OVER[name] for n in DIMENSION_NAMES[d]]  # type: ignore[index] # columns with a unit are measures
        field |= {"unit": unit, "additive_over": over, "constraints": {"minimum": 0}}
    if name == "status":
        field["constraints"] = {"required": True, "enum": ["published", "suppressed", "incomplete"]}
    return field
