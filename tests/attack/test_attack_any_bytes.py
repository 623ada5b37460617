"""Any bytes at all, however they are cut, packed and read: every line is accounted for, and figures are the same."""

import bz2
import gzip
import hashlib
import itertools
from collections import Counter
from functools import cache
from unittest import mock
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from usage_stats.accesslog import lines as lines_module
from usage_stats.accesslog.batch import BatchParser
from usage_stats.accesslog.columns import SLOTS
from usage_stats.accesslog.fast import compiled_path
from usage_stats.accesslog.formats import NAMED_FORMATS
from usage_stats.accesslog.lines import lines_of
from usage_stats.accesslog.read import read_blocks
from usage_stats.accesslog.vocabulary import CompiledVocabulary, PlainVocabulary
from usage_stats.accesslog.w3c import W3cFormat
from usage_stats.config import Component
from usage_stats.deidentify.exclusion_lists import NOBODY
from usage_stats.deidentify.generalise import PathClassifier
from usage_stats.deidentify.outcome import Judge
from usage_stats.deidentify.robots import Robots
from usage_stats.deidentify.strip import Stripper
from usage_stats.deidentify.visitors import Visitors
from usage_stats.errors import InputError

SEED = 0x5EED
HOW = {"account": "user", "cookie": None}
FORMATS = pytest.mark.parametrize("log_format", NAMED_FORMATS, ids=lambda log_format: log_format.name)
# Each example reads some dozen lines in three ways; the machine may be busy.
QUICK = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
ADDRESSES = (b"192.0.2.7", b"198.51.100.9", b"2001:db8::1", b"host.example")
# Of an event's columns, who it is about; the others are counts, which add up over runs.
WHO = ("person", "network", "month_person", "month_network", "identity_basis")
DIRECTIVES = (
    b"#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)",
    b"#Fields: time c-ip cs-method cs-uri-stem sc-status",
    *(
        b"#Fields:",
        b"#Date: 2015-05-17 00:00:00",
        b"#",
        b"#Software: x",
        b"#Fields: date time c-ip c-ip sc-status",
    ),
    b"2015-05-17 08:05:03 192.0.2.7 GET /docs 200 Mozilla/5.0+(X11;+Linux)",
    b"08:05:03 192.0.2.7 GET /docs 200",
)


@st.composite
def _spoilt(draw, line):
    """The line of some client, perhaps with bytes put in, left out, turned, or cut off."""
    line = line.replace(ADDRESSES[0], draw(st.sampled_from(ADDRESSES)))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(line)))
        put = draw(st.sampled_from([b"", b'"', b"\\", b"\r", b"\0", b" ", b"\t", b"#", b"\xff", b"-"]))
        line = line[:at] + put + line[at + draw(st.sampled_from([0, 0, 1, 1, 9, 999])) :]
    return line


def _contents(log_format):
    """Whole logs: lines of the format, spoilt ones, and anything."""
    line = (
        _spoilt(log_format.example)
        | _spoilt(log_format.example)
        | st.sampled_from(DIRECTIVES)
        | st.binary(max_size=30)
    )
    ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"])
    return st.tuples(
        st.lists(st.tuples(line, ends).map(b"".join), max_size=40).map(b"".join),
        st.sampled_from([b"", b"x", b"\r"]),
    ).map(b"".join)


def _blocks(content, sizes):
    """The content in blocks of these sizes, over and over."""
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(content):
            return
        yield content[at : at + size]
        at += size


OTHERS = frozenset({"forwarded", "gpc", "dnt", "query", "referrer"})  # the exact parser always tells them


def _parsed(blocks, log_format, *, is_compiled):
    """(columns or reasons) of a log, batch by batch, as ingest reads them."""
    exact = log_format.parser(**HOW)
    fast = compiled_path(log_format, exact, **HOW, others=OTHERS, seed=SEED) if is_compiled else None
    parser = BatchParser(exact, SEED, fast)
    for batch in lines_of(blocks):
        for part in parser.parts(batch):
            parsed = parser.read(part)
            yield len(part), parsed.hits, parsed.reasons
    yield 0, parser.rest(), Counter()


def _rows(columns):
    cells = [columns.at.tolist(), columns.status.tolist(), columns.is_get.tolist()]
    for slot in range(len(SLOTS)):
        present = np.flatnonzero(columns.hashes[slot])
        values = dict(zip(present.tolist(), columns.values(slot, present), strict=True))
        cells.append([values.get(row) for row in range(len(columns))])
    return list(zip(*cells, strict=True))


def _account(logs, log_format, *, is_compiled):
    """Lines, hits by what they say, other lines by reason."""
    lines, hits, reasons = 0, Counter(), Counter()
    for blocks in logs:
        for count, found, others in _parsed(blocks, log_format, is_compiled=is_compiled):
            lines += count
            reasons += others
            for columns in found:
                hits.update(_rows(columns))
    return lines, hits, reasons


@cache
def _robots():
    return Robots()  # takes a while to make; it is asked only


def _key(kind, window):
    return hashlib.sha256(f"{kind}/{window}".encode()).digest()


def _figures(logs, log_format, *, is_compiled, make, drain_every):
    """What would be kept: outcomes, lines by day, page views, and what each visitor did on a day in all."""
    classify = PathClassifier((Component(name="docs", paths=("/docs/**",)),), ("css", "txt"))
    gate = lambda day: None if day.year == 2015 else "late"  # noqa: E731 reads as what it is
    stripper = Stripper(
        Judge(classify, _robots(), NOBODY, make), Visitors(_key, make), gate, zone=ZoneInfo("Europe/Berlin")
    )
    drained = []
    for blocks in logs:
        for number, (_, found, _) in enumerate(_parsed(blocks, log_format, is_compiled=is_compiled)):
            for columns in found:
                stripper.take(columns)
            if drain_every and number % drain_every == 0:
                drained.append(stripper.drain())
    drained.append(stripper.drain())
    outcomes, by_day, views, visitors = Counter(), Counter(), Counter(), Counter()
    for stripped in drained:
        outcomes += stripped.outcomes
        by_day += stripped.lines_by_day
        for day in stripped.days:
            views.update((day.day, *row.values()) for row in day.page_views.to_pylist())
            for row in day.visitors.to_pylist():
                who = tuple(row[name] for name in WHO)
                for name in row.keys() - set(WHO):
                    visitors[day.day, who, name] += row[name]
    return outcomes, by_day, views, visitors


@FORMATS
@QUICK
@given(
    data=st.data(),
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=3),
    batch=st.sampled_from([1, 100, 1 << 21]),
)
def test_every_line_is_accounted_for_by_either_path(log_format, data, sizes, batch):
    """Lines = hits + reasons; both paths, and any cut into blocks and batches, give the same of each."""
    content = data.draw(_contents(log_format))
    total = content.count(b"\n") + (content[-1:] not in {b"", b"\n"})
    expected = _account([[content]], log_format, is_compiled=False)
    with mock.patch.object(lines_module, "_BATCH_BYTES", batch):
        found = [_account([_blocks(content, sizes)], log_format, is_compiled=c) for c in (False, True)]

    assert total == expected[0] == expected[1].total() + expected[2].total()
    assert [expected, expected] == found


@FORMATS
@QUICK
@given(
    data=st.data(), sizes=st.lists(st.integers(1, 400), min_size=1, max_size=3), drain_every=st.integers(0, 3)
)
def test_figures_do_not_depend_on_how_a_log_is_read(log_format, data, sizes, drain_every):
    """Cut into blocks, batches and runs, by either path and with either vocabulary: the same is kept."""
    content = data.draw(_contents(log_format))
    expected = _figures([[content]], log_format, is_compiled=False, make=PlainVocabulary, drain_every=0)
    with mock.patch.object(lines_module, "_BATCH_BYTES", 300):
        found = [
            _figures([_blocks(content, sizes)], log_format, is_compiled=c, make=make, drain_every=drain_every)
            for c, make in ((True, CompiledVocabulary), (True, PlainVocabulary), (False, CompiledVocabulary))
        ]

    assert [expected] * 3 == found


@FORMATS
@QUICK
@given(
    data=st.data(),
    is_packed=st.lists(st.sampled_from([bytes, gzip.compress, bz2.compress]), min_size=4, max_size=4),
)
def test_figures_do_not_depend_on_files(log_format, data, is_packed, tmp_path):
    """Cut into files between lines, packed or not, in whatever order they are read: the same is counted."""
    content = data.draw(_contents(log_format))
    lines = content.split(b"\n")
    if isinstance(log_format, W3cFormat):  # such a file says itself what its lines mean
        lines = [line for line in lines if not line.startswith(b"#")]
        content = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), min_size=3, max_size=3)))
    paths = []
    for number, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(lines)])):
        part = b"\n".join(lines[start:end]) + (b"\n" if end < len(lines) and end > start else b"")
        paths.append(tmp_path / f"{number}.log")
        paths[-1].write_bytes(is_packed[number](part))
    try:
        logs = [list(read_blocks(path)) for path in reversed(paths)]
    except InputError:
        reject()  # a line that begins as an archive does, at a file's beginning: such a file is refused
    expected = _account([[content]], log_format, is_compiled=False)
    figures = _figures([[content]], log_format, is_compiled=False, make=PlainVocabulary, drain_every=0)

    assert expected == _account(logs, log_format, is_compiled=True)
    assert figures == _figures(logs, log_format, is_compiled=True, make=CompiledVocabulary, drain_every=1)
