"""Nothing → user-agent strings: browsers of people, mail programs, robots.

Belongs here: which strings exist and how common each is.
Does not: deciding whether a string is a robot's; a test holds these lists against the robot list.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

__all__ = ["MAIL_AGENTS", "ROBOTS", "MailAgent", "Robot", "browser_agents"]

CHROME = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 {tail}"
FIREFOX = "Mozilla/5.0 ({system}; rv:{version}.0) Gecko/{trail} Firefox/{version}.0"
SAFARI = "Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} {tail}"
WINDOWS = "Windows NT 10.0; Win64; x64"
MAC = "Macintosh; Intel Mac OS X 10_15_7"
MAC_FIREFOX = "Macintosh; Intel Mac OS X 10.15"
LINUX = "X11; Linux x86_64"
ANDROID = "Linux; Android 10; K"


class MailAgent(NamedTuple):
    """A mail program or image proxy; `is_robot` as the robot list sees it."""

    agent: str
    share: float
    is_robot: bool


class Robot(NamedTuple):
    """A client that is no person, and its share of the robots' requests."""

    agent: str
    share: float


def browser_agents() -> tuple[str, ...]:
    """About sixty browsers as people had them in early 2026, the most common first."""
    return (
        *_chrome(WINDOWS, (145, 144, 143), "Safari/537.36"),
        *_chrome(ANDROID, (145, 144, 143, 142), "Mobile Safari/537.36"),
        *_safari(
            "iPhone; CPU iPhone OS 18_7 like Mac OS X", ("26.2", "26.1", "18.6"), "Mobile/15E148 Safari/604.1"
        ),
        *_chrome(MAC, (145, 144, 143), "Safari/537.36"),
        *_safari(MAC, ("26.2", "26.1", "18.6", "17.6"), "Safari/605.1.15"),
        *_firefox(WINDOWS, (147, 146, 140)),
        *(f"{agent} Edg/{v}.0.0.0" for v in (145, 144) for agent in _chrome(WINDOWS, (v,), "Safari/537.36")),
        *_firefox(LINUX, (147, 146, 140, 128)),
        *_chrome(LINUX, (145, 144, 142), "Safari/537.36"),
        *_safari("iPad; CPU OS 18_7 like Mac OS X", ("26.2", "26.1", "18.6"), "Mobile/15E148 Safari/604.1"),
        *_firefox(MAC_FIREFOX, (147, 146, 140)),
        *_older_phones(),
        *_chrome(WINDOWS, (142, 141, 138, 131, 120, 109), "Safari/537.36"),
        *(f"{agent} OPR/125.0.0.0" for s in (WINDOWS, MAC) for agent in _chrome(s, (141,), "Safari/537.36")),
        *_firefox(WINDOWS, (145, 128, 115)),
        *_chrome(MAC, (142, 141, 138), "Safari/537.36"),
        FIREFOX.format(system="Android 15; Mobile", version=147, trail="147.0"),
        FIREFOX.format(system="Android 14; Mobile", version=146, trail="146.0"),
    )


def _chrome(system: str, versions: tuple[int, ...], tail: str) -> list[str]:
    return [CHROME.format(system=system, version=v, tail=tail) for v in versions]


def _firefox(system: str, versions: tuple[int, ...]) -> list[str]:
    return [FIREFOX.format(system=system, version=v, trail="20100101") for v in versions]


def _safari(system: str, versions: tuple[str, ...], tail: str) -> list[str]:
    return [SAFARI.format(system=system, version=v, tail=tail) for v in versions]


def _older_phones() -> list[str]:
    systems = ("Linux; Android 14; SM-S918B", "Linux; Android 13; Pixel 7", "Linux; Android 12; moto g(60)")
    return [
        CHROME.format(system=s, version=v, tail="Mobile Safari/537.36")
        for s, v in product(systems, (141, 138))
    ]


APPLE_MAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
# The two image proxies are on the robot list: they fetch once for the reader, from the proxy's address.
GOOGLE_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0"
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
# The two image proxies are on the robot list: they fetch for the reader, from the proxy's address.
MAIL_AGENTS = (
    MailAgent(GOOGLE_PROXY, share=35, is_robot=True),
    MailAgent("Mozilla/5.0", share=25, is_robot=False),  # Apple's mail privacy protection
    MailAgent(OUTLOOK, share=15, is_robot=False),
    MailAgent(APPLE_MAIL, share=12, is_robot=False),
    MailAgent(THUNDERBIRD, share=8, is_robot=False),
    MailAgent(YAHOO_PROXY, share=5, is_robot=True),
)

GOOGLEBOT_PHONE = (
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/145.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)
BINGBOT = (
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
    "+http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36"
)
GPTBOT = (
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot"
)
CLAUDEBOT = (
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)"
)
ROBOTS = (
    Robot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 14),
    Robot(GOOGLEBOT_PHONE, 10),
    Robot(BINGBOT, 11),
    Robot(GPTBOT, 8),
    Robot(CLAUDEBOT, 6),
    Robot("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", 7),
    Robot("Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", 6),
    Robot("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", 4),
    Robot("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", 2),
    Robot("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", 8),
    Robot("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", 3),
    Robot("curl/8.5.0", 4),
    Robot("python-requests/2.32.3", 6),
    Robot("Go-http-client/2.0", 3),
    Robot("Wget/1.21.4", 1),
    Robot("Scrapy/2.11.2 (+https://scrapy.org)", 1),
    Robot('Mozilla/5.0 (compatible; \\"quoted\\" examplebot/0.3)', 1),  # Apache escapes a quote like this
    Robot("-", 4),  # no such header
    Robot("", 1),  # an empty header
)
