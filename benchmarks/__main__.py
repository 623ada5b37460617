"""`python -m benchmarks`: the main job's stages on generated logs, in CPU seconds and as multiples of `zcat | wc -l`.

Belongs here: measuring. Does not: judging; a busy machine moves every number, so read the ratios.
"""

import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from usage_stats.accesslog.formats import named_format
from usage_stats.accesslog.read import read_blocks, read_lines
from usage_stats.flow import run as flow
from usage_stats.flow.reporter import Silent
from usage_stats.flow.workspace import open_workspace
from usage_stats.synthetic.generate import generate

_LINES = 200_000
_NOW = datetime(2026, 7, 1, tzinfo=UTC)  # long after the last day of the generated logs: all is due


def main() -> None:
    """Print one line per stage: CPU seconds, microseconds per line, multiples of the baseline."""
    with tempfile.TemporaryDirectory() as directory:
        workspace = _workspace(Path(directory))
        logs = sorted((workspace / "logs").iterdir())
        opened = open_workspace(workspace)
        baseline = _cpu(lambda: _count_lines(logs))
        stages: dict[str, Callable[[], Any]] = {
            "zcat | wc -l": lambda: _count_lines(logs),
            "decompress": lambda: [len(block) for log in logs for block in read_blocks(log)],
            "parse": lambda: _parse(logs),
            "ingest (parse, strip, write)": lambda: flow.ingest_new(opened, _NOW, Silent()),
            "seal": lambda: flow.seal_due(opened, _NOW, Silent()),
            "measure, protect, audit": lambda: flow.publish_due(opened, _NOW, Silent()),
            "write files": lambda: flow.deliver_and_build(opened, _NOW, Silent()),
            "run again, nothing new": lambda: flow.run(opened, _NOW, Silent()),
        }
        print(f"{_LINES:,} lines, 61 days{'':13} CPU s   us/line   x zcat|wc")  # noqa: T201 the report
        for name, stage in stages.items():
            seconds = _cpu(stage)
            print(f"{name:<32}{seconds:8.2f}{1e6 * seconds / _LINES:10.2f}{seconds / baseline:12.1f}")  # noqa: T201 the report
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory {peak:.0f} MB")  # noqa: T201 the report


def _workspace(directory: Path) -> Path:
    sample = Path(__file__).parents[1] / "data" / "sample"
    for name in ("usage_stats.yaml", "policy.yaml"):
        shutil.copy(sample / name, directory)
    generate(directory, lines=_LINES)
    return directory


def _count_lines(logs: list[Path]) -> None:
    command = "zcat " + " ".join(map(str, logs)) + " | wc -l"
    subprocess.run(["/bin/sh", "-c", command], check=True, stdout=subprocess.DEVNULL)


def _parse(logs: list[Path]) -> int:
    parser = named_format("combined_cookie").parser(cookie="visitor")
    return sum(not isinstance(parser.parse(line), str) for log in logs for line in read_lines(log))


def _cpu(stage: Callable[[], Any]) -> float:
    before = _spent()
    stage()
    return _spent() - before


def _spent() -> float:
    """CPU seconds of this process and its children so far."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usages)


if __name__ == "__main__":
    main()
