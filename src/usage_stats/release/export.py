"""A release and a partner → the bytes of the files that the partner receives.

Belongs here: CSV, Parquet and the data package that describes them. Does not: where files are put.
Same release, same versions, same bytes: no clock, no host name, no path.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.partner_settings import Format, Terms
from usage_stats.release.edition import Edition
from usage_stats.release.gate import Release
from usage_stats.release.report.earlier import Earlier
from usage_stats.release.report.page import REPORT, report_page
from usage_stats.release.table_cut import Column, Cut

__all__ = ["release_files"]

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


def release_files(
    release: Release,
    shown: Cut,
    partner: str,
    earlier: Sequence[Earlier] = (),
    terms: Terms | None = None,
    edition: Edition | None = None,
) -> dict[str, bytes]:
    """Return file name → bytes: `<table>.csv`, `<table>.parquet`, `report.html`, `datapackage.json`.

    Of an edition that withdraws, the rows shown are none, and there is no page of them.

    Args:
        release: what leaves.
        shown: the table, cut from it.
        partner: who receives it.
        earlier: what the partner received of this table before, of periods of the same kind: the page tells it too.
        terms: on which terms, and in which of the formats.
        edition: of a folder that is replaced, what replaces it and why.
    """
    frame, terms = _frame(shown), terms or Terms()
    data = {f"{shown.table}.{kind}": _as(kind, frame, shown) for kind in terms.formats}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
    if edition is None or not edition.is_withdrawn:
        data[REPORT] = report_page(
            release, shown, partner=partner, earlier=earlier, caveats=_CAVEATS, digests=digests
        )
    return {**data, "datapackage.json": _datapackage(release, shown, (partner, terms, edition), data)}


def _frame(shown: Cut) -> pl.DataFrame:
    """The rows as a typed frame, held to the shape that partners were promised."""
    from usage_stats.release.released_shape import checked, released_shape  # noqa: PLC0415 half a second, when released

    kinds = {"integer": pl.Int64, "number": pl.Float64, "string": pl.String}
    schema = {column.name: kinds[column.kind] for column in shown.columns}
    return checked(pl.DataFrame(shown.rows, schema=schema, orient="row"), released_shape(shown))


def _as(kind: Format, frame: pl.DataFrame, shown: Cut) -> bytes:
    return _csv(frame) if kind == "csv" else _parquet(frame, shown)


def _csv(frame: pl.DataFrame) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(frame.columns)
    writer.writerows(frame.iter_rows())
    return text.getvalue().encode("utf-8")


def _parquet(frame: pl.DataFrame, shown: Cut) -> bytes:
    fields = [
        pa.field(c.name, c.arrow, metadata={"description": c.meaning, **({"unit": c.unit} if c.unit else {})})
        for c in shown.columns
    ]
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.schema(fields))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _datapackage(
    release: Release, shown: Cut, to: tuple[str, Terms, Edition | None], data: dict[str, bytes]
) -> bytes:
    facts, table, (partner, terms, edition) = release.facts, shown.table, to
    is_withdrawn = edition is not None and edition.is_withdrawn
    shares = facts.identity_basis_shares or "withheld: too few visitors"
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"{facts.site}-{table}-{release.period.code}".lower(),
        "title": f"Usage of {facts.site} by {table}, {release.period.code}",
        "description": "Aggregate usage figures: numbers and frequency of visitors, never about single persons.",
        "resources": [_resource(shown, name, content) for name, content in data.items()],
        "usage_stats": {
            "partner": partner,
            "agreement": terms.agreement,
            "policy_use": terms.policy_use,
            "since": terms.since,
            "period": _period(release),
            "status": _status(release, is_withdrawn=is_withdrawn),
            **(edition.told if edition else {}),
            "days_without_lines": list(facts.days_without_lines),
            "rows": len(shown.rows),
            "rows_withheld_share": round(shown.withheld / len(shown.rows), 4) if shown.rows else 0.0,
            "thresholds": facts.thresholds.model_dump(),
            "policy_versions": list(facts.policy_versions),
            "identity_basis_shares": "withdrawn" if is_withdrawn else shares,
            "robot_lists": facts.robot_lists,
            "lists": {name: facts.lists[name] for name in shown.key if name in facts.lists},
            "software": facts.software,
            "caveats": list(_CAVEATS),
        },
    }
    return (json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode()


def _status(release: Release, *, is_withdrawn: bool) -> str:
    if is_withdrawn:
        return "withdrawn"
    return "incomplete" if release.facts.days_without_lines else "published"


def _period(release: Release) -> dict[str, str]:
    period = release.period
    return {
        "kind": period.kind,
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "time_zone": release.facts.time_zone,
    }


_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "html": "text/html"}


def _resource(shown: Cut, name: str, content: bytes) -> dict[str, Any]:
    kind = name.rpartition(".")[2]
    return {
        "name": f"{shown.table}-{kind}".lower(),
        "path": name,
        "format": kind,
        "mediatype": _MEDIA[kind],
        **({"encoding": "utf-8"} if kind != "parquet" else {}),
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        **({} if name == REPORT else {"schema": _schema(shown)}),
    }


def _schema(shown: Cut) -> dict[str, Any]:
    fields = [_field(column) for column in shown.columns]
    return {"fields": fields, "primaryKey": list(shown.key), "missingValues": [""]}


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": column.kind, "description": column.meaning}
    if column.additive_over is not None:
        over = list(column.additive_over)
        field |= {"unit": column.unit, "additive_over": over, "constraints": {"minimum": 0}}
    if column.name == "status":
        field["constraints"] = {"required": True, "enum": ["published", "suppressed", "incomplete"]}
    return field
