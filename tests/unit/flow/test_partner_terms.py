"""A partner receives what its terms say, and its folders tell them; the strictest thresholds of all hold for all."""

import json
import shutil

import pytest
from pydantic import ValidationError

from usage_stats.partner_settings import Partner, Thresholds, strictest
from usage_stats.release.pooled import audit_releases
from usage_stats.release.verify import verify

DAY = "2026-04-06"


@pytest.mark.parametrize("formats", [["csv"], ["parquet"], ["csv", "parquet"]])
def test_a_partner_receives_the_formats_agreed_on(site, views, noon, formats):
    """No other file is in its folder, and the folder can be checked and attacked all the same."""
    site.configure(partners=[{"id": "acme", "formats": formats}])
    site.log("6.log", views(noon(6)))
    site.run(noon(9))
    top = site.root / "releases"

    assert {"datapackage.json", "report.html", *(f"components.{kind}" for kind in formats)} == {
        p.name for p in (top / "acme" / "components" / DAY).iterdir()
    }
    assert [True] == [verdict.passed for verdict in verify([top])]
    assert [True] == [audit.passed for audit in audit_releases([top])]


def test_a_partner_receives_nothing_that_began_before_its_date(site, views, noon):
    """A week that began before is not for it, though most of its days are."""
    for number in range(6, 13):
        site.log(f"{number}.log", views(noon(number)))
    site.configure(partners=[{"id": "acme", "since": "2026-04-08"}, {"id": "other"}])
    site.run(noon(20))
    by = {}
    for name in site.releases():
        partner, _, period, _ = name.split("/")
        by.setdefault(partner, set()).add(period)

    assert {f"2026-04-{n:02}" for n in range(8, 13)} == by["acme"]
    assert {"2026-04-06", "2026-W15"} <= by["other"]


def test_a_folder_tells_its_terms(site, views, noon):
    """The agreement, the policy's use, the date from which on; also when it was lost and the settings changed since."""
    terms = {"id": "acme", "agreement": "Contract 7 of 2026", "since": "2026-04-01"}
    site.configure(partners=[terms])
    site.log("6.log", views(noon(6)))
    site.run(noon(9))
    before = site.releases()
    told = json.loads(before[f"acme/components/{DAY}/datapackage.json"])["usage_stats"]
    shutil.rmtree(site.root / "releases" / "acme")
    site.configure(partners=[{**terms, "agreement": "Contract 8", "formats": ["csv"]}])
    site.run(noon(10))

    assert ("Contract 7 of 2026", "2026-04-01", "partner_aggregate") == (
        *(told["agreement"], told["since"]),
        told["policy_use"],
    )
    assert before == site.releases()


def test_the_strictest_thresholds_of_all_audiences_apply_to_all(site, views, noon):
    """A partner that asks for more persons has them for everybody: a figure is the same wherever it stands."""
    asks = {"id": "other", "thresholds": {"minimum_persons": 20}}
    site.configure(partners=[{"id": "acme"}, asks])
    site.log("6.log", views(noon(6), 15))
    site.run(noon(9))
    lines = site.releases()[f"acme/components/{DAY}/components.csv"].decode().splitlines()
    told = json.loads(site.releases()[f"acme/components/{DAY}/datapackage.json"])["usage_stats"]

    assert f"{DAY},_T,_T,,,,suppressed" == lines[1]
    assert 20 == told["thresholds"]["minimum_persons"]


def test_of_each_threshold_the_strictest_counts():
    """More persons, more networks, more doubt, less dominance."""
    one = Thresholds(minimum_persons=12, minimum_networks=2, protection_share=0.3, dominance_share=0.4)
    other = Thresholds(minimum_persons=8, minimum_networks=5, protection_share=0.1, dominance_share=0.2)

    expected = Thresholds(minimum_persons=12, minimum_networks=5, protection_share=0.3, dominance_share=0.2)
    assert expected == strictest([one, other])


@pytest.mark.parametrize(
    "wrong",
    [
        {"formats": []},
        {"formats": ["xlsx"]},
        {"formats": ["csv", "csv"]},
        {"agreement": " "},
        {"agreement": "x" * 201},
        {"policy_use": "internal_aggregate"},
        {"since": "soon"},
    ],
)
def test_terms_that_cannot_be_are_refused(wrong):
    """The settings say so before anything runs."""
    with pytest.raises(ValidationError):
        Partner(id="acme", **wrong)
