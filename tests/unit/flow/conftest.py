"""A small workspace whose logs, settings and clock a test sets."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
USES = ["internal_aggregate", "partner_aggregate"]


class Site:
    """A workspace under construction: `log` writes a file, `run` runs the main job at a moment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "logs").mkdir(parents=True)
        self.configure()
        self.policy({"version": "1", "effective": "2010-01-01", "uses": USES})

    def configure(self, **settings):
        base = {
            "site": "small",
            "sources": [
                {"name": "web", "format": "combined"}
            ],  # trying all formats takes longer than a small run
            "components": [{"name": "home", "paths": ["/"]}],
            "partners": [{"id": "acme"}],
        }
        (self.root / "usage_stats.yaml").write_text(json.dumps(base | settings))

    def policy(self, *versions):
        (self.root / "policy.yaml").write_text(json.dumps({"versions": versions}))

    def log(self, name, content):
        (self.root / "logs" / name).write_bytes(content)

    @property
    def workspace(self):
        return open_workspace(self.root)

    def run(self, now, **span):
        return run(self.workspace, now, Silent(), **span)

    def outcomes(self):
        """What became of all lines ever read."""
        return [entry["outcomes"] for entry in self.workspace.ingested.entries()]

    def releases(self):
        top = self.root / "releases"
        return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}

    def copy(self, root):
        """The same workspace, as it is, elsewhere."""
        shutil.copytree(self.root, root)
        twin = object.__new__(Site)
        twin.root = root
        return twin


@pytest.fixture
def site(tmp_path):
    """A fresh one, with one component and one partner."""
    return Site(tmp_path / "site")


@pytest.fixture
def views():
    """Lines of one page view each, by visitors from networks of their own, at one moment (UTC)."""

    def lines(at, visitors=15, first=0):
        when = at.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        numbers = range(first, first + visitors)
        return "".join(
            f'10.{n // 200}.{n % 200}.7 - - [{when}] "GET / HTTP/1.1" 200 5 "-" "{AGENT}"\n' for n in numbers
        ).encode()

    return lines


@pytest.fixture
def noon():
    """Noon (UTC) of a day of April 2026."""
    return lambda day: datetime(2026, 4, day, 12, tzinfo=UTC)
