import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.formats import named_format
from usage_stats.accesslog.inspect import Inspection, inspect_log
from usage_stats.errors import InputError, InternalError

LOG = b"""# written by hand
192.0.2.7 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Firefox" "v1"
192.0.2.7 - ada [17/May/2015:09:00:00 +0200] "GET / HTTP/1.1" 200 7 "-" "Firefox" "v1"

192.0.2.8 - - [17/May/2015:23:59:59 +0000] "\\x16\\x03" 400 0 "-" "-" "-"
junk
192.0.2.8 - - [31/Feb/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Robot/1.0" "-"
2001:db8::7 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Robot/1.0" "-"
192.0.2.8 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 7 "-" "Fire"""
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _is_robot(agent):
    return agent is not None and b"Robot" in agent


def _inspect(folder, data, **options):
    path = folder / "access.log"
    path.write_bytes(data)
    options = {
        "log_format": named_format("combined_cookie"),
        "is_robot": _is_robot,
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
    }
    expected["reasons"]["ident"] = expected["reasons"].pop("user")  # `junk` has an address and no ident

    assert expected == counts
    assert list(expected) == list(counts)
    assert sorted(counts["reasons"]) == list(counts["reasons"])


def test_without_a_format_the_log_is_recognised(tmp_path):
    """The format that fits is taken; the counts are the same as when it is named."""
    assert _inspect(tmp_path, LOG) == _inspect(tmp_path, LOG, log_format=None)


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

    def is_robot(agent):
        asked.append(agent)
        return True

    counts = _inspect(tmp_path, LOG, is_robot=is_robot)

    assert (counts.robots, sorted(asked)) == (4, [b"-", b"Firefox", b"Robot/1.0"])


def test_progress_is_told_once_per_byte(tmp_path):
    """The whole file is read once: what `on_bytes` was told is its size."""
    told = []
    _inspect(tmp_path, LOG, on_bytes=told.append)

    assert len(LOG) == sum(told)


@pytest.mark.parametrize("log_format", [None, named_format("combined")])
@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "is empty"), (gzip.compress(b""), "is empty"), (gzip.compress(LOG)[:-9], "gzip member after")],
)
def test_empty_and_cut_logs_are_refused(log_format, data, says, tmp_path):
    """A log that is empty or cut off is an error, never a small number."""
    with pytest.raises(InputError, match=says):
        _inspect(tmp_path, data, log_format=log_format)


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
        inspect_log(path, log_format=None, is_robot=_is_robot)

    assert "192.0.2.7" not in str(refusal.value)
    assert "secret" not in str(refusal.value)
