import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_stats.deidentify.email_opens import Open, OpenMatcher, open_class
from usage_stats.deidentify.mail_agents import MAIL_AGENTS, OPEN_CLASSES, mail_agents_version
from usage_stats.deidentify.pseudonym import (
    Pseudonymiser,
    account_identity,
    address_identity,
    cookie_identity,
    recipient_identity,
    split_address,
)
from usage_stats.email_settings import EmailSettings

KEY = bytes(range(32))
PATTERNS = ("/o/{campaign}/{recipient}.gif", "/open.gif?c={campaign}&r={recipient}", "/n/{campaign}.png")
CAMPAIGNS = ("spring-sale", "News March")
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_EARLY = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246 Mozilla/5.0"
)


def _match(target, **settings):
    return OpenMatcher(EmailSettings(**{"opens": PATTERNS, "campaigns": CAMPAIGNS, **settings}))(target)


@pytest.mark.parametrize(
    ("target", "campaign", "recipient"),
    [
        (b"/o/spring-sale/8f3a.gif", "spring-sale", b"8f3a"),
        (b"/o/spring-sale/ann%40shop.example.gif", "spring-sale", b"ann@shop.example"),
        (b"/o/spring-sale/a%2Fb.gif", "spring-sale", b"a/b"),
        (b"//o//spring-sale/8f3a.gif?x=1#y", "spring-sale", b"8f3a"),
        (b"/%6f/spring%2Dsale/8f3a.gif;s=1", "spring-sale", b"8f3a"),
        (b"/o/News%20March/8f3a.gif", "News March", b"8f3a"),
        (b"/o/unheard-of/8f3a.gif", "(other)", b"8f3a"),
        (b"/o/Spring-Sale/8f3a.gif", "(other)", b"8f3a"),
        (b"/o/spring-sale/.gif", "spring-sale", None),
        (b"/open.gif?c=spring-sale&r=8f3a", "spring-sale", b"8f3a"),
        (b"/open.gif?r=8f3a&utm=1&c=News+March", "News March", b"8f3a"),
        (b"/open.gif?c=spring-sale&r=", "spring-sale", None),
        (b"/n/spring-sale.png", "spring-sale", None),
    ],
)
def test_an_open_is_found_by_its_pattern(target, campaign, recipient):
    """Escapes, doubled slashes, parameters and the order of a query change nothing; unlisted campaigns have no name."""

    assert Open(campaign, recipient) == _match(target)


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"/",
        b"/o/spring-sale",
        b"/o//8f3a.gif",
        b"/o/spring-sale/x/8f3a.gif",
        b"/o/spring-sale/8f3a.png",
        b"/open.gif",
        b"/open.gif?c=spring-sale",
        b"/open.gif?c=&r=8f3a",
        b"/open.gif?c=spring-sale&r=1&r=2",
        b"http://elsewhere.example/o/spring-sale/8f3a.gif",
        b"*",
    ],
)
def test_what_fits_no_pattern_is_no_open(target):
    """Nor is one with two recipients: which is meant is not guessed."""

    assert _match(target) is None


def test_without_patterns_nothing_is_an_open():
    """The section is left out: all requests are what they were."""

    assert OpenMatcher(EmailSettings())(b"/o/spring-sale/8f3a.gif") is None


@pytest.mark.parametrize(
    ("campaign", "word"),
    [
        (b"summer-sale-2027", "summer-sale-2027"),
        (b"newsletter-12", "newsletter-12"),
        (b"spring-sale", "spring-sale"),
        (b"ab", "(other)"),
        (b"2027", "(other)"),
        (b"Summer", "(other)"),
        (b"order-48213", "(other)"),
        (b"deadbeef", "(other)"),
        (b"mail-bcdfgh", "(other)"),
        (b"x7f3a9", "(other)"),
        (b"ann@shop.example", "(other)"),
        (b"ann.lee", "(other)"),
        (b"ann%00", "(other)"),
        (b"\xff\xfe", "(other)"),
        (b"a" * 41, "(other)"),
        (b"sale--may", "(other)"),
        (b"sale-may\n", "(other)"),
    ],
)
def test_plain_words_are_names_only_where_that_is_asked_for(campaign, word):
    """`unlisted: slug` takes words, small numbers and years; otherwise only the list gives names."""
    target = b"/o/%s/8f3a.gif" % campaign.replace(b"\n", b"%0A")

    assert word == _match(target, unlisted="slug").campaign
    assert ("spring-sale" if campaign == b"spring-sale" else "(other)") == _match(target).campaign


@pytest.mark.parametrize("unlisted", ["other", "slug"])
@given(recipient=st.binary(min_size=1, max_size=20), campaign=st.binary(min_size=1, max_size=20))
@example(recipient=b"ann-lee", campaign=b"ann-lee")
@example(recipient=b"Ann", campaign=b"for-ann")
@example(recipient=b"news-for-ann", campaign=b"ann")
def test_a_recipient_is_in_no_campaigns_word(unlisted, recipient, campaign):
    """Whatever is asked for: the word is listed, `(other)`, or has nothing of the recipient in it, or it in it."""
    escaped = [b"".join(b"%%%02x" % byte for byte in value) for value in (campaign, recipient)]
    found = _match(b"/open.gif?c=%s&r=%s" % tuple(escaped), unlisted=unlisted)

    assert recipient == found.recipient
    if found.campaign not in {*CAMPAIGNS, "(other)"}:
        assert "slug" == unlisted
        assert recipient.lower() not in found.campaign.encode()
        assert found.campaign.encode() not in recipient.lower()


@given(target=st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: b"/o/" + tail))
@example(target=b"/o/%/%zz.gif")
@example(target=b"/open.gif?&&==&c")
@pytest.mark.parametrize("unlisted", ["other", "slug"])
def test_any_bytes_are_an_open_or_none(unlisted, target):
    """Nothing raises; names are of the list or of plain words."""
    found = _match(target, unlisted=unlisted)

    assert (
        found is None
        or found.campaign in {*CAMPAIGNS, "(other)"}
        or found.campaign.replace("-", "").isalnum()
    )


def test_nothing_shows_a_recipient():
    """What a debugger or an error prints names the campaign only."""

    assert "Open(campaign='spring-sale')" == repr(_match(b"/o/spring-sale/8f3a.gif"))


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (GMAIL, "image_proxy"),
        (GMAIL_EARLY, "privacy_prefetch"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "image_proxy"),
        ("Mozilla/5.0", "privacy_prefetch"),
        ("mozilla/5.0 ", "privacy_prefetch"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
            "direct",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0", "direct"),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17726; Pro)", "direct"),
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "direct"),
        ("Barracuda Sentinel (EE)", "security_scanner"),
        ("Mozilla/5.0 (compatible; Mimecast)", "security_scanner"),
        ("Mozilla/5.0 (compatible; YandexImageResizer/2.0; +http://yandex.com/bots)", "image_proxy"),
        (
            "Mozilla/5.0 (compatible; Linux x86_64; Mail.RU_Bot/Img/2.0; +http://go.mail.ru/help/robots)",
            "image_proxy",
        ),
        ("curl/8.5.0", "other_program"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "other_program"),
        ("-", "other_program"),
    ],
)
def test_an_agent_tells_how_a_mail_was_opened(agent, expected):
    """Proxies and prefetches by the table, other programs by the lists of robots, the rest directly."""

    assert expected == open_class(agent.encode())


@given(agent=st.none() | st.binary(max_size=100))
@example(agent=None)
def test_any_agent_has_a_class(agent):
    """Nothing raises; a log without agents says nothing."""

    assert open_class(agent) in OPEN_CLASSES
    assert (agent is None) == (open_class(agent) == "unknown")


def test_the_table_of_agents_can_be_read_and_checked():
    """Sorted, in lower case, no row twice or hidden by another, each with its source."""
    texts = [row.text for row in MAIL_AGENTS]

    assert sorted(set(texts)) == texts == [text.lower() for text in texts]
    assert not [
        row for row in MAIL_AGENTS if not (row.whose and row.source and row.open_class in OPEN_CLASSES)
    ]
    assert [] == [
        (a, b) for a, b in itertools.permutations(MAIL_AGENTS, 2) if a.how == "has" and a.text in b.text
    ]
    assert all(open_class(row.text.encode()) == row.open_class for row in MAIL_AGENTS)


def test_the_version_changes_with_the_table(monkeypatch):
    """Figures move with it, so releases can name it."""
    before = mail_agents_version()
    monkeypatch.setattr("usage_stats.deidentify.mail_agents.MAIL_AGENTS", MAIL_AGENTS[1:])

    assert before.startswith("mail agents 1, ")
    assert before != mail_agents_version()


@given(value=st.binary(max_size=20))
def test_a_recipient_is_never_a_visitor(value):
    """One spelling as recipient, account, cookie, address, network: the first has no pseudonym of the others."""
    pseudonyms = Pseudonymiser(KEY, "week/2026-W10")
    others = [
        account_identity(value),
        cookie_identity(value),
        address_identity(value),
        split_address(value)[1],
        value,
    ]

    assert recipient_identity(value) not in others
    assert not set(pseudonyms.of([recipient_identity(value)])) & set(pseudonyms.of(others))
