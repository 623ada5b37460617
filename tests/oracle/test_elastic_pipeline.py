"""A real log through the whole pipeline, counted a second time in plain Python, and every byte it leaves searched."""

import csv
import itertools
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes

import crawleruseragents
import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOG = REPOSITORY / ".." / "shared" / "data" / "logs" / "elastic-examples" / "apache_logs.log"

pytestmark = pytest.mark.skipif(
    not LOG.is_file(), reason="the real logs are kept beside the project, in ../shared/data"
)

MINIMUM_PERSONS, MINIMUM_NETWORKS = 10, 3
ASSETS = {"css", "js", "ico", "png", "jpg", "jpeg", "gif", "svg", "txt", "xml", "xsl", "rss", "atom", "pdf"}
ASSETS |= {"gz", "bz2", "zip", "tar", "tgz", "exe", "rpm", "deb", "jar", "rb", "webm", "mp4", "mp3"}
PARTS = {  # first segment of the path → its sub-components
    "presentations": (),
    "blog": ("geekery", "tags"),
    "projects": ("xdotool", "keynav"),
    "files": (),
    "articles": (),
}
SHORTEST = 6  # bytes: shorter values ("a=1", "-") stand in any file by chance and are not searched for


def _settings():
    """Gaps are accepted: so the two weeks and the month around the four days are released too."""
    components = [{"name": "home", "paths": ["/", "/index.html"]}]
    for name, subs in PARTS.items():
        parts = [{"name": sub, "paths": [f"/{name}/{sub}/**"]} for sub in subs]
        components.append({"name": name, "paths": [f"/{name}/**"], "sub_components": parts})
    return {
        "site": "elastic",
        "time_zone": "UTC",
        "sources": [{"name": "web", "logs": [str(LOG.resolve())], "format": "combined"}],
        "components": components,
        "asset_extensions": sorted(ASSETS),
        "partners": [{"id": "acme"}],
        "thresholds": {"minimum_persons": MINIMUM_PERSONS, "minimum_networks": MINIMUM_NETWORKS},
        "gaps": "accept",
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The pipeline, run once by the command a person would type, with Dagster's records kept."""
    root = tmp_path_factory.mktemp("elastic")
    workspace, home = root / "workspace", root / "dagster"
    workspace.mkdir()
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (workspace / "usage_stats.yaml").write_text(json.dumps(_settings()))
    uses = ["internal_aggregate", "partner_aggregate"]
    policy = {"versions": [{"version": "1", "effective": "2010-01-01", "uses": uses}]}
    (workspace / "policy.yaml").write_text(json.dumps(policy))
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", str(workspace)],
        cwd=REPOSITORY,
        env={**os.environ, "DAGSTER_HOME": str(home)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return SimpleNamespace(workspace=workspace, home=home, stdout=done.stdout, stderr=done.stderr)


# ---------------------------------------------------------------- the second count, without any code of ours

LINE = re.compile(
    rb'(\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) \S+ "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"\s*'
)
# The documented rules that are ours, beside the public list: words that only programs have in their names...
WORDS = (
    "robot crawl spider slurp sucker scanner monitor fetcher feedparser feedburner libwww libcurl libfetch"
)
PHRASES = ("tiny tiny rss", "rss reader", "debian apt-http", "httpclient", "http-client", "link validator")
NAMES = (
    "headless",
    "http_request",
    "nuclei",
    "zgrab",
    "masscan",
    "portscout",
    "robosourcer",
    "daumoa",
    "distilator",
    "reeder/",
    "newsify/",
    "google favicon",
    "microsoft office protocol",
)
# ... a web address to complain to, libraries that put themselves first, and names that say nothing.
ADDRESSES = ("http://", "https://")
LIBRARIES = ("wget", "curl", "java/", "python", "php", "ruby", "perl", "go-http", "okhttp", "chef client")
NAMELESS = ("", "-", "mozilla/4.0", "mozilla/5.0")


def _says_bot(name):
    """`bot` at the end of a word, but for the telephones of Cubot."""
    ends = [m.end() for m in re.finditer("bot", name)]
    return any(name[end - 5 : end - 3] != "cu" and not name[end : end + 1].isalpha() for end in ends)


def _has_mail_address(name):
    parts = name.split("@")
    return any(a[-1:].isalnum() and b[:1].isalnum() for a, b in itertools.pairwise(parts))


def _is_program(agent):
    name = agent.decode("utf-8", "replace").strip()
    low = name.lower()
    return (
        low in NAMELESS
        or _says_bot(low)
        or low.startswith(LIBRARIES)
        or any(word in low for word in (*WORDS.split(), *PHRASES, *NAMES, *ADDRESSES))
        or _has_mail_address(low)
        or crawleruseragents.is_crawler(name)
    )


def _place(path):
    segments = path.decode("latin-1").split("/")[1:]
    if path in {b"/", b"/index.html"}:
        return "home", None
    subs = PARTS.get(segments[0])
    if subs is None:
        return "(other)", None
    sub = segments[1] if len(segments) > 1 and segments[1] in subs else "(other)"
    return segments[0], sub if subs else None


def _request(line):
    """(time, identity, network, method, path, status) of a person's request for a path of ours, else None."""
    match = LINE.fullmatch(line)
    if match is None:
        return None
    address, _, user, time, request, status, _, agent = match.groups()
    words = request.split(b" ")
    if len(words) != 3 or not words[1].startswith(b"/") or _is_program(agent):
        return None
    path = re.sub(rb"//+", b"/", unquote_to_bytes(re.split(rb"[?#;]", words[1])[0]))
    at = datetime.strptime(time.decode(), "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
    identity = (address, agent) if user == b"-" else (user,)
    return at, identity, address.rsplit(b".", 1)[0], words[0], path, status


def _view(request):
    """(day, second, identity, network, component, sub-component) of a page view, else None."""
    at, identity, network, method, path, status = request
    if method != b"GET" or not (status.startswith(b"2") or status == b"304"):
        return None
    file = path.rsplit(b"/", 1)[1]
    if b"." in file and file.rsplit(b".", 1)[1].decode("latin-1").lower() in ASSETS:
        return None
    return at.date(), at.timestamp(), identity, network, *_place(path)


def _views(lines):
    """All page views but those of whoever asked for robots.txt on the same day: no browser does."""
    requests = [request for line in lines if (request := _request(line))]
    robots = {(at.date(), identity) for at, identity, _, _, path, _ in requests if path == b"/robots.txt"}
    views = [view for request in requests if (view := _view(request))]
    return [view for view in views if (view[0], view[2]) not in robots]


def _visits(views):
    """Each view with the number of its visit: a new one after more than 1800 s, or on another day."""
    numbered, before = [], None
    for number, view in enumerate(sorted(views, key=lambda v: (v[2], v[1]))):
        if before is None or before[:3:2] != view[:3:2] or view[1] - before[1] > 1800:
            visit = number
        before = view
        numbered.append((*view, visit))
    return numbered


def _periods(day):
    year, week, _ = day.isocalendar()
    return day.isoformat(), f"{year}-W{week:02}", f"{day:%Y-%m}"


@pytest.fixture(scope="module")
def counted():
    """(period, component, sub-component) → persons, visits, number of page views, networks, as sets."""
    views = _views(LOG.read_bytes().split(b"\n"))
    found = defaultdict(lambda: [set(), set(), 0, set()])
    for day, _, identity, network, component, sub, visit in _visits(views):
        cells = [("_T", "_T"), (component, "_T")] + ([(component, sub)] if sub else [])
        for period, cell in itertools.product(_periods(day), cells):
            entry = found[period, *cell]
            entry[0].add(identity)
            entry[1].add(visit)
            entry[2] += 1
            entry[3].add(network)
    return found


def _published(folder):
    """The partner's files: (period, component, sub-component) → (visitors, visits, page views), None if withheld."""
    cells = {}
    for path in sorted(folder.glob("*/components.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = row["period"], row["component"], row["sub_component"]
                values = tuple(row[m] for m in ("visitors", "visits", "page_views"))
                cells[key] = None if row["status"] == "suppressed" else tuple(map(int, values))
                assert (cells[key] is None) == (values == ("", "", ""))
    return cells


@pytest.fixture(scope="module")
def published(ran):
    """What the partner received."""
    return _published(ran.workspace / "releases" / "acme" / "components")


def test_published_figures_are_those_of_a_second_count(published, counted):
    """Every figure that leaves the house equals a plain count over the raw lines."""
    empty = (set(), set(), 0, set())
    expected = {}
    for key, figures in published.items():
        persons, visits, page_views, _ = counted.get(key, empty)
        expected[key] = figures and (len(persons), len(visits), page_views)

    assert expected == published


def test_what_is_released_is_not_nothing(published):
    """Four days, the two weeks and the month they touch, and a good part of their cells, are published."""
    days = {f"2015-05-{n}" for n in (17, 18, 19, 20)}
    shown = sum(figures is not None for figures in published.values())

    assert days | {"2015-W20", "2015-W21", "2015-05"} == {key[0] for key in published}
    assert shown > len(published) / 3


def test_what_rests_on_too_few_is_withheld(published, counted):
    """Every cell of 1 to 9 persons, or of fewer than 3 networks, is withheld; every empty one is 0."""
    demanded, empty = set(), set()
    for key in published:
        persons, _, _, networks = counted.get(key, (set(), set(), 0, set()))
        if not persons:
            empty.add(key)
        elif len(persons) < MINIMUM_PERSONS or len(networks) < MINIMUM_NETWORKS:
            demanded.add(key)

    assert demanded
    assert set() == {key for key in demanded if published[key] is not None}
    assert {(0, 0, 0)} >= {published[key] for key in empty}


def test_no_difference_of_published_figures_is_about_too_few(published, counted):
    """A published whole exceeds a published part of it by no one or by at least the minimum persons."""
    shown = [key for key, figures in published.items() if figures]
    differences = {
        len(counted[whole][0] - counted[part][0])
        for part, whole in itertools.permutations(shown, 2)
        if counted[part][0] <= counted[whole][0] and _is_inside(part, whole)
    }

    assert [] == sorted(d for d in differences if 0 < d < MINIMUM_PERSONS)


def _is_inside(part, whole):
    """By the meaning of the cells, not by chance: its period and its category lie in the other's."""
    days = {d.isoformat() for d in (datetime(2015, 5, 1) + timedelta(n) for n in range(31))}
    spans = {d: {d} for d in {x[:10] for x in days}}
    spans |= {"2015-05": set(spans), "2015-W20": {f"2015-05-{n}" for n in range(11, 18)}}
    spans["2015-W21"] = {f"2015-05-{n}" for n in range(18, 25)}
    categories = all(w in {p, "_T"} for p, w in zip(part[1:], whole[1:], strict=True))
    return spans[part[0]] <= spans[whole[0]] and categories


def _small(values):
    return [v for v in values if v is not None and 0 < v < MINIMUM_PERSONS]


def test_no_file_holds_a_figure_about_too_few_persons(ran):
    """No visitors column of any CSV, Parquet or DuckDB file outside the restricted store holds 1 to 9."""
    found = []
    for path in sorted((ran.workspace / "releases").rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found += _small(int(row["visitors"]) for row in csv.DictReader(file) if row["visitors"])
    for path in sorted((ran.workspace / "releases").rglob("*.parquet")):
        found += _small(pq.read_table(path)["visitors"].to_pylist())
    with duckdb.connect(str(ran.workspace / "warehouse" / "usage_stats.duckdb"), read_only=True) as database:
        rows = database.execute("select visitors from components").fetchall()
        found += _small(value for (value,) in rows)

    assert rows
    assert [] == found


def test_csv_parquet_and_the_analysts_file_say_the_same(ran, published):
    """One release, three spellings."""
    columns = ("period", "component", "sub_component", "visitors", "visits", "page_views")
    parquet = []
    for path in sorted((ran.workspace / "releases").rglob("*.parquet")):
        table = pq.read_table(path, columns=list(columns)).to_pydict()
        parquet += zip(*(table[c] for c in columns), strict=True)
    with duckdb.connect(str(ran.workspace / "warehouse" / "usage_stats.duckdb"), read_only=True) as database:
        analysts = database.execute(f"select {', '.join(columns)} from components").fetchall()  # noqa: S608 our own names
    expected = {key: figures or (None, None, None) for key, figures in published.items()}

    assert expected == {tuple(row[:3]): tuple(row[3:]) for row in parquet}
    assert expected == {row[:3]: row[3:] for row in analysts}


# ---------------------------------------------------------------- nothing of a line on any byte outside


def _identifying_values():
    """All addresses, user agents, query strings and referrers with a query of the log, malformed lines' too."""
    values = set()
    for line in LOG.read_bytes().split(b"\n")[:-1]:
        address, _, rest = line.partition(b" ")
        _, request, _, referrer, _, agent = rest.split(b'"')[:6]  # the malformed line has its agent too, cut
        queries = [request.partition(b"?")[2].split(b" ")[0], referrer.partition(b"?")[2]]
        values |= {address, agent, *queries, referrer if b"?" in referrer else b""}
    return {value for value in values if len(value) >= SHORTEST}


def _occurring(haystack, values):
    """The values that occur: all runs of 6 bytes of the haystack against the first 6 of each value, then the rest."""
    weights = 256 ** np.arange(SHORTEST, dtype=np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(haystack, np.uint8), SHORTEST)
    runs = windows.astype(np.uint64) @ weights
    heads = defaultdict(list)
    for value in values:
        heads[int.from_bytes(value[:SHORTEST], "little")].append(value)
    places = np.flatnonzero(np.isin(runs, np.fromiter(heads, np.uint64, len(heads))))
    return {v for place in places for v in heads[int(runs[place])] if haystack.startswith(v, place)}


def _read_out(path):
    """A file's bytes, and what they say once decompressed and read by its own reader."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield repr((table.to_pydict(), table.schema.metadata)).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as database:
            tables = database.execute(
                "select schema_name, table_name, comment from duckdb_tables()"
            ).fetchall()
            yield repr((tables, database.execute("select * from duckdb_columns()").fetchall())).encode()
            for schema, name, _ in tables:
                yield repr(database.execute(f'select * from "{schema}"."{name}"').fetchall()).encode()  # noqa: S608 names of the catalogue
    elif path.read_bytes().startswith(b"SQLite format 3"):
        with sqlite3.connect(path) as database:
            for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
                yield repr(database.execute(f'select * from "{name}"').fetchall()).encode()  # noqa: S608 names of the catalogue


def _everything_outside(ran):
    """All that anyone but the restricted store's owner can read after a run, as one run of bytes."""
    restricted = ran.workspace / "restricted"
    paths = [p for top in (ran.workspace, ran.home) for p in sorted(top.rglob("*")) if p.is_file()]
    parts = [part for path in paths if restricted not in path.parents for part in _read_out(path)]
    names = [str(path.relative_to(ran.workspace.parent)).encode() for path in paths]
    return b"\n\0\n".join([ran.stdout, ran.stderr, *names, *parts])


def test_no_value_of_a_line_is_on_any_byte_outside_the_restricted_store(ran):
    """No address, user agent, query string or referrer's query reaches a release, the analysts' file, the
    terminal or Dagster's records. Values under 6 bytes are not looked for: they occur by chance.
    """
    values = _identifying_values()
    outside = _everything_outside(ran)

    assert len(values) > 2900
    assert b"presentations" in outside
    assert b"ASSET_MATERIALIZATION" in outside
    assert set() == _occurring(outside, values)


def test_the_search_finds_what_is_there(ran):
    """Each value, planted once anywhere, is found: the test above can fail."""
    values = sorted(_identifying_values())
    planted = b"\0".join([_everything_outside(ran), *values])

    assert set(values) == _occurring(planted, values)


def test_the_restricted_store_holds_no_value_of_a_line_either(ran):
    """What identifies a person stays in memory: not even the restricted store has it on disk."""
    paths = [p for p in sorted((ran.workspace / "restricted").rglob("*")) if p.is_file()]
    inside = b"\n\0\n".join(part for path in paths for part in _read_out(path))

    assert b"lines_by_day" in inside
    assert set() == _occurring(inside, _identifying_values())


def test_every_line_is_accounted_for(ran):
    """The summary a person reads says 10,000 lines, one of them rejected for its agent."""
    words = " ".join(ran.stdout.decode().split())

    assert "read 10,000 lines" in words
    assert "9,999 parsed + 1 rejected" in words
    assert "1 agent" in words
