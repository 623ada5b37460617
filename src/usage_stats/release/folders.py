"""Folders as a partner has them → what they say: the package, the rows of both files, the cells.

Belongs here: finding and reading released folders, with nothing but what is in them. Does not: judging them (verify,
pooled); it neither needs nor looks for a workspace.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from usage_stats.config import TOTAL
from usage_stats.dimensions import COMPONENT, DIMENSIONS, MEASURES, SUB_COMPONENT
from usage_stats.errors import InputError
from usage_stats.measure.cube import cell_of, written
from usage_stats.measure.relations import CellKey
from usage_stats.release.package import Data, Package, Resource, read_package

__all__ = [
    "PACKAGE",
    "Figures",
    "Folder",
    "Frame",
    "cells_of",
    "damaged_files",
    "find_folders",
    "open_folder",
    "place_of",
]

PACKAGE = "datapackage.json"
# Visitors, visits and page views as far as they are shown; None where the row is withheld.
Figures = tuple[int | None, ...] | None
_ENDINGS = (".csv", ".parquet")
_FURTHER = frozenset(DIMENSIONS) - {COMPONENT, SUB_COMPONENT}
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_KINDS = {pa.string(): "string", pa.large_string(): "string", pa.int64(): "integer", pa.float64(): "number"}


class Frame(NamedTuple):
    """What a file holds: its columns' names, their kinds where the file tells, and the rows."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)  # without slots: the rows are read once, when they are asked for
class Folder:
    """A released folder: one table of one period. `digest` is that of its package, which has the files' digests."""

    path: Path
    package: Package
    digest: str

    @cached_property
    def contents(self) -> Mapping[str, bytes]:
        """The bytes of the files that the package describes and that are there, read once: what is checked is shown.

        Raises:
            InputError: one cannot be read.
        """
        names = [described.path for described in self.package.resources]
        return {name: _content(self.path / name) for name in names if (self.path / name).is_file()}

    @cached_property
    def csv(self) -> Frame:
        """The rows of the CSV file.

        Raises:
            InputError: it is no CSV of the columns' kinds.
        """
        described = self.package.of("csv")
        return _csv(self.path / described.path, self.contents[described.path], described)

    @cached_property
    def parquet(self) -> Frame:
        """The rows of the Parquet file.

        Raises:
            InputError: it is no Parquet file.
        """
        name = self.package.of("parquet").path
        return _parquet(self.path / name, self.contents[name])

    def frame(self, kind: str) -> Frame:
        """What the file of a format holds.

        Raises:
            InputError: it is none.
        """
        return self.csv if kind == "csv" else self.parquet

    @property
    def main(self) -> Frame:
        """What the main file holds."""
        return self.frame(self.package.main.format)

    @cached_property
    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The rows by the columns' names."""
        return tuple(dict(zip(self.main.names, row, strict=True)) for row in self.main.rows)

    @cached_property
    def cells(self) -> Mapping[CellKey, Figures]:
        """What the folder shows of each cell; only for folders whose shape is right."""
        return cells_of(self.rows)


def cells_of(rows: Iterable[Mapping[str, Any]]) -> dict[CellKey, Figures]:
    """What rows show of cells: counts as far as there are columns of them, None where withheld."""
    return {_key(row): _figures(row) for row in rows}


def find_folders(paths: Sequence[Path]) -> list[Path]:
    """The released folders at and below some paths, each once: whatever holds a package, or a table without one.

    Raises:
        InputError: a path is not there or cannot be looked into, or nothing below it is a release.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        top = path.parent if path.name == PACKAGE else path
        if not top.is_dir():
            raise InputError(
                f"{path}: no such folder; name a folder with {PACKAGE}, or one above such folders"
            )
        below = sorted(_below(top))
        if not below:
            raise InputError(f"{path}: no release in it or below it; each has a {PACKAGE}")
        for folder in below:
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def _below(top: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(top, onerror=_refuse):
        if any(name == PACKAGE or name.endswith(_ENDINGS) for name in names):
            yield Path(folder)


def _refuse(error: OSError) -> NoReturn:
    raise InputError(f"{error.filename}: cannot be looked into ({type(error).__name__})") from None


def open_folder(path: Path) -> Folder:
    """The folder and its package; files are read when they are asked for.

    Raises:
        InputError: there is no package, or it is none of ours.
    """
    content = _content(path / PACKAGE)
    try:
        return Folder(path, read_package(content), hashlib.sha256(content).hexdigest())
    except InputError as error:
        raise InputError(f"{path / PACKAGE}: {error}") from None


def damaged_files(folder: Folder) -> list[str]:
    """Sentences about files that are missing, too many, or not those of the package."""
    described = {r.path: r for r in folder.package.resources}
    present = {file.name for file in folder.path.iterdir()} - {PACKAGE}
    found = [_damage(folder.contents.get(name), r) for name, r in described.items()]
    extra = [f"{name} is in the folder, but not in {PACKAGE}" for name in sorted(present - set(described))]
    return [sentence for sentence in found if sentence] + extra


def _damage(content: bytes | None, described: Resource) -> str | None:
    if content is None:
        return f"{described.path} is missing"
    if len(content) != described.bytes:
        return f"{described.path} has {len(content)} bytes, {PACKAGE} says {described.bytes}"
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != described.hash:
        return f"{described.path} has another digest than {PACKAGE} says"
    return None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({type(error).__name__})") from None


def _csv(file: Path, content: bytes, described: Data) -> Frame:
    kinds = {column.name: column.type for column in described.schema_.fields_}
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: is no CSV in UTF-8 ({type(error).__name__})") from None
    header = tuple(lines[0]) if lines else ()
    rows = tuple(_typed(file, header, kinds, at) for at in enumerate(lines[1:], start=2))
    return Frame(header, tuple(kinds.get(name, "string") for name in header), rows)


def _typed(
    file: Path, header: Sequence[str], kinds: Mapping[str, str], at: tuple[int, list[str]]
) -> tuple[Any, ...]:
    number, texts = at
    if len(texts) != len(header):
        raise InputError(f"{file}: row {number} has {len(texts)} values for {len(header)} columns")
    try:
        return tuple(_value(text, kinds.get(name)) for name, text in zip(header, texts, strict=True))
    except ValueError:
        raise InputError(f"{file}: row {number} has a value that is not of its column's type") from None


def _value(text: str, kind: str | None) -> str | int | float | None:
    """A value of a kind; an empty one is missing."""
    if not text:
        return None
    if kind not in {"integer", "number"}:
        return text
    if not (_WHOLE_NUMBER if kind == "integer" else _NUMBER).fullmatch(text):
        raise ValueError("no number")
    value = int(text) if kind == "integer" else float(text)
    if not math.isfinite(value):
        raise ValueError("no finite number")
    return value


def _parquet(file: Path, content: bytes) -> Frame:
    try:
        table = pq.read_table(pa.BufferReader(content))
        table.validate(full=True)
        rows = tuple(zip(*(column.to_pylist() for column in table.columns), strict=True))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{file}: is no Parquet file ({type(error).__name__})") from None
    kinds = tuple(_KINDS.get(field.type, "none of ours") for field in table.schema)
    return Frame(tuple(table.schema.names), kinds, rows)


def _key(row: Mapping[str, Any]) -> CellKey:
    by = {name: code for name, code in row.items() if name in _FURTHER and code != TOTAL}
    component = (row.get(COMPONENT, TOTAL), row.get(SUB_COMPONENT, TOTAL))
    return CellKey(row["period"], *written(cell_of(component, by)))


def _figures(row: Mapping[str, Any]) -> Figures:
    return None if row["status"] == "suppressed" else tuple(row.get(measure) for measure in MEASURES)


def place_of(key: CellKey) -> str:
    """A cell by its coordinates, in words."""
    parts = [f"component {key.component}" if key.component != TOTAL else "whole site"]
    parts += [f"sub-component {key.sub_component}"] if key.sub_component != TOTAL else []
    return ", ".join([f"period {key.period}", *parts, *(key.by.split("|") if key.by else ())])
