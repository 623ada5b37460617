"""→ the named formats of load balancers, proxies, stores and JSON writers, each as data with an example line.

Belongs here: names, field maps, example lines. Does not: how any of them is parsed.
"""

from __future__ import annotations

from typing import Final

from usage_stats.accesslog.delimited import LabelledFormat
from usage_stats.accesslog.json_format import json_format
from usage_stats.accesslog.template import spelt_format
from usage_stats.accesslog.timestamps import CLF, ISO_8601
from usage_stats.accesslog.w3c import W3cFormat

__all__ = ["JSON_FORMATS", "LABELLED_FORMATS", "SERVICE_FORMATS", "W3C_FORMATS"]

_AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_PAGE = b"GET /docs/index.html?page=2 HTTP/1.1"
_URL = b"GET https://www.example.org:443/docs/index.html?page=2 HTTP/1.1"
_IDS: Final = (
    b"ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
    b'arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/t/1 "Root=1-1-1"'
)

SERVICE_FORMATS = (
    spelt_format(
        # Traefik's CLF: the combined format and its number, router, server and duration behind it.
        # Source: https://doc.traefik.io/traefik/observe/logs-and-access-logs/
        '{address} {ident} {user} [{time}] "{request}" {status} {bytes} "{referrer}" "{agent}" '
        '{ignored} "{ignored}" "{ignored}" {ignored}',
        CLF,
        name="traefik_clf",
        example=b'192.0.2.7 - - [17/May/2015:10:05:03 +0200] "%b" 200 5120 "https://www.example.org/" "%b" '
        b'500 "site@docker" "http://172.17.0.3:80" 2ms' % (_PAGE, _AGENT),
    ),
    spelt_format(
        # Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
        "{ignored} {time} {ignored} {endpoint} {ignored} {ignored} {ignored} {ignored} {status} {ignored} {ignored} "
        '{bytes} "{request}" "{agent}"{rest}',
        ISO_8601,
        name="alb",
        example=b"https 2015-05-17T08:05:03.127531Z app/site/1 192.0.2.7:2817 10.0.0.1:80 0.001 0.102 0.000 200 200 "
        b'225 5120 "%b" "%b" %b "www.example.org" "arn:aws:acm:eu-west-1:1:certificate/1" 0 '
        b'2015-05-17T08:05:03.023000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"' % (_URL, _AGENT, _IDS),
        has_whole_urls=True,
    ),
    spelt_format(
        # Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
        "{time} {ignored} {endpoint} {ignored} {ignored} {ignored} {ignored} {status} {ignored} {ignored} {bytes} "
        '"{request}" "{agent}"{rest}',
        ISO_8601,
        name="elb",
        example=b"2015-05-17T08:05:03.945958Z site 192.0.2.7:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 "
        b'5120 "%b" "%b" DHE-RSA-AES128-SHA TLSv1.2' % (_URL, _AGENT),
        has_whole_urls=True,
    ),
    spelt_format(
        # Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html; the bucket is the host.
        "{ignored} {vhost} [{time}] {address} {user} {ignored} {ignored} {ignored} "
        '"{request}" {status} {ignored} {bytes} {ignored} {ignored} {ignored} "{referrer}" "{agent}"{rest}',
        CLF,
        name="s3",
        example=b"b659b576cff1 www.example.org [17/May/2015:10:05:03 +0200] 192.0.2.7 - EB3502676500C6BE "
        b'WEBSITE.GET.OBJECT docs/index.html "%b" 200 - 5120 5120 10 9 "https://www.example.org/" "%b" -'
        % (_PAGE, _AGENT),
    ),
    spelt_format(
        # HAProxy's HTTP log writes the server's local time without its offset: taken as UTC, unless
        # `format: {name: haproxy, time_zone: ...}` says otherwise. It logs no agent of its own accord.
        # Source: https://docs.haproxy.org/dev/configuration.html#8.2.3
        "{endpoint} [{time}] {ignored} {ignored} {ignored} {status} {bytes} {ignored} {ignored} {ignored} {ignored} "
        '{ignored}{captures} "{request}"{rest}',
        "%d/%b/%Y:%H:%M:%S%N",
        name="haproxy",
        example=b"May 17 08:05:03 lb haproxy[6801]: 192.0.2.7:55008 [17/May/2015:08:05:03.584] https~ site/web1 "
        b'0/0/0/72/72 200 5120 - - ---- 5/4/0/1/0 0/0 {www.example.org} "%b"' % _PAGE,
        zone="UTC",
        may_be_wrapped=True,
    ),
    spelt_format(
        # Source: https://wiki.squid-cache.org/Features/LogFormat#squid-native-accesslog-format-in-detail
        "{time}{padding}{ignored} {address} {ignored}/{status} {bytes} {method} {target} {user} {ignored} {ignored}",
        "%s.%f",
        name="squid",
        example=b"1431849903.586    921 192.0.2.7 TCP_MISS/200 5120 GET "
        b"https://www.example.org/docs/index.html?page=2 - HIER_DIRECT/203.0.113.5 text/html",
        has_whole_urls=True,
    ),
    spelt_format(
        # Envoy's default has no client address but the chain, to which it has appended whom it saw.
        # Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
        '[{time}] "{request}" {status} {ignored} {ignored} {bytes} {ignored} {ignored} "{forwarded}" "{agent}" '
        '"{ignored}" "{vhost}" "{ignored}"{rest}',
        ISO_8601,
        name="envoy",
        example=b'[2015-05-17T08:05:03.310Z] "%b" 200 - 154 5120 226 100 "198.51.100.23, 192.0.2.7" "%b" '
        b'"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "www.example.org" "tcp://10.0.2.1:80"' % (_PAGE, _AGENT),
        may_be_wrapped=True,
    ),
)

W3C_FORMATS = (
    W3cFormat(
        "cloudfront",
        b"2015-05-17\t08:05:03\tFRA2\t5120\t192.0.2.7\tGET\td1.cloudfront.net\t/docs/index.html\t200\t"
        b"https://www.example.org/\tMozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:128.0)%20Gecko/20100101%20Firefox/128.0"
        b"\tpage=2\t-\tHit\tMRVMF7KydIvxMWfJIglg\twww.example.org\thttps\t217\t0.001",
        is_cloudfront=True,
        columns=tuple(
            (  # noqa: SIM905 the columns as CloudFront's own #Fields: line writes them
                "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
                "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header "
                "cs-protocol cs-bytes time-taken"
            ).split()
        ),
    ),
    W3cFormat(
        "w3c",
        b"2015-05-17 08:05:03 10.0.0.1 GET /docs/index.html page=2 443 - 192.0.2.7 "
        b"Mozilla/5.0+(X11;+Linux+x86_64;+rv:128.0)+Gecko/20100101+Firefox/128.0 https://www.example.org/ 200 0 0 29",
        columns=tuple(
            (  # noqa: SIM905 the columns as IIS 7 and later write them by default
                "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
                "cs(Referer) sc-status sc-substatus sc-win32-status time-taken"
            ).split()
        ),
    ),
)

JSON_FORMATS = (
    json_format(
        # Source: https://caddyserver.com/docs/caddyfile/directives/log
        {
            "time": "ts",
            "address": ("request.client_ip", "request.remote_ip", "request.remote_addr"),
            "user": "user_id",
            "method": "request.method",
            "path": "request.uri",
            "status": "status",
            "agent": "request.headers.User-Agent",
            "referrer": "request.headers.Referer",
            "cookies": "request.headers.Cookie",
            "vhost": "request.host",
            "forwarded": "request.headers.X-Forwarded-For",
            "gpc": "request.headers.Sec-Gpc",
            "dnt": "request.headers.Dnt",
        },
        name="caddy",
        example=b'{"level":"info","ts":1431849903.8155608,"logger":"http.log.access","msg":"handled request",'
        b'"request":{"remote_ip":"192.0.2.7","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET",'
        b'"host":"www.example.org","uri":"/docs/index.html?page=2","headers":{"User-Agent":["%b"],'
        b'"Referer":["https://www.example.org/"],"Sec-Gpc":["1"]}},"user_id":"","size":5120,"status":200}'
        % _AGENT,
    ),
    json_format(
        # Source: https://doc.traefik.io/traefik/observe/logs-and-access-logs/; headers as request_<Name>.
        {
            "time": ("StartUTC", "time"),
            "address": ("ClientHost", "ClientAddr"),
            "user": "ClientUsername",
            "method": "RequestMethod",
            "path": "RequestPath",
            "status": "DownstreamStatus",
            "agent": "request_User-Agent",
            "referrer": "request_Referer",
            "cookies": "request_Cookie",
            "vhost": "RequestHost",
            "forwarded": "request_X-Forwarded-For",
            "gpc": "request_Sec-Gpc",
            "dnt": "request_Dnt",
        },
        name="traefik",
        example=b'{"ClientAddr":"192.0.2.7:50000","ClientHost":"192.0.2.7","ClientUsername":"-","DownstreamStatus":200,'
        b'"RequestHost":"www.example.org","RequestMethod":"GET","RequestPath":"/docs/index.html?page=2",'
        b'"StartUTC":"2015-05-17T08:05:03.123456789Z","request_User-Agent":"%b",'
        b'"request_Referer":"https://www.example.org/","level":"info"}' % _AGENT,
    ),
    json_format(
        # Envoy Gateway's default. Source: https://gateway.envoyproxy.io/docs/tasks/observability/proxy-accesslog/
        {
            "time": "start_time",
            "address": "downstream_remote_address",
            "method": "method",
            "path": ("x-envoy-origin-path", "path"),
            "status": "response_code",
            "agent": "user-agent",
            "referrer": "referer",
            "vhost": ":authority",
            "forwarded": "x-forwarded-for",
        },
        name="envoy_json",
        example=b'{":authority":"www.example.org","downstream_remote_address":"192.0.2.7:59292","method":"GET",'
        b'"protocol":"HTTP/2","response_code":200,"start_time":"2015-05-17T08:05:03.479Z","user-agent":"%b",'
        b'"x-envoy-origin-path":"/docs/index.html?page=2","x-forwarded-for":"192.0.2.7"}' % _AGENT,
    ),
    json_format(
        # nginx names no keys: most configurations call them by their variables, or shorter.
        # Source: https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format, with escape=json.
        {
            "time": ("time_iso8601", "time_local", "time", "@timestamp", "timestamp", "msec", "ts", "date"),
            "address": ("remote_addr", "client_ip", "remote_ip", "ip", "client", "addr"),
            "user": ("remote_user", "user"),
            "request": "request",
            "method": ("request_method", "method"),
            "path": ("request_uri", "uri", "path", "url"),
            "query": ("args", "query_string"),
            "status": ("status", "status_code", "code"),
            "agent": ("http_user_agent", "user_agent", "agent", "ua"),
            "referrer": ("http_referer", "http_referrer", "referer", "referrer"),
            "cookies": ("http_cookie", "cookie"),
            "vhost": ("host", "http_host", "server_name", "vhost"),
            "forwarded": ("http_x_forwarded_for", "x_forwarded_for", "xff"),
            "gpc": ("http_sec_gpc", "sec_gpc"),
            "dnt": ("http_dnt", "dnt"),
        },
        name="nginx_json",
        example=b'{"time_iso8601":"2015-05-17T10:05:03+02:00","remote_addr":"192.0.2.7","remote_user":"",'
        b'"request":"%b","status":200,"body_bytes_sent":5120,"http_referer":"https://www.example.org/",'
        b'"http_user_agent":"%b","host":"www.example.org"}' % (_PAGE, _AGENT),
    ),
)

LABELLED_FORMATS = (
    LabelledFormat(
        "ltsv",
        b"time:17/May/2015:10:05:03 +0200\thost:192.0.2.7\tforwardedfor:-\tuser:-\treq:%b\tstatus:200\tsize:5120\t"
        b"referer:https://www.example.org/\tua:%b\tvhost:www.example.org" % (_PAGE, _AGENT),
        (
            ("time", "time"),
            ("address", "host"),
            ("forwarded", "forwardedfor"),
            ("ident", "ident"),
            ("user", "user"),
            ("request", "req"),
            ("method", "method"),
            ("path", "uri"),
            ("status", "status"),
            ("referrer", "referer"),
            ("agent", "ua"),
            ("cookies", "cookie"),
            ("vhost", "vhost"),
        ),
    ),
)
