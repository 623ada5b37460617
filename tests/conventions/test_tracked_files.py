"""What is in the repository: nothing of a machine, a registry or a person's data; requirements are pinned."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Spelt in pieces, or this file would be its own first offender.
REGISTRY = re.compile(
    "|".join(("py" + r"pi\.org", "python" + r"hosted", r"--(?:extra-)?index" + "-url", "find" + "-links"))
)
MACHINE_PATH = re.compile(
    r"(?<![\w.~*/-])/(?:"
    + "|".join(("wor" + "k", "roo" + "t", "hom" + "e/[a-z]+", "Use" + "rs"))
    + r")/[\w.]"
)
LOCK_FILES = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}
DATA_SUFFIXES = {".log", ".gz", ".zst", ".parquet", ".duckdb", ".key"}


def _tracked():
    """Files that are in git or would be with the next commit."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(command, capture_output=True, check=False)
    if run.returncode:
        pytest.skip("not a git checkout: nothing is tracked here")
    return sorted(
        {ROOT / name for name in run.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    )


def _lines(paths):
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        yield from ((f"{path.relative_to(ROOT)}:{n}", line) for n, line in enumerate(text.splitlines(), 1))


def test_no_file_names_a_package_registry():
    """Where packages come from is the installer's setting, not the project's."""
    named = [place for place, line in _lines(_tracked()) if REGISTRY.search(line)]

    assert [] == named, "leave the host out: the hashes vouch for what is installed"


def test_no_file_names_a_place_on_one_machine():
    """A path of one machine works on no other, and tells whose it was."""
    named = [place for place, line in _lines(_tracked()) if MACHINE_PATH.search(line)]

    assert [] == named, "use a path relative to the file or the workspace"


def test_there_is_one_kind_of_lock_file():
    """Pinned versions stand in requirements/, with hashes, and nowhere else."""
    second = [str(p.relative_to(ROOT)) for p in _tracked() if p.name in LOCK_FILES]

    assert [] == second, "two lock files disagree sooner or later: remove it"


def test_every_requirement_is_pinned_with_its_hash():
    """What is installed is what was tested, byte for byte."""
    files = sorted((ROOT / "requirements").glob("*.txt"))
    loose = [f"{path.name}: {r}" for path in files for r in _requirements(path) if not _is_pinned(r)]

    assert files
    assert [] == loose, "make it anew with hashes: `name==version --hash=sha256:...`"


def _requirements(path):
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _is_pinned(requirement):
    return re.match(r"[\w.\[\]-]+==[^\s*]+\s.*--hash=sha256:[0-9a-f]{64}\b", requirement) is not None


def test_no_data_is_tracked():
    """Logs, keys, figures and databases are made, or brought by the operator; git keeps none."""
    data = [str(p.relative_to(ROOT)) for p in _tracked() if p.suffix in DATA_SUFFIXES]

    assert [] == data, "add it to .gitignore; tests make what they need"
