"""Red team: each protection is taken out in turn, and the attacker of these tests must then find something.

What no attack can show to be missing, no attack shows to be there.
"""

from datetime import date

import attacker
import pytest
from invented_site import PLACES, SMALL, Site, View, cube_with, days_from, publish_all, random_site

from usage_stats.config import Thresholds
from usage_stats.errors import AuditFailed
from usage_stats.protect import protect, secondary
from usage_stats.protect.audit import AuditReport, view_digest

CUBE = cube_with(PLACES)
WEEK = days_from(date(2027, 2, 1), 7)
SITES = [random_site(seed, CUBE, WEEK, persons=25, busy=0.3) for seed in range(12)]


def _published(sites=SITES, days=WEEK):
    return [(site, publish_all(site, CUBE, days, SMALL).figures) for site in sites]


def _found(attack, *where):
    return sum(bool(attack(site, figures)) for site, figures in _published(*where))


@pytest.fixture(scope="module")
def protected():
    """All sites, published under the whole protection."""
    return _published()


def _exposed(_site, figures):
    return attacker.exposed(figures, persons=5, share=0.1)


def _close(_site, figures):
    return attacker.close_pairs(figures, 5)


def _overlapping(_site, figures):
    return attacker.thin_overlaps(figures, 5)


def _few(site, figures):
    """Only sums of one level: those of mixed levels have their own test."""
    return [
        family
        for family in attacker.families(figures)
        if family.complete and figures[family.whole] and _is_few(site, figures, family)
    ]


def _is_few(site, figures, family):
    hidden = [part for part in family.parts if figures[part] is None]
    return bool(hidden) and site.behind(hidden)[0] < 5


def _too_small(site, figures):
    return [key for key, known in figures.items() if known and 0 < site.behind([key])[0] < 5]


ATTACKS = {
    "exposed": _exposed,
    "close": _close,
    "few": _few,
    "too small": _too_small,
    "overlapping": _overlapping,
}


@pytest.fixture
def audit_is_blind(monkeypatch):
    """The audit passes everything, so that nothing but the broken protection stands in the way."""

    def passed(view, *_args, **_kwargs):
        return AuditReport(view_digest(view), {}, ())

    monkeypatch.setattr(protect, "audit", passed)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_found_while_all_protections_stand(protected, attack):
    """The very sites on which each broken protection is found."""

    assert 0 == sum(bool(ATTACKS[attack](site, figures)) for site, figures in protected)


def test_attacker_finds_out_when_sensitive_cells_are_published(monkeypatch):
    """Without any suppression there are figures about one to four persons."""
    monkeypatch.setattr(protect, "choose_withheld", lambda _: frozenset())
    monkeypatch.setattr(protect, "primary_cells", lambda *_: {})

    assert _found(_too_small, SITES, WEEK[:1]) > 0


def test_attacker_finds_out_when_nothing_is_withheld_beside_sensitive_cells(monkeypatch, audit_is_blind):
    """Without secondary suppression withheld cells follow from sums."""
    monkeypatch.setattr(protect, "choose_withheld", lambda problem: problem.primary)

    assert _found(_exposed) > 0
    assert _found(_few) > 0


def test_audit_refuses_a_table_in_which_nothing_is_withheld_beside_sensitive_cells(monkeypatch):
    """The second line holds by itself: what was chosen badly is not released."""
    monkeypatch.setattr(protect, "choose_withheld", lambda problem: problem.primary)
    with pytest.raises(AuditFailed):
        _published()


def test_attacker_finds_out_when_remainders_are_not_looked_at(monkeypatch):
    """Without the check of remainders, sums less published parts are about too few; no interval tells.

    Everybody was in the shop. Four of them viewed forty pages in `news` and forty elsewhere, too: nobody can
    tell which is which, but the site's total less the shop is a figure about the four.
    """
    shop = [View(f"p{n}", f"n{n}", WEEK[0], 0, "shop", "basket", 2) for n in range(50)]
    few = [View(f"p{n}", f"n{n}", WEEK[0], 0, c, None, 10) for n in range(4) for c in ("news", "(other)")]
    where = ([Site(shop + few)], WEEK[:1])
    intact = _found(_few, *where)
    monkeypatch.setattr(secondary, "_thin_remainders", lambda *_: iter(()))

    assert (0, 1) == (intact, _found(_few, *where))


def test_attacker_finds_out_when_close_pairs_are_not_looked_at(monkeypatch):
    """Without the check of pairs, a whole holds one to four persons more than its part."""
    monkeypatch.setattr(secondary, "_close_pairs", lambda *_: iter(()))

    assert _found(_close) > 0


def test_attacker_finds_out_when_overlaps_are_not_looked_at(monkeypatch):
    """Without the check of overlaps, the parts of a whole tell of one to four persons who came twice."""
    monkeypatch.setattr(secondary, "_thin_overlaps", lambda *_: iter(()))
    crowded = [random_site(seed, CUBE, WEEK[:1], persons=60, busy=0.9) for seed in range(20)]

    assert _found(_overlapping, crowded, WEEK[:1]) > 0


def test_no_overlap_is_found_while_overlaps_are_looked_at():
    """On the very sites of the test above."""
    crowded = [random_site(seed, CUBE, WEEK[:1], persons=60, busy=0.9) for seed in range(20)]

    assert 0 == _found(_overlapping, crowded, WEEK[:1])


def test_attacker_finds_out_when_intervals_are_not_looked_at(monkeypatch, audit_is_blind):
    """Without the linear programs, two withheld cells of a sum bound each other too closely."""
    monkeypatch.setattr(secondary, "_narrow_cells", lambda *_: iter(()))

    assert _found(_exposed) > 0


def test_audit_refuses_what_intervals_would_give_away(monkeypatch):
    """Without the linear programs of the choice, those of the audit stop the release."""
    monkeypatch.setattr(secondary, "_narrow_cells", lambda *_: iter(()))
    with pytest.raises(AuditFailed):
        _published()


def test_attacker_finds_out_when_a_minimum_of_networks_is_not_asked_for():
    """Twenty persons of one company are a published figure where one network is enough."""
    views = [View(f"p{n}", "company", WEEK[0], 0, "news", None, 2) for n in range(20)]
    site = Site(views + [View(f"q{n}", f"n{n}", WEEK[0], 0, "(other)", None, 2) for n in range(20)])
    found = {}
    for networks in (1, 3):
        rules = Thresholds(minimum_persons=5, minimum_networks=networks, protection_share=0)
        figures = publish_all(site, CUBE, WEEK[:1], rules).figures
        found[networks] = [key for key, known in figures.items() if known and site.behind([key])[1] == 1]

    assert [WEEK[0].isoformat(), "news", "_T"] in [list(key[:3]) for key in found[1]]
    assert [] == found[3]
