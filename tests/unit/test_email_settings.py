import pytest
from pydantic import ValidationError

from usage_stats.config import Config, check_config
from usage_stats.email_settings import EmailSettings, OpenPattern, Part, parse_open_pattern
from usage_stats.errors import ConfigError

CAMPAIGN, RECIPIENT = Part("", "campaign"), Part("", "recipient")


@pytest.mark.parametrize(
    ("text", "segments", "query"),
    [
        ("/o/{campaign}/{recipient}.gif", (Part("o"), CAMPAIGN, Part("", "recipient", ".gif")), ()),
        ("/open.gif?c={campaign}&r={recipient}", (Part("open.gif"),), (("c", CAMPAIGN), ("r", RECIPIENT))),
        ("/o/mail-{campaign}.png", (Part("o"), Part("mail-", "campaign", ".png")), ()),
        ("/{campaign}/o.gif?v=2", (CAMPAIGN, Part("o.gif")), (("v", Part("2")),)),
    ],
)
def test_a_pattern_is_taken_apart(text, segments, query):
    """Segments of the path, values of the query by their keys; each with one placeholder or none."""

    assert OpenPattern(segments, query) == parse_open_pattern(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("o/{campaign}", "begins with no /"),
        ("/o/{recipient}.gif", "needs {campaign} exactly once"),
        ("/{campaign}/{campaign}", "needs {campaign} exactly once"),
        ("/{campaign}/{recipient}/{recipient}", "{recipient} at most once"),
        ("/{campaign}-{recipient}.gif", "two placeholders in one segment"),
        ("/{campaign}?x={recipient}{recipient}", "two placeholders in one segment"),
        ("/{campaign}/{mail}", "knows no placeholders but"),
        ("/{campaign", "may hold letters"),
        ("/{campaign}/o gif", "may hold letters"),
        ("/{campaign}/*", "may hold letters"),
        ("/{campaign}?r", "key=value"),
        ("/{campaign}?", "key=value"),
        ("/{campaign}?{recipient}=1", "key=value"),
        ("/{campaign}?r=1&r={recipient}", "a key of the query twice"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(text, words):
    """Above all one by which a part of a recipient could pass for a campaign."""
    with pytest.raises(ValidationError) as refused:
        EmailSettings(opens=(text,))

    assert words in str(refused.value)


def test_the_settings_of_a_workspace_have_the_section():
    """None by itself: no request is an open, and no campaign has a name."""
    config = check_config(
        {"site": "small", "email": {"opens": ["/o/{campaign}.gif"], "campaigns": ["may"]}}, "here"
    )

    assert ("/o/{campaign}.gif",) == config.email.opens
    assert EmailSettings() == Config(site="small").email
    assert "other" == EmailSettings().unlisted


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"open": []}, "did you mean opens?"),
        ({"opens": ["/o"]}, "needs {campaign} exactly once"),
        ({"campaigns": ["=cmd()"]}, "email.campaigns"),
        ({"campaigns": ["may", "may"]}, "appears twice"),
    ],
)
def test_a_wrong_setting_is_named(section, words):
    """As everywhere in the settings: which, and what is allowed."""
    with pytest.raises(ConfigError) as refused:
        check_config({"site": "small", "email": section}, "here")

    assert words in str(refused.value)
