"""→ the named formats of Apache and nginx, as their own configuration files spell them.

Belongs here: names, templates, example lines. Does not: formats that no such template can spell.
"""

from __future__ import annotations

from usage_stats.accesslog.template import compile_format

__all__ = ["PASTED_FORMATS"]

_AGENT = b'"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"'
_TAIL = b'"GET /docs/index.html?page=2 HTTP/1.1" 200 5120 "https://www.example.org/" ' + _AGENT
_CLF_TIME = b"[17/May/2015:10:05:03 +0200]"
_COMBINED = r'%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'

_NGINX_TAIL = '"$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'

PASTED_FORMATS = tuple(
    compile_format(template, name=name, example=example)
    for name, template, example in (
        (
            "vhost_combined",  # Debian's and Ubuntu's other_vhosts_access.log
            r'%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
            b"www.example.org:443 192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL,
        ),
        ("combined", _COMBINED, b"192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL),
        (
            "nginx",  # the `main` of nginx.conf as nginx.org packages it
            f'$remote_addr - $remote_user [$time_local] {_NGINX_TAIL} "$http_x_forwarded_for"',
            b"192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL + b' "198.51.100.23"',
        ),
        (
            "combined_cookie",
            _COMBINED + ' "%{visitor}C"',
            b"192.0.2.7 - - " + _CLF_TIME + b" " + _TAIL + b' "f3b0c442"',
        ),
        (
            "common",
            r'%h %l %u %t "%r" %>s %b',
            b"192.0.2.7 - ada " + _CLF_TIME + b' "GET / HTTP/1.0" 200 2326',
        ),
        (
            "combined_iso8601",
            f"$remote_addr - $remote_user $time_iso8601 {_NGINX_TAIL}",
            b"192.0.2.7 - - 2015-05-17T10:05:03.125+02:00 " + _TAIL,
        ),
        (
            "combined_long_date",
            _COMBINED.replace("%t", "[%{%B %d, %YT%H:%M:%S %z}t]"),
            b"192.0.2.7 - - [May 17, 2015T10:05:03 +0200] " + _TAIL,
        ),
        (
            "vhost_common",
            r'%v:%p %h %l %u %t "%r" %>s %O',
            b"www.example.org:443 192.0.2.7 - ada " + _CLF_TIME + b' "GET / HTTP/1.0" 200 2326',
        ),
        (
            "vhost_short",
            f"$host $remote_addr [$time_local] {_NGINX_TAIL}",
            b"www.example.org 192.0.2.7 " + _CLF_TIME + b" " + _TAIL,
        ),
    )
)
