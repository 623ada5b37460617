"""The documents: links lead somewhere, commands exist, paths to try are there."""

import re
from pathlib import Path

import pytest

from usage_stats.cli import app

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("README.md", "PRIVACY.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs", "data/sample/README.md")
LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
COMMAND = re.compile(r"usage-stats[ \t]+(?:(?:--workspace|-w)[ \t]+\S+[ \t]+)?([a-z][a-z-]*)\b")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def _documents():
    found = [
        path
        for name in NAMES
        for path in ([ROOT / name] if name.endswith(".md") else (ROOT / name).rglob("*.md"))
    ]
    return [path for path in found if path.is_file()]


def _id(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", _documents(), ids=_id)
def test_links_lead_somewhere(path):
    """Every relative link names a file that is there, and a heading in it if it says so."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    links = [a or b for a, b in LINK.findall(text)]
    dead = [link for link in links if not re.match(r"[a-z]+:", link) and not _leads(path, link)]

    assert [] == dead


def _leads(path, link):
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in _anchors(target)


def _anchors(path):
    """Headings as GitHub turns them into anchors."""
    headings = re.findall(r"^#+\s+(.+?)\s*#*$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands():
    return {(c.name or c.callback.__name__): c for c in app.registered_commands}


@pytest.mark.parametrize("path", _documents(), ids=_id)
def test_commands_exist(path):
    """Every `usage-stats COMMAND` in a document is a command."""
    code = "\n".join(
        re.findall(
            r"`[^`\n]+`|^(?:```|~~~).*?^(?:```|~~~)", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    )

    assert set() == set(COMMAND.findall(code)) - set(_commands())


def test_the_readme_shows_the_main_commands():
    """A newcomer finds how to make a workspace and how to run it."""
    shown = set(COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8")))

    assert set() == {"init", "run"} - shown


def test_every_command_explains_itself():
    """Each command's help has a sentence."""
    silent = [name for name, command in _commands().items() if not (command.callback.__doc__ or command.help)]

    assert [] == silent
