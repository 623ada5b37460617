import io
import json

import pytest
import yaml

from usage_stats.accesslog.formats import resolve_format
from usage_stats.accesslog.inspect import inspect_log
from usage_stats.accesslog.parse import Hit
from usage_stats.accesslog.read import Log
from usage_stats.config import check_config
from usage_stats.flow.describe_inspection import describe_inspection, source_as_yaml

COMBINED = '192.0.2.7 - {} [17/May/2015:10:05:03 +0000] "GET /secret HTTP/1.1" 200 7 "-" "Firefox"'
JSON_RECORD = {
    "event_time": "2026-04-01T10:00:00+02:00",
    "client_addr": "192.0.2.7",
    "http_verb": "GET",
    "url": "/secret",
    "resp_status": 200,
}
W3C = [
    "#Fields: date time c-ip cs-username cs-method cs-uri-stem sc-status cs(Cookie)",
    "2026-04-01 10:00:00 192.0.2.7 ada GET /secret 200 theme=dark;+uid=7f3a",
    "2026-04-01 10:00:01 192.0.2.8 - GET /secret 200 secretname=7f3a",
]


def _inspect(folder, *lines, **options):
    path = folder / "it's [one].log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return inspect_log(path, log_format=None, robot_class=lambda _: None, **options)


def _pasted(found):
    """The configuration that someone has who pastes the suggestion."""
    text = describe_inspection(found).partition("# for usage_stats.yaml:\n")[2]
    return check_config({"site": "example"} | yaml.safe_load(text), "pasted").sources[0]


@pytest.mark.parametrize(
    "lines",
    [
        [COMBINED.format("-")] * 3,
        [json.dumps(JSON_RECORD)] * 3,
        ["timestamp,client_ip,method,url,status", '2026-04-01T10:00:00Z,192.0.2.7,GET,"/a,b",200'] * 2,
        W3C,
    ],
    ids=("combined", "json", "table", "w3c"),
)
def test_what_is_suggested_can_be_pasted(lines, tmp_path):
    """The lines of YAML are a valid entry, and its format reads the log as the inspection did."""
    found = _inspect(tmp_path, *lines)
    source = _pasted(found)
    parse = resolve_format(source.format).parser().parse
    hits = [line for line in lines if isinstance(parse(line.encode()), Hit)]

    assert found.parsed == len(hits) > 0


def test_the_suggestion_finds_the_log_it_was_made_of(tmp_path):
    """Brackets in a name are no pattern; rotated logs beside it are meant too."""
    found = _inspect(tmp_path, COMBINED.format("-"))
    (tmp_path / "it's [one].log.1").write_text("")
    (pattern,) = _pasted(found).logs

    assert ["it's [one].log", "it's [one].log.1"] == sorted(
        path.name for path in tmp_path.glob(pattern.removeprefix(f"{tmp_path.resolve()}/"))
    )


@pytest.mark.parametrize(("users", "account"), [("- - -", None), ("- ada -", "user")])
def test_an_account_is_suggested_where_the_log_has_some(users, account, tmp_path):
    """A log without a single user needs no such setting."""
    found = _inspect(tmp_path, *map(COMBINED.format, users.split()))

    assert account == found.suggestion.source.get("account")
    assert ("account: user" in describe_inspection(found)) == (account is not None)


def test_only_cookies_of_known_names_are_suggested(tmp_path):
    """A client may send any name: what is not on our list is never shown."""
    found = _inspect(tmp_path, *W3C)

    assert "uid" == found.suggestion.source["cookie"]
    assert (1, 1) == (found.suggestion.cookie_lines, found.suggestion.account_lines)
    assert "secretname" not in json.dumps(found.to_json(rejects=True)) + describe_inspection(found)


def test_a_cookie_that_the_format_names_is_suggested(tmp_path):
    """The name stands in the format, so it is the operator's."""
    found = _inspect(tmp_path, *[COMBINED.format("-") + ' "f3b0c442"'] * 3)

    assert "visitor" == found.suggestion.source["cookie"]


def test_standard_input_has_no_path_to_suggest():
    """The starter's own pattern stands in."""
    stream = io.BytesIO(COMBINED.format("-").encode())
    found = inspect_log(Log(None, stream=stream), log_format=None, robot_class=lambda _: None)

    assert ["logs/*"] == found.suggestion.source["logs"]


def test_the_entry_is_written_as_it_stands_in_the_file(tmp_path):
    """A list of one entry under `sources:`."""
    found = _inspect(tmp_path, COMBINED.format("-"))
    text = source_as_yaml(found.suggestion)

    assert text.startswith("sources:\n- name: web\n  logs:\n")
    assert text.endswith("\n  format: combined")


def test_an_inspection_in_words(tmp_path):
    """Format and why, lines, other formats, robots by class, rejects by number; nothing of a line."""
    common = COMBINED.format("-").partition(' "-"')[0]
    lines = [*[COMBINED.format("-")] * 20, common, "junk", *["# secret"] * 25]
    found = _inspect(tmp_path, *lines)
    text = describe_inspection(found, rejects=True)

    for words in (
        "format     combined (sure: 20 of 22 lines looked at fit; next best common: 1)\n",
        "lines      47 = 20 parsed + 27 rejected\n",
        "           rejected for: 25 directive, 1 ident, 1 referrer\n",
        "           1 of the rejected fit the format common: is this the log of two servers?\n",
        "time       2015-05-17T10:05:03Z to 2015-05-17T10:05:03Z\n",
        "robots     0 lines\n",
        "clients    1 addresses\n",
        "rejects    ident: 22 (line numbers)\n",
        f"rejects    directive: {', '.join(map(str, range(23, 43)))} and 5 more (line numbers)\n",
    ):
        assert words in text
    assert not [value for value in ("secret\n", "192.0.2.7", "Firefox", "junk") if value in text]
    assert "rejects" not in describe_inspection(found)


def test_a_guessed_time_zone_is_called_a_guess(tmp_path):
    """Times without an offset are read as UTC, and the words say so beside the setting to correct."""
    found = _inspect(tmp_path, *[json.dumps(JSON_RECORD | {"event_time": "2026-04-01T10:00:00"})] * 3)
    sure = _inspect(tmp_path, *[json.dumps(JSON_RECORD)] * 3)

    assert ("2026-04-01T10:00:00Z", "UTC") == (found.first_at, _pasted(found).format["time_zone"])
    assert "UTC is only a guess" in describe_inspection(found)
    assert "only a guess" not in describe_inspection(sure)


def test_a_given_format_is_not_second_guessed(tmp_path):
    """Whoever names the format needs no entry and no reasons."""
    path = tmp_path / "a.log"
    path.write_text(COMBINED.format("-"))
    found = inspect_log(path, log_format=resolve_format("combined"), robot_class=lambda _: None)

    assert "format     combined, as given\n" in describe_inspection(found)
    assert "sources:" not in describe_inspection(found)
