"""A format → lines as a server might write them: each field plain, or as odd as clients and servers make it.

Belongs here: values of fields, and how a line of each kind of format is put together. Does not: comparing readings.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from usage_stats.accesslog.directives import Field, Literal
from usage_stats.accesslog.formats import LogFormat, TemplateFormat
from usage_stats.accesslog.json_format import JsonFormat
from usage_stats.accesslog.timestamps import CLF, EPOCH_MSEC, ISO_8601
from usage_stats.accesslog.w3c import W3cFormat

Values = dict[str, tuple[tuple[bytes, ...], tuple[bytes, ...]]]  # per field: plain values, odd ones

_TEXT = (
    *(b"", b"-", b" ", b"--", b'"', b'""', b'"a b"', b'a"b', b"\\", rb"\"", rb"\\", rb"\x22", b"a b", b"a  b"),
    *(b" a", b"a ", b"a\tb", b"\t", b"\r", b"a\rb", b"a\r", b"\0", b"\x1f", b"\x7f", b"\xff", "é".encode(), b"%2D"),
    *(b"#", b"[", b"]", b"|", b"a|b", b";", b",", b"a,b", b"%20", b"%2520", b"a%20b%2520c", b"+", b"a++b", b"a+b c"),
    *(b"Mozilla/5.0 (X11; Linux x86_64)", b"x" * 7, b"x" * 8, b"x" * 9, b"x" * 31, b"x" * 32, b"x" * 33, b"x" * 5000),
)  # fmt: skip
_CLF_TIMES = (
    *(b"17/may/2015:10:05:03 +0200", b"17/MAY/2015:10:05:03 +0200", b"17/Mai/2015:10:05:03 +0200"),
    *(b"29/Feb/2015:10:05:03 +0200", b"29/Feb/2016:10:05:03 +0200", b"29/Feb/1900:10:05:03 +0200"),
    *(b"31/Feb/2015:10:05:03 +0000", b"00/May/2015:10:05:03 +0000", b"32/May/2015:10:05:03 +0000"),
    *(b"31/Apr/2015:10:05:03 +0000", b"30/Apr/2015:24:00:00 +0000", b"30/Apr/2015:23:60:00 +0000"),
    *(b"30/Apr/2015:23:59:60 +0000", b"30/Apr/2015:23:59:59 +1400", b"30/Apr/2015:23:59:59 -1400"),
    *(b"30/Apr/2015:23:59:59 +1401", b"30/Apr/2015:23:59:59 -1401", b"30/Apr/2015:23:59:59 +1360"),
    *(b"30/Apr/2015:23:59:59 *0000", b"30/Apr/2015:23:59:59 Z", b"30/Apr/2015:23:59:59 +00:00"),
    *(b"01/Jan/0000:00:00:00 +0000", b"01/Jan/0001:00:00:00 +0000", b"01/Jan/0001:00:00:00 +0100"),
    *(b"31/Dec/9999:23:59:59 +0000", b"31/Dec/9999:23:59:59 -0100", b"31/Dec/9999:23:59:59 +0100"),
    *(b"1/May/2015:10:05:03 +0200", b"17/May/15:10:05:03 +0200", b"17/May/2015 10:05:03 +0200", b"-", b""),
    *(b"17/May/2015:10:05:03", b"17/May/2015:10:05:03.125 +0200", b"[17/May/2015:10:05:03 +0200]"),
    *(b"17-May-2015:10:05:03 +0200", b"17/May/2015:1x:05:03 +0200", b"17/May/2015:10:05:03  0200"),
)
_ISO_TIMES = (
    *(b"2015-05-17T10:05:03Z", b"2015-05-17T10:05:03+0200", b"2015-05-17T10:05:03.1+02:00"),
    *(b"2015-05-17T10:05:03.123456789-14:00", b"2015-05-17T10:05:03.1234567890+02:00"),
    *(b"2015-05-17T10:05:03,5+02:00", b"2015-05-17T10:05:03.Z", b"2015-05-17T10:05:03.+02:00"),
    *(b"2015-05-17 10:05:03+02:00", b"2015-05-17t10:05:03Z", b"2015-05-17T10:05:03z", b"2015-05-17T10:05:03"),
    *(b"2015-05-17T10:05:03+02", b"2015-05-17T10:05:03+14:01", b"2015-05-17T10:05:60Z", b"2015-05-17T24:00:00Z"),
    *(b"2015-02-29T10:05:03Z", b"2016-02-29T10:05:03Z", b"2015-13-01T10:05:03Z", b"2015-00-01T10:05:03Z"),
    *(b"0000-01-01T00:00:00Z", b"0001-01-01T00:00:00Z", b"0001-01-01T00:00:00+01:00", b"9999-12-31T23:59:59Z"),
    *(b"9999-12-31T23:59:59-01:00", b"15-05-17T10:05:03Z", b"2015-05-17T10:05:03 Z", b"2015-05-17T10:05:03+0:200"),
    *(b"2015-05-17T10:05:03.5Z", b"2015-05-17T10:05:03.000000000000Z", b"2015-05-17T10:05Z", b"-", b""),
)  # fmt: skip
_EPOCHS = (
    *(b"1431857103", b"1431857103.125", b"1431857103.", b".125", b"0", b"0.0", b"00", b"-1", b"+1", b"1e9", b"1.5e9"),
    *(b"99999999999", b"99999999999.999999999", b"100000000000", b"253402300800", b"1431857103.999999999"),
    *(b"1431857103125", b"1431857103.1234567890", b"1431857103,125", b"1 431857103", b"-", b"", b"1" * 5000),
)  # fmt: skip
_TIMES = {
    CLF: ((b"17/May/2015:10:05:03 +0200", b"29/Feb/2024:23:59:59 -0330"), _CLF_TIMES),
    ISO_8601: ((b"2015-05-17T10:05:03+02:00", b"2015-05-17T08:05:03.125Z"), _ISO_TIMES),
    EPOCH_MSEC: ((b"1431857103.125", b"1.0"), _EPOCHS),
    "%s": ((b"1431857103", b"1"), _EPOCHS),
}
_ADDRESSES = (
    *(b"::1", b"::ffff:192.0.2.1", b"fe80::1%eth0", b"fe80::1%", b"fe80::1%e\xe9", b"192.0.2.7%1", b"192.0.2.7:80"),
    *(b"[2001:db8::1]", b"[2001:db8::1]:443", b"2001:db8::1::", b"256.0.2.7", b"192.0.2", b"192.0.2.07", b"7"),
    *(b"_dns.example", b"-dns.example", b"dns-.example", b"dns.example.", b"DNS.Example", b"a_b", b"x.1", b"."),
    *(b"a" * 253, b"a" * 254, b"a.example:80", b"192.0.2.7,198.51.100.1", b"192.0.2.7, 198.51.100.1", b"a~b", b"a%b"),
)  # fmt: skip
_REQUESTS = (
    *(b"POST / HTTP/1.1", b"GEO / HTTP/1.1", b"GETS / HTTP/1.1", b"get / HTTP/1.1", b"G / HTTP/1.1", b"G-T / HTTP/1.1"),
    *(b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b" GET / HTTP/1.1", b"GET HTTP/1.1", b"GET  HTTP/1.1", b"GET /"),
    *(b"GET / HTTP/2", b"GET / HTTP/2.0", b"GET / HTTP/11", b"GET / HTTP/1.10", b"GET / HTTP/1.x", b"GET / http/1.1"),
    *(b"GET / HTTP/1.1 HTTP/1.1", b"GET /a b HTTP/1.1", b"GET / a HTTP/1.1", b"GET ?a HTTP/1.1", b"GET /? HTTP/1.1"),
    *(b"GET /a?b?c HTTP/1.1", b"GET * HTTP/1.1", b"GET http://a.example/ HTTP/1.1", b"GET /\xff HTTP/1.1"),
    *(b"-", b"", b"\x16\x03\x01", b"SEARCH / -", b"GET\t/\tHTTP/1.1", b"GET /\r HTTP/1.1", b"GET / HTTP/1.1\r"),
    *(b'GET /" HTTP/1.1', rb"GET /\" HTTP/1.1", b"GET /\0 HTTP/1.1", b"GET /%s HTTP/1.1" % (b"x" * 9000), b"HTTP/1.1"),
)  # fmt: skip
VALUES: Values = {
    "address": ((b"192.0.2.7", b"2001:db8::7", b"host.example.org"), (*_ADDRESSES, *_TEXT)),
    "request": ((b"GET /a/b.html?c=d HTTP/1.1", b"POST / HTTP/2.0"), (*_REQUESTS, *_TEXT)),
    "method": ((b"GET", b"POST"), (b"GEO", b"get", b"G", b"M-SEARCH", b"GET1", *_TEXT)),
    "path": ((b"/", b"/a/b.html"), (b"/a?b", b"?a", b"/-", b"*", b"-a", *_TEXT)),
    "query": ((b"-", b"a=b"), (b"?", b"?a", b"a?b", *_TEXT)),
    "status": ((b"200", b"304"), (b"099", b"100", b"599", b"600", b"20", b"2000", b"2x0", b"200.0", *_TEXT)),
    "bytes": ((b"5120", b"0"), (b"-", b"-1", b"5.0", b"5k", b"9" * 30, *_TEXT)),
    "vhost": (
        (b"www.example.org", b"localhost"),
        (b"a.example:443", b"[::1]:80", b"*", b"_", b":80", b"a:b", b"a@b", b"a" * 300, *_TEXT),
    ),
    "user": ((b"-", b"ada"), (b"ada lovelace", b"- x", b"x -", b"- -", rb"a\"b", rb"a\\", *_TEXT)),
    "ident": ((b"-", b"-"), _TEXT),
    "agent": ((b"Mozilla/5.0", b"curl/8.0"), _TEXT),
    "date": ((b"2015-05-17", b"2016-02-29"), (b"2015-02-29", b"0001-01-01", b"9999-12-31", b"15-05-17", *_TEXT)),
    "clock": ((b"08:05:03", b"23:59:59"), (b"24:00:00", b"23:60:00", b"23:59:60", b"8:05:03", b"08:05:03.5", *_TEXT)),
}  # fmt: skip
_OTHER = ((b"-", b"x"), _TEXT)

# JSON values as they stand in the line; the odd ones of every field beside its own odd texts as strings.
_JSON_ODD = (
    *(b"null", b"true", b"false", b"nul", b"0", b"-0", b"-1", b"1.5", b"1e3", b"01", b"1.", b"NaN"),
    *(b"[]", b"{}", b'[""]', b'["a"]', b'["a","b"]', b'{"a":"b"}'),
    *(b"", b" ", b'""', b'"-"', b'"a', rb'"\u0041"', rb'"\ud800"', rb'"\""'),
    *(b"7", b"200", b"1431857103.125", b"1" * 5000, b"99999999999.999999999", b"1431857103.999999999", b"100000000000"),
)  # fmt: skip
_JSON_TIMES = (*_CLF_TIMES, *_ISO_TIMES, *_EPOCHS, b"[17/May/2015:10:05:03 +0200]")


def _pool(name: str, layout: str = "") -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    return _TIMES.get(layout, _TIMES[ISO_8601]) if name == "time" else VALUES.get(name, _OTHER)


class Writer:
    """Writes lines of one format: `fields` are pools of plain and odd values, `join` puts chosen ones together."""

    def __init__(self, log_format: LogFormat, columns: tuple[str, ...] | None = None) -> None:
        self.join: Callable[[list[bytes]], bytes]
        self.fields: list[tuple[tuple[bytes, ...], tuple[bytes, ...]]]
        if isinstance(log_format, TemplateFormat):
            self._of_template(log_format)
        elif isinstance(log_format, W3cFormat):
            parser = log_format.parser()
            self.fields = [_pool(name) for name in columns or parser.columns]
            self.join = parser.delimiter.join
        else:
            assert isinstance(log_format, JsonFormat)
            self._of_object(log_format)

    def _of_template(self, log_format: TemplateFormat) -> None:
        pieces = log_format.pieces
        self.fields = [_pool(p.name, p.layout) for p in pieces if isinstance(p, Field)]

        def join(values: list[bytes]) -> bytes:
            left = iter(values)
            return b"".join(p.text if isinstance(p, Literal) else next(left) for p in pieces)

        self.join = join

    def _of_object(self, log_format: JsonFormat) -> None:
        names = [b'"%b":' % keys[0].encode() for _, keys in log_format.keys]
        self.fields = []
        for field, _ in log_format.keys:
            plain, odd = _pool(field)
            odd = _JSON_TIMES if field == "time" else odd
            strings = tuple(b'"%b"' % text for text in plain)
            if field == "path":
                strings = tuple(b'"%b?q=1"' % text for text in plain)
            self.fields.append((strings, (*_JSON_ODD, *(b'"%b"' % text for text in odd))))
        self.join = lambda values: b"{%b}" % b",".join(map(bytes.__add__, names, values))

    def plain(self) -> bytes:
        """A line as it should be."""
        return self.join([plain[0] for plain, _ in self.fields])

    def each_odd(self) -> Iterator[bytes]:
        """Plain but for one field, which takes each of its odd values."""
        for place, (_, odd) in enumerate(self.fields):
            for value in odd:
                values = [plain[0] for plain, _ in self.fields]
                values[place] = value
                yield self.join(values)

    def drawn(self, rng: random.Random, count: int) -> Iterator[bytes]:
        """Lines with some odd fields each."""
        for _ in range(count):
            values = [rng.choice(plain) for plain, _ in self.fields]
            for _ in range(rng.randint(0, 3)):
                place = rng.randrange(len(values))
                values[place] = rng.choice(self.fields[place][1])
            yield self.join(values)
