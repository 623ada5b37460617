"""People are erased between releases; an attacker keeps every file ever published and compares them all."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from usage_stats.flow.erase import execute_erasure, plan_erasure
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace
from usage_stats.periods import parse_period

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PARTS = ("/", "/news/x", "/shop/y")
NAMES = ("visitors", "visits", "page_views")
LAST_DAY = 9
# Nightly runs, in April 2026 (the 5th is a Sunday, grace is two days), and one after the month.
RUNS = [datetime(2026, 4, day, 1, tzinfo=UTC) for day in (2, 4, 6, 9, 12)] + [
    datetime(2026, 5, 9, tzinfo=UTC)
]
# Who is erased after which run: before any day is out; between a day and its week; after the week and before the
# month; after the month; twice; several at several times.
STORIES = {
    "before any release": {0: [0]},
    "between day and week": {1: [0]},
    "amid the week": {2: [3]},
    "after the week": {4: [1]},
    "after the month": {5: [0, 1]},
    "twice": {1: [0], 2: [0], 4: [0]},
    "several": {0: [5], 1: [0, 3], 3: [1, 2], 4: [4, 0]},
}
# Some seconds each: these three hold every moment between them.
_USUAL = ("between day and week", "after the month", "several")
TOLD = [s if s in _USUAL else pytest.param(s, marks=pytest.mark.slow) for s in STORIES]


def _day_of_lines(day):
    """26 visitors, some of whom come on some days only; the first eleven see everything."""
    lines = []
    for who in range(26):
        if who % 4 == 3 and day % 2:
            continue
        account = f"acct{who}" if who % 3 == 0 else "-"
        cookie = f"cookie{who}" if who % 3 == 1 else "-"
        for n, path in enumerate(PARTS if who < 11 + day else PARTS[:2] if who % 2 else PARTS[:1]):
            when = f"{day:02}/Apr/2026:{8 + n * 2:02}:{who:02}:00 +0000"
            lines.append(
                f'10.{who}.{who}.7 - {account} [{when}] "GET {path} HTTP/1.1" 200 5 "-" "{AGENT}" "{cookie}"\n'
            )
    return "".join(lines)


def _named(who):
    """How an operator writes a visitor."""
    kinds = (f"account acct{who}", f"cookie cookie{who}", f"address 10.{who}.{who}.7\t{AGENT}")
    return f"{kinds[who % 3]}\n"


def _workspace(root):
    (root / "logs").mkdir(parents=True)
    source = {"name": "web", "logs": ["logs/*"], "format": "combined_cookie", "cookie": "visitor"}
    components = [
        {"name": name, "paths": [path]}
        for name, path in (("home", "/"), ("news", "/news/**"), ("shop", "/shop/**"))
    ]
    partners = [{"id": "acme"}, {"id": "other", "periods": ["day", "month"]}]
    held = {"site": "erased", "sources": [source], "components": components, "partners": partners}
    (root / "usage_stats.yaml").write_text(json.dumps(held | {"gaps": "accept"}))
    versions = [
        {"version": "1", "effective": "2010-01-01", "uses": ["internal_aggregate", "partner_aggregate"]}
    ]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


class _Life:
    """A workspace through all runs: every file ever published, what was sealed at the first erasure of anybody."""

    def __init__(self, root, erasures):
        self.root = _workspace(root)
        self.files, self.rows, self.sealed = [], [], None
        for number, now in enumerate(RUNS):
            for day in range(1, min(LAST_DAY, now.day - 1 if now.month == 4 else LAST_DAY) + 1):
                (root / "logs" / f"{day}.log").write_text(_day_of_lines(day))
            run(open_workspace(root), now, Silent())
            self._keep()
            if number in erasures:
                self._erase(erasures[number], now)
                run(open_workspace(root), now, Silent())
                self._keep()

    def _keep(self):
        top = self.root / "releases"
        self.files.append(
            {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}
        )
        self.rows.append(_database(self.root / "warehouse" / "usage_stats.duckdb"))

    def _erase(self, people, now):
        if self.sealed is None:
            self.sealed = {date.fromisoformat(e["day"]) for e in open_workspace(self.root).sealed.entries()}
        text = "".join(map(_named, people)).encode()
        plan = plan_erasure(open_workspace(self.root), text, now)
        execute_erasure(open_workspace(self.root), text, now, digest=plan.digest)

    def figures(self):
        """Every figure in every copy: (period, component, sub-component) → what was ever told of it."""
        found = {}
        for files in self.files:
            for name, content in files.items():
                if name.endswith(".csv"):
                    for row in csv.DictReader(io.StringIO(content.decode())):
                        told = None if row["status"] == "suppressed" else tuple(int(row[n]) for n in NAMES)
                        found.setdefault((row["period"], row["component"], row["sub_component"]), set()).add(
                            told
                        )
        return found


def _database(path):
    """Every row of every table of the analysts' file, but how many periods each has: these are more every day."""
    if not path.exists():
        return set()
    with duckdb.connect(str(path), read_only=True) as database:
        names = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return {
            (schema, name, *row)
            for schema, name in names
            if (schema, name) != ("catalog", "tables")
            for row in database.sql(f'from "{schema}"."{name}"').fetchall()
        }


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    """A life of each story, made when it is asked for, and one in which nobody is erased."""
    made, top = {}, tmp_path_factory.mktemp("erased")

    def life(story):
        if story not in made:
            made[story] = _Life(top / str(len(made)), STORIES.get(story, {}))
        return made[story]

    return life


def test_there_is_something_to_compare(lives):
    """Days, weeks and the month are published; an erasure changes what comes after it."""
    nobody, somebody = lives("nobody"), lives("between day and week")
    periods = {period for period, _, _ in nobody.figures()}

    assert {"2026-04-01", "2026-W14", "2026-W15", "2026-04"} <= periods
    assert nobody.files[-1] != somebody.files[-1]


@pytest.mark.parametrize("story", TOLD)
def test_no_two_copies_of_a_figure_differ(lives, story):
    """Between copies, partners and versions of the analysts' file, a figure is one figure, told or withheld for ever:
    a difference of one person would be that person.
    """
    life = lives(story)
    changed = [
        name for a, b in zip(life.files, life.files[1:], strict=False) for name in a if a[name] != b.get(name)
    ]
    gone = [row for a, b in zip(life.rows, life.rows[1:], strict=False) for row in a - b]

    assert life.rows[-1]
    assert [] == changed
    assert [] == gone
    assert {} == {key: told for key, told in life.figures().items() if len(told) > 1}


@pytest.mark.parametrize("story", TOLD)
def test_periods_of_days_sealed_before_are_as_if_nobody_had_been_erased(lives, story):
    """Byte for byte those of a twin without erasures: of weeks and months too that are released afterwards."""
    life, twin = lives(story), lives("nobody")
    days = life.sealed
    covered = {
        name: content
        for name, content in twin.files[-1].items()
        if _days_with_lines(name.split("/")[2]) <= days
    }

    assert bool(covered) == bool(days)
    assert covered.items() <= life.files[-1].items()


def _days_with_lines(code):
    """Days of a period on which somebody came, or could have: those behind them are sealed later, and are empty."""
    return {day for day in parse_period(code).days if date(2026, 4, 1) <= day <= date(2026, 4, LAST_DAY)}


@pytest.mark.parametrize("story", TOLD)
def test_sums_of_days_are_their_weeks_and_months(lives, story):
    """Page views and visits of published days add up to those of the published whole: nobody stands out between them;
    and people of a whole are no fewer than of any day, and no more than of all days.
    """
    told = {key: next(iter(values)) for key, values in lives(story).figures().items()}
    others = {period for period, _, _ in lives("nobody").figures()}
    wrong = []
    for (code, component, sub), whole in told.items():
        if len(code) == 10 or whole is None:
            continue
        days = [told.get((day.isoformat(), component, sub)) for day in _days_with_lines(code)]
        if None in days:
            continue
        sums = [sum(values) for values in zip(*days, strict=True)]
        is_sound = sums[1:] == list(whole[1:]) and max(d[0] for d in days) <= whole[0] <= sums[0]
        wrong += [] if is_sound else [(code, component, sub, sums, whole)]

    assert others == {period for period, _, _ in told}  # none was refused, as one that fits no sum would be
    assert [] == wrong


def test_the_last_run_released_everything(lives):
    """Nothing waits: so every figure that there will ever be was compared."""
    last = RUNS[-1] + timedelta(60)
    life = lives("several")
    done = run(open_workspace(life.root), last, Silent())

    assert {"2026-05"} >= {p.period.code for p in done.published}
