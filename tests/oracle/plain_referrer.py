"""A referrer → how the visitor came, by the shipped list of sites, read as its head says.

Belongs here: the six words and how a listed name is found. Does not: anything of the pipeline; spellings that no
browser sends are not looked at.
"""

import re
from functools import cache
from pathlib import Path

LIST = (
    Path(__file__).resolve().parents[2] / "src" / "usage_stats" / "deidentify" / "data" / "referrer_sites.txt"
)
_URL = re.compile(
    r"([a-z][a-z0-9+.-]*)://(?:[^/?#\\]*@)?([a-z0-9_.-]*[a-z0-9_]|\[[0-9a-f:.]+\])\.?(?::\d{0,5})?(?=[/?#\\]|\Z)"
)
_COUNTRY = r"(?:com|(?:(?:ac|co|com|ne|net|or|org)\.)?[a-z]{2})"
_PREFIX = r"(?:(?:www|m|www\.m|amp|mobile)\.)?"


@cache
def _listed():
    """Each name as an expression, with its class and length."""
    found = []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            class_, name = line.split()
            found.append((_expression(name), class_, len(name)))
    return found


def _expression(name):
    if name.startswith("app:"):
        return re.compile(re.escape(name))
    body = re.escape(name.removeprefix(".")).replace(r"\*", _COUNTRY)
    before = r"(?:.*\.)?" if name.startswith(".") else _PREFIX
    return re.compile(before + body)


@cache
def referrer_class(referrer, hosts=()):
    """How a visit came, in one of six words. `hosts`: the site's own, as the settings have them."""
    text = (referrer or b"").strip().decode("utf-8", "replace").lower()
    if text in {"", "-"}:
        return "direct"
    url = _URL.match(text)
    if url is None or url[1] not in {"http", "https", "android-app"}:
        return "other site"
    name = f"app:{url[2]}" if url[1] == "android-app" else url[2]
    if url[1] != "android-app" and any(_is_own(name, host) for host in hosts):
        return "internal"
    fitting = [(length, class_) for rule, class_, length in _listed() if rule.fullmatch(name)]
    return max(fitting, default=(0, "other site"))[1]


def _is_own(name, host):
    if host.startswith("*."):
        return name.endswith(host.removeprefix("*").lower())
    return name.removeprefix("www.") == host.lower().removeprefix("www.")
