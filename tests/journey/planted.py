"""→ logs of several formats whose every field holds a value that is nowhere else, and how each could be written.

Belongs here: the persons, their lines, good and bad, the workspace. Does not: searching (byte_search).
"""

import base64
import gzip
import hashlib
import json
import socket
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from byte_search import Needles, digests_of, spellings

DAYS = (1, 2, 3)
VISITORS = 18
PROXY = "192.0.2.77"  # ours, of the settings: no canary
FORWARDED_FORMAT = (
    '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i" "%{visitor}C"'
)
W3C_HEADER = (
    "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem "
    "cs-uri-query cs-username c-ip cs(User-Agent) cs(Referer) cs(Cookie) sc-status\n"
)
USES = ("internal_aggregate", "partner_aggregate", "list_comparison")


def word(*parts):
    """A word that occurs nowhere else, the same in each run."""
    return hashlib.blake2b(repr(("planted", *parts)).encode(), digest_size=8).hexdigest()


@cache
def person(number):
    """What one invented person would be known by: field → value."""
    some = word(number)
    ipv4 = f"203.{100 + number % 100}.{137 + number // 100}.{200 + number % 50}"
    ipv6 = f"2001:db8:{some[:4]}:{some[4:8]}::{some[8:12]}"
    return {
        "address": ipv6 if number % 2 else ipv4,
        "forwarded": f"198.{100 + number % 100}.{119 + number // 100}.{150 + number % 100}",
        "account": f"acct{some}",
        "cookie": f"ck{word('cookie', number)}",
        "mail in path": f"eve.{word('path', number)}@mail.example",
        "mail in query": f"bob.{word('query', number)}@mail.example",
        "token": word("token", number),
        "referrer": f"https://www.{word('site', number)}.example/inbox?id={word('referrer', number)}",
        "agent": f"Mozilla/5.0 (X11; Linux {word('agent', number)}) Gecko/20100101 Firefox/128.0",
    }


# Those on the lists, and those who only have bad lines.
UNDER_13, OPTED_OUT, OPTED_OUT_COOKIE = 60, 63, 61
BAD = {day: 70 + day for day in DAYS}
BAD_LIST = 90  # on lists of addresses, and in what `erase` is given
EVERYBODY = (*range(VISITORS), UNDER_13, OPTED_OUT, OPTED_OUT_COOKIE, *BAD.values(), BAD_LIST)


def _basis(number, who):
    """Account and cookie of a line: every third person has an account, every third a cookie."""
    return (who["account"] if number % 3 == 0 else "-", who["cookie"] if number % 3 == 1 else "-")


def _target(who, path):
    return f"{path}?mail={who['mail in query']}&token={who['token']}"


def web_line(number, day, path, minute, *, is_forwarded=False):
    """A line of the format with a chain of proxies."""
    who = person(number)
    account, cookie = _basis(number, who)
    peer, chain = (PROXY, who["forwarded"]) if is_forwarded else (who["address"], "-")
    return (
        f'{peer} - {account} [{day:02}/Apr/2026:10:{minute:02}:00 +0000] "GET {_target(who, path)} HTTP/1.1" '
        f'200 512 "{who["referrer"]}" "{who["agent"]}" "{chain}" "{cookie}"'
    )


def json_line(number, day, path, minute):
    """A line as Caddy writes it, its slashes escaped; keys of a careless handler hold values too."""
    who = person(number)
    account, cookie = _basis(number, who)
    headers = {
        "User-Agent": [who["agent"]],
        "Referer": [who["referrer"]],
        "Cookie": [f"visitor={cookie}"],
        who["mail in query"]: [who["token"]],
    }
    request = {"client_ip": who["address"], "method": "GET", "host": "www.example.org"}
    request |= {"uri": _target(who, path), "headers": headers}
    # 1 April 2026 is day 20,544 of the epoch.
    at = (20_544 + day - 1) * 86_400 + 36_000 + minute * 60
    entry = {"level": "info", "ts": at, "request": request, "user_id": account.strip("-"), "status": 200}
    return json.dumps(entry).replace("/", "\\/")


def w3c_line(number, day, path, minute):
    """A line as IIS writes it: pluses for spaces."""
    who = person(number)
    account, cookie = _basis(number, who)
    agent = who["agent"].replace(" ", "+")
    query = f"mail={who['mail in query']}&token={who['token']}"
    return (
        f"2026-04-{day:02} 10:{minute:02}:00 10.0.0.1 GET {path} {query} {account} {who['address']} {agent} "
        f"{who['referrer']} visitor={cookie} 200"
    )


def bad_lines(line):
    """One good line, spoilt in many ways: whatever the parser says of these, it says of persons."""
    cut = [line[: len(line) * n // 9] for n in range(1, 9)]
    swaps = (
        ("/Apr/", "/Foo/"),
        (" 200", " two"),
        ("GET ", "GET\t"),
        ('" "', '" " "'),
        ("10:", "99:"),
        (":", ";"),
    )
    spoilt = [line.replace(*swap) for swap in swaps]
    joined = [
        "# " + line,
        "#Fields: " + line,
        "\x00" + line,
        line + " " + line,
        "\xff\xfe\x80" + line,
        line[::-1],
    ]
    return [*cut, *spoilt, *joined, line + "x" * 70_000, line.replace("?", "?" + "y" * 70_000)]


_WRITERS = {"web": web_line, "api": json_line, "iis": w3c_line}


def log_of(source, day):
    """A day's log of one source: each person, two pages; then bad lines."""
    write = _WRITERS[source]
    lines = []
    for number in (*range(VISITORS), UNDER_13, OPTED_OUT, OPTED_OUT_COOKIE):
        who, minute = person(number), number % 60
        lines += [write(number, day, path, minute) for path in ("/", f"/users/{who['mail in path']}")]
        if source == "web":
            lines.append(web_line(number, day, "/users/me", minute, is_forwarded=True))
    lines += bad_lines(write(BAD[day], day, "/", 5))
    header = W3C_HEADER if source == "iis" else ""
    return (header + "\n".join(lines) + "\n").encode("latin-1")


def forms_of(value):
    """A value as it stands, as servers escape it, and its packed form if it is an address."""
    raw = value.encode()
    forms = {raw, raw.lower(), quote(value).encode(), quote(value, safe="").encode()}
    forms |= {
        quote_plus(value).encode(),
        value.replace(" ", "+").encode(),
        value.replace("/", "\\/").encode(),
    }
    if value.startswith("2001:") and " " not in value:
        packed = socket.inet_pton(socket.AF_INET6, value)
        forms |= {packed, packed[:8]}
    return forms


def named_needles(values):
    """What → value: every spelling of each value and of its digests."""
    found = {}
    for what, value in values:
        for form in forms_of(value):
            found |= spellings(form, what) | {form: what}
        for name, digest in digests_of(value.encode()).items():
            found |= spellings(digest, f"{what}, {name}")
    return found


@cache
def canaries():
    """Everything planted, ready to be searched for."""
    values = [(what, value) for number in EVERYBODY for what, value in person(number).items()]
    lines = [("line", web_line(n, 1, "/", n % 60)) for n in range(3)]
    return Needles(named_needles([*values, *lines]))


def key_needles(keys):
    """Every spelling of some keys."""
    found = {}
    for number, key in enumerate(keys):
        found |= spellings(key, f"key {number}") | {base64.b32encode(key)[:50]: f"key {number}"}
        found |= {repr(key)[2:-1].encode(): f"key {number}", str(list(key)).encode(): f"key {number}"}
    return Needles(found)


def write_lists(folder):
    """The operator's lists, outside the workspace: setting → path."""
    folder.mkdir()
    lists = {
        "under_13_accounts": person(UNDER_13)["account"],
        "opt_out_accounts": person(OPTED_OUT)["account"],
        "opt_out_cookies": person(OPTED_OUT_COOKIE)["cookie"],
    }
    for name, value in lists.items():
        (folder / name).write_text(value + "\n")
        (folder / name).chmod(0o600)
    return {name: str(folder / name) for name in lists}


def write_workspace(root, lists: Path, **more):
    """A workspace of three sources with three days of planted logs."""
    (root / "logs").mkdir(parents=True)
    for day in DAYS:
        for source in _WRITERS:
            content = log_of(source, day)
            packed = gzip.compress(content, mtime=0) if day == DAYS[0] else content
            (root / "logs" / f"{source}-{day}.log{'.gz' if day == DAYS[0] else ''}").write_bytes(packed)
    formats = {"web": FORWARDED_FORMAT, "api": "caddy", "iis": "w3c"}
    sources = [
        {"name": name, "logs": [f"logs/{name}-*"], "format": kind, "cookie": "visitor"}
        for name, kind in formats.items()
    ]
    sources[0]["trusted_proxies"] = [f"{PROXY}/32"]
    components = [{"name": "home", "paths": ["/"]}, {"name": "users", "paths": ["/users/**"]}]
    settings = {"site": "canary", "sources": sources, "components": components, "partners": [{"id": "acme"}]}
    settings |= {"gaps": "accept", "exclusions": write_lists(lists), **more}
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    versions = [{"version": "1", "effective": "2010-01-01", "uses": USES}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root
