import json

import pytest

from usage_stats.accesslog.looks import Look, inner_lines, look_of, never_access

COMBINED = b'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /secret HTTP/1.1" 200 7 "-" "Firefox"'

# What a file is → its first lines. Each is written as its program writes it.
SEEN = {
    "an Apache error log": [
        b"[Fri Feb 01 22:03:08.318615 2019] [authz:debug] [pid 1:tid 2] mod_authz.c(1): [client 192.0.2.7:1] secret",
        b"AH00558: apache2: Could not reliably determine secret",
    ],
    "an nginx error log": [b"2019/10/30 23:26:34 [error] 12#12: *1 secret, client: 192.0.2.7"],
    "a PHP error log": [
        b"[26-Mar-2019 13:44:20 Europe/Berlin] PHP Warning:  secret in /srv/a.php on line 3",
        b"Stack trace:",
        b"#0 {main}",
    ],
    "an authentication log (auth.log)": [
        b"Nov  8 00:16:12 main sshd[32547]: Invalid user secret from 192.0.2.7",
        b"Nov  8 00:16:12 main CRON[1]: pam_unix(cron:session): session opened for user secret",
    ],
    "syslog": [
        b"Jul  8 11:07:07 host kernel: secret",
        b"<134>1 2019-10-30T23:26:34Z host nginx - - - secret",
    ],
    "a stub_status page of nginx": [b"Active connections: 291 ", b"server accepts handled requests"],
    "a server-status page of Apache": [b"192.0.2.7", b"ServerVersion: Apache/2.4", b"Total Accesses: 3"],
    "a status page of PHP-FPM": [b"pool:                 www", b"process manager:      dynamic"],
    "the statistics of HAProxy": [b"# pxname,svname,qcur,qmax,scur,smax", b"secret,FRONTEND,,,0,1"],
    "a status document of nginx": [b'{"version":8,"nginx_version":"1.21.6","address":"192.0.2.7"}'],
    "one JSON document, such as a status page or a report": [
        b"{",
        b' "general": {"secret": 1},',
        b' "a": 2',
        b"}",
    ],
    "one JSON array": [b'[{"ip": "192.0.2.7"},', b' {"ip": "192.0.2.8"}]'],
    "JSON lines of another kind": [b'{"sensor": "secret", "value": 3}', b'{"sensor": "secret", "value": 4}'],
    "a log of an application (JSON lines)": [
        b'{"level":"info","msg":"secret"}',
        b'{"level":"warn","msg":"secret"}',
    ],
    "a journal of systemd (JSON)": [
        b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":"secret"}',
        b'{"__REALTIME_TIMESTAMP":"2","MESSAGE":"secret"}',
    ],
    "a log of a container runtime (JSON)": [
        b'{"log":"secret\\n","stream":"stdout","time":"2025-12-31T17:37:40Z"}',
        b'{"log":"secret\\n","stream":"stdout","time":"2025-12-31T17:37:41Z"}',
    ],
    "a log of a container runtime": [b"2025-12-31T17:37:40.493035218+01:00 stdout F secret"],
    "a log of an application": [
        b'[2022-02-11 13:41:28] events.INFO:  {"ip":"192.0.2.7"} []',
        b'[2022-02-11 13:41:29] events.INFO:  {"ip":"192.0.2.7"} []',
    ],
    "a stack trace": [b"Traceback (most recent call last):", b'  File "secret.py", line 3, in f'],
    "an HTML page": [b"", b"<!DOCTYPE html>", b"<title>secret</title>"],
    "an XML document": [b'<?xml version="1.0"?>', b"<secret/>"],
    "a binary file": [bytes(range(32)) * 9],
    "a text in UTF-16": ["192.0.2.7 secret".encode("utf-16")],
    "a journal of systemd": [b"LPKSHHRH\0\0"],
    "a capture of network packets": [b"\xd4\xc3\xb2\xa1\x02\0\x04\0"],
    "a table separated by commas": [b"name,city,age", b"secret,Berlin,3", b"secret,Bonn,4"],
    "a PostgreSQL log": [b"2026-01-01 10:00:00.123 UTC [77] LOG:  statement: select secret"],
    "a log in Microsoft's own IIS format": [
        b"192.0.2.7, -, 03/20/01, 7:55:20, W3SVC2, SERVER, 172.21.13.45, 4502, 163, 3223, 200, 0, GET, /secret, -,"
    ],
    "a W3C extended log without all that a request needs": [
        b"#Fields: date c-ip cs-uri-stem",
        b"2003-11-18 192.0.2.7 /secret",
    ],
    "a W3C extended log (IIS, CloudFront)": [
        b"#Fields: date time c-ip cs-uri-stem sc-status",
        b"2003-11-18 192.0.2.7 /secret",
    ],
    "a W3C extended log (IIS) without its #Fields header": [
        b"2018-12-31 12:02:53 10.44.0.136 GET /secret - 443 - 192.0.2.7 Mozilla/4.0 - 401 0 0 0"
    ],
}


@pytest.mark.parametrize(("what", "lines"), SEEN.items(), ids=list(SEEN))
def test_what_a_file_looks_like_is_named(what, lines):
    """The first lines tell what a file is; the sentence quotes none of them and says what to do."""
    look = look_of(lines)

    assert what == look.what
    assert len(look.remedy) > 20
    assert not any(value in "".join(look) for value in ("secret", "192.0.2.7", "Berlin"))


@pytest.mark.parametrize(
    "lines", [[b"three words here", b"and more"], [], [b""], [b"# only", b"# comments"]], ids=repr
)
def test_what_looks_like_nothing_is_not_guessed(lines):
    """Prose, and nothing at all, have no look."""
    assert look_of(lines) is None


def test_messages_of_several_lines_hide_no_look():
    """A quarter of the lines is enough: the others belong to the messages before them."""
    trace = [b"  thrown in secret", b"", b"Stack", b"#1 {main}"]

    assert look_of([SEEN["a PHP error log"][0], *trace]).what == "a PHP error log"


@pytest.mark.parametrize(
    ("software", "what"),
    [
        (b"Microsoft Internet Connection Firewall", "a log of the Windows firewall"),
        (b"Microsoft HTTP API 2.0", "the HTTPERR error log of Windows"),
    ],
)
def test_some_headers_say_that_no_line_is_a_request(software, what):
    """The columns would do, but the header names another program."""
    lines = [b"#Software: " + software, b"#Fields: date time c-ip cs-method cs-uri sc-status"]

    assert what == never_access(lines).what
    assert None is never_access([b"#Software: Microsoft Internet Information Services 10.0"])


def test_missing_columns_are_named():
    """What a W3C log lacks is said by the names an administrator ticks."""
    look = look_of(SEEN["a W3C extended log without all that a request needs"])

    assert look.remedy.endswith(": time, sc-status")


@pytest.mark.parametrize(
    "prefix",
    [
        b"Jul  8 11:07:07 ip-10-0-0-1 nginx[2869]: ",
        b"<190>Jul  8 11:07:07 host nginx: ",
        b"2021-07-08T11:07:07+02:00 host nginx[1]: ",
        b"<134>1 2019-10-30T23:26:34Z host nginx 12 - - ",
        b"2025-12-31T17:37:40.493035218+01:00 stdout F ",
    ],
)
def test_what_stands_before_each_line_is_taken_off(prefix):
    """Syslog and container runtimes put a prefix before the server's own line."""
    assert [COMBINED, COMBINED] == inner_lines([prefix + COMBINED, prefix + COMBINED, b"junk"])
    assert [] == inner_lines([prefix + COMBINED, b"junk", b"junk"])


def test_deep_nesting_is_no_crash():
    """JSON of a hundred thousand brackets is refused like any other."""
    assert isinstance(look_of([b"[" * 100_000, b'{"a":' * 100_000, json.dumps({}).encode()]), Look | None)
