import json
import subprocess
import sys
import time
from csv import reader
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ua_parser_rs", reason="needs ua-parser with its compiled rules")

from usage_stats.deidentify.browser import (
    BROWSERS,
    DEVICES,
    FAMILIES,
    BrowserClassifier,
    browser_list_version,
)

ORACLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "logs" / "wikimedia-refinery"
# Written short: what most agents share stands in braces.
SHARED = {
    "M(": "Mozilla/5.0 (",
    "{blink}": "AppleWebKit/537.36 (KHTML, like Gecko)",
    "{webkit}": "AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "{iphone}": "iPhone; CPU iPhone OS 17_2 like Mac OS X",
    "{windows}": "Windows NT 10.0; Win64; x64",
    "{15}": "Mobile/15E148",
}
WRITTEN = """
Chrome | desktop | M({windows}) {blink} Chrome/120.0.0.0 Safari/537.36
Chrome | phone | M(Linux; Android 10; K) {blink} Chrome/120.0.0.0 Mobile Safari/537.36
Chrome | tablet | M(Linux; Android 10; K) {blink} Chrome/120.0.0.0 Safari/537.36
Chrome | desktop | M(X11; Linux x86_64) {blink} Chrome/120.0.0.0 Safari/537.36
Edge | desktop | M({windows}) {blink} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0
Edge | phone | M(Linux; Android 10; HD1913) {blink} Chrome/120.0.6099.43 Mobile Safari/537.36 EdgA/120.0.2210.61
Edge | phone | M({iphone}) {webkit} Version/17.0 EdgiOS/120.0.2210.61 {15} Safari/605.1
Edge | tv or console | M({windows}; Xbox; Xbox One) {blink} Chrome/120.0.0.0 Safari/537.36 Edge/44.18363.8131
Opera | desktop | M({windows}) {blink} Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0
Opera | desktop | M({windows}) {blink} Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0 (Edition std-1)
Opera | phone | M(Linux; Android 10; VOG-L29) {blink} Chrome/119.0.0.0 Mobile Safari/537.36 OPR/76.2.4027.73374
Opera | phone | Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16
Opera | phone | M({iphone}) {webkit} Version/17.0 {15} Safari/604.1 OPT/4.3.1
Samsung Internet | phone | M(Linux; Android 13; S9) {blink} SamsungBrowser/23.0 Chrome/115.0 Mobile Safari/537.36
Samsung Internet | tablet | M(Linux; Android 13; SM-X906C) {blink} SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36
Safari | tv or console | M(SMART-TV; LINUX; Tizen 6.0) {blink} 76.0.3809.146/6.0 TV Safari/537.36
Chrome | tv or console | M(Web0S; Linux/SmartTV) {blink} Chrome/79.0.3945.79 Safari/537.36 WebAppManager
Firefox | desktop | M({windows}; rv:121.0) Gecko/20100101 Firefox/121.0
Firefox | phone | M(Android 14; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0
Firefox | tablet | M(Android 14; Tablet; rv:121.0) Gecko/121.0 Firefox/121.0
Firefox | phone | M({iphone}) {webkit} FxiOS/121.0 {15} Safari/605.1.15
Safari | desktop | M(Macintosh; Intel Mac OS X 14_2) {webkit} Version/17.2 Safari/605.1.15
Safari | phone | M({iphone}) {webkit} Version/17.2 {15} Safari/604.1
Safari | tablet | M(iPad; CPU OS 17_2 like Mac OS X) {webkit} Version/17.2 {15} Safari/604.1
Chrome | phone | M({iphone}) {webkit} CriOS/120.0.6099.50 {15} Safari/604.1
other | phone | M({iphone}) {webkit} GSA/293.0.590048842 {15} Safari/604.1
other | phone | M({iphone}) {webkit} {15}
other | phone | M({iphone}) {webkit} {15} [FBAN/FBIOS;FBAV/443.0]
other | phone | M(Linux; Android 13; K; wv) {blink} Version/4.0 Chrome/119.0.0.0 Mobile Safari/537.36 Instagram 309.0
other | phone | M(Linux; Android 13; SM-G991B; wv) {blink} Version/4.0 Chrome/119.0.0.0 Mobile Safari/537.36
other | phone | M(Linux; Android 10; K) {blink} Chrome/120.0.0.0 Mobile Safari/537.36 Brave/120
other | desktop | M({windows}) {blink} Chrome/120.0.0.0 Safari/537.36 Vivaldi/6.5.3206.39
other | desktop | M({windows}) {blink} Chrome/118.0.0.0 YaBrowser/23.11.0 Safari/537.36
other | phone | M({iphone}) {webkit} Version/17.2 {15} DuckDuckGo/7 Safari/605.1.15
other | desktop | M(Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko
other | tablet | M(Linux; Android 9; KFMAWI) {blink} Silk/120.1.1 like Chrome/120.0.0.0 Safari/537.36
other | tv or console | M(Linux; Android 9; AFTMM) {blink} Silk/120.1.1 like Chrome/120.0.0.0 Safari/537.36
Safari | tv or console | M(PlayStation; PlayStation 5/2.26) {webkit} Version/13.0 Safari/605.1.15
Chrome | tv or console | M(X11; Linux armv7l) {blink} Chrome/90.0 Safari/537.36 CrKey/1.54
Chrome | tv or console | M(Linux; Android 10; BRAVIA 4K VH2) {blink} Chrome/120.0 Safari/537.36
Firefox | phone | M(Mobile; Nokia_800; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5
Edge | phone | M(Windows Phone 10.0; Android 6.0.1; Lumia 950) {blink} Chrome/52.0 Mobile Safari/537.36 Edge/15.15063
other | desktop | M(Windows NT 6.1; Win64; x64; Trident/7.0; Tablet PC 2.0; rv:11.0) like Gecko
Chrome | tablet | M(Linux; Android 4.4; Nexus 7 Build/KRT16S) {blink} Chrome/30.0 Safari/537.36
Chrome | desktop | M(X11; Ubuntu; Linux x86_64) {blink} Ubuntu Chromium/80.0 Chrome/80.0 Safari/537.36
"""


def _agents():
    text = WRITTEN
    for short, whole in SHARED.items():
        text = text.replace(short, whole)
    return [tuple(line.split(" | ", 2)) for line in text.strip().splitlines()]


AGENTS = _agents()
classify = BrowserClassifier().classify


@pytest.mark.parametrize(("family", "device", "agent"), AGENTS, ids=[a[-60:] for _, _, a in AGENTS])
def test_browsers_and_devices_are_told_apart(family, device, agent):
    """Brands on iOS and Android are the brand's, web views and rare browsers are other, and devices are four."""
    assert (family, device) == classify(agent.encode())


@pytest.mark.parametrize(
    "name", ["Falkon/23", "Epiphany/3", "Ladybird/1", "AdaLovelaceBrowser/1.0", "NetSurf/3"]
)
def test_a_rare_browser_is_other(name):
    """A browser that few people use would tell who they are."""
    agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) {name} Safari/605.1.15"

    assert classify(agent.encode()).family in {"other", "Safari"}
    assert name.split("/")[0] not in " ".join(classify(agent.encode()))


@pytest.mark.parametrize("nothing", [None, b"", b"-", b"\0", b"\xff" * 40])
def test_what_says_nothing_is_other(nothing):
    """An agent that names no browser is no browser of the list."""
    assert ("other", "other") == classify(nothing)


def test_a_megabyte_is_read_in_no_time():
    """What a client sends does not decide how long it takes."""
    begun = time.process_time()
    found = {classify(part * (1 << 18)) for part in (b"Mozi", b"((((", b"\xff\xfe;)", b"iPad")}

    assert time.process_time() - begun < 0.5
    assert found <= set(BROWSERS)


@given(st.binary(max_size=80) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace")))
def test_only_known_words_come_out(agent):
    """Whatever a client calls itself, two of a few words are kept of it, and nothing is raised."""
    assert classify(agent) in BROWSERS


def test_the_words_are_few():
    """Each pair can be a code of one column."""
    assert len(FAMILIES) * len(DEVICES) == len(set(BROWSERS)) == 35


def test_the_lists_version_is_told():
    """Figures move with the list: its version and our own table's go into the record."""
    assert browser_list_version().startswith("ua-parser-builtins 20")
    assert "own rules" in browser_list_version()


def test_who_does_not_ask_for_browsers_loads_no_rules():
    """The rules are loaded with the first classifier, not with the module."""
    code = "import sys, usage_stats.deidentify.browser; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not [m for m in run.stdout.split() if m.startswith("ua_parser")]


def test_another_projects_families_are_ours():
    """On the agents that Wikimedia sees most, no named family is called another's."""
    path = ORACLE / "ua_most_popular_test_data.csv"
    if not path.is_file():
        pytest.skip("needs the shared test data beside the checkout")
    rows = list(reader(path.open(encoding="utf-8"), escapechar="\\"))[1:]
    named = [(json.loads(row[1])["browser_family"], classify(row[0].encode()).family) for row in rows]
    wrong = [pair for pair in named if pair[1] != "other" and pair[1].split()[0] not in pair[0]]

    assert len(named) > 50
    assert [] == wrong
