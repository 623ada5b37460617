import os
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = int(os.environ.get("USAGE_STATS_FUZZ_SECONDS", "3600"))
ROUND = 600  # the fuzzer keeps all it has tried: after an hour in one process, 2 GB; a new one goes on with the corpus
TARGET = Path(__file__).with_name("fuzz_lines.py")


@pytest.mark.slow
def test_no_bytes_divide_the_paths(tmp_path):
    """For as long as is given, no mutated log makes the compiled path and the exact parser disagree, or one fail."""
    pytest.importorskip("atheris", reason="the fuzzer runs on Linux only")
    (tmp_path / "corpus").mkdir()
    for start in range(0, SECONDS, ROUND):
        seconds = min(ROUND, SECONDS - start)
        options = [
            f"-max_total_time={seconds}",
            "-timeout=60",
            "-max_len=4096",
            f"-artifact_prefix={tmp_path}/",
        ]
        done = subprocess.run(
            [sys.executable, TARGET, tmp_path / "corpus", *options],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + 600,
            check=False,
        )

        assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
