"""Who is excluded, and who stands behind proxies: figures as in a world without the ones, or without the others."""

import json
from datetime import UTC, datetime

import pytest

from usage_stats.errors import ConfigError
from usage_stats.flow import ingest as ingest_module

LATER = datetime(2026, 6, 1, 12, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
FORMAT = (
    '%a %l %u %t "%r" %>s %b "%{User-Agent}i" "%{X-Forwarded-For}i" "%{visitor}C" "%{Sec-GPC}i" "%{DNT}i"'
)
SOURCE = {"name": "web", "format": FORMAT, "cookie": "visitor", "trusted_proxies": ["10.0.0.0/8"]}


def _line(at, n, *, account="-", cookie="-", gpc="-", dnt="-", path="/", peer=None, chain="-"):
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    peer = peer or f"192.0.{n}.7"
    return f'{peer} - {account} [{when}] "GET {path} HTTP/1.1" 200 5 "{AGENT}" "{chain}" "{cookie}" "{gpc}" "{dnt}"\n'


def _crowd(at):
    return [_line(at, n) for n in range(20)] + [_line(at, 100 + n, account=f"user{n}") for n in range(12)]


@pytest.fixture(params=["exact", "compiled"])
def path(request, monkeypatch):
    """Both ways of reading a log."""
    monkeypatch.setattr(ingest_module, "_LARGE", 0 if request.param == "compiled" else 1 << 40)


def _figures(site, lines, now, **settings):
    site.configure(**({"sources": [SOURCE]} | settings))
    site.log("access.log", "".join(lines).encode())
    site.run(now)
    return {name: content for name, content in site.releases().items() if name.endswith(".csv")}


def _listed(site, name, *values):
    file = site.root.parent / f"{site.root.name}-{name}"
    file.write_text("\n".join(values))
    file.chmod(0o600)
    return str(file)


@pytest.mark.usefixtures("path")
def test_figures_are_those_of_a_world_without_the_excluded(site, noon, tmp_path):
    """Not one of their requests counts, whatever they ask for; and their lines are accounted for."""
    at = noon(2)
    crowd = _crowd(at)
    excluded = [
        _line(at, 201, account="kim"),
        _line(at, 202, account="ada"),
        _line(at, 203, cookie="c0ffee"),
        _line(at, 204, gpc="1"),
        _line(at, 205, dnt="1"),
        _line(at, 1, path="/kids/games"),
        _line(at, 1, gpc="1"),  # one who else is counted
    ]
    near = [_line(at, 206, gpc="0"), _line(at, 207, dnt="null"), _line(at, 208, cookie="kim")]
    twin = site.copy(tmp_path / "twin")
    rules = {
        "child_directed": ["/kids/**"],
        "under_13_accounts": _listed(site, "children", "kim"),
        "opt_out_accounts": _listed(site, "accounts", "ada"),
        "opt_out_cookies": _listed(site, "cookies", "c0ffee"),
    }
    expected = _figures(twin, [*crowd, *near], LATER)
    found = _figures(site, [*excluded, *crowd, *near], LATER, exclusions=rules)
    (outcomes,) = site.outcomes()

    assert expected == found
    assert any(b"published" in content for content in found.values())
    assert {"child_directed": 1, "under_13": 1, "opted_out": 2, "gpc": 2, "dnt": 1} == {
        name.removeprefix("excluded."): lines for name, lines in outcomes.items() if "excluded" in name
    }


@pytest.mark.usefixtures("path")
def test_figures_behind_proxies_are_those_of_direct_visits(site, noon, tmp_path):
    """Each client counts once, however it came, and what it claims about itself changes nothing."""
    at = noon(2)
    direct = _crowd(at)
    proxied = [
        _line(
            at,
            0,
            peer="10.0.0.1",
            chain=f"198.51.100.{n}, 192.0.{n}.7, 10.1.1.1" if n % 2 else f"192.0.{n}.7",
        )
        for n in range(20)
    ] + direct[20:]
    twin = site.copy(tmp_path / "twin")

    assert _figures(twin, direct, LATER) == _figures(site, proxied, LATER)


@pytest.mark.usefixtures("path")
def test_without_trust_a_chain_is_nobodys_word(site, noon, tmp_path):
    """Where no proxies are named, whoever sends the header is still the one that the server saw."""
    at = noon(2)
    source = SOURCE | {"trusted_proxies": []}
    claimed = [_line(at, n, chain=f"203.0.113.{n}") for n in range(20)]
    twin = site.copy(tmp_path / "twin")

    assert _figures(twin, [_line(at, n) for n in range(20)], LATER, sources=[source]) == _figures(
        site, claimed, LATER, sources=[source]
    )


def test_proxies_without_their_header_are_refused(site, noon):
    """Else all behind them would be one visitor: the message names the source and the way out."""
    site.configure(sources=[{"name": "web", "format": "combined", "trusted_proxies": ["10.0.0.0/8"]}])
    site.log(
        "access.log", b'10.0.0.1 - - [02/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "Firefox"\n'
    )
    with pytest.raises(ConfigError, match=r"source web: trusted_proxies .* combined .* no X-Forwarded-For"):
        site.run(LATER)

    assert "trusted_proxies" in json.dumps(json.loads((site.root / "usage_stats.yaml").read_text()))
