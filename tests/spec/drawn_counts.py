"""A table of counts drawn in a test → protected or audited by the commands' own functions, and drawn back.

A drawing has one row per code of `row` and one column per code of `column`; `_T` is the total of either. What is
protected is drawn without totals, for these follow. In what comes back, `P` is withheld for a rule, `S` to protect
others, `0` published as empty, `.` published. What is audited is drawn with totals, and `?` where it is withheld;
`!` there means: for a rule. Intervals come back as low-high, with `!` behind those that say too much.
"""

import csv

from usage_stats.flow.protect_table import audit_table, protect_table

LETTERS = {"primary": "P", "secondary": "S", "zero": "0", "safe": "."}
DRAWN = {"?": "secondary", "!": "primary"}


def cells_of(text):
    """(row, column) -> what stands there, in the order of the drawing."""
    header, *rows = [line.split() for line in text.strip().splitlines()]
    return {(row[0], code): word for row in rows for code, word in zip(header, row[1:], strict=True)}


def redrawn(cells):
    """Cells drawn anew: a text that compares word by word."""
    columns = list(dict.fromkeys(code for _, code in cells))
    rows = list(dict.fromkeys(code for code, _ in cells))
    lines = [columns, *([row, *(cells[row, code] for code in columns)] for row in rows)]
    return "\n".join(" ".join(line) for line in lines)


def _specified(folder, spec, hierarchy):
    lines = ["dimensions: {row: {}, column: {}}"]
    if hierarchy:
        (folder / "rows.csv").write_text("".join(f"{a},{b}\n" for a, b in hierarchy))
        lines = ["dimensions: {row: {hierarchies: [rows.csv]}, column: {}}"]
    (folder / "table.yaml").write_text("\n".join([*lines, spec]))
    return folder / "table.yaml"


def _write(path, columns, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def read(path):
    """(row, column) -> the row of a file."""
    with path.open(encoding="utf-8") as file:
        return {(r["row"], r["column"]): r for r in csv.DictReader(file)}


def protected(folder, text, like, *, spec, hierarchy=(), more=None):
    """Protect what is drawn; draw the statuses of the cells that `like` draws.

    Args:
        folder: a folder of the test's own.
        text: inner cells.
        like: a drawing with the cells asked for.
        spec: lines of the specification, without its dimensions.
        hierarchy: pairs of parent and child over the rows.
        more: column of the file -> a drawing of what stands in it.
    """
    table = _specified(folder, spec, hierarchy)
    others = {name: cells_of(drawing) for name, drawing in (more or {}).items()}
    rows = [
        {"row": a, "column": b, "freq": n, **{name: drawn[a, b] for name, drawn in others.items()}}
        for (a, b), n in cells_of(text).items()
    ]
    _write(folder / "cells.csv", list(rows[0]), rows)
    protect_table(folder / "cells.csv", table, folder / "out.csv", for_partner=False, seconds=5)
    statuses = {at: LETTERS[row["status"]] for at, row in read(folder / "out.csv").items()}
    return redrawn({at: statuses[at] for at in cells_of(like)})


def audited(folder, text, *, spec, hierarchy=()):
    """Audit what is drawn, totals and all; draw the interval of each withheld cell, `.` for others."""
    table = _specified(folder, spec, hierarchy)
    rows = [
        {
            "row": a,
            "column": b,
            "freq": "" if word in DRAWN else word,
            "status": DRAWN.get(word, "safe"),
        }
        for (a, b), word in cells_of(text).items()
    ]
    _write(folder / "drawn.csv", list(rows[0]), rows)
    audit_table(folder / "drawn.csv", table, folder / "audited.csv")
    found = read(folder / "audited.csv")
    return redrawn({at: _interval(found[at], word) for at, word in cells_of(text).items()})


def _interval(row, word):
    if word not in DRAWN:
        return "."
    low, high = row["feasible_low"], row["feasible_high"]
    return f"{low}-{high}" + "!" * (row["exposed"] == "true")
