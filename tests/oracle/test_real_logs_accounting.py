"""All real logs that there are, counted a second time without any code of ours, or refused."""

import gzip
import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from usage_stats.accesslog.inspect import inspect_log
from usage_stats.accesslog.parse import Hit
from usage_stats.accesslog.read import read_lines
from usage_stats.accesslog.recognise import recognise
from usage_stats.errors import InputError

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
LOGS = DATA / "logs"

pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the real logs are kept beside the project, in ../shared/data"
)

# Each file of counts and the logs it was made from.
TRUTH = {
    "elastic-apache_logs": ["elastic-examples/apache_logs.log"],
    "advertools-combined_no_errors": ["advertools/combined_no_errors.log"],
    "advertools-combined_with_errors": ["advertools/combined_with_errors.log"],
    "advertools-dreamhost_apache_access": ["advertools/dreamhost_apache_access.log"],
    "wtf-farmfresh-combined": ["willthefarmer/apache_combined/farmfreshsoftware.access.log"],
    "wtf-farmwork-combined": ["willthefarmer/apache_combined/farmwork.access.log"],
    "wtf-farmwork-common": ["willthefarmer/apache_common/farmwork.access.log"],
    "wtf-nginx-saunathinker": ["willthefarmer/nginx_combined/saunathinker.com.access.log-20*"],
    "wtf-vhost": ["willthefarmer/apache_vhost/*.access.log"],
}
# Our own reasons for the lines that the truth counts as blank, comment or unparsed.
REASONS = {
    "elastic-apache_logs": {"agent": 1},  # line 8899: the agent's quote is never closed
    "advertools-combined_with_errors": {"time": 4},  # `Error line 1`: a client, an ident, a user, no time
    "advertools-dreamhost_apache_access": {"blank": 1},
}
# The only field the truth counts otherwise: it has the port in the virtual host, a hit has not.
WITHOUT_PORT = re.compile(r":\d+$")


def _paths(patterns):
    return sorted(path for pattern in patterns for path in LOGS.glob(pattern))


def _all_logs():
    return sorted(p for folder in ("logs", "hostile") for p in (DATA / folder).rglob("*") if p.is_file())


def _name(path):
    return str(path.relative_to(DATA))


def _clock_times(path):
    """Day and hour as written, in the server's own zone: the truth counts days as the line shows them."""
    stamp = re.compile(rb"\[(\d\d/[A-Z][a-z]{2}/\d{4}):(\d\d):\d\d:\d\d [+-]\d{4}\]")
    return [match.groups() if (match := stamp.search(line)) else None for line in read_lines(path)]


def _count(paths):
    """What the truth counts, of our hits."""
    counts = {
        name: Counter() for name in ("reasons", "status", "methods", "vhosts", "days", "hours", "paths")
    }
    daily, agents, lines = set(), set(), 0
    requests = Counter()
    for path in paths:
        parse = recognise(path).format.parser().parse
        for line, clock in zip(read_lines(path), _clock_times(path), strict=True):
            lines += 1
            hit = parse(line)
            if not isinstance(hit, Hit):
                counts["reasons"][hit] += 1
                continue
            day, hour = (part.decode() for part in clock)
            counts["days"][day] += 1
            counts["hours"][hour] += 1
            counts["status"][str(hit.status)] += 1
            counts["methods"]["(malformed request)" if hit.method is None else hit.method.decode()] += 1
            if hit.target is not None:
                counts["paths"][hit.target.partition(b"?")[0]] += 1
            counts["vhosts"][hit.vhost and hit.vhost.decode()] += 1
            daily.add((day, hit.address, hit.agent))
            agents.add(hit.agent)
            requests[hit.address] += 1
    return counts | {"lines": lines, "daily": daily, "agents": agents, "requests": requests}


@pytest.fixture(scope="module")
def counted():
    """Our counts of each collection, made once."""
    return {name: _count(_paths(patterns)) for name, patterns in TRUTH.items()}


def _truth(name):
    return json.loads((DATA / "truth" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", TRUTH)
def test_counts_equal_the_truth(name, counted):
    """Lines, clients, agents, status codes, methods, days and hours are those of the plain script."""
    truth, ours = _truth(name), counted[name]
    parsed = ours["lines"] - ours["reasons"].total()
    compared = {
        "files": len(_paths(TRUTH[name])),
        "lines": ours["lines"],
        "parsed": parsed,
        "blank": ours["reasons"]["blank"],
        "comment": ours["reasons"]["directive"],
        "unparsed": ours["reasons"].total() - ours["reasons"]["blank"] - ours["reasons"]["directive"],
        "distinct_client": len(ours["requests"]),
        "clients_with_1_request": sum(count == 1 for count in ours["requests"].values()),
        # The truth counts no agents where the format has none, and then tells daily pairs by client alone.
        "distinct_ua": None if ours["agents"] == {None} else len(ours["agents"]),
        "sum_daily_distinct_client": len({(day, client) for day, client, _ in ours["daily"]}),
        "sum_daily_distinct_client_ua": len(ours["daily"]),
        "status": dict(ours["status"]),
        "methods": dict(ours["methods"]),
        "days": len(ours["days"]),
        "requests_per_day": dict(ours["days"]),
        "requests_per_hour": dict(ours["hours"]),
        "distinct_path_noquery": len(ours["paths"]),
        "paths_below_5": sum(count < 5 for count in ours["paths"].values()),
        "top_paths": [[path, ours["paths"][path.encode()]] for path, _ in truth["top_paths"]],
        "top_clients": [[client, ours["requests"][client.encode()]] for client, _ in truth["top_clients"]],
        "vhosts": None if set(ours["vhosts"]) == {None} else dict(ours["vhosts"]),
    }
    expected = {field: truth[field] for field in compared}
    if expected["vhosts"]:
        expected["vhosts"] = _without_ports(expected["vhosts"])

    assert expected == compared
    assert REASONS.get(name, {}) == dict(ours["reasons"])


def _without_ports(vhosts):
    sites = Counter()
    for vhost, count in vhosts.items():
        sites[WITHOUT_PORT.sub("", vhost)] += count
    return dict(sites)


# What must be refused, with the words that must be said of it, and why it is no access log of ours.
REFUSED = {
    # Error logs: what went wrong, not what was asked for.
    "hostile/advertools/apache_error.log": "an Apache error log",
    "hostile/fail2ban/apache-botsearch": "an Apache error log",
    "hostile/fail2ban/apache-nohome": "an Apache error log",
    "hostile/fail2ban/apache-overflows": "an Apache error log",
    "hostile/fail2ban/apache-shellshock": "an Apache error log",
    # 15 lines of it are of the error log, 6 of the access log: two logs in one file.
    "hostile/crowdsec-hub/nginx-http-generic-bf__nginx-http-generic-bf.log": "an nginx error log",
    # sshd's messages about logins.
    "hostile/fail2ban/testcase-wrong-char.log": "an authentication log (auth.log)",
    # A shop's own events about its administrators.
    "hostile/crowdsec-hub/http-magento-bf__http-magento-bf.log": "a log of an application",
    # nginx's access log behind syslog's prefix: the sentence says so and how to take it off.
    "hostile/crowdsec-hub/http-wordpress_wpconfig__http-wordpress_wpconfig.log": (
        "syslog with an access log of the format combined inside"
    ),
    # A virtual host in front and a chain behind: no server's default, to be pasted.
    "hostile/crowdsec-hub/spring4shell_cve-2022-22965__spring4shell_cve-2022-22965.log": "none of 2 lines fits one",
    # Times without a zone, and other fields of its own; one line of three is of another server.
    "hostile/fail2ban/apache-fakegooglebot": "1 of 3 lines fit the nearest format (vhost_combined)",
    # No ident, no user, no agent: a LogFormat of its own, to be pasted.
    "logs/apache-drill/dfs-bootstrap.httpd": "none of 2 lines fits one",
    # Three lines of three formats, one of which has a name.
    "logs/apache-drill/multiformat.access_log": "1 of 3 lines fit the nearest format",
    # mod_ssl's request log has no status: nobody can tell a page that was seen from an error.
    "logs/filebeat/apache-access/ssl-request.log": "none of 2 lines fits one",
    # A list of addresses in front ($http_x_forwarded_for): a log_format of its own, to be pasted.
    "logs/filebeat/nginx-access/test.log": "2 of 10 lines fit the nearest format (combined)",
    # The same behind a virtual host.
    "logs/filebeat/nginx-access/test-with-host.log": "2 of 10 lines fit the nearest format (vhost_combined)",
    # Local time without a zone.
    "logs/brianary-iis/ex010320.log": "a log in Microsoft's own IIS format",
    # Neither time of day nor status was ticked.
    "logs/brianary-iis/ex031118.log": "let the server log these fields too: time, sc-status",
    "logs/brianary-iis/pf040903.log": "a log of the Windows firewall",
    # Prose, code and tables beside the logs.
    "logs/brianary-iis/readme.md": "none of 33 lines fits one",
    "logs/bot-lists/COUNTER_Robots_list.json": "one JSON array",
    "logs/bot-lists/crawler-user-agents.json": "one JSON array",
} | {
    f"logs/filebeat/{name}-expected.json": "one JSON array"
    for name in (
        *("apache-access/darwin-2.4.23.log", "apache-access/ssl-request.log", "apache-access/test-vhost.log"),
        *("apache-access/test.log", "apache-access/ubuntu-2.2.22.log", "iis-access/test-iis-7.2.log"),
        *("iis-access/test.log", "nginx-access/access.log", "nginx-access/test-with-host.log"),
        "nginx-access/test.log",
    )
}
# Test code, and tables of other things than requests (agents, host names, referrers, page views).
REFUSED_SUFFIXES = {".assert": "no access log of a known format", ".csv": "no access log of a known format"}
REMEDIES = (
    "choose W3C",
    "paste the server's LogFormat",
    "usage is counted from",
    "take off",
    "name",
    "let the server",
    "write",
)


def _refusal_of(path):
    return REFUSED.get(_name(path)) or REFUSED_SUFFIXES.get(path.suffix)


def _plain(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


@pytest.mark.parametrize("path", [p for p in _all_logs() if not _refusal_of(p)], ids=_name)
def test_every_line_is_parsed_or_rejected(path):
    """Lines = parsed + rejected, and lines are the newlines of the file, and one more without the last."""
    counts = inspect_log(path, log_format=None, robot_class=lambda _: None)
    data = _plain(path)
    lines = data.removesuffix(b"\n").split(b"\n")
    json_form = counts.to_json(rejects=True)
    blank = [n for n, line in enumerate(lines, 1) if not line.strip()]

    assert counts.lines == counts.parsed + counts.rejected
    assert counts.lines == data.count(b"\n") + (not data.endswith(b"\n"))
    assert counts.parsed > 0
    assert sum(counts.reasons.values()) == counts.rejected == len(json_form["rejects"])
    assert sum(counts.identity_basis.values()) == counts.parsed
    assert blank == [n for n, reason in json_form["rejects"] if reason == "blank"]
    assert counts.reasons.get("directive", 0) >= sum(line[:1] == b"#" for line in lines)
    assert counts.broken is None


@pytest.mark.parametrize("path", [p for p in _all_logs() if _refusal_of(p)], ids=_name)
def test_what_is_no_access_log_is_refused_with_a_remedy(path):
    """Each is named for what it is, with what to do, and without a word of its own."""
    with pytest.raises(InputError) as refusal:
        recognise(path)
    message = str(refusal.value).removeprefix(f"{path}: ")
    values = set(re.findall(rb"\d+\.\d+\.\d+\.\d+|/\w+[./]\w+", path.read_bytes()))

    assert _refusal_of(path) in message
    assert any(remedy in message for remedy in REMEDIES)
    assert [] == [value for value in values if value.decode() in message]


def test_nothing_that_is_refused_is_missing():
    """The list names only files that are there."""
    assert [] == sorted(name for name in REFUSED if not (DATA / name).is_file())


# What anyone would look for in a line of a request: client, time, request, status.
PLAIN = re.compile(
    rb'^(?:[a-z.]+ )?([\d.]+) [^"]*?\[?'
    rb"(\d\d/\w{3}/\d{4}:[\d:]{8} [+-]\d{4}|\d{4}-\d\d-\d\dT\S+|\w+ \d\d, \d{4}T[^\]]+)"
    rb'\]? "([^"]*)" (\d{3}) '
)
FORMATS = ("%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%B %d, %YT%H:%M:%S %z")
# Lines that are no requests, counted by hand: testglobal.log begins with 28 lines of comment.
WITHOUT_TRUTH = {
    "awstats/testglobal.log": {"blank": 17, "directive": 28},
    "awstats/testnginx.log": {"directive": 1},
    "awstats/testsmall.log": {},
    "awstats/testtime5.log": {},
    "advertools/nginx_custom_date.log": {},
    "willthefarmer/apache_common/farmfreshsoftware.access.log": {},
}


def _moment(text):
    for layout in FORMATS:
        try:
            return int(datetime.strptime(text.decode(), layout).timestamp())
        except ValueError:
            continue
    raise AssertionError("a time in no known layout")


@pytest.mark.parametrize(("name", "reasons"), WITHOUT_TRUTH.items())
def test_logs_without_truth_equal_a_plain_count(name, reasons):
    """Client, instant, request and status of each line are what a plain regex and strptime find."""
    path = LOGS / name
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    found = [match.groups() for line in lines if (match := PLAIN.match(line))]
    parse = recognise(path).format.parser().parse
    results = [parse(line) for line in read_lines(path)]
    hits = [result for result in results if isinstance(result, Hit)]

    assert [(a, _moment(t), int(s)) for a, t, _, s in found] == [(h.address, h.at, h.status) for h in hits]
    assert [request.split(b" ")[0] if b" HTTP/" in request else None for _, _, request, _ in found] == [
        hit.method for hit in hits
    ]
    assert reasons == dict(Counter(result for result in results if isinstance(result, str)))


def test_awstats_header_states_the_clients():
    """testglobal.log says in its header that it holds 14 different addresses; two users are named."""
    path = LOGS / "awstats" / "testglobal.log"
    counts = inspect_log(path, log_format=None, robot_class=lambda _: None)
    parse = recognise(path).format.parser().parse
    accounts = {hit.account for line in read_lines(path) if isinstance(hit := parse(line), Hit)}

    assert (14, {None, b"john", b"John Begood"}) == (counts.clients, accounts)
    assert (b"SEARCH" in path.read_bytes(), counts.identity_basis["account"]) == (True, 8)


def test_junk_lines_change_no_figure(counted):
    """The log with four lines of junk gives the figures of the one without."""
    clean, junk = (dict(counted[f"advertools-combined_{kind}_errors"]) for kind in ("no", "with"))
    junk_reasons, clean_reasons = junk.pop("reasons"), clean.pop("reasons")

    assert (clean.pop("lines"), junk.pop("lines")) == (885, 889)
    assert clean == junk
    assert (Counter(), Counter(time=4)) == (clean_reasons, junk_reasons)


# The same logs through GoAccess; it counts a bare `"-"` request and an unclosed quote otherwise, see below.
GOACCESS = {
    "elastic": ["elastic-examples/apache_logs.log"],
    "farmwork-combined": ["willthefarmer/apache_combined/farmwork.access.log"],
    "farmwork-common": ["willthefarmer/apache_common/farmwork.access.log"],
    "sauna": ["willthefarmer/nginx_combined/saunathinker.com.access.log-20*"],
    "vhost": ["willthefarmer/apache_vhost/*.access.log"],
    "with_errors": ["advertools/combined_with_errors.log"],
}
# GoAccess takes elastic's line 8899, whose agent's quote is never closed, as a request.
MORE_IN_GOACCESS = {"elastic": 1}


@pytest.mark.parametrize("name", GOACCESS)
def test_counts_equal_those_of_goaccess(name):
    """Lines, requests and failures are GoAccess's, but for the line we say why we reject."""
    theirs = json.loads((DATA / "goaccess" / f"{name}.json").read_text(encoding="latin-1"))["general"]
    ours = [inspect_log(path, log_format=None, robot_class=lambda _: None) for path in _paths(GOACCESS[name])]
    more = MORE_IN_GOACCESS.get(name, 0)

    assert theirs["total_requests"] == sum(counts.lines for counts in ours)
    assert theirs["valid_requests"] == sum(counts.parsed for counts in ours) + more
    assert theirs["failed_requests"] == sum(counts.rejected for counts in ours) - more
