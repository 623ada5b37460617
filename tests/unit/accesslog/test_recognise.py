import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.formats import NAMED_FORMATS
from usage_stats.accesslog.read import Log
from usage_stats.accesslog.recognise import recognise
from usage_stats.errors import InputError

COMBINED = b'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /secret HTTP/1.1" 200 7 "-" "Firefox"'

COMMON = b'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /secret HTTP/1.1" 200 7'
VHOST = b"www.example.org:443 " + COMBINED

SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


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
        ([], "is empty; check that"),
        ([b"", b"# Fields", b"\r"], "only comments and blank lines; check that"),
        ([COMBINED, b"secret", b"secret"], "1 of 3 lines fit the nearest format (combined); paste"),
        ([b"secret"], "none of 1 lines fits one; paste the server's LogFormat"),
        ([b"[Sat Feb  2 22:03:08 2019] [error] secret"], "it looks like an Apache error log; none of"),
        (
            [b"Jul  8 11:07:07 host sshd[1]: secret"],
            "it looks like an authentication log (auth.log); none of",
        ),
        (
            [b"Jul  8 11:07:07 ip-10-0-0-1 nginx[2869]: " + COMBINED],
            "syslog with an access log of the format combined inside; none of 1 lines fits one; take off",
        ),
        ([bytes(range(256)).replace(b"\n", b"")], "it looks like a binary file"),
        (
            [
                b"#Software: Microsoft HTTP API 2.0",
                b"#Fields: date time c-ip",
                b"2019-10-30 23:26:34 192.0.2.7",
            ],
            "it looks like the HTTPERR error log of Windows; name",
        ),
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
    assert not any(value in message for value in ("secret", "192.0.2.7"))


def test_of_a_mixed_log_the_format_of_most_lines_is_taken(tmp_path):
    """Lines of a second server are counted under their own format, junk under none."""
    log = _written(tmp_path, COMMON, COMBINED, COMBINED, b"junk", COMMON, COMBINED)
    found = recognise(log)

    assert ("combined", 3, 6) == (found.format.name, found.matched, found.sampled)
    assert {"common": 2} == found.others
    assert ("common", 2) == found.next_best
    assert "unsure" == found.sureness


def test_a_format_that_begins_late_is_noticed(tmp_path):
    """What no early line fits is still tried on the lines that fit nothing else."""
    found = recognise(_written(tmp_path, *[COMBINED] * 500, *[COMMON] * 30))

    assert ("combined", 500, {"common": 30}) == (found.format.name, found.matched, found.others)


def test_a_mixed_log_may_have_no_majority(tmp_path):
    """Where most lines fit some format, the format with the most of them is taken."""
    found = recognise(_written(tmp_path, COMMON, COMMON, COMBINED, VHOST, b"junk"))

    assert ("common", 2, {"combined": 1, "vhost_combined": 1}) == (
        found.format.name,
        found.matched,
        found.others,
    )


@pytest.mark.parametrize(
    ("lines", "sureness"),
    [
        ([COMBINED] * 10, "sure"),
        ([COMBINED] * 3, "likely"),
        ([COMBINED] * 90 + [b"junk"] * 10, "sure"),
        ([COMBINED] * 80 + [b"junk"] * 20, "likely"),
        ([COMBINED] * 80 + [COMMON] * 20, "likely"),
        ([COMBINED] * 90 + [COMMON] * 10, "likely"),
        ([COMBINED] * 50 + [b"junk"] * 50, "unsure"),
        ([COMBINED] * 50 + [COMMON] * 50, "unsure"),
    ],
)
def test_how_sure_it_is_follows_from_the_counts(lines, sureness, tmp_path):
    """Sure is nine lines in ten of ten or more without a rival; unsure is less than three in four."""
    assert sureness == recognise(_written(tmp_path, *lines)).sureness


def test_the_same_reading_is_no_rival(tmp_path):
    """A format that reads every line alike makes the choice no less sure."""
    chain = COMBINED + b' "198.51.100.23, 10.0.0.1"'
    found = recognise(_written(tmp_path, *[chain] * 20))

    assert ("nginx", "sure") == (found.format.name, found.sureness)
    assert 0 == found.next_best[1]


def test_a_json_log_of_no_named_format_is_read_by_its_keys(tmp_path):
    """Well-known keys make a format, and the setting that says so."""
    record = {
        "event_time": "2026-04-01T10:00:00+02:00",
        "client_addr": "192.0.2.7",
        "http_verb": "GET",
        "url": "/a",
        "resp_status": 200,
    }
    found = recognise(_written(tmp_path, *[json.dumps(record).encode()] * 20))
    fields = {
        "time": "event_time",
        "address": "client_addr",
        "method": "http_verb",
        "path": "url",
        "status": "resp_status",
    }

    assert (20, 20, True, "likely") == (found.matched, found.sampled, found.is_inferred, found.sureness)
    assert {"json": fields} == found.setting


def test_a_table_with_a_header_is_read_by_its_columns(tmp_path):
    """Well-known column names make a format; the header is no hit."""
    row = b"2026-04-01T10:00:00Z\t192.0.2.7\tFRA\tGET\t/a\t200"
    log = _written(tmp_path, b"timestamp\tclient_ip\tpop\tmethod\turl\tstatus", row, row)
    found = recognise(log)

    assert (2, 3, True) == (found.matched, found.sampled, found.is_inferred)
    assert ["time", "address", "ignored", "method", "path", "status"] == found.setting["columns"]


def test_standard_input_is_looked_at_without_being_used_up():
    """The lines that told the format are still there to be counted."""
    log = Log(None, stream=io.BytesIO(b"\n".join([COMBINED] * 30)))

    assert "combined" == recognise(log).format.name
    assert [COMBINED] * 30 == list(log.lines())


def test_comments_before_the_first_line_are_passed_over(tmp_path):
    """However long the comment, the format is found behind it."""
    assert "combined" == recognise(_written(tmp_path, *[b"# comment"] * 5000, COMBINED)).format.name


def test_what_breaks_off_before_its_first_line_is_said_to(tmp_path):
    """Nothing can be recognised, and the break is the reason."""
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(COMBINED + b"\n")[:14])
    with pytest.raises(InputError, match=r"access.log.gz: (?!is empty)"):
        recognise(path)


@SHARED_FOLDER
@given(
    lines=st.lists(
        st.binary(max_size=60).map(bytes.upper)  # messages of ours are in small letters
        | st.sampled_from([COMBINED, COMMON, b'{"status": 200}', b"#Fields: date time c-ip", b"a,b,c,d"]),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_the_bytes_there_is_a_format_or_a_refusal(lines, tmp_path):
    """Nothing else comes out, and a refusal holds no six bytes of the log in a row."""
    path = _written(tmp_path, *lines)
    try:
        found = recognise(path)
    except InputError as refusal:
        message = str(refusal).removeprefix(f"{path}: ").encode()
        parts = {line[n : n + 6] for line in lines if line == line.upper() for n in range(len(line) - 5)}

        assert [] == [part for part in parts if part in message]
    else:
        assert 0 < found.matched <= found.sampled <= sum(line.count(b"\n") + 1 for line in lines)
