import gzip
import re
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from crawleruseragents import is_crawler

from usage_stats.config import load_config
from usage_stats.errors import ConfigError
from usage_stats.policy import load_policy
from usage_stats.synthetic.agents import MAIL_AGENTS, ROBOTS, browser_agents
from usage_stats.synthetic.generate import generate
from usage_stats.synthetic.lines import JUNK

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"
SMALL = {"first_day": date(2026, 3, 28), "days": 3, "lines": 2_000}


def _bytes_below(directory):
    return {p.relative_to(directory): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def _raw_lines(generated):
    """All lines; each must end with a newline, the last of a file too."""
    return [raw for f in generated.files for raw in gzip.decompress(f.read_bytes()).split(b"\n")[:-1]]


def test_same_arguments_give_the_same_bytes(tmp_path):
    """A seed fixes every byte, wherever and how often it is run."""
    generate(tmp_path / "a", seed=1, **SMALL)
    generate(tmp_path / "b", seed=1, **SMALL)
    generate(tmp_path / "b", seed=1, **SMALL)

    assert _bytes_below(tmp_path / "a") == _bytes_below(tmp_path / "b")


def test_no_time_of_writing_is_kept(generated):
    """The four bytes of the gzip header that hold a time are zero, and the name's flag is not set."""
    assert {(0, bytes(4))} == {(f.read_bytes()[3], f.read_bytes()[4:8]) for f in generated.files}


def test_another_seed_gives_other_logs(tmp_path):
    """The seed matters."""
    first, second = (generate(tmp_path / str(seed), seed=seed, **SMALL) for seed in (1, 2))

    assert _raw_lines(first) != _raw_lines(second)


@pytest.mark.parametrize("lines", [300, 2_000, 20_000])
def test_as_many_lines_as_asked_for(tmp_path, lines):
    """Exactly: robots make up what people leave, so there is no tolerance to state."""
    generated = generate(tmp_path, first_day=date(2026, 3, 28), days=3, lines=lines)

    assert (lines, lines) == (generated.lines, len(_raw_lines(generated)))


def test_only_logs_and_truth_are_left_behind(generated):
    """Ten files of ten days, the two of the truth, and nothing unfinished."""
    days = [date(2026, 3, 25) + timedelta(days=n) for n in range(10)]
    expected = {Path("logs") / f"access-{d}.log.gz" for d in days}
    expected |= {Path("truth/figures.parquet"), Path("truth/lines.json")}

    assert expected == set(_bytes_below(generated.directory))


def test_each_day_is_announced_once(tmp_path):
    """Progress is reported in the order of the days."""
    announced = []
    generate(tmp_path, on_day=announced.append, **SMALL)
    expected = [date(2026, 3, d) for d in (28, 29, 30)]

    assert expected == announced


def test_a_file_holds_its_local_day_and_the_change_of_clocks(generated):
    """Every line is in the file of its local day; only 29 March has both offsets, and no third hour."""
    offsets, hours = {}, set()
    for file in generated.files:
        day = date.fromisoformat(file.name[7:17])
        stamps = re.findall(
            rb"\[(\d\d/\w{3}/\d{4}):(\d\d):\d\d:\d\d (\+\d{4})\]", gzip.decompress(file.read_bytes())
        )
        dates = {d for d, _, _ in stamps if d != b"31/Feb/2026"}
        assert {f"{day:%d/%b/%Y}".encode()} == dates
        offsets[day] = {o for _, _, o in stamps}
        hours |= {h for _, h, _ in stamps if day == date(2026, 3, 29)}

    change = date(2026, 3, 29)
    expected = {d: {b"+0100"} if d < change else {b"+0200"} for d in offsets} | {change: {b"+0100", b"+0200"}}
    assert expected == offsets
    assert {b"01", b"03"} <= hours
    assert b"02" not in hours


def test_lines_are_mostly_but_not_wholly_in_order(generated):
    """A server writes at the end of a request: a few lines come seconds late."""
    raw = gzip.decompress(generated.files[0].read_bytes())
    stamps = [s for d, s in re.findall(rb"\[(\d\d)/\w{3}/\d{4}:([\d:]{8}) ", raw) if d == b"25"]
    backward = sum(a > b for a, b in pairwise(stamps))

    assert 0 < backward < len(stamps) * 0.05


def test_every_kind_of_unreadable_line_occurs(generated):
    """Two in a thousand lines are cut, binary, blank, comments, impossible or ten bytes long."""
    kinds = Counter()
    for raw in _raw_lines(generated):
        kinds["blank"] += raw == b""
        kinds["comment"] += raw.startswith(b"#")
        kinds["binary"] += raw == JUNK
        kinds["impossible_date"] += b"[31/Feb/" in raw
        kinds["ten_bytes"] += len(raw) == 10
        kinds["cut_agent"] += raw.count(b'"') % 2
    assert len(kinds) == 6
    assert min(kinds.values()) > 0
    assert sum(kinds.values()) == generated.lines * 0.002


def test_an_office_of_many_people_has_at_most_two_networks(generated):
    """The suppliers' pages are seen by many people from one or two networks, in every period."""
    figures = pl.read_parquet(generated.directory / "truth" / "figures.parquet")
    office = figures.filter(pl.col("component") == "suppliers", pl.col("period_kind") == "week")

    assert office["visitors"].min() >= 10
    assert office["networks"].max() <= 2


def test_rare_parts_are_rare_by_day_and_enough_by_month(generated):
    """Investors stay below ten a day, not by month; requests for one's data below ten by week."""
    figures = pl.read_parquet(generated.directory / "truth" / "figures.parquet")
    rare = figures.filter(pl.col("component") == "investors")
    private = figures.filter(pl.col("sub_component") == "data-requests", pl.col("period_kind") == "week")

    assert rare.filter(pl.col("period_kind") == "day")["visitors"].median() < 10
    assert rare.filter(pl.col("period") == "2026-03")["visitors"].item() >= 10
    assert all(1 <= n <= 3 for n in private["visitors"])


@pytest.mark.parametrize("robot", [r.agent for r in ROBOTS])
def test_robots_are_on_the_robot_list_or_nameless(robot):
    """Whatever counts as a robot here can be known as one by its agent."""
    assert is_crawler(robot) or robot in {"", "-"} or "bot" in robot


def test_no_browser_is_on_the_robot_list():
    """People's browsers are some sixty different agents, none of them a robot's."""
    agents = browser_agents()

    assert not any(is_crawler(a) or "bot" in a.lower() for a in agents)
    assert len(set(agents)) == len(agents)
    assert 55 <= len(agents) <= 70


def test_mail_proxies_are_robots_as_the_list_says():
    """Whether an e-mail was opened by a robot agrees with the robot list."""
    assert [is_crawler(m.agent) for m in MAIL_AGENTS] == [m.is_robot for m in MAIL_AGENTS]


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 10, "lines": 999}])
def test_no_days_or_too_few_lines_are_refused(tmp_path, wrong):
    """An impossible order is an error before anything is written."""
    with pytest.raises(ConfigError, match="too few"):
        generate(tmp_path / "new", **wrong)

    assert not (tmp_path / "new").exists()


def test_logs_of_other_days_in_the_way_are_refused(tmp_path):
    """The figures would not cover them; they are named and left alone."""
    generate(tmp_path, **SMALL)
    before = _bytes_below(tmp_path)
    with pytest.raises(ConfigError, match=r"2 logs of other days, the first is access-2026-03-29\.log\.gz"):
        generate(tmp_path, **(SMALL | {"days": 1}))

    assert before == _bytes_below(tmp_path)


def test_sample_settings_and_policy_are_accepted():
    """The sample workspace is what the schema allows, and the policy lets both partners be served."""
    config, policy = load_config(SAMPLE), load_policy(SAMPLE)

    assert {p.id for p in config.partners} == {"acme-media", "northwind"}
    assert all({"internal_aggregate", "partner_aggregate"} <= set(v.uses) for v in policy.versions)
    assert policy.in_force(config.first_day) is not policy.in_force(date(2026, 4, 1))
