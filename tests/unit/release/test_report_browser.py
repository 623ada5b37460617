"""The page in a browser: nothing is fetched, nothing is cut off, and a checker of accessibility finds nothing serious.

Needs Chromium, and axe-core's `axe.min.js` at the path in USAGE_STATS_AXE; where they are not, these tests say so.
"""

import html
import json
import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from site_with_tables import config_with, page_views, releases_of

from usage_stats.release.export import release_files
from usage_stats.release.report.earlier import read_earlier
from usage_stats.release.table_cut import cut

pytestmark = pytest.mark.slow

TABLES = {
    "components": {
        "measures": ["visitors", "visits", "page_views", "reach", "frequency", "page_views_per_visit"]
    },
    "hours": {"dimensions": ["hour", "weekday"]},
    "how_often": {"dimensions": ["visit_frequency"]},
}
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# What is wider than the window although it is in no box that scrolls.
WIDTHS = """
const wide = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .unseen, svg')
  && e.getBoundingClientRect().right > innerWidth + 1);
tell({window: innerWidth, page: document.documentElement.scrollWidth, wide: wide.map(e => e.outerHTML.slice(0, 80))});
"""
AXE = """
axe.run(document, {resultTypes: ['violations']}).then(found => tell(found.violations.map(
  v => [v.id, v.impact, v.nodes[0].html.slice(0, 120)])));
"""
# The policy of the page forbids scripts: the first must not run, though it stands in the page.
SCRIPT = "tell('ran');"
TELL = "function tell(what) { parent.postMessage(JSON.stringify(what), '*'); }\n"
# A window has at least 500 pixels, a frame in it as many as a phone.
FRAME = """<!doctype html><title>frame</title>
<iframe src="page.html" style="border:0;width:{width}px;height:900px"></iframe>
<script>onmessage = told => document.documentElement.setAttribute('data-told', told.data)</script></html>"""


@pytest.fixture(scope="module")
def chromium():
    """Where Chromium is."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core."""
    path = os.environ.get("USAGE_STATS_AXE")
    if not path:
        pytest.skip("USAGE_STATS_AXE names no axe.min.js")
    return Path(path).read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=sorted(TABLES))
def page(request):
    """A week's page of a table, all its tables open."""
    config = config_with(TABLES)
    releases = {r.period.code: r for r in releases_of(config, page_views())}
    before, now = releases["2026-W15"], releases["2026-W16"]
    table = config.tables[request.param]
    shown = [cut(release, request.param, table) for release in (before, now)]
    earlier = read_earlier(before.period, release_files(before, shown[0], "acme")[f"{request.param}.csv"])
    content = release_files(now, shown[1], "acme", [earlier])["report.html"].decode()
    assert date(2026, 4, 13) == now.period.first
    return content.replace("<details>", "<details open>")


def _told(chromium, folder, content, script, width):
    """What a script in the page tells, in a window of this width; None where it did not run."""
    file = folder / "frame.html"
    file.write_text(FRAME.format(width=width), encoding="utf-8")
    page = content.replace("</body>", f"<script>{TELL}{script}</script></body>")
    (folder / "page.html").write_text(page, encoding="utf-8")
    command = [chromium, *QUIET, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000"]
    run = subprocess.run(
        [*command, "--virtual-time-budget=20000", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = re.search(r'data-told="([^"]*)"', run.stdout)
    assert "</html>" in run.stdout
    return json.loads(html.unescape(found[1])) if found else None


def test_no_script_runs_in_a_page(page, chromium, tmp_path):
    """One that was put into it does nothing; it would, were it not for the page's policy."""
    assert _told(chromium, tmp_path, page, SCRIPT, 1280) is None
    assert "ran" == _told(chromium, tmp_path, POLICY.sub("", page), SCRIPT, 1280)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(width, page, chromium, tmp_path):
    """Wide tables scroll in a box of their own."""
    told = _told(chromium, tmp_path, POLICY.sub("", page), WIDTHS, width)

    assert [] == told["wide"]
    assert told["page"] == told["window"] == width


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation(width, page, chromium, axe, tmp_path):
    """Names, roles, contrast, headings, tables."""
    assert [] == _told(chromium, tmp_path, POLICY.sub("", page), f"{axe};{AXE}", width)
