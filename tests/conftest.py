"""What all tests share: names of cases that each worker makes alike, the order of files, and a disk that is trusted."""

import os

import pytest

# Files of ten seconds of CPU and more, the longest first: whoever of two workers took the last one would else go on
# alone. Measured; a file that is missing here comes later, and nothing else depends on it.
LONG_FILES = (
    "tests/journey/test_sample_truth.py",
    "tests/journey/test_rotation.py",
    "tests/unit/flow/test_opens.py",
    "tests/oracle/test_tables_in_any_order.py",
    "tests/journey/test_canaries.py",
    "tests/unit/accesslog/test_fast.py",
    "tests/journey/test_policy_versions.py",
    "tests/unit/release/test_analysts_sum.py",
    "tests/oracle/test_tables_of_small_logs.py",
    "tests/unit/flow/test_event_attributes.py",
    "tests/journey/test_canary_lives.py",
    "tests/oracle/test_tables_of_real_logs.py",
    "tests/attack/test_attack_all_tables.py",
    "tests/attack/test_attack_erased_people.py",
    "tests/faults/test_killed_runs.py",
    "tests/faults/test_killed_erasures.py",
    "tests/oracle/test_tables_of_the_sample.py",
    "tests/oracle/test_other_spellings.py",
    "tests/unit/test_cli_stdin.py",
    "tests/sql/test_cells_told_apart.py",
    "tests/unit/flow/test_erase.py",
    "tests/unit/flow/test_later_tables.py",
    "tests/journey/test_running_again.py",
    "tests/unit/release/test_analysts_file.py",
    "tests/attack/test_attack_hostile_bytes.py",
    "tests/faults/test_files_that_change.py",
    "tests/attack/test_attack_any_bytes.py",
    "tests/attack/test_attack_weeks_and_months.py",
    "tests/pipelines/test_dagster_runs.py",
    "tests/journey/test_canary_spill.py",
    "tests/unit/measure/test_relations_of_people.py",
    "tests/unit/benchmarks/test_logs.py",
)


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Name bytes that are no text by their argument, numbered by pytest: packed bytes may hold the time.

    Tests run in several workers, which must find the same names; gzip writes the second of packing
    into its header, so a name made of its bytes differs between workers that start apart.
    """
    if isinstance(val, bytes) and not val.decode("ascii", "replace").isprintable():
        return argname
    return None


@pytest.fixture(autouse=True, scope="session")
def _no_power_cuts():
    """Nothing waits for the disk: no test outlives a power cut. Those about syncing watch calls of their own, and those
    that kill a run kill a process, which loses nothing that was written.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Long files first; within a file, and among the others, as they were."""
    place = {name: number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))
