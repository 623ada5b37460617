"""One entry of a mailing list → its address as the sender wrote it and the one spelling it is compared in.

Belongs here: what counts as an address, and which spellings are one. Does not: files, hashing, comparing.

Two spellings are one address when they differ only in: white space around; a display name (`Ann <ann@a.example>`)
or `mailto:` before, with what follows a `?` and percent-encoding; the Unicode form (NFC); upper and lower case, also
left of the @, where RFC 5321 would allow two mailboxes and no large provider has them; the spelling of the domain
(Unicode or `xn--`, a dot at its end). Tags (`ann+shop@`) and dots stay: taking them away would join people who are
two at most providers.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

__all__ = ["REASONS", "Address", "Reason", "read_address"]

Reason = Literal["too_long", "no_at_sign", "local_part", "domain"]
REASONS: Final = ("too_long", "no_at_sign", "local_part", "domain")

_LONGEST_ENTRY: Final = (
    1000  # characters: a display name of any language and an address of 254 fit three times
)
_LONGEST_LOCAL, _LONGEST_DOMAIN, _LONGEST_LABEL = 64, 253, 63  # octets: RFC 5321, 4.5.3.1; RFC 1035, 2.3.4
_AROUND: Final = (
    "\ufeff\u200b\u2060"  # invisible, and left by copying out of documents; str.strip knows the rest
)
_MAILTO: Final = re.compile(r"mailto:", re.IGNORECASE)
# RFC 5322's atext with dots anywhere, for such mailboxes exist, and what RFC 6531 adds but for space and controls.
_LOCAL: Final = re.compile(r"(?:[\w.!#$%&'*+/=?^`{|}~-]|[^\x00-\x7f])+")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})  # Unicode's controls, formats and spaces
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """An address as it was written, without what stood around it, and as it is compared."""

    written: str
    key: str


def read_address(entry: str) -> Address | Reason:
    """The address that an entry holds, or why it holds none. Never two of several: such an entry holds none."""
    if len(entry) > _LONGEST_ENTRY:
        return "too_long"
    written = _unwrapped(entry)
    if any(
        character < " " for character in written
    ):  # a line of a list is written for each: it has to stay one
        return "local_part"
    local, at, domain = unicodedata.normalize("NFC", written).rpartition("@")
    if not at:
        return "no_at_sign"
    local, host = _lowered(local), _host(domain)
    if not _LOCAL.fullmatch(local) or _UNSEEN.intersection(map(unicodedata.category, local)):
        return "local_part"
    if len(local.encode()) > _LONGEST_LOCAL:
        return "too_long"
    return Address(written, f"{local}@{host}") if host else "domain"


def _unwrapped(entry: str) -> str:
    """What is left of an entry without display name, brackets, `mailto:` and space."""
    text = _trimmed(entry)
    if text.endswith(">"):
        text = _trimmed(text[:-1].rpartition("<")[2])
    scheme = _MAILTO.match(text)
    if scheme:  # RFC 6068
        text = _trimmed(unquote(text[scheme.end() :].partition("?")[0]))
    return text


def _trimmed(text: str) -> str:
    before = None
    while before != text:
        before, text = text, text.strip().strip(_AROUND)
    return text


def _lowered(text: str) -> str:
    """In lower case and composed; taking a capital apart may leave pieces that compose anew."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _host(domain: str) -> str | None:
    """A domain as the DNS has it, in lower case; None if it is none of at least two labels.

    As UTS 46 without its transition rules (`ß` stays, straße.example is not strasse.example), but for its tables of
    what may be registered: both lists are read alike, and only equality counts.
    """
    text = _lowered(unicodedata.normalize("NFKC", domain.strip())).replace("\u3002", ".")
    labels = [_label(part) for part in text.removesuffix(".").split(".")]
    host = ".".join(labels)
    is_one = len(labels) > 1 and len(host) <= _LONGEST_DOMAIN and all(map(_LABEL.fullmatch, labels))
    return host if is_one and not labels[-1].isdigit() else None


def _label(part: str) -> str:
    if part.isascii() or len(part) > _LONGEST_LABEL:
        return part
    if _UNSEEN.intersection(map(unicodedata.category, part)):
        return ""
    return "xn--" + part.encode("punycode").decode("ascii").lower()
