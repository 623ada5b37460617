import gzip

import pytest

from usage_stats.accesslog.formats import NAMED_FORMATS
from usage_stats.accesslog.recognise import recognise
from usage_stats.errors import InputError

COMBINED = b'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /secret HTTP/1.1" 200 7 "-" "Firefox"'


def _written(folder, *lines):
    path = folder / "access.log"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.mark.parametrize("log_format", NAMED_FORMATS, ids=lambda log_format: log_format.name)
def test_each_format_is_recognised_by_its_example(log_format, tmp_path):
    """Every named format is told apart from all others by a single line."""
    found = recognise(_written(tmp_path, log_format.example))

    assert (log_format, 1, 1, 1.0) == (found.format, found.matched, found.sampled, found.share)


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (b'"-"', "nginx"),
        (b'"198.51.100.23, 10.0.0.1"', "nginx"),
        (b'"2001:db8::9"', "nginx"),
        (b'"unknown"', "nginx"),
        (b'"<script>, 198.51.100.23"', "nginx"),
        (b'"f3b0c442"', "combined_cookie"),
        (b'"GA1.2.1131.1431"', "combined_cookie"),
        (b'"0b1f0f1e-7d0c-4d2c-9a51-ab0f6d0a5c1d"', "combined_cookie"),
    ],
)
def test_a_cookie_is_told_from_a_chain_of_proxies(extra, name, tmp_path):
    """One more quoted field is a forwarded chain if addresses stand in it, else a cookie."""
    found = recognise(_written(tmp_path, COMBINED + b" " + extra))

    assert name == found.format.name


@pytest.mark.parametrize("user", [b"-", b"ada", b"John Begood"])
@pytest.mark.parametrize("port", [b"", b":443"])
def test_virtual_hosts_are_not_taken_for_clients(user, port, tmp_path):
    """With or without port and user, the first field of a line with one more is the virtual host."""
    line = b"www.example.org" + port + b" " + COMBINED.replace(b"- -", b"- " + user)
    found = recognise(_written(tmp_path, line))

    assert found.format.name == "vhost_combined"


def test_junk_comments_and_blanks_do_not_hide_a_format(tmp_path):
    """Comments and blanks are not counted; junk is, up to a half."""
    found = recognise(_written(tmp_path, b"# by hand", b"", COMBINED, b"junk", b" \r", COMBINED, b"junk"))

    assert (found.format.name, found.matched, found.sampled, found.share) == ("combined", 2, 4, 0.5)


def test_only_the_first_lines_are_looked_at(tmp_path):
    """The look at a log is bounded, however long the log."""
    found = recognise(_written(tmp_path, *[COMBINED] * 2001))

    assert (found.matched, found.sampled) == (2000, 2000)


def test_compressed_logs_are_recognised_by_content(tmp_path):
    """A name says nothing: a compressed log without its suffix is read."""
    path = tmp_path / "access.log"
    path.write_bytes(gzip.compress(COMBINED + b"\n"))

    assert recognise(path).format.name == "combined"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "is empty"),
        ([b"", b"# Fields", b"\r"], "only comments and blank lines"),
        ([COMBINED, b"secret", b"secret"], "1 of 3 lines fit the nearest format (combined)"),
        (
            [b"[Fri Feb 01 22:03:08.318615 2019] [authz:debug] [client 192.0.2.7:1] secret"],
            "an Apache error log",
        ),
        ([b"[Sat Feb  2 22:03:08 2019] [error] secret"], "an Apache error log"),
        ([b"2019/10/30 23:26:34 [error] 12#12: *1 secret, client: 192.0.2.7"], "an nginx error log"),
        ([b"Jul  8 11:07:07 ip-10-0-0-1 nginx[2869]: " + COMBINED], "syslog"),
        ([b"<134>1 2019-10-30T23:26:34Z host nginx - - - secret"], "syslog"),
        ([b'{"remote_ip":"192.0.2.7","uri":"/secret"}'], "JSON lines"),
        (
            [b"#Fields: date time c-ip cs-uri-stem", b"2019-10-30 23:26:34 192.0.2.7 /secret"],
            "a W3C extended log",
        ),
        ([bytes(range(256)).replace(b"\n", b"")], "no access log"),
    ],
)
def test_what_is_no_access_log_is_refused(lines, says, tmp_path):
    """The refusal says what it may be and the remedy, and quotes nothing from the log."""
    path = _written(tmp_path, *lines)
    with pytest.raises(InputError) as refusal:
        recognise(path)
    message = str(refusal.value)

    assert says in message
    assert message.startswith(f"{path}: ")
    assert "format:" in message or "check that" in message
    assert not any(value in message for value in ("secret", "192.0.2.7"))
