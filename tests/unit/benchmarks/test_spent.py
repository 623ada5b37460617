import sys

import pytest

from benchmarks.spent import CommandFailed, run_child

_BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
_HOLD = "held = bytearray(200_000_000)\nprint(len(held))"


def test_cpu_of_a_grandchild_is_counted(tmp_path):
    """What a command's own children spend is its cost too."""
    outer = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    spent = run_child([sys.executable, "-c", outer, _BURN], cwd=tmp_path)

    assert spent.cpu_s >= 0.3


def test_peak_memory_and_output_are_told(tmp_path):
    """The peak covers what the command held, and its output is handed back."""
    spent = run_child([sys.executable, "-c", _HOLD], cwd=tmp_path)

    assert (True, "200000000\n") == (spent.peak_bytes > 200_000_000, spent.output)


def test_a_command_that_fails_gives_no_figures(tmp_path):
    """A failure is an error with the last line that was said."""
    with pytest.raises(CommandFailed, match="ended with 3: second"):
        run_child(
            [sys.executable, "-c", "import sys; print('first\\nsecond', file=sys.stderr); sys.exit(3)"],
            cwd=tmp_path,
        )
