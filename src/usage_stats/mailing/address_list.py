"""A file of e-mail addresses → its addresses one by one, and a summary that shows none of them.

Belongs here: encodings, line ends, columns, what is counted of lines that hold no address.
Does not: what an address is (address), or any comparison.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from usage_stats.accesslog.read import Log
from usage_stats.errors import InputError
from usage_stats.mailing.address import Address, read_address

__all__ = ["AddressList"]

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ",;\t|"


@dataclass
class AddressList:
    """A list to be read once; after that, what is said of it.

    The file holds one entry per line, or is a CSV file with a header, of which one column holds the entries. It is
    UTF-8, with any line end, plain or packed (gzip, zstd, bzip2, xz, by content). Blank lines and lines that begin
    with # are none of its lines.

    Attributes:
        path: the file. column: the header of the column with the addresses; a file whose first line holds an @ has
            no header and is read as one entry per line.
        entries: lines that were read as an entry, valid or not. valid: those that hold an address.
        invalid: reasons and how many entries were left out for each. first_line: of each reason.
    """

    path: Path
    column: str | None = None
    entries: int = 0
    valid: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    first_line: dict[str, int] = field(default_factory=dict)

    def addresses(self) -> Iterator[Address]:
        """Yield what the lines hold; lines that hold no address are counted by reason.

        Raises:
            InputError: the file cannot be read to its end, has no such column, or is mostly no addresses.
        """
        cell: _Cell | None = None
        is_first = True
        for number, text in self._lines():
            if is_first and self.column is not None and (text is None or "@" not in text):
                cell = _Cell(self.path, self.column, text or "", number)
            else:
                found = "encoding" if text is None else self._entry(text, cell, number)
                yield from self._counted(found, number)
            is_first = False
        self._refuse_what_is_no_list()

    def _lines(self) -> Iterator[tuple[int, str | None]]:
        """Numbered lines that are neither blank nor comments; None for one that is no UTF-8."""
        with Log(self.path) as log:
            for number, line in enumerate(log.lines(), start=1):
                raw = line.removeprefix(_BOM) if number == 1 else line
                if number == 1 and raw.startswith(_UTF16):
                    raise InputError(f"{self.path}: is UTF-16; save it as UTF-8")
                raw = raw.rstrip(b"\r")
                if raw.strip() and not raw.lstrip().startswith(b"#"):
                    yield number, _decoded(raw)

    def _entry(self, text: str, cell: _Cell | None, number: int) -> Address | str:
        entry = cell.of(text, number) if cell else text
        return "short_row" if entry is None else read_address(entry)

    def _counted(self, found: Address | str, number: int) -> Iterator[Address]:
        self.entries += 1
        if isinstance(found, Address):
            self.valid += 1
            yield found
        else:
            self.invalid[found] += 1
            self.first_line.setdefault(found, number)

    def _refuse_what_is_no_list(self) -> None:
        """An opt-out that is not understood is not honoured: better no result than one of half a list."""
        wrong = sum(self.invalid.values())
        if wrong > self.valid:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.invalid.items()))
            raise InputError(
                f"{self.path}: {wrong} of {self.entries} lines hold no e-mail address ({reasons}); nothing was "
                "compared. Is it a list of addresses, one per line? Of a CSV file, name the column with --column"
            )


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


class _Cell:
    """Finds the cell of one column in the rows below a header."""

    def __init__(self, path: Path, column: str, header: str, number: int) -> None:
        self._path = path
        for self._delimiter in _DELIMITERS:
            names = [name.strip().casefold() for name in self._row(header, number)]
            if names.count(column.strip().casefold()) == 1:
                self._place = names.index(column.strip().casefold())
                return
        # The header's names are not shown: what stands there may be a person's data.
        raise InputError(
            f"{path}: line {number} is no header with exactly one column of the name given by --column"
        )

    def of(self, text: str, number: int) -> str | None:
        """The cell of a row; None where the row ends before it."""
        row = self._row(text, number)
        return row[self._place] if self._place < len(row) else None

    def _row(self, text: str, number: int) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except csv.Error:
            # A cell with a line break would shift the columns of what follows, unseen.
            raise InputError(
                f"{self._path}: line {number}: its quotation marks do not match, or a cell is longer than one line; "
                "export the list without line breaks in cells"
            ) from None
