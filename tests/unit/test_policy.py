"""The versions of the privacy policy: which is in force on a day, and what it allows."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.errors import ConfigError
from usage_stats.policy import Policy, PolicyVersion, load_policy

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
DAY = st.dates(date(2020, 1, 1), date(2030, 1, 1))
INTERNAL, PARTNER = "internal_aggregate", "partner_aggregate"
SENTENCE = "We may provide aggregate information to our partners."
USES = st.lists(st.sampled_from([INTERNAL, PARTNER, "email_measurement", "list_comparison"]), max_size=4)
NEAR = st.dates(date(2026, 3, 1), date(2026, 4, 15))  # versions and days close together, so that they meet


def test_the_sample_is_understood():
    """The workspace that newcomers start from is right."""
    assert "2025-09" == load_policy(SAMPLE).versions[0].version


def test_a_policy_has_a_version():
    """A policy without versions allows nothing and is a mistake."""
    with pytest.raises(ValueError, match="versions"):
        Policy(versions=[])


@given(effective=st.lists(DAY, min_size=1, max_size=6, unique=True), day=DAY)
def test_the_version_in_force_is_the_latest_that_has_begun(effective, day):
    """Whatever the order in the file, walking back from the day meets the version in force first."""
    policy = Policy(versions=[{"version": str(d), "effective": d, "uses": []} for d in effective])
    walked = (day - timedelta(n) for n in range((day - date(2019, 12, 31)).days))
    expected = next((str(d) for d in walked if d in effective), None)
    found = policy.in_force(day)

    assert expected == (found.version if found else None)


def test_two_versions_cannot_begin_on_one_day():
    """Which of two versions is in force would be a matter of order: one may forbid what the other allows."""
    versions = [
        {"version": "a", "effective": "2026-01-01", "uses": ["partner_aggregate"]},
        {"version": "b", "effective": "2026-01-01", "uses": []},
    ]
    with pytest.raises(ValueError, match="2026-01-01"):
        Policy(versions=versions)


def _walked(versions, day):
    """The version in force, found by walking back day by day: an oracle that shares no code."""
    while day >= date(2026, 2, 28):
        if day in versions:
            return versions[day]
        day -= timedelta(1)
    return None


@given(
    versions=st.dictionaries(NEAR, USES, min_size=1, max_size=5),
    first=NEAR,
    length=st.integers(1, 31),
    use=st.sampled_from([INTERNAL, PARTNER]),
)
def test_a_use_is_allowed_if_and_only_if_every_days_version_allows_it(versions, first, length, use):
    """Whatever versions and days: a single day under another version, or under none, refuses them all."""
    days = [first + timedelta(n) for n in range(length)]
    policy = Policy(
        versions=[{"version": str(d), "effective": d, "uses": uses} for d, uses in versions.items()]
    )
    verdicts = {day: use in (_walked(versions, day) or ()) for day in days}
    refusal = policy.refusal(days, use)

    assert all(verdicts.values()) == (refusal is None)
    assert refusal is None or refusal.day == min(day for day, allowed in verdicts.items() if not allowed)


def _version(**changes):
    return PolicyVersion(**{"version": "1", "effective": "2026-01-01", "uses": [INTERNAL], **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2"},
        {"effective": "2026-01-02"},
        {"uses": [INTERNAL, PARTNER]},
        {"uses": []},
        {"sentences": {PARTNER: SENTENCE}},
    ],
    ids=str,
)
def test_any_other_content_has_another_digest(changes):
    """Name, day, uses and sentences: what is changed in any of them is noticed."""
    assert _version().digest != _version(**changes).digest


def test_how_the_file_is_laid_out_is_no_content():
    """Uses in another order, a sentence folded over lines: the same version."""
    one = _version(uses=[INTERNAL, PARTNER], sentences={PARTNER: SENTENCE})
    other = _version(
        uses=[PARTNER, INTERNAL], sentences={PARTNER: SENTENCE.replace("aggregate", "\n  aggregate") + "\n"}
    )

    assert one.digest == other.digest


def test_a_refusal_names_version_day_use_and_sentence():
    """Whoever reads it finds the place in the policy."""
    policy = Policy(versions=[_version(sentences={PARTNER: SENTENCE})])
    told = str(policy.refusal([date(2026, 2, 3)], PARTNER))

    assert all(part in told for part in ("version 1", "2026-02-03", PARTNER, SENTENCE))
    assert SENTENCE in policy.refusal([date(2026, 2, 3)], PARTNER).reason


def test_a_sentence_is_not_needed():
    """A policy without sentences is as good; the refusal then quotes none."""
    refusal = Policy(versions=[_version()]).refusal([date(2026, 2, 3)], PARTNER)

    assert '"' not in str(refusal) + refusal.reason


@pytest.mark.parametrize(
    ("sentences", "words"),
    [
        ("{partner_agregate: x}", "partner_agregate"),
        ('{partner_aggregate: ""}', "must be a sentence"),
        ('{partner_aggregate: "  "}', "must be a sentence"),
        ('{partner_aggregate: "a \\e[2J b"}', "must be a sentence"),
        (f"{{partner_aggregate: {'x' * 1001}}}", "must be a sentence"),
    ],
    ids=["no use", "empty", "blank", "escape", "long"],
)
def test_what_is_no_sentence_is_refused(tmp_path, sentences, words):
    """A sentence belongs to a use, and is printed: no more than a line of text."""
    text = f"versions: [{{version: a, effective: 2026-01-01, uses: [], sentences: {sentences}}}]"
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_policy(tmp_path)
