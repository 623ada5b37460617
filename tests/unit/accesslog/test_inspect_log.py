import bz2
import gzip
import io
import lzma
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.formats import named_format
from usage_stats.accesslog.inspect import MAX_REJECTS, Inspection, inspect_log
from usage_stats.accesslog.read import Log
from usage_stats.errors import InputError, InternalError

LOG = b"""# written by hand
192.0.2.7 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Firefox" "v1"
192.0.2.7 - ada [17/May/2015:09:00:00 +0200] "GET / HTTP/1.1" 200 7 "-" "Firefox" "v1"

192.0.2.8 - - [17/May/2015:23:59:59 +0000] "\\x16\\x03" 400 0 "-" "-" "-"
junk
192.0.2.8 - - [31/Feb/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Robot/1.0" "-"
2001:db8::7 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Robot/1.0" "-"
192.0.2.8 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Fire"""
LINE = b'192.0.2.7 - - [17/May/2015:10:05:03 +0200] "GET /secret HTTP/1.1" 200 7 "-" "Firefox"'
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _robot_class(agent):
    return "crawler" if agent is not None and b"Robot" in agent else None


def _inspect(folder, data, **options):
    path = folder / "access.log"
    path.write_bytes(data)
    options = {
        "log_format": named_format("combined_cookie"),
        "robot_class": _robot_class,
        "cookie": "visitor",
    } | options
    return inspect_log(path, **options)


def test_counts_of_a_log_drawn_by_hand(tmp_path):
    """Every line is counted once, under what it is, in the order that the command promises."""
    counts = _inspect(tmp_path, LOG).to_json()
    expected = {
        "file": str(tmp_path / "access.log"),
        "format": "combined_cookie",
        "lines": 9,
        "parsed": 4,
        "rejected": 5,
        "reasons": {"agent": 1, "blank": 1, "directive": 1, "time": 1, "user": 1},
        "first_at": "2015-05-17T07:00:00Z",
        "last_at": "2015-05-17T23:59:59Z",
        "robots": 1,
        "clients": 3,
        "identity_basis": {"account": 1, "cookie": 1, "address": 2},
        "robot_classes": {"crawler": 1},
        "other_formats": {},
        "broken": None,
        "recognition": None,
        "suggestion": None,
    }
    expected["reasons"]["ident"] = expected["reasons"].pop("user")  # `junk` has an address and no ident

    assert expected == counts
    assert list(expected) == list(counts)
    assert sorted(counts["reasons"]) == list(counts["reasons"])


def test_without_a_format_the_log_is_recognised(tmp_path):
    """The format that fits is taken; the counts are the same as when it is named."""
    named, found = _inspect(tmp_path, LOG), _inspect(tmp_path, LOG, log_format=None)
    choice = found.recognition

    assert named == replace(found, recognition=None, suggestion=None)
    assert ("combined_cookie", 7, 4) == (choice.format.name, choice.sampled, choice.matched)


def test_account_and_cookie_can_be_left_out(tmp_path):
    """What is not configured to identify does not."""
    basis = _inspect(tmp_path, LOG, cookie=None, account=None).identity_basis

    assert basis == {"account": 0, "cookie": 0, "address": 4}


@SHARED_FOLDER
@given(
    log=st.lists(st.sampled_from(LOG.split(b"\n")) | st.binary(max_size=40), min_size=1).map(b"\n".join),
    cut=st.floats(0.01, 1),
)
def test_lines_are_parsed_or_rejected_wherever_the_log_is_cut(log, cut, tmp_path):
    """Lines = parsed + rejected for any bytes, cut anywhere, plain or compressed alike."""
    text = b"#" + log[: int(len(log) * cut)]
    half = len(text) // 2
    plain, *packed = (
        _inspect(tmp_path, data)
        for data in (
            text,
            gzip.compress(text),
            gzip.compress(text[:half]) + gzip.compress(text[half:]),
            zstandard.ZstdCompressor().compress(text),
        )
    )

    assert (
        plain.parsed + sum(plain.reasons.values()) == plain.lines == text.count(b"\n") + (text[-1:] != b"\n")
    )
    assert [plain, plain, plain] == packed


def test_a_log_without_any_hit_has_no_span(tmp_path):
    """Where nothing was parsed there is no first and no last time."""
    counts = _inspect(tmp_path, b"junk\n\n").to_json()

    assert tuple(counts[k] for k in ("lines", "parsed", "first_at", "last_at", "clients")) == (
        2,
        0,
        None,
        None,
        0,
    )


def test_each_agent_is_asked_about_once(tmp_path):
    """The robot list is slow: it is asked once per agent, and the answer counts for each line."""
    asked = []

    def robot_class(agent):
        asked.append(agent)
        return "all"

    counts = _inspect(tmp_path, LOG, robot_class=robot_class)

    assert (counts.robots, sorted(asked)) == (4, [b"-", b"Firefox", b"Robot/1.0"])


def test_progress_is_told_once_per_byte(tmp_path):
    """The whole file is read once: what `on_bytes` was told is its size."""
    told = []
    _inspect(tmp_path, LOG, on_bytes=told.append)

    assert len(LOG) == sum(told)


@pytest.mark.parametrize("log_format", [None, named_format("combined")])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(LOG)[:5], "gzip member after 0 complete"),
    ],
    ids=["no bytes", "no lines, packed", "cut in the header"],
)
def test_logs_without_a_line_are_refused(log_format, data, says, tmp_path):
    """Nothing to count is an error, never a zero."""
    with pytest.raises(InputError, match=says):
        _inspect(tmp_path, data, log_format=log_format)


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress]
)
def test_what_was_read_before_a_break_counts(pack, tmp_path):
    """Complete lines are counted, the line that the break cuts is rejected as such, and the break is told."""
    text = b"".join(
        LINE.replace(b"192.0.2.7", b"192.0.%d.%d" % divmod(n % 60_000, 250)) + b"\n" for n in range(25_000)
    )
    packed = pack(text)
    counts = _inspect(tmp_path, packed[: len(packed) * 2 // 3], log_format=None)
    cut = counts.reasons.get("cut_off", 0)

    assert str(tmp_path / "access.log") in counts.broken
    assert set(counts.reasons) <= {"cut_off"}
    assert cut in {0, 1}
    assert counts.lines == counts.parsed + cut
    assert 0 < counts.parsed < text.count(b"\n")
    assert ([(counts.lines, "cut_off")] if cut else []) == list(counts.rejects)


def test_the_line_that_a_break_cuts_is_the_last(tmp_path):
    """As many lines as the plain library gets out of the same bytes, and the unfinished one rejected."""
    text = b"".join(LINE.replace(b"secret", b"%d" % n) + b"\n" for n in range(9000))
    packed = gzip.compress(text)[:9000]
    before = zlib.decompressobj(wbits=31).decompress(packed)
    counts = _inspect(tmp_path, packed, log_format=None)

    assert not before.endswith(b"\n")
    assert (before.count(b"\n") + 1, before.count(b"\n"), {"cut_off": 1}) == (
        counts.lines,
        counts.parsed,
        counts.reasons,
    )


def test_a_break_between_two_lines_cuts_none(tmp_path):
    """Where the data before the break end with a newline, every line is complete."""
    data = gzip.compress(LINE + b"\n") + gzip.compress(LINE + b"\n")[:10]
    counts = _inspect(tmp_path, data, log_format=named_format("combined"))

    assert (1, 1, {}) == (counts.lines, counts.parsed, counts.reasons)
    assert counts.broken is not None


def test_a_whole_log_is_not_broken(tmp_path):
    """A last line without its newline is a line like any other."""
    counts = _inspect(tmp_path, gzip.compress(LINE + b"\n" + LINE), log_format=None)

    assert (None, 2, {}) == (counts.broken, counts.parsed, counts.reasons)


def test_rejected_lines_are_told_by_number_and_reason(tmp_path):
    """Numbers from 1, as editors count; in the order of the file; nothing of the lines."""
    counts = _inspect(tmp_path, LOG)
    expected = [[1, "directive"], [4, "blank"], [6, "ident"], [7, "time"], [9, "agent"]]

    assert expected == counts.to_json(rejects=True)["rejects"]
    assert "rejects" not in counts.to_json()


def test_the_list_of_rejects_is_bounded(tmp_path):
    """Ten thousand at most, and still the first twenty of a reason that comes up late."""
    counts = _inspect(tmp_path, b"junk\n" * 10_500 + b"\n" * 30)
    late = [number for number, reason in counts.rejects if reason == "blank"]

    assert MAX_REJECTS == len(counts.to_json(rejects=True)["rejects"])
    assert list(range(10_501, 10_521)) == late
    assert 10_530 == counts.rejected


def test_rejects_of_another_format_are_named(tmp_path):
    """The log of two servers says so, beyond the lines that recognition looked at."""
    common = LINE.partition(b' "-"')[0] + b"\n"
    counts = _inspect(tmp_path, (LINE + b"\n") * 2500 + common * 30 + b"junk\n", log_format=None)

    assert ("combined", {"common": 30}) == (counts.format, counts.other_formats)
    assert {} == counts.recognition.others
    assert 31 == counts.rejected


def test_standard_input_is_counted_like_a_file(tmp_path):
    """The same counts, under its own name."""
    piped = inspect_log(Log(None, stream=io.BytesIO(LOG)), log_format=None, robot_class=_robot_class)
    found = _inspect(tmp_path, LOG, log_format=None, cookie=None)

    assert "standard input" == piped.file
    assert replace(found, file=piped.file, suggestion=None) == replace(piped, suggestion=None)
    assert ["logs/*"] == piped.suggestion.source["logs"]


def test_robots_are_counted_by_class(tmp_path):
    """The classes add up to the robots."""
    counts = _inspect(
        tmp_path, LOG, robot_class=lambda agent: {b"Firefox": None, b"-": "nameless"}.get(agent, "other")
    )

    assert (2, {"nameless": 1, "other": 1}) == (counts.robots, counts.robot_classes)


def test_lines_that_vanish_are_a_bug():
    """An account of lines that does not add up cannot be made."""
    with pytest.raises(InternalError, match="3 lines, but 1 parsed and 1 rejected"):
        Inspection(
            file="a.log",
            format="common",
            lines=3,
            parsed=1,
            rejected=1,
            reasons={"blank": 1},
            first_at=None,
            last_at=None,
            robots=0,
            clients=0,
            identity_basis={},
        )


def test_refusals_quote_no_line(tmp_path):
    """The message about a log that is none holds the path and counts, no value of it."""
    path = Path(tmp_path) / "error.log"
    path.write_bytes(b"[Fri Feb 01 22:03:08 2019] [error] [client 192.0.2.7] /secret\n")
    with pytest.raises(InputError) as refusal:
        inspect_log(path, log_format=None, robot_class=_robot_class)

    assert "192.0.2.7" not in str(refusal.value)
    assert "secret" not in str(refusal.value)
