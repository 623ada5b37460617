"""CSV and Parquet files ↔ columns of a table: inner cells in, protected and audited cells out.

Belongs here: formats, and what a cell's row must look like. Does not: what the figures mean.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from usage_stats.errors import ConfigError, InputError

__all__ = ["read_table", "write_table"]

_FORMATS = (".csv", ".parquet")


def read_table(path: Path, texts: Sequence[str], numbers: Sequence[str]) -> pl.DataFrame:
    """Read the named columns: `texts` as they are spelt, `numbers` as numbers or null where empty.

    Raises:
        InputError: no such file, another format, a column that is not there, something else than a number.
    """
    frame = _read(path)
    if missing := [name for name in (*texts, *numbers) if name not in frame.columns]:
        raise InputError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(repr, frame.columns))}")
    as_text = [pl.col(name).cast(pl.String) for name in texts]
    as_number = [pl.col(name).cast(pl.Float64, strict=False) for name in numbers]
    read = frame.select(*as_text, *as_number)
    for name in (*texts, *numbers):
        given = frame[name].cast(pl.String)
        lost = (read[name].is_null() & given.is_not_null() & (given != "")).arg_max()
        if lost is not None and read[name][lost] is None and given[lost] not in {None, ""}:
            raise InputError(f"{path}, row {lost + 1}: column {name!r} holds no number")
    if any(read[name].null_count() for name in texts):
        raise InputError(f"{path}: a dimension is empty in some row; write the total as _T")
    return read


def _read(path: Path) -> pl.DataFrame:
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path}: files are CSV or Parquet, known by .csv or .parquet")
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False, encoding="utf8")
    except OSError:
        raise InputError(f"{path} is not there or cannot be read") from None
    except pl.exceptions.PolarsError:
        raise InputError(f"{path} is no {path.suffix[1:]} file with a header and rows") from None


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write all or nothing, as CSV or Parquet by the name's suffix.

    Raises:
        ConfigError: another suffix, or the folder cannot be written to.
    """
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(f"{path}: the output is CSV or Parquet, by the suffix .csv or .parquet")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=path.suffix)
    except OSError:
        raise ConfigError(f"{path.parent} cannot be written to") from None
    os.close(handle)
    unfinished = Path(name)
    try:
        if path.suffix.lower() == ".parquet":
            frame.write_parquet(unfinished)
        else:
            frame.write_csv(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
