"""What Dagster knows of the pipeline, what it runs, and what it keeps: names and counts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from pipelines.__main__ import run_jobs
from pipelines.definitions import build_definitions
from pipelines.resources import Worker
from pipelines.schedules import MAIN_JOB, SCHEDULES
from usage_stats.errors import ConfigError, InputError, InternalError
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

REPOSITORY = Path(__file__).resolve().parents[2]
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
NOW = datetime(2026, 4, 20, 3, 30, tzinfo=UTC)
CANARY = "canary-51c2"


def _log(day):
    return "".join(
        f'10.{n}.{n}.7 - - [{day:02}/Apr/2026:10:{n:02}:00 +0000] "GET /{CANARY}?{CANARY * day} HTTP/1.1" 200 5 "-" '
        f'"{AGENT}"\n'
        for n in range(15 + day)
    )


def _workspace(root):
    """A week of logs, 6 to 12 April 2026."""
    (root / "logs").mkdir(parents=True)
    for day in range(6, 13):
        (root / "logs" / f"{day}.log").write_text(_log(day))
    settings = {
        "site": "dagster",
        "components": [{"name": "home", "paths": ["/"]}],
        "partners": [{"id": "acme"}],
    }
    (root / "usage_stats.yaml").write_text(json.dumps(settings))
    uses = ["internal_aggregate", "partner_aggregate"]
    versions = [{"version": "1", "effective": "2010-01-01", "uses": uses}]
    (root / "policy.yaml").write_text(json.dumps({"versions": versions}))
    return root


@pytest.fixture
def worker(tmp_path):
    """Works in a fresh workspace, some days after its week."""
    return Worker(_workspace(tmp_path / "workspace"), clock=lambda: NOW)


@pytest.fixture
def instance():
    """Dagster's records, in memory."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def _releases(root):
    top = root / "releases"
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def _log_entries(instance):
    """Every event that Dagster stored of every run."""
    return [entry for found in instance.get_runs() for entry in instance.all_logs(found.run_id)]


def _evaluations(instance):
    events = [entry.dagster_event for entry in _log_entries(instance) if entry.dagster_event]
    return [e.asset_check_evaluation_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"]


def test_definitions_load(worker):
    """The journey's four assets in order, the jobs, the checks and the schedule."""
    definitions = build_definitions(worker)
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    order = [key.to_user_string() for key in graph.toposorted_asset_keys]

    assert ["events", "usage", "protected_figures", "releases"] == order
    assert {MAIN_JOB, "ingest_logs", "release_figures"} <= {
        job.name for job in definitions.resolve_all_job_defs()
    }
    assert {"every_line_is_accounted_for", "no_period_is_incomplete"} == {
        key.name for key in graph.asset_check_keys
    }


def test_the_definitions_that_dagster_is_pointed_at_load():
    """`dagster dev` finds them by the module named in pyproject.toml."""
    from pipelines.definitions import defs  # noqa: PLC0415 loading it is the test

    dg.Definitions.validate_loadable(defs)

    assert defs.resolve_job_def(MAIN_JOB)


def test_the_jobs_release_what_the_flow_releases(worker, instance, tmp_path):
    """Run through Dagster or without it: the same folders, byte for byte."""
    result = run_jobs(worker, instance)
    twin = _workspace(tmp_path / "twin")
    run(open_workspace(twin), NOW, Silent())

    assert 8 == result.delivered.written
    assert _releases(twin) == _releases(worker.directory)


def test_a_second_run_does_nothing(worker, instance):
    """Safe to repeat: nothing is read, sealed, released or written."""
    run_jobs(worker, instance)
    before = {p: p.stat().st_mtime_ns for p in (worker.directory / "releases").rglob("*")}
    result = run_jobs(worker, instance)

    assert (0, [], [], 0, 8) == (
        result.ingested.lines,
        result.sealed,
        result.published,
        result.delivered.written,
        result.delivered.unchanged,
    )
    assert before == {p: p.stat().st_mtime_ns for p in (worker.directory / "releases").rglob("*")}


def test_all_that_is_kept_of_a_run_is_counts(worker, instance):
    """Metadata of materializations and checks are whole numbers under fixed names; no event has a log's value."""
    run_jobs(worker, instance)
    events = [entry.dagster_event for entry in _log_entries(instance) if entry.dagster_event]
    materialized = [e.event_specific_data.materialization for e in events if e.is_step_materialization]
    checked = [
        e.asset_check_evaluation_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    kept = {name: value.value for made in (*materialized, *checked) for name, value in made.metadata.items()}
    lines = sum(15 + day for day in range(6, 13))

    assert {"events", "usage", "protected_figures", "releases"} == {
        m.asset_key.to_user_string() for m in materialized
    }
    assert (lines, lines, 0, 7, 8) == tuple(
        kept[name] for name in ("lines", "parsed", "rejected", "sealed_days", "periods")
    )
    assert {int} == {type(value) for name, value in kept.items() if not name.startswith("dagster/")}
    assert CANARY not in repr(_log_entries(instance))


def test_the_checks_pass_on_a_whole_week(worker, instance):
    """Every line is accounted for; only the month is not over."""
    run_jobs(worker, instance)
    results = {data.check_name: data.passed for data in _evaluations(instance)}

    assert {"every_line_is_accounted_for": True, "no_period_is_incomplete": True} == results


def test_a_gap_is_a_warning_for_the_person_who_watches(worker, instance):
    """A day's log is missing in a week that is over: the check says so, and the run succeeds."""
    (worker.directory / "logs" / "9.log").unlink()
    run_jobs(worker, instance)
    gap = next(data for data in _evaluations(instance) if data.check_name == "no_period_is_incomplete")

    assert (False, dg.AssetCheckSeverity.WARN) == (gap.passed, gap.severity)
    assert gap.metadata["incomplete"].value >= 1


@pytest.mark.parametrize(
    ("at", "yesterday"),
    [
        (datetime(2026, 4, 10, 3, 30, tzinfo=UTC), "2026-04-09"),
        (datetime(2026, 3, 1, 3, 30, tzinfo=UTC), "2026-02-28"),
        (datetime(2027, 1, 1, 3, 30, tzinfo=UTC), "2026-12-31"),
    ],
)
def test_each_night_asks_for_the_day_before(at, yesterday):
    """One run per night, of yesterday's partition, whatever day the test runs on."""
    (every_night,) = SCHEDULES
    request = every_night(dg.build_schedule_context(scheduled_execution_time=at))

    assert (yesterday, yesterday) == (request.partition_key, request.run_key)


def test_the_nightly_job_catches_up_to_its_day(worker, instance):
    """The partition names the last day; earlier days that were missed are sealed too, later ones are not."""
    job = build_definitions(worker).resolve_job_def(MAIN_JOB)
    outcome = job.execute_in_process(instance=instance, partition_key="2026-04-09")

    assert outcome.success
    assert {f"2026-04-{n:02}" for n in (6, 7, 8, 9)} == {
        name.split("/")[2] for name in _releases(worker.directory)
    }


def test_a_bad_log_comes_out_as_our_own_error(worker, instance):
    """Not wrapped by Dagster: the message and the exit code are those of the command line."""
    (worker.directory / "logs" / "bad.log").write_text(f"{CANARY} no log\n" * 20)

    with pytest.raises(InputError, match=r"bad\.log: no access log of a known format") as raised:
        run_jobs(worker, instance)
    assert CANARY not in str(raised.value) + repr(_log_entries(instance))


def test_bad_settings_come_out_as_our_own_error(worker, instance):
    """The same."""
    (worker.directory / "usage_stats.yaml").write_text("site: dagster\ntimezone: UTC\n")

    with pytest.raises(ConfigError, match="did you mean time_zone"):
        run_jobs(worker, instance)


def test_an_unforeseen_error_leaves_nothing_of_the_data_in_the_records(worker, instance, monkeypatch):
    """Dagster keeps the text of every error, and of its causes: ours names the place only."""

    def broken(*_):
        raise ValueError(f"cannot handle {CANARY}")

    monkeypatch.setattr("usage_stats.deidentify.outcome.Judge._robot", broken)
    with pytest.raises(InternalError, match="ValueError in "):
        run_jobs(worker, instance)

    assert CANARY not in repr(_log_entries(instance))


def test_the_shipped_settings_send_nothing_home():
    """Dagster's telemetry is switched off in the settings that are copied into DAGSTER_HOME."""
    shipped = REPOSITORY / "pipelines" / "dagster.yaml"

    assert {"enabled": False} == yaml.safe_load(shipped.read_text())["telemetry"]
