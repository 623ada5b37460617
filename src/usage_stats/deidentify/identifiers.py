"""What an operator writes of a person, line by line → the identities that events are kept under.

Belongs here: the kinds of identifiers, and why a line is none. Does not: what is done to whom they name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from usage_stats.accesslog.values import Clients, present
from usage_stats.deidentify.pseudonym import (
    account_identity,
    address_identity,
    cookie_identity,
    recipient_identity,
)
from usage_stats.deidentify.visitors import BASES
from usage_stats.errors import InputError

__all__ = ["Identifier", "counts_by_kind", "parse_identifiers"]

_KINDS = (*BASES, "recipient")  # visitors, and whom e-mails were sent to

_SHOWN = 10  # bad lines named in one message
_ALONE = (
    "an address alone tells no visitor apart; write the address, a tab and the user agent as the log has it, or "
    "nothing behind the tab if the log has no user agents"
)


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """A kind (`account`, `cookie`, `address`, `recipient`) and the identity, which shows in no text made of it."""

    kind: str
    identity: bytes = field(repr=False)


class _Misfit(Exception):
    """Why a line is no identifier; never the line."""


def parse_identifiers(text: bytes) -> tuple[Identifier, ...]:
    """The distinct identifiers of a text, one a line.

    `account VALUE`, `cookie VALUE`, `address ADDRESS<TAB>USER AGENT`, or `recipient VALUE` (of an opened e-mail).

    Values are spelt as the log spells them. Blank lines are passed over.

    Raises:
        InputError: a line is none of these, or there is none at all; says line numbers and reasons, no value.
    """
    found: set[Identifier] = set()
    misfits: list[str] = []
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.strip():
            try:
                found.add(_identifier(line.removesuffix(b"\r")))
            except _Misfit as misfit:
                misfits.append(f"line {number}: {misfit}")
    if misfits:
        more = [f"and {len(misfits) - _SHOWN} more lines"] if len(misfits) > _SHOWN else []
        raise InputError(f"standard input: {'; '.join(misfits[:_SHOWN] + more)}. Nothing was done")
    if not found:
        raise InputError(
            "standard input holds no identifiers; write one a line: `account VALUE`, `cookie VALUE`, "
            "`address ADDRESS<TAB>USER AGENT`, or `recipient VALUE`"
        )
    return tuple(sorted(found))


def counts_by_kind(identifiers: Sequence[Identifier]) -> dict[str, int]:
    """How many there are of each kind, zeros included."""
    counts = Counter(identifier.kind for identifier in identifiers)
    return {kind: counts[kind] for kind in _KINDS}


def _identifier(line: bytes) -> Identifier:
    kind, space, value = line.partition(b" ")
    if kind == b"account" and space:
        return Identifier("account", account_identity(_value(value)))
    if kind == b"cookie" and space:
        return Identifier("cookie", cookie_identity(_value(value)))
    if kind == b"recipient" and space:
        return Identifier("recipient", recipient_identity(_value(value)))
    if kind == b"address" and space:
        return Identifier("address", _address(value))
    raise _Misfit("begins with none of `account `, `cookie `, `address `, `recipient `")


def _value(value: bytes) -> bytes:
    if present(value) is None:
        raise _Misfit("has no value")
    if value != value.strip():
        raise _Misfit("has white space around its value")
    _check_characters([value])
    return value


def _address(value: bytes) -> bytes:
    address, tab, agent = value.partition(b"\t")
    if not tab:
        raise _Misfit(_ALONE)
    _check_characters([address, agent])
    if not Clients().check(address):
        raise _Misfit("has no address or host name in front of the tab; leave ports out")
    return address_identity(address, present(agent) or b"")


def _check_characters(values: Iterable[bytes]) -> None:
    if any(byte < 0x20 for value in values for byte in value):
        raise _Misfit("has a tab or another control character within a value")
