"""A user agent → browser family and kind of device, in a few known words.

Belongs here: which families are common enough to be named, and what tells a telephone from a desktop. Does not:
robots (robots.py), which never come here.

Default deny: a family that is not on the short list is `other`, for a rare browser tells its user apart. ua-parser's
rules name the family; versions, systems and models of devices are never kept.

What is what: browsers on iOS go by their brand (Chrome on an iPhone is Chrome), though all are Safari inside. Brave,
Vivaldi, Arc and others that call themselves Chrome are Chrome; where they say their own name they are `other`. Chromium
is Chrome; Firefox Focus is Firefox; Opera Mini, GX and Touch are Opera. A web view within an app, also Facebook's and
Google's, is no browser that someone chose: `other`; so are Internet Explorer and Android's old browser. An iPad that
asks for desktop pages says it is a Mac, and is a desktop here.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from types import MappingProxyType
from typing import NamedTuple

from usage_stats import dimensions
from usage_stats.dimensions import DEVICES

__all__ = ["BROWSERS", "DEVICES", "FAMILIES", "Browser", "BrowserClassifier", "browser_list_version"]

OTHER = "other"
FAMILIES = dimensions.BROWSERS

_OWN_RULES = 1  # raise when a table below changes: counts move with it
# Servers cut a header at 8 KiB, browsers stay below 300 bytes, apps with a web view below 1,000.
_LONGEST_AGENT = 1024
_FAMILY_OF = MappingProxyType(
    {
        "Chrome": "Chrome",
        "Chrome Mobile": "Chrome",
        "Chrome Mobile iOS": "Chrome",
        "Chromium": "Chrome",
        "Safari": "Safari",
        "Mobile Safari": "Safari",
        "Firefox": "Firefox",
        "Firefox Mobile": "Firefox",
        "Firefox iOS": "Firefox",
        "Firefox Focus": "Firefox",
        "Iceweasel": "Firefox",  # Debian's, which differs in its name only
        "Edge": "Edge",
        "Edge Mobile": "Edge",
        "Samsung Internet": "Samsung Internet",
        "Opera": "Opera",
        "Opera Mobile": "Opera",
        "Opera Mini": "Opera",
        "Opera Tablet": "Opera",
        "Opera Touch": "Opera",
        "Opera GX": "Opera",
    }
)
# Systems that run on one kind of device, as ua-parser calls them; Android, iOS and Tizen run on several.
_DESKTOP_SYSTEMS = frozenset(
    {
        "Windows", "Mac OS X", "Mac OS", "Linux", "Ubuntu", "Kubuntu", "Debian", "Fedora", "Red Hat", "CentOS", "SUSE",
        "Mandriva", "Arch Linux", "Gentoo", "Slackware", "Puppy", "Linux Mint", "PCLinuxOS", "Chrome OS", "FreeBSD",
        "OpenBSD", "NetBSD", "Solaris",
    }
)  # fmt: skip
_PHONE_SYSTEMS = frozenset(
    {
        "Windows Phone", "Windows Mobile", "BlackBerry OS", "Symbian OS", "Symbian^3", "Symbian^3 Anna",
        "Symbian^3 Belle", "Nokia Series 40", "KaiOS", "Firefox OS", "Bada", "MeeGo", "Maemo", "Brew MP",
        "Series 30 Plus",
    }
)  # fmt: skip
# Televisions and consoles run systems of telephones and desktops: their own words decide.
_SCREEN = re.compile(
    r"\b(?:SMART-?TV|Smart ?TV|Android ?TV|Google ?TV|Apple ?TV|Opera TV|HbbTV|NetCast|NETTV|BRAVIA|CrKey|Roku|VIDAA"
    r"|Web0S|AFT[A-Z]{1,4}\b|MiTV|Large Screen|PlayStation|PLAYSTATION|Nintendo|Xbox|SHIELD Android TV)"
)
_TABLET = re.compile(
    r"\b(?:iPad|Tablet(?! PC)|PlayBook|Kindle|Silk|TouchPad|Nexus (?:7|9|10)\b|SM-T\d|SM-X\d)"
)
_PHONE = re.compile(
    r"\b(?:Mobile|Mobi|iPhone|iPod|Opera Mini|Windows Phone|MIDP|UP\.Browser|MAUI|WAP Browser)\b"
)


class Browser(NamedTuple):
    """What of a user agent is kept."""

    family: str
    device: str


BROWSERS = tuple(Browser(family, device) for family in FAMILIES for device in DEVICES)


class BrowserClassifier:
    """Tells browsers apart by ua-parser's rules; ask once per distinct agent.

    Raises:
        ImportError: ua-parser is not installed with its compiled rules (`ua-parser[regex]`).
    """

    def __init__(self) -> None:
        # Here, for only who asks for browsers pays: a fifth of a second. Not ua-parser's own parser: it keeps agents.
        from ua_parser import Domain  # noqa: PLC0415 the same
        from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415 the same
        from ua_parser.regex import Resolver  # noqa: PLC0415 the same

        self._resolve = Resolver(load_lazy_builtins())
        self._asked_for = Domain.USER_AGENT | Domain.OS

    def classify(self, agent: bytes | None) -> Browser:
        """One of `BROWSERS`; `other` for what says nothing, or nothing known. Never raises."""
        text = (agent or b"")[:_LONGEST_AGENT].decode("utf-8", "replace")
        found = self._resolve(text, self._asked_for)
        family = found.user_agent.family if found.user_agent else ""
        system = found.os.family if found.os else ""
        return Browser(_FAMILY_OF.get(family, OTHER), _device(text, system))


def _device(agent: str, system: str) -> str:
    if _SCREEN.search(agent):
        return "tv or console"
    if system in _DESKTOP_SYSTEMS:
        return "desktop"
    if system in _PHONE_SYSTEMS:
        return "phone"
    if _TABLET.search(agent):
        return "tablet"
    if _PHONE.search(agent):
        return "phone"
    # Android's makers were told so in 2010: `Mobile` is for telephones, its absence for anything larger.
    return "tablet" if system == "Android" else OTHER


def browser_list_version() -> str:
    """Which lists decided, for the record of each release: figures move with them."""
    return f"ua-parser-builtins {version('ua-parser-builtins')}, own rules {_OWN_RULES}"
