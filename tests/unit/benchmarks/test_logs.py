import json
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from benchmarks.layouts import LAYOUTS
from benchmarks.logs import Written, generate
from benchmarks.odd_lines import ODD_KINDS
from benchmarks.site import SECTIONS

_LINES = 3_000
_LINE = (
    b'192.0.2.7 - - [01/Jun/2026:10:00:00 +0000] "GET /docs/topic-0 HTTP/1.1" 200 1 "-" "Mozilla/5.0 (X11)"'
)


def _made(directory: Path, **options) -> tuple[Path, Written]:
    path = directory / "made.log"
    return path, generate(path, _LINES, 2, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes each log once."""
    return cache(lambda layout="combined": _made(tmp_path_factory.mktemp(layout), layout=layout))


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_log_has_exactly_the_lines_and_bytes_it_says(made, layout):
    """A log holds the lines asked for, its header besides, and is as long as is said."""
    path, written = made(layout)
    content = path.read_bytes()
    header = 4 if layout == "w3c" else 0

    assert (_LINES + header, _LINES + header, len(content)) == (
        written.lines,
        content.count(b"\n"),
        written.bytes,
    )


def test_the_same_seed_writes_the_same_log(tmp_path):
    """A seed decides every byte."""
    first = _made(tmp_path, seed=7)[0].read_bytes()
    again = _made(tmp_path, seed=7)[0].read_bytes()
    other = _made(tmp_path, seed=8)[0].read_bytes()

    assert (True, False) == (again == first, other == first)


def test_lines_are_in_order_of_time(made):
    """Every proper line is as late as the one before it."""
    path, _ = made()
    proper = [line for line in path.read_bytes().split(b"\n") if line.count(b'"') == 6 and b"+0000]" in line]
    stamps = [line[line.index(b"[") + 1 : line.index(b" +0000]")].decode() for line in proper]
    times = [
        datetime.strptime(s, "%d/%b/%Y:%H:%M:%S") for s in stamps if "31/Feb" not in s and ":27:" not in s
    ]

    assert (True, True) == (len(times) > _LINES * 0.95, times == sorted(times))


def test_one_line_in_a_hundred_is_odd(made):
    """Odd lines are counted by kind and make up about one per cent."""
    _, written = made()

    assert 10 <= sum(written.odd.values()) <= 60


def test_json_lines_are_json(made):
    """All but the odd lines of the JSON layout are objects with the same eight keys."""
    path, written = made("json")
    keys = []
    for line in path.read_bytes().split(b"\n"):
        try:
            keys.append(len(json.loads(line)))
        except ValueError:
            continue

    assert (True, {8}) == (len(keys) >= _LINES - sum(written.odd.values()), set(keys))


def test_w3c_lines_have_the_fields_of_their_header(made):
    """All but the odd lines of the W3C layout have as many values as its header names."""
    path, written = made("w3c")
    header, *lines = path.read_bytes().split(b"\n")[3:-1]
    misfits = sum(line.count(b" ") != header.count(b" ") - 1 for line in lines)

    assert misfits <= sum(written.odd.values())


def test_a_hard_log_hardly_repeats_its_paths(tmp_path):
    """A third of a hard log's paths occur once."""
    path, _ = _made(tmp_path, hard=True)
    unique = path.read_bytes().count(b"/item-")

    assert 0.3 * _LINES <= unique <= 0.4 * _LINES


@pytest.mark.parametrize("kind", sorted(ODD_KINDS))
def test_an_odd_line_is_one_line_and_odd(kind):
    """Every kind changes a proper line, and none adds a line feed."""
    odd = ODD_KINDS[kind](_LINE)

    assert (True, 0) == (odd != _LINE, odd.count(b"\n"))


def test_there_are_fifty_sections():
    """The table measured has fifty components, each of another name."""
    assert 50 == len(set(SECTIONS))
