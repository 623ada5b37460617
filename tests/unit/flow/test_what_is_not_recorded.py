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
    read_file = ingest_module.read_file

    def replacing(unread, *args, **named):
        account = read_file(unread, *args, **named)
        beside = site.root / "other"
        beside.write_bytes(views(noon(1), 3, first=90))
        beside.replace(unread.log.path)
        return account

    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, "read_file", replacing)
        with pytest.raises(
            InputError, match=r"a\.log: was replaced while it was read; nothing of it was kept"
        ):
            site.run(noon(2))
    before = _lines(site)
    site.run(noon(2))

    assert (0, 3) == (before, _lines(site))


@pytest.mark.parametrize("change", [{"site": "other"}, {"time_zone": "Europe/Berlin"}])
def test_a_renamed_site_or_zone_stops_the_run(site, views, noon, change):
    """New keys, or days cut otherwise, amid those in use would count people twice."""
    site.log("a.log", views(noon(1)))
    site.run(noon(1))
    site.configure(**change)
    with pytest.raises(ConfigError, match="this workspace began with"):
        site.run(noon(2))


def test_a_renamed_source_is_another_server(site, views, noon):
    """Sources that are named apart count apart, also one after the other: a name says whose log it is."""
    site.log("a.log", views(noon(1)))
    site.run(noon(1))
    site.configure(sources=[{"name": "www"}])
    site.run(noon(1))

    assert 2 * 15 == _lines(site)


@pytest.mark.parametrize("second", ["logs/*", "logs/a.log", "logs/again.log", "logs/../logs/a.log"])
def test_a_file_belongs_to_one_source(site, views, noon, second):
    """Found in two sources, under whatever name, its lines would count twice: refused, and nothing was recorded."""
    site.log("a.log", views(noon(1)))
    (site.root / "logs" / "again.log").hardlink_to(site.root / "logs" / "a.log")
    sources = [{"name": "one", "logs": ["logs/a.log"]}, {"name": "two", "logs": [second]}]
    site.configure(sources=sources)
    with pytest.raises(ConfigError, match="belongs to the sources one and two and would count twice"):
        site.run(noon(1))

    assert 0 == _lines(site)


def test_equal_files_of_two_sources_both_count(site, views, noon):
    """Two servers may have written the same lines; two copies in one source are one."""
    for name in ("a.log", "b.log", "b-copy.log"):
        site.log(name, views(noon(1)))
    site.configure(
        sources=[{"name": "one", "logs": ["logs/a.log"]}, {"name": "two", "logs": ["logs/b*.log"]}]
    )
    site.run(noon(1))

    assert 2 * 15 == _lines(site)


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

    def failing(workspace, calendar, period, views_, database):
        if period.code == "2026-04-02":
            raise publish_module.SolverError("a linear program was not solved")
        return make(workspace, calendar, period, views_, database)

    monkeypatch.setattr(publish_module, "_make", failing)
    for day in (1, 2, 3):
        site.log(f"{day}.log", views(noon(day)))
    first = site.run(noon(10))
    second = site.run(noon(10))

    assert ["2026-04-02"] == first.refused
    assert [] == second.refused
    assert {"2026-04-01", "2026-04-03"} == {name.split("/")[2] for name in site.releases()}
