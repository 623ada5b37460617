"""A partner's page rests on what that partner received before it, and on nothing that came later or went elsewhere."""

import shutil
from datetime import timedelta

import pytest

from usage_stats.errors import LedgerError
from usage_stats.flow.editions import Place
from usage_stats.flow.received import Received
from usage_stats.periods import parse_period

PAGE = "report.html"


@pytest.fixture
def weeks(site, views, noon):
    """A site with a day after the other, from Monday, 6 April 2026, more visitors each day."""
    for number in range(6, 13):
        site.log(f"{number}.log", views(noon(number), 15 + number))
    return site


def _page(site, folder):
    return (site.root / "releases" / folder / PAGE).read_text(encoding="utf-8")


def test_a_page_tells_the_days_that_came_before(weeks, noon):
    """The first page has no trend; the fourth one compares with the third day, and draws four. All are delivered like
    the data, with their digests.
    """
    weeks.run(noon(20))
    delivered = [e for e in weeks.workspace.released.entries() if e["event"] == "delivered"]
    first, fourth = (_page(weeks, f"acme/components/2026-04-{day}") for day in ("06", "09"))

    assert "There are no figures of the day before to compare with." in first
    assert "The whole site over" not in first
    assert "The whole site over 4 days." in fourth
    assert "Wed, 8 Apr 2026" in fourth
    assert "10 Apr" not in fourth
    assert 8 == len(delivered)
    assert {frozenset(("components.csv", "components.parquet", "datapackage.json", PAGE))} == {
        frozenset(e["files"]) for e in delivered
    }


def test_run_by_run_or_at_once_the_pages_are_the_same(weeks, noon, tmp_path):
    """What a page tells does not depend on when it was written."""
    twin = weeks.copy(tmp_path / "twin")
    for log in (twin.root / "logs").iterdir():
        log.rename(twin.root / log.name)
    for day in (8, 10, 13, 20):
        for log in [log for log in twin.root.glob("*.log") if int(log.stem) <= day]:
            log.rename(twin.root / "logs" / log.name)
        twin.run(noon(day) + timedelta(hours=1))
    weeks.run(noon(20))

    assert weeks.releases() == twin.releases()


def test_lost_folders_come_back_as_they_were(weeks, noon):
    """One, though later days are delivered by now; then all, with the files that the pages rest on."""
    weeks.run(noon(20))
    before = weeks.releases()
    for name in ("releases/acme/components/2026-04-08", "releases"):
        shutil.rmtree(weeks.root / name)
        weeks.run(noon(21))
        assert before == weeks.releases()


def test_nothing_rests_on_a_file_that_was_changed(weeks, noon):
    """A figure that was written into an earlier file gets into no page."""
    weeks.run(noon(11))  # days up to Wednesday
    file = weeks.root / "releases/acme/components/2026-04-08/components.csv"
    file.write_bytes(file.read_bytes().replace(b",23,", b",99,"))
    with pytest.raises(LedgerError, match="changed"):
        weeks.run(noon(20))

    assert not (weeks.root / "releases/acme/components/2026-04-09").exists()


def test_earlier_files_are_read_only_if_they_are_those_delivered(weeks, noon):
    """Whoever asks for them, in whichever order: another digest is an error, a missing file is a gap."""
    weeks.run(noon(20))
    folder = weeks.root / "releases/acme/components"
    to = Place("acme", "components", parse_period("2026-04-12"))
    told = [e.period.code for e in Received(weeks.workspace).before(to)]
    shutil.rmtree(folder / "2026-04-07")
    without = [e.period.code for e in Received(weeks.workspace).before(to)]
    (folder / "2026-04-08" / "components.csv").write_bytes(b"period,status\r\n2026-04-08,published\r\n")

    assert [f"2026-04-{n:02}" for n in range(6, 12)] == told
    assert [code for code in told if code != "2026-04-07"] == without
    with pytest.raises(LedgerError, match="changed after its delivery"):
        Received(weeks.workspace).before(to)


def test_what_was_delivered_later_is_not_looked_at(weeks, noon, tmp_path):
    """An earlier day may come after a later one, where settings change: the later one's page did not know of it."""
    weeks.run(noon(20))
    twin = weeks.copy(tmp_path / "twin")
    shutil.rmtree(twin.root / "restricted")  # its ledger begins anew
    received = Received(twin.workspace)
    monday, tuesday, wednesday = (
        Place("acme", "components", parse_period(f"2026-04-0{n}")) for n in (6, 7, 8)
    )
    files = {e["period"]: e["files"] for e in weeks.workspace.released.entries() if e["event"] == "delivered"}
    for address in (tuesday, wednesday, monday):
        received.add(address, files[address.period.code])

    assert [[], ["2026-04-07"]] == [[e.period.code for e in received.before(a)] for a in (tuesday, wednesday)]


def test_a_partner_is_told_nothing_of_what_only_another_received(weeks, noon):
    """One that begins later, with a table of its own, has a first page; the other's days are not on it."""
    tables = {"components": {}, "parts": {"dimensions": ["component"]}}
    weeks.configure(tables=tables, partners=[{"id": "acme"}])
    weeks.run(noon(13))
    partners = [{"id": "acme"}, {"id": "late", "tables": ["parts"], "periods": ["week"]}]
    weeks.configure(tables=tables, partners=partners)
    weeks.run(noon(20))
    page = _page(weeks, "late/parts/2026-W15")

    assert ["late/parts/2026-W15"] == sorted(
        {n.rpartition("/")[0] for n in weeks.releases() if n.startswith("late")}
    )
    assert "The whole site over" not in page
    assert "acme" not in page
    assert [] == [day for day in range(6, 12) if f" {day} Apr " in page]
