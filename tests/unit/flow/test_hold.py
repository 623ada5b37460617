"""A withdrawal that a death cut off is told by `status`, and ended by whoever takes the workspace next."""

from pathlib import Path

import duckdb
import pytest

import usage_stats
from usage_stats.errors import InputError, LedgerError
from usage_stats.flow import analysts, restate
from usage_stats.flow.hold import unfinished_changes
from usage_stats.flow.purge import plan_purge
from usage_stats.flow.restate import Change, execute_change, plan_change
from usage_stats.flow.status import status_of
from usage_stats.flow.words import describe_status

DAY = "2026-04-06"
FOLDER = f"acme/components/{DAY}"
SOURCE = Path(usage_stats.__file__).parent


class Killed(BaseException):
    """Stands for the process's end: nothing of ours may catch it."""


def _killed(*_args, **_options):
    raise Killed


@pytest.fixture
def out(site, views, noon):
    """One day, delivered."""
    site.log("6.log", views(noon(6)))
    site.run(noon(9))
    return site


def _change(site, now, event="withdrawn"):
    change = Change(event, "components", DAY, "It was wrong")
    return execute_change(site.workspace, change, now, digest=plan_change(site.workspace, change).digest)


@pytest.fixture
def cut_off(out, noon, monkeypatch):
    """Its withdrawal is entered, and nothing more."""
    with monkeypatch.context() as patch:
        patch.setattr(restate, "replace_folders", _killed)
        with pytest.raises(Killed):
            _change(out, noon(10))
    return out


def _rows_for_partners(site):
    return len(site.releases()[f"{FOLDER}/components.csv"].splitlines()) - 1


def _rows_for_analysts(site):
    with duckdb.connect(str(site.workspace.warehouse), read_only=True) as database:
        return database.execute("select count(*) from components").fetchall()[0][0]


def test_status_says_what_is_withdrawn_and_still_shown(cut_off, noon):
    """The partner's folder and the analysts' file, by their places, and what to do; then nothing of it."""
    lines = describe_status(status_of(cut_off.workspace, noon(10))).splitlines()
    cut_off.run(noon(10))
    after = describe_status(status_of(cut_off.workspace, noon(10)))

    assert f"withdrawn  {FOLDER}: not yet replaced" in lines
    assert "outdated   warehouse/usage_stats.duckdb: not yet replaced" in lines
    assert "           run `usage-stats run` now: it ends what was cut off" in lines
    assert "not yet replaced" not in after
    assert (0, 0) == (_rows_for_partners(cut_off), _rows_for_analysts(cut_off))


def test_a_run_that_a_broken_log_stops_ends_it_all_the_same(cut_off, noon):
    """Withdrawn figures do not wait for a log to be mended."""
    cut_off.log("broken.log", b"this is no line of a log\n" * 50)
    rows = _rows_for_partners(cut_off), _rows_for_analysts(cut_off)
    with pytest.raises(InputError):
        cut_off.run(noon(10))

    assert all(rows)
    assert (0, 0) == (_rows_for_partners(cut_off), _rows_for_analysts(cut_off))


def test_what_cannot_be_ended_stops_commands_but_no_reading(cut_off, views, noon):
    """Its record was changed: another command says so and does nothing; a run reads what is new, then says so."""
    record = cut_off.root / "restricted" / "released" / f"{DAY}.json"
    record.write_bytes(record.read_bytes().replace(b"15", b"16", 1))
    cut_off.log("7.log", views(noon(7)))
    with pytest.raises(LedgerError, match="changed after its release"):
        plan_purge(cut_off.workspace, noon(10))
    before = len(cut_off.outcomes())
    with pytest.raises(LedgerError, match="changed after its release"):
        cut_off.run(noon(10))

    assert (1, 2) == (before, len(cut_off.outcomes()))
    assert [FOLDER, "warehouse/usage_stats.duckdb"] == [
        left.place for left in unfinished_changes(cut_off.workspace)
    ]


def test_a_withdrawal_whose_analysts_file_was_not_built_is_not_ended(out, noon, monkeypatch):
    """The folder is a notice, the rows are still in the file: told, and ended by a command that only plans."""
    with monkeypatch.context() as patch:
        patch.setattr(analysts, "build_if_new", _killed)
        with pytest.raises(Killed):
            _change(out, noon(10))
    left, rows = unfinished_changes(out.workspace), _rows_for_analysts(out)
    plan_purge(out.workspace, noon(10))

    assert (0, True) == (_rows_for_partners(out), rows > 0)
    assert [("warehouse/usage_stats.duckdb", "outdated")] == left
    assert 0 == _rows_for_analysts(out)
    assert [] == unfinished_changes(out.workspace)


def test_a_stamp_vouches_for_no_file_but_its_own(out, noon, monkeypatch):
    """The analysts' file is exchanged, and the process dies before its stamp: what was there first is built again."""
    out.configure(tables={"other": {}}, partners=[])
    write = Path.write_text

    def killed_before_the_stamp(path, *given):
        return _killed() if path.suffix == ".stamp" else write(path, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", killed_before_the_stamp)
        with pytest.raises(Killed):
            out.run(noon(10))
    out.configure()
    out.run(noon(10))

    assert _rows_for_analysts(out)


def test_without_a_death_nothing_is_unfinished(out, noon):
    """Neither after a run, nor after a withdrawal or restatement that ended, nor without an analysts' file."""
    seen = [unfinished_changes(out.workspace)]
    for event in ("withdrawn", "restated"):
        _change(out, noon(10), event)
        seen.append(unfinished_changes(out.workspace))
    out.workspace.warehouse.unlink()
    seen.append(unfinished_changes(out.workspace))

    assert [[]] * 4 == seen


def test_nothing_takes_the_lock_past_what_is_to_be_ended():
    """Commands take hold of a workspace by `hold`; only the main job, whose first stage ends it, takes the lock."""
    takers = {path.name for path in SOURCE.rglob("*.py") if "workspace.lock()" in path.read_text("utf-8")}

    assert {"hold.py", "run.py"} == takers
