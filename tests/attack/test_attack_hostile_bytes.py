"""Lines that a client or a broken disk can bring into a log, through every named format."""

import gzip
import json
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.accesslog.formats import NAMED_FORMATS
from usage_stats.accesslog.hit import MAX_LINE_BYTES, Hit
from usage_stats.accesslog.read import Log
from usage_stats.errors import InputError

CHANCE = random.Random(11)
SECRET = b"c4n4ry-7f3a91"  # in every place where a client's words can stand
LONGEST_SECONDS = 5.0  # for a line of a MiB: what is more than linear in its length takes hours
RUN = 6  # bytes of a line that say something about whose it is

TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + CHANCE.randbytes(32).replace(b"\n", b" ")
REQUESTS = (
    b"",
    b"-",
    b"GET",
    b"GET /%s" % SECRET,  # HTTP/0.9
    b"GET / HTTP/9.99%s" % SECRET,
    b"GET  /two  spaces/%s  HTTP/1.1" % SECRET,
    b'GET /a"quote"/%s HTTP/1.1' % SECRET,
    rb"GET /\x22\x5c\"%s HTTP/1.1" % SECRET,
    b"GET /\xa4\xa4\xa4\xe5/%s HTTP/1.1" % SECRET,  # Big5
    b"GET /\xff\xfe\x80%s HTTP/1.1" % SECRET,
    b"GET /\0\x01\x02\x1b[31m\x7f%s HTTP/1.1" % SECRET,
    b"GET /\r%s HTTP/1.1" % SECRET,
    b"GET /\xe2\x80\xa8\xc2\x85\x0b\x0c\x1c%s HTTP/1.1"
    % SECRET,  # what Python, not a server, takes for lines
    b"GET /${jndi:ldap://%s} HTTP/1.1" % SECRET,
    b"GET /%%n%%s%%00%%0a../../%s HTTP/1.1" % SECRET,
    b"\x00" * 50,
    TLS_HELLO,
    TLS_HELLO.hex(" ").replace(" ", "\\x").encode(),
    b"\x00\x00\x00\x54\xffSMBr\x00\x00\x00\x00\x18\x01\x28" + SECRET,
    b"\x03\x00\x00\x2f\x2a\xe0\x00\x00\x00\x00\x00Cookie: mstshash=" + SECRET,
    b"SSH-2.0-" + SECRET,
    b"GET /" + b"a" * 70_000 + SECRET + b" HTTP/1.1",
    b"GET /" + b'\\"' * 20_000 + SECRET + b" HTTP/1.1",
)
ADDRESSES = (
    b"",
    b"-",
    b"fe80::1%eth0-" + SECRET,
    b"::ffff:192.0.2.1",
    b"[2001:db8::1]:443",
    b"192.0.2.1:65535",
    b"192.0.2.999",
    b"0x7f000001",
    b"host.%s.example" % SECRET,
    b"192.0.2.1, 198.51.100.7, " + SECRET,
    b"unknown",
    b"2001:db8:" * 40,
    b"\xff" * 16,
    b"user name@" + SECRET,
)
TIMES = (
    b"31/Feb/2024:00:00:00 +0000",
    b"10/Oct/2099:13:55:36 -0700",
    b"31/Dec/1969:23:59:59 +0000",
    b"31/Dec/9999:23:59:59 -1200",
    b"01/Jan/0000:00:00:00 +0000",
    b"01/Jan/0001:00:00:00 +1400",
    b"10/Oct/2000:24:60:61 +9999",
    b"9999-12-31T23:59:59.999999999-23:59",
    b"0000-00-00T00:00:00Z",
    b"-1",
    b"1e999",
    b"9" * 400,
    b"NaN",
    SECRET,
)
NUMBERS = (
    b"-",
    b"-1",
    b"-99999999999999999999",
    b"1e309",
    b"9" * 5000,
    b"000",
    b"999",
    b"\xd9\xa3",
    b"2 00",
    b"",
)
RAW = (
    b"",
    b" \t\r",
    b"\r",
    b"#" + SECRET,
    b"#Fields: " + SECRET,
    b"#Fields: date time c-ip " + b"x " * 5000,
    b"#Fields:",
    b"{" * 100_000,
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"time": NaN, "status": 1e999, "%s": -Infinity}' % SECRET,
    b'{"ts": %s, "status": %s}' % (b"9" * 5000, b"9" * 5000),
    rb'{"request": "\ud800 \udfff", "remote_addr": "\u0000"}',
    b'{"time": {}, "time": [], "time": "%s"}' % SECRET,
    b"\xef\xbb\xbf{}",
    b"null",
    b"\xff\xfe" + "line".encode("utf-16-le"),
    b"time:%s\thost:%s" % (SECRET, SECRET),
    b"\t" * 5000,
    b'"' * 5001,
    b"\x1f\x8b\x08" + CHANCE.randbytes(200).replace(b"\n", b""),
    CHANCE.randbytes(3000).replace(b"\n", b""),
    b"x" * 3_000_000,
    b"x" * (MAX_LINE_BYTES + 1),
)
_REQUEST = re.compile(rb"GET [^\"]*? HTTP/1\.1|GET [^\"]*?HTTP/[0-9.]+")
_ADDRESS = re.compile(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_TIME = re.compile(
    rb"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4}|\.\d+)?|\d{4}-\d\d-\d\dT[\d:.]+Z?|\d{10}\.\d+"
)
_NUMBER = re.compile(rb"(?<=[ :\t])\d{3}(?=[ ,\t}])")


def _changed(example):
    """The example with each of its parts in turn as no server should have written it."""
    for pattern, values in ((_REQUEST, REQUESTS), (_ADDRESS, ADDRESSES), (_TIME, TIMES), (_NUMBER, NUMBERS)):
        yield from (pattern.sub(lambda _, value=value: value, example) for value in values)
    middle = len(example) // 2
    yield from (example[:at] for at in range(0, len(example), 7))
    yield from (
        example[:at] + bytes([byte]) + example[at:] for at in (0, middle) for byte in b'\0"\\[]{ \xff'
    )
    yield example + example
    yield example + b" " + SECRET
    yield example.replace(b" ", b"\t")
    yield json.dumps({SECRET.decode(): example.decode("latin-1")}).encode()


def _corpus():
    examples = [line for each in NAMED_FORMATS for line in each.example.split(b"\n")]
    lines = [*RAW, *(line for example in examples for line in _changed(example))]
    return list(dict.fromkeys(line.replace(b"\n", b" ") for line in lines))


@pytest.fixture(scope="module")
def corpus():
    """All hostile lines, each once."""
    return _corpus()


VOCABULARY = {field for each in NAMED_FORMATS for field in each.fields}


def _leaks(line, text):
    """Whether a text repeats a run of a line's bytes; the names of fields are ours."""
    shown = text.encode("utf-8", "surrogateescape")
    return text not in VOCABULARY and any(shown[i : i + RUN] in line for i in range(len(shown) - RUN + 1))


@pytest.mark.parametrize("name", [each.name for each in NAMED_FORMATS])
def test_no_line_stops_a_parser_or_shows_itself(name, corpus):
    """Whatever the bytes: a hit that shows nothing, or a code of ours that repeats nothing of the line."""
    parse = _format(name).parser(cookie="uid").parse
    wrong = [
        (number, code)
        for number, line in enumerate(corpus)
        if isinstance(code := parse(line), str)
        and (not re.fullmatch(r"[a-z0-9_.]{1,40}", code) or _leaks(line, code))
    ]
    shown = {repr(hit) + str(hit) + f"{hit}" for line in corpus if isinstance(hit := parse(line), Hit)}

    assert [] == wrong
    assert {"Hit(...)" * 3} >= shown


@pytest.mark.parametrize("name", [each.name for each in NAMED_FORMATS])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_hostile_line_is_accounted_for(name, pack, corpus, tmp_path):
    """Through a file, with any neighbours: parsed and rejected are as many as there are newline bytes."""
    path = tmp_path / "access.log"
    data = b"\n".join([b"first", *corpus]) + b"\n"
    path.write_bytes(pack(data))
    parse = _format(name).parser().parse
    results = [parse(line) for line in Log(path).lines()]
    parsed = sum(isinstance(result, Hit) for result in results)
    rejected = sum(isinstance(result, str) for result in results)

    assert data.count(b"\n") == parsed + rejected


@pytest.mark.parametrize("name", [each.name for each in NAMED_FORMATS])
def test_clean_lines_parse_beside_hostile_ones(name, corpus):
    """No line changes what the next one means, but for a header that says so."""
    each = _format(name)
    example = each.example.split(b"\n")
    expected = [each.parser().parse(line) for line in example][-1:]
    parse = each.parser().parse
    for line in corpus[:2000]:
        if not line.startswith(b"#"):
            parse(line)
    got = [parse(line) for line in example][-1:]

    assert [tuple(hit) for hit in expected] == [tuple(hit) for hit in got]


LONG = (
    b'"',
    b"\\",
    b'\\"',
    b" ",
    b"[",
    b'" ',
    b"- ",
    b"a ",
    b"/",
    b'"-" ',
    b"HTTP/1.1 ",
    b'" 200 - "',
    b"1",
    b"1.",
    b":",
    b",",
    b"{",
    b'{"',
    b"\t",
    b"=",
    b";",
)


@pytest.mark.parametrize("name", [each.name for each in NAMED_FORMATS])
def test_no_line_takes_more_than_its_length_in_time(name):
    """A line of a MiB, behind whatever beginning of a good line, is decided in seconds."""
    each = _format(name)
    good = each.example.split(b"\n")[-1]
    parse = each.parser(cookie="uid").parse
    slow = {}
    for piece in LONG:
        for begin in (b"", good[: len(good) // 3], good[: len(good) * 2 // 3], good[:-1]):
            line = (begin + piece * (MAX_LINE_BYTES // len(piece)))[:MAX_LINE_BYTES]
            began = time.process_time()
            parse(line)
            if (took := time.process_time() - began) > LONGEST_SECONDS:
                slow[piece, len(begin)] = took

    assert {} == slow


@settings(deadline=None, max_examples=200)
@given(line=st.binary(max_size=200), at=st.integers(0, 10_000), which=st.sampled_from(NAMED_FORMATS))
def test_any_bytes_anywhere_in_a_good_line_are_decided(line, at, which):
    """Any bytes spliced into a good line give a hit or a code that shows nothing of them."""
    good = which.example.split(b"\n")[-1]
    spliced = (good[: at % len(good)] + line + good[at % len(good) :]).replace(b"\n", b" ")
    result = which.parser(cookie="uid").parse(spliced)

    assert isinstance(result, Hit) or not _leaks(spliced, result)


def test_a_refusal_shows_nothing_of_the_log(corpus, tmp_path):
    """What is said of a broken log names the file and counts, and repeats no run of its bytes."""
    path = tmp_path / "x"
    data = b"\n".join(corpus)
    for broken in (
        gzip.compress(data)[:-9],
        gzip.compress(data)[:-8] + bytes(8),
        gzip.compress(gzip.compress(data)),
    ):
        path.write_bytes(broken)
        with pytest.raises(InputError) as refusal:
            list(Log(path).lines())

        assert SECRET.decode() not in f"{refusal.value!r}{refusal.value.__cause__!r}"
        assert refusal.value.__cause__ is None


def _format(name):
    return next(each for each in NAMED_FORMATS if each.name == name)
