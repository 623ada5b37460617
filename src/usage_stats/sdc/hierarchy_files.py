"""A hierarchy's file → its (parent, child) pairs.

Belongs here: CSV with rows `parent,child`, and .hrc files, where each leading @ is one level down.
Does not: whether the pairs make a sound hierarchy (dimension).
"""

from __future__ import annotations

import csv
from pathlib import Path

from usage_stats.errors import ConfigError
from usage_stats.sdc.dimension import TOTAL, Edges

__all__ = ["read_hierarchy"]


def read_hierarchy(path: Path) -> Edges:
    """Read a hierarchy; a header `parent,child` is optional, and so is naming the total.

    Raises:
        ConfigError: there is no such file, or a line that is no pair, no level.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"{path} cannot be read as a hierarchy: is it there, and is it UTF-8 text?"
        ) from None
    edges = _from_levels(path, text) if path.suffix.lower() == ".hrc" else _from_pairs(path, text)
    if not edges:
        raise ConfigError(f"{path} holds no parent,child pair")
    return edges


def _from_pairs(path: Path, text: str) -> list[tuple[str, str]]:
    edges = []
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells == ["parent", "child"]):
            continue
        if len(cells) != 2 or not all(cells):
            raise ConfigError(f"{path}, line {number}: expected parent,child and found {len(cells)} field(s)")
        edges.append((cells[0], cells[1]))
    return edges


def _from_levels(path: Path, text: str) -> list[tuple[str, str]]:
    edges, above = [], [TOTAL]
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.strip().lstrip("@").strip()
        if not code:
            continue
        level = len(line.strip()) - len(line.strip().lstrip("@"))
        if level >= len(above):
            raise ConfigError(
                f"{path}, line {number}: {level} levels down, but the line before is not that deep"
            )
        del above[level + 1 :]
        edges.append((above[-1], code))
        above.append(code)
    return edges
