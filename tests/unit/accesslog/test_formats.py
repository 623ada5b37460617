import pytest

from usage_stats.accesslog.formats import NAMED_FORMATS, compile_format, named_format, resolve_format
from usage_stats.accesslog.parse import Hit, LineParser
from usage_stats.errors import ConfigError

NAMES = [log_format.name for log_format in NAMED_FORMATS]
TAIL = b'[17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 7'

# What each example line says, drawn by hand: all were written at 2015-05-17T08:05:03Z.
AT = 1431849903
AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PAGE = (b"GET", b"/docs/index.html?page=2", 200, b"https://www.example.org/")
SITE = b"www.example.org"
EXAMPLES = {
    "vhost_combined": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE),
    "combined": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None),
    "nginx": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None),
    "combined_cookie": (AT, b"192.0.2.7", None, b"f3b0c442", AGENT, *PAGE, None),
    "common": (AT, b"192.0.2.7", b"ada", None, None, b"GET", b"/", 200, None, None),
    "combined_iso8601": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None),
    "combined_long_date": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None),
    "vhost_short": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE),
}


def _parsed(template, line, **options):
    hit = LineParser(compile_format(template), **options).parse(line)
    return tuple(hit) if isinstance(hit, Hit) else hit


@pytest.mark.parametrize("name", NAMES)
def test_each_named_format_reads_its_own_example(name):
    """A named format's example line gives the hit that a person reads in it."""
    log_format = named_format(name)
    hit = LineParser(log_format, cookie="visitor").parse(log_format.example)

    assert EXAMPLES[name] == tuple(hit)


def test_named_formats_are_the_eight():
    """The names are an interface: configuration files use them."""
    assert set(EXAMPLES) == set(NAMES)


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        (
            r"%h %l %u %t \"%r\" %>s %b",
            ("address", "ident", "user", "time", "request", "status", "bytes"),
        ),
        (
            'LogFormat "%v:%p %a %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-agent}i\\"" vhost',
            ("vhost", "address", "ident", "user", "time", "request", "status", "bytes", "referrer", "agent"),
        ),
        (
            '%{X-Forwarded-For}i %{c}a %{%s}t "%r" %s %D %T %{x}o %{y}e "%{sid}C" %{Host}i %I %X',
            (
                *("forwarded", "address", "time", "request", "status"),
                *("ignored", "ignored", "ignored", "ignored", "cookie.sid", "vhost", "ignored", "ignored"),
            ),
        ),
        (
            """log_format main '$remote_addr - ${remote_user} [$time_local] '
                               '"$request" $status $bytes_sent $cookie_sid $request_time $host';""",
            ("address", "user", "time", "request", "status", "bytes", "cookie.sid", "ignored", "vhost"),
        ),
        (
            '%h %a %t "%r" %>s %b %O %!200,304{User-agent}i',
            ("address", "ignored", "time", "request", "status", "bytes", "ignored", "agent"),
        ),
    ],
)
def test_templates_are_read_as_pasted(template, fields):
    """Statement, quotes, escapes and modifiers of the server's own configuration are understood."""
    assert fields == compile_format(template).fields


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ('%h %t "%r" %>s %Y', "%Y"),
        ('%h %t "%r" %>s %{x', "%{x"),
        ('$remote_addr [$time_local] "$request" $status $my_own', "$my_own"),
        ('$remote_addr [$time_local] "$request" $status $-', "$-"),
        ('%h %{%K}t "%r" %>s', "%K"),
        ('%h %{%d/%b/%Y %H:%M:%S}t "%r" %>s', "%z"),
        ('%l %t "%r" %>s', "address"),
        ('%h "%r" %>s', "time"),
        ("%h %t %>s", "request"),
        ('%h %t "%r"', "status"),
    ],
)
def test_unknown_and_missing_directives_are_named(template, named):
    """A template that cannot be used is refused with the part that is wrong or missing."""
    with pytest.raises(ConfigError) as refusal:
        compile_format(template)

    assert named in str(refusal.value)


def test_unknown_name_lists_the_known():
    """A misspelt format name is answered with the names there are."""
    with pytest.raises(ConfigError) as refusal:
        resolve_format("combind")

    assert all(name in str(refusal.value) for name in NAMES)


def test_setting_is_a_name_or_a_template():
    """`format:` takes a known name, else a pasted template."""
    by_template = resolve_format('%h %l %u %t "%r" %>s %b')

    assert (resolve_format(" common ").name, by_template.name) == ("common", "custom")
    assert named_format("common").fields == by_template.fields


@pytest.mark.parametrize(
    ("layout", "written"),
    [
        ("%{%d/%b/%Y:%H:%M:%S %z}t", b"17/May/2015:10:05:03 +0200"),
        ("%{begin:%Y-%m-%dT%T%z}t", b"2015-05-17T08:05:03Z"),
        ("[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t]", b"[17/May/2015:10:05:03.123 +0200]"),
        ("%{%Y-%m-%d}t %{%H:%M:%S%z}t", b"2015-05-17 04:35:03-03:30"),
        ("%{%A, %e %B %Y %I:%M:%S %p UTC%z}t", b"Sunday, 17 May 2015 08:05:03 AM UTC+0000"),
        ("%{%a %b %d %H:%M:%S %Z %y}t", b"Sun May 17 08:05:03 GMT 15"),
        ("%{sec}t", b"1431849903"),
        ("%{msec}t", b"1431849903999"),
        ("%{usec}t", b"1431849903999999"),
        ("$msec", b"1431849903.999"),
        ("$time_iso8601", b"2015-05-17T10:05:03+02:00"),
    ],
)
def test_every_way_to_write_the_time_gives_the_same_second(layout, written):
    """Whatever the layout, the hit holds UTC seconds since 1970, fractions cut off."""
    template = "$remote_addr {} $request $status" if "$" in layout else "%h {} %r %>s"
    line = b"192.0.2.7 " + written + b" GET / HTTP/1.1 200"

    assert _parsed(template.format(layout), line)[0] == AT


def test_json_of_a_server_is_a_template_too():
    """An nginx log_format that writes JSON has quoted fields like any other."""
    template = (
        '{"ip":"$remote_addr","at":"$time_iso8601","do":"$request","is":"$status","ua":"$http_user_agent"}'
    )
    line = rb'{"ip":"2001:db8::1","at":"2015-05-17T08:05:03Z","do":"GET /a\"b HTTP/2.0","is":"204","ua":""}'

    assert _parsed(template, line) == (
        AT,
        b"2001:db8::1",
        None,
        None,
        b"",
        b"GET",
        rb"/a\"b",
        204,
        None,
        None,
    )


def test_an_agent_without_quotes_reaches_to_the_end_of_the_line():
    """Only the line's end can end an unquoted agent, and CRLF is no part of it."""
    hit = _parsed("%h %t %>s %r %{User-Agent}i", b"h.example " + TAIL[:28] + b" 200 - Mozilla/5.0 (X11; U)\r")

    assert hit[4] == b"Mozilla/5.0 (X11; U)"


def test_virtual_host_comes_with_or_without_its_port():
    """The port of `%v:%p` is no part of the virtual host, and may be missing."""
    hosts = [
        LineParser(named_format("vhost_combined"))
        .parse(vhost + b" 192.0.2.7 - - " + TAIL + b' "-" "-"')
        .vhost
        for vhost in (b"a.example:443", b"a.example", b"[2001:db8::1]:80")
    ]

    assert hosts == [b"a.example", b"a.example", b"[2001:db8::1]"]


@pytest.mark.parametrize(
    ("name", "pasted"),
    [
        ("common", r'LogFormat "%h %l %u %t \"%r\" %>s %b" common'),
        ("common", r"%h %l %u %t \"%r\" %>s %b"),
        (
            "nginx",
            """log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';""",
        ),
    ],
)
def test_a_pasted_statement_is_its_format(name, pasted):
    """The statement of the configuration file gives the very format that it names."""
    assert compile_format(pasted).pieces == named_format(name).pieces


def test_who_connected_is_the_client_only_where_no_other_is_named():
    """`%{c}a` may be a proxy: beside `%a` or `%h` it is read over, wherever it stands."""
    beside = compile_format('%{c}a %a %t "%r" %>s').fields
    alone = compile_format('%{c}a %t "%r" %>s').fields

    assert (beside[:2], alone[0]) == (("ignored", "address"), "address")
