"""The same people in two windows, two kinds of windows and two sites: no number is common to any two of them, and
within a window everybody is one, whichever way the logs lie.
"""

import json
import random
from datetime import UTC, datetime
from itertools import combinations, pairwise

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# Days of two weeks and two months; at this moment all are sealed but for the last ones' windows, which are open.
DAYS = ("2026-03-30", "2026-03-31", "2026-04-01", "2026-04-06", "2026-04-07")
OPEN = datetime(2026, 4, 10, 1, tzinfo=UTC)
LATE = datetime(2026, 7, 1, tzinfo=UTC)


def _line(who, day, minute, path="/"):
    """Every third visitor has an account, every third a cookie."""
    when = (
        datetime.fromisoformat(f"{day}T10:00:00+00:00")
        .replace(minute=minute)
        .strftime("%d/%b/%Y:%H:%M:%S +0000")
    )
    account = f"acct{who}" if who % 3 == 0 else "-"
    cookie = f"cookie{who}" if who % 3 == 1 else "-"
    return f'10.{who}.{who}.7 - {account} [{when}] "GET {path} HTTP/1.1" 200 5 "-" "{AGENT}" "{cookie}"\n'


def _workspace(root, site, files):
    (root / "logs").mkdir(parents=True)
    for name, lines in files.items():
        (root / "logs" / name).write_text("".join(lines))
    source = {"name": "web", "logs": ["logs/*"], "format": "combined_cookie", "cookie": "visitor"}
    components = [{"name": "home", "paths": ["/"]}, {"name": "news", "paths": ["/news"]}]
    held = {"site": site, "sources": [source], "components": components, "partners": [{"id": "acme"}]}
    (root / "usage_stats.yaml").write_text(json.dumps(held | {"gaps": "wait"}))
    versions = [
        {"version": "1", "effective": "2010-01-01", "uses": ["internal_aggregate", "partner_aggregate"]}
    ]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


def _numbers(root):
    """Per window and column, the numbers that stand for people or networks: of usage and of events."""
    found = {}
    for path in sorted((root / "restricted" / "usage").rglob("*.parquet")):
        kind, day = path.parts[-3], path.parts[-2].removeprefix("day=")
        window = (
            day[:7] if kind == "month" else "{}-W{:02}".format(*datetime.fromisoformat(day).isocalendar()[:2])
        )
        table = pq.ParquetFile(path).read()
        for name in {"person", "network"} & set(table.column_names):
            found.setdefault((root.name, window, name), set()).update(table[name].to_pylist())
    return found


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """Two sites of the same people on the same days; a gap keeps their windows open."""
    top = tmp_path_factory.mktemp("apart")
    files = {f"{day}.log": [_line(who, day, who) for who in range(15)] for day in DAYS}
    roots = [_workspace(top / name, name, files) for name in ("one", "two")]
    for root in roots:
        run(open_workspace(root), OPEN, Silent())
    return roots


def test_no_number_is_common_to_two_windows_or_two_sites(held):
    """Weeks, months, a week and a month, one site and another, persons and networks."""
    numbers = {key: values for root in held for key, values in _numbers(root).items()}
    common = [(a, b) for a, b in combinations(sorted(numbers), 2) if numbers[a] & numbers[b]]

    assert 2 * 2 * 4 == len(numbers)
    assert {15} == set(map(len, numbers.values()))
    assert [] == common


def test_no_bytes_of_a_number_are_in_another_windows_files(held):
    """As bytes of either order in any file of the store but the window's own."""
    files = {p: p.read_bytes() for root in held for p in (root / "restricted" / "usage").rglob("*.parquet")}
    crossed = []
    for root in held:
        for (_, window, _), values in _numbers(root).items():
            for path, content in files.items():
                day = path.parts[-2].removeprefix("day=")
                weeks = "{}-W{:02}".format(*datetime.fromisoformat(day).isocalendar()[:2])
                is_own = root in path.parents and window == (day[:7] if path.parts[-3] == "month" else weeks)
                if not is_own:
                    crossed += [
                        path for n in values for order in ("big", "little") if n.to_bytes(8, order) in content
                    ]

    assert [] == crossed


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    visits=st.lists(
        st.tuples(st.integers(0, 29), st.sampled_from(DAYS[:3]), st.sampled_from(["/", "/news"])),
        min_size=30,
        max_size=120,
    ),
    seed=st.integers(0, 2**32),
    files=st.integers(1, 5),
)
def test_distinct_counts_are_the_truth_however_logs_are_cut(tmp_path_factory, visits, seed, files):
    """Files in any order, of any size, some given twice, read in one run or in two: as many people as came."""
    drawn = random.Random(seed)
    lines = [
        _line(who, day, n % 60, path) for n, (who, day, path) in enumerate(sorted(visits, key=lambda v: v[1]))
    ]
    lines = list(dict.fromkeys(lines))
    cuts = sorted({0, len(lines), *drawn.choices(range(len(lines) + 1), k=files)})
    parts = [lines[a:b] for a, b in pairwise(cuts) if a < b]
    names = drawn.sample([f"{n:02}.log" for n in range(40)], len(parts) + 1)
    content = dict(zip(names, [*parts, drawn.choice(parts)], strict=True))
    root = _workspace(
        tmp_path_factory.mktemp("cut") / "site", "site", dict(drawn.sample(list(content.items()), 1))
    )
    if drawn.random() < 0.5:
        run(open_workspace(root), datetime(2026, 4, 1, 23, tzinfo=UTC), Silent())
    for name, some in content.items():
        (root / "logs" / name).write_text("".join(some))
    run(open_workspace(root), OPEN, Silent())

    assert _truth(visits) == _counted(root)


def _truth(visits):
    found = {}
    for who, day, path in visits:
        for kind in ("week", "month"):
            window = day[:7] if kind == "month" else "2026-W14"
            for part in ("_T", "home" if path == "/" else "news"):
                found.setdefault((kind, window, part), set()).add(who)
    return {key: len(people) for key, people in found.items()}


def _counted(root):
    found = {}
    for path in (root / "restricted" / "usage").rglob("component_day.parquet"):
        kind, day = path.parts[-3], path.parts[-2].removeprefix("day=")
        window = day[:7] if kind == "month" else "2026-W14"
        table = pq.ParquetFile(path).read()
        columns = (table[name].to_pylist() for name in ("person", "component", "sub_component"))
        for person, component, sub in zip(*columns, strict=True):
            if sub == "_T":
                found.setdefault((kind, window, component), set()).add(person)
    return {key: len(people) for key, people in found.items()}
