"""The operator's list of accounts and groups → the group that an account's page views are counted in.

Belongs here: reading the list, and looking an account up. Does not: whose account a request carries.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from usage_stats.deidentify.private_list import BLANKS, read_private
from usage_stats.dimensions import NO_GROUP
from usage_stats.errors import ConfigError
from usage_stats.table_settings import CustomerGroups

__all__ = ["GroupsOfAccounts", "load_customer_groups"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # spreadsheets write it before the first account
_BLANKS = BLANKS.decode("ascii")


@dataclass(frozen=True, slots=True)
class GroupsOfAccounts:
    """Which group each listed account is in. Identified data: memory only, and its text shows nothing."""

    _groups: Mapping[bytes, str] = field(repr=False)

    def of(self, account: bytes) -> str:
        """The group of an account, or `(none)`."""
        return self._groups.get(account, NO_GROUP)

    def digest(self, key: bytes) -> str:
        """Tells two lists apart, whatever the order of their rows. Under a key: an account could be guessed from a
        plain digest.
        """
        made = hashlib.blake2b(key=key, digest_size=16, person=b"groups")
        for account, group in sorted(self._groups.items()):
            made.update(b"%d %b %b\n" % (len(account), account, group.encode()))
        return made.hexdigest()


def load_customer_groups(settings: CustomerGroups, workspace: Path) -> GroupsOfAccounts:
    """Read the list as it is now: `account,group` in each row, no first row with titles.

    Accounts are compared as those of `exclusions` are: blanks around them are no part of them, all else is.

    Raises:
        ConfigError: it is missing, cannot be read or is open to everybody; or a row is no account and one of the named
            groups, or puts an account into a second group. The message says in which line, and quotes none of it.
    """
    path = workspace / settings.accounts
    remedy = "Put the list there (an empty file, if it holds nobody), or take the key out"
    content = read_private(path, "customer_groups: accounts", remedy)
    groups: dict[bytes, str] = {}
    for line, cells in _rows(content, path):
        if len(cells) != 2 or not cells[0]:
            raise ConfigError(f"{path}, line {line}: is no `account,group`")
        account, group = cells[0].encode("latin-1"), cells[1]
        if group not in settings.names:
            raise ConfigError(
                f"{path}, line {line}: names a group that is not among `customer_groups: names`"
            )
        if groups.setdefault(account, group) != group:
            raise ConfigError(f"{path}, line {line}: an account that is in another group already")
    return GroupsOfAccounts(groups)


def _rows(content: bytes, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers, blank ones left out. Latin-1 stands for the bytes themselves, whatever they are."""
    text = content.removeprefix(_BYTE_ORDER_MARK).decode("latin-1")
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in rows:
            plain = [cell.strip(_BLANKS) for cell in cells]
            if any(plain):
                yield rows.line_num, plain
    except csv.Error:
        raise ConfigError(f"{path}, line {rows.line_num}: is no `account,group`") from None
