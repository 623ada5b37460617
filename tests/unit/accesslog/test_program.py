import itertools
import random

import pytest
from agreement import SEED, compare, has_compiled_path
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from written_lines import Writer

from usage_stats.accesslog.fast import compiled_path
from usage_stats.accesslog.formats import NAMED_FORMATS, compile_format, named_format
from usage_stats.accesslog.json_format import json_format
from usage_stats.accesslog.w3c import W3cFormat
from usage_stats.errors import ConfigError

COMBINED = r'%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
# What stands between directives; the usual space most often.
BETWEEN = st.sampled_from(
    [" "] * 12 + ["|", "\t", ";", ",", ":", "-", " - ", "] [", "/", ".", "  ", "=", "a", "5", "_", " x "]
)
NEEDED = ("%h", "%t", '"%r"', "%>s")
TIMES = (
    "%t",
    "%{sec}t",
    "[%{%d/%b/%Y:%H:%M:%S %z}t]",
    "%{%Y-%m-%dT%H:%M:%S%z}t",
    "%{msec}t",
    "%{%s}t.%{msec_frac}t",
)
FURTHER = (
    *("%l", "%u", "%b", "%v", "%v:%p", "%D", "%T", "%I", "%X", "%h", "%u", "%{Referer}i", "%{User-Agent}i", "%{a}C"),
    *('"%u"', '"%h"', '"%{Referer}i"', '"%{User-Agent}i"', '"%{a}C"', '"%{X}o"', '"%{X-Forwarded-For}i"', "[%D]"),
    *("%{X-Forwarded-For}i", '"%{Cookie}i"', '"%>s"', '"%b"', '"%v"', '"%t"', "(%{a}C)", "%{Sec-GPC}i", "%m", "%p"),
)  # fmt: skip
KEPT = st.sampled_from(
    [
        {},
        {"cookie": "a"},
        {"account": "ident"},
        {"account": "cookie.a"},
        {"account": "cookie.a", "cookie": "a"},
    ]
)


@st.composite
def templates(draw):
    """A template of directives in any order, with anything between them."""
    time = draw(st.sampled_from(TIMES))
    directives = [time if d == "%t" else d for d in NEEDED]
    directives += draw(st.lists(st.sampled_from(FURTHER), max_size=8))
    directives = draw(st.permutations(directives))
    text = "".join(d + draw(BETWEEN) for d in directives)
    return text[: -draw(st.integers(0, 1)) or None].rstrip("%")


def _compiled(template):
    try:
        return compile_format(template)
    except ConfigError:
        return None


def _differing(log_format, lines, kept):
    names = {"account": "user", "cookie": None} | kept
    if compiled_path(log_format, log_format.parser(**names), **names, seed=SEED) is None:
        return []
    plain = [line for line in lines if b"\n" not in line]
    return compare(log_format, plain, **names, others=frozenset({"referrer"})).differing


@settings(deadline=None, max_examples=150)  # the machine may be busy; each example is some two hundred lines
@given(template=templates(), kept=KEPT, seed=st.integers(0, 2**32))
@example(template=r'%h %l %u %t "%r" %>s %b %D', kept={}, seed=1)  # a last value without quotes
@example(template=r'%h %t "%r" %>s %u %{User-Agent}i', kept={}, seed=1)  # whose are the spaces?
@example(template=r'%h %u|%D %T %t "%r" %>s', kept={}, seed=1)
@example(template=r'%h|%l|%u|%t|"%r"|%>s', kept={}, seed=1)
@example(template=r'%h:%u %t "%r" %>s %b5', kept={}, seed=1)
@example(template=r'%h %{sec}t "%r" %>s', kept={}, seed=1)
@example(template=r'%h %{%s}t.%{msec_frac}t "%r" %>s', kept={}, seed=1)
def test_any_template_reads_as_the_exact_parser_reads_it(template, kept, seed):
    """Whatever a template puts where, what the compiled path takes, both read alike."""
    log_format = _compiled(template)
    assume(log_format is not None)
    writer = Writer(log_format)
    lines = [writer.plain(), *writer.drawn(random.Random(seed), 150)]
    twice = [a + b" " + b for a, b in itertools.pairwise(lines[:20])]

    assert [] == _differing(log_format, lines + twice, kept)[:2]


W3C_COLUMNS = st.sampled_from(
    [
        *(
            "date",
            "time",
            "c-ip",
            "cs-method",
            "cs-uri-stem",
            "sc-status",
            "cs-username",
            "cs(User-Agent)",
            "cs-uri",
        ),
        *(
            "cs-uri-query",
            "cs(Cookie)",
            "cs(Referer)",
            "s-ip",
            "time-taken",
            "cs-host",
            "x-host-header",
            "C-IP",
            "Date",
        ),
    ]
)


@settings(deadline=None, max_examples=80)  # as above
@given(
    further=st.lists(W3C_COLUMNS, max_size=6),
    order=st.randoms(use_true_random=False),
    is_cloudfront=st.booleans(),
    kept=st.sampled_from([{}, {"account": None}, {"cookie": "a"}]),
    seed=st.integers(0, 2**32),
)
@example(further=["c-ip"], order=random.Random(1), is_cloudfront=False, kept={}, seed=1)
@example(further=["time"], order=random.Random(1), is_cloudfront=False, kept={}, seed=1)
def test_any_columns_read_as_the_exact_parser_reads_them(further, order, is_cloudfront, kept, seed):
    """Columns in any order, left out or given twice: what the compiled path takes, both read alike."""
    columns = ["date", "time", "c-ip", "cs-method", "cs-uri-stem", "sc-status", *further]
    order.shuffle(columns)
    log_format = W3cFormat("w3c", b"", is_cloudfront=is_cloudfront, columns=tuple(columns))
    parser = log_format.parser()
    writer = Writer(log_format, parser.columns or ("ignored",) * len(columns))
    lines = list(writer.drawn(random.Random(seed), 100))
    lines += [line + parser.delimiter + b"x" for line in lines[:10]]

    assert [] == _differing(log_format, lines, kept)[:2]


JSON_KEYS = {
    "time": "t",
    "address": "ip",
    "user": "u",
    "request": "r",
    "method": "m",
    "path": "p",
    "query": "q",
    "status": "s",
    "agent": "ua",
    "referrer": ("ref", "referrer"),
    "cookie.a": "a",
    "vhost": "v",
    "gpc": "g",
    "ident": "i",
    "bytes": "b",
}


@settings(deadline=None, max_examples=80)  # as above
@given(
    further=st.sets(st.sampled_from(sorted(JSON_KEYS.keys() - {"time", "address", "status"}))),
    is_whole=st.booleans(),
    kept=KEPT,
    seed=st.integers(0, 2**32),
    insert=st.sampled_from(
        [b"", b'"x":1,', b'"x":"\x1f",', b'"ip":"::1",', b'"x":[1],', b" ", b'"x":"\\"",', b'"x":nulll,']
    ),
)
@example(
    further=set(), is_whole=True, kept={}, seed=1, insert=b'"t":"2015-05-17T10:05:03Z",'
)  # the last counts
@example(further={"user"}, is_whole=True, kept={}, seed=1, insert=b'"u":"eve",')
@example(
    further=set(), is_whole=True, kept={}, seed=1, insert=b'"x":' + b"1" * 5000 + b","
)  # Python refuses it
@example(
    further=set(), is_whole=True, kept={}, seed=1, insert=b'"x":' + b"1" * 400 + b".5,"
)  # an infinite float
def test_any_keys_read_as_the_exact_parser_reads_them(further, is_whole, kept, seed, insert):
    """Fields under any keys, beside others of any kind: what the compiled path takes, both read alike."""
    names = {"time", "address", "status", *further, *(["request"] if is_whole else ["method", "path"])}
    log_format = json_format({name: JSON_KEYS[name] for name in sorted(names)})
    rng = random.Random(seed)
    lines = list(Writer(log_format).drawn(rng, 80))
    lines += [line.replace(b"{", b"{" + insert, 1) for line in lines[:40]]
    lines += [line[:-1] + b"," + insert.rstrip(b",") + b"}" for line in lines[:40]]

    assert [] == _differing(log_format, lines, kept)[:2]


@pytest.mark.parametrize(
    "template",
    [
        COMBINED,
        r'%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D',
        r'%h %l %u %t "%r" %>s %b %{visitor}C',
        r'%h %l %u %{sec}t "%r" %>s %b',
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time',
        'log_format main \'$remote_addr [$msec] "$request" $status "$http_user_agent" $upstream_addr\';',
    ],
)
def test_usual_templates_take_the_fast_path(template):
    """What servers' own files spell is read compiled: the plain line of it is taken."""
    log_format = compile_format(template)

    assert 1 == compare(log_format, [Writer(log_format).plain()]).taken


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (
            "log_format j escape=json '$remote_addr [$time_local] \"$request\" $status';",
            "values hold escapes",
        ),
        (r'%h %t "%r" "%>s"', "a status in quotes"),
        (r"%h %t %r %>s", "a request without quotes"),
        (r"%h %t %m %U %>s", "a request in parts"),
        (r'%h%u %t "%r" %>s', "nothing between two fields"),
        (r'%h [%{%d/%b/%Y %H:%M:%S %z}t] "%r" %>s', "a time of its own layout"),
        (r'%h %t "%r" %>s %{X-Forwarded-For}i', "a chain without quotes"),
    ],
)
def test_what_is_not_plain_is_the_exact_parsers(template, why):
    """A format whose fields need more than a walk over bytes has no program."""
    assert not has_compiled_path(compile_format(template)), why


def test_a_cookie_within_the_cookie_header_is_the_exact_parsers():
    """Who wants a cookie out of a whole header gets it; who wants none keeps the fast path."""
    log_format = compile_format(COMBINED + r' "%{Cookie}i"')
    wanted = {"account": "user", "cookie": "visitor"}

    assert compiled_path(log_format, log_format.parser(**wanted), **wanted, seed=SEED) is None


@pytest.mark.parametrize(
    "name", ["alb", "elb", "haproxy", "squid", "s3", "envoy", "ltsv", "caddy", "combined_long_date"]
)
def test_formats_beyond_the_kernel_are_named(name):
    """These are the exact parser's alone; when the kernel learns one, every law of test_fast holds for it at once."""
    assert not has_compiled_path(named_format(name))
    assert name in [log_format.name for log_format in NAMED_FORMATS]
