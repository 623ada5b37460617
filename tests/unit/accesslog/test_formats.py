import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.accesslog.formats import (
    NAMED_FORMATS,
    compile_format,
    has_cookie,
    named_format,
    resolve_format,
)
from usage_stats.accesslog.parse import Hit, LineParser
from usage_stats.errors import ConfigError

NAMES = [log_format.name for log_format in NAMED_FORMATS]
TAIL = b'[17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 7'

# What each example line says, drawn by hand: all were written at 2015-05-17T08:05:03Z.
AT = 1431849903
AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PAGE = (b"GET", b"/docs/index.html?page=2", 200, b"https://www.example.org/")
SITE = b"www.example.org"
QUIET = (None, False, False)  # no chain of proxies, no GPC, no DNT
UNREFERRED = (*PAGE[:3], None)
EXAMPLES = {
    "vhost_combined": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
    "combined": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None, *QUIET),
    "nginx": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None, b"198.51.100.23", False, False),
    "combined_cookie": (AT, b"192.0.2.7", None, b"f3b0c442", AGENT, *PAGE, None, *QUIET),
    "common": (AT, b"192.0.2.7", b"ada", None, None, b"GET", b"/", 200, None, None, *QUIET),
    "combined_iso8601": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None, *QUIET),
    "combined_long_date": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None, *QUIET),
    "vhost_common": (AT, b"192.0.2.7", b"ada", None, None, b"GET", b"/", 200, None, SITE, *QUIET),
    "vhost_short": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
    "traefik_clf": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None, *QUIET),
    "alb": (AT, b"192.0.2.7", None, None, AGENT, *UNREFERRED, SITE, *QUIET),
    "elb": (AT, b"192.0.2.7", None, None, AGENT, *UNREFERRED, SITE, *QUIET),
    "s3": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
    "haproxy": (AT, b"192.0.2.7", None, None, None, *UNREFERRED, None, *QUIET),
    "squid": (AT, b"192.0.2.7", None, None, None, *UNREFERRED, SITE, *QUIET),
    "envoy": (
        *(AT, b"192.0.2.7", None, None, AGENT, *UNREFERRED, SITE),
        *(b"198.51.100.23, 192.0.2.7", False, False),
    ),
    "cloudfront": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
    "w3c": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, None, *QUIET),
    "caddy": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, None, True, False),
    "traefik": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
    "envoy_json": (AT, b"192.0.2.7", None, None, AGENT, *UNREFERRED, SITE, b"192.0.2.7", False, False),
    "nginx_json": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
    "ltsv": (AT, b"192.0.2.7", None, None, AGENT, *PAGE, SITE, *QUIET),
}


def _parsed(template, line, **options):
    hit = LineParser(compile_format(template), **options).parse(line)
    return tuple(hit) if isinstance(hit, Hit) else hit


@pytest.mark.parametrize("name", NAMES)
def test_each_named_format_reads_its_own_example(name):
    """A named format's example line gives the hit that a person reads in it."""
    log_format = named_format(name)
    hit = log_format.parser(cookie="visitor").parse(log_format.example)

    assert EXAMPLES[name] == tuple(hit)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_fits_its_own_format_only(name):
    """What tells formats apart is in the line; only a last quoted field may be a cookie or a chain."""
    line = named_format(name).example
    fitting = {f.name for f in NAMED_FORMATS if isinstance(f.parser().parse(line), Hit)}

    assert fitting == ({"nginx", "combined_cookie"} if name in {"nginx", "combined_cookie"} else {name})


WITH_PORT = {
    "alb",
    "elb",
    "haproxy",
    "envoy_json",
    "traefik",
    "envoy",
}  # their addresses have ports, or are chains
WITHOUT_AGENT = {"common", "vhost_common", "haproxy", "squid"}
ENCODED = {
    "w3c": lambda text: text.replace(b" ", b"+"),
    "cloudfront": lambda text: text.replace(b" ", b"%20"),
}
SAFE = st.text(st.sampled_from("abz09./-_~:;,()[]= "), min_size=1).map(
    lambda t: " ".join(f"x{t}y".split()).encode()
)


@pytest.mark.parametrize("name", NAMES)
@given(agent=SAFE, path=SAFE, address=st.ip_addresses(), second=st.integers(0, 59))
def test_a_written_line_is_read_back(name, agent, path, address, second):
    """A line written from values, as its server writes them, gives these very values."""
    log_format = named_format(name)
    path = b"/" + path.replace(b" ", b"%20")
    address = b"192.0.2.8" if name in WITH_PORT else str(address).encode()
    written = ENCODED.get(name, bytes)
    line = log_format.example.replace(written(AGENT), written(agent)).replace(b"192.0.2.7", address)
    line = line.replace(b"/docs/index.html?page=2" if b"?page" in line else b"/docs/index.html", path)
    line = line.replace(b"GET / ", b"GET %b " % path).replace(b":05:03", b":05:%02d" % second)
    line = (
        line.replace(b"1431849903", b"%d" % (AT - 3 + second))
        .replace(b" page=2", b" -")
        .replace(b"\tpage=2", b"\t-")
    )
    hit = log_format.parser().parse(line)

    assert (AT - 3 + second, address, path) == (hit.at, hit.address, hit.target)
    assert hit.agent == (None if name in WITHOUT_AGENT else agent)


def test_named_formats_are_these():
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
        *QUIET,
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


PARTS = b'192.0.2.7 - - [17/May/2015:10:05:03 +0200] "%b" 200 5'


@pytest.mark.parametrize(
    ("template", "written", "target"),
    [
        ("%m %U%q %H", b"GET /a?b=1 HTTP/1.1", b"/a?b=1"),
        ("%m %U%q %H", b"GET /two words HTTP/2.0", b"/two words"),
        ("%m %U%q", rb"GET /say\"hi\"", rb"/say\"hi\""),
        ("%m %U %q %H", b"GET /a ?b=1 HTTP/1.1", b"/a?b=1"),
        ("%m %U %H", b"- - -", None),
        ("%m %U %H", b"G(T /a HTTP/1.1", None),
    ],
)
def test_a_request_may_be_given_in_parts(template, written, target):
    """Method, path and query may be fields of their own; the target is put together again."""
    hit = LineParser(compile_format(f'%h %l %u %t "{template}" %>s %b')).parse(PARTS % written)

    assert (target and b"GET", target) == (hit.method, hit.target)


@pytest.mark.parametrize(
    ("variables", "written"),
    [
        ("$request_method $request_uri $server_protocol", b"GET /a?b=1 HTTP/1.1"),
        ("$request_method $uri$is_args$args $server_protocol", b"GET /a?b=1 HTTP/1.1"),
        ("$request_method $uri?$query_string", b"GET /a?b=1"),
        ("$request_method $request_uri $uri", b"GET /a?b=1 /rewritten"),
        ("$request_method $uri $args", b"GET /a b=1"),
    ],
)
def test_nginx_writes_the_parts_of_a_request_in_many_ways(variables, written):
    """Whatever the variables, the target is what the client asked for."""
    template = f'$remote_addr - $remote_user [$time_local] "{variables}" $status $body_bytes_sent'
    hit = LineParser(compile_format(template)).parse(PARTS % written)

    assert (b"GET", b"/a?b=1") == (hit.method, hit.target)


def test_a_request_line_beside_its_parts_is_the_one_that_counts():
    """Parts are read over where the whole is there."""
    fields = compile_format('%h %t "%r" %>s %m "%U" %H').fields

    assert (*("address", "time", "request", "status"), *["ignored"] * 3) == fields


@pytest.mark.parametrize(
    ("template", "header"),
    [
        ('%h %t "%r" %>s "%{Cookie}i" "%{Sec-GPC}i" "%{DNT}i"', True),
        ('$remote_addr [$time_local] "$request" $status "$http_cookie" "$http_sec_gpc" "$http_dnt"', True),
        ('%h %t "%r" %>s "%{sid}C" "%{X}i" "%{Y}i"', False),
    ],
)
def test_switches_and_a_whole_cookie_header(template, header):
    """The configured cookie is taken by name from a whole Cookie header; GPC and DNT are heard."""
    log_format = compile_format(template)
    line = b'192.0.2.7 [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 "%b" "1" "1"'
    hit = log_format.parser(cookie="sid", account="cookie.user").parse(
        line % (b"xsid=7; sid=f3b0; user=ada; sid=2" if header else b"f3b0")
    )

    assert (b"f3b0", b"ada" if header else None, header, header) == (
        hit.cookie,
        hit.account,
        hit.gpc,
        hit.dnt,
    )
    assert (True, header) == (has_cookie(log_format, "sid"), has_cookie(log_format, "other"))


def test_values_escaped_as_json_come_out_as_the_client_sent_them():
    """With escape=json nginx writes a JSON string in each quoted field, and nothing for an empty variable."""
    log_format = compile_format(
        """log_format json escape=json '{"ip":"$remote_addr","t":$msec,"r":"$request","s":$status,'
           '"u":$upstream_response_time,"ua":"$http_user_agent"}';"""
    )
    line = rb'{"ip":"192.0.2.7","t":1431849903.5,"r":"GET /\"a\\b HTTP/1.1","s":200,"u":,"ua":"x\u0007\t\/\u20ac"}'
    hit = log_format.parser().parse(line)

    assert (AT, rb'/"a\b', b"x\x07\t/\xe2\x82\xac") == (hit.at, hit.target, hit.agent)


def test_a_chain_alone_gives_the_client_that_the_nearest_proxy_saw():
    """Each proxy appends; what stands before the last could be the client's own words."""
    log_format = compile_format('%{X-Forwarded-For}i %l %u %t "%r" %>s %b')
    line = b'10.0.0.2, 198.51.100.23 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 5'
    hit = log_format.parser().parse(line)

    assert (b"198.51.100.23", b"10.0.0.2, 198.51.100.23") == (hit.address, hit.forwarded)


@pytest.mark.parametrize(
    ("zone", "at"),
    [("UTC", AT + 7200), ("Europe/Berlin", AT), ("", None)],
)
def test_a_time_without_an_offset_needs_a_zone(zone, at):
    """A local time is an instant only in a time zone."""
    setting = {"template": '%h [%{%d/%b/%Y:%H:%M:%S}t] "%r" %>s'} | ({"time_zone": zone} if zone else {})
    line = b'192.0.2.7 [17/May/2015:10:05:03] "GET / HTTP/1.1" 200'
    if at is None:
        with pytest.raises(ConfigError, match="time_zone"):
            resolve_format(setting)
    else:
        assert at == resolve_format(setting).parser().parse(line).at


def test_haproxy_times_are_of_the_zone_that_is_set():
    """HAProxy writes local time: UTC unless the setting says otherwise, summer time and all."""
    log_format = resolve_format({"name": "haproxy", "time_zone": "Europe/Berlin"})

    assert AT - 7200 == log_format.parser().parse(log_format.example or named_format("haproxy").example).at


def test_lines_may_come_wrapped():
    """A syslog or container runtime's prefix is no part of the line, and is taken off once."""
    wraps = [
        b"2025-12-31T17:37:40.493035218+01:00 stdout F ",
        b"<134>May 17 08:05:03 lb haproxy[6801]: ",
        b"2015-05-17T10:05:03.5+02:00 lb haproxy: ",
    ]
    for name in ("haproxy", "envoy", "caddy", "nginx_json"):
        parse = named_format(name).parser().parse
        bare = named_format(name).example.partition(b"haproxy[6801]: ")[2] or named_format(name).example

        assert {tuple(parse(bare))} == {tuple(parse(wrap + bare)) for wrap in wraps}
        assert isinstance(parse(wraps[1] * 20_000), str)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({}, "json, columns, ltsv, template, name"),
        ({"json": "caddy", "columns": []}, "json, columns"),
        ({"jsn": {}}, "json, columns"),
        ({"json": {"time": "t"}, "colour": 1}, "colour"),
        ({"json": {"time": "t", "adress": "a"}}, "adress"),
        ({"json": {"time": "t", "address": "a", "status": "s"}}, "request"),
        ({"json": {"time": "t", "address": "a", "status": "s", "method": "m"}}, "method and path"),
        ({"json": {"time": "t", "address": "a", "status": "s", "request": 7}}, "format.json.request"),
        ({"json": {"time": "t", "address": "a", "status": "s", "request": []}}, "format.json.request"),
        ({"json": {"time": "t", "address": "a", "status": "s", "request": ""}}, "empty key"),
        ({"json": {"date": "t", "address": "a", "status": "s", "request": "r"}}, "date and clock"),
        ({"json": "caddi"}, "caddy"),
        ({"columns": "time"}, "format.columns"),
        ({"columns": ["time", "ip"]}, "the unknown field ip"),
        ({"columns": ["time", "address", "request", "status"], "delimiter": "::"}, "format.delimiter"),
        ({"columns": ["time", "address", "request", "status"], "quote": 7}, "format.quote"),
        ({"ltsv": ["time"]}, "format.ltsv"),
        ({"ltsv": {"time": "t"}}, "address"),
        ({"template": 7}, "format.template"),
        ({"name": "w3c", "time_zone": "Europe/Berlin"}, "always in UTC"),
        ({"name": "haproxy", "time_zone": "Berlin"}, "Europe/Berlin"),
    ],
)
def test_a_bad_setting_is_answered_with_what_is_allowed(setting, named):
    """A map that cannot be used is refused with the place, the allowed values and a remedy."""
    with pytest.raises(ConfigError) as refusal:
        resolve_format(setting)

    assert named in str(refusal.value)
