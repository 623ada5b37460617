"""What a run refuses to take in, because it could never be put right afterwards."""

import pytest

from usage_stats.errors import ConfigError, InputError, LedgerError
from usage_stats.flow import ingest as ingest_module
from usage_stats.flow import publish as publish_module


def _lines(site):
    return sum(entry["lines"] for entry in site.workspace.ingested.entries())


def test_a_log_of_another_format_is_not_recorded(site, views, noon):
    """Content is read once: lines that a wrong `format:` rejects would be lost for good."""
    site.log("a.log", views(noon(1)))
    site.configure(sources=[{"name": "web", "format": "common"}])
    with pytest.raises(InputError, match="15 of 15 lines do not fit format common; nothing was recorded"):
        site.run(noon(2))
    site.configure()
    site.run(noon(2))

    assert 15 == _lines(site)


def test_a_clock_far_behind_loses_no_line(site, views, noon):
    """Most lines in the future mean that the clock is wrong, not the log."""
    site.log("a.log", views(noon(20)))
    with pytest.raises(InputError, match="15 of 15 lines lie in the future"):
        site.run(noon(2))
    site.run(noon(20))

    assert 15 == _lines(site)


def test_a_log_replaced_while_it_is_read_is_not_recorded(site, views, noon, monkeypatch):
    """What was looked at and what was read must be one file."""
    site.log("a.log", views(noon(1)))
    seen = iter(range(100))
    monkeypatch.setattr(ingest_module, "_identity", lambda path: (next(seen), 0))
    with pytest.raises(InputError, match="was replaced while it was read"):
        site.run(noon(2))

    assert 0 == _lines(site)


@pytest.mark.parametrize("change", [{"site": "other"}, {"time_zone": "Europe/Berlin"}])
def test_a_renamed_site_or_zone_stops_the_run(site, views, noon, change):
    """New keys, or days cut otherwise, amid those in use would count people twice."""
    site.log("a.log", views(noon(1)))
    site.run(noon(1))
    site.configure(**change)
    with pytest.raises(ConfigError, match="this workspace began with"):
        site.run(noon(2))


def test_a_renamed_source_reads_nothing_twice(site, views, noon):
    """Content is known whichever source names it."""
    site.log("a.log", views(noon(1)))
    site.run(noon(1))
    site.configure(sources=[{"name": "www"}])
    site.run(noon(1))

    assert 15 == _lines(site)


def test_two_sources_of_one_file_read_it_once(site, views, noon):
    """The same path in two sources is one log."""
    site.log("a.log", views(noon(1)))
    site.configure(sources=[{"name": "one"}, {"name": "two"}])
    site.run(noon(1))

    assert 15 == _lines(site)


def test_an_older_backup_of_the_restricted_store_releases_nothing_anew(site, views, noon, tmp_path):
    """A period that was delivered, but that the ledger does not know, could come out twice, and different."""
    site.log("a.log", views(noon(1)))
    site.run(noon(1))
    backup = site.copy(tmp_path / "backup")
    site.run(noon(8))
    delivered = site.releases()
    (site.root / "restricted").rename(tmp_path / "lost")
    (backup.root / "restricted").rename(site.root / "restricted")
    site.log("b.log", views(noon(1), visitors=1, first=50))
    with pytest.raises(LedgerError, match="the release ledger does not know of it"):
        site.run(noon(8))

    assert delivered == site.releases()


def test_a_period_that_cannot_be_checked_is_refused_and_the_others_go_on(site, views, noon, monkeypatch):
    """A solver's failure leaves its period unreleased for good; it does not hold up the rest."""
    make = publish_module._make

    def failing(workspace, calendar, cube, period, views_, database):
        if period.code == "2026-04-02":
            raise publish_module.SolverError("a linear program was not solved")
        return make(workspace, calendar, cube, period, views_, database)

    monkeypatch.setattr(publish_module, "_make", failing)
    for day in (1, 2, 3):
        site.log(f"{day}.log", views(noon(day)))
    first = site.run(noon(10))
    second = site.run(noon(10))

    assert ["2026-04-02"] == first.refused
    assert [] == second.refused
    assert {"2026-04-01", "2026-04-03"} == {name.split("/")[2] for name in site.releases()}
