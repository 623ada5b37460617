"""User agents of mail programs' helpers → how an e-mail was opened: the table, with what each row rests on.

Belongs here: agents, what stands behind them, and how sure that is. Does not: which requests are opens.

What agents cannot tell, and no log can: scanners mostly give a browser's agent, and then are `direct`; an open within
seconds of delivery is likely a scanner's, but a log does not know when a mail was delivered. Networks are not looked
at: Apple and Google publish some of theirs, as lists that change, and addresses do not leave the parsing step.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal, NamedTuple

__all__ = ["MAIL_AGENTS", "OPEN_CLASSES", "MailAgent", "OpenClass", "mail_agents_version"]

OpenClass = Literal[
    "direct", "image_proxy", "privacy_prefetch", "security_scanner", "other_program", "unknown"
]
OPEN_CLASSES: Final[tuple[OpenClass, ...]] = (
    "direct",  # a mail program or a browser under its own name
    "image_proxy",  # the mailbox provider fetches for the reader, when the mail is opened
    "privacy_prefetch",  # the provider fetches for all, opened or not: says nothing of the reader
    "security_scanner",  # a filter looks at the mail before the reader gets it
    "other_program",  # another program of the lists in robots.py
    "unknown",  # the log records no agents
)

_VERSION: Final = 1  # raise when a rule changes whose row stays the same


class MailAgent(NamedTuple):
    """One row.

    Attributes:
        text: in lower case. how: whether it is all of the agent (`is`) or a part of it (`has`).
        open_class: how the mail was opened. whose: who sends this agent.
        certainty: `known`, documented by its sender or seen by many; or a `guess`.
        source: what says so.
    """

    text: str
    how: Literal["is", "has"]
    open_class: OpenClass
    whose: str
    certainty: Literal["known", "guess"]
    source: str


_LIST: Final = "crawler-user-agents"
_VENDOR: Final = "the vendor's name; most of its requests come under a browser's"
# Sorted by text. Outlook's own agents (Microsoft Office/16.0, ms-office) are people's: their program asks directly.
MAIL_AGENTS: Final = (
    MailAgent(
        "barracuda",
        "has",
        "security_scanner",
        "Barracuda",
        "known",
        "Barracuda Sentinel (EE), named by Braze",
    ),
    MailAgent(
        "bingpreview/", "has", "security_scanner", "Microsoft", "guess", f"{_LIST}; said of Safe Links"
    ),
    MailAgent("cloudmark", "has", "security_scanner", "Proofpoint", "guess", _VENDOR),
    MailAgent(
        "fastmailua/", "has", "image_proxy", "Fastmail", "guess", f"{_LIST}; fastmail.com/policies/bots"
    ),
    MailAgent("forcepoint", "has", "security_scanner", "Forcepoint", "guess", _VENDOR),
    MailAgent("googleimageproxy", "has", "image_proxy", "Gmail", "known", f"{_LIST}; ua-parser/uap-core 170"),
    MailAgent("ironport", "has", "security_scanner", "Cisco", "guess", _VENDOR),
    MailAgent(
        "mail.ru_bot/img",
        "has",
        "image_proxy",
        "Mail.ru",
        "guess",
        "its robot for images; go.mail.ru/help/robots",
    ),
    MailAgent("mimecast", "has", "security_scanner", "Mimecast", "guess", _VENDOR),
    MailAgent(
        "mozilla/5.0",
        "is",
        "privacy_prefetch",
        "Apple Mail",
        "known",
        "ua-parser/uap-core 509, since 2021-09-20",
    ),
    MailAgent(
        "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/42.0.2311.135"
        " safari/537.36 edge/12.246 mozilla/5.0",
        "is",
        "privacy_prefetch",
        "Gmail",
        "known",
        "bird.com/blog/gmail-prefetching-images: before the mail is opened",
    ),
    MailAgent(
        "outlookimageproxy",
        "has",
        "image_proxy",
        "Outlook.com",
        "guess",
        "several lists, no first-hand sighting",
    ),
    MailAgent("proofpoint", "has", "security_scanner", "Proofpoint", "guess", _VENDOR),
    MailAgent("safelinks", "has", "security_scanner", "Microsoft", "guess", "Defender's name for it"),
    MailAgent("shortwave image fetcher", "has", "image_proxy", "Shortwave", "known", _LIST),
    MailAgent("sophos", "has", "security_scanner", "Sophos", "guess", _VENDOR),
    MailAgent("symantec", "has", "security_scanner", "Broadcom", "guess", _VENDOR),
    MailAgent("trend micro", "has", "security_scanner", "Trend Micro", "guess", _VENDOR),
    MailAgent("trendmicro", "has", "security_scanner", "Trend Micro", "guess", _VENDOR),
    MailAgent("yahoomailproxy", "has", "image_proxy", "Yahoo, AOL", "known", "help.yahoo.com/kb, SLN28749"),
    MailAgent(
        "yandeximageresizer", "has", "image_proxy", "Yandex", "guess", "its image robot; yandex.com/bots"
    ),
)


def mail_agents_version() -> str:
    """Which table decided, for the record of each release: figures move with it."""
    digest = hashlib.sha256(repr(MAIL_AGENTS).encode()).hexdigest()[:12]
    return f"mail agents {_VERSION}, {digest}"
