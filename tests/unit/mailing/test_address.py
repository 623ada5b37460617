import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_stats.mailing.address import REASONS, Address, read_address

ANN = "ann@shop.example"
LETTERS = "aZ0.+-_@<> \t\"',;:%?=\u00df\u0130\u03a3\u0301\u200b\ufeff\u3002\uff20\u00e9e\u0000"
ENTRIES = st.text(st.sampled_from(LETTERS) | st.characters(codec="utf-8"), max_size=60)
LIKELY = st.builds(
    "{}@{}.{}".format, ENTRIES, ENTRIES, st.sampled_from(["example", "XN--P1AI", "рф", "org."])
)


def key(entry):
    """How an entry is compared, or why it holds no address."""
    found = read_address(entry)
    return found.key if isinstance(found, Address) else found


@pytest.mark.parametrize(
    "entry",
    [
        "  ann@shop.example \t",
        "\ufeffann@shop.example\u200b",
        "\u00a0ann@shop.example\u2003",
        "Ann@Shop.Example",
        "<ann@shop.example>",
        "Ann B. <ann@shop.example>",
        '"B., Ann <at work>" <ann@shop.example>',
        "mailto:ann@shop.example",
        "MAILTO:ann%40shop.example?subject=hello",
        "Ann <mailto:ann@shop.example>",
        "ann@shop.example.",
        "ann@shop\u3002example",
    ],
)
def test_spellings_of_one_address_are_one(entry):
    """Space, capitals, a name or a scheme before it, and dots of other scripts tell nobody apart."""

    assert ANN == key(entry)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x@b\u00fccher.example", "x@xn--bcher-kva.example"),
        ("x@B\u00dcCHER.example", "x@XN--BCHER-KVA.EXAMPLE"),
        ("x@bu\u0308cher.example", "x@b\u00fccher.example"),
        ("jos\u00e9@a.example", "jose\u0301@a.example"),
        ("JOS\u00c9@a.example", "jose\u0301@a.example"),
    ],
    ids=["IDNA", "IDNA in capitals", "a composed domain", "a composed name", "capitals of both"],
)
def test_forms_of_unicode_are_one(first, second):
    """NFC on both sides of the @; a domain is compared as the DNS has it."""

    assert key(first) == key(second)
    assert "@" in key(first)


@pytest.mark.parametrize(
    "other",
    [
        "ann+news@shop.example",
        "a.nn@shop.example",
        "ann@mail.shop.example",
        "ann@shop.example.org",
        "anne@shop.example",
    ],
)
def test_different_people_stay_different(other):
    """Tags and dots are not taken away: at most providers these are other mailboxes."""

    assert ANN != key(other)
    assert "@" in key(other)


def test_a_sharp_s_in_a_domain_stays_one():
    """straße.example and strasse.example are two domains since IDNA 2008 (RFC 5894, section 7.2)."""

    assert key("x@stra\u00dfe.example") != key("x@strasse.example")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "no_at_sign"),
        ("ann", "no_at_sign"),
        ("ann at shop.example", "no_at_sign"),
        ("@shop.example", "local_part"),
        ("a@b.example, c@d.example", "local_part"),
        ("a@b.example; c@d.example", "local_part"),
        ("ann lee@shop.example", "local_part"),
        ("ann\u2003lee@shop.example", "local_part"),
        ("a\x00nn@shop.example", "local_part"),
        ("mailto:a%0Ab@shop.example", "local_part"),
        ("ann@localhost", "domain"),
        ("ann@", "domain"),
        ("ann@shop..example", "domain"),
        ("ann@-shop.example", "domain"),
        ("ann@192.0.2.7", "domain"),
        ("ann@[192.0.2.7]", "domain"),
        ("ann@shop.exa mple", "domain"),
        ("a" * 65 + "@shop.example", "too_long"),
        ("a" * 2000, "too_long"),
        (f"ann@{'a' * 64}.example", "domain"),
        ("ann@" + "abcdefgh." * 30 + "example", "domain"),
    ],
)
def test_what_holds_no_address_says_why(entry, reason):
    """A reason, and never half of an entry."""

    assert reason == key(entry)


@given(ENTRIES | LIKELY)
@example("a@\u00df.\u3002.")
@example("\u0130@\u0130.example")
def test_reading_is_idempotent_and_never_fails(entry):
    """Any text is an address or has a reason; an address in its compared spelling is itself."""
    found = read_address(entry)

    if isinstance(found, Address):
        assert found.key == key(found.key)
        assert found.key == key(found.written)
        assert not set("\r\n") & set(found.written)
    else:
        assert found in REASONS


@given(LIKELY)
def test_space_capitals_and_composition_never_matter(entry):
    """Whatever is an address is the same one with space around, in small letters, and taken apart."""
    found = read_address(entry)

    if isinstance(found, Address):
        assert found.key == key(f" {found.written}\t")
        assert found.key == key(f"Somebody <{found.written}>")
        assert found.key == key(unicodedata.normalize("NFD", found.key))


def test_nothing_shows_an_address():
    """What a debugger or an error prints says nothing."""

    assert "ann" not in repr(read_address(ANN))
